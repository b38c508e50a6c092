//! A pod is taken away in the middle of each kind of request: killed, stopped, or cut off from its clients. The client ends
//! with the right bytes from another pod, or with an error and the state before; never with a half. What is repeated with
//! its `Operation-Id` is done once. A pod that was stopped or cut off comes back at the end, and changes nothing then.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

use crate::standalone::{ALICE, Place, Program};
use crate::world::{MIB, PATIENCE};

/// Whoever hears nothing for so long goes to another pod.
const SILENCE: Duration = Duration::from_millis(700);
/// Files of the tree that is copied, moved and packed.
const FILES: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Killed,
    Stopped,
    CutOff,
}

#[derive(Clone, Copy, Debug)]
enum Work {
    Put,
    Patch,
    Copy,
    Move,
    Zip,
    Range,
}

/// What is between a client and a pod: it can be cut, and then nothing passes, though no connection ends.
struct Line {
    address: SocketAddr,
    is: watch::Sender<Is>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Well,
    Cut,
    /// There again, without the connections that were.
    Broken,
}

impl Line {
    async fn to(pod: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let line = Self { address: listener.local_addr().unwrap(), is: watch::Sender::new(Is::Well) };
        let is = line.is.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(pod) = TcpStream::connect(pod).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_pod, to_pod) = pod.into_split();
                tokio::spawn(carry(from_client, to_pod, is.subscribe()));
                tokio::spawn(carry(from_pod, to_client, is.subscribe()));
            }
        });
        line
    }
}

async fn carry(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    mut is: watch::Receiver<Is>,
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = tokio::select! {
            _ = is.wait_for(|is| *is == Is::Broken) => return,
            read = from.read(&mut buffer) => match read {
                Ok(count @ 1..) => count,
                _ => return,
            },
        };
        if *is.borrow() == Is::Cut {
            let _ = is.wait_for(|is| *is == Is::Broken).await;
            return;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

type Body = StreamBody<futures::channel::mpsc::UnboundedReceiver<std::io::Result<Frame<Bytes>>>>;

/// A request under way.
struct Sent {
    /// By what more of its body is sent.
    more: UnboundedSender<std::io::Result<Frame<Bytes>>>,
    answer: tokio::task::JoinHandle<Option<http::Response<Incoming>>>,
}

impl Sent {
    fn push(&self, bytes: &[u8]) {
        // The other end may be gone.
        let _ = self.more.unbounded_send(Ok(Frame::data(Bytes::copy_from_slice(bytes))));
    }

    /// The head of the answer; nothing when none comes in time.
    async fn head(self, patience: Duration) -> Option<http::Response<Incoming>> {
        drop(self.more);
        tokio::time::timeout(patience, self.answer).await.ok()?.unwrap()
    }
}

/// Sends a request whose body is pushed in parts.
fn send(to: SocketAddr, method: &str, path: &str, headers: &[(&str, String)]) -> Sent {
    let basic = BASE64_STANDARD.encode("alice:secret");
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/v1/spaces/{ALICE}/{path}"))
        .header("host", "a")
        .header("authorization", format!("Basic {basic}"));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let (more, chunks) = unbounded();
    let request: Request<Body> = request.body(StreamBody::new(chunks)).unwrap();
    let answer = tokio::spawn(async move {
        let stream = TcpStream::connect(to).await.ok()?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        sender.send_request(request).await.ok()
    });
    Sent { more, answer }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }
}

/// A whole request to a pod that is there.
async fn ask(to: SocketAddr, method: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> Answer {
    let sent = send(to, method, path, headers);
    sent.push(body);
    let answer = sent.head(PATIENCE).await.unwrap_or_else(|| panic!("{method} {path}: no answer"));
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}

/// What of a body comes before it ends, breaks or falls silent; and whether it came to its end.
async fn received(body: &mut Incoming) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    loop {
        match tokio::time::timeout(SILENCE, body.frame()).await {
            Ok(Some(Ok(frame))) => all.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Ok(None) => return (all, true),
            Ok(Some(Err(_))) | Err(_) => return (all, false),
        }
    }
}

/// The pod that is taken away, and the one that stays.
struct Pair<'a> {
    place: &'a Place,
    victim: Program,
    line: Line,
    stays: SocketAddr,
    way: Way,
}

fn signal(program: &Program, name: &str) {
    let told = Command::new("kill").args([name, &program.child.id().to_string()]).status().unwrap();
    assert!(told.success());
}

