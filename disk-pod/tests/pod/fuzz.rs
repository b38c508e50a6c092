//! Requests that nobody would send, made up from a seed, to the running server: none is answered with a fault of ours,
//! none makes anything panic, none leaves anything that does not add up, and memory does not grow with them.
//!
//! INTERNET_DISK_FUZZ_SECONDS says how long (the soak: long), INTERNET_DISK_FUZZ_SEED with which seed.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fastrand::Rng;
use spaces::Freshness;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::sockets::served;
use crate::world::{Client, PATIENCE, World, volume_name};

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Beyond what is remembered of operations by design.
const MOST_GROWTH: u64 = 128 << 20;

const METHODS: [&str; 14] = [
    "GET", "GET", "GET", "HEAD", "PUT", "PUT", "POST", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND",
    "get", "G@T",
];

const ROUTES: [&str; 14] = [
    "files",
    "files/",
    "files/",
    "files/",
    "list",
    "list/",
    "operations",
    "operations",
    "uploads",
    "usage",
    "trash",
    "search",
    "zip/",
    "versions/",
];

const PIECES: [&str; 33] = [
    "a",
    "b",
    "c",
    "d",
    "deep",
    "/",
    "/",
    "/",
    "%2f",
    "%2e%2e",
    "..",
    ".",
    "%00",
    "%0a",
    "%",
    "%zz",
    "%ff",
    "%c0%ae",
    "\\",
    "%5c",
    "~",
    "*",
    "😀",
    "%F0%9F%98%80",
    "cafe%CC%81",
    "?",
    "&",
    "=",
    "#",
    ";",
    "//",
    "+",
    "%252e",
];

const PARAMETERS: [&str; 18] = [
    "limit",
    "after",
    "sort",
    "order",
    "version",
    "parents",
    "inline",
    "ticket",
    "q",
    "under",
    "path",
    "permanently",
    "at",
    "recursive",
    "overwrite",
    "",
    "x",
    "limit",
];

const VALUES: [&str; 40] = [
    "",
    "0",
    "1",
    "-1",
    "+1",
    "2",
    "7",
    "1000",
    "99999999999999999999",
    "18446744073709551615",
    "9223372036854775808",
    "1e9",
    "true",
    "false",
    "null",
    "name",
    "size",
    "modified",
    "desc",
    "asc",
    "a",
    "b",
    "deep",
    "../..",
    "1-2",
    "17-42",
    "1/a",
    "-5/a",
    "*",
    "\"1-1-0\"",
    "W/\"x\"",
    "\"",
    "bytes=0-1",
    "bytes=5-,-3",
    "bytes=-0",
    "sha-256=:AAAA:",
    "sha1 AAAA",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c11",
    "1.0.0",
];

const HEADERS: [&str; 25] = [
    "Range",
    "If-Range",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "X-Generation",
    "Operation-Id",
    "Content-Digest",
    "Repr-Digest",
    "Content-Type",
    "Content-Range",
    "Content-Encoding",
    "Tus-Resumable",
    "Upload-Length",
    "Upload-Offset",
    "Upload-Metadata",
    "Upload-Checksum",
    "Upload-Defer-Length",
    "Origin",
    "Access-Control-Request-Method",
    "Expect",
    "X-HTTP-Method-Override",
    "X-Forwarded-For",
    "Depth",
];

const OPERATIONS: [&str; 7] = ["mkdir", "move", "copy", "delete", "restore", "restore-version", "purge"];

const FIELDS: [&str; 12] = [
    "path",
    "from",
    "to",
    "item",
    "version",
    "everything",
    "overwrite",
    "parents",
    "permanently",
    "op",
    "x",
    "path",
];

struct Maker {
    rng: Rng,
    /// Spaces and tickets to ask with.
    askers: Vec<(String, String)>,
    /// Uploads that were begun.
    uploads: Vec<String>,
}

