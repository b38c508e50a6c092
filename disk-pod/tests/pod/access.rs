//! Who may do what: every ticket that does not count, every right that has been withdrawn.

use api::ids::{ClusterUid, MemberUid, SpaceId};
use api::keys::{SigningKey, purpose};
use api::ticket::{Access, Ticket};
use axum::body::Body;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use roster::{GroupAccess, MemberState, Mode};
use uuid::Uuid;

use crate::world::{Client, WEB, World};

/// One request of each kind, and whether it writes.
const ROUTES: [(&str, &str, bool); 13] = [
    ("GET", "files/a", false),
    ("HEAD", "files/a", false),
    ("PUT", "files/a", true),
    ("GET", "list/", false),
    ("GET", "usage", false),
    ("GET", "trash", false),
    ("GET", "versions/a", false),
    ("GET", "search?q=a", false),
    ("GET", "zip", false),
    ("POST", "operations", true),
    ("POST", "uploads", true),
    ("HEAD", "uploads/0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c11", true),
    ("PATCH", "uploads/0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c11", true),
];

const TUS: [(&str, &str); 4] = [
    ("tus-resumable", "1.0.0"),
    ("upload-length", "1"),
    ("upload-offset", "0"),
    ("content-type", "application/offset+octet-stream"),
];

/// Every route refuses with this status; those with a body, with this code.
async fn refused(client: &Client<'_>, status: u16, code: &str, what: &str) {
    for (method, path, _) in ROUTES {
        refused_by(client, method, path, status, code, what).await;
    }
}

async fn refused_by(client: &Client<'_>, method: &str, path: &str, status: u16, code: &str, what: &str) {
    let answer = client.send(method, path, &TUS, r#"{"op":"mkdir","path":"hacked"}"#).await;
    let code = if method == "HEAD" { "" } else { code };
    assert_eq!(answer.outcome(), (status, code.to_owned()), "{what}: {method} {path}: {answer:?}");
}

#[tokio::test]
async fn tickets_that_do_not_count() {
    let world = World::new();
    let pod = world.pod().await;
    let space = world.own("alice");
    let good = world.claims("alice", space);
    let stranger = SigningKey::generate().unwrap();
    let issue = |ticket: &Ticket, key| ticket.issue(key).unwrap();
    let mut tampered = issue(&good, &world.tickets).into_bytes();
    tampered[30] ^= 1;
    let expired = Ticket { expires: Timestamp::now() - SignedDuration::from_mins(2), ..good.clone() };
    let elsewhere = Ticket { cluster: ClusterUid(Uuid::new_v4()), ..good.clone() };
    let cases = [
        ("forged", issue(&good, &stranger), 401, "ticket-invalid"),
        ("tampered", String::from_utf8(tampered).unwrap(), 401, "ticket-invalid"),
        ("junk", "junk".to_owned(), 401, "ticket-invalid"),
        ("empty", String::new(), 401, "ticket-invalid"),
        ("expired", issue(&expired, &world.tickets), 401, "ticket-expired"),
        ("of another DiskCluster", issue(&elsewhere, &world.tickets), 401, "ticket-invalid"),
        (
            "a session in a ticket's place",
            api::keys::sign(&world.tickets, purpose::SESSION, &good).unwrap(),
            401,
            "ticket-invalid",
        ),
        ("the operator's", issue(&good, &world.operator), 401, "ticket-invalid"),
        ("for another space", world.ticket("alice", world.group.space), 403, "forbidden"),
        (
            "of nobody",
            issue(&Ticket { member: MemberUid(Uuid::new_v4()), ..good.clone() }, &world.tickets),
            403,
            "forbidden",
        ),
        ("of another member", world.ticket("bob", space), 403, "forbidden"),
    ];
    for (what, ticket, status, code) in cases {
        refused(&Client { pod: &pod, space, ticket }, status, code, what).await;
    }
    let nowhere = SpaceId(Uuid::new_v4());
    let lost = Client { pod: &pod, space: nowhere, ticket: world.ticket("alice", nowhere) };
    refused(&lost, 404, "not-found", "a space that is not there").await;
    assert!(world.client(&pod, "alice").names("").await.is_empty());
}

#[tokio::test]
async fn a_ticket_that_was_good_ends_in_time() {
    let world = World::new();
    let pod = world.pod().await;
    let space = world.own("alice");
    let almost = Timestamp::now() - api::ticket::CLOCK_LEEWAY + SignedDuration::from_secs(2);
    let claims = Ticket { expires: almost, ..world.claims("alice", space) };
    let alice = Client { pod: &pod, space, ticket: claims.issue(&world.tickets).unwrap() };
    assert_eq!(alice.send("GET", "list/", &[], "").await.status, 200);
    let ends = async {
        while alice.send("GET", "list/", &[], "").await.status == 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::world::PATIENCE, ends).await.expect("it is remembered for ever");
    refused(&alice, 401, "ticket-expired", "remembered").await;
}

#[tokio::test]
async fn a_ticket_is_in_the_header_or_in_the_address_of_a_download() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    let space = alice.space;
    let send = |method: &str, query: String, authorization: Option<&str>| {
        let mut request = Request::new(Body::from("x"));
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = format!("/v1/spaces/{space}/files/a{query}").parse().unwrap();
        if let Some(value) = authorization {
            request.headers_mut().insert("authorization", value.parse().unwrap());
        }
        pod.send(request)
    };
    let query = || format!("?ticket={}", alice.ticket);
    assert_eq!(send("GET", query(), None).await.body, b"content");
    assert_eq!(send("HEAD", query(), None).await.status, 200);
    assert_eq!(send("PUT", query(), None).await.outcome(), (401, "unauthenticated".to_owned()));
    let without = send("GET", String::new(), None).await;
    assert_eq!(without.outcome(), (401, "unauthenticated".to_owned()));
    assert_eq!(without.header("www-authenticate"), "Bearer");
    let basic = send("GET", String::new(), Some("Basic YWxpY2U6cGFzc3dvcmQ=")).await;
    assert_eq!(basic.outcome(), (403, "forbidden".to_owned()), "a password, in the clear");
    let lower = send("GET", String::new(), Some(&format!("bearer {}", alice.ticket))).await;
    assert_eq!(lower.status, 200);
}

