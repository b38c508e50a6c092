//! Share links at a disk pod: made, asked about, used, visited, taken back.

use api::call;
use api::keys::{SigningKey, purpose};
use api::link::{LinkAccess, LinkFound, LinkQuestion, LinkToken};
use api::ticket::{Access, Link, Ticket};
use axum::body::Body;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use roster::LinkPolicy;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Answer, Client, PATIENCE, Pod, World, answer};

impl Client<'_> {
    async fn share(&self, wish: Value) -> Answer {
        self.send("POST", "shares", &[("content-type", "application/json")], wish.to_string()).await
    }
}

fn token(made: &Answer) -> LinkToken {
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["token"].as_str().unwrap().parse().unwrap()
}

fn question(token: &LinkToken, use_it: Option<Uuid>) -> Vec<u8> {
    let hash = blake3::Hash::from(token.hash()).to_hex().to_string();
    serde_json::to_vec(&LinkQuestion { space: token.space(), hash, use_it }).unwrap()
}

/// What a web pod asks.
async fn ask(world: &World, pod: &Pod, token: &LinkToken, use_it: Option<Uuid>) -> Answer {
    let body = question(token, use_it);
    let call = call::authorise(&world.tickets, purpose::LINK, world.cluster, &body).unwrap();
    put(pod, &call, body).await
}

async fn put(pod: &Pod, call: &str, body: Vec<u8>) -> Answer {
    let request = Request::post("/v1/links").header("authorization", format!("Bearer {call}"));
    answer(&pod.internal, request.body(Body::from(body)).unwrap()).await
}

fn found(answer: &Answer) -> LinkFound {
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_slice(&answer.body).unwrap()
}

/// Somebody with the ticket that a web pod gives for what was found.
fn visitor<'a>(
    world: &World,
    pod: &'a Pod,
    member: &str,
    token: &LinkToken,
    found: &LinkFound,
) -> Client<'a> {
    let access = if found.access.uploads() { Access::ReadWrite } else { Access::Read };
    let link = Some(Link { share: found.share, node: found.node, access: found.access });
    let claims =
        Ticket { access, path: Some(found.path.clone()), link, ..world.claims(member, token.space()) };
    Client { pod, space: token.space(), ticket: claims.issue(&world.tickets).unwrap() }
}

#[tokio::test]
async fn a_link_shows_its_file_and_nothing_else() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    for path in ["trip/a.txt", "trip/b.txt", "c.txt"] {
        alice.send("PUT", &format!("files/{path}?parents=true"), &[], path.to_owned()).await;
    }
    let made = alice.share(json!({ "path": "trip/a.txt", "mostUses": 5 })).await;
    let link = token(&made);
    let what = found(&ask(&world, &pod, &link, None).await);
    assert_eq!((what.path.as_str(), what.directory, what.access), ("trip/a.txt", false, LinkAccess::Read));
    assert_eq!((what.uses_left, what.creator), (Some(5), world.members["alice"].uid));
    let visitor = visitor(&world, &pod, "alice", &link, &what);
    assert_eq!(visitor.get("trip/a.txt").await.body, b"trip/a.txt");
    assert_eq!(visitor.send("HEAD", "files/trip/a.txt", &[], "").await.status, 200);
    for (method, path) in [
        ("GET", "files/trip/b.txt"),
        ("GET", "files/c.txt"),
        ("GET", "files/trip/a.txt?version=1"),
        ("GET", "files/trip/a.txt?%76ersion=1"),
        ("GET", "versions/trip/a.txt"),
        ("GET", "zip/trip"),
        ("GET", "search?name=a"),
        ("GET", "trash"),
        ("GET", "list/trip"),
        ("GET", "list/"),
        ("GET", "usage"),
        ("GET", "shares"),
        ("PUT", "files/trip/a.txt"),
        ("POST", "operations"),
        ("POST", "uploads"),
        ("POST", "shares"),
        ("DELETE", &format!("shares/{}", what.share)),
    ] {
        let refused = visitor.send(method, path, &[], "").await;
        assert_eq!(refused.outcome(), (403, "forbidden".to_owned()), "{method} {path}");
    }
    assert_eq!(alice.operate(json!({"op": "delete", "path": "c.txt"})).await.status, 200);

    let folder = token(&alice.share(json!({ "path": "trip" })).await);
    let what = found(&ask(&world, &pod, &folder, None).await);
    let guest = self::visitor(&world, &pod, "alice", &folder, &what);
    assert_eq!(guest.names("trip").await, ["a.txt", "b.txt"]);
    assert_eq!(guest.get("trip/b.txt").await.status, 200);
    assert_eq!(guest.send("GET", "list/", &[], "").await.status, 403);
    assert!(guest.send("GET", "zip/trip", &[], "").await.body.starts_with(b"PK"));
    let some = guest.send("GET", "zip/trip?path=b.txt", &[], "").await;
    assert_eq!(some.status, 200, "{some:?}");
    let holds = |name: &[u8]| some.body.windows(name.len()).any(|at| at == name);
    assert!(holds(b"b.txt") && !holds(b"a.txt"), "only what was chosen");
    for path in ["zip/", "zip/?path=c.txt", "zip/trip?at=1", "zip/trip?path=../c.txt"] {
        let refused = guest.send("GET", path, &[], "").await;
        assert!(refused.status.is_client_error(), "{path}: {refused:?}");
    }
}

