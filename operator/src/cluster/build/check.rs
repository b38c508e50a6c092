//! The pods that try out a volume. They get the volume and nothing else: no account, no network, no roster.

use api::kubernetes::DiskCluster;
use api::kubernetes::disk_cluster::volume::Volume;
use api::kubernetes::labels::{CHECK, Component, VERSION};
use api::kubernetes::names::{CHECKERS, Names};
use k8s_openapi::api::core::v1::{
    Affinity, Container, LocalObjectReference, Pod, PodAffinityTerm, PodAntiAffinity, PodSpec,
    ResourceRequirements, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::ResourceExt;

use super::disk::claimed;
use super::pods::{container_security, pod_security, selector, tolerations};
use super::{Surroundings, owned, version};
use crate::cluster::check::RENDEZVOUS;

/// A check that has not ended by then is given up, also one whose volume can not be mounted.
const GIVEN_UP_AFTER: i64 = 300;

/// Two pods for one attempt; `attempt` is a word that no other attempt has.
pub fn check_pods(
    cluster: &DiskCluster,
    around: &Surroundings,
    volume: &Volume,
    key: &str,
    attempt: &str,
) -> Vec<Pod> {
    (1..=CHECKERS).map(|number| check_pod(cluster, around, volume, key, attempt, number)).collect()
}

fn check_pod(
    cluster: &DiskCluster,
    around: &Surroundings,
    volume: &Volume,
    key: &str,
    attempt: &str,
    number: u32,
) -> Pod {
    let names = Names::of(cluster.name_any());
    let disk = &cluster.spec.disk.pods;
    let images = &cluster.spec.images;
    let version = version(cluster, &around.image_version);
    let registry = images.registry.as_ref().unwrap_or(&around.image_registry);
    let directory = format!("/volumes/{}", volume.name);
    let (mounted, mount) = claimed(&volume.name, names.claim_of(volume), &directory);
    let mut arguments = vec![
        "check-volume".to_owned(),
        directory,
        format!("--cluster-uid={}", around.uid),
        format!("--peer={number}/{CHECKERS}"),
        format!("--rendezvous={attempt}"),
        "--result=/dev/termination-log".to_owned(),
    ];
    if let Some(uid) = &cluster.spec.adopt_cluster_uid {
        arguments.push(format!("--adopt-cluster-uid={uid}"));
    }
    let container = Container {
        name: "check".to_owned(),
        image: Some(format!("{registry}/disk-pod:{version}")),
        image_pull_policy: Some(images.pull_policy.as_str().to_owned()),
        args: Some(arguments),
        resources: Some(ResourceRequirements {
            requests: Some(
                [("cpu", "10m"), ("memory", "32Mi")]
                    .map(|(name, amount)| (name.to_owned(), Quantity(amount.to_owned())))
                    .into(),
            ),
            ..ResourceRequirements::default()
        }),
        security_context: Some(container_security()),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: Some(vec![mount]),
        ..Container::default()
    };
    let pull = images.pull_secrets.iter().map(|one| LocalObjectReference { name: one.name.clone() });
    let pull: Vec<_> = pull.collect();
    let mut metadata = owned(cluster, &names.check_pod(&volume.name, number), Component::Check);
    metadata.labels.get_or_insert_default().insert(VERSION.to_owned(), version);
    metadata.annotations = Some(
        [(CHECK, key), (RENDEZVOUS, attempt)].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
    );
    Pod {
        metadata,
        spec: Some(PodSpec {
            restart_policy: Some("Never".to_owned()),
            active_deadline_seconds: Some(GIVEN_UP_AFTER),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            dns_policy: Some("Default".to_owned()),
            // A volume that hangs does not keep its pod from being deleted for long.
            termination_grace_period_seconds: Some(1),
            image_pull_secrets: (!pull.is_empty()).then_some(pull),
            security_context: Some(pod_security(disk.security_context.as_ref())),
            containers: vec![container],
            volumes: Some(vec![mounted]),
            node_selector: (!disk.node_selector.is_empty()).then(|| disk.node_selector.clone()),
            affinity: Some(apart(&names, disk.affinity.clone())),
            tolerations: Some(tolerations(&disk.tolerations)),
            priority_class_name: disk.priority_class_name.clone(),
            runtime_class_name: disk.runtime_class_name.clone(),
            ..PodSpec::default()
        }),
        status: None,
    }
}

/// On two nodes, where there are two: what is shared shows there alone.
fn apart(names: &Names, of_disks: Option<Affinity>) -> Affinity {
    let mut affinity = of_disks.unwrap_or_default();
    let term = WeightedPodAffinityTerm {
        weight: 100,
        pod_affinity_term: PodAffinityTerm {
            label_selector: Some(selector(names, Component::Check)),
            topology_key: "kubernetes.io/hostname".to_owned(),
            ..PodAffinityTerm::default()
        },
    };
    affinity.pod_anti_affinity = Some(PodAntiAffinity {
        preferred_during_scheduling_ignored_during_execution: Some(vec![term]),
        ..PodAntiAffinity::default()
    });
    affinity
}
