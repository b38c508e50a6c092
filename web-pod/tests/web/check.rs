//! What disk pods ask about names and passwords, on the private port.

use api::call;
use api::credential_check::{CheckOutcome, Checked, CredentialAnswer, CredentialCheck, CredentialKind};
use api::generation::RosterGeneration;
use api::keys::{SigningKey, Trust, purpose, verify};
use axum::body::Body;
use http::Request;
use roster::MemberState;
use uuid::Uuid;

use crate::world::{Answer, PASSWORD, Pod, World};

fn question(name: &str, password: &str) -> CredentialCheck {
    CredentialCheck {
        nonce: Uuid::new_v4(),
        name: name.to_owned(),
        password: password.to_owned(),
        address: Some("192.0.2.1".parse().unwrap()),
        at_least: RosterGeneration(0),
    }
}

async fn put(pod: &Pod, token: &str, body: Vec<u8>) -> Answer {
    let request = Request::post("/v1/credentials")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    crate::world::answer(&pod.internal, request.body(Body::from(body)).unwrap()).await
}

async fn ask(world: &World, pod: &Pod, question: &CredentialCheck) -> Answer {
    let body = serde_json::to_vec(question).unwrap();
    let token = call::authorise(&world.disk, purpose::CREDENTIAL_CHECK, world.cluster, &body).unwrap();
    put(pod, &token, body).await
}

fn read(world: &World, answer: &Answer) -> Checked {
    assert_eq!(answer.status, 200, "{answer:?}");
    let CredentialAnswer { token } = serde_json::from_slice(&answer.body).unwrap();
    verify(&token, purpose::CREDENTIAL_ANSWER, &Trust::new([world.ticket.clone()])).unwrap()
}

#[tokio::test]
async fn whose_a_password_is_is_told_to_disk_pods() {
    let mut world = World::new();
    let pod = world.pod().await;
    let asked = question("alice", PASSWORD);
    let checked = read(&world, &ask(&world, &pod, &asked).await);
    assert_eq!((checked.cluster, checked.nonce), (world.cluster, asked.nonce));
    let CheckOutcome::Right(right) = checked.outcome else { panic!("{checked:?}") };
    assert_eq!((right.member, right.kind), (world.members["alice"].uid, CredentialKind::Password));
    assert!(right.scope.is_none() && right.remember_seconds <= 60);
    for (name, password) in [("alice", "guess"), ("nobody", PASSWORD), ("", ""), ("앨리스", PASSWORD)] {
        let checked = read(&world, &ask(&world, &pod, &question(name, password)).await);
        assert_eq!(checked.outcome, CheckOutcome::Wrong, "{name}");
    }
    world.members.get_mut("bob").unwrap().state = MemberState::Suspended;
    world.publish();
    pod.knows(&world).await;
    let checked = read(&world, &ask(&world, &pod, &question("bob", PASSWORD)).await);
    assert!(matches!(checked.outcome, CheckOutcome::Right(_)), "the disk pod says that he is suspended");
}

#[tokio::test]
async fn nobody_else_is_told() {
    let world = World::new();
    let pod = world.pod().await;
    let body = serde_json::to_vec(&question("alice", PASSWORD)).unwrap();
    let sign =
        |key: &SigningKey, purpose, body: &[u8]| call::authorise(key, purpose, world.cluster, body).unwrap();
    let check = purpose::CREDENTIAL_CHECK;
    for (what, token) in [
        ("no token", String::new()),
        ("another key", sign(&SigningKey::generate().unwrap(), check, &body)),
        ("the operator", sign(&world.operator, check, &body)),
        ("another purpose", sign(&world.disk, purpose::LIMITS, &body)),
        ("another body", sign(&world.disk, check, b"{}")),
    ] {
        let refused = put(&pod, &token, body.clone()).await;
        assert_eq!(refused.outcome(), (401, "unauthenticated".to_owned()), "{what}");
    }
    let junk = put(&pod, &sign(&world.disk, check, b"{}"), b"{}".to_vec()).await;
    assert_eq!(junk.outcome(), (400, "bad-request".to_owned()));
    let outside = Request::post("/v1/credentials").body(Body::empty()).unwrap();
    assert_ne!(pod.send(outside).await.status, 200, "the public port knows nothing of it");
}

#[tokio::test]
async fn guessing_is_slowed_down_by_account_and_by_the_address_of_the_client() {
    let world = World::new();
    let pod = world.pod().await;
    for _ in 0..10 {
        let checked = read(&world, &ask(&world, &pod, &question("alice", "guess")).await);
        assert_eq!(checked.outcome, CheckOutcome::Wrong);
    }
    let checked = read(&world, &ask(&world, &pod, &question("alice", PASSWORD)).await);
    let CheckOutcome::Limited { wait_seconds } = checked.outcome else { panic!("{checked:?}") };
    assert!((1..=10).contains(&wait_seconds), "{wait_seconds}");
    let page = pod.stranger().sign_in("alice", PASSWORD).await;
    assert_eq!(page.status, 429, "the page and programs share one count");
}

#[tokio::test]
async fn credentials_that_the_disk_pod_knows_to_be_old_are_not_looked_at() {
    let mut world = World::new();
    let pod = world.pod().await;
    let newer = CredentialCheck { at_least: RosterGeneration(2), ..question("alice", PASSWORD) };
    let behind = ask(&world, &pod, &newer).await;
    assert_eq!(behind.outcome(), (503, "no-ready-server".to_owned()));
    world.publish();
    // It is read within half a second, and waited for.
    let checked = read(&world, &ask(&world, &pod, &newer).await);
    assert!(checked.generation >= RosterGeneration(2), "{checked:?}");
}
