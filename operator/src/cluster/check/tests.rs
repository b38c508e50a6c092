use api::kubernetes::disk_cluster::DiskClusterStatus;
use serde_json::{Value, json};

use super::*;

fn now() -> Timestamp {
    "2026-01-01T01:00:00Z".parse().unwrap()
}

fn cluster(status: Value) -> DiskCluster {
    let mut cluster: DiskCluster = serde_json::from_value(json!({
        "apiVersion": "internetdisk.dev/v1alpha1", "kind": "DiskCluster",
        "metadata": { "name": "demo", "namespace": "disk" },
        "spec": { "volumes": [{ "name": "main", "template": { "size": "20Gi" } }] },
    }))
    .unwrap();
    let status: Option<DiskClusterStatus> = serde_json::from_value(status).unwrap();
    cluster.status = status;
    cluster
}

fn observed(pods: Vec<(u32, Value)>, mounted: bool) -> Observed {
    let claim =
        serde_json::from_value(json!({ "metadata": { "name": "demo-main", "uid": "claim" } })).unwrap();
    let set = serde_json::from_value(json!({
        "metadata": {},
        "spec": { "selector": {}, "template": { "spec": { "containers": [], "volumes": [
            { "name": "volume-main", "persistentVolumeClaim": { "claimName": "demo-main" } },
        ] } } },
    }))
    .unwrap();
    let pods = pods.into_iter().map(|(number, pod)| {
        (format!("demo-check-main-{number}"), Arc::new(serde_json::from_value(pod).unwrap()))
    });
    Observed {
        claims: [("demo-main".to_owned(), claim)].into(),
        stateful_set: mounted.then(|| Arc::new(set)),
        check_pods: pods.collect(),
        ..Observed::default()
    }
}

fn one(cluster: &DiskCluster, observed: &Observed) -> Checked {
    look(cluster, observed, "1.2.3", now()).remove(0)
}

fn key() -> String {
    one(&cluster(Value::Null), &observed(Vec::new(), false)).key
}

fn pod(node: &str, key: &str, state: Value) -> Value {
    json!({
        "metadata": { "name": "p", "annotations": {
            "internetdisk.dev/check": key, "internetdisk.dev/check-rendezvous": "r",
        } },
        "spec": { "nodeName": node, "containers": [] },
        "status": { "containerStatuses": [{
            "name": "check", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state,
        }] },
    })
}

fn ended(verdict: Verdict, message: &str, at: &str) -> Value {
    let told = serde_json::to_string(&VolumeCheck::new(verdict, 2, message)).unwrap();
    json!({ "terminated": { "exitCode": 0, "finishedAt": at, "message": told } })
}

fn running() -> Value {
    json!({ "running": { "startedAt": "2026-01-01T00:59:59Z" } })
}

const JUST_NOW: &str = "2026-01-01T00:59:58Z";
const LONG_AGO: &str = "2026-01-01T00:50:00Z";

fn stands(first: Value, second: Value) -> Checked {
    let pods = vec![(1, pod("a", &key(), first)), (2, pod("b", &key(), second))];
    one(&cluster(Value::Null), &observed(pods, false))
}

#[test]
fn what_two_pods_say() {
    use Verdict::{Alone, Slow, Suitable, Unsuitable};
    let good = || ended(Suitable, "", JUST_NOW);
    for (what, first, second, conformance, message) in [
        ("both well", good(), good(), Conformance::Passed, ""),
        (
            "one slow",
            ended(Slow, "a change takes 90 ms", JUST_NOW),
            good(),
            Conformance::Passed,
            "takes 90 ms",
        ),
        ("under way", good(), running(), Conformance::Unknown, "being tried out"),
        (
            "one unsuitable",
            ended(Unsuitable, "no links", JUST_NOW),
            running(),
            Conformance::Failed,
            "no links",
        ),
        (
            "both alone",
            ended(Alone, "not shared", JUST_NOW),
            ended(Alone, "not shared", JUST_NOW),
            Conformance::Failed,
            "not shared",
        ),
        (
            "one alone, the other not there yet",
            ended(Alone, "not shared", JUST_NOW),
            running(),
            Conformance::Unknown,
            "being tried out",
        ),
        (
            "one alone, the other ended otherwise",
            ended(Alone, "not shared", JUST_NOW),
            good(),
            Conformance::Unknown,
            "made anew",
        ),
        (
            "one killed",
            json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled", "finishedAt": JUST_NOW } }),
            good(),
            Conformance::Unknown,
            "made anew: OOMKilled",
        ),
    ] {
        let found = stands(first, second);
        assert_eq!(found.conformance, conformance, "{what}: {found:?}");
        assert!(found.message.contains(message), "{what}: {found:?}");
        assert_eq!(found.next, Next::Nothing, "{what}");
    }
}