impl Maker {
    fn of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.rng.usize(..texts.len())]
    }

    fn path(&mut self) -> String {
        let count = self.rng.usize(..7);
        let mut path: String = (0..count).map(|_| self.of(&PIECES)).collect();
        if self.rng.u8(..) == 0 {
            path.push_str(&"x".repeat(self.rng.usize(..40_000)));
        }
        path
    }

    /// A value that may be one of those that are known, or have something cut out or put in.
    fn value(&mut self) -> String {
        let mut text = match self.rng.u8(..8) {
            0 => self.path(),
            1 => metadata(&mut self.rng),
            2 => self.rng.u64(..).to_string(),
            _ => self.of(&VALUES).to_owned(),
        };
        if self.rng.u8(..6) == 0 {
            let at = self.rng.usize(..=text.len());
            if text.is_char_boundary(at) {
                text.insert(at, *self.rng.choice(&[' ', ',', '"', ';', '\t', '0', ':', 'é']).unwrap());
            }
        }
        text.replace(['\r', '\n', '\0'], "")
    }

    fn ticket(&mut self, ticket: &str) -> String {
        match self.rng.u8(..20) {
            0 => String::new(),
            1 => ticket[..self.rng.usize(..ticket.len())].to_owned(),
            2 => {
                let mut bytes = ticket.as_bytes().to_vec();
                let at = self.rng.usize(..bytes.len());
                bytes[at] = b'A' + self.rng.u8(..26);
                String::from_utf8(bytes).unwrap()
            }
            3 => self.value(),
            _ => ticket.to_owned(),
        }
    }

    fn body(&mut self) -> Vec<u8> {
        match self.rng.u8(..4) {
            0 => Vec::new(),
            1 => (0..self.rng.usize(..3000)).map(|_| self.rng.u8(..)).collect(),
            _ => {
                let mut fields = vec![format!("\"op\":\"{}\"", self.of(&OPERATIONS))];
                for _ in 0..self.rng.usize(..4) {
                    let value = self.of(&VALUES);
                    let value = match self.rng.u8(..3) {
                        0 => serde_json::Value::from(value).to_string(),
                        1 => serde_json::Value::from(self.of(&[
                            "a",
                            "b",
                            "deep/c",
                            "/d",
                            "a/../b",
                            "é\u{301}",
                        ]))
                        .to_string(),
                        _ => self.of(&["true", "false", "null", "5", "-5", "1e400", "[]", "{}"]).to_owned(),
                    };
                    fields.push(format!("\"{}\":{value}", self.of(&FIELDS)));
                }
                let mut body = format!("{{{}}}", fields.join(",")).into_bytes();
                if self.rng.u8(..10) == 0 {
                    body.truncate(self.rng.usize(..body.len()));
                }
                body
            }
        }
    }

    fn request(&mut self, asker: usize) -> Vec<u8> {
        let (space, ticket) = self.askers[asker].clone();
        let ticket = self.ticket(&ticket);
        let method = self.of(&METHODS);
        let route = match self.uploads.last() {
            Some(upload) if self.rng.u8(..8) == 0 => upload.clone(),
            _ => format!("{}{}", self.of(&ROUTES), self.path()),
        };
        let mut target = format!("/v1/spaces/{space}/{route}");
        for number in 0..self.rng.usize(..4) {
            let (key, value) = (self.of(&PARAMETERS), self.value().replace([' ', '\t'], "%20"));
            target.push_str(&format!("{}{key}={value}", if number == 0 { '?' } else { '&' }));
        }
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        head.push_str(&format!("Authorization: Bearer {ticket}\r\n"));
        if self.rng.bool() {
            head.push_str("Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n");
        }
        if self.rng.u8(..3) == 0 {
            let length = self.rng.u64(..9);
            let offset = self.rng.u64(..9);
            head.push_str(&format!("Upload-Length: {length}\r\nUpload-Offset: {offset}\r\n"));
            head.push_str(&format!("Upload-Metadata: {}\r\n", metadata(&mut self.rng)));
        }
        for _ in 0..self.rng.usize(..5) {
            head.push_str(&format!("{}: {}\r\n", self.of(&HEADERS), self.value()));
        }
        let body = self.body();
        match self.rng.u8(..12) {
            0 => head.push_str(&format!("Content-Length: {}\r\n\r\n", self.value())),
            1 => head.push_str("Transfer-Encoding: chunked\r\n\r\n"),
            _ => head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len())),
        }
        [head.into_bytes(), body].concat()
    }
}

fn metadata(rng: &mut Rng) -> String {
    let count = rng.usize(..4);
    let pairs: Vec<String> = (0..count)
        .map(|_| {
            let key = rng.choice(["path", "path", "replace", "parents", "filename", "", "p a"]).unwrap();
            let value = rng.choice(["a", "deep/b", "..", "c", "true", "é", "x\0y", ""]).unwrap();
            let mut encoded = BASE64_STANDARD.encode(value);
            if rng.u8(..8) == 0 {
                encoded.push('!');
            }
            format!("{key} {encoded}")
        })
        .collect();
    pairs.join(rng.choice([",", ", ", ",,"]).unwrap())
}

