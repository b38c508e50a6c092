//! What pods get beyond what the operator sets: the fields of a pod under their usual names, as far as they cannot
//! weaken the restricted profile.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, ResourceRequirements, SELinuxOptions, Toleration, TopologySpreadConstraint,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kubernetes::schema;

/// What pods get beyond what the operator sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Pods {
    /// Further metadata of the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<PodMetadata>,
    /// Requests and limits of the container. Default: a request that suits a small disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// As in a pod.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub node_selector: BTreeMap<String, String>,
    /// As in a pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// As in a pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub tolerations: Vec<Toleration>,
    /// As in a pod, in place of the default, which spreads them over nodes and zones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// As in a pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub priority_class_name: Option<String>,
    /// As in a pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::object_name")]
    pub runtime_class_name: Option<String>,
    /// The part of the pod security context that storage needs. Everything else is fixed to the restricted profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_context: Option<PodSecurity>,
    /// How long a pod may finish what it is doing before it is killed. Nothing is lost when it is too short.
    #[schemars(range(min = 1, max = 86400))]
    pub termination_grace_period_seconds: i64,
}

impl Default for Pods {
    fn default() -> Self {
        Self {
            metadata: None,
            resources: None,
            node_selector: BTreeMap::new(),
            affinity: None,
            tolerations: Vec::new(),
            topology_spread_constraints: Vec::new(),
            priority_class_name: None,
            runtime_class_name: None,
            security_context: None,
            termination_grace_period_seconds: 30,
        }
    }
}

/// Further metadata of pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [schema::no_labels_of_ours()]))]
pub struct PodMetadata {
    /// Further labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub labels: BTreeMap<String, String>,
    /// Further annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::labels")]
    pub annotations: BTreeMap<String, String>,
}

/// Requests and limits of a container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// What the container is sure to have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::resources")]
    pub requests: BTreeMap<String, Quantity>,
    /// What the container may have at most.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::resources")]
    pub limits: BTreeMap<String, Quantity>,
}

impl From<Resources> for ResourceRequirements {
    fn from(Resources { requests, limits }: Resources) -> Self {
        let filled = |map: BTreeMap<_, _>| (!map.is_empty()).then_some(map);
        Self { requests: filled(requests), limits: filled(limits), claims: None }
    }
}

/// What storage needs of a pod's security context.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSecurity {
    /// Owner of the files on the volume. Default: 65532.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2147483647))]
    pub run_as_user: Option<i64>,
    /// Group of the files on the volume. Default: 65532.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2147483647))]
    pub run_as_group: Option<i64>,
    /// As in a pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 2147483647))]
    pub fs_group: Option<i64>,
    /// As in a pod.
    pub fs_group_change_policy: GroupChangePolicy,
    /// As in a pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(range(min = 0)), extend("x-kubernetes-list-type" = "set"))]
    pub supplemental_groups: Vec<i64>,
    /// As in a pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub se_linux_options: Option<SELinuxOptions>,
}

/// When the group of the files on a volume is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GroupChangePolicy {
    /// When the root directory does not have it.
    #[default]
    OnRootMismatch,
    /// Whenever a pod starts.
    Always,
}
