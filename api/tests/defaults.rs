//! What an object says by saying nothing is the same for the API server, which fills defaults in from the schema, and
//! for our programs, which fill them in from the types.
#![cfg(feature = "kubernetes")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test: all of it

use internet_disk_api::kubernetes::{DiskCluster, DiskClusterSpec, Group, Member, Quantity, crd};
use serde::Deserialize;
use serde_json::{Value, json};

fn schema(kind: &str) -> Value {
    let documents = crd::documents().unwrap();
    let mut objects = documents.iter().flat_map(|document| &document.objects);
    let definition = objects.find(|object| object["spec"]["names"]["kind"] == kind).unwrap();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// As the API server does.
fn fill_in(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if !fields.contains_key(name)
                    && let Some(default) = property.get("default")
                {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(field) = fields.get_mut(name) {
                    fill_in(property, field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill_in(&schema["items"], item)),
        _ => {}
    }
}

fn same<K>(kind: &str, spec: Value)
where
    K: kube::Resource + serde::Serialize + serde::de::DeserializeOwned,
{
    let object = json!({
        "apiVersion": "internetdisk.dev/v1alpha1", "kind": kind, "metadata": { "name": "some" }, "spec": spec,
    });
    let ours = serde_json::to_value(serde_json::from_value::<K>(object.clone()).unwrap()).unwrap();
    let mut theirs = object;
    fill_in(&schema(kind), &mut theirs);
    assert_eq!(ours["spec"], theirs["spec"], "{kind}");
}

#[test]
fn defaults_of_types_are_those_of_schemas() {
    same::<Member>("Member", json!({ "clusterRef": { "name": "demo" }, "quota": "1Gi" }));
    same::<Group>(
        "Group",
        json!({ "clusterRef": { "name": "demo" }, "joining": {}, "members": [{ "name": "alice" }] }),
    );
    same::<DiskCluster>("DiskCluster", json!({ "volumes": [{ "name": "main" }] }));
    same::<DiskCluster>(
        "DiskCluster",
        json!({
            "volumes": [{ "name": "main", "template": { "size": "1Gi" }, "expansion": {} }],
            "disk": {
                "autoscaling": { "maxReplicas": 5 },
                "exposure": { "gateway": { "parentRefs": [{ "name": "public" }] }, "tls": { "issuerRef": { "name": "ca" } } },
                "pods": { "securityContext": {} },
                "protocols": {},
            },
            "web": { "exposure": { "loadBalancer": {} } },
            "signIn": {
                "passwords": {}, "appPasswords": {}, "registration": {}, "newMembers": { "quota": "1Gi" }, "sessions": {},
                "oidc": [{ "name": "corp", "issuerURL": "https://id.example.org", "clientID": "disk", "claimMappings": {} }],
            },
            "policies": {
                "trash": {}, "versions": {}, "history": {}, "uploads": {}, "shares": {}, "groups": {},
            },
            "images": {}, "service": {}, "monitoring": {}, "logging": {},
        }),
    );
}

#[test]
fn the_examples_are_of_the_types() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples");
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for document in serde_yaml::Deserializer::from_str(&text) {
            let object = Value::deserialize(document).unwrap();
            let Some(kind) = object["kind"].as_str() else { continue };
            match kind {
                "DiskCluster" => drop(serde_json::from_value::<DiskCluster>(object.clone()).unwrap()),
                "Member" => drop(serde_json::from_value::<Member>(object.clone()).unwrap()),
                "Group" => drop(serde_json::from_value::<Group>(object.clone()).unwrap()),
                _ => continue,
            }
            seen.push(kind.to_owned());
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, ["DiskCluster", "Group", "Member", "Member", "Member"]);
}

#[test]
fn an_object_with_an_impossible_quantity_can_be_read() {
    let member: Member = serde_json::from_value(json!({
        "apiVersion": "internetdisk.dev/v1alpha1", "kind": "Member", "metadata": { "name": "some" },
        "spec": { "clusterRef": { "name": "demo" }, "quota": "ten gigs" },
    }))
    .unwrap();
    assert_eq!(member.spec.quota, Quantity("ten gigs".to_owned()));
    let told = member.spec.quota.bytes().unwrap_err().to_string();
    assert!(told.contains("ten gigs") && told.contains("such as 10Gi"), "{told}");
}

#[test]
fn quantities_are_written_short_and_read_as_written() {
    for (text, bytes, written) in [
        ("0", 0, "0"),
        ("1Ki", 1024, "1Ki"),
        ("1k", 1000, "1000"),
        ("1.5Gi", 1_610_612_736, "1536Mi"),
        ("1024Mi", 1 << 30, "1Gi"),
        ("4Pi", 4 << 50, "4Pi"),
        ("1e3", 1000, "1000"),
    ] {
        let quantity = Quantity(text.to_owned());
        let read = quantity.bytes().unwrap();
        assert_eq!((read.0, Quantity::from(read).0.as_str()), (bytes, written), "{text}");
        assert_eq!(quantity.to_string(), text);
    }
    for text in ["", "-1", "1.5", "0.1Gi", "100m", "16Ei1", "1 Gi", "Gi", "1gi"] {
        assert!(Quantity(text.to_owned()).bytes().is_err(), "{text:?}");
    }
}

#[test]
fn a_status_says_nothing_that_it_does_not_know() {
    let spec: DiskClusterSpec = serde_json::from_value(json!({ "volumes": [] })).unwrap();
    let mut cluster = DiskCluster::new("some", spec);
    cluster.status = Some(Default::default());
    assert_eq!(serde_json::to_value(cluster).unwrap()["status"], json!({}));
}
