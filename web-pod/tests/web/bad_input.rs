//! What somebody sends who means no good, or has a clock that is wrong: a clear answer, nothing done, nothing revealed.
//! States, nonces and redirects of OpenID are in `openid.rs`, forged and expired sessions in `sign_in.rs`.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::keys::{purpose, sign};
use api::role::Role;
use axum::body::Body;
use axum::extract::Extension;
use bytes::Bytes;
use http::Request;
use roster::JoinPolicy;
use serde_json::json;
use serve::Peer;

use crate::kubernetes::Kubernetes;
use crate::world::{Client, PASSWORD, World, answer, group, participant};

fn attempt() -> http::request::Builder {
    Request::post("/api/session")
        .header("content-type", "application/json")
        .header("x-requested-with", "internet-disk")
}

fn wrong(member: &str) -> Body {
    Body::from(json!({ "member": member, "password": "wrong" }).to_string())
}

#[tokio::test]
async fn a_login_body_of_a_hundred_megabytes() {
    let world = World::new();
    let pod = world.pod().await;
    for length in [true, false] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let pieces = (0..1600).map(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from(vec![b' '; 64 * 1024]))
        });
        let body = Body::from_stream(futures::stream::iter(pieces));
        let mut request = attempt();
        if length {
            request = request.header("content-length", (1600 * 64 * 1024).to_string());
        }
        let answer = pod.send(request.body(body).unwrap()).await;
        assert_eq!(answer.outcome(), (413, "too-large".to_owned()));
        assert!(taken.load(Ordering::Relaxed) <= 2, "the rest was not read");
    }
}

#[tokio::test]
async fn a_spoofed_x_forwarded_for() {
    let mut world = World::new();
    world.settings.trusted_proxies = vec!["10.0.0.0/8".to_owned()];
    world.publish();
    let pod = world.pod().await;
    let send = async |peer: &str, said: &str, member: &str| {
        let router = pod.router.clone().layer(Extension(Peer(peer.parse().unwrap())));
        let request = attempt().header("x-forwarded-for", said);
        answer(&router, request.body(wrong(member)).unwrap()).await.status.as_u16()
    };
    // From one address, whatever it says of itself: sixty at once, then one a second.
    let mut number = 0;
    while send("203.0.113.7:5000", &format!("198.51.100.9, 192.0.2.{}", number % 250), &format!("m{number}"))
        .await
        != 429
    {
        number += 1;
        assert!(number < 1000, "an address that names others is never held up");
    }
    // Through the proxy the guesser is still who he is, but for one attempt a second, and others are themselves.
    let mut held_up = false;
    for number in 0..20 {
        held_up |= send("10.0.0.5:80", "198.51.100.200, 203.0.113.7", &format!("n{number}")).await == 429;
    }
    assert!(held_up);
    assert_eq!(send("10.0.0.5:80", "203.0.113.7, 198.51.100.200", "somebody").await, 401);
}

#[tokio::test]
async fn header_injection() {
    let world = World::new();
    let pod = world.pod().await;
    for name in ["alice\r\nSet-Cookie: a=b", "alice\0", "\u{85}", "../alice", "alice%0d%0a"] {
        let answer = pod.stranger().sign_in(name, PASSWORD).await;
        assert_eq!(answer.outcome(), (401, "wrong-credentials".to_owned()), "{name:?}");
        assert_eq!(answer.header("set-cookie"), "");
    }
    for path in ["/api/spaces%0d%0aX: y", "/api/oidc/x%0d%0aX:%20y", "/api/links/%0d%0a"] {
        let Ok(request) = Request::get(path).body(Body::empty()) else { continue };
        let answer = pod.send(request).await;
        assert!(answer.status.is_client_error(), "{path}");
        assert!(answer.headers.get("x").is_none(), "{path}");
    }
}

