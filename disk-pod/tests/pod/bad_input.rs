//! What broke others, one test for each class: a clear refusal, nothing stored, nothing leaked.

use std::time::Duration;

use api::ids::{ClusterUid, MemberUid};
use api::keys::SigningKey;
use api::ticket::{Access, Ticket};
use axum::body::Body;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use serve::Limits;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::sockets::{rest, served, served_within, settled};
use crate::uploads::{CONTENT, VERSION, metadata};
use crate::world::{Client, PATIENCE, World};

/// Whether a file or directory of this name is anywhere on the volume, or beside it.
fn is_on_disk(world: &World, name: &str) -> bool {
    let mut open = vec![world.volume.path().to_owned()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().contains(name) {
                return true;
            }
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            }
        }
    }
    false
}

#[tokio::test]
async fn encoded_traversal() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let ways = [
        "..",
        "../evil",
        "%2e%2e/evil",
        "%2E%2E/evil",
        ".%2e/evil",
        "%2e%2e%2fevil",
        "..%2fevil",
        "..%2f..%2f..%2fevil",
        "a/..%2f..%2fevil",
        "%c0%ae%c0%ae/evil",
        "%e0%80%ae%e0%80%ae/evil",
        "%2fevil",
        "a//evil",
        "a/./evil",
        "evil%00.txt",
        "evil%0d%0aX-Injected:%201",
    ];
    for way in ways {
        for (method, route) in [
            ("GET", "files/"),
            ("PUT", "files/"),
            ("DELETE", "files/"),
            ("GET", "list/"),
            ("GET", "zip/"),
            ("GET", "versions/"),
        ] {
            let answer = alice.send(method, &format!("{route}{way}"), &[], "x").await;
            assert_eq!(answer.outcome(), (400, "name-invalid".to_owned()), "{method} {route}{way}");
            assert!(answer.headers.get("x-injected").is_none());
        }
    }
    for text in ["..", "../evil", "a/../../evil", "a/./evil", "a//evil", "evil\0", "evil\r\n"] {
        for operation in [
            json!({"op": "mkdir", "path": text, "parents": true}),
            json!({"op": "copy", "from": text, "to": "b"}),
            json!({"op": "move", "from": "a", "to": text}),
            json!({"op": "delete", "path": text}),
            json!({"op": "restore", "item": "1-2", "to": text}),
            json!({"op": "purge", "path": text}),
        ] {
            let answer = alice.operate(operation.clone()).await;
            assert_eq!(answer.outcome(), (400, "name-invalid".to_owned()), "{operation}");
        }
        let created = alice.create(text, 1).await;
        assert_eq!(created.outcome(), (400, "name-invalid".to_owned()), "{text:?}");
    }
    // What is left after one decoding is a name, and stays one.
    assert_eq!(alice.put("%252e%252e%252fevil", "x").await.status, 201);
    assert_eq!(alice.names("").await, ["%2e%2e%2fevil"]);
    assert!(!is_on_disk(&world, "evil"));
    // Nor is the id of a space a way.
    for space in ["..", "..%2f..", "%2e%2e", "../internal", "00000000-0000-0000-0000-000000000000%2f.."] {
        let request = Request::get(format!("/v1/spaces/{space}/list"))
            .header("authorization", format!("Bearer {}", alice.ticket));
        let answer = pod.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 404, "{space}");
    }
}