#[tokio::test]
async fn reading_is_not_writing() {
    let mut world = World::new();
    let pod = world.pod().await;
    let group = world.group.space;
    let client = |ticket| Client { pod: &pod, space: group, ticket };
    let bob = client(world.ticket("bob", group));
    assert_eq!(bob.put("a", "content").await.status, 201);

    let carol = client(world.ticket("carol", group));
    let reading = Ticket { access: Access::Read, ..world.claims("bob", group) };
    let reader = client(reading.issue(&world.tickets).unwrap());
    for (who, code) in [(&carol, "forbidden"), (&reader, "forbidden")] {
        for (method, path, writes) in ROUTES {
            if writes {
                refused_by(who, method, path, 403, code, "without the right to write").await;
            } else {
                assert_eq!(who.send(method, path, &[], "").await.status, 200, "{method} {path}");
            }
        }
    }

    world.group.access = GroupAccess::ReadOnly;
    pod.knows(world.publish()).await;
    refused_by(&bob, "PUT", "files/a", 403, "read-only", "an archive").await;
    assert_eq!(bob.get("a").await.body, b"content");
    assert_eq!(bob.names("").await, ["a"]);
}

#[tokio::test]
async fn what_the_roster_says_counts_at_once() {
    let mut world = World::new();
    let pod = world.pod().await;
    let group = world.group.space;
    let bob = Client { pod: &pod, space: group, ticket: world.ticket("bob", group) };
    assert_eq!(bob.put("a", "content").await.status, 201);

    world.group.participants.retain(|participant| participant.name.as_str() != "bob");
    pod.knows(world.publish()).await;
    refused(&bob, 403, "forbidden", "left the group").await;

    let alice = world.client(&pod, "alice");
    for state in [MemberState::Suspended, MemberState::Pending] {
        world.members.get_mut("alice").unwrap().state = state;
        pod.knows(world.publish()).await;
        refused(&alice, 403, "member-suspended", "not active").await;
    }
    world.members.get_mut("alice").unwrap().state = MemberState::Active;

    world.settings.mode = Mode::ReadOnly;
    pod.knows(world.publish()).await;
    assert_eq!(alice.send("GET", "list/", &[], "").await.status, 200);
    refused_by(&alice, "PUT", "files/a", 403, "read-only", "read-only service").await;

    world.settings.mode = Mode::Offline;
    world.settings.notice = Some("back at noon".to_owned());
    pod.knows(world.publish()).await;
    refused(&alice, 503, "no-ready-server", "closed").await;
    let notice = alice.get("a").await;
    assert_eq!(notice.json()["detail"], "back at noon");
    world.settings.mode = Mode::ReadWrite;

    world.settings.ticket_keys[0].not_after = Some(Timestamp::now() - SignedDuration::from_mins(1));
    pod.knows(world.publish()).await;
    refused(&alice, 401, "ticket-invalid", "a key whose time is over").await;
}

