//! Names and passwords with requests: whose they are is asked at a web pod, remembered, and forgotten.

use api::credential_check::{CheckOutcome, CredentialKind, CredentialScope, Right};
use api::generation::RosterGeneration;
use api::ids::SpaceId;
use api::keys::SigningKey;
use api::ticket::Access;
use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use roster::MemberState;
use uuid::Uuid;

use crate::web_pod::WebPod;
use crate::world::{Answer, Pod, World};

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}

/// A request with this `Authorization`, as a proxy forwards it that ends TLS.
async fn ask(pod: &Pod, method: &str, space: SpaceId, path: &str, authorization: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/v1/spaces/{space}/{path}"))
        .header("authorization", authorization)
        .header("x-forwarded-proto", "https");
    let body = if method == "PUT" { Body::from("content") } else { Body::empty() };
    pod.send(request.body(body).unwrap()).await
}

#[tokio::test]
async fn one_password_opens_all_spaces_of_a_member_and_is_asked_about_once() {
    let mut world = World::new();
    let web = WebPod::start(&mut world).await;
    let pod = world.pod().await;
    let (alice, bob) = (basic("alice", "secret"), basic("bob", "secret"));
    let requests = (0..16).map(|number| {
        let (pod, alice, path) = (&pod, &alice, format!("files/{number}"));
        let space = world.own("alice");
        async move { ask(pod, "PUT", space, &path, alice).await.status.as_u16() }
    });
    assert_eq!(futures::future::join_all(requests).await, [201; 16]);
    assert_eq!(web.asked(), 1, "one asks, and the others wait for the answer");
    assert_eq!(ask(&pod, "PUT", world.group.space, "files/a", &alice).await.status, 201);
    assert_eq!(web.asked(), 1);
    assert_eq!(ask(&pod, "GET", world.group.space, "files/a", &bob).await.body, b"content");
    assert_eq!(web.asked(), 2);
    let theirs = ask(&pod, "GET", world.own("alice"), "files/0", &bob).await;
    assert_eq!(theirs.outcome(), (403, "forbidden".to_owned()));
    let viewer = ask(&pod, "PUT", world.group.space, "files/b", &basic("carol", "secret")).await;
    assert_eq!(viewer.outcome(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_asked_about_again_at_once() {
    let mut world = World::new();
    let web = WebPod::start(&mut world).await;
    let pod = world.pod().await;
    let space = world.own("alice");
    for (name, password, asked) in
        [("alice", "guess", 1), ("alice", "guess", 1), ("alice", "other", 2), ("nobody", "secret", 3)]
    {
        let refused = ask(&pod, "GET", space, "list/", &basic(name, password)).await;
        assert_eq!(refused.outcome(), (401, "wrong-credentials".to_owned()), "{name} {password}");
        assert!(refused.header("www-authenticate").starts_with("Basic realm="), "{refused:?}");
        assert_eq!(web.asked(), asked, "{name} {password}");
    }
    for junk in ["Basic", "Basic ", "Basic ????", "Basic YWxpY2U=", &format!("basic {}", "A".repeat(9000))] {
        let refused = ask(&pod, "GET", space, "list/", junk).await;
        assert_eq!(refused.status, 401, "{junk}");
    }
    assert_eq!(web.asked(), 3, "what is no name and password is not asked about");
}

#[tokio::test]
async fn what_is_remembered_is_forgotten_when_credentials_change() {
    let mut world = World::new();
    let web = WebPod::start(&mut world).await;
    let pod = world.pod().await;
    let (space, alice) = (world.own("alice"), basic("alice", "secret"));
    assert_eq!(ask(&pod, "GET", space, "list/", &alice).await.status, 200);
    web.says(|_| CheckOutcome::Wrong);
    assert_eq!(ask(&pod, "GET", space, "list/", &alice).await.status, 200, "still remembered");
    world.credentials = RosterGeneration(1);
    pod.knows(world.publish()).await;
    assert_eq!(ask(&pod, "GET", space, "list/", &alice).await.status, 401, "the password is another now");
    assert_eq!(web.last().at_least, RosterGeneration(1), "older credentials would not do");
    assert_eq!(web.asked(), 2);

    let bob = basic("bob", "secret");
    let uid = world.members["bob"].uid;
    web.says(move |_| {
        CheckOutcome::Right(Right {
            member: uid,
            kind: CredentialKind::Password,
            access: Access::ReadWrite,
            scope: None,
            remember_seconds: 60,
        })
    });
    assert_eq!(ask(&pod, "GET", world.own("bob"), "list/", &bob).await.status, 200);
    world.members.get_mut("bob").unwrap().state = MemberState::Suspended;
    pod.knows(world.publish()).await;
    let suspended = ask(&pod, "GET", world.own("bob"), "list/", &bob).await;
    assert_eq!(suspended.outcome(), (403, "member-suspended".to_owned()), "the roster counts at once");
}

#[tokio::test]
async fn without_tls_a_password_is_not_even_looked_at() {
    let mut world = World::new();
    let web = WebPod::start(&mut world).await;
    let pod = world.pod().await;
    let space = world.own("alice");
    let request = |headers: &[(&str, &str)]| {
        let mut request = Request::get(format!("/v1/spaces/{space}/list/"))
            .header("authorization", basic("alice", "secret"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    };
    let peer = |mut request: Request<Body>, address: &str| {
        request.extensions_mut().insert(serve::Peer(address.parse().unwrap()));
        request
    };
    for (what, request) in [
        ("a network", peer(request(&[]), "192.0.2.1:1000")),
        ("nobody knows where from", request(&[])),
        ("a proxy without TLS", peer(request(&[("x-forwarded-proto", "http")]), "127.0.0.1:1000")),
        ("two proxies", request(&[("x-forwarded-proto", "http, https")])),
    ] {
        let refused = pod.send(request).await;
        assert_eq!(refused.outcome(), (403, "forbidden".to_owned()), "{what}");
        assert!(refused.json()["detail"].as_str().unwrap().contains("https://"), "{what}");
    }
    let elsewhere = request(&[("x-forwarded-proto", "https"), ("sec-fetch-site", "cross-site")]);
    assert_eq!(pod.send(elsewhere).await.status, 403, "a page of another site");
    assert_eq!(web.asked(), 0);
    assert_eq!(pod.send(peer(request(&[]), "127.0.0.1:1000")).await.status, 200, "this machine");
    assert_eq!(web.last().address, Some("127.0.0.1".parse().unwrap()));
    world.settings.passwords_without_tls = true;
    let allowed = peer(request(&[]), "192.0.2.1:1000");
    pod.knows(world.publish()).await;
    assert_eq!(pod.send(allowed).await.status, 200);
}

#[tokio::test]
async fn a_password_is_good_for_what_the_web_pod_says_and_no_more() {
    let mut world = World::new();
    let web = WebPod::start(&mut world).await;
    let pod = world.pod().await;
    let (alice, own, group) = (basic("alice", "secret"), world.own("alice"), world.group.space);
    for path in ["shared/a", "b"] {
        assert_eq!(ask(&pod, "PUT", own, &format!("files/{path}?parents=true"), &alice).await.status, 201);
    }
    let member = world.members["alice"].uid;
    let right = move |access, scope: Option<CredentialScope>| {
        let kind = CredentialKind::AppPassword { id: Uuid::nil() };
        CheckOutcome::Right(Right { member, kind, access, scope, remember_seconds: 60 })
    };
    web.says(move |question| match question.password.as_str() {
        "reads" => right(Access::Read, None),
        "one" => right(Access::ReadWrite, Some(CredentialScope { space: own, path: None })),
        _ => right(Access::ReadWrite, Some(CredentialScope { space: own, path: Some("shared".to_owned()) })),
    });
    for (password, method, space, path, status) in [
        ("reads", "GET", own, "files/b", 200),
        ("reads", "PUT", own, "files/c", 403),
        ("one", "PUT", own, "files/c", 201),
        ("one", "GET", group, "list/", 403),
        ("path", "GET", own, "files/shared/a", 200),
        ("path", "GET", own, "files/b", 403),
        ("path", "PUT", own, "files/d", 403),
    ] {
        let answer = ask(&pod, method, space, path, &basic("alice", password)).await;
        assert_eq!(answer.status, status, "{password} {method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_believed_opens_nothing() {
    let mut world = World::new();
    let web = WebPod::start(&mut world).await;
    let pod = world.pod().await;
    let (space, alice) = (world.own("alice"), basic("alice", "secret"));
    let refused = async |what: &str| {
        let answer = ask(&pod, "GET", space, "list/", &alice).await;
        assert_eq!(answer.outcome(), (503, "no-ready-server".to_owned()), "{what}");
        assert_eq!(answer.header("retry-after"), "1", "{what}");
    };
    web.signs_with(&SigningKey::generate().unwrap());
    refused("a key that is no web pod's").await;
    web.signs_with(&world.tickets);
    web.bends(Some(|checked| checked.nonce = Uuid::nil()));
    refused("the answer to another question").await;
    web.bends(Some(|checked| checked.cluster.0 = Uuid::nil()));
    refused("the answer of another internet disk").await;
    web.bends(None);
    assert_eq!(ask(&pod, "GET", space, "list/", &alice).await.status, 200);

    web.says(|_| CheckOutcome::Limited { wait_seconds: 7 });
    let limited = ask(&pod, "GET", space, "list/", &basic("alice", "guess")).await;
    assert_eq!(limited.outcome(), (429, "too-many-requests".to_owned()));
    assert!(matches!(limited.header("retry-after"), "6" | "7"), "{limited:?}");

    drop(web);
    let remembered = ask(&pod, "GET", space, "list/", &alice).await;
    assert_eq!(remembered.status, 200, "nobody needs to be asked");
    let away = ask(&pod, "GET", space, "list/", &basic("bob", "secret")).await;
    assert_eq!(away.outcome(), (503, "no-ready-server".to_owned()));
    world.settings.web_internal = None;
    pod.knows(world.publish()).await;
    let nobody = ask(&pod, "GET", space, "list/", &basic("bob", "secret")).await;
    assert_eq!(nobody.outcome(), (503, "no-ready-server".to_owned()));
}
