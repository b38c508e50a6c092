//! What is meant to do harm: the status that the RFC names, and nothing is changed.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Mounted, lockinfo, property};
use crate::sockets::served;
use crate::world::World;

const FILE: &str = "/dav/home/f";

#[tokio::test]
async fn xml_that_is_meant_to_do_harm() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.put(FILE, "f").await;
    let nested = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    let outside = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>";
    let large_name = "a".repeat(1 << 20);
    let many: String = (0..1000).map(|number| format!("<a{number}/>")).collect();
    for (root, inside) in
        [("propfind", "D:prop"), ("propertyupdate", "D:set><D:prop"), ("lockinfo", "D:owner")]
    {
        let method = match root {
            "propfind" => "PROPFIND",
            "propertyupdate" => "PROPPATCH",
            _ => "LOCK",
        };
        let close = if root == "propertyupdate" { "D:prop></D:set" } else { inside };
        let body = |before: &str, content: &str| {
            format!("{before}<D:{root} xmlns:D=\"DAV:\"><{inside}>{content}</{close}></D:{root}>")
        };
        for (says, body, statuses) in [
            ("nested", body("", &nested), &[400, 413][..]),
            ("a bomb", body(bomb, "<a>&c;</a>"), &[400]),
            ("an entity", body("", "<a>&c;</a>"), &[400]),
            ("another file", body(outside, "<a>&b;</a>"), &[400]),
            ("a large name", body("", &format!("<{large_name}/>")), &[413]),
            ("a long name", body("", &format!("<{}/>", "a".repeat(2000))), &[400]),
            ("many properties", body("", &many), &[400]),
            ("a prefix of nothing", body("", "<p:a/>"), &[400]),
            ("a namespace that is empty", body("", "<p:a xmlns:p=\"\"/>"), &[400]),
            ("cut short", body("", "<a/>").replace("</D:", "<D:"), &[400]),
            ("another namespace", body("", "<a/>").replace("\"DAV:\"", "\"http://example.org/\""), &[400]),
            ("control characters", body("", "<a>\u{1}</a>"), &[400]),
            ("too many bytes", body("", &"x".repeat(1 << 20)), &[413]),
        ] {
            if (method, says) == ("LOCK", "many properties") {
                continue;
            }
            let status = alice.status(method, FILE, &[("depth", "0")], body).await;
            assert!(statuses.contains(&status), "{method}: {says}: {status}");
        }
        let not_text = alice.status(method, FILE, &[("depth", "0")], vec![0x3c, 0x61, 0xff, 0x3e]).await;
        assert_eq!(not_text, 400, "{method}");
    }
    assert_eq!(
        property(&alice, FILE, "<D:lockdiscovery/>").await.as_deref(),
        Some("<D:lockdiscovery></D:lockdiscovery>")
    );
    assert_eq!(alice.status("PUT", FILE, &[], "g").await, 204);
}

#[tokio::test]
async fn headers_that_are_meant_to_do_harm() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.put(FILE, "f").await;
    alice.mkcol("/dav/home/d").await;
    let long = format!("(<urn:uuid:{}>)", "a".repeat(64 * 1024));
    let many = "(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>)".repeat(1300);
    let deep = format!("/dav/home/{}f", "d/".repeat(200));
    let long_name = format!("/dav/home/{}", "a".repeat(300));
    for (says, method, url, headers, status) in [
        ("a long If", "PUT", FILE, &[("if", long.as_str())][..], 431),
        ("an If of 64 KiB", "PUT", FILE, &[("if", &many)], 431),
        ("a path that climbs", "COPY", FILE, &[("destination", "/dav/home/../../etc/passwd")], 400),
        ("a path that climbs, encoded", "MOVE", FILE, &[("destination", "/dav/home/%2e%2e/x")], 400),
        ("a slash in a name", "COPY", FILE, &[("destination", "/dav/home/a%2fb")], 400),
        ("no path at all", "COPY", FILE, &[("destination", "x")], 400),
        (
            "another scheme and host",
            "COPY",
            FILE,
            &[("destination", "ftp://elsewhere.example.com/dav/home/x")],
            502,
        ),
        ("a query", "COPY", FILE, &[("destination", "/dav/home/x?y")], 400),
        ("a path that is too deep", "COPY", FILE, &[("destination", deep.as_str())], 400),
        ("a name that is too long", "COPY", FILE, &[("destination", long_name.as_str())], 400),
        ("a long name", "PUT", long_name.as_str(), &[], 400),
        ("a Lock-Token that is none", "UNLOCK", FILE, &[("lock-token", "<nonsense>")], 409),
        ("a Depth that is none", "DELETE", "/dav/home/d", &[("depth", "-1")], 400),
        ("two Ifs that mix", "PUT", FILE, &[("if", "(<a>) <b> (<c>)")], 400),
    ] {
        let answer = alice.send(method, url, headers, "").await;
        assert_eq!(answer.status, status, "{says}: {answer:?}");
    }
    assert_eq!(alice.content(FILE).await.as_deref(), Some("f"));
    assert_eq!(alice.urls("/dav/home/", "1").await, ["/dav/home/", "/dav/home/d/", FILE]);
}

