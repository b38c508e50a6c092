use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

fn cluster(name: &str, created: u8, spec: Value) -> DiskCluster {
    let metadata = json!({
        "name": name, "namespace": "disk", "uid": format!("uid-{name}"),
        "creationTimestamp": format!("2026-01-01T00:00:{created:02}Z"),
    });
    let object = json!({
        "apiVersion": "internetdisk.dev/v1alpha1", "kind": "DiskCluster", "metadata": metadata, "spec": spec,
    });
    serde_json::from_value(object).unwrap()
}

fn on_claim(name: &str) -> Value {
    json!({ "volumes": [{ "name": "main", "existingClaim": { "name": name } }] })
}

fn on_template() -> Value {
    json!({ "volumes": [{ "name": "main", "template": { "size": "1Gi" } }] })
}

fn claim(mode: &str, class: Option<&str>, phase: &str) -> PersistentVolumeClaim {
    serde_json::from_value(json!({
        "metadata": { "name": "nas" },
        "spec": {
            "accessModes": [mode], "storageClassName": class,
            "volumeName": (phase == "Bound").then_some("volume"),
        },
        "status": { "phase": phase },
    }))
    .unwrap()
}

#[test]
fn volumes_that_cannot_carry_a_disk() {
    let block = {
        let mut claim = claim("ReadWriteMany", None, "Bound");
        claim.spec.as_mut().unwrap().volume_mode = Some("Block".to_owned());
        claim
    };
    for (what, claim, class, expected) in [
        ("as it should be", Some(claim("ReadWriteMany", Some("shared"), "Bound")), None, None),
        ("missing", None, None, Some((Reason::ClaimNotFound, true, "create it"))),
        (
            "of one node",
            Some(claim("ReadWriteOnce", None, "Bound")),
            None,
            Some((Reason::ClaimNotShared, true, "is ReadWriteOnce")),
        ),
        ("a device", Some(block), None, Some((Reason::ClaimNotShared, true, "Filesystem"))),
        (
            "lost",
            Some(claim("ReadWriteMany", None, "Lost")),
            None,
            Some((Reason::ClaimLost, true, "restore")),
        ),
        (
            "of no class",
            Some(claim("ReadWriteMany", Some("none"), "Pending")),
            Some(("none", false)),
            Some((Reason::StorageClassNotFound, true, "create the class")),
        ),
        (
            "waiting for its class",
            Some(claim("ReadWriteMany", Some("shared"), "Pending")),
            Some(("shared", true)),
            Some((Reason::ClaimPending, false, "kubectl describe pvc nas")),
        ),
        (
            "waiting for a volume",
            Some(claim("ReadWriteMany", None, "Pending")),
            None,
            Some((Reason::ClaimPending, false, "names no storage class")),
        ),
    ] {
        let observed = Observed {
            claims: claim.into_iter().map(|claim| ("nas".to_owned(), claim)).collect(),
            storage_classes: class.into_iter().map(|(name, there)| (name.to_owned(), there)).collect(),
            ..Observed::default()
        };
        let problems = validate(&cluster("demo", 1, on_claim("nas")), &observed, &[]);
        assert_eq!(problems.block(), expected.is_some_and(|(_, blocks, _)| blocks), "{what}");
        match (problems.volumes.as_slice(), expected) {
            ([], None) => {}
            ([problem], Some((reason, _, words))) => {
                assert_eq!(problem.reason, reason, "{what}");
                assert!(
                    problem.message.contains(words) && problem.message.contains("nas"),
                    "{}",
                    problem.message
                );
            }
            (found, _) => panic!("{what}: {found:?}"),
        }
        assert!(problems.others.is_empty(), "{what}");
    }
}

#[test]
fn a_claim_that_is_to_be_made_blocks_nothing() {
    let problems = validate(&cluster("demo", 1, on_template()), &Observed::default(), &[]);
    assert_eq!(problems.volumes.len(), 1);
    assert!(!problems.block());
}

#[test]
fn of_two_on_one_claim_the_older_one_keeps_it() {
    let there = |other: DiskCluster| {
        let claim = claim("ReadWriteMany", None, "Bound");
        let claims = ["nas", "demo-main"].map(|name| (name.to_owned(), claim.clone())).into();
        Observed { others: vec![Arc::new(other)], claims, ..Observed::default() }
    };
    for (what, this, other, taken) in [
        ("the younger", cluster("demo", 2, on_claim("nas")), cluster("first", 1, on_claim("nas")), true),
        ("the older", cluster("demo", 1, on_claim("nas")), cluster("second", 2, on_claim("nas")), false),
        ("of one age, by uid", cluster("b", 1, on_claim("nas")), cluster("a", 1, on_claim("nas")), true),
        ("another claim", cluster("demo", 2, on_claim("nas")), cluster("first", 1, on_claim("other")), false),
        (
            "made here, named there",
            cluster("demo", 2, on_template()),
            cluster("first", 1, on_claim("demo-main")),
            true,
        ),
        (
            "named here, made there",
            cluster("other", 2, on_claim("demo-main")),
            cluster("demo", 1, on_template()),
            true,
        ),
    ] {
        let owner = other.name_any();
        let problems = validate(&this, &there(other), &[]);
        assert_eq!(problems.block(), taken, "{what}: {problems:?}");
        if let Some(problem) = problems.volumes.first() {
            assert_eq!(problem.reason, Reason::ClaimTaken, "{what}");
            assert!(problem.message.contains(&format!("DiskCluster {owner}")), "{}", problem.message);
        }
    }
}

