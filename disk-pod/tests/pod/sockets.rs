//! Over real sockets: bodies that break off, that lie, that never come; and a download that nobody reads.

use std::net::SocketAddr;
use std::time::Duration;

use serve::{Endpoint, Limits, Metrics};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::world::{Client, MIB, PATIENCE, Pod, World};

pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    _task: JoinHandle<()>,
}

pub(crate) async fn served(pod: &Pod) -> Served {
    served_within(pod, Limits::default()).await
}

pub(crate) async fn served_within(pod: &Pod, limits: Limits) -> Served {
    let anywhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let endpoint = Endpoint::bind("public", anywhere, pod.public.clone(), limits).await.unwrap();
    let address = endpoint.address().unwrap();
    let shutdown = pod.shutdown.clone();
    let task = tokio::spawn(async move {
        serve::serve_until_drained(vec![endpoint], &Metrics::new(), PATIENCE, &shutdown).await;
    });
    Served { address, _task: task }
}

impl Served {
    pub(crate) async fn begin(
        &self,
        client: &Client<'_>,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "{method} /v1/spaces/{}/{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n{headers}\r\n{body}",
            client.space, client.ticket
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

pub(crate) async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is as good an end as any.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("no end in time");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Waits until nothing is in flight: whatever a request does, it has done.
pub(crate) async fn settled(pod: &Pod) {
    let quiet = async {
        while pod.app.load.requests() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, quiet).await.expect("a request never ended");
}

#[tokio::test]
async fn a_body_cut_short_stores_nothing() {
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let alice = world.client(&pod, "alice");
    alice.put("kept", "old content").await;
    for (path, headers, body) in [
        ("files/new", "Content-Length: 100\r\n", "only this"),
        ("files/kept", "Content-Length: 100\r\n", "only this"),
        ("files/chunked", "Transfer-Encoding: chunked\r\n", "9\r\nonly this\r\n"),
        ("files/broken", "Transfer-Encoding: chunked\r\n", "zz\r\nonly this\r\n"),
        ("files/large", "Content-Length: 5000000\r\n", "only this"),
    ] {
        let mut stream = served.begin(&alice, "PUT", path, headers, body).await;
        stream.shutdown().await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
        settled(&pod).await;
    }
    assert_eq!(alice.names("").await, ["kept"]);
    assert_eq!(alice.get("kept").await.body, b"old content");
    let usage = alice.send("GET", "usage", &[], "").await.json();
    assert_eq!((usage["used"].as_u64(), usage["reserved"].as_u64()), (Some(11), Some(0)), "{usage}");
}

#[tokio::test]
async fn a_silent_body_is_given_up() {
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let alice = world.client(&pod, "alice");
    let stream = served.begin(&alice, "PUT", "files/a", "Content-Length: 100\r\n", "and then").await;
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("body-incomplete"), "{answer}");
    assert!(alice.names("").await.is_empty());
}

#[tokio::test]
async fn what_an_upload_had_sent_before_it_broke_is_kept() {
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let alice = world.client(&pod, "alice");
    let upload = alice.begin("a", 10).await;
    let headers = "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n\
                   Upload-Offset: 0\r\nContent-Length: 10\r\n";
    let mut stream = served.begin(&alice, "PATCH", &upload, headers, "1234567").await;
    stream.shutdown().await.unwrap();
    rest(stream).await;
    let kept = async {
        while alice.offset(&upload).await.header("upload-offset") != "7" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, kept).await.expect("what was sent is lost");
    assert_eq!(alice.patch(&upload, 7, "890").await.status, 204);
    assert_eq!(alice.get("a").await.body, b"1234567890");
}

#[tokio::test]
async fn a_refusal_comes_before_the_body() {
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let forged = Client { pod: &pod, space: world.own("alice"), ticket: "forged".to_owned() };
    let headers = "Content-Length: 1000000000\r\nExpect: 100-continue\r\n";
    let mut stream = served.begin(&forged, "PUT", "files/a", headers, "").await;
    let mut head = [0; 12];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!(&head, b"HTTP/1.1 401");
}

#[tokio::test]
async fn head_and_get_agree_on_the_wire() {
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    for (method, ending) in [("HEAD", "\r\n\r\n"), ("GET", "content")] {
        let stream = served.begin(&alice, method, "files/a", "Connection: close\r\n", "").await;
        let answer = rest(stream).await;
        assert!(answer.contains("content-length: 7\r\n"), "{method}: {answer}");
        assert!(answer.ends_with(ending), "{method}: {answer}");
    }
}

#[tokio::test]
async fn a_download_counts_until_its_last_byte() {
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let alice = world.client(&pod, "alice");
    let large = vec![7_u8; (7 * MIB) as usize];
    assert_eq!(alice.send("PUT", "files/large", &[], large).await.status, 201);
    settled(&pod).await;
    let stream = served.begin(&alice, "GET", "files/large", "Connection: close\r\n", "").await;
    let begun = async {
        while pod.app.load.bytes() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, begun).await.expect("never begun");
    assert_eq!(pod.app.load.requests(), 1);
    drop(stream);
    settled(&pod).await;
    let forgotten = tokio::time::timeout(Duration::from_secs(5), async {
        while pod.app.load.bytes() > 0 {
            tokio::task::yield_now().await;
        }
    });
    forgotten.await.expect("bytes that nobody waits for still count");
}
