use std::sync::Arc;

use api::kubernetes::disk_cluster::operation::Reconciliation;
use api::kubernetes::disk_cluster::status::DiskPodState;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::cluster::addresses::DiskPodAddresses;
use crate::cluster::observe::Population;
use crate::cluster::validate::{Problems, validate};

fn now() -> Timestamp {
    "2026-01-01T01:00:00Z".parse().unwrap()
}

fn cluster() -> DiskCluster {
    serde_json::from_value(json!({
        "apiVersion": "internetdisk.dev/v1alpha1", "kind": "DiskCluster",
        "metadata": { "name": "demo", "namespace": "disk", "generation": 4 },
        "spec": {
            "volumes": [{ "name": "main", "template": { "size": "20Gi" } }],
            "disk": { "replicas": 2 }, "web": { "replicas": 2 },
        },
    }))
    .unwrap()
}

fn pod(name: &str, status: Value) -> (String, Arc<Pod>) {
    let labels = json!({});
    let pod = json!({
        "metadata": { "name": name, "labels": labels }, "spec": { "nodeName": "node1", "containers": [] }, "status": status,
    });
    (name.to_owned(), Arc::new(serde_json::from_value(pod).unwrap()))
}

fn container(state: Value, last: Value, restarts: u32) -> Value {
    json!([{
        "name": "disk", "image": "registry/disk-pod:1.2.3", "imageID": "", "ready": false, "restartCount": restarts,
        "state": state, "lastState": last,
    }])
}

fn serving() -> Value {
    json!({
        "conditions": [{ "type": "Ready", "status": "True" }, { "type": "PodScheduled", "status": "True" }],
        "containerStatuses": container(json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } }), Value::Null, 0),
    })
}

fn waiting(reason: &str, message: &str, last: Value) -> Value {
    let state = json!({ "waiting": { "reason": reason, "message": message } });
    json!({
        "conditions": [{ "type": "Ready", "status": "False" }, { "type": "PodScheduled", "status": "True" }],
        "containerStatuses": container(state, last, 3),
    })
}

fn running_unready(since: &str) -> Value {
    json!({
        "conditions": [{ "type": "Ready", "status": "False" }],
        "containerStatuses": container(json!({ "running": { "startedAt": since } }), Value::Null, 0),
    })
}

/// Everything as it should be, but for the second disk pod.
fn observed(second: Option<Value>) -> Observed {
    let set: StatefulSet = serde_json::from_value(json!({
        "metadata": { "generation": 7 },
        "spec": { "selector": {}, "template": {} },
        "status": { "observedGeneration": 7, "replicas": 2, "updatedReplicas": 2 },
    }))
    .unwrap();
    let deployment: Deployment = serde_json::from_value(json!({
        "metadata": { "generation": 7 },
        "spec": { "selector": {}, "template": {} },
        "status": { "observedGeneration": 7, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2 },
    }))
    .unwrap();
    let claim: PersistentVolumeClaim = serde_json::from_value(json!({
        "spec": { "accessModes": ["ReadWriteMany"], "storageClassName": "shared", "volumeName": "v" },
        "status": { "phase": "Bound", "capacity": { "storage": "20Gi" } },
    }))
    .unwrap();
    let mut disk_pods = vec![pod("demo-disk-0", serving())];
    disk_pods.extend(second.map(|status| pod("demo-disk-1", status)));
    Observed {
        claims: [("demo-main".to_owned(), claim)].into(),
        disk_pods: disk_pods.into_iter().collect(),
        web_pods: [pod("demo-web-a", serving()), pod("demo-web-b", serving())].into(),
        stateful_set: Some(Arc::new(set)),
        deployment: Some(Arc::new(deployment)),
        population: Population {
            active: 2,
            suspended: 1,
            groups: 1,
            promised: Bytes(14 << 30),
            used: Bytes(1 << 30),
            ..Population::default()
        },
        ..Observed::default()
    }
}

fn addresses() -> Addresses {
    let pod = |ordinal: u32| DiskPodAddresses {
        name: format!("demo-disk-{ordinal}"),
        url: Some(format!("http://{ordinal}.files.example.org")),
        internal: Some(format!("10.0.0.{ordinal}:8081")),
    };
    Addresses {
        web: Some("http://disk.example.org".to_owned()),
        web_internal: Some("http://10.0.0.9".to_owned()),
        web_private: Some("10.0.0.8:8081".to_owned()),
        disks: Some("http://files.example.org".to_owned()),
        disk_pods: vec![pod(0), pod(1)],
    }
}