#[tokio::test]
async fn a_share_whose_file_was_replaced_shows_nothing() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "first").await;
    let link = token(&alice.share(json!({ "path": "a" })).await);
    let what = found(&ask(&world, &pod, &link, None).await);
    let guest = visitor(&world, &pod, "alice", &link, &what);
    assert_eq!(alice.operate(json!({"op": "move", "from": "a", "to": "b"})).await.status, 200);
    alice.put("a", "another").await;
    assert_eq!(guest.get("a").await.status, 403, "what has its name now is not shared");
    assert_eq!(guest.get("b").await.body, b"first");
    assert_eq!(found(&ask(&world, &pod, &link, None).await).path, "b");
    assert_eq!(alice.put("b", "second").await.status, 204);
    assert_eq!(guest.get("b").await.body, b"second", "a new content of the same file");
    assert_eq!(alice.operate(json!({"op": "delete", "path": "b"})).await.status, 200);
    alice.put("b", "replaced").await;
    assert_eq!(guest.get("b").await.outcome(), (404, "not-found".to_owned()));
    assert_eq!(ask(&world, &pod, &link, None).await.outcome(), (404, "not-found".to_owned()));
    assert_eq!(ask(&world, &pod, &link, Some(Uuid::new_v4())).await.status, 404);
}

