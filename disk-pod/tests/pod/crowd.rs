//! Many at once: what one member sends by the thousand, two hundred slow clients and thousands that do nothing take
//! neither their turn nor the memory from others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::sockets::{rest, served};
use crate::standalone::{ALICE, Place, Program};
use crate::world::{MIB, PATIENCE, World};

/// Of the built program, without optimisation; the figures of a release are in docs/reference/performance.md.
const MEMORY: u64 = 300 * MIB;

/// A connection that is kept.
struct Kept {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Kept {
    async fn new(program: &Program, name_and_password: &str) -> std::io::Result<Self> {
        let basic = BASE64_STANDARD.encode(name_and_password);
        let head = format!("Host: a\r\nAuthorization: Basic {basic}\r\n");
        Ok(Self { stream: BufReader::new(TcpStream::connect(program.public).await?), head })
    }

    /// The status of an answer, and whether it says when to come back.
    async fn get(&mut self, path: &str) -> std::io::Result<(u16, bool)> {
        let request = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.head);
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let (mut status, mut length, mut again) = (0, 0, false);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.parse().unwrap();
            } else if line.starts_with("retry-after: ") {
                again = true;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((status, again))
    }
}

/// The slowest but one of a hundred, of what bob asks over four connections.
async fn steady(program: &Program) -> Duration {
    let ask = async || {
        let mut kept = Kept::new(program, "bob:hush").await.unwrap();
        let mut took = Vec::new();
        for _ in 0..100 {
            let begun = Instant::now();
            let answer = tokio::time::timeout(PATIENCE, kept.get("/dav/home/small")).await;
            assert_eq!(answer.expect("bob waits for ever").unwrap().0, 200);
            took.push(begun.elapsed());
        }
        took
    };
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    let mut all = [a, b, c, d].concat();
    all.sort_unstable();
    all[all.len() * 99 / 100]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_of_one_member_leave_the_other_member_served() {
    let place = Place::new();
    let program = Arc::new(place.start());
    for who in ["alice:secret", "bob:hush"] {
        place.upload(&program, who, "/dav/home/small", &[7; 16 << 10]);
    }
    place.upload(&program, "alice:secret", "/dav/home/large", &vec![7; MIB as usize]);
    let alone = steady(&program).await;
    let ended = Arc::new(AtomicBool::new(false));
    let crowd: Vec<_> = (0..1000)
        .map(|number| {
            let (program, ended) = (Arc::clone(&program), Arc::clone(&ended));
            tokio::spawn(async move {
                let path = ["/dav/home/small", "/dav/home/large"][usize::from(number % 10 == 0)];
                let path = if number % 2 == 0 { path.to_owned() } else { format!("/v1/spaces/{ALICE}/list") };
                let mut kept = Kept::new(&program, "alice:secret").await.unwrap();
                let (mut served, mut refused) = (0_u32, 0_u32);
                while !ended.load(Ordering::Relaxed) {
                    match kept.get(&path).await.unwrap() {
                        (200, _) => served += 1,
                        (429 | 503, true) => refused += 1,
                        other => panic!("{other:?}"),
                    }
                }
                (served, refused)
            })
        })
        .collect();
    let beside = steady(&program).await;
    ended.store(true, Ordering::Relaxed);
    let (mut served, mut refused) = (0, 0);
    for one in crowd {
        let one = one.await.unwrap();
        (served, refused) = (served + one.0, refused + one.1);
    }
    eprintln!(
        "p99 {alone:.1?} alone, {beside:.1?} beside 1,000: {served} served, {refused} told to come back"
    );
    assert!(served > 0, "nobody of the crowd is served");
    let memory = program.memory();
    eprintln!("{} MiB after it", memory / MIB);
    assert!(memory < MEMORY, "{memory}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_slow_clients_are_cut_and_one_on_a_bad_line_is_not() {
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let (alice, bob) = (world.client(&pod, "alice"), world.client(&pod, "bob"));
    let mut slow = Vec::new();
    for number in 0..200 {
        let path = format!("files/slow-{number}");
        let mut stream = served.begin(&alice, "PUT", &path, "Content-Length: 200000\r\n", "").await;
        slow.push(tokio::spawn(async move {
            let (mut read, mut write) = stream.split();
            let drip = async {
                while write.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                std::future::pending::<()>().await;
            };
            let mut answer = [0; 12];
            let begun = Instant::now();
            tokio::select! {
                () = drip => {}
                read = tokio::time::timeout(PATIENCE, read.read_exact(&mut answer)) => {
                    read.expect("a slow client is listened to for ever").unwrap();
                }
            }
            assert_eq!(answer, *b"HTTP/1.1 400");
            assert!(begun.elapsed() >= Duration::from_secs(1), "it was given no time");
        }));
    }
    // Silent for most of the time that is allowed, and then some more.
    let mut bad = served.begin(&alice, "PUT", "files/bad-line", "Content-Length: 8192\r\n", "").await;
    let bad = async {
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(1200)).await;
            bad.write_all(&[7; 2048]).await.unwrap();
        }
        let mut answer = [0; 12];
        bad.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, *b"HTTP/1.1 201");
    };
    let steady = async {
        for number in 0..50 {
            assert_eq!(bob.put(&format!("a-{number}"), "content").await.status, 201);
            assert_eq!(bob.names("").await.len(), number + 1);
        }
    };
    tokio::join!(bad, steady);
    for one in slow {
        one.await.unwrap();
    }
    assert_eq!(alice.names("").await, ["bad-line"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_idle_connections_keep_nobody_out() {
    let place = Place::new();
    let program = place.start();
    place.upload(&program, "bob:hush", "/dav/home/small", b"content");
    let open_files = serve::open_files::raise();
    let many = usize::try_from(open_files * 3 / 4 - 100).unwrap().min(10_000);
    let (before, mut idle) = (program.memory(), Vec::new());
    for _ in 0..many {
        idle.push(TcpStream::connect(program.public).await.unwrap());
    }
    // Each is accepted: behind them all one is served.
    let mut kept = Kept::new(&program, "bob:hush").await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, kept.get("/dav/home/small")).await;
    assert_eq!(answer.expect("nobody listens behind them").unwrap().0, 200);
    let memory = program.memory();
    eprintln!("{many} idle connections: {} MiB, {} before", memory / MIB, before / MIB);
    assert!(memory < MEMORY, "{memory}");
    drop(idle);
    let stream = TcpStream::connect(program.public).await.unwrap();
    let mut stream = stream;
    stream.write_all(b"GET /v1/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(rest(stream).await.starts_with("HTTP/1.1 204"));
}

/// Two members at one pod, and a request of each that stays under way until it is told to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_too_much_under_way_is_told_so_before_the_body_is_read() {
    let world = World::new();
    let pod = world.pod().await;
    let group = world.group.space;
    let (alice, bob) = (world.ticket("alice", group), world.ticket("bob", group));
    let put = |ticket: &str, name: usize, body: Body| {
        let request = Request::put(format!("/v1/spaces/{group}/files/{name}"))
            .header("authorization", format!("Bearer {ticket}"))
            .header("content-length", "7");
        request.body(body).unwrap()
    };
    let (more, mut under_way) = (tokio::sync::watch::Sender::new(false), Vec::new());
    let held = |pod: &crate::world::Pod, ticket: &str, name| {
        let mut ends = more.subscribe();
        let content = futures::stream::once(async move {
            let _ = ends.wait_for(|ends| *ends).await;
            Ok::<_, std::io::Error>("content")
        });
        let (router, request) = (pod.public.clone(), put(ticket, name, Body::from_stream(content)));
        tokio::spawn(async move { crate::world::answer(&router, request).await.status.as_u16() })
    };
    // Three quarters of what is done at once are for one who is alone.
    for name in 0..192 {
        under_way.push(held(&pod, &alice, name));
    }
    let begun = async {
        while pod.app.load.requests() < 192 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, begun).await.expect("they do not begin");
    let unread = || {
        Body::from_stream(futures::stream::once(async {
            Err::<&str, _>(std::io::Error::other("the body was read"))
        }))
    };
    let refused = pod.send(put(&alice, 192, unread())).await;
    assert_eq!(refused.outcome(), (429, "too-many-requests".to_owned()));
    assert_eq!(refused.header("retry-after"), "1");
    // Another member comes in, and so does other work of the same.
    for name in 200..264 {
        under_way.push(held(&pod, &bob, name));
    }
    let begun = async {
        while pod.app.load.requests() < 256 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, begun).await.expect("the other one does not come in");
    let full = pod.send(put(&bob, 300, unread())).await;
    assert_eq!((full.outcome(), full.header("retry-after")), ((503, "overloaded".to_owned()), "1"));
    let listed = Request::get(format!("/v1/spaces/{group}/list"))
        .header("authorization", format!("Bearer {alice}"))
        .body(Body::empty());
    assert_eq!(pod.send(listed.unwrap()).await.status, 200);
    more.send_replace(true);
    for one in under_way {
        assert_eq!(one.await.unwrap(), 201);
    }
    assert_eq!(pod.send(put(&alice, 301, "content".into())).await.status, 201);
}
