use api::keys::VerifyingKey;
use api::kubernetes::DiskCluster;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

/// A key that is the same in every snapshot.
const TRUST: &str = "k4.public.HrnbTzm_bIDPWtJ4hJzS1sWs_BFkAAu16hm-UAdgfzY";

fn around() -> Surroundings {
    Surroundings {
        uid: ClusterUid(Uuid::from_u128(0x1111)),
        trust: VerifyingKey::from_paserk(TRUST).unwrap(),
        image_registry: "registry.localhost/internet-disk".to_owned(),
        image_version: "1.2.3".to_owned(),
        operator_namespace: "internetdisk-system".to_owned(),
        claims: Vec::new(),
    }
}

fn demo() -> DiskCluster {
    let text = include_str!("../../../../examples/disk-cluster.yaml");
    let mut cluster: DiskCluster = serde_yaml::from_str(text).unwrap();
    cluster.metadata.uid = Some(around().uid.to_string());
    cluster
}

/// As JSON, with the lists of shards cut short: they differ in their numbers alone.
fn shown(objects: impl Serialize) -> Value {
    fn cut(value: &mut Value) {
        match value {
            Value::Array(items) if items.len() >= 32 => {
                let left_out = items.len() - 3;
                let last = items.pop().unwrap_or_default();
                items.truncate(2);
                items.push(json!(format!("… {left_out} more …")));
                items.push(last);
                items.iter_mut().for_each(cut);
            }
            Value::Array(items) => items.iter_mut().for_each(cut),
            Value::Object(fields) => fields.values_mut().for_each(cut),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(objects).unwrap();
    cut(&mut value);
    value
}

/// Snapshots show fields in an order of their own, so that a change of a library's order is no change.
macro_rules! snapshots {
    ($desired:expr, $prefix:literal) => {
        let Desired {
            accounts,
            roles,
            bindings,
            network_policies,
            claims,
            services,
            app_passwords,
            disruption_budgets,
            disk,
            web,
        } = $desired;
        insta::assert_json_snapshot!(concat!($prefix, "-accounts"), shown(accounts));
        insta::assert_json_snapshot!(concat!($prefix, "-roles"), shown(roles));
        insta::assert_json_snapshot!(concat!($prefix, "-bindings"), shown(bindings));
        insta::assert_json_snapshot!(concat!($prefix, "-network-policies"), shown(network_policies));
        insta::assert_json_snapshot!(concat!($prefix, "-claims"), shown(claims));
        insta::assert_json_snapshot!(concat!($prefix, "-services"), shown(services));
        insta::assert_json_snapshot!(concat!($prefix, "-app-passwords"), shown(app_passwords));
        insta::assert_json_snapshot!(concat!($prefix, "-disruption-budgets"), shown(disruption_budgets));
        insta::assert_json_snapshot!(concat!($prefix, "-disk"), shown(disk));
        insta::assert_json_snapshot!(concat!($prefix, "-web"), shown(web));
    };
}

#[test]
fn the_example() {
    snapshots!(build(&demo(), &around(), &[]), "demo");
}

#[test]
fn secrets_and_authorities_of_providers_are_mounted_and_newcomers_may_be_made() {
    let mut cluster = demo();
    cluster.spec.sign_in.oidc = serde_json::from_value(json!([
        { "name": "corp", "issuerURL": "https://id.example.org", "clientID": "disk", "newMembers": "Create",
            "clientSecretRef": { "name": "corp-client" }, "caBundleRef": { "name": "corp-ca", "key": "pem" } },
        { "name": "public", "issuerURL": "https://id.example.com", "clientID": "disk" },
    ]))
    .unwrap();
    let Desired { web, roles, .. } = build(&cluster, &around(), &[]);
    let pod = web.spec.unwrap().template.spec.unwrap();
    let volume = pod.volumes.unwrap().into_iter().find(|volume| volume.name == "providers").unwrap();
    let expected = json!([
        { "secret": { "name": "corp-client", "optional": true,
            "items": [{ "key": "clientSecret", "path": "corp/clientSecret" }] } },
        { "configMap": { "name": "corp-ca", "optional": true, "items": [{ "key": "pem", "path": "corp/ca.crt" }] } },
    ]);
    assert_eq!(serde_json::to_value(volume.projected.unwrap().sources).unwrap(), expected);
    let arguments = pod.containers[0].args.clone().unwrap();
    assert!(arguments.contains(&"--providers=/etc/internet-disk/providers".to_owned()), "{arguments:?}");
    let makes_members = |roles: &[k8s_openapi::api::rbac::v1::Role]| {
        let rules = roles.iter().flat_map(|role| role.rules.iter().flatten());
        rules
            .filter(|rule| rule.verbs.contains(&"create".to_owned()))
            .any(|rule| rule.resources.iter().flatten().any(|resource| resource == "members"))
    };
    assert!(makes_members(&roles));
    cluster.spec.sign_in.oidc.iter_mut().for_each(|one| one.new_members = Default::default());
    assert!(!makes_members(&build(&cluster, &around(), &[]).roles), "a right that nobody needs");
}

#[test]
fn everything_a_disk_cluster_can_ask_for() {
    let cluster: DiskCluster = serde_json::from_value(json!({
        "apiVersion": "internetdisk.dev/v1alpha1", "kind": "DiskCluster",
        "metadata": {
            "name": "full", "namespace": "disk", "uid": around().uid,
            "annotations": { "internetdisk.dev/fault-injection": "enabled" },
        },
        "spec": {
            "volumes": [
                {
                    "name": "new",
                    "template": {
                        "size": "1.5Ti", "storageClassName": "shared", "volumeAttributesClassName": "fast",
                        "dataSourceRef": { "apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "last" },
                        "labels": { "backup": "daily" }, "annotations": { "note": "ours" },
                    },
                },
                { "name": "old", "state": "Cordoned", "existingClaim": { "name": "nas" } },
            ],
            "adoptClusterUID": Uuid::from_u128(0x2222),
            "disk": {
                "replicas": 1,
                "exposure": {
                    "type": "LoadBalancer", "domain": "files.example.org",
                    "loadBalancer": { "className": "metal", "annotations": { "pool": "a" }, "sourceRanges": ["10.0.0.0/8"] },
                },
                "pods": {
                    "metadata": { "labels": { "team": "storage" }, "annotations": { "note": "disk" } },
                    "resources": { "requests": { "memory": "1Gi" }, "limits": { "memory": "2Gi" } },
                    "nodeSelector": { "storage": "yes" },
                    "tolerations": [{ "key": "storage", "operator": "Exists" }],
                    "priorityClassName": "high", "runtimeClassName": "gvisor",
                    "securityContext": { "runAsUser": 1000, "runAsGroup": 1001, "fsGroup": 1002, "supplementalGroups": [5] },
                    "terminationGracePeriodSeconds": 60,
                },
            },
            "web": {
                "replicas": 1,
                "exposure": { "type": "NodePort", "nodePort": { "port": 30080 } },
                "probeIntervalMilliseconds": 200,
            },
            "images": {
                "version": "2.0.0", "registry": "registry.example.org/disk", "pullPolicy": "Always",
                "pullSecrets": [{ "name": "pull" }],
            },
            "logging": { "level": "Debug", "format": "Text" },
            "networkPolicy": "Disabled",
        },
    }))
    .unwrap();
    let mut around = around();
    around.claims = vec![("full-new".to_owned(), api::bytes::Bytes(2 << 40))];
    snapshots!(build(&cluster, &around, &[3]), "full");
}

#[test]
fn a_disk_that_is_off_runs_no_pods_and_keeps_its_claims() {
    let mut cluster = demo();
    cluster.spec.service.mode = ServiceMode::Offline;
    let off = build(&cluster, &around(), &[0, 1]);
    assert_eq!(off.disk.spec.unwrap().replicas, Some(0));
    assert_eq!(off.web.spec.unwrap().replicas, Some(0));
    assert_eq!(off.claims.len(), 1);
    let names: Vec<String> = off.services.iter().map(ResourceExt::name_any).collect();
    assert_eq!(
        names,
        ["demo-web", "demo-disk", "demo-disk-pods", "demo-web-internal", "demo-disk-0", "demo-disk-1"]
    );
}

#[test]
fn a_claim_has_no_owner_and_never_shrinks() {
    let desired = build(&demo(), &around(), &[]);
    assert!(desired.claims.iter().all(|claim| claim.owner_references().is_empty()));
    for (there, asked) in [(1 << 30, "20Gi"), (20 << 30, "20Gi"), (30 << 30, "30Gi")] {
        let mut around = around();
        around.claims = vec![("demo-main".to_owned(), api::bytes::Bytes(there))];
        let claim = build(&demo(), &around, &[]).claims.remove(0);
        let requests = claim.spec.unwrap().resources.unwrap().requests.unwrap();
        assert_eq!(requests["storage"].0, asked);
    }
}

#[test]
fn everything_else_goes_with_the_disk_cluster() {
    let Desired {
        accounts,
        roles,
        bindings,
        network_policies,
        claims: _,
        services,
        app_passwords,
        disruption_budgets,
        disk,
        web,
    } = build(&demo(), &around(), &[]);
    let mut owners = Vec::new();
    owners.extend(accounts.iter().map(|one| one.owner_references().to_vec()));
    owners.extend(roles.iter().map(|one| one.owner_references().to_vec()));
    owners.extend(bindings.iter().map(|one| one.owner_references().to_vec()));
    owners.extend(network_policies.iter().map(|one| one.owner_references().to_vec()));
    owners.extend(services.iter().map(|one| one.owner_references().to_vec()));
    owners.extend(app_passwords.iter().map(|one| one.owner_references().to_vec()));
    owners.extend(disruption_budgets.iter().map(|one| one.owner_references().to_vec()));
    owners.push(disk.owner_references().to_vec());
    owners.push(web.owner_references().to_vec());
    for owner in owners {
        assert_eq!(owner.len(), 1);
        assert_eq!((owner[0].kind.as_str(), owner[0].name.as_str()), ("DiskCluster", "demo"));
    }
}

#[test]
fn the_pods_that_try_out_a_volume() {
    let mut cluster = demo();
    cluster.spec.adopt_cluster_uid = Some("6c0e4a3e-0000-4000-8000-000000000000".to_owned());
    let volume = cluster.spec.volumes[0].clone();
    let pods = check_pods(&cluster, &around(), &volume, "what", "attempt");
    assert_eq!(pods.len(), 2);
    let difference = |pod: &k8s_openapi::api::core::v1::Pod| {
        let text = serde_json::to_string(pod).unwrap();
        text.replace("main-2", "main-1").replace("2/2", "1/2")
    };
    assert_eq!(difference(&pods[0]), difference(&pods[1]));
    insta::assert_json_snapshot!("demo-check", shown(&pods[0]));
}
