//! Who may speak to the pods. What they may speak to is left open: the API server's address is known to nobody here.

use std::collections::BTreeMap;

use api::kubernetes::DiskCluster;
use api::kubernetes::labels::{self, COMPONENT, Component, NAME};
use api::kubernetes::names::{ADMIN_PORT, INTERNAL_PORT, Names, PUBLIC_PORT};
use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::owned;

/// One each for disk pods, web pods and the pods that try out volumes, unless the DiskCluster wants none.
pub(super) fn policies(cluster: &DiskCluster, names: &Names, operator_namespace: &str) -> Vec<NetworkPolicy> {
    if !cluster.spec.network_policy.is_enabled() {
        return Vec::new();
    }
    let everybody = |port| allowed(port, None);
    // Metrics hold no secret, and who collects them is not known here: any pod of the cluster may.
    let metrics = || allowed(ADMIN_PORT, Some(vec![in_namespaces(BTreeMap::new(), None)]));
    let internal = allowed(
        INTERNAL_PORT,
        Some(vec![
            beside(labels::selector(names, Component::Web)),
            beside(labels::selector(names, Component::Disk)),
            operator(operator_namespace),
        ]),
    );
    let asked_by_disks = allowed(INTERNAL_PORT, Some(vec![beside(labels::selector(names, Component::Disk))]));
    let policy = |component, name: String, ingress| NetworkPolicy {
        metadata: owned(cluster, &name, component),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector(labels::selector(names, component))),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: Some(ingress),
            egress: None,
        }),
    };
    vec![
        policy(Component::Disk, names.disk(), vec![everybody(PUBLIC_PORT), internal, metrics()]),
        policy(Component::Web, names.web(), vec![everybody(PUBLIC_PORT), asked_by_disks, metrics()]),
        silent(cluster, names),
    ]
}

/// Pods that try out a volume speak to nobody.
fn silent(cluster: &DiskCluster, names: &Names) -> NetworkPolicy {
    NetworkPolicy {
        metadata: owned(cluster, &names.check(), Component::Check),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector(labels::selector(names, Component::Check))),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: None,
            egress: None,
        }),
    }
}

fn allowed(port: u16, from: Option<Vec<NetworkPolicyPeer>>) -> NetworkPolicyIngressRule {
    NetworkPolicyIngressRule {
        from,
        ports: Some(vec![NetworkPolicyPort {
            port: Some(IntOrString::Int(i32::from(port))),
            protocol: Some("TCP".to_owned()),
            end_port: None,
        }]),
    }
}

fn selector(labels: BTreeMap<String, String>) -> LabelSelector {
    LabelSelector { match_labels: (!labels.is_empty()).then_some(labels), match_expressions: None }
}

fn beside(labels: BTreeMap<String, String>) -> NetworkPolicyPeer {
    NetworkPolicyPeer { pod_selector: Some(selector(labels)), ..NetworkPolicyPeer::default() }
}

fn in_namespaces(namespace: BTreeMap<String, String>, pods: Option<LabelSelector>) -> NetworkPolicyPeer {
    NetworkPolicyPeer { namespace_selector: Some(selector(namespace)), pod_selector: pods, ip_block: None }
}

fn operator(namespace: &str) -> NetworkPolicyPeer {
    let pods = [(NAME, "internet-disk"), (COMPONENT, "operator")];
    let pods = pods.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let namespace = [("kubernetes.io/metadata.name".to_owned(), namespace.to_owned())].into();
    in_namespaces(namespace, Some(selector(pods)))
}