#[tokio::test]
async fn hostile_names() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let long = "휴".repeat(255);
    let names = [
        "-rf",
        "con",
        "a.",
        " a ",
        "~",
        "$(reboot)",
        "`id`",
        "'; drop table files; --",
        "<img src=x onerror=alert(1)>.html",
        "\"quoted\".txt",
        "a;b=c\".txt",
        "\u{202e}gpj.exe",
        "\u{feff}bom",
        "\u{200b}",
        "..\\..\\evil",
        "C:\\evil",
        "%s%n%x",
        "{{7*7}}",
        ".htaccess",
        long.as_str(),
    ];
    for name in names {
        let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        let path = encoded.to_string();
        assert_eq!(alice.put(&path, name).await.status, 201, "{name:?}");
        let got = alice.get(&path).await;
        assert_eq!(got.body, name.as_bytes(), "{name:?}");
        let disposition = got.header("content-disposition");
        assert!(
            disposition.starts_with("attachment; filename=\"") && disposition.is_ascii(),
            "{disposition}"
        );
        assert_eq!(disposition.matches('"').count(), 2, "{disposition}");
    }
    let mut listed = alice.names("").await;
    let mut expected = names.map(str::to_owned);
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    for name in [format!("{long}휴"), "a\u{7f}".to_owned(), "a\u{1b}[2J".to_owned(), "\u{85}".to_owned()] {
        let answer = alice.operate(json!({"op": "mkdir", "path": name})).await;
        assert_eq!(answer.outcome(), (400, "name-invalid".to_owned()), "{name:?}");
    }
    assert!(!is_on_disk(&world, "evil") && !is_on_disk(&world, "htaccess"));
}

#[tokio::test]
async fn negative_and_huge_lengths() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let path = metadata("a");
    let upload = alice.begin("b", 5).await;
    for (number, refusals) in [
        ("-1", [400, 400, 400]),
        ("+1", [400, 400, 400]),
        ("1e3", [400, 400, 400]),
        ("0x10", [400, 400, 400]),
        ("1.5", [400, 400, 400]),
        ("", [400, 400, 400]),
        ("NaN", [400, 400, 400]),
        ("18446744073709551616", [400, 400, 400]),
        ("18446744073709551615", [507, 409, 200]),
        ("9223372036854775808", [507, 409, 200]),
    ] {
        let create = [VERSION, ("upload-length", number), ("upload-metadata", path.as_str())];
        let created = alice.send("POST", "uploads", &create, "").await;
        assert_eq!(created.status.as_u16(), refusals[0], "Upload-Length: {number}");
        let offset = [VERSION, CONTENT, ("upload-offset", number)];
        let patched = alice.send("PATCH", &upload, &offset, "x").await;
        assert_eq!(patched.status.as_u16(), refusals[1], "Upload-Offset: {number}");
        let listed = alice.send("GET", "list", &[("x-generation", number)], "").await;
        assert_eq!(
            listed.status.as_u16(),
            if number == "+1" { 200 } else { refusals[2] },
            "X-Generation: {number}"
        );
        if refusals[0] == 400 && !number.is_empty() {
            let page =
                alice.send("GET", &format!("list?limit={}", number.replace('+', "%2B")), &[], "").await;
            assert!(number == "+1" || page.status == 400, "limit={number}");
        }
    }
    let usage = alice.send("GET", "usage", &[], "").await.json();
    assert_eq!((&usage["used"], &usage["reserved"]), (&json!(0), &json!(5)));
    assert!(alice.names("").await.is_empty());

    let served = served(&pod).await;
    for length in ["-1", "1e3", "18446744073709551616", "5, 6", "0x5"] {
        let headers = format!("Content-Length: {length}\r\nConnection: close\r\n");
        let mut stream = served.begin(&alice, "PUT", "files/c", &headers, "hello").await;
        stream.shutdown().await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{length}: {answer}");
    }
    let huge = format!("Content-Length: {}\r\nConnection: close\r\n", u64::MAX - 1);
    let stream = served.begin(&alice, "PUT", "files/c", &huge, "").await;
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 507") || answer.starts_with("HTTP/1.1 4"), "{answer}");
    settled(&pod).await;
    assert!(alice.names("").await.is_empty());
}

