//! How many pods may be taken away at once when nodes are drained.

use api::kubernetes::DiskCluster;
use api::kubernetes::labels::{self, Component};
use api::kubernetes::names::Names;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::owned;

/// One of each kind at a time. A pod that does not serve anyway may always go.
pub(super) fn budgets(cluster: &DiskCluster, names: &Names) -> Vec<PodDisruptionBudget> {
    [(Component::Disk, names.disk()), (Component::Web, names.web())]
        .map(|(component, name)| PodDisruptionBudget {
            metadata: owned(cluster, &name, component),
            spec: Some(PodDisruptionBudgetSpec {
                max_unavailable: Some(IntOrString::Int(1)),
                selector: Some(LabelSelector {
                    match_labels: Some(labels::selector(names, component)),
                    match_expressions: None,
                }),
                unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
                ..PodDisruptionBudgetSpec::default()
            }),
            status: None,
        })
        .into()
}