impl Pair<'_> {
    fn take_away(&mut self) {
        match self.way {
            Way::Killed => self.victim.child.kill().unwrap(),
            Way::Stopped => signal(&self.victim, "-STOP"),
            Way::CutOff => drop(self.line.is.send_replace(Is::Cut)),
        }
    }

    /// The pod comes back, and with it whatever it still wanted.
    async fn bring_back(&mut self) {
        match self.way {
            Way::Killed => self.victim = self.place.start_with(&["--pod-name", "victim-disk-0"]),
            Way::Stopped => signal(&self.victim, "-CONT"),
            Way::CutOff => drop(self.line.is.send_replace(Is::Broken)),
        }
        self.line = Line::to(self.victim.public).await;
        let idle = async {
            loop {
                let report = load(self.victim.internal).await;
                if report["inFlight"] == 0 {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE * 2, idle).await.expect("a request never ends");
    }

    /// Waits until the pod has begun to take a body.
    async fn has_begun(&self) {
        let begun = async {
            while load(self.victim.internal).await["inFlight"] == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, begun).await.expect("the request does not begin");
    }

    async fn names(&self, path: &str) -> Vec<String> {
        let listed = ask(self.stays, "GET", &format!("list/{path}"), &[], b"").await;
        if listed.status == 404 {
            return Vec::new();
        }
        let listed = listed.json();
        listed["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["name"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn file(&self, path: &str) -> Vec<u8> {
        ask(self.stays, "GET", &format!("files/{path}"), &[], b"").await.body
    }

    async fn generation(&self) -> String {
        ask(self.stays, "GET", "usage", &[], b"").await.json()["generation"].to_string()
    }
}

async fn load(internal: SocketAddr) -> Value {
    let mut stream = TcpStream::connect(internal).await.unwrap();
    stream.write_all(b"GET /v1/load HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

fn content(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|at| ((at * 31 + at / 251 + seed) % 251) as u8).collect()
}

async fn put(pair: &mut Pair<'_>, name: &str) {
    let (old, new) = (content(100, 1), content(MIB as usize, 2));
    assert_eq!(ask(pair.stays, "PUT", &format!("files/{name}"), &[], &old).await.status, 201);
    let operation = [("operation-id", Uuid::new_v4().to_string()), ("x-generation", pair.generation().await)];
    let length = [&operation[..], &[("content-length", new.len().to_string())]].concat();
    let sent = send(pair.line.address, "PUT", &format!("files/{name}"), &length);
    let (first, rest) = new.split_at(new.len() / 2);
    sent.push(first);
    pair.has_begun().await;
    pair.take_away();
    sent.push(rest);
    let answered = sent.head(SILENCE).await.is_some_and(|answer| answer.status().is_success());
    let there = pair.file(name).await;
    assert!(there == old || there == new, "a half: {} bytes", there.len());
    assert!(!answered || there == new, "acknowledged, and not there");
    let path = format!("files/{name}");
    let again = ask(pair.stays, "PUT", &path, &operation, &new).await;
    assert!(matches!(again.status, 201 | 204), "{}", again.status);
    let once_more = ask(pair.stays, "PUT", &path, &operation, &new).await;
    assert_eq!(once_more.headers["x-generation"], again.headers["x-generation"], "done twice");
    pair.bring_back().await;
    assert!(pair.file(name).await == new);
    let versions = ask(pair.stays, "GET", &format!("versions/{name}"), &[], b"").await.json();
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1, "written once: {versions}");
}

async fn patch(pair: &mut Pair<'_>, name: &str) {
    let new = content(MIB as usize, 3);
    let tus = ("tus-resumable", "1.0.0".to_owned());
    let path = BASE64_STANDARD.encode(name);
    let create =
        [tus.clone(), ("upload-length", new.len().to_string()), ("upload-metadata", format!("path {path}"))];
    let created = ask(pair.stays, "POST", "uploads", &create, b"").await;
    assert_eq!(created.status, 201);
    let upload = created.headers["location"].to_str().unwrap().split('/').next_back().unwrap();
    let upload = format!("uploads/{upload}");
    let part = |offset: usize| {
        [
            tus.clone(),
            ("content-type", "application/offset+octet-stream".to_owned()),
            ("upload-offset", offset.to_string()),
        ]
    };
    let (first, rest) = new.split_at(new.len() / 3);
    let length = [&part(0)[..], &[("content-length", new.len().to_string())]].concat();
    let sent = send(pair.line.address, "PATCH", &upload, &length);
    sent.push(first);
    let stays = pair.stays;
    let offset = async || -> usize {
        let told = ask(stays, "HEAD", &upload, std::slice::from_ref(&tus), b"").await;
        told.headers.get("upload-offset").map_or(new.len(), |text| text.to_str().unwrap().parse().unwrap())
    };
    let acknowledged = async {
        while offset().await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, acknowledged).await.expect("never acknowledged");
    pair.take_away();
    sent.push(rest);
    sent.head(SILENCE).await;
    let durable = offset().await;
    assert!(durable >= first.len(), "what was acknowledged is gone: {durable}");
    if durable < new.len() {
        assert!(pair.names("").await.iter().all(|there| there != name), "a half");
        let done = ask(pair.stays, "PATCH", &upload, &part(durable), &new[durable..]).await;
        assert_eq!(done.status, 204, "from {durable}");
    }
    pair.bring_back().await;
    assert!(pair.file(name).await == new);
}

/// A copy or a move of a tree: at once, or not at all, and once.
async fn tree(pair: &mut Pair<'_>, name: &str, operation: &str) {
    let from = if operation == "move" {
        let from = format!("from-{name}");
        let wish = json!({"op": "copy", "from": "tree", "to": from}).to_string();
        assert_eq!(ask(pair.stays, "POST", "operations", &[], wish.as_bytes()).await.status, 200);
        from
    } else {
        "tree".to_owned()
    };
    let headers = [("operation-id", Uuid::new_v4().to_string()), ("x-generation", pair.generation().await)];
    let wish = json!({"op": operation, "from": from, "to": name}).to_string();
    let sent = send(pair.line.address, "POST", "operations", &headers);
    // All but the last byte is there: with that it begins, and at the same time the pod goes.
    let (first, last) = wish.as_bytes().split_at(wish.len() - 1);
    sent.push(first);
    pair.has_begun().await;
    sent.push(last);
    tokio::time::sleep(Duration::from_micros(fastrand::u64(0..6000))).await;
    pair.take_away();
    let answered = sent.head(SILENCE).await.is_some_and(|answer| answer.status().is_success());
    let (here, there) = (pair.names(&from).await.len(), pair.names(name).await.len());
    assert!(there == 0 || there == FILES, "a half: {there} files");
    assert!(!answered || there == FILES, "acknowledged, and not there");
    if operation == "move" {
        assert_eq!(here + there, FILES, "lost or doubled");
    }
    let again = ask(pair.stays, "POST", "operations", &headers, wish.as_bytes()).await;
    assert_eq!(again.status, 200, "{}", String::from_utf8_lossy(&again.body));
    let once_more = ask(pair.stays, "POST", "operations", &headers, wish.as_bytes()).await;
    assert_eq!(once_more.json(), again.json(), "done twice");
    pair.bring_back().await;
    assert_eq!(pair.names(name).await.len(), FILES);
    assert_eq!(pair.names(&from).await.len(), if operation == "move" { 0 } else { FILES });
    assert!(pair.file(&format!("{name}/file-7")).await == content(1000, 7));
}

async fn zip(pair: &mut Pair<'_>) {
    let whole = ask(pair.stays, "GET", "zip/large", &[], b"").await;
    let sent = send(pair.line.address, "GET", "zip/large", &[]);
    let mut answer = sent.head(PATIENCE).await.unwrap();
    let first = answer.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    pair.take_away();
    let (rest, ended) = received(answer.body_mut()).await;
    // Whoever goes elsewhere hangs up.
    drop(answer);
    let got = [first.to_vec(), rest].concat();
    assert!(whole.body.starts_with(&got), "other bytes");
    assert_eq!(ended, got.len() == whole.body.len(), "half a zip file looks like a whole one");
    assert!(!ended, "it was not in the middle");
    assert!(ask(pair.stays, "GET", "zip/large", &[], b"").await.body == whole.body);
    pair.bring_back().await;
}

async fn range(pair: &mut Pair<'_>, large: &[u8]) {
    let from = 1_000_000;
    let sent = send(pair.line.address, "GET", "files/large/file", &[("range", format!("bytes={from}-"))]);
    let mut answer = sent.head(PATIENCE).await.unwrap();
    assert_eq!(answer.status(), 206);
    let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let first = answer.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    pair.take_away();
    let (rest, ended) = received(answer.body_mut()).await;
    drop(answer);
    let mut got = [first.to_vec(), rest].concat();
    assert!(!ended, "it was not in the middle");
    let rest = [("range", format!("bytes={}-", from + got.len())), ("if-range", etag)];
    let rest = ask(pair.stays, "GET", "files/large/file", &rest, b"").await;
    assert_eq!(rest.status, 206, "another pod has another tag");
    got.extend(rest.body);
    assert!(got == large[from..], "other bytes");
    pair.bring_back().await;
}

async fn matrix(way: Way) {
    let place = Place::roomy();
    let stays = place.start_with(&["--pod-name", "stays-disk-0"]);
    let victim = place.start_with(&["--pod-name", "victim-disk-0"]);
    let line = Line::to(victim.public).await;
    // More than the buffers on the way hold.
    let large = content(48 << 20, 5);
    let put_large = ask(stays.public, "PUT", "files/large/file?parents=true", &[], &large).await;
    assert_eq!(put_large.status, 201);
    for number in 0..FILES {
        let path = format!("files/tree/file-{number}?parents=true");
        assert_eq!(ask(stays.public, "PUT", &path, &[], &content(1000, number)).await.status, 201);
    }
    let mut pair = Pair { place: &place, victim, line, stays: stays.public, way };
    for work in [Work::Put, Work::Patch, Work::Copy, Work::Move, Work::Zip, Work::Range] {
        let name = format!("{work:?}-{way:?}");
        eprintln!("{name}");
        match work {
            Work::Put => put(&mut pair, &name).await,
            Work::Patch => patch(&mut pair, &name).await,
            Work::Copy => tree(&mut pair, &name, "copy").await,
            Work::Move => tree(&mut pair, &name, "move").await,
            Work::Zip => zip(&mut pair).await,
            Work::Range => range(&mut pair, &large).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_is_killed_in_the_middle_of_everything() {
    matrix(Way::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_is_stopped_in_the_middle_of_everything() {
    matrix(Way::Stopped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_is_cut_off_in_the_middle_of_everything() {
    matrix(Way::CutOff).await;
}