#[test]
fn what_is_asked_for_and_not_done_is_said() {
    let with = |part: Value| {
        let mut spec = on_claim("nas");
        let (spec_fields, part) = (spec.as_object_mut().unwrap(), part.as_object().unwrap().clone());
        spec_fields.extend(part);
        cluster("demo", 1, spec)
    };
    let provider = json!({
        "name": "corp", "issuerURL": "https://id.example.org", "clientID": "disk", "clientSecretRef": { "name": "oidc" },
    });
    let route = |part: &str, exposure: Value| json!({ part: { "exposure": exposure } });
    let missing = |name: &str, field| vec![(name.to_owned(), field)];
    for (what, part, missing_secrets, type_, reason, words) in [
        (
            "an Ingress",
            route("web", json!({ "type": "Ingress", "host": "disk.example.org" })),
            Vec::new(),
            ConditionType::Reachable,
            Reason::NotSupported,
            "spec.web.exposure.type",
        ),
        (
            "a Gateway",
            route(
                "disk",
                json!({ "type": "Gateway", "domain": "f.example.org", "gateway": { "parentRefs": [] } }),
            ),
            Vec::new(),
            ConditionType::Reachable,
            Reason::NotSupported,
            "HTTPRoute",
        ),
        (
            "TLS in the pods",
            route(
                "disk",
                json!({ "type": "NodePort", "tls": { "mode": "Secret", "secretRef": { "name": "tls" } } }),
            ),
            Vec::new(),
            ConditionType::Reachable,
            Reason::NotSupported,
            "spec.disk.exposure.tls",
        ),
        (
            "OpenID without its secret",
            json!({ "signIn": { "oidc": [provider] } }),
            missing("oidc", "spec.signIn.oidc[].clientSecretRef"),
            ConditionType::SignInReady,
            Reason::SecretNotFound,
            "Secret oidc",
        ),
        (
            "registration",
            json!({ "signIn": { "registration": { "mode": "Open" }, "newMembers": { "quota": "1Gi" } } }),
            Vec::new(),
            ConditionType::SignInReady,
            Reason::NotSupported,
            "register",
        ),
        (
            "a pull secret",
            json!({ "images": { "pullSecrets": [{ "name": "pull" }] } }),
            missing("pull", "spec.images.pullSecrets"),
            ConditionType::DiskServersReady,
            Reason::SecretNotFound,
            "Secret pull",
        ),
        (
            "autoscaling",
            json!({ "disk": { "autoscaling": { "maxReplicas": 5 } } }),
            Vec::new(),
            ConditionType::UpToDate,
            Reason::NotSupported,
            "minReplicas",
        ),
    ] {
        let observed = Observed {
            claims: [("nas".to_owned(), claim("ReadWriteMany", None, "Bound"))].into(),
            missing_secrets,
            ..Observed::default()
        };
        let problems = validate(&with(part), &observed, &[]);
        let finding = problems.of(type_).unwrap_or_else(|| panic!("{what}: {problems:?}"));
        assert_eq!(finding.reason, reason, "{what}");
        assert!(finding.message.contains(words), "{what}: {}", finding.message);
        assert!(!problems.block(), "{what}");
    }
}

#[test]
fn a_volume_is_tried_out_before_it_is_used() {
    use crate::cluster::check::Next;

    let checked = |conformance, in_use| Checked {
        volume: "main".to_owned(),
        key: "key".to_owned(),
        conformance,
        message: "no hard links".to_owned(),
        in_use,
        next: Next::Nothing,
    };
    let there = Observed {
        claims: [("nas".to_owned(), claim("ReadWriteMany", None, "Bound"))].into(),
        ..Observed::default()
    };
    for (conformance, in_use, reason, blocks, holds) in [
        (Conformance::Passed, false, None, false, false),
        (Conformance::Unknown, false, Some(Reason::VolumeCheckRunning), false, true),
        (Conformance::Failed, false, Some(Reason::VolumeUnsuitable), true, true),
        // Whoever has files on it goes on.
        (Conformance::Unknown, true, None, false, false),
        (Conformance::Failed, true, Some(Reason::VolumeUnsuitable), false, false),
    ] {
        let problems =
            validate(&cluster("demo", 1, on_claim("nas")), &there, &[checked(conformance, in_use)]);
        let found = problems.volumes.first().map(|problem| problem.reason);
        let what = format!("{conformance:?} {in_use}");
        assert_eq!((found, problems.block(), problems.hold_disks()), (reason, blocks, holds), "{what}");
    }
}
