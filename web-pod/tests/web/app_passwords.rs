//! Passwords for programs: made, listed, used, revoked.

use api::call;
use api::credential_check::{CheckOutcome, Checked, CredentialAnswer, CredentialCheck, CredentialKind};
use api::generation::RosterGeneration;
use api::keys::{Trust, purpose, verify};
use api::ticket::Access;
use axum::body::Body;
use http::Request;
use roster::credentials::AppPasswords;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kubernetes::Kubernetes;
use crate::world::{PASSWORD, Pod, World, answer};

async fn check(world: &World, pod: &Pod, name: &str, password: &str) -> CheckOutcome {
    let question = CredentialCheck {
        nonce: Uuid::new_v4(),
        name: name.to_owned(),
        password: password.to_owned(),
        address: None,
        at_least: RosterGeneration(0),
    };
    let body = serde_json::to_vec(&question).unwrap();
    let token = call::authorise(&world.disk, purpose::CREDENTIAL_CHECK, world.cluster, &body).unwrap();
    let request = Request::post("/v1/credentials").header("authorization", format!("Bearer {token}"));
    let answer = answer(&pod.internal, request.body(Body::from(body)).unwrap()).await;
    let CredentialAnswer { token } = serde_json::from_slice(&answer.body).unwrap();
    let trust = Trust::new([world.ticket.clone()]);
    verify::<Checked>(&token, purpose::CREDENTIAL_ANSWER, &trust).unwrap().outcome
}

/// What the operator does with what web pods have written.
async fn publish(world: &mut World, kubernetes: &Kubernetes, pods: &[&Pod]) {
    world.apps = kubernetes.app_passwords();
    world.publish();
    for pod in pods {
        pod.knows(world).await;
    }
}

#[tokio::test]
async fn one_is_shown_once_used_at_every_web_pod_and_revoked() {
    let mut world = World::new();
    let kubernetes = Kubernetes::start(&world).await;
    let here = world.pod_with(Some(kubernetes.self_service())).await;
    let there = world.pod().await;
    let alice = world.signed_in(&here, "alice");
    let made = alice.send("POST", "/api/app-passwords", Some(json!({ "name": " laptop " }))).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.header("cache-control"), "no-store");
    let password = made.json()["password"].as_str().unwrap().to_owned();
    let written = kubernetes.written();
    assert!(written.iter().all(|one| !one.body.to_string().contains(&password)), "only a hash is kept");
    let wish = json!({ "name": "reader", "access": "Read", "space": world.groups["trips"].space });
    let reader = alice.send("POST", "/api/app-passwords", Some(wish)).await.json();
    publish(&mut world, &kubernetes, &[&here, &there]).await;

    for pod in [&here, &there] {
        let CheckOutcome::Right(right) = check(&world, pod, "alice", &password).await else { panic!() };
        assert_eq!(right.member, world.members["alice"].uid);
        let id: Uuid = made.json()["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(right.kind, CredentialKind::AppPassword { id });
        assert_eq!((right.access, right.scope), (Access::ReadWrite, None));
        let own = check(&world, pod, "alice", PASSWORD).await;
        assert!(matches!(own, CheckOutcome::Right(_)), "beside the own password");
        assert_eq!(check(&world, pod, "bob", &password).await, CheckOutcome::Wrong, "it is of alice alone");
    }
    let text = reader["password"].as_str().unwrap();
    let CheckOutcome::Right(right) = check(&world, &there, "alice", text).await else { panic!() };
    assert_eq!(right.access, Access::Read);
    assert_eq!(right.scope.unwrap().space, world.groups["trips"].space);

    let used = async {
        loop {
            let listed = alice.get("/api/app-passwords").await.json();
            let passwords = listed["passwords"].as_array().unwrap().clone();
            if passwords.iter().any(|one| one["lastUsed"].is_string()) {
                return (listed, passwords);
            }
            tokio::task::yield_now().await;
        }
    };
    let (listed, passwords) = tokio::time::timeout(crate::world::PATIENCE, used).await.unwrap();
    let names: Vec<&Value> = passwords.iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["laptop", "reader"]);
    assert_eq!(listed["maximum"], 20);
    assert!(!listed.to_string().contains(&password) && !listed.to_string().contains("hash"), "{listed}");

    let path = format!("/api/app-passwords/{}", made.json()["id"].as_str().unwrap());
    let bob = world.signed_in(&here, "bob");
    assert_eq!(bob.send("DELETE", &path, None).await.status, 404, "it is of alice");
    assert_eq!(alice.send("DELETE", &path, None).await.status, 204);
    assert_eq!(alice.send("DELETE", &path, None).await.status, 404);
    publish(&mut world, &kubernetes, &[&here, &there]).await;
    assert_eq!(check(&world, &there, "alice", &password).await, CheckOutcome::Wrong);
    let page = here.stranger().sign_in("alice", text).await;
    assert_eq!(page.status, 401, "the page takes none");
}

#[tokio::test]
async fn wishes_that_are_not_granted_change_nothing() {
    let mut world = World::new();
    world.settings.app_passwords.maximum = 2;
    world.publish();
    let kubernetes = Kubernetes::start(&world).await;
    let pod = world.pod_with(Some(kubernetes.self_service())).await;
    let alice = world.signed_in(&pod, "alice");
    let theirs = world.members["bob"].space;
    for (wish, outcome) in [
        (json!({ "name": "  " }), (400, "bad-request")),
        (json!({ "name": "x".repeat(65) }), (400, "bad-request")),
        (json!({ "name": "a\nb" }), (400, "bad-request")),
        (json!({ "name": "a", "space": theirs }), (404, "not-found")),
        (json!({ "name": "a", "access": "Everything" }), (400, "bad-request")),
        (json!({ "name": "a", "member": "bob" }), (400, "bad-request")),
    ] {
        let refused = alice.send("POST", "/api/app-passwords", Some(wish.clone())).await;
        assert_eq!(refused.outcome(), (outcome.0, outcome.1.to_owned()), "{wish}");
    }
    assert!(kubernetes.app_passwords().is_empty());
    kubernetes.api().conflicts = 2;
    for status in [201, 201, 409] {
        let answer = alice.send("POST", "/api/app-passwords", Some(json!({ "name": "a" }))).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let written: Vec<AppPasswords> = kubernetes.app_passwords().into_values().collect();
    assert_eq!(
        written.iter().map(|shard| shard.passwords.len()).sum::<usize>(),
        2,
        "in spite of the conflicts"
    );
    assert_eq!(pod.stranger().get("/api/app-passwords").await.status, 401);
    world.settings.app_passwords.enabled = false;
    publish(&mut world, &kubernetes, &[&pod]).await;
    let off = alice.send("POST", "/api/app-passwords", Some(json!({ "name": "a" }))).await;
    assert_eq!(off.outcome(), (403, "forbidden".to_owned()));
    let password = kubernetes.app_passwords();
    assert!(!password.is_empty());

    let alone = world.pod().await;
    let away = world.signed_in(&alone, "alice");
    let refused = away.send("DELETE", &format!("/api/app-passwords/{}", Uuid::nil()), None).await;
    assert_eq!(refused.outcome(), (503, "control-plane-away".to_owned()));
    let listed = away.get("/api/app-passwords").await;
    assert_eq!(listed.json()["passwords"].as_array().unwrap().len(), 2, "as it was published");
}
