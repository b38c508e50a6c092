//! Endpoints over real sockets: limits, drain, request ids, metrics, and the client that calls them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test: all of it

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use bytes::Bytes;
use http::StatusCode;
use internet_disk_serve as serve;
use internet_disk_serve::client::ClientError;
use internet_disk_serve::problem::not_found;
use internet_disk_serve::{Admin, Client, Config, Endpoint, Limits, Metrics, Readiness, Refusal, Shutdown};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// No test waits longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    admin: Admin,
    ended: JoinHandle<std::io::Result<()>>,
}

async fn start(router: Router, limits: Limits, grace: Duration) -> Running {
    let anywhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let endpoint = Endpoint::bind("public", anywhere, router, limits).await.unwrap();
    let address = endpoint.address().unwrap();
    let shutdown = Shutdown::new();
    let admin = Admin { readiness: Readiness::new(), metrics: Metrics::new() };
    let config = Config { admin_listen: anywhere, grace };
    let ended = tokio::spawn(serve::run(config, vec![endpoint], admin.clone(), shutdown.clone()));
    Running { address, shutdown, admin, ended }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("nothing happened in time")
}

async fn raw(address: SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn a_head_that_never_ends_is_let_go() {
    let limits = Limits { head: Duration::from_millis(50), ..Limits::default() };
    let running = start(Router::new(), limits, PATIENCE).await;
    let answer = raw(running.address, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_connection_too_many_waits_for_its_turn() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let running = start(Router::new().route("/", get(|| async { "here" })), limits, PATIENCE).await;
    let first = TcpStream::connect(running.address).await.unwrap();
    let second = tokio::spawn(raw(running.address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    assert!(!second.is_finished());
    drop(first);
    assert!(within(second).await.unwrap().ends_with("here"));
}

/// Refused before its body was read, a request must not be cut off: the reason for the refusal would be lost with it.
#[tokio::test]
async fn an_answer_before_the_body_arrives_though_the_client_goes_on_sending() {
    let router = Router::new().route("/", post(|| async { StatusCode::INSUFFICIENT_STORAGE }));
    let running = start(router, Limits::default(), PATIENCE).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let body = vec![0; 16 << 20];
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    within(stream.write_all(head.as_bytes())).await.unwrap();
    // As many clients do, this one looks for the answer only when it has sent everything.
    within(stream.write_all(&body)).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 507"), "{answer}");
}

/// The parser drops fragments, and what is left would be another address.
#[tokio::test]
async fn a_fragment_in_an_address_is_refused_and_nowhere_else() {
    let router = Router::new().fallback(|body: String| async move { format!("[{body}]") });
    let running = start(router, Limits::default(), PATIENCE).await;
    let head = "POST /a HTTP/1.1\r\nHost: a\r\nX-Hash: #\r\nContent-Length: 3\r\n\r\n";
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    for _ in 0..2 {
        // The body comes later than its head, as behind an Expect, and begins with what would be refused in a target.
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        stream.write_all(b"#\n#").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"[#\n#]") {
            within(stream.read_buf(&mut answer)).await.unwrap();
            assert!(answer.len() < 1000, "{}", String::from_utf8_lossy(&answer));
        }
    }
    stream.write_all(b"DELETE /a/#b HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

/// Where requests come close behind each other, the second is not looked at as a line once its head is there.
#[tokio::test]
async fn a_body_behind_a_head_that_came_with_another_request_stays_as_it_is() {
    let router = Router::new().fallback(|body: String| async move { format!("[{body}]") });
    let running = start(router, Limits::default(), PATIENCE).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    within(stream.write_all(format!("GET / HTTP/1.1\r\nHost: a\r\n\r\n{head}").as_bytes())).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"[]") {
        within(stream.read_buf(&mut answer)).await.unwrap();
    }
    within(stream.write_all(b"#a#")).await.unwrap();
    while !answer.ends_with(b"]") || answer.ends_with(b"[]") {
        within(stream.read_buf(&mut answer)).await.unwrap();
    }
    assert!(answer.ends_with(b"[#a#]"), "{}", String::from_utf8_lossy(&answer));
}

/// A connection that rests has given up all that it had of HTTP, and goes on as if it had not.
#[tokio::test]
async fn a_connection_goes_on_after_a_rest() {
    let limits = Limits { rest: Duration::from_millis(5), ..Limits::default() };
    let running = start(Router::new().route("/", get(|| async { "here" })), limits, PATIENCE).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let resting = "internet_disk_http_connections_resting{endpoint=\"public\"} 1";
    for part in [0, 1, 20] {
        within(async {
            while !running.admin.metrics.text().unwrap().contains(resting) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        // In two parts, so that a head is half there for longer than a rest.
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        within(stream.write_all(&head[..part])).await.unwrap();
        within(async {
            while part > 0 && running.admin.metrics.text().unwrap().contains(resting) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        within(stream.write_all(&head[part..])).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            assert!(within(stream.read_buf(&mut answer)).await.unwrap() > 0);
        }
    }
    running.shutdown.drain();
    let mut rest = Vec::new();
    within(stream.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn draining_ends_what_runs_and_refuses_what_is_new() {
    let go_on = Arc::new(Notify::new());
    let begun = Arc::new(Notify::new());
    let (handler_go_on, handler_begun) = (Arc::clone(&go_on), Arc::clone(&begun));
    let router = Router::new().route(
        "/long",
        get(move || async move {
            handler_begun.notify_one();
            handler_go_on.notified().await;
            "done"
        }),
    );
    let running = start(router, Limits::default(), PATIENCE).await;
    let admin = serve::admin::router(running.admin.clone(), running.shutdown.clone());
    let ready = || http::Request::get("/ready").body(axum::body::Body::empty()).unwrap();
    assert_eq!(admin.clone().oneshot(ready()).await.unwrap().status(), StatusCode::OK);

    let long = tokio::spawn(raw(running.address, "GET /long HTTP/1.1\r\nHost: a\r\n\r\n"));
    within(begun.notified()).await;
    running.shutdown.drain();
    let unready = admin.oneshot(ready()).await.unwrap();
    assert_eq!(unready.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = axum::body::to_bytes(unready.into_body(), 10_000).await.unwrap();
    assert!(String::from_utf8_lossy(&body).contains("draining"));

    go_on.notify_one();
    let answer = within(long).await.unwrap();
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    assert!(answer.ends_with("done"));
    within(running.ended).await.unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn what_outlives_the_grace_is_cut_off() {
    let begun = Arc::new(Notify::new());
    let handler_begun = Arc::clone(&begun);
    let router = Router::new().route(
        "/",
        get(move || async move {
            handler_begun.notify_one();
            std::future::pending::<()>().await;
        }),
    );
    let running = start(router, Limits::default(), Duration::from_millis(100)).await;
    let hung = tokio::spawn(raw(running.address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    within(begun.notified()).await;
    running.shutdown.drain();
    within(running.ended).await.unwrap().unwrap();
    assert_eq!(within(hung).await.unwrap(), "");
}

#[tokio::test]
async fn an_unmet_condition_is_named() {
    let admin = Admin::default();
    let _roster = admin.readiness.condition("roster", "the roster was not read yet");
    let answer = serve::admin::router(admin, Shutdown::new())
        .oneshot(http::Request::get("/ready").body(axum::body::Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["ready"], false);
    assert_eq!(body["conditions"][0]["reason"], "the roster was not read yet");
}

#[tokio::test]
async fn requests_have_ids_and_are_counted_by_template() {
    let router = Router::new().route("/files/{name}", get(|Path(name): Path<String>| async move { name }));
    let running = start(router, Limits::default(), PATIENCE).await;
    let answer = raw(
        running.address,
        "GET /files/secret.txt HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.contains("x-request-id: mine-1\r\n"), "{answer}");
    let metrics = running.admin.metrics.text().unwrap();
    assert!(metrics.contains("method=\"GET\",route=\"/files/{name}\",status=\"200\"} 1"), "{metrics}");
    assert!(metrics.contains("internet_disk_http_requests_running{endpoint=\"public\"} 0"), "{metrics}");
    assert!(!metrics.contains("secret"));
}

#[tokio::test]
async fn the_client_reads_an_answer_or_says_why_not() {
    let router = Router::new()
        .route("/json", get(|| async { r#"{"bytes":7}"# }))
        .route("/text", get(|| async { "seven" }))
        .route("/hung", get(std::future::pending::<()>))
        .route("/no", get(|| async { (StatusCode::FORBIDDEN, "not you") }))
        .route(
            "/echo",
            post(|headers: http::HeaderMap, body: Bytes| async move {
                format!(
                    "[{:?}, {}]",
                    headers["authorization"].to_str().unwrap(),
                    String::from_utf8_lossy(&body)
                )
            }),
        );
    let running = start(router, Limits::default(), PATIENCE).await;
    let url = |path: &str| format!("http://{}{path}", running.address);
    let client = Client::new(PATIENCE);
    let got: serde_json::Value = client.get_json(&url("/json"), PATIENCE).await.unwrap();
    assert_eq!(got["bytes"], 7);
    let echoed: serde_json::Value = client
        .post_json(&url("/echo"), Some("token"), Bytes::from_static(b"[1,  2]"), PATIENCE)
        .await
        .unwrap();
    assert_eq!(echoed, serde_json::json!(["Bearer token", [1, 2]]));

    let short = Duration::from_millis(50);
    let hung = client.get_json::<serde_json::Value>(&url("/hung"), short).await.unwrap_err();
    assert!(matches!(hung, ClientError::TimedOut { .. }), "{hung}");
    let text = client.get_json::<serde_json::Value>(&url("/text"), PATIENCE).await.unwrap_err();
    assert!(matches!(text, ClientError::Unreadable { .. }), "{text}");
    let no = client.get_json::<serde_json::Value>(&url("/no"), PATIENCE).await.unwrap_err();
    assert!(
        matches!(&no, ClientError::Refused { status: StatusCode::FORBIDDEN, body, .. } if body == "not you")
    );
    let nowhere = client.get_json::<serde_json::Value>("not a url", PATIENCE).await.unwrap_err();
    assert!(matches!(nowhere, ClientError::Address(_)), "{nowhere}");
    // A port that was just let go of: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = client.get_json::<serde_json::Value>(&format!("http://{free}/"), PATIENCE).await.unwrap_err();
    assert!(matches!(away, ClientError::Unreachable { .. }), "{away}");
}

#[tokio::test]
async fn our_fault_carries_the_id_under_which_the_log_tells_more() {
    let router = Router::new()
        .route("/", get(|| async { Refusal::internal("the disk is on fire") }))
        .fallback(not_found);
    let running = start(router, Limits::default(), PATIENCE).await;
    let send = |path: &str| {
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: find-me\r\nConnection: close\r\n\r\n");
        async move { raw(running.address, &head).await }
    };
    let failed = send("/").await;
    assert!(failed.starts_with("HTTP/1.1 500"), "{failed}");
    assert!(failed.contains("\"requestId\":\"find-me\""), "{failed}");
    assert!(!failed.contains("fire"));
    let missing = send("/missing").await;
    assert!(missing.starts_with("HTTP/1.1 404") && missing.contains("\"code\":\"not-found\""), "{missing}");
}
