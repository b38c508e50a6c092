//! How a DiskCluster is run: images, maintenance, monitoring, logs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kubernetes::reference::{LocalReference, Switch};
use crate::kubernetes::schema;

/// Images and version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Images {
    /// Version to run. Default: that of the operator, which then also upgrades the cluster when it is upgraded itself.
    /// Set it to hold the cluster at a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), extend("pattern" = "^[0-9]+\\.[0-9]+\\.[0-9]+([-+][0-9A-Za-z.+-]+)?$"))]
    pub version: Option<String>,
    /// Registry and path in place of the operator's own, such as registry.example.org/disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255), extend("pattern" = "^[a-z0-9]([-a-z0-9.:/_]*[a-z0-9])?$"))]
    pub registry: Option<String>,
    /// When the nodes pull.
    pub pull_policy: PullPolicy,
    /// Secrets for pulling.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub pull_secrets: Vec<LocalReference>,
}

/// When the nodes pull an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// Each time.
    Always,
    /// When they do not have it.
    #[default]
    IfNotPresent,
    /// Not at all.
    Never,
}

impl PullPolicy {
    /// As a pod says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// Maintenance, as members see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    /// ReadOnly: reading goes on, writes get 503. Offline: the pods stop (0 replicas), volumes stay.
    pub mode: ServiceMode,
    /// Shown to members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub notice: Option<String>,
}

/// What the service does at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServiceMode {
    /// Everything.
    #[default]
    ReadWrite,
    /// Files are read, not changed.
    ReadOnly,
    /// Nothing.
    Offline,
}

/// Whether the operator works on a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Reconciliation {
    /// It does.
    #[default]
    Active,
    /// It does not.
    Paused,
}

/// For a Prometheus operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Monitoring {
    /// A PodMonitor.
    pub pod_monitor: Switch,
    /// A PrometheusRule with alerts.
    pub rules: Switch,
    /// Labels of both, for the Prometheus that selects by them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub labels: BTreeMap<String, String>,
    /// How often the pods are asked.
    #[schemars(range(min = 1, max = 3600))]
    pub interval_seconds: i32,
}

impl Default for Monitoring {
    fn default() -> Self {
        Self {
            pod_monitor: Switch::Disabled,
            rules: Switch::Disabled,
            labels: BTreeMap::new(),
            interval_seconds: 30,
        }
    }
}

/// What the pods log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Logging {
    /// From which level on.
    pub level: LogLevel,
    /// JSON: one object a line.
    pub format: LogFormat,
    /// Where it is written who did what to which file.
    pub audit: Audit,
}

/// From which level on lines are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LogLevel {
    /// What went wrong.
    Error,
    /// What may go wrong.
    Warn,
    /// What was done.
    #[default]
    Info,
    /// For looking into a fault.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// As the programs' `--log` has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LogFormat {
    /// One object a line.
    #[default]
    #[serde(rename = "JSON")]
    Json,
    /// For people.
    Text,
}

impl LogFormat {
    /// As the programs' `--log-format` has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

/// Where it is written who did what to which file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Audit {
    /// Nowhere.
    #[default]
    Disabled,
    /// With the other lines.
    Stdout,
    /// On the volume.
    Volume,
}
