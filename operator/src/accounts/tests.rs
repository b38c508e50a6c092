//! Rounds against an API server and disk pods in miniature.

mod api_server;
mod volume;
mod world;

use std::time::Instant;

use api::ids::{ClusterUid, SpaceId};
use api::keys::{SigningKey, Trust};
use serde_json::{Value, json};

use crate::controller::Key;
use api_server::uid_of;
use volume::{Space, Volume};
use world::{MIB, World};

/// Two members fund a group, and a third asks to join.
async fn funded() -> World {
    let mut world = World::new().await;
    world.group(
        "design",
        json!({
            "displayName": "Design team",
            "joining": { "policy": "OnRequest", "minimumContribution": "1Mi" },
            "members": [{ "name": "alice", "role": "Owner" }, { "name": "bob" }],
        }),
    );
    for (name, size) in [("alice", "20Mi"), ("bob", "10Mi"), ("carol", "5Mi")] {
        world.member(name, json!({ "quota": "60Mi", "allocations": [{ "group": "design", "size": size }] }));
    }
    world.settle().await;
    world
}

/// Without the times, which are of today.
fn timeless(mut status: Value) -> Value {
    for condition in status["conditions"].as_array_mut().unwrap() {
        condition.as_object_mut().unwrap().remove("lastTransitionTime");
    }
    status
}

#[tokio::test]
async fn members_fund_a_group() {
    let world = funded().await;
    let limits = ["alice", "bob", "carol", "design"].map(|name| world.limit(name) / MIB);
    assert_eq!(limits, [40, 50, 60, 30]);
    insta::assert_json_snapshot!("member", timeless(world.status("members", "alice")));
    insta::assert_json_snapshot!("asking_member", timeless(world.status("members", "carol")));
    insta::assert_json_snapshot!("group", timeless(world.status("groups", "design")));

    let roster = world.roster();
    let design = roster.group_by_name("design").unwrap();
    assert_eq!((design.capacity.0, design.participants.len(), design.requests.len()), (30 * MIB, 2, 1));
    assert_eq!(roster.member_by_name("alice").unwrap().limit.0, 40 * MIB);
    let writes = |what| world.writes(what);
    assert_eq!((writes("members/status"), writes("groups/status")), (3, 1), "one status each");
    assert_eq!((writes("members"), writes("groups")), (3, 1), "and one finalizer");
}

#[tokio::test]
async fn nothing_is_written_when_nothing_changes_and_by_the_next_leader_its_term_alone() {
    let mut world = funded().await;
    world.forget_writes();
    world.settle().await;
    assert!(world.api.lock().writes.is_empty(), "{:?}", world.api.lock().writes);
    let before = world.roster().generation();
    let before_term = world.status("members", "alice")["term"].clone();
    world.restart();
    world.settle().await;
    let writes = world.api.lock().writes.clone();
    let counts: Vec<_> = writes.iter().map(|(what, times)| (what.as_str(), *times)).collect();
    assert_eq!(counts, [("configmaps", 1), ("members/status", 3)], "generations are reserved, terms begin");
    let terms = ["alice", "bob", "carol"].map(|name| world.status("members", name)["term"].clone());
    assert!(terms.iter().all(|term| *term == terms[0] && term.as_i64() > before_term.as_i64()), "{terms:?}");
    assert_eq!(world.roster().generation(), before);
}

#[tokio::test]
async fn what_is_in_use_comes_back_when_it_is_free() {
    let mut world = funded().await;
    world.fill("design", 25 * MIB);
    world.member("bob", json!({ "quota": "60Mi", "allocations": [{ "group": "design", "size": "0" }] }));
    // Too little to take part; of ten, five are free.
    world.until("five came back", |world| world.limit("bob") == 55 * MIB).await;
    assert_eq!(world.limit("design"), 25 * MIB);
    let (status, reason, message) = world.condition("members", "bob", "AllocationsEffective");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "NotAdmitted"), "{message}");
    assert!(message.contains("5 MiB") && message.contains("design"), "{message}");
    world.fill("design", 0);
    world.until("all came back", |world| world.limit("bob") == 60 * MIB).await;
    assert_eq!(world.limit("design"), 20 * MIB);
}

#[tokio::test]
async fn a_quota_below_the_use_is_in_force_and_said() {
    let mut world = funded().await;
    world.fill("carol", 50 * MIB);
    world.member("carol", json!({ "quota": "10Mi" }));
    world.settle().await;
    assert_eq!(world.limit("carol"), 10 * MIB);
    let (status, _, message) = world.condition("members", "carol", "WithinQuota");
    assert_eq!(status, "False");
    assert!(message.contains("50 MiB") && message.contains("10 MiB"), "{message}");
    assert!(world.is_ready("members", "carol"));
}

