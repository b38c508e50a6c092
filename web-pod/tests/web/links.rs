//! Share links at a web pod: what a stranger is told, and the ticket that comes of it.

use std::time::Duration;

use api::keys::Trust;
use api::link::{LINK_SECRET_BYTES, LinkAccess, LinkFound, LinkToken};
use api::ticket::{Access, Link, Ticket};
use jiff::{SignedDuration, Timestamp};
use roster::{LinkPolicy, MemberState};
use serde_json::json;
use uuid::Uuid;

use crate::disk::DiskPod;
use crate::world::{Answer, Client, PATIENCE, World, hashed};

/// A world with a disk pod that knows a link to alice's file.
async fn world() -> (World, DiskPod, LinkToken, LinkFound) {
    let mut world = World::new();
    let disk = DiskPod::start(0).await;
    world.settings.disk_pods = vec![disk.address.clone()];
    world.publish();
    *disk.links.web.lock().unwrap() = Some((world.cluster, world.ticket.clone()));
    let token = LinkToken::new(world.members["alice"].space, [7; LINK_SECRET_BYTES]);
    let found = LinkFound {
        share: Uuid::new_v4(),
        node: 42,
        path: "trip/a.txt".to_owned(),
        directory: false,
        size: Some(api::bytes::Bytes(7)),
        access: LinkAccess::Read,
        verifier: None,
        expires: None,
        uses_left: None,
        creator: world.members["alice"].uid,
    };
    *disk.links.found.lock().unwrap() = Some(found.clone());
    (world, disk, token, found)
}

fn path(token: &LinkToken) -> String {
    format!("/api/links/{}", token.expose())
}