#[tokio::test]
async fn replayed_share_counts() {
    let world = World::new();
    let (pod, other) = (world.pod().await, world.pod().await);
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    let link = token(&alice.share(json!({ "path": "a", "mostUses": 2 })).await);
    let first = Uuid::new_v4();
    for pod in [&pod, &other, &pod] {
        let used = found(&ask(&world, pod, &link, Some(first)).await);
        assert_eq!(used.uses_left, Some(1), "a repetition is the same use");
    }
    let used = found(&ask(&world, &other, &link, Some(Uuid::new_v4())).await);
    assert_eq!(used.uses_left, Some(0));
    for pod in [&pod, &other] {
        let over = ask(&world, pod, &link, Some(Uuid::new_v4())).await;
        assert_eq!(over.outcome(), (403, "forbidden".to_owned()));
    }
    let shares = alice.send("GET", "shares", &[], "").await.json();
    assert_eq!((&shares["shares"][0]["uses"], &shares["shares"][0]["mostUses"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn a_link_ends_when_it_was_said_to() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    let soon = Timestamp::now() + SignedDuration::from_secs(2);
    let link = token(&alice.share(json!({ "path": "a", "expires": soon })).await);
    let what = found(&ask(&world, &pod, &link, None).await);
    let guest = visitor(&world, &pod, "alice", &link, &what);
    assert_eq!(guest.get("a").await.status, 200);
    let ended = async {
        while ask(&world, &pod, &link, None).await.status != 404 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("the link never ends");
    assert!(Timestamp::now() >= soon);
    assert_eq!(guest.get("a").await.outcome(), (404, "not-found".to_owned()), "the ticket ends with it");
}

#[tokio::test]
async fn who_may_only_upload_sees_nothing_and_replaces_nothing() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.send("PUT", "files/inbox/old?parents=true", &[], "old").await;
    let refused = alice.share(json!({ "path": "inbox/old", "access": "Upload" })).await;
    assert_eq!(refused.outcome(), (400, "bad-request".to_owned()));
    for (access, reads) in [("Upload", false), ("ReadAndUpload", true)] {
        let link = token(&alice.share(json!({ "path": "inbox", "access": access })).await);
        let what = found(&ask(&world, &pod, &link, None).await);
        let guest = visitor(&world, &pod, "alice", &link, &what);
        let name = format!("inbox/{access}");
        assert_eq!(guest.put(&name, "new").await.status, 201);
        assert_eq!(alice.get(&name).await.body, b"new");
        for path in ["inbox/old", &*name] {
            let replaced = guest.send("PUT", &format!("files/{path}"), &[("if-match", "*")], "evil").await;
            assert_eq!(replaced.outcome(), (412, "precondition-failed".to_owned()), "{path}");
        }
        assert_eq!(guest.put("elsewhere", "evil").await.status, 403);
        let status = if reads { 200 } else { 403 };
        assert_eq!(guest.get("inbox/old").await.status, status, "{access}");
        assert_eq!(guest.send("GET", "list/inbox", &[], "").await.status, status, "{access}");
        assert_eq!(guest.operate(json!({"op": "delete", "path": "inbox/old"})).await.status, 403);
    }
    assert_eq!(alice.get("inbox/old").await.body, b"old");
}

#[tokio::test]
async fn who_may_write_makes_links_and_takes_them_back() {
    let mut world = World::new();
    let pod = world.pod().await;
    let group = world.group.space;
    let member = |name: &str| Client { pod: &pod, space: group, ticket: world.ticket(name, group) };
    let (alice, bob, carol) = (member("alice"), member("bob"), member("carol"));
    alice.send("PUT", "files/in/a?parents=true", &[], "content").await;
    let wish = json!({ "path": "in/a", "password": "hush" });
    assert_eq!(carol.share(wish.clone()).await.outcome(), (403, "forbidden".to_owned()), "a viewer");
    assert_eq!(carol.send("GET", "shares", &[], "").await.status, 403);
    let made = bob.share(wish).await;
    let link = token(&made);
    assert!(!String::from_utf8_lossy(&made.body).contains("hush"));
    let listed = alice.send("GET", "shares", &[], "").await;
    let listed = listed.json()["shares"].clone();
    assert_eq!(listed[0]["path"], "in/a");
    assert_eq!(
        (&listed[0]["password"], &listed[0]["creator"]),
        (&json!(true), &json!(world.members["bob"].uid))
    );
    assert!(!listed.to_string().contains(&link.expose()), "it is shown once");
    let what = found(&ask(&world, &pod, &link, None).await);
    assert!(what.verifier.as_deref().unwrap().starts_with("$argon2id$"));
    let part = Ticket { path: Some("other".to_owned()), ..world.claims("alice", group) };
    let part = Client { pod: &pod, space: group, ticket: part.issue(&world.tickets).unwrap() };
    assert_eq!(part.send("GET", "shares", &[], "").await.json()["shares"], json!([]));
    assert_eq!(part.share(json!({ "path": "in/a" })).await.status, 403);
    let path = format!("shares/{}", what.share);
    assert_eq!(part.send("DELETE", &path, &[], "").await.status, 404);
    assert_eq!(carol.send("DELETE", &path, &[], "").await.status, 403);

    let guest = visitor(&world, &pod, "bob", &link, &what);
    assert_eq!(guest.get("in/a").await.status, 200);
    world.group.participants.retain(|one| one.name.as_str() != "bob");
    pod.knows(world.publish()).await;
    assert_eq!(guest.get("in/a").await.status, 403, "whoever made it has no part there any more");
    let guest = visitor(&world, &pod, "alice", &link, &what);
    assert_eq!(guest.get("in/a").await.status, 200);
    assert_eq!(alice.send("DELETE", &path, &[], "").await.status, 204);
    assert_eq!(alice.send("DELETE", &path, &[], "").await.status, 404);
    assert_eq!(guest.get("in/a").await.outcome(), (404, "not-found".to_owned()), "taken back");
    assert_eq!(ask(&world, &pod, &link, None).await.status, 404);
}

#[tokio::test]
async fn wishes_are_held_to_what_the_disk_cluster_says() {
    let mut world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    let past = Timestamp::now() - SignedDuration::from_secs(1);
    for (wish, status) in [
        (json!({ "path": "nothing" }), 404),
        (json!({ "path": "a", "password": "" }), 400),
        (json!({ "path": "a", "password": "x".repeat(2000) }), 400),
        (json!({ "path": "a", "mostUses": 0 }), 400),
        (json!({ "path": "a", "mostUses": -1 }), 400),
        (json!({ "path": "a", "expires": past }), 400),
        (json!({ "path": "a", "access": "Write" }), 400),
        (json!({ "path": "../a" }), 400),
        (json!({ "path": "a", "creator": "bob" }), 400),
    ] {
        let refused = alice.share(wish.clone()).await;
        assert_eq!(refused.status, status, "{wish}: {refused:?}");
    }
    world.settings.shares.maximum_lifetime_days = 1;
    world.settings.shares.links = LinkPolicy::PasswordRequired;
    pod.knows(world.publish()).await;
    let hours = |hours| Timestamp::now() + SignedDuration::from_hours(hours);
    for (wish, status) in [
        (json!({ "path": "a", "expires": hours(1) }), 403),
        (json!({ "path": "a", "password": "hush" }), 400),
        (json!({ "path": "a", "password": "hush", "expires": hours(25) }), 400),
        (json!({ "path": "a", "password": "hush", "expires": hours(23) }), 201),
    ] {
        assert_eq!(alice.share(wish.clone()).await.status, status, "{wish}");
    }
    world.settings.shares.links = LinkPolicy::Forbidden;
    pod.knows(world.publish()).await;
    let wish = json!({ "path": "a", "password": "hush", "expires": hours(1) });
    assert_eq!(alice.share(wish).await.status, 403);
}

#[tokio::test]
async fn only_web_pods_are_told_about_links() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    let link = token(&alice.share(json!({ "path": "a" })).await);
    let body = question(&link, None);
    let sign =
        |key: &SigningKey, purpose, body: &[u8]| call::authorise(key, purpose, world.cluster, body).unwrap();
    for (what, call) in [
        ("no token", String::new()),
        ("a disk pod", sign(&world.disk, purpose::LINK, &body)),
        ("another purpose", sign(&world.tickets, purpose::CREDENTIAL_CHECK, &body)),
        ("another body", sign(&world.tickets, purpose::LINK, b"{}")),
        ("a ticket", world.ticket("alice", alice.space)),
    ] {
        assert_eq!(put(&pod, &call, body.clone()).await.status, 401, "{what}");
    }
    let guess = LinkToken::new(alice.space, [0; api::link::LINK_SECRET_BYTES]);
    assert_eq!(ask(&world, &pod, &guess, None).await.status, 404);
    let elsewhere = LinkToken::new(world.own("bob"), [0; api::link::LINK_SECRET_BYTES]);
    assert_eq!(ask(&world, &pod, &elsewhere, None).await.status, 404);
    let nowhere = LinkToken::new(api::ids::SpaceId(Uuid::nil()), [0; api::link::LINK_SECRET_BYTES]);
    assert_eq!(ask(&world, &pod, &nowhere, None).await.status, 404);
}
