//! What the page shows: the own disk, the groups, and which further ones could be joined.

use api::bytes::Bytes;
use api::role::Role;
use roster::{AllocationEntry, AllocationState, Invitation, JoinPolicy, Request};
use serde_json::{Value, json};

use crate::world::{GIB, World, group};

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everybody_sees_what_concerns_them() {
    let mut world = World::new();
    let trips = world.groups.get_mut("trips").unwrap();
    trips.display_name = Some("Trips".into());
    trips.requests.push(Request { name: "dave".parse().unwrap(), size: Bytes(GIB) });
    trips.invited.push(Invitation { name: "dave".parse().unwrap(), role: Role::Viewer });
    for (name, policy) in
        [("open", JoinPolicy::Open), ("ask", JoinPolicy::OnRequest), ("secret", JoinPolicy::InviteOnly)]
    {
        world.groups.insert(name, group(name, policy));
    }
    world.members.get_mut("dave").unwrap().allocations = vec![AllocationEntry {
        group: "ask".parse().unwrap(),
        size: Bytes(GIB),
        granted: Bytes::ZERO,
        state: AllocationState::Requested,
    }];
    world.publish();
    let pod = world.pod().await;

    let alice = world.signed_in(&pod, "alice").get("/api/spaces").await;
    assert_eq!((alice.status.as_u16(), alice.header("cache-control")), (200, "no-store"));
    let alice = alice.json();
    assert_eq!(alice["own"]["space"], json!(world.members["alice"].space));
    assert_eq!((&alice["own"]["quota"], &alice["own"]["limit"]), (&json!(10 * GIB), &json!(8 * GIB)));
    assert_eq!(names(&alice["groups"]), ["trips"]);
    let trips = &alice["groups"][0];
    assert_eq!(trips["displayName"], "Trips");
    assert_eq!((&trips["role"], &trips["capacity"]), (&json!("Owner"), &json!(3 * GIB)));
    assert_eq!((&trips["size"], &trips["granted"]), (&json!(2 * GIB), &json!(GIB)));
    assert_eq!(trips["joining"], json!({ "policy": "InviteOnly", "defaultRole": "Editor", "minimum": 0 }));
    assert_eq!(names(&trips["participants"]), ["alice", "bob", "carol"]);
    assert_eq!(trips["requests"], json!([{ "name": "dave", "size": GIB }]));
    assert_eq!(trips["invited"], json!([{ "name": "dave", "role": "Viewer" }]));
    assert_eq!(names(&alice["open"]), ["ask", "open"]);

    let bob = world.signed_in(&pod, "bob").get("/api/spaces").await.json();
    assert_eq!(bob["groups"][0]["role"], "Editor");
    assert_eq!((&bob["groups"][0]["requests"], &bob["groups"][0]["invited"]), (&json!([]), &json!([])));

    let dave = world.signed_in(&pod, "dave").get("/api/spaces").await.json();
    assert_eq!(dave["groups"], json!([]));
    assert_eq!(names(&dave["invitations"]), ["trips"]);
    assert_eq!(dave["invitations"][0]["role"], "Viewer");
    assert_eq!(names(&dave["open"]), ["open"], "what was asked for is no offer any more");
    assert_eq!(
        dave["own"]["allocations"],
        json!([{ "group": "ask", "size": GIB, "granted": 0, "state": "Requested" }])
    );
    assert!(!dave.to_string().contains("secret"), "{dave}");
}
