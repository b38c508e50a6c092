//! Groups made, joined and left, and who may decide: one patch of one object each, or a refusal and no patch.

use api::bytes::Bytes;
use api::role::Role;
use http::Method;
use roster::{GroupCreation, Invitation, JoinPolicy};
use serde_json::{Value, json};

use crate::kubernetes::{Kubernetes, quantity, self_service, status};
use crate::world::{Client, GIB, Pod, World, group, participant};

/// With a group that is open, and one that asks for two GiB.
fn world() -> World {
    let mut world = World::new();
    world.groups.insert("open", group("open", JoinPolicy::Open));
    let mut dear = group("dear", JoinPolicy::OnRequest);
    dear.joining.minimum = Bytes(2 * GIB);
    world.groups.insert("dear", dear);
    world.groups.insert("secret", group("secret", JoinPolicy::InviteOnly));
    world.publish();
    world
}

async fn with_api(world: &World) -> (Kubernetes, Pod) {
    let kubernetes = Kubernetes::start(world).await;
    let pod = world.pod_with(Some(kubernetes.self_service())).await;
    (kubernetes, pod)
}

async fn give(client: &Client<'_>, group: &str, size: u64) -> (u16, String) {
    let path = format!("/api/allocations/{group}");
    client.send("PUT", &path, Some(json!({ "size": size }))).await.outcome()
}