#[tokio::test]
async fn what_is_used_cannot_be_lent() {
    let mut world = World::new().await;
    world.fill("alice", 8 * MIB);
    world.group("design", json!({ "members": [{ "name": "alice", "role": "Owner" }] }));
    world.member("alice", json!({ "quota": "10Mi", "allocations": [{ "group": "design", "size": "5Mi" }] }));
    world.settle().await;
    assert_eq!((world.limit("alice"), world.limit("design")), (8 * MIB, 2 * MIB));
    let (status, reason, message) = world.condition("members", "alice", "AllocationsEffective");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "PartlyGranted"), "{message}");
    world.fill("alice", 0);
    world.until("all is lent", |world| world.limit("design") == 5 * MIB).await;
}

#[tokio::test]
async fn app_passwords_are_published_as_web_pods_wrote_them() {
    let mut world = funded().await;
    let shard = roster::shard_of("alice");
    let name = format!("demo-app-passwords-{shard}");
    let one = |last_used: Option<&str>| {
        json!({ "passwords": [{
            "member": uid_of("alice"), "id": uuid::Uuid::from_u128(1), "name": "laptop", "access": "Read",
            "hash": "00".repeat(32), "created": "2026-01-01T00:00:00Z", "lastUsed": last_used,
        }, {
            "member": uuid::Uuid::from_u128(9), "id": uuid::Uuid::from_u128(2), "name": "of nobody", "access": "Read",
            "hash": "00".repeat(32), "created": "2026-01-01T00:00:00Z",
        }] })
    };
    let published = |world: &World| {
        let secret = world.api.get("secrets", &format!("demo-credentials-{shard}"))?;
        let secret: k8s_openapi::api::core::v1::Secret = serde_json::from_value(secret).unwrap();
        serde_json::from_slice::<Value>(&secret.data?.get("credentials.json")?.0).ok()
    };
    let generation = |world: &World| world.roster().index().unwrap().credentials[usize::from(shard)];
    let before = generation(&world);
    world.api.put_app_passwords(&name, &one(None));
    assert_eq!(world.secrets.changed(&Key::new("disk", &name)), [Key::new("disk", "demo")]);
    world.settle().await;
    let apps = published(&world).unwrap()["apps"].clone();
    assert_eq!((apps.as_array().unwrap().len(), &apps[0]["name"]), (1, &json!("laptop")), "{apps}");
    let after = generation(&world);
    assert!(after > before, "every pod hears of it");

    world.forget_writes();
    world.api.put_app_passwords(&name, &one(Some("2026-01-02T00:00:00Z")));
    world.secrets.changed(&Key::new("disk", &name));
    world.settle().await;
    assert_eq!(generation(&world), after, "a use is no change");
    world.api.put_app_passwords(&name, &json!("junk"));
    world.secrets.changed(&Key::new("disk", &name));
    world.settle().await;
    assert_eq!(generation(&world), after, "what cannot be read changes nothing");
    world.restart();
    world.api.put_app_passwords(&name, &json!({ "passwords": [] }));
    world.settle().await;
    assert!(published(&world).unwrap()["apps"].is_null(), "revoked while nobody led");
    assert!(generation(&world) > after);
}

#[tokio::test]
async fn a_missing_secret_is_told_and_cured_and_read_once() {
    let mut world = World::new().await;
    world.member("alice", json!({ "quota": "1Mi", "passwordSecretRef": { "name": "alice-password" } }));
    world.until("it is told", |world| world.condition("members", "alice", "Ready").0 == "False").await;
    let (_, reason, message) = world.condition("members", "alice", "Ready");
    assert_eq!(reason, "SecretNotFound");
    assert!(message.contains("alice-password"), "{message}");
    assert!(world.api.lock().events.iter().any(|event| event.to_string().contains("alice-password")));
    assert_eq!(world.condition("members", "alice", "Stalled").0, "True");

    world.api.put_secret("alice-password", "correct horse");
    world.secrets.changed(&Key::new("disk", "alice-password"));
    world.until("it is read", |world| world.is_ready("members", "alice")).await;
    let shard = roster::shard_of("alice");
    let stored = |world: &World| world.api.get("secrets", &format!("demo-credentials-{shard}")).unwrap();
    let first = stored(&world);
    assert!(!world.status("members", "alice").to_string().contains("argon2"));

    // The next leader hashes nothing anew; another password is another verifier.
    world.restart();
    world.settle().await;
    assert_eq!(stored(&world), first);
    world.api.put_secret("alice-password", "battery staple");
    world.secrets.changed(&Key::new("disk", "alice-password"));
    world.until("it is hashed", |world| stored(world)["data"] != first["data"]).await;
    assert!(world.roster().index().unwrap().credentials[usize::from(shard)].0 > 0);
}

