//! The disk servers.

use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exposure::DiskExposure;
use super::pods::Pods;
use crate::kubernetes::reference::Switch;
use crate::kubernetes::schema::{forbidden, invalid};

/// The disk servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules()))]
pub struct Disk {
    /// Disk pods. With autoscaling it is not used and cannot change. Leave it out of manifests in Git when kubectl
    /// scale, an HPA or KEDA decides.
    #[schemars(range(min = 1, max = 1000))]
    pub replicas: i32,
    /// The operator chooses the number of disk pods by their load reports (no metrics server needed). For an HPA or
    /// KEDA leave this out and let it scale this DiskCluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// How the disk pods are reached: each by its own address, and all of them by one shared address for WebDAV.
    pub exposure: DiskExposure,
    /// What the disk pods speak beside HTTP and tus.
    pub protocols: Protocols,
    /// How old a reading may be when another pod has just written. 0: never old, at a price.
    #[schemars(range(min = 0, max = 10000))]
    pub freshness_milliseconds: i32,
    /// What the disk pods get beyond what the operator sets.
    pub pods: Pods,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            replicas: 3,
            autoscaling: None,
            exposure: DiskExposure::default(),
            protocols: Protocols::default(),
            freshness_milliseconds: 1000,
            pods: Pods::default(),
        }
    }
}

fn rules() -> Vec<Rule> {
    vec![
        forbidden(
            "!has(self.autoscaling) || !has(oldSelf.autoscaling) || self.replicas == oldSelf.replicas",
            "autoscaling decides the number of disk pods: change disk.autoscaling.minReplicas and maxReplicas, or \
             take disk.autoscaling away",
        )
        .field_path(".replicas"),
    ]
}

/// How many disk pods there are when the operator decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [invalid(
    "self.minReplicas <= self.maxReplicas",
    "minReplicas must not exceed maxReplicas",
).field_path(".minReplicas")]))]
pub struct Autoscaling {
    /// At least so many.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 1000))]
    pub min_replicas: i32,
    /// At most so many.
    #[schemars(range(min = 1, max = 1000))]
    pub max_replicas: i32,
    /// Of what a pod can do, by its own load report.
    #[serde(default = "sixty")]
    #[schemars(range(min = 10, max = 95))]
    pub target_utilization_percent: i32,
    /// There are fewer pods only after fewer would have done for so long.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 0, max = 86400))]
    pub scale_down_stabilization_seconds: i32,
}

fn two() -> i32 {
    2
}

fn sixty() -> i32 {
    60
}

fn five_minutes() -> i32 {
    300
}

/// What the disk pods speak beside HTTP and tus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Protocols {
    /// For mounting as a local disk.
    pub webdav: Switch,
    /// Name and password are taken with requests that came without TLS, too, and whoever is on the way can read them.
    /// For trying it out on one machine.
    #[serde(rename = "passwordsWithoutTLS")]
    pub passwords_without_tls: Switch,
    /// The current IETF draft of resumable uploads, beside tus.
    pub resumable_upload_draft: Switch,
}

impl Default for Protocols {
    fn default() -> Self {
        Self {
            webdav: Switch::Enabled,
            passwords_without_tls: Switch::Disabled,
            resumable_upload_draft: Switch::Disabled,
        }
    }
}