/// Opens it, as soon as the prober has found the disk pod.
async fn open(client: &Client<'_>, token: &LinkToken, key: serde_json::Value) -> Answer {
    let asking = async {
        loop {
            let answer = client.send("POST", &path(token), Some(key.clone())).await;
            if answer.outcome().1 != "no-ready-server" {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("no disk server is found")
}

#[tokio::test]
async fn whoever_has_a_link_gets_a_ticket_for_what_it_leads_to() {
    let (world, disk, token, found) = world().await;
    let pod = world.pod().await;
    let stranger = pod.stranger();
    let opened = open(&stranger, &token, json!({})).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    let told = opened.json();
    assert_eq!(
        (&told["name"], &told["path"], &told["size"]),
        (&json!("a.txt"), &json!("trip/a.txt"), &json!(7))
    );
    assert_eq!(told["servers"][0]["url"], disk.address.url);
    let trust = Trust::new([world.ticket.clone()]);
    let ticket = told["ticket"].as_str().unwrap();
    let ticket = Ticket::verify(ticket, &trust, world.cluster, Timestamp::now()).unwrap();
    assert_eq!((ticket.space, ticket.access), (token.space(), Access::Read));
    assert_eq!(ticket.path.as_deref(), Some("trip/a.txt"));
    let link = Link { share: found.share, node: 42, access: LinkAccess::Read };
    assert_eq!(ticket.link, Some(link));
    let looked = stranger.get(&path(&token)).await;
    assert_eq!((looked.status.as_u16(), &looked.json()["name"]), (200, &json!("a.txt")));
    assert!(looked.json()["ticket"].is_null());
    let asked = disk.links.asked.lock().unwrap().clone();
    let uses: Vec<bool> = asked.iter().map(|one| one.use_it.is_some()).collect();
    assert_eq!(uses, [false, true, false], "it is counted when it is opened, and then alone");
    assert!(asked.iter().all(|one| !token.expose().contains(&one.hash)), "the secret stays here");

    let id = Uuid::new_v4();
    let mut request = http::Request::post(path(&token))
        .header("content-type", "application/json")
        .header("operation-id", id.to_string());
    let without = request.body(axum::body::Body::from("{}")).unwrap();
    assert_eq!(pod.send(without).await.status, 403, "a page of others cannot use it up");
    request = http::Request::post(path(&token))
        .header("content-type", "application/json")
        .header("x-requested-with", "internet-disk")
        .header("operation-id", id.to_string());
    assert_eq!(pod.send(request.body(axum::body::Body::from("{}")).unwrap()).await.status, 200);
    assert_eq!(disk.links.asked.lock().unwrap().last().unwrap().use_it, Some(id));
}

#[tokio::test]
async fn a_password_comes_first_and_cannot_be_guessed_at_leisure() {
    let (world, disk, token, found) = world().await;
    let pod = world.pod().await;
    let stranger = pod.stranger();
    let verifier = Some(hashed("open sesame").expose().to_owned());
    *disk.links.found.lock().unwrap() = Some(LinkFound { verifier, ..found });
    assert_eq!(open(&stranger, &token, json!({})).await.outcome(), (401, "wrong-credentials".to_owned()));
    let looked = stranger.get(&path(&token)).await.json();
    assert_eq!(looked["needsPassword"], true);
    assert!(looked["name"].is_null() && looked["size"].is_null(), "{looked}");
    assert!(!looked.to_string().contains("argon2"), "{looked}");
    let right = json!({ "password": "open sesame" });
    let opened = open(&stranger, &token, right.clone()).await;
    assert_eq!((opened.status.as_u16(), &opened.json()["name"]), (200, &json!("a.txt")));
    for _ in 0..9 {
        let wrong = open(&stranger, &token, json!({ "password": "sesame" })).await;
        assert_eq!(wrong.status, 401, "{wrong:?}");
    }
    let limited = open(&stranger, &token, right).await;
    assert_eq!(limited.outcome(), (429, "too-many-requests".to_owned()));
    let used = disk.links.asked.lock().unwrap().iter().filter(|one| one.use_it.is_some()).count();
    assert_eq!(used, 1, "what was not opened was not used");
}

#[tokio::test]
async fn a_link_that_leads_nowhere_says_no_more_than_that() {
    let (mut world, disk, token, found) = world().await;
    let pod = world.pod().await;
    let stranger = pod.stranger();
    assert_eq!(open(&stranger, &token, json!({})).await.status, 200);
    let gone = (404, "not-found".to_owned());
    for text in ["x", "..%2f", &"A".repeat(48), &token.expose()[..40]] {
        assert_eq!(stranger.get(&format!("/api/links/{text}")).await.outcome(), gone, "{text}");
    }
    *disk.links.found.lock().unwrap() = None;
    assert_eq!(open(&stranger, &token, json!({})).await.outcome(), gone);
    let used_up = LinkFound { uses_left: Some(0), ..found.clone() };
    *disk.links.found.lock().unwrap() = Some(used_up);
    assert_eq!(open(&stranger, &token, json!({})).await.outcome(), (403, "forbidden".to_owned()));
    let soon = Timestamp::now() + SignedDuration::from_mins(1);
    *disk.links.found.lock().unwrap() = Some(LinkFound { expires: Some(soon), ..found.clone() });
    let opened = open(&stranger, &token, json!({})).await.json();
    assert_eq!(opened["ticketExpires"], json!(soon), "a ticket does not outlive its link");

    *disk.links.found.lock().unwrap() =
        Some(LinkFound { creator: world.members["bob"].uid, ..found.clone() });
    assert_eq!(open(&stranger, &token, json!({})).await.outcome(), gone, "bob has no part in that space");
    *disk.links.found.lock().unwrap() = Some(found);
    world.settings.shares.links = LinkPolicy::Forbidden;
    world.publish();
    pod.knows(&world).await;
    assert_eq!(open(&stranger, &token, json!({})).await.outcome(), gone, "an administrator forbids links");
    world.settings.shares.links = LinkPolicy::Allowed;
    world.members.get_mut("alice").unwrap().state = MemberState::Suspended;
    world.publish();
    pod.knows(&world).await;
    assert_eq!(open(&stranger, &token, json!({})).await.outcome(), gone, "whoever made it is suspended");
}
