//! What the operator says of a DiskCluster.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kubernetes::quantity::Quantity;
use crate::kubernetes::schema;

/// Written by the operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DiskClusterStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Types: Ready, Reconciling, Stalled, VolumesReady, DiskServersReady, WebServersReady, Reachable, SignInReady,
    /// CapacitySufficient, UpToDate, Paused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Version that runs everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// Where members and administrators go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub endpoints: Vec<Endpoint>,
    /// What there is, what is promised, and what is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityStatus>,
    /// How many Members there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<MemberCount>,
    /// How many Groups there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupCount>,
    /// The disk servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskStatus>,
    /// The web servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web: Option<WebStatus>,
    /// The volumes of the pool.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub volumes: Vec<VolumeStatus>,
    /// What the pods know of members and groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roster: Option<RosterStatus>,
    /// Keys that sign or are still accepted (ids only).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["id"]))]
    pub ticket_keys: Vec<TicketKeyStatus>,
}

/// Where somebody goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// For what.
    pub name: EndpointName,
    /// The address.
    #[schemars(length(max = 2048))]
    pub url: String,
}

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum EndpointName {
    /// The page.
    Web,
    /// Mounting as a local disk.
    #[serde(rename = "WebDAV")]
    WebDav,
    /// Administration.
    Administration,
    /// The page, from inside the cluster.
    Internal,
}

/// What there is, what is promised, and what is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CapacityStatus {
    /// What the volumes hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Quantity>,
    /// The sum of quotas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promised: Option<Quantity>,
    /// What is on them; rounded, some minutes old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Quantity>,
    /// Promised, in percent of the total.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub promised_percent: Option<i32>,
}

/// How many Members there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MemberCount {
    /// All.
    #[schemars(range(min = 0))]
    pub total: i32,
    /// Who may sign in.
    #[schemars(range(min = 0))]
    pub active: i32,
    /// Who are not yet approved.
    #[schemars(range(min = 0))]
    pub pending: i32,
    /// Who are suspended.
    #[schemars(range(min = 0))]
    pub suspended: i32,
}

/// How many Groups there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GroupCount {
    /// All.
    #[schemars(range(min = 0))]
    pub total: i32,
}

/// The disk servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DiskStatus {
    /// Disk pods there are.
    #[schemars(range(min = 0))]
    pub replicas: i32,
    /// Disk pods that serve.
    #[schemars(range(min = 0))]
    pub ready_replicas: i32,
    /// Disk pods of the newest description.
    #[schemars(range(min = 0))]
    pub updated_replicas: i32,
    /// Disk pods wanted: spec.disk.replicas, or what autoscaling chose.
    #[schemars(range(min = 0))]
    pub desired_replicas: i32,
    /// Label selector of the disk pods, for the scale subresource.
    #[schemars(length(max = 1024))]
    pub selector: String,
    /// Ready of wanted, for kubectl get.
    #[schemars(length(max = 16))]
    pub summary: String,
    /// At most 256, those that need attention first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub pods: Vec<DiskPodStatus>,
}

/// A disk server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskPodStatus {
    /// Name of the pod.
    #[schemars(length(max = 253))]
    pub name: String,
    /// What it does.
    pub state: DiskPodState,
    /// Node it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub node: Option<String>,
    /// Where clients reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub url: Option<String>,
    /// Version it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// What is the matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// What a disk server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DiskPodState {
    /// It serves.
    Serving,
    /// It finishes what it does and ends.
    Draining,
    /// It is not yet ready.
    Starting,
    /// It cannot write its volumes, or does not answer.
    Stalled,
    /// It is wanted and not there.
    Gone,
}

/// The web servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WebStatus {
    /// Web pods there are.
    #[schemars(range(min = 0))]
    pub replicas: i32,
    /// Web pods that serve.
    #[schemars(range(min = 0))]
    pub ready_replicas: i32,
    /// Web pods of the newest description.
    #[schemars(range(min = 0))]
    pub updated_replicas: i32,
    /// Ready of wanted, for kubectl get.
    #[schemars(length(max = 16))]
    pub summary: String,
}

/// A volume of the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeStatus {
    /// As in spec.volumes.
    #[schemars(length(max = 20))]
    pub name: String,
    /// What it does.
    pub state: VolumePhase,
    /// Name of the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub claim_name: Option<String>,
    /// The DiskCluster that the volume says it belongs to.
    #[serde(default, rename = "clusterUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    pub cluster_uid: Option<String>,
    /// Storage class of the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub storage_class_name: Option<String>,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Quantity>,
    /// What is on it; rounded, some minutes old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Quantity>,
    /// Spaces on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub spaces: Option<i32>,
    /// Format of the entries on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub entry_format: Option<i32>,
    /// Whether its file system does what the protocol needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformance: Option<Conformance>,
    /// The check that found that out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<VolumeCheckStatus>,
    /// What is the matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// A check of a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeCheckStatus {
    /// What was checked: another one for another claim, version or DiskCluster.
    #[schemars(length(max = 256))]
    pub key: String,
    /// What it found: why the volume must not be used, or what of it is slow.
    #[schemars(length(max = 2048))]
    pub message: String,
}

/// What a volume does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VolumePhase {
    /// Its claim is not bound.
    Pending,
    /// It is in use.
    Ready,
    /// It is being enlarged.
    Expanding,
    /// Its spaces are being moved away.
    Draining,
    /// No space is left on it.
    Drained,
    /// It cannot be used.
    Failed,
}

/// Whether a file system does what the protocol needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Conformance {
    /// Nobody looked.
    Unknown,
    /// It does.
    Passed,
    /// It does not.
    Failed,
}

/// What the pods know of members and groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RosterStatus {
    /// Its number; it only grows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub generation: Option<i64>,
    /// When it was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_time: Option<Time>,
}

/// A key that signs tickets, or once did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TicketKeyStatus {
    /// Its id.
    #[schemars(length(max = 64))]
    pub id: String,
    /// From here on it counts for nothing; absent while it signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
}