#[tokio::test]
async fn whoever_is_deleted_goes_when_the_disk_is_closed() {
    let mut world = funded().await;
    world.fill("design", 28 * MIB);
    // Not confirmed: it waits for what the group uses, and gives back the rest.
    world.api.delete("members", "bob", false);
    world.settle().await;
    assert!(world.api.get("members", "bob").is_some());
    world.until("what is free came back", |world| world.limit("design") == 28 * MIB).await;
    let (_, reason, message) = world.condition("members", "bob", "Ready");
    assert_eq!(reason, "StillInUse");
    assert!(message.contains("confirm-deletion=bob"), "{message}");
    world.api.delete("members", "bob", true);
    world.settle().await;
    assert!(world.api.get("members", "bob").is_none());
    assert_eq!((world.limit("bob"), world.limit("design")), (0, 20 * MIB));
    assert_eq!(world.condition("groups", "design", "WithinCapacity").0, "False");

    // A group with files waits, too; confirmed, it goes and gives everything back.
    world.api.delete("groups", "design", false);
    world.settle().await;
    assert_eq!(world.condition("groups", "design", "Ready").1, "StillInUse");
    world.api.delete("groups", "design", true);
    world.settle().await;
    assert!(world.api.get("groups", "design").is_none());
    assert_eq!((world.limit("design"), world.limit("alice")), (0, 60 * MIB));
    let design: SpaceId = uid_of("design").parse().unwrap();
    assert_eq!(world.volume.spaces()[&design].used, 28 * MIB, "no data is touched");
    let told = |event: &Value| {
        event["reason"] == "FilesKept" && event["note"].to_string().contains(&uid_of("design"))
    };
    assert!(world.api.lock().events.iter().any(told), "and it is told where it is");
    assert!(world.roster().group_by_name("design").is_none());
    assert_eq!(world.condition("members", "alice", "AllocationsEffective").1, "GroupNotFound");
}

#[tokio::test]
async fn two_cannot_have_one_space() {
    let mut world = World::new().await;
    world.member("alice", json!({ "quota": "10Mi" }));
    world.member("thief", json!({ "quota": "20Mi", "spaceID": uid_of("alice") }));
    world.settle().await;
    let taken: Vec<_> =
        ["alice", "thief"].into_iter().filter(|name| !world.is_ready("members", name)).collect();
    assert_eq!(taken.len(), 1);
    let (_, reason, message) = world.condition("members", taken[0], "Ready");
    assert_eq!(reason, "InvalidSpec", "{message}");
    assert_eq!(world.roster().members().count(), 1);
}

#[tokio::test]
async fn answers_and_requests_that_get_lost_change_nothing_in_the_end() {
    let mut world = World::new().await;
    world.group(
        "design",
        json!({ "joining": { "policy": "Open" }, "members": [{ "name": "alice", "role": "Owner" }] }),
    );
    for name in ["alice", "bob"] {
        world
            .member(name, json!({ "quota": "60Mi", "allocations": [{ "group": "design", "size": "20Mi" }] }));
    }
    {
        let mut content = world.api.lock();
        content.lose_answers = 2;
        content.lose_requests = 2;
    }
    world.until("all is lent", |world| world.limit("design") == 40 * MIB).await;
    world.until("and said", |world| world.is_ready("groups", "design")).await;
    assert_eq!((world.limit("alice"), world.limit("bob")), (40 * MIB, 40 * MIB));
}

#[tokio::test]
async fn another_pod_is_asked_when_one_is_silent_and_a_volume_that_has_seen_more_is_believed() {
    let key = SigningKey::generate().unwrap();
    let volume =
        Volume::new(uid_of("demo").parse::<ClusterUid>().unwrap(), Trust::new([key.verifying_key().clone()]));
    let pods = vec![volume.dead_pod("demo-disk-0").await, volume.pod("demo-disk-1").await];
    let space: SpaceId = uid_of("alice").parse().unwrap();
    volume.spaces().insert(space, Space { seen: 1 << 40, ..Space::default() });
    let mut world = World::with(key, volume, pods).await;
    world.member("alice", json!({ "quota": "10Mi" }));
    world.until("it is in force", |world| world.limit("alice") == 10 * MIB).await;
    world.until("and said", |world| world.is_ready("members", "alice")).await;
    assert!(world.roster().generation().0 > 1 << 40);
}

#[tokio::test]
async fn a_thousand_members_and_a_hundred_groups_take_few_writes() {
    let mut world = World::new().await;
    for number in 0..1000 {
        let group = format!("thousand-group-{}", number % 100);
        world.member(
            &format!("thousand-{number}"),
            json!({ "quota": "2Mi", "allocations": [{ "group": group, "size": "1Mi" }] }),
        );
    }
    for number in 0..100 {
        world.group(&format!("thousand-group-{number}"), json!({
            "joining": { "policy": "Open" }, "members": [{ "name": format!("thousand-{number}"), "role": "Owner" }],
        }));
    }
    let began = Instant::now();
    world.settle().await;
    println!("1,000 Members and 100 Groups settled in {:?}", began.elapsed());
    for number in 0..1000 {
        assert!(world.is_ready("members", &format!("thousand-{number}")));
    }
    for number in 0..100 {
        let name = format!("thousand-group-{number}");
        assert!(world.is_ready("groups", &name));
        assert_eq!(world.limit(&name), 10 * MIB);
    }
    let writes = world.api.lock().writes.clone();
    println!("{writes:?}");
    assert_eq!(writes["members/status"], 1000);
    assert!(writes["groups/status"] <= 400, "{writes:?}");
    world.forget_writes();
    let began = Instant::now();
    world.round().await;
    println!("a round in which nothing changes takes {:?}", began.elapsed());
    assert!(world.api.lock().writes.is_empty());
}
