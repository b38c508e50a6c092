//! Two pods over one volume: an upload goes on where another pod left it, and the one left behind is fenced.

use api::ticket::Ticket;
use futures::StreamExt;
use futures::channel::mpsc::UnboundedSender;

use crate::world::{Client, MIB, PATIENCE, World};

/// The head of a PATCH that begins an upload's content.
const FROM_THE_START: [(&str, &str); 3] =
    [("tus-resumable", "1.0.0"), ("content-type", "application/offset+octet-stream"), ("upload-offset", "0")];

/// A body of which three bytes have come, and what the rest is sent by.
fn begun_body() -> (UnboundedSender<std::io::Result<bytes::Bytes>>, axum::body::Body) {
    let (more, chunks) = futures::channel::mpsc::unbounded();
    more.unbounded_send(Ok("abc".into())).unwrap();
    (more, axum::body::Body::from_stream(chunks.boxed()))
}

/// Acknowledged within about a second, though the request goes on.
async fn until_acknowledged(client: &Client<'_>, upload: &str, offset: &str) {
    let acknowledged = async {
        while client.offset(upload).await.header("upload-offset") != offset {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, acknowledged).await.expect("never acknowledged");
}

#[tokio::test]
async fn another_pod_goes_on() {
    let world = World::new();
    let (here, there) = (world.pod().await, world.pod().await);
    let (alice_here, alice_there) = (world.client(&here, "alice"), world.client(&there, "alice"));
    let content: Vec<u8> = (0..2 * MIB).map(|at| (at * 7 % 253) as u8).collect();
    let half = content.len() / 2;
    let upload = alice_here.begin("big", content.len() as u64).await;
    let first = alice_here.patch(&upload, 0, &content[..half]).await;
    assert_eq!(first.status, 204, "{first:?}");

    let asked = alice_there.offset(&upload).await;
    assert_eq!((asked.status.as_u16(), asked.header("upload-offset")), (200, half.to_string().as_str()));
    let rest = alice_there.patch(&upload, half as u64, &content[half..]).await;
    assert_eq!(rest.status, 204, "{rest:?}");
    for client in [&alice_here, &alice_there] {
        assert!(client.get("big").await.body == content);
    }
    let late = alice_here.patch(&upload, half as u64, &content[half..]).await;
    assert!(matches!(late.status.as_u16(), 409 | 410), "{late:?}");
    assert!(alice_here.get("big").await.body == content);
}

#[tokio::test]
async fn the_one_left_behind_can_acknowledge_nothing() {
    let world = World::new();
    let (here, there) = (world.pod().await, world.pod().await);
    let (alice_here, alice_there) = (world.client(&here, "alice"), world.client(&there, "alice"));
    let upload = alice_here.begin("a", 6).await;
    // A request that has begun on the first pod and is stuck in the middle.
    let (more, body) = begun_body();
    let stuck = alice_here.send("PATCH", &upload, &FROM_THE_START, body);
    let meanwhile = async {
        until_acknowledged(&alice_there, &upload, "3").await;
        let taken = alice_there.patch(&upload, 3, "d").await;
        assert_eq!((taken.status.as_u16(), taken.header("upload-offset")), (204, "4"), "{taken:?}");
        more.unbounded_send(Ok("XYZ".into())).unwrap();
        more.close_channel();
    };
    let (stuck, ()) = tokio::join!(stuck, meanwhile);
    assert_eq!(stuck.outcome(), (409, "offset-conflict".to_owned()), "{stuck:?}");
    let last = alice_there.patch(&upload, 4, "ef").await;
    assert_eq!(last.status, 204, "{last:?}");
    assert_eq!(alice_here.get("a").await.body, b"abcdef");
}

#[tokio::test]
async fn a_draining_pod_ends_at_an_acknowledged_offset() {
    let world = World::new();
    let (here, there) = (world.pod().await, world.pod().await);
    let (alice_here, alice_there) = (world.client(&here, "alice"), world.client(&there, "alice"));
    let upload = alice_here.begin("a", 6).await;
    let (more, body) = begun_body();
    let stuck = alice_here.send("PATCH", &upload, &FROM_THE_START, body);
    let meanwhile = async {
        until_acknowledged(&alice_there, &upload, "3").await;
        here.shutdown.drain();
    };
    let (stopped, ()) = tokio::join!(stuck, meanwhile);
    drop(more);
    assert_eq!(stopped.outcome(), (503, "draining".to_owned()), "{stopped:?}");
    assert!(!stopped.header("retry-after").is_empty());
    let offset: u64 = stopped.header("upload-offset").parse().unwrap();
    assert_eq!(alice_there.offset(&upload).await.header("upload-offset"), offset.to_string());
    assert_eq!(alice_here.patch(&upload, offset, "x").await.outcome(), (503, "draining".to_owned()));
    assert_eq!(alice_here.create("b", 1).await.outcome(), (503, "draining".to_owned()));
    let rest = alice_there.patch(&upload, offset, &b"abcdef"[offset as usize..]).await;
    assert_eq!(rest.status, 204, "{rest:?}");
    assert_eq!(alice_there.get("a").await.body, b"abcdef");
}

#[tokio::test]
async fn an_upload_outside_of_a_tickets_directory_is_out_of_reach() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let upload = alice.begin("private", 4).await;
    let claims = Ticket { path: Some("shared".to_owned()), ..world.claims("alice", alice.space) };
    let part = Client { pod: &pod, space: alice.space, ticket: claims.issue(&world.tickets).unwrap() };
    assert_eq!(part.offset(&upload).await.status, 403);
    assert_eq!(part.patch(&upload, 0, "evil").await.outcome(), (403, "forbidden".to_owned()));
    let dropped = part.send("DELETE", &upload, &[("tus-resumable", "1.0.0")], "").await;
    assert_eq!(dropped.outcome(), (403, "forbidden".to_owned()));
    assert_eq!(part.create("elsewhere", 4).await.outcome(), (403, "forbidden".to_owned()));
    assert_eq!(alice.offset(&upload).await.header("upload-offset"), "0");
}
