//! Signing in, sessions, and what a stranger can learn.

use std::time::{Duration, Instant};

use api::keys::{SigningKey, purpose, sign};
use axum::body::Body;
use http::Request;
use roster::MemberState;
use serde_json::json;

use crate::world::{Answer, Client, PASSWORD, World, hashed};

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_is_good_at_every_web_pod() {
    let world = World::new();
    let (here, there) = (world.pod().await, world.pod().await);
    let answer = here.stranger().sign_in("alice", PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["member"]["name"], "alice");
    assert_eq!(answer.json()["member"]["displayName"], "alice of the tests");
    assert_eq!(answer.header("cache-control"), "no-store");
    let attributes = answer.header("set-cookie");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Max-Age="] {
        assert!(attributes.contains(attribute), "{attributes}");
    }
    let alice = Client { pod: &here, cookie: Some(cookie(&answer)) };
    for pod in [&here, &there] {
        let who = alice.at(pod).get("/api/session").await;
        assert_eq!(who.status, 200, "{who:?}");
        assert_eq!(who.json()["member"], answer.json()["member"]);
    }
    let ended = alice.send("DELETE", "/api/session", None).await;
    assert_eq!(ended.status, 204);
    assert!(ended.header("set-cookie").contains("Max-Age=0"), "{ended:?}");
}

#[tokio::test]
async fn over_https_the_cookie_is_for_https_alone() {
    let mut world = World::new();
    world.settings.web_url = Some("https://disk.example.org".to_owned());
    world.publish();
    let pod = world.pod().await;
    let answer = pod.stranger().sign_in("alice", PASSWORD).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"), "{answer:?}");
}

#[tokio::test]
async fn who_is_unknown_and_who_errs_are_told_the_same_in_the_same_time() {
    let mut world = World::new();
    world.verifiers.remove("dave");
    world.publish();
    let pod = world.pod().await;
    let mut told = Vec::new();
    let mut took = [Duration::ZERO; 3];
    for round in 0..9 {
        let unknown = format!("nobody-{round}");
        for (kind, name) in ["alice", "dave", unknown.as_str()].into_iter().enumerate() {
            let before = computed();
            let answer = pod.stranger().sign_in(name, "wrong").await;
            took[kind] += computed().saturating_sub(before);
            assert_eq!(answer.outcome(), (401, "wrong-credentials".to_owned()));
            assert!(answer.header("set-cookie").is_empty());
            told.push(answer.body);
        }
    }
    assert!(told.iter().all(|body| *body == told[0]), "all are told the same");
    let [known, without, unknown] = took;
    for (who, other) in [("without a password", without), ("unknown", unknown)] {
        assert!(known.abs_diff(other) < known.max(other) / 3, "known {known:?}, {who} {other:?}");
    }
}

/// What the threads of this process have computed: unlike a clock, it does not count what other processes do.
fn computed() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let spent = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    let nanoseconds = spent.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok());
    Duration::from_nanos(nanoseconds.sum())
}