#[tokio::test]
async fn a_right_that_ends_ends_transfers_under_way() {
    let mut world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let upload = alice.begin("a", 6).await;
    let large = vec![7_u8; 7 << 20];
    assert_eq!(alice.send("PUT", "files/large", &[], large).await.status, 201);
    let (more, chunks) = futures::channel::mpsc::unbounded::<Result<bytes::Bytes, std::io::Error>>();
    more.unbounded_send(Ok("abc".into())).unwrap();
    let headers = [
        ("tus-resumable", "1.0.0"),
        ("content-type", "application/offset+octet-stream"),
        ("upload-offset", "0"),
    ];
    let up = alice.send("PATCH", &upload, &headers, Body::from_stream(chunks));
    let down = async {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = format!("/v1/spaces/{}/files/large", alice.space).parse().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", alice.ticket).parse().unwrap());
        let response = tower::ServiceExt::oneshot(pod.public.clone(), request).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut body = response.into_body().into_data_stream();
        assert!(futures::StreamExt::next(&mut body).await.unwrap().is_ok());
        let uploaded = async {
            while alice.offset(&upload).await.header("upload-offset") != "3" {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(crate::world::PATIENCE, uploaded).await.expect("never acknowledged");
        world.members.get_mut("alice").unwrap().state = MemberState::Suspended;
        pod.knows(world.publish()).await;
        more.unbounded_send(Ok("def".into())).unwrap();
        more.close_channel();
        let mut broke_off = false;
        while let Some(chunk) = futures::StreamExt::next(&mut body).await {
            broke_off |= chunk.is_err();
        }
        assert!(broke_off, "the rest of the file was told to somebody who is suspended");
    };
    let (up, ()) = tokio::join!(up, down);
    assert_eq!(up.outcome(), (403, "member-suspended".to_owned()), "{up:?}");
    world.members.get_mut("alice").unwrap().state = MemberState::Active;
    pod.knows(world.publish()).await;
    assert_eq!(alice.get("a").await.status, 404, "nothing came of it");
}

#[tokio::test]
async fn a_ticket_for_a_directory_opens_nothing_else() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    for path in ["shared/a", "sharedother/b", "c"] {
        alice.send("PUT", &format!("files/{path}?parents=true"), &[], "content").await;
    }
    let claims = Ticket { path: Some("shared".to_owned()), ..world.claims("alice", alice.space) };
    let part = Client { pod: &pod, space: alice.space, ticket: claims.issue(&world.tickets).unwrap() };
    assert_eq!(part.get("shared/a").await.body, b"content");
    assert_eq!(part.names("shared").await, ["a"]);
    for (method, path) in [
        ("GET", "files/c"),
        ("GET", "files/sharedother/b"),
        ("GET", "list/"),
        ("PUT", "files/d"),
        ("PUT", "files/sharedx"),
    ] {
        refused_by(&part, method, path, 403, "forbidden", "outside of the directory").await;
    }
    for operation in [
        serde_json::json!({"op": "move", "from": "shared/a", "to": "stolen"}),
        serde_json::json!({"op": "copy", "from": "c", "to": "shared/c"}),
        serde_json::json!({"op": "delete", "path": "c"}),
    ] {
        assert_eq!(part.operate(operation).await.outcome(), (403, "forbidden".to_owned()));
    }
}

#[tokio::test]
async fn only_the_page_of_this_cluster_may_look() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let ours = alice.send("GET", "list/", &[("origin", WEB)], "").await;
    assert_eq!(ours.header("access-control-allow-origin"), WEB);
    for exposed in ["ETag", "X-Generation", "Upload-Offset", "Location", "Retry-After"] {
        assert!(ours.header("access-control-expose-headers").contains(exposed), "{exposed}");
    }
    assert!(ours.header("access-control-allow-credentials").is_empty());
    for stranger in
        ["http://evil.example", "null", "http://disk.localhost:8081", "https://disk.localhost:8080"]
    {
        let theirs = alice.send("GET", "list/", &[("origin", stranger)], "").await;
        assert!(theirs.header("access-control-allow-origin").is_empty(), "{stranger}");
        assert_eq!(theirs.header("vary"), "Origin");
    }

    let preflight = |origin: &str| {
        let request = Request::options(format!("/v1/spaces/{}/uploads", alice.space))
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "authorization,upload-offset");
        pod.send(request.body(Body::empty()).unwrap())
    };
    let allowed = preflight(WEB).await;
    assert_eq!(allowed.status, 204);
    assert!(allowed.header("access-control-allow-methods").contains("PATCH"));
    assert!(allowed.header("access-control-allow-headers").contains("Upload-Offset"));
    assert!(allowed.header("access-control-allow-headers").contains("Authorization"));
    assert_eq!(allowed.header("access-control-max-age"), "7200");
    assert!(preflight("http://evil.example").await.header("access-control-allow-methods").is_empty());
    // A refusal must be readable by the page, too.
    let refused = Client { pod: &pod, space: alice.space, ticket: "junk".to_owned() };
    let refused = refused.send("GET", "list/", &[("origin", WEB)], "").await;
    assert_eq!((refused.status.as_u16(), refused.header("access-control-allow-origin")), (401, WEB));

    let ping = pod.send(Request::get("/v1/ping").body(Body::empty()).unwrap()).await;
    assert_eq!((ping.status.as_u16(), ping.header("access-control-allow-origin")), (204, "*"));
}

#[tokio::test]
async fn a_pod_that_knows_nobody_says_so() {
    let world = World::new();
    let pod = world.pod_without_roster().await;
    let alice = world.client(&pod, "alice");
    refused(&alice, 503, "no-ready-server", "no roster").await;
}