#[tokio::test]
async fn lying_checksums() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let digest = [("content-digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")];
    let put = alice.send("PUT", "files/a", &digest, "hello").await;
    assert_eq!(put.outcome(), (400, "digest-mismatch".to_owned()));
    let upload = alice.begin("b", 5).await;
    let headers =
        [VERSION, CONTENT, ("upload-offset", "0"), ("upload-checksum", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=")];
    let patched = alice.send("PATCH", &upload, &headers, "hello").await;
    assert_eq!(patched.outcome(), (460, "checksum-mismatch".to_owned()));
    assert_eq!(alice.offset(&upload).await.header("upload-offset"), "0");
    assert!(alice.names("").await.is_empty());
}

#[tokio::test]
async fn ranges_beyond_the_end_and_by_the_thousand() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "0123456789").await;
    let long: String = (0..4000).map(|at| char::from(b'a' + (at % 23) as u8)).collect();
    alice.put("long", &long).await;
    let thousand = (0..1000).map(|at| format!("{at}-{at}")).collect::<Vec<_>>().join(",");
    let overlapping = vec!["0-"; 1000].join(",");
    let backwards = "9-9,8-8,7-7".to_owned();
    for (ranges, status) in [
        (thousand, 200),
        (overlapping, 200),
        (backwards, 206),
        ("10-".to_owned(), 416),
        ("99999999999999999999999-".to_owned(), 416),
        ("18446744073709551615-18446744073709551615".to_owned(), 416),
        ("-0".to_owned(), 416),
        ("9-18446744073709551615".to_owned(), 206),
        ("-18446744073709551615".to_owned(), 206),
        ("5-4".to_owned(), 200),
        ("--5".to_owned(), 200),
        ("-5-".to_owned(), 200),
    ] {
        let range = format!("bytes={ranges}");
        let answer = alice.send("GET", "files/a", &[("range", &range)], "").await;
        let shown: String = ranges.chars().take(40).collect();
        assert_eq!(answer.status.as_u16(), status, "{shown}");
        assert!(status == 416 || answer.body.len() <= 10, "{shown}: no byte is sent twice");
        assert!(!answer.header("content-type").starts_with("multipart/"), "{shown}");
    }
    // Several that lie apart come in parts, each with its place; never more bytes than there are.
    let far = (0..64).map(|at| format!("{}-{}", at * 60, at * 60)).collect::<Vec<_>>().join(",");
    let too_many = (0..65).map(|at| format!("{}-{}", at * 60, at * 60)).collect::<Vec<_>>().join(",");
    for (ranges, status, parts) in [
        ("0-1,1000-1001,-2", 206, 3),
        ("3000-3001,0-1", 206, 2),
        ("0-10,5-20,3000-3999", 206, 2),
        ("0-,0-,0-", 206, 0),
        ("0-1,9999-", 206, 0),
        ("9999-,8888-", 416, 0),
        (far.as_str(), 206, 0),
        (too_many.as_str(), 200, 0),
    ] {
        let range = format!("bytes={ranges}");
        let answer = alice.send("GET", "files/long", &[("range", &range)], "").await;
        assert_eq!(answer.status.as_u16(), status, "{ranges}");
        let body = String::from_utf8(answer.body.clone()).unwrap();
        let kind = answer.header("content-type");
        let Some(boundary) = kind.strip_prefix("multipart/byteranges; boundary=") else {
            assert_eq!(parts, 0, "{ranges}");
            continue;
        };
        assert_eq!(answer.header("content-length"), body.len().to_string(), "{ranges}");
        assert!(answer.header("content-range").is_empty());
        assert!(answer.header("content-security-policy").starts_with("sandbox"));
        let pieces: Vec<&str> = body.split(&format!("\r\n--{boundary}")).collect();
        assert_eq!(pieces.len(), parts + 2, "{ranges}: {body}");
        assert_eq!((pieces[0], pieces[parts + 1]), ("", "--\r\n"), "{ranges}");
        for piece in &pieces[1..=parts] {
            let (head, content) = piece.split_once("\r\n\r\n").unwrap();
            let place = head.split("Content-Range: bytes ").nth(1).unwrap();
            let (place, size) = place.split_once('/').unwrap();
            let (first, last) = place.split_once('-').unwrap();
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            assert_eq!((size, content), ("4000", &long[first..=last]), "{ranges}");
        }
    }
    // A condition that does not hold any more makes it whole.
    let stale = [("range", "bytes=0-1,1000-1001"), ("if-range", "\"another\"")];
    assert_eq!(alice.send("GET", "files/long", &stale, "").await.status, 200);
    let head = alice.send("HEAD", "files/long", &[("range", "bytes=0-1,1000-1001")], "").await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "4000"));
}

