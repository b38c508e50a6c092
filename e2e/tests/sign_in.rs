//! Signing in: who gets in, who does not, and what a stranger can learn from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use std::time::{Duration, Instant};

use http::Method;
use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::http::Http;
use internet_disk_e2e::objects;
use internet_disk_e2e::people::Person;
use internet_disk_e2e::wait;
use internet_disk_e2e::web::{Session, try_sign_in};
use serde_json::json;

/// A change of the roster is everywhere in well under two seconds; a busy machine gets some more.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_member_signs_in_and_out() {
    let demo = Demo::find().await.unwrap();
    let session = demo.sign_in().await.unwrap();
    let who =
        session.send(Method::GET, "/api/session", None).await.unwrap().expect(200).unwrap().json().unwrap();
    assert_eq!(who["member"]["name"], demo.settings.member.as_str(), "{who}");
    assert_eq!(who["member"]["displayName"], "Alice Kim", "{who}");

    let cleared = session.send(Method::DELETE, "/api/session", None).await.unwrap();
    assert!(cleared.status.is_success(), "{cleared:?}");
    let cookie = cleared.header("set-cookie").unwrap_or_default();
    assert!(cookie.contains("Max-Age=0"), "signing out takes the cookie away: {cookie:?}");
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
    let demo = Demo::find().await.unwrap();
    let Demo { settings, .. } = &demo;
    let answer =
        try_sign_in(&Http::default(), &settings.web_url, &settings.member, &settings.password).await.unwrap();
    let cookie = answer.header("set-cookie").unwrap().to_lowercase();
    for attribute in ["httponly", "samesite=strict", "path=/"] {
        assert!(cookie.contains(attribute), "{attribute} is missing in {cookie}");
    }
}

#[tokio::test]
async fn every_web_pod_knows_the_session() {
    let demo = Demo::find().await.unwrap();
    let session = demo.sign_in().await.unwrap();
    // Each client has connections of its own, so the Service sends them to one pod or the other.
    for _ in 0..16 {
        let headers = [("cookie", session.cookie())];
        let url = format!("{}/api/session", demo.settings.web_url);
        let answer = Http::default().send(Method::GET, &url, &headers, bytes::Bytes::new()).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_member_look_the_same() {
    let demo = Demo::find().await.unwrap();
    let http = Http::default();
    let ask = async |member: &str| {
        let began = Instant::now();
        let answer =
            try_sign_in(&http, &demo.settings.web_url, member, "certainly not the password").await.unwrap();
        (began.elapsed(), answer)
    };
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..9 {
        let (took, wrong) = ask(&demo.settings.member).await;
        let (stranger_took, stranger) = ask(&format!("nobody-{round}")).await;
        assert_eq!(wrong.status, 401);
        assert_eq!(wrong.problem().unwrap(), "wrong-credentials");
        assert_eq!((wrong.status, &wrong.body), (stranger.status, &stranger.body));
        known.push(took);
        unknown.push(stranger_took);
    }
    known.sort();
    unknown.sort();
    let (known, unknown) = (known[known.len() / 2], unknown[unknown.len() / 2]);
    println!("wrong password: {known:?}; unknown member: {unknown:?} (medians of 9)");
    let tolerance = Duration::from_millis(15) + known.max(unknown) / 3;
    assert!(
        known.abs_diff(unknown) <= tolerance,
        "a stopwatch tells who is a member: {known:?}, {unknown:?}"
    );
}

#[tokio::test]
async fn another_site_cannot_change_anything() {
    let demo = Demo::find().await.unwrap();
    let session = demo.sign_in().await.unwrap();
    let url = format!("{}/api/allocations/design", demo.settings.web_url);
    let send = async |headers: &[(&str, &str)]| {
        let mut all = vec![("cookie", session.cookie()), ("content-type", "application/json")];
        all.extend_from_slice(headers);
        Http::default().send(Method::PUT, &url, &all, r#"{"size":0}"#.into()).await.unwrap()
    };
    assert_eq!(send(&[]).await.status, 403, "without the header");
    let foreign = [
        ("x-requested-with", "internet-disk"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "http://elsewhere.example"),
    ];
    assert_eq!(send(&foreign).await.status, 403, "from another origin");
}

#[tokio::test]
async fn a_suspended_member_is_out_and_comes_back() {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, "suspended", "100Mi").await.unwrap();
    let session = person.sign_in(&demo.settings).await.unwrap();
    let space = session.own_space().await.unwrap();
    let disk = session.disk(&space).await.unwrap();
    disk.put("kept.txt", "kept".into()).await.unwrap().expect(201).unwrap();

    let members = demo.cluster.members();
    objects::merge(&members, &person.name, json!({ "spec": { "state": "Suspended" } })).await.unwrap();
    let (_, took) = wait::until("the suspended member is refused everywhere", SOON, async || {
        let refused =
            try_sign_in(&Http::default(), &demo.settings.web_url, &person.name, &person.password).await?;
        let list = disk.get("kept.txt").await?;
        Ok((refused.status != 200 && list.status == 403).then_some(()))
    })
    .await
    .unwrap();
    println!("suspended after {took:?}, the ticket in hand included");

    objects::merge(&members, &person.name, json!({ "spec": { "state": "Active" } })).await.unwrap();
    person.sign_in(&demo.settings).await.unwrap();
    wait::until("the file is there again", SOON, async || {
        Ok((disk.get("kept.txt").await?.body == "kept").then_some(()))
    })
    .await
    .unwrap();
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn a_changed_secret_changes_the_password() {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, "secret", "100Mi").await.unwrap();
    person.sign_in(&demo.settings).await.unwrap();

    let secrets = demo.cluster.core::<k8s_openapi::api::core::v1::Secret>();
    let patch = json!({ "stringData": { "password": "quite another password" } });
    secrets.patch(&person.name, &Default::default(), &kube::api::Patch::Merge(patch)).await.unwrap();
    let (_, took) = wait::until("the new password is accepted", Duration::from_secs(30), async || {
        Session::sign_in(&demo.settings.web_url, &person.name, "quite another password").await.map(Some)
    })
    .await
    .unwrap();
    println!("a changed Secret was in force after {took:?}");
    wait::until("the old one is refused", SOON, async || {
        let old =
            try_sign_in(&Http::default(), &demo.settings.web_url, &person.name, &person.password).await?;
        Ok((old.status == 401).then_some(()))
    })
    .await
    .unwrap();
    person.remove(&demo.cluster).await.unwrap();
}
