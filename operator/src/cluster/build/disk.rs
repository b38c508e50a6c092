//! The disk servers.

use api::kubernetes::DiskCluster;
use api::kubernetes::labels::{Component, FAULT_INJECTION};
use api::kubernetes::names::{INTERNAL_PORT, Names};
use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{
    EmptyDirVolumeSource, PersistentVolumeClaimVolumeSource, SecretVolumeSource, Volume, VolumeMount,
};
use kube::ResourceExt;

use super::pods::{Part, arguments, item, mount, read_only, selector, template};
use super::services::INTERNAL;
use super::{Surroundings, disk_replicas, owned};

/// Where `disk-pod fault` looks by itself.
const FAULTS: &str = "/faults";

/// What disk pods sign their questions to web pods with.
const KEY: &str = "/etc/internet-disk/key";

/// Pods with lasting names, started and ended side by side: none waits for another.
pub(super) fn stateful_set(cluster: &DiskCluster, names: &Names, around: &Surroundings) -> StatefulSet {
    let pods = &cluster.spec.disk.pods;
    let mut arguments = arguments(cluster, around, pods);
    let mut volumes = Vec::new();
    let mut mounts = Vec::new();
    for volume in &cluster.spec.volumes {
        let directory = format!("/volumes/{}", volume.name);
        arguments.push(format!("--volume={}={directory}", volume.name));
        let (volume, mount) = claimed(&volume.name, names.claim_of(volume), &directory);
        volumes.push(volume);
        mounts.push(mount);
    }
    arguments.push(format!("--key={KEY}"));
    volumes.push(key(names));
    mounts.push(read_only("key", KEY));
    if let Some(uid) = &cluster.spec.adopt_cluster_uid {
        arguments.push(format!("--adopt-cluster-uid={uid}"));
    }
    if injects_faults(cluster) {
        arguments.push(format!("--fault-dir={FAULTS}"));
        volumes.push(Volume {
            name: "faults".to_owned(),
            empty_dir: Some(EmptyDirVolumeSource::default()),
            ..Volume::default()
        });
        mounts.push(mount("faults", FAULTS));
    }
    let part = Part {
        component: Component::Disk,
        program: "disk-pod",
        account: names.disk(),
        pods,
        arguments,
        environment: Vec::new(),
        ports: vec![(INTERNAL, INTERNAL_PORT)],
        volumes,
        mounts,
        requests: [("cpu", "50m"), ("memory", "64Mi")],
    };
    StatefulSet {
        metadata: owned(cluster, &names.disk(), Component::Disk),
        spec: Some(StatefulSetSpec {
            replicas: i32::try_from(disk_replicas(cluster)).ok(),
            service_name: Some(names.disk_pods()),
            pod_management_policy: Some("Parallel".to_owned()),
            revision_history_limit: Some(3),
            selector: selector(names, Component::Disk),
            template: template(cluster, names, around, part),
            ..StatefulSetSpec::default()
        }),
        status: None,
    }
}

fn key(names: &Names) -> Volume {
    Volume {
        name: "key".to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(names.disk_key()),
            items: Some(vec![item("key", "key".to_owned())]),
            default_mode: Some(0o440),
            optional: None,
        }),
        ..Volume::default()
    }
}

/// A volume of the pool, and where a pod has it.
pub(super) fn claimed(name: &str, claim: String, directory: &str) -> (Volume, VolumeMount) {
    // A volume of the pool may be called like one of ours.
    let name = format!("volume-{name}");
    let mount = mount(&name, directory);
    let claim = PersistentVolumeClaimVolumeSource { claim_name: claim, read_only: None };
    (Volume { name, persistent_volume_claim: Some(claim), ..Volume::default() }, mount)
}

/// Whether the DiskCluster is one of the tests, in which volumes can be made to hang.
pub(crate) fn injects_faults(cluster: &DiskCluster) -> bool {
    cluster.annotations().get(FAULT_INJECTION).is_some_and(|value| value == "enabled")
}