#[tokio::test]
async fn request_smuggling_shapes() {
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let alice = world.client(&pod, "alice");
    let (space, ticket) = (alice.space, &alice.ticket);
    let line = |name: &str| {
        format!(
            "PUT /v1/spaces/{space}/files/{name} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ticket}\r\n"
        )
    };
    let evil = format!("{}Content-Length: 4\r\n\r\nevil", line("evil"));
    // Whatever the two ends may have thought, the second request is in the first or refused, never done.
    for (what, head, body) in [
        ("two lengths", "Content-Length: 0\r\nContent-Length: 500\r\n", evil.as_str()),
        ("a list of lengths", "Content-Length: 0, 500\r\n", evil.as_str()),
        ("another coding", "Transfer-Encoding: xchunked\r\n", evil.as_str()),
        ("chunked not last", "Transfer-Encoding: chunked, identity\r\n", evil.as_str()),
        ("two codings", "Transfer-Encoding: identity\r\nTransfer-Encoding: cow\r\n", evil.as_str()),
        ("a space before the colon", "Content-Length : 0\r\nContent-Length: 500\r\n", evil.as_str()),
        ("a folded line", "X: a\r\n Content-Length: 0\r\nContent-Length: 500\r\n", evil.as_str()),
        ("a chunk that is none", "Transfer-Encoding: chunked\r\n", "-1\r\n\r\n"),
        ("a chunk of more than there is", "Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\nx\r\n"),
        ("a chunk without its end", "Transfer-Encoding: chunked\r\n", "4\r\nevilX0\r\n\r\n"),
        ("NUL in a head", "X: a\0b\r\nContent-Length: 0\r\n", ""),
        ("CR in a head", "X: a\rb\r\nContent-Length: 0\r\n", ""),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let request = format!("{}{head}\r\n{body}", line("first"));
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{what}: {answer}");
        assert!(answer.matches("HTTP/1.1").count() <= 1, "{what}: {answer}");
        settled(&pod).await;
        assert!(alice.names("").await.is_empty(), "{what}");
    }
    // With both, the coding counts (RFC 9112, section 6.3): the length is nothing that anybody goes by.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let both = format!(
        "{}Content-Length: 500\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n",
        line("both")
    );
    stream.write_all(both.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.is_empty() || ["201", "400"].contains(&&answer[9..12]), "{answer}");
    settled(&pod).await;
    assert!(alice.names("").await.iter().all(|name| name == "both"));
    // A request in the content of another is content.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let within =
        format!("{}Content-Length: {}\r\nConnection: close\r\n\r\n{evil}", line("within"), evil.len());
    stream.write_all(within.as_bytes()).await.unwrap();
    assert!(rest(stream).await.starts_with("HTTP/1.1 201"));
    assert_eq!(alice.get("within").await.body, evil.as_bytes());
    assert!(!alice.names("").await.contains(&"evil".to_owned()));
}

#[tokio::test]
async fn slow_headers() {
    let world = World::new();
    let pod = world.pod().await;
    let limits = Limits { head: Duration::from_millis(300), ..Limits::default() };
    let served = served_within(&pod, limits).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET /v1/ping HTTP/1.1\r\nHost: a\r\n").await.unwrap();
    let (read, mut write) = stream.into_split();
    let drip = async {
        // A byte at a time never makes a head: the connection ends all the same.
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let read = async {
        let mut read = read;
        let mut answer = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut read, &mut answer).await;
        answer
    };
    let ended = async {
        tokio::select! {
            answer = read => answer,
            () = drip => Vec::new(),
        }
    };
    let answer = tokio::time::timeout(PATIENCE, ended).await.expect("a slow head keeps its connection");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn slow_bodies() {
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let alice = world.client(&pod, "alice");
    let upload = alice.begin("u", 100).await;
    let tus = "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n";
    for (method, path, headers) in [
        ("PUT", "files/a", "Content-Length: 100\r\n".to_owned()),
        ("PUT", "files/b", "Transfer-Encoding: chunked\r\n".to_owned()),
        ("PATCH", upload.as_str(), format!("{tus}Content-Length: 100\r\n")),
    ] {
        let body = if headers.contains("chunked") { "3\r\nabc\r\n" } else { "abc" };
        let stream = served.begin(&alice, method, path, &headers, body).await;
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("body-incomplete"), "{path}: {answer}");
    }
    assert!(alice.names("").await.is_empty());
    assert_eq!(alice.offset(&upload).await.header("upload-offset"), "3");
}

