//! A volume that hangs under one pod: whoever waits there is told soon, and goes on elsewhere; other volumes go on.

use std::path::Path;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::channel::mpsc::unbounded;
use internet_disk_disk_pod::fault::{Fault, switch};

use crate::uploads::{CONTENT, VERSION};
use crate::world::{Client, PATIENCE, World};

/// "Within about a second"; a busy machine gets some more.
const SOON: Duration = Duration::from_millis(2500);

/// Method, path, headers and body.
type Asked<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

fn volume_b(world: &mut World, member: &str) {
    world.members.get_mut(member).unwrap().volume = "b".parse().unwrap();
    world.publish();
}

fn hang(faults: &Path) {
    switch(faults, "a", Fault::Hang).unwrap();
}

/// Every kind of request on the hung volume is answered soon, with a word on when to ask again.
async fn stalled(client: &Client<'_>, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
    let begun = Instant::now();
    let answer = client.send(method, path, headers, body.to_owned()).await;
    let took = begun.elapsed();
    let code = if method == "HEAD" { "" } else { "storage-stalled" };
    assert_eq!(answer.outcome(), (503, code.to_owned()), "{method} {path} after {took:?}: {answer:?}");
    assert_eq!(answer.header("retry-after"), "1", "{method} {path}");
    assert!(took < SOON, "{method} {path} was answered after {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_told_soon_and_other_volumes_go_on() {
    let mut world = World::new();
    volume_b(&mut world, "bob");
    let faults = tempfile::tempdir().unwrap();
    let pod = world.pod_with(Some(faults.path())).await;
    let (alice, bob) = (world.client(&pod, "alice"), world.client(&pod, "bob"));
    alice.put("a", "content").await;
    bob.put("b", "content").await;
    let upload = alice.begin("c", 3).await;
    hang(faults.path());
    let requests: [Asked<'_>; 7] = [
        ("PUT", "files/new", &[], "content"),
        ("POST", "operations", &[], r#"{"op":"mkdir","path":"d"}"#),
        ("HEAD", &upload, &[VERSION], ""),
        ("PATCH", &upload, &[VERSION, CONTENT, ("upload-offset", "0")], "abc"),
        ("GET", "files/a", &[], ""),
        ("GET", "list/", &[], ""),
        ("GET", "usage", &[], ""),
    ];
    // At once when it has just hung, and again when the canary has been silent for long.
    for _ in 0..2 {
        for (method, path, headers, body) in requests {
            stalled(&alice, method, path, headers, body).await;
            assert_eq!(bob.get("b").await.body, b"content");
        }
        assert_eq!(bob.put("again", "content").await.status.as_u16() / 100, 2);
        let silent = async {
            while pod.app.answers(&"a".parse().unwrap()).is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, silent).await.expect("the canary sings on");
    }
    switch(faults.path(), "a", Fault::None).unwrap();
    let back = async {
        while alice.get("a").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, back).await.expect("the volume is back, the pod is not");
    assert_eq!(alice.get("a").await.body, b"content");
    assert_eq!(alice.patch(&upload, 0, "abc").await.status, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_under_way_is_let_go_and_goes_on_elsewhere() {
    let world = World::new();
    let faults = tempfile::tempdir().unwrap();
    let (here, there) = (world.pod_with(Some(faults.path())).await, world.pod().await);
    let (alice_here, alice_there) = (world.client(&here, "alice"), world.client(&there, "alice"));
    let upload = alice_here.begin("a", 6).await;
    let (more, chunks) = unbounded::<Result<bytes::Bytes, std::io::Error>>();
    more.unbounded_send(Ok("abc".into())).unwrap();
    let headers = [VERSION, CONTENT, ("upload-offset", "0")];
    let body = axum::body::Body::from_stream(chunks.boxed());
    let stuck = alice_here.send("PATCH", &upload, &headers, body);
    let meanwhile = async {
        let acknowledged = async {
            while alice_there.offset(&upload).await.header("upload-offset") != "3" {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, acknowledged).await.expect("never acknowledged");
        hang(faults.path());
        more.unbounded_send(Ok("de".into())).unwrap();
        let begun = Instant::now();
        assert_eq!(
            alice_there.offset(&upload).await.header("upload-offset"),
            "3",
            "told by the other at once"
        );
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        let rest = alice_there.patch(&upload, 3, "def").await;
        assert_eq!(rest.status, 204, "{rest:?}");
        begun
    };
    let (stuck, hung) = tokio::join!(stuck, meanwhile);
    assert_eq!(stuck.outcome(), (503, "storage-stalled".to_owned()), "{stuck:?}");
    // Acknowledging is due each second; from there on the volume has its time to answer.
    assert!(hung.elapsed() < SOON + Duration::from_secs(1), "{:?}", hung.elapsed());
    assert_eq!(alice_there.get("a").await.body, b"abcdef");
    switch(faults.path(), "a", Fault::None).unwrap();
    let back = async {
        while alice_here.get("a").await.body != b"abcdef" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, back).await.expect("what hung is not back");
    drop(more);
}
