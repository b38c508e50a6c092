//! Objects that ask for what cannot be: each gets a refusal or a condition that says what to do, and no data is
//! touched. What one object decides by itself is tried in the table of admission cases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::time::Duration;

use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::noise::noise;
use internet_disk_e2e::objects::{self, Condition, Objects};
use internet_disk_e2e::people::{Person, fresh_name};
use internet_disk_e2e::settings::NAMESPACE;
use internet_disk_e2e::wait;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

const MIB: u64 = 1 << 20;
const LIMIT: Duration = Duration::from_secs(60);

/// The condition that is not as it should be, once its message says `word`.
async fn complaint(api: &Objects, name: &str, kind: &str, word: &str) -> Condition {
    let (found, _) = wait::until(&format!("{name} complains of {word}"), LIMIT, async || {
        let object = api.get(name).await?;
        let found = objects::condition(&object, kind)
            .filter(|one| one.status == "False" && one.message.contains(word));
        found.map(Some).ok_or_else(|| anyhow::anyhow!("{}", object.data["status"]["conditions"]))
    })
    .await
    .unwrap();
    println!("{name}: {}: {}", found.reason, found.message);
    found
}

fn member(group: &str) -> Value {
    json!({ "clusterRef": { "name": "demo" }, "quota": "10Mi", "allocations": [{ "group": group, "size": "1Mi" }] })
}

#[tokio::test]
async fn giving_to_a_group_that_is_not_there_or_closed() {
    let demo = Demo::find().await.unwrap();
    let (members, groups) = (demo.cluster.members(), demo.cluster.groups());
    let nowhere = fresh_name("nowhere");
    objects::create(&members, &nowhere, member("no-such-group")).await.unwrap();
    complaint(&members, &nowhere, "AllocationsEffective", "no-such-group").await;

    let (closed, stranger) = (fresh_name("closed"), fresh_name("stranger"));
    let spec = json!({ "clusterRef": { "name": "demo" }, "members": [{ "name": "alice", "role": "Owner" }] });
    objects::create(&groups, &closed, spec).await.unwrap();
    objects::create(&members, &stranger, member(&closed)).await.unwrap();
    complaint(&members, &stranger, "AllocationsEffective", &closed).await;
    assert_eq!(
        groups.get(&closed).await.unwrap().data["status"]["participants"].as_u64().unwrap_or_default(),
        0
    );

    for name in [&nowhere, &stranger] {
        objects::delete(&members, name).await.unwrap();
    }
    objects::delete(&groups, &closed).await.unwrap();
}