#[tokio::test]
async fn a_ticket_for_another_space_path_action_cluster_or_key() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.send("PUT", "files/shared/a?parents=true", &[], "content").await;
    let good = world.claims("alice", alice.space);
    let issue = |ticket: Ticket, key: &SigningKey| ticket.issue(key).unwrap();
    let keys = &world.tickets;
    for (what, ticket, status) in [
        ("space", world.ticket("alice", world.group.space), 403),
        ("path", issue(Ticket { path: Some("other".to_owned()), ..good.clone() }, keys), 403),
        ("action", issue(Ticket { access: Access::Read, ..good.clone() }, keys), 403),
        ("member", issue(Ticket { member: MemberUid(Uuid::new_v4()), ..good.clone() }, keys), 403),
        ("cluster", issue(Ticket { cluster: ClusterUid(Uuid::new_v4()), ..good.clone() }, keys), 401),
        ("key", issue(good.clone(), &SigningKey::generate().unwrap()), 401),
        (
            "time",
            issue(Ticket { expires: Timestamp::now() - SignedDuration::from_hours(1), ..good.clone() }, keys),
            401,
        ),
    ] {
        let stranger = Client { pod: &pod, space: alice.space, ticket };
        let put = stranger.put("shared/a", "hacked").await;
        assert_eq!(put.status.as_u16(), status, "{what}: {put:?}");
        let body = String::from_utf8_lossy(&put.body).into_owned();
        assert!(!body.contains(&stranger.ticket) && !body.contains("content\""), "{what}: {body}");
        if what != "action" {
            for path in ["files/shared/a", "list/shared", "zip/shared", "versions/shared/a"] {
                let got = stranger.send("GET", path, &[], "").await;
                assert_eq!(got.status.as_u16(), status, "{what}: {path}: {got:?}");
            }
        }
    }
    assert_eq!(alice.get("shared/a").await.body, b"content");
}

#[tokio::test]
async fn a_viewers_write() {
    let world = World::new();
    let pod = world.pod().await;
    let group = world.group.space;
    let bob = Client { pod: &pod, space: group, ticket: world.ticket("bob", group) };
    bob.put("a", "one").await;
    bob.put("a", "two").await;
    bob.put("b", "three").await;
    bob.send("DELETE", "files/b", &[], "").await;
    let upload = bob.begin("u", 3).await;
    let trash = bob.send("GET", "trash", &[], "").await.json();
    let item = trash["items"][0]["id"].as_str().unwrap().to_owned();
    let version = bob.send("GET", "versions/a", &[], "").await.json()["versions"][0]["version"].clone();
    let before = bob.send("GET", "usage", &[], "").await.json();

    let carol = Client { pod: &pod, space: group, ticket: world.ticket("carol", group) };
    let path = metadata("c");
    let create = [
        VERSION,
        CONTENT,
        ("upload-length", "1"),
        ("upload-offset", "0"),
        ("upload-metadata", path.as_str()),
    ];
    for (method, route) in [
        ("PUT", "files/a"),
        ("PUT", "files/c"),
        ("DELETE", "files/a"),
        ("POST", "uploads"),
        ("HEAD", upload.as_str()),
        ("PATCH", upload.as_str()),
        ("DELETE", upload.as_str()),
    ] {
        let answer = carol.send(method, route, &create, "x").await;
        assert_eq!(answer.status, 403, "{method} {route}: {answer:?}");
    }
    for operation in [
        json!({"op": "mkdir", "path": "c"}),
        json!({"op": "move", "from": "a", "to": "c"}),
        json!({"op": "copy", "from": "a", "to": "c"}),
        json!({"op": "delete", "path": "a"}),
        json!({"op": "delete", "path": "a", "permanently": true}),
        json!({"op": "restore", "item": item}),
        json!({"op": "restore-version", "path": "a", "version": version}),
        json!({"op": "purge", "item": item}),
        json!({"op": "purge", "everything": true}),
        json!({"op": "purge", "path": "a"}),
    ] {
        let answer = carol.operate(operation.clone()).await;
        assert_eq!(answer.outcome(), (403, "forbidden".to_owned()), "{operation}");
    }
    assert_eq!(bob.send("GET", "usage", &[], "").await.json(), before, "not a byte and not a generation");
    assert_eq!(bob.get("a").await.body, b"two");
}

