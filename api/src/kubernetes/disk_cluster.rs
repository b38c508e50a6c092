//! The custom resource DiskCluster: an internet disk, with its volumes, disk servers and web servers.
#![allow(clippy::duplicated_attributes)] // columns of kubectl get are attributes that look alike

pub mod disk;
pub mod exposure;
pub mod operation;
pub mod pods;
pub mod policies;
pub mod sign_in;
pub mod status;
pub mod volume;
pub mod web;

use kube::CustomResource;
use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reference::{DeletionPolicy, Switch};
use super::schema::{self, forbidden, invalid, set_once};
use disk::Disk;
use operation::{Images, Logging, Monitoring, Reconciliation, Service};
use policies::Policies;
use sign_in::SignIn;
pub use status::DiskClusterStatus;
use volume::Volume;
use web::Web;

/// An internet disk: its volumes, disk servers and web servers, and who may use it.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "internetdisk.dev",
    version = "v1alpha1",
    kind = "DiskCluster",
    plural = "diskclusters",
    doc = "An internet disk: its volumes, disk servers and web servers, and who may use it.",
    namespaced,
    status = "DiskClusterStatus",
    shortname = "idc",
    category = "internetdisk",
    derive = "PartialEq",
    scale(
        spec_replicas_path = ".spec.disk.replicas",
        status_replicas_path = ".status.disk.replicas",
        label_selector_path = ".status.disk.selector"
    ),
    selectable = ".spec.reconciliation",
    selectable = ".spec.service.mode",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(name = "Disk", type_ = "string", json_path = ".status.disk.summary"),
    printcolumn(name = "Web", type_ = "string", json_path = ".status.web.summary"),
    printcolumn(name = "Members", type_ = "integer", json_path = ".status.members.total"),
    printcolumn(name = "Used", type_ = "string", json_path = ".status.capacity.used"),
    printcolumn(name = "Promised", type_ = "string", json_path = ".status.capacity.promised"),
    printcolumn(name = "Capacity", type_ = "string", json_path = ".status.capacity.total"),
    printcolumn(name = "URL", type_ = "string", json_path = r#".status.endpoints[?(@.name=="Web")].url"#),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version", priority = 1),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.service.mode", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules()))]
pub struct DiskClusterSpec {
    /// The pool. Add a volume at any time: pods are restarted one by one, nothing stops. Taking one out: set it to
    /// Draining first.
    #[schemars(length(min = 1, max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    #[schemars(extend("x-kubernetes-validations" = volume::pool_rules()))]
    pub volumes: Vec<Volume>,
    /// Take over volumes that carry this cluster uid (restored or re-created DiskCluster; status.volumes[].clusterUID
    /// of the old one, or the message of VolumesReady). Without it a volume of another cluster is refused. Cannot
    /// change once set.
    #[serde(default, rename = "adoptClusterUID", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::uid")]
    pub adopt_cluster_uid: Option<String>,
    /// The disk servers.
    #[serde(default)]
    pub disk: Disk,
    /// The web servers.
    #[serde(default)]
    pub web: Web,
    /// Who may sign in, and how.
    #[serde(default)]
    pub sign_in: SignIn,
    /// What holds for every space.
    #[serde(default)]
    pub policies: Policies,
    /// Images and version.
    #[serde(default)]
    pub images: Images,
    /// Maintenance, as members see it.
    #[serde(default)]
    pub service: Service,
    /// Paused: the operator changes nothing for this cluster; members notice nothing.
    #[serde(default)]
    pub reconciliation: Reconciliation,
    /// What becomes of the claims the operator made when the DiskCluster is deleted. Delete also needs every Member
    /// and Group gone.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// For a Prometheus operator.
    #[serde(default)]
    pub monitoring: Monitoring,
    /// What the pods log.
    #[serde(default)]
    pub logging: Logging,
    /// Whether the pods are reachable only as they need to be.
    #[serde(default = "Switch::enabled")]
    pub network_policy: Switch,
}

fn rules() -> Vec<Rule> {
    vec![
        set_once("adoptClusterUID"),
        invalid(
            "!has(self.web.exposure.host) || !has(self.disk.exposure.domain) \
             || self.web.exposure.host != self.disk.exposure.domain",
            "web.exposure.host and disk.exposure.domain must differ: members' files are served from another origin \
             than the page",
        )
        .field_path(".disk.exposure.domain"),
    ]
}

/// What only the whole object can say.
pub(super) fn root_rules() -> Vec<Rule> {
    vec![
        invalid(
            "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            "the name must begin with a letter, hold only a-z, 0-9 and -, and have at most 40 characters: Services \
             and host names are made from it",
        ),
        forbidden(
            "oldSelf.spec.volumes.all(o, self.spec.volumes.exists(n, n.name == o.name) || (has(oldSelf.status) \
             && has(oldSelf.status.volumes) \
             && oldSelf.status.volumes.exists(s, s.name == o.name && s.state == 'Drained')))",
            "a volume can be taken out only when it is drained: set its state to Draining, wait until \
             status.volumes says Drained",
        )
        .field_path(".spec.volumes"),
    ]
}