#[tokio::test]
async fn a_clock_ten_minutes_off() {
    let world = World::new();
    let pod = world.pod().await;
    let now = jiff::Timestamp::now();
    let minutes = |count: i64| now + jiff::SignedDuration::from_mins(count);
    for (what, began, expires, status) in [
        ("made by a web pod that is ten minutes ahead", minutes(10), minutes(70), 200),
        ("made by one that is ten minutes behind", minutes(-10), minutes(50), 200),
        ("over for ten minutes", minutes(-70), minutes(-10), 401),
    ] {
        let mut claims = world.claims("alice");
        claims["began"] = json!(began);
        claims["expires"] = json!(expires);
        let token = sign(&world.session, purpose::SESSION, &claims).unwrap();
        let client = Client { pod: &pod, cookie: Some(format!("internet-disk-session={token}")) };
        let answer = client.get("/api/session").await;
        assert_eq!(answer.status.as_u16(), status, "{what}");
        // Being used puts the end off by the clock of this pod, and never past the lifetime.
        if let Some(expires) = answer.json().get("expires").filter(|_| status == 200) {
            let expires: jiff::Timestamp = expires.as_str().unwrap().parse().unwrap();
            assert!(expires.duration_since(now).as_hours() <= 24 * 30, "{what}");
        }
    }
}

#[tokio::test]
async fn a_group_renamed_deleted_and_made_again() {
    let mut world = World::new();
    let kubernetes = Kubernetes::start(&world).await;
    let pod = world.pod_with(Some(kubernetes.self_service())).await;
    let bob = world.signed_in(&pod, "bob");
    let old = world.groups["trips"].space;
    let find = json!({ "space": old });
    let found = bob.send("POST", "/api/servers", Some(find.clone())).await;
    assert_eq!(found.outcome(), (503, "no-ready-server".to_owned()), "it is bob's, and no disk pod is there");
    // Kubernetes renames nothing: a name that changes is another group. This one has the name and none of the rest.
    let mut again = group("trips", JoinPolicy::InviteOnly);
    again.participants.push(participant(&world.members["alice"], Role::Owner));
    world.groups.insert("trips", again);
    world.publish();
    pod.knows(&world).await;
    for space in [old, world.groups["trips"].space] {
        let answer = bob.send("POST", "/api/servers", Some(json!({ "space": space }))).await;
        assert_eq!(answer.outcome(), (404, "not-found".to_owned()), "neither the old one nor the new one");
    }
    let seen = bob.get("/api/spaces").await.json().to_string();
    assert!(!seen.contains("trips") || !seen.contains(&world.groups["trips"].space.to_string()), "{seen}");
    // Gone altogether.
    world.groups.remove("trips");
    world.publish();
    pod.knows(&world).await;
    let admit = bob.send("PUT", "/api/groups/trips/members/dave", Some(json!({ "role": "Editor" }))).await;
    assert_eq!(admit.outcome(), (404, "not-found".to_owned()), "{admit:?}");
    assert!(kubernetes.written().is_empty());
}

#[tokio::test]
async fn a_member_suspended_while_signed_in() {
    let mut world = World::new();
    let kubernetes = Kubernetes::start(&world).await;
    let pod = world.pod_with(Some(kubernetes.self_service())).await;
    let alice = world.signed_in(&pod, "alice");
    assert_eq!(alice.get("/api/session").await.status, 200);
    world.members.get_mut("alice").unwrap().state = roster::MemberState::Suspended;
    world.publish();
    pod.knows(&world).await;
    let suspended = (403, "member-suspended".to_owned());
    let space = world.members["alice"].space;
    for (method, path, body) in [
        ("GET", "/api/session", None),
        ("GET", "/api/spaces", None),
        ("POST", "/api/servers", Some(json!({ "space": space }))),
        ("GET", "/api/app-passwords", None),
        ("POST", "/api/groups", Some(json!({ "displayName": "x", "size": "0" }))),
        ("PUT", "/api/allocations/trips", Some(json!({ "size": "1Gi" }))),
        ("DELETE", "/api/allocations/trips", None),
    ] {
        assert_eq!(alice.send(method, path, body).await.outcome(), suspended, "{method} {path}");
    }
    assert!(kubernetes.written().is_empty());
    assert_eq!(alice.send("DELETE", "/api/session", None).await.status, 204, "one can always leave");
}