/// Sends it and gives back the answer, empty when the connection was just closed.
async fn exchange(address: SocketAddr, from: Ipv4Addr, request: &[u8]) -> Vec<u8> {
    // From many addresses: one has not as many ports as are needed.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let mut answer = Vec::new();
    let talk = async {
        // It may be refused before all of it was read.
        let _ = stream.write_all(request).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("a request without an end");
    answer
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_nobody_would_send() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        before(panic);
    }));
    let seconds = number("INTERNET_DISK_FUZZ_SECONDS", 15);
    let seed = number("INTERNET_DISK_FUZZ_SEED", fastrand::u64(..));
    println!("INTERNET_DISK_FUZZ_SEED={seed}");
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let group = world.group.space;
    let (alice, bob) = (world.client(&pod, "alice"), world.client(&pod, "bob"));
    bob.put("kept", "content").await;
    let owner = Client { pod: &pod, space: group, ticket: world.ticket("alice", group) };
    owner.put("a", "content").await;
    let untouched = pod.app.engine.space(group, volume_name());
    let generation = untouched.snapshot(Freshness::Now).await.unwrap().generation();

    let askers = vec![
        (alice.space.to_string(), alice.ticket.clone()),
        // A viewer.
        (group.to_string(), world.ticket("carol", group)),
        // A stranger.
        (bob.space.to_string(), alice.ticket.clone()),
    ];
    let end = Instant::now() + Duration::from_secs(seconds);
    let warm = Instant::now() + Duration::from_secs(seconds / 3);
    let address = served.address;
    let work = (0..4_u64).map(|worker| {
        let (rng, askers) = (Rng::with_seed(seed.wrapping_add(worker)), askers.clone());
        let mut maker = Maker { rng, askers, uploads: Vec::new() };
        tokio::spawn(async move {
            let mut told = [0_u64; 6];
            while Instant::now() < end {
                let asker = if maker.rng.u8(..4) > 0 { 0 } else { maker.rng.usize(1..3) };
                let request = maker.request(asker);
                let from = Ipv4Addr::new(127, 0, 1 + worker as u8, 1 + maker.rng.u8(..250));
                let answer = exchange(address, from, &request).await;
                let text = String::from_utf8_lossy(&answer);
                let status: u64 = text.get(9..12).and_then(|text| text.parse().ok()).unwrap_or(0);
                let shown = String::from_utf8_lossy(&request).chars().take(2000).collect::<String>();
                // A machine that is busy with other tests is no fault of ours.
                let ours = status >= 500 && status != 507 && !text.contains("storage-stalled");
                assert!(!ours, "{text}\n--- is the answer to\n{shown}");
                if asker > 0 {
                    let harmless = status == 0 || status >= 300;
                    let reads =
                        shown.starts_with("GET") || shown.starts_with("HEAD") || shown.starts_with("OPTIONS");
                    assert!(harmless || reads, "{text}\n--- is the answer to\n{shown}");
                }
                let location = text.lines().find_map(|line| line.strip_prefix("location: "));
                if let Some((_, upload)) = location.and_then(|at| at.split_once("/uploads/")) {
                    maker.uploads.push(format!("uploads/{}", upload.trim()));
                }
                told[usize::try_from(status / 100).unwrap()] += 1;
            }
            told
        })
    });
    let work: Vec<_> = work.collect();
    tokio::time::sleep_until(warm.into()).await;
    let warm = resident();
    let mut told = [0; 6];
    for worker in work {
        let some = worker.await.expect("see above");
        told.iter_mut().zip(some).for_each(|(all, some)| *all += some);
    }
    println!("answers by hundreds of their status: {told:?}");
    assert!(told[2] > 0 && told[4] > 0, "nothing was tried: {told:?}");
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "something panicked; see above");
    let grown = resident().saturating_sub(warm);
    assert!(grown < MOST_GROWTH, "{grown} bytes more than after a third of the time");
    let own = pod.app.engine.space(alice.space, volume_name());
    assert_eq!(own.snapshot(Freshness::Now).await.unwrap().audit(), Vec::<String>::new());
    assert_eq!(
        untouched.snapshot(Freshness::Now).await.unwrap().generation(),
        generation,
        "a viewer changed something"
    );
    assert_eq!(bob.get("kept").await.body, b"content");
    assert_eq!(bob.names("").await, ["kept"]);
}