#[tokio::test]
async fn guessing_is_slowed_down_before_anything_is_computed() {
    let world = World::new();
    let pod = world.pod().await;
    for _ in 0..10 {
        assert_eq!(pod.stranger().sign_in("alice", "wrong").await.status, 401);
    }
    let begun = Instant::now();
    for _ in 0..50 {
        let limited = pod.stranger().sign_in("alice", PASSWORD).await;
        assert_eq!(limited.outcome(), (429, "too-many-requests".to_owned()));
        assert!(limited.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?} for 50 refusals", begun.elapsed());
    assert_eq!(pod.stranger().sign_in("bob", PASSWORD).await.status, 200, "others are not held up");
}

#[tokio::test]
async fn sessions_that_do_not_count() {
    let world = World::new();
    let pod = world.pod().await;
    let good = world.claims("alice");
    let changed = |field: &str, value: serde_json::Value| {
        let mut claims = good.clone();
        claims[field] = value;
        claims
    };
    let session = |claims: &serde_json::Value| sign(&world.session, purpose::SESSION, claims).unwrap();
    let stranger = SigningKey::generate().unwrap();
    let cases = [
        ("a stranger's", sign(&stranger, purpose::SESSION, &good).unwrap()),
        ("a ticket in its place", sign(&world.session, purpose::TICKET, &good).unwrap()),
        ("of another DiskCluster", session(&changed("cluster", json!(uuid::Uuid::new_v4())))),
        ("of nobody", session(&changed("member", json!(uuid::Uuid::new_v4())))),
        ("of an old password", session(&changed("credential", json!(7)))),
        ("over", session(&changed("expires", json!("2020-01-01T00:00:00Z")))),
        ("with a field too many", session(&changed("admin", json!(true)))),
        ("junk", "v4.public.junk".to_owned()),
        ("empty", String::new()),
    ];
    for (what, token) in cases {
        let client = Client { pod: &pod, cookie: Some(format!("internet-disk-session={token}")) };
        for path in ["/api/session", "/api/spaces"] {
            let answer = client.get(path).await;
            assert_eq!(answer.outcome(), (401, "unauthenticated".to_owned()), "{what}: {path}");
        }
    }
    assert_eq!(world.signed_in(&pod, "alice").get("/api/session").await.status, 200);
    assert_eq!(pod.stranger().get("/api/session").await.status, 401);
}

#[tokio::test]
async fn a_new_password_ends_old_sessions_and_suspension_counts_at_once() {
    let mut world = World::new();
    let pod = world.pod().await;
    let (alice, bob) = (world.signed_in(&pod, "alice"), world.signed_in(&pod, "bob"));
    world.verifiers.insert("alice", hashed("another password"));
    world.members.get_mut("bob").unwrap().state = MemberState::Suspended;
    world.publish();
    pod.knows(&world).await;
    assert_eq!(alice.get("/api/session").await.outcome(), (401, "unauthenticated".to_owned()));
    assert_eq!(pod.stranger().sign_in("alice", PASSWORD).await.status, 401);
    assert_eq!(pod.stranger().sign_in("alice", "another password").await.status, 200);

    let suspended = (403, "member-suspended".to_owned());
    assert_eq!(bob.get("/api/spaces").await.outcome(), suspended);
    assert_eq!(pod.stranger().sign_in("bob", PASSWORD).await.outcome(), suspended);
    let wrong = pod.stranger().sign_in("bob", "wrong").await;
    assert_eq!(wrong.status, 401, "a stranger does not learn who is suspended");
}

#[tokio::test]
async fn what_another_site_sends_changes_nothing() {
    let mut world = World::new();
    world.settings.web_url = Some("http://disk.localhost:8080".to_owned());
    world.publish();
    let pod = world.pod().await;
    let cookie = world.signed_in(&pod, "alice").cookie.unwrap();
    let send = |headers: &[(&str, &str)]| {
        let mut request = Request::delete("/api/allocations/trips").header("cookie", &cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        pod.send(request.body(Body::empty()).unwrap())
    };
    let ours = ("x-requested-with", "internet-disk");
    for headers in [
        &[][..],
        &[("x-requested-with", "XMLHttpRequest")],
        &[ours, ("origin", "http://evil.example")],
        &[ours, ("origin", "http://0.files.localhost:8080")],
        &[ours, ("sec-fetch-site", "same-site")],
    ] {
        let refused = send(headers).await;
        assert_eq!(refused.outcome(), (403, "forbidden".to_owned()), "{headers:?}");
    }
    let passed = send(&[ours, ("origin", "http://disk.localhost:8080"), ("host", "x")]).await;
    assert_ne!(passed.outcome().1, "forbidden", "{passed:?}");
}

#[tokio::test]
async fn bodies_that_are_none_are_told_without_quoting_them() {
    let world = World::new();
    let pod = world.pod().await;
    let send = |kind: &'static str, body: String| {
        let request = Request::post("/api/session")
            .header("content-type", kind)
            .header("x-requested-with", "internet-disk");
        pod.send(request.body(Body::from(body)).unwrap())
    };
    for (kind, body, status, code) in [
        ("text/plain", r#"{"member":"alice","password":"hush"}"#.to_owned(), 415, "unsupported-media-type"),
        ("application/json", r#"{"member":"alice","password":"hush""#.to_owned(), 400, "bad-request"),
        ("application/json", r#"{"member":"alice","password":["hush"]}"#.to_owned(), 400, "bad-request"),
        ("application/json", r#"{"member":"alice","password":"hush","x":1}"#.to_owned(), 400, "bad-request"),
        ("application/json", format!(r#"{{"member":"{}"}}"#, "hush".repeat(10_000)), 413, "too-large"),
    ] {
        let answer = send(kind, body).await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{answer:?}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("hush"), "{answer:?}");
    }
    let long = pod.stranger().sign_in(&"x".repeat(10_000), &"y".repeat(4000)).await;
    assert_eq!(long.outcome(), (401, "wrong-credentials".to_owned()));
}
