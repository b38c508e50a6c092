//! The private port: the load report, and limits that only the operator may set.

use api::bytes::Bytes;
use api::generation::RosterGeneration;
use api::ids::{ClusterUid, SpaceId};
use api::keys::{self, SigningKey, purpose};
use api::limits::{LimitOutcome, LimitWanted, LimitsAnswer, LimitsClaims, LimitsRequest};
use api::load::LoadReport;
use axum::body::Body;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::world::{Answer, MIB, Pod, World, answer, volume_name};

fn wanted(space: SpaceId, target: u64, ceiling: u64) -> LimitWanted {
    LimitWanted { space, volume: volume_name(), target: Bytes(target), ceiling: Bytes(ceiling) }
}

fn claims(cluster: ClusterUid, body: &str) -> LimitsClaims {
    LimitsClaims {
        cluster,
        expires: Timestamp::now() + SignedDuration::from_mins(1),
        body: blake3::hash(body.as_bytes()).to_hex().to_string(),
    }
}

async fn post(pod: &Pod, token: Option<String>, body: String) -> Answer {
    let mut request = Request::post("/v1/limits").header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    answer(&pod.internal, request.body(Body::from(body)).unwrap()).await
}

async fn set(world: &World, pod: &Pod, generation: u64, limits: Vec<LimitWanted>) -> Vec<LimitOutcome> {
    let request =
        LimitsRequest { cluster: world.cluster, roster_generation: RosterGeneration(generation), limits };
    let body = serde_json::to_string(&request).unwrap();
    let token = keys::sign(&world.operator, purpose::LIMITS, &claims(world.cluster, &body)).unwrap();
    let answer = post(pod, Some(token), body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer: LimitsAnswer = serde_json::from_slice(&answer.body).unwrap();
    answer.results.into_iter().map(|result| result.outcome).collect()
}

#[tokio::test]
async fn the_load_report_is_made_from_memory() {
    let world = World::new();
    let pod = world.pod().await;
    world.client(&pod, "alice").put("a", "content").await;
    let running = pod.app.load.request();
    let request = || Request::get("/v1/load").body(Body::empty()).unwrap();
    let report: LoadReport = serde_json::from_slice(&answer(&pod.internal, request()).await.body).unwrap();
    assert_eq!(report.pod.as_str(), "demo-disk-0");
    assert_eq!((report.in_flight, report.bytes_in_flight, report.draining), (1, 0, false));
    assert_eq!(report.volumes[0].name, volume_name());
    assert!(report.volumes[0].canary_age_ms.is_some());
    assert!(report.volumes[0].free > Bytes::ZERO);
    assert!(report.latency.small_us.is_some());
    assert!(report.spaces_loaded >= 1);
    assert!(report.capacity_hint > 0);
    drop(running);
    pod.shutdown.drain();
    let report: LoadReport = serde_json::from_slice(&answer(&pod.internal, request()).await.body).unwrap();
    assert_eq!((report.in_flight, report.draining), (0, true));
}

#[tokio::test]
async fn limits_are_committed_by_roster_generation() {
    let world = World::new();
    let pod = world.pod().await;
    let space = world.own("alice");
    let alice = world.client(&pod, "alice");
    assert_eq!(alice.send("PUT", "files/a", &[], vec![1; MIB as usize]).await.status, 201);

    let outcome = set(&world, &pod, 100, vec![wanted(space, 2 * MIB, 2 * MIB)]).await;
    assert!(
        matches!(&outcome[..], [LimitOutcome::Committed { limit: Bytes(limit), used: Bytes(used), .. }]
            if *limit == 2 * MIB && *used == MIB),
        "{outcome:?}"
    );
    let again = set(&world, &pod, 100, vec![wanted(space, 2 * MIB, 2 * MIB)]).await;
    assert!(matches!(again[..], [LimitOutcome::Committed { .. }]), "{again:?}");
    let older = set(&world, &pod, 99, vec![wanted(space, 8 * MIB, 8 * MIB)]).await;
    assert!(
        matches!(older[..], [LimitOutcome::Superseded { roster_generation: RosterGeneration(100) }]),
        "{older:?}"
    );
    // Taken back as far as it is not in use.
    let lowered = set(&world, &pod, 101, vec![wanted(space, 0, 2 * MIB)]).await;
    assert!(
        matches!(lowered[..], [LimitOutcome::Committed { limit: Bytes(limit), .. }] if limit == MIB),
        "{lowered:?}"
    );
    assert_eq!(alice.put("b", "more").await.outcome(), (507, "quota-exceeded".to_owned()));
}

#[tokio::test]
async fn a_batch_answers_for_each() {
    let world = World::new();
    let pod = world.pod().await;
    let nowhere = LimitWanted { volume: "zzz".parse().unwrap(), ..wanted(world.own("bob"), MIB, MIB) };
    let fresh = wanted(SpaceId(Uuid::new_v4()), MIB, MIB);
    let outcomes = set(&world, &pod, 200, vec![wanted(world.own("alice"), MIB, MIB), nowhere, fresh]).await;
    assert!(
        matches!(
            &outcomes[..],
            [LimitOutcome::Committed { .. }, LimitOutcome::Failed { reason }, LimitOutcome::Committed { .. }]
                if reason.contains("zzz")
        ),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn nobody_but_the_operator_sets_limits() {
    let world = World::new();
    let pod = world.pod().await;
    let request = LimitsRequest {
        cluster: world.cluster,
        roster_generation: RosterGeneration(500),
        limits: vec![wanted(world.own("alice"), 1 << 40, 1 << 40)],
    };
    let body = serde_json::to_string(&request).unwrap();
    let good = claims(world.cluster, &body);
    let sign =
        |key: &SigningKey, purpose, claims: &LimitsClaims| Some(keys::sign(key, purpose, claims).unwrap());
    let stranger = SigningKey::generate().unwrap();
    let expired = LimitsClaims { expires: Timestamp::now() - SignedDuration::from_mins(2), ..good.clone() };
    let elsewhere = LimitsClaims { cluster: ClusterUid(Uuid::new_v4()), ..good.clone() };
    let other_body = claims(world.cluster, "{}");
    for (what, token, status, code) in [
        ("no token", None, 401, "unauthenticated"),
        ("a stranger", sign(&stranger, purpose::LIMITS, &good), 401, "ticket-invalid"),
        ("a web pod", sign(&world.tickets, purpose::LIMITS, &good), 401, "ticket-invalid"),
        ("another purpose", sign(&world.operator, purpose::ROSTER, &good), 401, "ticket-invalid"),
        ("expired", sign(&world.operator, purpose::LIMITS, &expired), 401, "ticket-expired"),
        ("another DiskCluster", sign(&world.operator, purpose::LIMITS, &elsewhere), 401, "ticket-invalid"),
        ("another body", sign(&world.operator, purpose::LIMITS, &other_body), 401, "ticket-invalid"),
        ("a ticket", Some(world.ticket("alice", world.own("alice"))), 401, "ticket-invalid"),
    ] {
        let refused = post(&pod, token, body.clone()).await;
        assert_eq!(refused.outcome(), (status, code.to_owned()), "{what}: {refused:?}");
    }
    let junk = "{\"limits\": 7}".to_owned();
    let token = sign(&world.operator, purpose::LIMITS, &claims(world.cluster, &junk));
    assert_eq!(post(&pod, token, junk).await.outcome(), (400, "bad-request".to_owned()));
    let usage = world.client(&pod, "alice").send("GET", "usage", &[], "").await.json();
    assert_eq!(usage["limit"], 8 * MIB);
}

#[tokio::test]
async fn members_find_nothing_there_and_the_others_nothing_here() {
    let world = World::new();
    let pod = world.pod().await;
    let request = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(pod.send(request("/v1/load")).await.outcome(), (404, "not-found".to_owned()));
    assert_eq!(pod.send(request("/v1/limits")).await.status, 404);
    assert_eq!(pod.send(request("/metrics")).await.status, 404);
    assert_eq!(answer(&pod.internal, request("/v1/ping")).await.status, 404);
    assert_eq!(
        answer(&pod.internal, request("/v1/limits")).await.outcome(),
        (405, "method-not-allowed".to_owned())
    );
}