fn said(cluster: &DiskCluster, observed: &Observed, outcome: &Outcome) -> DiskClusterStatus {
    let problems: Problems = validate(cluster, observed, &[]);
    let found = Found {
        observed,
        problems: &problems,
        checks: &[],
        addresses: &addresses(),
        ticket_keys: &[],
        uid: ClusterUid(Uuid::from_u128(1)),
        version: "1.2.3",
        outcome,
        now: now(),
    };
    status(cluster, &found)
}

fn condition(status: &DiskClusterStatus, type_: ConditionType) -> (String, String, String) {
    let found = find(&status.conditions, type_).unwrap_or_else(|| panic!("{type_} is not said"));
    (found.status.clone(), found.reason.clone(), found.message.clone())
}

#[test]
fn a_disk_as_it_should_be() {
    let status = said(&cluster(), &observed(Some(serving())), &Outcome::Applied);
    insta::assert_json_snapshot!(serde_json::to_value(&status).unwrap());

    // What was read back is equal, so that it is not written again.
    let mut again = cluster();
    let read: DiskClusterStatus = serde_json::from_value(serde_json::to_value(&status).unwrap()).unwrap();
    again.status = Some(read.clone());
    assert_eq!(said(&again, &observed(Some(serving())), &Outcome::Applied), read);
}