#[test]
fn one_node_alone_is_said() {
    let good = || ended(Verdict::Suitable, "", JUST_NOW);
    let pods = vec![(1, pod("a", &key(), good())), (2, pod("a", &key(), good()))];
    let found = one(&cluster(Value::Null), &observed(pods, false));
    assert_eq!(found.conformance, Conformance::Passed);
    assert!(found.message.contains("on the node a alone"), "{found:?}");
}

#[test]
fn a_check_is_made_once_and_anew_when_it_must() {
    let start = one(&cluster(Value::Null), &observed(Vec::new(), false));
    assert_eq!((start.conformance, &start.next), (Conformance::Unknown, &Next::Start));
    let said = |conformance: &str, key: &str| {
        cluster(json!({ "volumes": [{
            "name": "main", "state": "Ready", "conformance": conformance, "check": { "key": key, "message": "said" },
        }] }))
    };
    let passed = one(&said("Passed", &key()), &observed(Vec::new(), true));
    assert_eq!((passed.conformance, &passed.next), (Conformance::Passed, &Next::Nothing));
    assert_eq!(passed.message, "said");
    // By an earlier version: it is looked at again, and what uses it goes on.
    let earlier = one(&said("Passed", "another"), &observed(Vec::new(), true));
    assert_eq!(
        (earlier.conformance, &earlier.next, earlier.in_use),
        (Conformance::Unknown, &Next::Start, true)
    );
    let failed = one(&said("Failed", &key()), &observed(Vec::new(), false));
    assert_eq!((failed.conformance, &failed.next), (Conformance::Failed, &Next::Start));
    assert_eq!(failed.message, "said");
}

#[test]
fn pods_that_are_done_with_go() {
    let good = || ended(Verdict::Suitable, "", JUST_NOW);
    let bad = |at| ended(Verdict::Unsuitable, "no links", at);
    let clears = |first: Value, second: Option<Value>, key: &str| {
        let mut pods = vec![(1, pod("a", key, first))];
        pods.extend(second.map(|second| (2, pod("b", key, second))));
        let found = one(&cluster(Value::Null), &observed(pods, false));
        matches!(found.next, Next::Clear(_))
    };
    assert!(!clears(bad(JUST_NOW), Some(bad(JUST_NOW)), &key()));
    assert!(clears(bad(LONG_AGO), Some(bad(LONG_AGO)), &key()), "it is tried anew after a while");
    assert!(clears(good(), None, &key()), "one alone was left by an operator that died");
    assert!(clears(good(), Some(good()), "another"), "they checked something else");
    let recorded = cluster(json!({ "volumes": [{
        "name": "main", "state": "Ready", "conformance": "Passed", "check": { "key": key(), "message": "" },
    }] }));
    let pods = vec![(1, pod("a", &key(), good())), (2, pod("b", &key(), good()))];
    assert!(matches!(one(&recorded, &observed(pods, false)).next, Next::Clear(_)), "the status has it");
}

#[test]
fn pods_that_missed_each_other_prove_nothing() {
    let alone = |began: &str| {
        let mut end = ended(Verdict::Alone, "not shared", JUST_NOW);
        end["terminated"]["startedAt"] = json!(began);
        end
    };
    let missed = stands(alone("2026-01-01T00:55:00Z"), alone("2026-01-01T00:56:30Z"));
    assert_eq!(missed.conformance, Conformance::Unknown, "{missed:?}");
    assert!(matches!(missed.next, Next::Clear(_)));
    let met = stands(alone("2026-01-01T00:56:28Z"), alone("2026-01-01T00:56:30Z"));
    assert_eq!(met.conformance, Conformance::Failed, "{met:?}");
}

#[test]
fn the_second_pod_is_waited_for_a_moment() {
    let mut young = pod("a", &key(), running());
    young["metadata"]["creationTimestamp"] = json!("2026-01-01T00:59:58Z");
    let found = one(&cluster(Value::Null), &observed(vec![(1, young)], false));
    assert_eq!(found.next, Next::Nothing);
}