#[tokio::test]
async fn a_member_joins_raises_and_leaves() {
    let world = world();
    let (kubernetes, pod) = with_api(&world).await;
    let dave = world.signed_in(&pod, "dave");
    assert_eq!(give(&dave, "open", GIB).await.0, 202);
    let written = kubernetes.written();
    assert_eq!(written.len(), 1, "{written:?}");
    assert_eq!((&written[0].method, written[0].path.as_str()), (&Method::PATCH, "members/dave"));
    assert!(written[0].query.contains("fieldManager=internetdisk-web"), "{}", written[0].query);
    let fields: Vec<&String> = written[0].body["spec"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["allocations"], "nothing else is written");
    let uid = world.groups["open"].uid;
    let allocations = || kubernetes.object("members/dave")["spec"]["allocations"].clone();
    assert_eq!(allocations(), json!([{ "group": "open", "size": "1Gi", "groupUID": uid }]));

    assert_eq!(give(&dave, "dear", 3 * GIB).await.0, 202);
    assert_eq!(give(&dave, "open", 2 * GIB).await.0, 202);
    assert_eq!(allocations().as_array().unwrap().len(), 2);
    let before = kubernetes.written().len();
    assert_eq!(give(&dave, "open", 2 * GIB).await.0, 202);
    assert_eq!(kubernetes.written().len(), before, "what is so already is not written");

    assert_eq!(dave.send("DELETE", "/api/allocations/open", None).await.status, 202);
    let dear = world.groups["dear"].uid;
    assert_eq!(allocations(), json!([{ "group": "dear", "size": "3Gi", "groupUID": dear }]));
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_it_is_written() {
    let mut world = world();
    let entry = |group: &str, size: u64| roster::AllocationEntry {
        group: group.parse().unwrap(),
        size: Bytes(size),
        granted: Bytes(size),
        state: roster::AllocationState::Active,
    };
    world.members.get_mut("dave").unwrap().allocations = vec![entry("open", 6 * GIB)];
    world.publish();
    let (kubernetes, pod) = with_api(&world).await;
    let dave = world.signed_in(&pod, "dave");
    for (group, size, status, code) in [
        ("dear", 5 * GIB, 507, "quota-exceeded"),
        ("open", 11 * GIB, 507, "quota-exceeded"),
        ("dear", GIB, 400, "bad-request"),
        ("secret", GIB, 404, "not-found"),
        ("trips", GIB, 404, "not-found"),
        ("nowhere", GIB, 404, "not-found"),
        ("..%2fmembers", GIB, 404, "not-found"),
    ] {
        assert_eq!(give(&dave, group, size).await, (status, code.to_owned()), "{group} {size}");
    }
    for size in [json!(-1), json!(1.5), json!("1Gi"), json!(1e30), Value::Null] {
        let body = Some(json!({ "size": size }));
        let refused = dave.send("PUT", "/api/allocations/open", body).await;
        assert_eq!(refused.outcome(), (400, "bad-request".to_owned()), "{size}");
    }
    assert!(kubernetes.written().is_empty(), "{:?}", kubernetes.written());
    // Within the quota when the group's own part is counted once.
    assert_eq!(give(&dave, "open", 10 * GIB).await.0, 202);
}

#[tokio::test]
async fn two_that_write_at_once_lose_nothing() {
    let world = world();
    let (kubernetes, pod) = with_api(&world).await;
    kubernetes.api().conflicts = 3;
    let dave = world.signed_in(&pod, "dave");
    assert_eq!(give(&dave, "open", GIB).await.0, 202);
    assert_eq!(kubernetes.written().len(), 4, "three conflicts, then written");
    kubernetes.api().conflicts = u32::MAX;
    assert_eq!(give(&dave, "open", 2 * GIB).await, (409, "conflict".to_owned()));
    assert_eq!(kubernetes.object("members/dave")["spec"]["allocations"][0]["size"], "1Gi");
}

#[tokio::test]
async fn another_object_of_the_name_is_not_touched() {
    let world = world();
    let (kubernetes, pod) = with_api(&world).await;
    let other = uuid::Uuid::new_v4();
    kubernetes.api().objects.get_mut("members/dave").unwrap()["metadata"]["uid"] = json!(other);
    let dave = world.signed_in(&pod, "dave");
    assert_eq!(give(&dave, "open", GIB).await, (404, "not-found".to_owned()));
    kubernetes.api().objects.get_mut("members/carol").unwrap()["spec"]["clusterRef"]["name"] = json!("other");
    assert_eq!(give(&world.signed_in(&pod, "carol"), "open", GIB).await, (404, "not-found".to_owned()));
    assert!(kubernetes.written().is_empty());
}

#[tokio::test]
async fn a_group_is_made_and_its_maker_owns_it() {
    let world = world();
    let (kubernetes, pod) = with_api(&world).await;
    let dave = world.signed_in(&pod, "dave");
    let wish = json!({ "displayName": " Trip to Jeju ", "joining": "Open", "size": GIB });
    let made = dave.send("POST", "/api/groups", Some(wish)).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json()["displayName"], "Trip to Jeju");
    let name = made.json()["name"].as_str().unwrap().to_owned();
    assert_eq!(name, "trip-to-jeju-x7k2p");
    let spec = kubernetes.object(&format!("groups/{name}"))["spec"].clone();
    assert_eq!(spec["clusterRef"]["name"], "demo");
    assert_eq!(spec["joining"]["policy"], "Open");
    let uid = world.members["dave"].uid;
    assert_eq!(spec["members"], json!([{ "name": "dave", "role": "Owner", "memberUID": uid }]));
    let given = kubernetes.object("members/dave")["spec"]["allocations"].clone();
    assert_eq!(given, json!([{ "group": name, "size": "1Gi", "groupUID": made.json()["uid"] }]));
}