#[test]
fn every_trouble_of_a_pod_is_told_with_its_cause() {
    let ended = json!({ "terminated": {
        "exitCode": 1,
        "message": "{\"message\":\"starting\"}\n{\"level\":\"ERROR\",\"message\":\"the disk is full\"}\n",
    } });
    let unschedulable = json!({ "conditions": [
        { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes have room" },
    ] });
    for (what, second, state, reason, words) in [
        ("not there", None, DiskPodState::Gone, Reason::Progressing, "disk servers: 1 of 2 serve"),
        (
            "no room",
            Some(unschedulable),
            DiskPodState::Starting,
            Reason::PodsUnschedulable,
            "0/3 nodes have room",
        ),
        (
            "no image",
            Some(waiting("ImagePullBackOff", "not found", Value::Null)),
            DiskPodState::Starting,
            Reason::ImageNotPulled,
            "registry/disk-pod:1.2.3",
        ),
        (
            "it ends",
            Some(waiting("CrashLoopBackOff", "back-off", ended)),
            DiskPodState::Starting,
            Reason::PodsNotReady,
            "the disk is full",
        ),
        (
            "being made",
            Some(waiting("ContainerCreating", "", Value::Null)),
            DiskPodState::Starting,
            Reason::Progressing,
            "being started",
        ),
        (
            "young",
            Some(running_unready("2026-01-01T00:59:50Z")),
            DiskPodState::Starting,
            Reason::Progressing,
            "being started",
        ),
        (
            "stalled",
            Some(running_unready("2026-01-01T00:00:00Z")),
            DiskPodState::Stalled,
            Reason::PodsNotReady,
            "kubectl logs demo-disk-1",
        ),
    ] {
        let status = said(&cluster(), &observed(second), &Outcome::Applied);
        let disk = status.disk.clone().unwrap();
        assert_eq!((disk.summary.as_str(), disk.pods[1].state), ("1/2", state), "{what}");
        for type_ in [ConditionType::DiskServersReady, ConditionType::Ready] {
            let (holds, why, message) = condition(&status, type_);
            assert_eq!((holds.as_str(), why.as_str()), ("False", reason.as_str()), "{what}: {message}");
            assert!(message.contains(words), "{what}: {message}");
        }
    }
}

#[test]
fn a_pod_that_leaves_is_shown_until_it_is_gone() {
    let mut cluster = cluster();
    cluster.spec.disk.replicas = 1;
    let mut observed = observed(Some(serving()));
    let leaving = observed.disk_pods.get_mut("demo-disk-1").unwrap();
    Arc::make_mut(leaving).metadata.deletion_timestamp = Some(Time(now()));
    let status = said(&cluster, &observed, &Outcome::Applied);
    let disk = status.disk.unwrap();
    assert_eq!((disk.summary.as_str(), disk.desired_replicas), ("1/1", 1));
    assert_eq!(disk.pods[1].state, DiskPodState::Draining);
    assert_eq!(condition(&said(&cluster, &observed, &Outcome::Applied), ConditionType::Ready).0, "True");
}

#[test]
fn what_stops_the_work_is_said_first() {
    let message = "apply Service disk/demo-web: it is refused".to_owned();
    let failed = Outcome::Failed { reason: Reason::ApplyFailed, message };
    for (outcome, holds, reason, words) in [
        (Outcome::Applied, "True", "Available", "disk servers: 2 of 2 serve, web servers: 2 of 2 serve"),
        (failed, "False", "ApplyFailed", "it is refused"),
        (Outcome::HeldBack, "False", "InUse", "confirm-deletion=demo"),
        (Outcome::Paused, "True", "Available", "disk servers: 2 of 2 serve, web servers: 2 of 2 serve"),
    ] {
        let mut cluster = cluster();
        if outcome == Outcome::Paused {
            cluster.spec.reconciliation = Reconciliation::Paused;
        }
        let status = said(&cluster, &observed(Some(serving())), &outcome);
        let (is, why, message) = condition(&status, ConditionType::Ready);
        assert_eq!((is.as_str(), why.as_str()), (holds, reason), "{outcome:?}");
        assert!(message.contains(words), "{message}");
        assert_eq!(find(&status.conditions, ConditionType::Paused).is_some(), outcome == Outcome::Paused);
    }
}

#[test]
fn a_volume_that_cannot_be_used_is_the_reason_for_all_the_rest() {
    let mut observed = observed(None);
    observed.claims.get_mut("demo-main").unwrap().spec.as_mut().unwrap().access_modes =
        Some(vec!["ReadWriteOnce".to_owned()]);
    let status = said(&cluster(), &observed, &Outcome::Applied);
    for type_ in [ConditionType::VolumesReady, ConditionType::Ready] {
        let (is, why, message) = condition(&status, type_);
        assert_eq!((is.as_str(), why.as_str()), ("False", "ClaimNotShared"));
        assert!(message.contains("ReadWriteMany"), "{message}");
    }
    assert_eq!(condition(&status, ConditionType::Stalled).0, "True");
    assert_eq!(condition(&status, ConditionType::DiskServersReady).1, "Waiting");
    assert_eq!(status.volumes[0].state, VolumePhase::Failed);
    assert_eq!(status.volumes[0].cluster_uid, None, "it is not ours");
}

#[test]
fn more_may_be_promised_than_there_is_when_the_policy_says_so() {
    let mut cluster = cluster();
    for (percent, promised, sufficient) in
        [(100, 20, "True"), (100, 21, "False"), (150, 30, "True"), (150, 31, "False")]
    {
        cluster.spec.policies.overcommit_percent = percent;
        let mut observed = observed(Some(serving()));
        observed.population.promised = Bytes(promised << 30);
        let status = said(&cluster, &observed, &Outcome::Applied);
        assert_eq!(
            condition(&status, ConditionType::CapacitySufficient).0,
            sufficient,
            "{percent} {promised}"
        );
        assert_eq!(condition(&status, ConditionType::Ready).0, "True");
    }
}

#[test]
fn a_volume_of_another_disk_cluster_is_told_with_its_owner() {
    let owner = Uuid::from_u128(7);
    let said = format!(
        "{{}}\nError: the volume main belongs to the DiskCluster with uid {owner}, not to us; to take it over, set \
         adoptClusterUID to {owner}\n"
    );
    let ended = json!({ "terminated": { "exitCode": 1, "message": said } });
    for second in [
        waiting("CrashLoopBackOff", "back-off", ended.clone()),
        json!({
            "conditions": [{ "type": "Ready", "status": "False" }],
            "containerStatuses": container(json!({ "running": { "startedAt": "2026-01-01T00:59:59Z" } }), ended, 2),
        }),
    ] {
        let status = said_of(&observed(Some(second)));
        for type_ in [ConditionType::VolumesReady, ConditionType::Ready] {
            let (is, why, message) = condition(&status, type_);
            assert_eq!((is.as_str(), why.as_str()), ("False", "VolumeForeign"));
            assert!(
                message.starts_with("the volume main") && message.contains("adoptClusterUID"),
                "{message}"
            );
        }
        assert_eq!(condition(&status, ConditionType::Stalled).0, "True");
        assert_eq!(status.volumes[0].cluster_uid, Some(owner.to_string()));
        assert_eq!(status.volumes[0].state, VolumePhase::Failed);
    }
}

fn said_of(observed: &Observed) -> DiskClusterStatus {
    said(&cluster(), observed, &Outcome::Applied)
}
