//! What the API server takes and what it refuses, and in which words: a table of objects and patches, tried as a dry
//! run against the real API server. Rules that one object decides stand in the definitions; who may do what, and what
//! crosses objects, in admission policies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

mod disk_clusters;
mod groups;
mod kubectl;
mod members;
mod others;
mod place;
mod self_service;
mod two_writers;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use internet_disk_e2e::wait;
use kube::Client;
use place::Place;
use serde_json::{Value, json};

/// One row of the table.
struct Case {
    what: &'static str,
    act: Act,
    /// A part of the message; none where it is taken.
    refused: Option<&'static str>,
}

/// What is tried.
#[derive(Clone)]
enum Act {
    Create { plural: &'static str, metadata: Value, spec: Value },
    Merge { path: String, patch: Value },
    Delete { path: String },
}

fn takes(what: &'static str, act: Act) -> Case {
    Case { what, act, refused: None }
}

fn refuses(what: &'static str, act: Act, words: &'static str) -> Case {
    Case { what, act, refused: Some(words) }
}

fn create(plural: &'static str, name: &str, spec: Value) -> Act {
    Act::Create { plural, metadata: json!({ "name": name }), spec }
}

/// A patch of the spec.
fn change(path: impl Into<String>, spec: Value) -> Act {
    Act::Merge { path: path.into(), patch: json!({ "spec": spec }) }
}

/// Adds to a spec; what is in both is taken from the addition.
fn with(mut spec: Value, more: Value) -> Value {
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    spec
}

/// Policies see other objects by a watch, some milliseconds late: what is to be refused may be taken for so long.
const LATE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(60);

async fn settled(place: &Place, client: &Client, act: &Act, refused: Option<&str>) -> Result<(), String> {
    let until = Instant::now() + LATE;
    loop {
        let answer = place.dry_run(client, act).await;
        if answer.is_err() || refused.is_none() || Instant::now() > until {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Tries all of them, prints what was said, and fails when something was not as it should be.
async fn try_all(place: &Place, client: &Client, cases: &[Case]) {
    if let Err(wrong) = attempt(place, client, cases).await {
        panic!("{wrong:#}");
    }
}

async fn attempt(place: &Place, client: &Client, cases: &[Case]) -> Result<()> {
    let mut wrong = Vec::new();
    for Case { what, act, refused } in cases {
        let answer = settled(place, client, act, *refused).await;
        let fits = match (&answer, refused) {
            (Ok(()), None) => true,
            (Err(said), Some(words)) => said.contains(words),
            (Ok(()), Some(_)) | (Err(_), None) => false,
        };
        let said = answer.err().unwrap_or_else(|| "taken".to_owned());
        println!("{} {what}: {said}", if fits { "ok   " } else { "WRONG" });
        if !fits {
            wrong.push(format!("{what}: {said}\n    expected: {}", refused.unwrap_or("taken")));
        }
    }
    ensure!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} cases as expected", cases.len());
    Ok(())
}

/// Tries what depends on a status, which the operator writes too: it may have the last word once or twice.
async fn try_with_status(place: &Place, client: &Client, statuses: &[(&str, Value)], cases: &[Case]) {
    wait::until("all of it is as expected", PATIENCE, async || {
        for (path, status) in statuses {
            place.set_status(path, status.clone()).await;
        }
        attempt(place, client, cases).await.map(Some)
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn members_alone() {
    let place = Place::make().await;
    try_all(&place, &place.client, &members::cases()).await;
    place.remove().await;
}

#[tokio::test]
async fn an_earlier_leadership_writes_no_status() {
    let place = Place::make().await;
    place.set_status("members/alice", json!({ "term": 70_000, "groups": 1 })).await;
    let said = |status: Value| Act::Merge {
        path: "members/alice/status".to_owned(),
        patch: json!({ "status": status }),
    };
    const LATER: &str = "a later leadership of the operator has written this status";
    let cases = [
        takes("a status of the same term", said(json!({ "term": 70_000, "groups": 2 }))),
        takes("one of a later term", said(json!({ "term": 70_001, "groups": 2 }))),
        takes("one that does not speak of the term", said(json!({ "lastSignInDay": "2026-01-01" }))),
        refuses("one of an earlier term", said(json!({ "term": 69_999, "groups": 2 })), LATER),
        refuses("one without a term", said(json!({ "term": null, "groups": 2 })), LATER),
    ];
    try_all(&place, &place.client, &cases).await;
    place.remove().await;
}

#[tokio::test]
async fn groups_alone() {
    let place = Place::make().await;
    try_all(&place, &place.client, &groups::cases()).await;
    place.remove().await;
}

#[tokio::test]
async fn disk_clusters_alone() {
    let place = Place::make().await;
    try_all(&place, &place.client, &disk_clusters::cases()).await;
    let drained = json!({ "volumes": [{ "name": "old", "state": "Drained" }] });
    try_with_status(&place, &place.client, &[("diskclusters/team", drained)], &disk_clusters::drained())
        .await;
    place.remove().await;
}

#[tokio::test]
async fn web_pods_are_held_to_self_service() {
    let place = Place::make().await;
    let web = place.account("web", self_service::rights()).await;
    try_all(&place, &web, &self_service::cases()).await;
    place.change("diskclusters/team", json!({ "signIn": { "newMembers": { "maximum": 3 } } })).await;
    let three = json!({ "members": { "total": 3 } });
    try_with_status(&place, &web, &[("diskclusters/team", three)], &self_service::when_full()).await;
    place.remove().await;
}

#[tokio::test]
async fn others_may_what_their_verbs_say() {
    let place = Place::make().await;
    for (name, rights, cases) in others::accounts() {
        let client = place.account(name, rights).await;
        try_all(&place, &client, &cases).await;
    }
    place.remove().await;
}

#[tokio::test]
async fn what_others_rely_on_has_to_be_confirmed() {
    let place = Place::make().await;
    let statuses = [
        ("groups/design", json!({ "participants": 2, "used": "3Gi" })),
        ("members/carol", json!({ "used": "1Gi" })),
        ("diskclusters/team", json!({ "members": { "total": 3 }, "groups": { "total": 2 } })),
    ];
    try_with_status(&place, &place.client, &statuses, &others::deletions()).await;
    for (path, name) in
        [("groups/design", "design"), ("members/alice", "alice"), ("diskclusters/team", "team")]
    {
        place.confirm_deletion(path, name).await;
        let confirmed = Act::Delete { path: path.to_owned() };
        try_all(&place, &place.client, &[takes("what was confirmed", confirmed)]).await;
    }
    place.remove().await;
}