#[tokio::test]
async fn groups_that_are_not_made() {
    let mut world = world();
    world.settings.groups.join_policies = vec![JoinPolicy::Open];
    world.settings.groups.maximum_per_member = 1;
    world.publish();
    let (kubernetes, pod) = with_api(&world).await;
    let long = "x".repeat(200);
    let wish = |name: &str, joining: &str, size: u64| json!({ "displayName": name, "joining": joining, "size": size });
    for (member, body, status, code) in [
        ("dave", wish("a", "InviteOnly", GIB), 400, "bad-request"),
        ("dave", wish("  ", "Open", GIB), 400, "bad-request"),
        ("dave", wish(&long, "Open", GIB), 400, "bad-request"),
        ("dave", wish("a", "Open", 11 * GIB), 507, "quota-exceeded"),
        ("dave", wish("a", "Everybody", GIB), 400, "bad-request"),
        ("dave", json!({ "displayName": "a", "joining": "Open" }), 400, "bad-request"),
        ("dave", json!({ "displayName": "a", "joining": "Open", "size": 1, "quota": 1 }), 400, "bad-request"),
        ("alice", wish("a", "Open", GIB), 403, "forbidden"),
    ] {
        let refused = world.signed_in(&pod, member).send("POST", "/api/groups", Some(body.clone())).await;
        assert_eq!(refused.outcome(), (status, code.to_owned()), "{member}: {body}");
    }
    world.settings.groups.creation = GroupCreation::Administrators;
    world.publish();
    pod.knows(&world).await;
    let refused = world.signed_in(&pod, "dave").send("POST", "/api/groups", Some(wish("a", "Open", 1))).await;
    assert_eq!(refused.outcome(), (403, "forbidden".to_owned()));
    assert!(kubernetes.written().is_empty());
}

#[tokio::test]
async fn owners_decide_who_takes_part() {
    let mut world = world();
    let trips = world.groups.get_mut("trips").unwrap();
    trips.invited.push(Invitation { name: "dave".parse().unwrap(), role: Role::Viewer });
    world.publish();
    let (kubernetes, pod) = with_api(&world).await;
    let alice = world.signed_in(&pod, "alice");
    let admit = |role: &str| Some(json!({ "role": role }));
    for role in ["Editor", "Viewer", "Owner", "Blocked"] {
        let admitted = alice.send("PUT", "/api/groups/trips/members/dave", admit(role)).await;
        assert_eq!(admitted.status, 202, "{admitted:?}");
        let members = kubernetes.object("groups/trips")["spec"]["members"].clone();
        let dave = members.as_array().unwrap().iter().find(|one| one["name"] == "dave").unwrap().clone();
        assert_eq!(dave["role"], role);
        assert_eq!(dave["memberUID"], json!(world.members["dave"].uid));
        assert_eq!(members.as_array().unwrap().len(), 4, "the others stay");
    }
    assert_eq!(alice.send("DELETE", "/api/groups/trips/members/dave", None).await.status, 202);
    assert_eq!(kubernetes.object("groups/trips")["spec"]["members"].as_array().unwrap().len(), 3);

    let before = kubernetes.written().len();
    for (who, path, status, code) in [
        ("bob", "/api/groups/trips/members/dave", 403, "forbidden"),
        ("carol", "/api/groups/trips/members/carol", 403, "forbidden"),
        ("dave", "/api/groups/trips/members/dave", 403, "forbidden"),
        ("dave", "/api/groups/secret/members/dave", 404, "not-found"),
        ("alice", "/api/groups/trips/members/nobody", 404, "not-found"),
        ("alice", "/api/groups/nowhere/members/dave", 404, "not-found"),
    ] {
        let refused = world.signed_in(&pod, who).send("PUT", path, admit("Owner")).await;
        assert_eq!(refused.outcome(), (status, code.to_owned()), "{who}: {path}");
    }
    let root = alice.send("PUT", "/api/groups/trips/members/dave", admit("Root")).await;
    assert_eq!(root.outcome(), (400, "bad-request".to_owned()));
    assert_eq!(kubernetes.written().len(), before);
    assert_eq!(give(&world.signed_in(&pod, "dave"), "trips", GIB).await.0, 202, "the invitation is accepted");
}

