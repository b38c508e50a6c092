//! Groups and what is given to them: a part of a quota goes to a group, is used there by all, and comes back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::time::Duration;

use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::noise::noise;
use internet_disk_e2e::objects;
use internet_disk_e2e::people::Person;
use internet_disk_e2e::wait;
use internet_disk_e2e::web::Session;
use serde_json::{Value, json};

const MIB: u64 = 1 << 20;
const LIMIT: Duration = Duration::from_secs(20);

async fn capacity(session: &Session, group: &str, bytes: u64) -> (Value, Duration) {
    wait::until(&format!("group {group} holds {bytes} bytes"), LIMIT, async || {
        let group = session.group(group).await?;
        Ok(group.filter(|group| group["capacity"] == bytes))
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_group_is_made_funded_by_two_used_and_funded_no_more() {
    let demo = Demo::find().await.unwrap();
    let founder = Person::create(&demo.cluster, "founder", "100Mi").await.unwrap();
    let friend = Person::create(&demo.cluster, "friend", "100Mi").await.unwrap();
    let (one, two) =
        (founder.sign_in(&demo.settings).await.unwrap(), friend.sign_in(&demo.settings).await.unwrap());

    let made = one.create_group("A test group", "Open", 30 * MIB).await.unwrap();
    assert!(made.status.is_success(), "{made:?}");
    let name = made.json().unwrap()["name"].as_str().unwrap().to_owned();
    let (group, took) = capacity(&one, &name, 30 * MIB).await;
    println!("a group made on the page holds what its founder gave after {took:?}");
    assert_eq!((&group["role"], &group["displayName"]), (&json!("Owner"), &json!("A test group")), "{group}");

    let joined = two.allocate(&name, 20 * MIB).await.unwrap();
    assert!(joined.status.is_success(), "{joined:?}");
    let (group, took) = capacity(&two, &name, 50 * MIB).await;
    println!("and what the second gave after {took:?}");

    // What one member puts in, the other reads; together they may use all of it and no more.
    let space = group["space"].as_str().unwrap().to_owned();
    let (ours, theirs) = (one.disk(&space).await.unwrap(), two.disk(&space).await.unwrap());
    let content = noise(3, 40 << 20);
    ours.put("shared.bin", content.clone()).await.unwrap().expect(201).unwrap();
    let seen =
        wait::until("the other sees it", LIMIT, async || theirs.hash("shared.bin", None).await.map(Some))
            .await
            .unwrap()
            .0;
    assert_eq!(seen.1, blake3::hash(&content));
    let over = theirs.put("over.bin", noise(4, 11 << 20)).await.unwrap();
    assert_eq!(over.problem().unwrap(), "quota-exceeded");

    // The giver's own disk is smaller by what was given.
    let own = two.disk(&two.own_space().await.unwrap()).await.unwrap();
    wait::until("the own disk is smaller", LIMIT, async || {
        Ok((own.usage().await?.limit == 80 * MIB).then_some(()))
    })
    .await
    .unwrap();

    // What is used does not come back; what is free does.
    let lowered = two.allocate(&name, 0).await.unwrap();
    assert!(lowered.status.is_success(), "{lowered:?}");
    let (_, took) = capacity(&two, &name, 40 * MIB).await;
    println!("what the group does not use came back after {took:?}");
    wait::until("half of it is back", LIMIT, async || {
        Ok((own.usage().await?.limit == 90 * MIB).then_some(()))
    })
    .await
    .unwrap();
    let groups = demo.cluster.groups();
    let members = demo.cluster.members();
    let told = members.get(&friend.name).await.unwrap();
    println!("the giver's status meanwhile: {}", told.data["status"]["conditions"]);

    ours.delete("shared.bin").await.unwrap().expect(200).unwrap();
    let (_, took) = wait::until("the rest comes back", Duration::from_secs(60), async || {
        Ok((own.usage().await?.limit == 100 * MIB).then_some(()))
    })
    .await
    .unwrap();
    println!("and the rest, after the files were deleted, after {took:?}");

    one.leave(&name).await.unwrap();
    objects::delete(&groups, &name).await.unwrap();
    founder.remove(&demo.cluster).await.unwrap();
    friend.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn a_changed_quota_is_in_force_in_two_seconds() {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, "quota", "10Mi").await.unwrap();
    let session = person.sign_in(&demo.settings).await.unwrap();
    let disk = session.disk(&session.own_space().await.unwrap()).await.unwrap();
    assert_eq!(disk.put("a", noise(1, 11 << 20)).await.unwrap().problem().unwrap(), "quota-exceeded");

    let mut times = Vec::new();
    for (quota, mebibytes) in [("20Mi", 20), ("15Mi", 15), ("40Mi", 40)] {
        let patch = json!({ "spec": { "quota": quota } });
        objects::merge(&demo.cluster.members(), &person.name, patch).await.unwrap();
        let (_, took) = wait::until("the quota is in force", LIMIT, async || {
            Ok((disk.usage().await?.limit == mebibytes * MIB).then_some(()))
        })
        .await
        .unwrap();
        times.push(took);
    }
    println!("a changed quota was in force after {times:?}");
    disk.put("a", noise(1, 11 << 20)).await.unwrap().expect(201).unwrap();
    assert!(times.iter().all(|took| *took < Duration::from_secs(2)), "{times:?}");
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn a_request_waits_until_an_owner_admits() {
    let demo = Demo::find().await.unwrap();
    let owner = Person::create(&demo.cluster, "owner", "100Mi").await.unwrap();
    let asker = Person::create(&demo.cluster, "asker", "100Mi").await.unwrap();
    let name = internet_disk_e2e::people::fresh_name("onrequest");
    let groups = demo.cluster.groups();
    let spec = json!({
        "clusterRef": { "name": "demo" },
        "joining": { "policy": "OnRequest" },
        "members": [{ "name": owner.name, "role": "Owner" }],
    });
    objects::create(&groups, &name, spec).await.unwrap();
    let (one, two) =
        (owner.sign_in(&demo.settings).await.unwrap(), asker.sign_in(&demo.settings).await.unwrap());
    wait::until("the owner may give", LIMIT, async || {
        Ok(one.allocate(&name, 10 * MIB).await?.status.is_success().then_some(()))
    })
    .await
    .unwrap();
    capacity(&one, &name, 10 * MIB).await;

    objects::merge(
        &demo.cluster.members(),
        &asker.name,
        json!({ "spec": { "allocations": [{ "group": name, "size": "10Mi" }] } }),
    )
    .await
    .unwrap();
    wait::until("the owner sees the request", LIMIT, async || {
        let group = one.group(&name).await?.unwrap_or_default();
        let requests = group["requests"].as_array().cloned().unwrap_or_default();
        Ok(requests.iter().any(|request| request["name"] == asker.name.as_str()).then_some(()))
    })
    .await
    .unwrap();
    assert!(two.group(&name).await.unwrap().is_none(), "who asked is not in");

    let admitted = json!({ "spec": { "members": [{ "name": owner.name, "role": "Owner" }, { "name": asker.name, "role": "Viewer" }] } });
    objects::merge(&groups, &name, admitted).await.unwrap();
    let (group, _) = capacity(&two, &name, 20 * MIB).await;
    assert_eq!(group["role"], "Viewer");
    let disk = two.disk(group["space"].as_str().unwrap()).await.unwrap();
    let refused = disk.put("a", "x".into()).await.unwrap();
    assert_eq!(refused.status, 403, "a viewer does not write: {refused:?}");

    let members = demo.cluster.members();
    for person in [&owner, &asker] {
        objects::merge(&members, &person.name, json!({ "spec": { "allocations": null } })).await.unwrap();
    }
    objects::delete(&groups, &name).await.unwrap();
    owner.remove(&demo.cluster).await.unwrap();
    asker.remove(&demo.cluster).await.unwrap();
}