#[tokio::test]
async fn a_quota_under_what_is_used_refuses_growth_and_deletes_nothing() {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, "shrunk", "20Mi").await.unwrap();
    let session = person.sign_in(&demo.settings).await.unwrap();
    let disk = session.disk(&session.own_space().await.unwrap()).await.unwrap();
    let content = noise(5, 12 << 20);
    disk.put("a", content.clone()).await.unwrap().expect(201).unwrap();

    let members = demo.cluster.members();
    objects::merge(&members, &person.name, json!({ "spec": { "quota": "8Mi" } })).await.unwrap();
    wait::until("the quota is in force", LIMIT, async || {
        Ok((disk.usage().await?.limit == 8 * MIB).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(disk.put("b", "one more".into()).await.unwrap().problem().unwrap(), "quota-exceeded");
    assert_eq!(disk.hash("a", None).await.unwrap().1, blake3::hash(&content), "what is there stays");
    complaint(&members, &person.name, "WithinQuota", "").await;
    disk.delete("a").await.unwrap().expect(200).unwrap();
    disk.put("b", "one more".into()).await.unwrap().expect(201).unwrap();
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn what_is_used_cannot_be_lent() {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, "lender", "10Mi").await.unwrap();
    let session = person.sign_in(&demo.settings).await.unwrap();
    let own = session.disk(&session.own_space().await.unwrap()).await.unwrap();
    own.put("a", noise(6, 8 << 20)).await.unwrap().expect(201).unwrap();

    let (members, groups) = (demo.cluster.members(), demo.cluster.groups());
    let group = fresh_name("lent");
    let spec =
        json!({ "clusterRef": { "name": "demo" }, "members": [{ "name": person.name, "role": "Owner" }] });
    objects::create(&groups, &group, spec).await.unwrap();
    let gives = json!({ "spec": { "allocations": [{ "group": group, "size": "5Mi" }] } });
    objects::merge(&members, &person.name, gives).await.unwrap();
    complaint(&members, &person.name, "AllocationsEffective", &group).await;
    // Whatever the group got, both limits together are no more than the quota. What a pod says of a limit may be as old
    // as reads may be, so it is asked until it has looked again.
    wait::until("what the group got is missing from the own disk", LIMIT, async || {
        let shown = session.group(&group).await?;
        let capacity = shown.and_then(|group| group["capacity"].as_u64()).unwrap_or_default();
        Ok((capacity == 2 * MIB && own.usage().await?.limit == 8 * MIB).then_some(()))
    })
    .await
    .unwrap();

    own.delete("a").await.unwrap().expect(200).unwrap();
    wait::until("all of it is lent", LIMIT, async || {
        Ok(session.group(&group).await?.filter(|group| group["capacity"] == 5 * MIB))
    })
    .await
    .unwrap();
    objects::merge(&members, &person.name, json!({ "spec": { "allocations": null } })).await.unwrap();
    objects::delete(&groups, &group).await.unwrap();
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn what_others_rely_on_is_not_deleted_by_mistake() {
    let demo = Demo::find().await.unwrap();
    let gone = async |api: Objects, name: &str| {
        let refused = objects::refusal(api.delete(name, &DeleteParams::default()).await).unwrap();
        println!("{name}: {refused}");
        refused
    };
    assert!(gone(demo.cluster.members(), "alice").await.contains("design"), "names the group");
    assert!(gone(demo.cluster.groups(), "design").await.contains("participants"), "names the participants");
    assert!(gone(demo.cluster.disk_clusters(), "demo").await.contains("members"), "names the members");
}

fn claim(name: &str, mode: &str, class: &str) -> PersistentVolumeClaim {
    let claim = json!({
        "metadata": { "name": name },
        "spec": { "accessModes": [mode], "storageClassName": class, "resources": { "requests": { "storage": "1Gi" } } },
    });
    serde_json::from_value(claim).unwrap()
}

#[tokio::test]
async fn claims_that_cannot_carry_a_disk() {
    let demo = Demo::find().await.unwrap();
    let clusters = demo.cluster.disk_clusters();
    let claims = demo.cluster.core::<PersistentVolumeClaim>();

    let taken = json!({ "volumes": [{ "name": "main", "existingClaim": { "name": "demo-main" } }] });
    let refused = objects::refusal(objects::create(&clusters, &fresh_name("taken"), taken).await).unwrap();
    println!("{refused}");
    assert!(refused.contains("demo-main") && refused.contains("demo"), "{refused}");

    let (once, never) = (fresh_name("once"), fresh_name("never"));
    for (name, mode) in [(&once, "ReadWriteOnce"), (&never, "ReadWriteMany")] {
        claims.create(&PostParams::default(), &claim(name, mode, "no-such-class")).await.unwrap();
        let spec = json!({ "volumes": [{ "name": "main", "existingClaim": { "name": name } }], "disk": { "replicas": 1 }, "web": { "replicas": 1 } });
        objects::create(&clusters, name, spec).await.unwrap();
    }
    complaint(&clusters, &once, "VolumesReady", "ReadWriteMany").await;
    complaint(&clusters, &never, "VolumesReady", &never).await;
    let (ready, _) = objects::holds(&clusters, &once, "Ready", "False", LIMIT).await.unwrap();
    println!("{once}: {}", ready.message);
    for name in [&once, &never] {
        objects::delete(&clusters, name).await.unwrap();
        assert!(claims.get_opt(name).await.unwrap().is_some(), "the claim stays");
        claims.delete(name, &DeleteParams::default()).await.unwrap();
    }
}

#[tokio::test]
async fn a_volume_that_does_not_do_what_is_needed() {
    let demo = Demo::find().await.unwrap();
    let clusters = demo.cluster.disk_clusters();
    let claims = demo.cluster.core::<PersistentVolumeClaim>();
    let sets = demo.cluster.core::<StatefulSet>();
    let volumes: Api<PersistentVolume> = Api::all(demo.cluster.client.clone());
    // The kubelet makes such a directory as root: the user of the disk servers can not write to it.
    let name = fresh_name("unfit");
    let volume: PersistentVolume = serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": {
            "storageClassName": "shared", "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": { "namespace": NAMESPACE, "name": name },
            "hostPath": { "path": format!("/tmp/internet-disk-{name}"), "type": "DirectoryOrCreate" },
        },
    }))
    .unwrap();
    volumes.create(&PostParams::default(), &volume).await.unwrap();
    claims.create(&PostParams::default(), &claim(&name, "ReadWriteMany", "shared")).await.unwrap();
    let spec = json!({
        "volumes": [{ "name": "main", "existingClaim": { "name": name } }],
        "disk": { "replicas": 1 }, "web": { "replicas": 1 },
    });
    objects::create(&clusters, &name, spec).await.unwrap();
    let found = complaint(&clusters, &name, "VolumesReady", "user 65532 of group").await;
    assert_eq!(found.reason, "VolumeUnsuitable");
    assert!(
        sets.get_opt(&format!("{name}-disk")).await.unwrap().is_none(),
        "no disk server is started on it"
    );
    objects::delete(&clusters, &name).await.unwrap();
    claims.delete(&name, &DeleteParams::default()).await.unwrap();
    volumes.delete(&name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn a_member_of_a_cluster_that_is_not_there() {
    let demo = Demo::find().await.unwrap();
    let name = fresh_name("lost");
    let members = demo.cluster.members();
    objects::create(&members, &name, json!({ "clusterRef": { "name": "no-such-cluster" }, "quota": "1Mi" }))
        .await
        .unwrap();
    complaint(&members, &name, "Ready", "no-such-cluster").await;
    objects::delete(&members, &name).await.unwrap();
}