#[tokio::test]
async fn a_removed_members_open_connection() {
    let mut world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let group = world.group.space;
    let bob = Client { pod: &pod, space: group, ticket: world.ticket("bob", group) };
    bob.put("a", "secret").await;
    let mut stream = served.begin(&bob, "GET", "files/a", "", "").await;
    let mut answer = vec![0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 200");
    let (more, chunks) = futures::channel::mpsc::unbounded::<Result<bytes::Bytes, std::io::Error>>();
    more.unbounded_send(Ok("half".into())).unwrap();
    let put = bob.send("PUT", "files/late", &[], Body::from_stream(chunks));
    let removal = async {
        world.group.participants.retain(|participant| participant.name.as_str() != "bob");
        pod.knows(world.publish()).await;
        more.unbounded_send(Ok(" and half".into())).unwrap();
        more.close_channel();
    };
    let (put, ()) = tokio::join!(put, removal);
    assert_eq!(put.outcome(), (403, "forbidden".to_owned()));
    // On the connection that was good before, too.
    let again = format!(
        "GET /v1/spaces/{group}/files/a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        bob.ticket
    );
    stream.write_all(again.as_bytes()).await.unwrap();
    let answers = rest(stream).await;
    assert!(answers.contains("HTTP/1.1 403") && answers.matches("secret").count() == 1, "{answers}");
    let alice = Client { pod: &pod, space: group, ticket: world.ticket("alice", group) };
    assert_eq!(alice.names("").await, ["a"]);
}

#[tokio::test]
async fn html_and_svg_served_to_a_browser() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let script = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    for name in
        ["a.html", "a.HTM", "a.svg", "a.xhtml", "a.xml", "a.js", "a.swf", "a.mht", "a", "a.html.gz", "a.pdf"]
    {
        alice.put(name, script).await;
        let version = alice.send("GET", &format!("versions/{name}"), &[], "").await.json();
        let version = version["current"]["version"].clone();
        for query in ["", "?inline", &format!("?version={version}"), &format!("?inline&version={version}")] {
            let got = alice.get(&format!("{name}{query}")).await;
            assert_eq!(got.status, 200, "{name}{query}");
            assert!(got.header("content-security-policy").starts_with("sandbox;"), "{name}{query}");
            assert!(!got.header("content-security-policy").contains("allow-"), "{name}{query}");
            assert_eq!(got.header("x-content-type-options"), "nosniff", "{name}{query}");
            assert_eq!(got.header("cross-origin-opener-policy"), "same-origin", "{name}{query}");
            let kind = got.header("content-type");
            assert!(
                !["html", "svg", "xml", "javascript", "flash"].iter().any(|bad| kind.contains(bad)),
                "{name}: {kind}"
            );
            let shown = if query.contains("inline") { "inline;" } else { "attachment;" };
            assert!(got.header("content-disposition").starts_with(shown), "{name}{query}");
            assert!(got.headers.get("set-cookie").is_none());
        }
    }
    // Nor does a problem or a listing echo a name as a document.
    for path in ["files/%3Cscript%3E", "list/%3Cscript%3E", "nonsense/%3Cscript%3E", "zip/%3Cscript%3E"] {
        let answer = alice.send("GET", path, &[], "").await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}