/// What follows a length of 0 is no body: neither of what came before, nor a request.
#[tokio::test]
async fn a_body_after_a_length_of_nothing() {
    let world = World::new();
    let pod = world.pod().await;
    let served = served(&pod).await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.put(FILE, "f").await;
    let ticket = world.ticket("alice", world.own("alice"));
    for (method, url, headers, status) in [
        ("PUT", "/dav/home/g", "", "201"),
        ("MKCOL", "/dav/home/d", "", "201"),
        ("PROPFIND", FILE, "Depth: 0\r\n", "207"),
        ("LOCK", FILE, "Depth: 0\r\n", "400"),
        ("PROPPATCH", FILE, "", "400"),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let request = format!(
            "{method} {url} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ticket}\r\n{headers}Content-Length: 0\r\n\r\n\
             <a>this is no request</a>\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{method}: {answer}");
        let later: Vec<_> = answer.match_indices("HTTP/1.1 ").skip(1).map(|(at, _)| &answer[at..]).collect();
        let later = later.iter().filter(|line| !line.starts_with("HTTP/1.1 200 OK</D:status>"));
        assert!(later.clone().all(|line| line.starts_with("HTTP/1.1 400")), "{method}: {answer}");
    }
    assert_eq!(alice.content("/dav/home/g").await.as_deref(), Some(""));
    assert_eq!(alice.content(FILE).await.as_deref(), Some("f"));
    assert_eq!(alice.urls("/dav/home/d", "1").await.len(), 1);
}

#[tokio::test]
async fn the_disks_of_others() {
    let world = World::new();
    let pod = world.pod().await;
    let bob = Mounted::home(&world, &pod, "bob");
    bob.put("/dav/home/f", "bob's").await;
    let alice = Mounted::home(&world, &pod, "alice");
    // `home` is the own disk, whoever asks; the ticket of another disk opens none.
    assert_eq!(alice.content("/dav/home/f").await, None);
    for (method, status) in [("GET", 403), ("PROPFIND", 403), ("PUT", 403), ("DELETE", 403), ("LOCK", 403)] {
        let headers = [("depth", if method == "DELETE" { "infinity" } else { "0" })];
        let body = if method == "LOCK" { lockinfo("exclusive") } else { String::new() };
        assert_eq!(alice.status(method, "/dav/groups/trips/f", &headers, body).await, status, "{method}");
    }
    let viewer = Mounted::group(&world, &pod, "carol");
    for (method, status) in
        [("PUT", 403), ("MKCOL", 403), ("DELETE", 403), ("PROPPATCH", 403), ("PROPFIND", 207)]
    {
        let headers = [("depth", if method == "PROPFIND" { "0" } else { "infinity" })];
        let body = if method == "PROPPATCH" {
            "<D:propertyupdate xmlns:D=\"DAV:\"><D:set><D:prop><a/></D:prop></D:set></D:propertyupdate>"
        } else {
            ""
        };
        let url =
            if method == "PUT" || method == "MKCOL" { "/dav/groups/trips/n" } else { "/dav/groups/trips/" };
        assert_eq!(viewer.status(method, url, &headers, body).await, status, "{method}");
    }
    let answer = alice.send("COPY", "/dav/home/f", &[("destination", "/dav/groups/trips/f")], "").await;
    assert!(matches!(answer.status.as_u16(), 403 | 404), "{answer:?}");
}

#[tokio::test]
async fn what_does_not_fit() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    let large = "x".repeat(9 << 20);
    assert_eq!(alice.status("PUT", FILE, &[], large).await, 507);
    assert_eq!(alice.status("GET", FILE, &[], "").await, 404);
    alice.put("/dav/home/g", &"x".repeat(5 << 20)).await;
    assert_eq!(alice.status("COPY", "/dav/home/g", &[("destination", "/dav/home/h")], "").await, 507);
    assert_eq!(alice.status("GET", "/dav/home/h", &[], "").await, 404);
    // A repetition needs no room.
    let id = [("operation-id", "0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c01")];
    let content = "y".repeat(5 << 19);
    assert_eq!(alice.status("PUT", "/dav/home/i", &id, content.clone()).await, 201);
    assert_eq!(alice.status("PUT", "/dav/home/i", &id, content.clone()).await, 201);
    assert_eq!(alice.status("PUT", "/dav/home/i", &[], content).await, 507);
}