#[tokio::test]
async fn two_web_pods_at_once_never_pass_the_quota_and_the_loser_is_told() {
    let mut world = world();
    world.groups.insert("also-open", group("also-open", JoinPolicy::Open));
    world.publish();
    let (kubernetes, here) = with_api(&world).await;
    let there = world.pod_with(Some(kubernetes.self_service())).await;
    let dave = world.signed_in(&here, "dave");
    for round in 0..100 {
        // Each fits alone; neither web pod knows of the other.
        let elsewhere = dave.at(&there);
        let both = tokio::join!(give(&dave, "open", 6 * GIB), give(&elsewhere, "also-open", 6 * GIB));
        let mut outcomes = [both.0, both.1];
        outcomes.sort();
        let refused = (400, "bad-request".to_owned());
        assert_eq!(outcomes, [(202, String::new()), refused], "{round}: one wins, the other is told");
        let allocations = kubernetes.object("members/dave")["spec"]["allocations"].clone();
        let sizes = allocations.as_array().unwrap().iter().map(|one| quantity(one["size"].as_str().unwrap()));
        assert_eq!(sizes.sum::<u64>(), 6 * GIB, "{round}: {allocations}");
        // Two that fit together are both kept.
        for name in ["open", "also-open"] {
            let path = format!("/api/allocations/{name}");
            assert_eq!(dave.send("DELETE", &path, None).await.status, 202);
        }
        let both = tokio::join!(give(&dave, "open", 4 * GIB), give(&elsewhere, "also-open", 5 * GIB));
        assert_eq!((both.0.0, both.1.0), (202, 202), "{round}");
        let allocations = kubernetes.object("members/dave")["spec"]["allocations"].clone();
        assert_eq!(allocations.as_array().unwrap().len(), 2, "{round}: no update is lost: {allocations}");
        for name in ["open", "also-open"] {
            let path = format!("/api/allocations/{name}");
            assert_eq!(dave.send("DELETE", &path, None).await.status, 202);
        }
    }
}

#[tokio::test]
async fn the_only_owner_stays_while_others_take_part() {
    let mut world = world();
    let (kubernetes, pod) = with_api(&world).await;
    let alice = world.signed_in(&pod, "alice");
    let leave = || alice.send("DELETE", "/api/allocations/trips", None);
    assert_eq!(leave().await.outcome(), (409, "conflict".to_owned()));
    assert!(kubernetes.written().is_empty());
    let second = participant(&world.members["dave"], Role::Owner);
    world.groups.get_mut("trips").unwrap().participants.push(second);
    world.publish();
    pod.knows(&world).await;
    assert_eq!(leave().await.status, 202);
}

#[tokio::test]
async fn the_kubernetes_api_is_away_or_says_no() {
    let world = world();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let pod = world.pod_with(Some(self_service(&format!("http://{nobody}")))).await;
    let away =
        world.signed_in(&pod, "dave").send("PUT", "/api/allocations/open", Some(json!({"size": 1}))).await;
    assert_eq!(away.outcome(), (503, "control-plane-away".to_owned()));
    assert_eq!(away.header("retry-after"), "5");
    assert_eq!(world.signed_in(&pod, "dave").get("/api/spaces").await.status, 200, "the rest goes on");

    let (kubernetes, pod) = with_api(&world).await;
    let dave = world.signed_in(&pod, "dave");
    kubernetes.api().refusal = Some(status(
        403,
        "Forbidden",
        "members.internetdisk.dev \"dave\" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'x' denied \
         request: members change their allocations only",
    ));
    let path = "/api/allocations/open";
    let denied = dave.send("PUT", path, Some(json!({ "size": GIB }))).await;
    assert_eq!(denied.outcome(), (403, "forbidden".to_owned()));
    assert_eq!(denied.json()["detail"], "members change their allocations only");
    kubernetes.api().refusal =
        Some(status(403, "Forbidden", "User \"system:serviceaccount:disk:demo-web\" cannot patch"));
    let role = dave.send("PUT", path, Some(json!({ "size": GIB }))).await;
    assert_eq!(role.outcome(), (500, "internal".to_owned()));
    assert!(!String::from_utf8_lossy(&role.body).contains("serviceaccount"), "{role:?}");
}
