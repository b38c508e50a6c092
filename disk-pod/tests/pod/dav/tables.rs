//! The statuses that RFC 4918 has for each method, as a table: what is there, what is asked, what is answered.

use super::{Mounted, lockinfo};
use crate::world::World;

/// A request: method, path below the directory of its row, headers, body.
type Ask = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);

struct Row {
    /// The section of the RFC, and what is the case.
    says: &'static str,
    /// What makes it so.
    given: &'static [Ask],
    asked: Ask,
    status: u16,
}

const fn row(says: &'static str, given: &'static [Ask], asked: Ask, status: u16) -> Row {
    Row { says, given, asked, status }
}

const FILE: Ask = ("PUT", "/f", &[], "f");
const OTHER: Ask = ("PUT", "/g", &[], "g");
const DIRECTORY: Ask = ("MKCOL", "/d", &[], "");
const INSIDE: Ask = ("PUT", "/d/i", &[], "i");
const ALL: &str = "<propfind xmlns=\"DAV:\"><allprop/></propfind>";
const SET: &str =
    "<propertyupdate xmlns=\"DAV:\"><set><prop><a xmlns=\"u\">1</a></prop></set></propertyupdate>";
const PROTECTED: &str =
    "<propertyupdate xmlns=\"DAV:\"><set><prop><getetag>1</getetag></prop></set></propertyupdate>";
const LOCK: &str =
    "<lockinfo xmlns=\"DAV:\"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>";
const SHARE: &str =
    "<lockinfo xmlns=\"DAV:\"><lockscope><shared/></lockscope><locktype><write/></locktype></lockinfo>";
const ZERO: (&str, &str) = ("depth", "0");
const ONE: (&str, &str) = ("depth", "1");
const INFINITY: (&str, &str) = ("depth", "infinity");
const KEEP: (&str, &str) = ("overwrite", "F");
/// The directory of the row stands for `ROW`.
const TO_NEW: (&str, &str) = ("destination", "ROW/new");
const TO_G: (&str, &str) = ("destination", "ROW/g");
const TO_D: (&str, &str) = ("destination", "ROW/d");

const TABLE: &[Row] = &[
    row("9.1 PROPFIND: an existing file", &[FILE], ("PROPFIND", "/f", &[ZERO], ALL), 207),
    row("9.1 PROPFIND: no body is allprop", &[FILE], ("PROPFIND", "/f", &[ZERO], ""), 207),
    row("9.1 PROPFIND: a directory and its members", &[DIRECTORY], ("PROPFIND", "/d", &[ONE], ALL), 207),
    row("9.1 PROPFIND: infinity on a file has an end", &[FILE], ("PROPFIND", "/f", &[INFINITY], ALL), 207),
    row("9.1 PROPFIND: infinity is refused", &[DIRECTORY], ("PROPFIND", "/d", &[INFINITY], ALL), 403),
    row("9.1 PROPFIND: no Depth is infinity", &[DIRECTORY], ("PROPFIND", "/d", &[], ALL), 403),
    row("9.1 PROPFIND: nothing there", &[], ("PROPFIND", "/f", &[ZERO], ALL), 404),
    row("9.1 PROPFIND: below a file", &[FILE], ("PROPFIND", "/f/x", &[ZERO], ALL), 404),
    row("9.1 PROPFIND: not well-formed", &[FILE], ("PROPFIND", "/f", &[ZERO], "<propfind"), 400),
    row("9.1 PROPFIND: a Depth that is none", &[FILE], ("PROPFIND", "/f", &[("depth", "2")], ALL), 400),
    row("9.2 PROPPATCH: sets", &[FILE], ("PROPPATCH", "/f", &[], SET), 207),
    row("9.2 PROPPATCH: protected, told within", &[FILE], ("PROPPATCH", "/f", &[], PROTECTED), 207),
    row("9.2 PROPPATCH: nothing there", &[], ("PROPPATCH", "/f", &[], SET), 404),
    row("9.2 PROPPATCH: no body", &[FILE], ("PROPPATCH", "/f", &[], ""), 400),
    row("9.2 PROPPATCH: locked", &[FILE, ("LOCK", "/f", &[], LOCK)], ("PROPPATCH", "/f", &[], SET), 423),
    row("9.3 MKCOL: makes", &[], ("MKCOL", "/d", &[], ""), 201),
    row("9.3 MKCOL: a slash at the end", &[], ("MKCOL", "/d/", &[], ""), 201),
    row("9.3 MKCOL: a file is there", &[FILE], ("MKCOL", "/f", &[], ""), 405),
    row("9.3 MKCOL: a directory is there", &[DIRECTORY], ("MKCOL", "/d", &[], ""), 405),
    row("9.3 MKCOL: no parent", &[], ("MKCOL", "/x/d", &[], ""), 409),
    row("9.3 MKCOL: the parent is a file", &[FILE], ("MKCOL", "/f/d", &[], ""), 409),
    row("9.3 MKCOL: a body", &[], ("MKCOL", "/d", &[("content-length", "3")], "abc"), 415),
    row(
        "9.3 MKCOL: the parent is locked",
        &[DIRECTORY, ("LOCK", "/d", &[ZERO], LOCK)],
        ("MKCOL", "/d/e", &[], ""),
        423,
    ),
    row("9.4 GET: a file", &[FILE], ("GET", "/f", &[], ""), 200),
    row("9.4 HEAD: a file", &[FILE], ("HEAD", "/f", &[], ""), 200),
    row("9.4 GET: a directory", &[DIRECTORY], ("GET", "/d/", &[], ""), 200),
    row("9.4 HEAD: a directory", &[DIRECTORY], ("HEAD", "/d", &[], ""), 200),
    row("9.4 GET: nothing there", &[], ("GET", "/f", &[], ""), 404),
    row("9.5 POST is no method here", &[FILE], ("POST", "/f", &[], ""), 405),
    row("9.6 DELETE: a file", &[FILE], ("DELETE", "/f", &[], ""), 204),
    row("9.6 DELETE: a directory and all in it", &[DIRECTORY, INSIDE], ("DELETE", "/d", &[], ""), 204),
    row("9.6 DELETE: infinity", &[DIRECTORY], ("DELETE", "/d", &[INFINITY], ""), 204),
    row("9.6 DELETE: a directory with another Depth", &[DIRECTORY], ("DELETE", "/d", &[ZERO], ""), 400),
    row("9.6 DELETE: nothing there", &[], ("DELETE", "/f", &[], ""), 404),
    row("9.6 DELETE: locked", &[FILE, ("LOCK", "/f", &[], LOCK)], ("DELETE", "/f", &[], ""), 423),
    row(
        "9.6 DELETE: a member is locked",
        &[DIRECTORY, INSIDE, ("LOCK", "/d/i", &[], LOCK)],
        ("DELETE", "/d", &[], ""),
        207,
    ),
    row("9.7 PUT: makes", &[], ("PUT", "/f", &[], "f"), 201),
    row("9.7 PUT: replaces", &[FILE], ("PUT", "/f", &[], "g"), 204),
    row("9.7 PUT: no parent", &[], ("PUT", "/x/f", &[], "f"), 409),
    row("9.7 PUT: the parent is a file", &[FILE], ("PUT", "/f/g", &[], "f"), 409),
    row("9.7 PUT: a directory is there", &[DIRECTORY], ("PUT", "/d", &[], "f"), 405),
    row("9.7 PUT: a part of a file", &[], ("PUT", "/f", &[("content-range", "bytes 0-0/2")], "f"), 400),
    row("9.7 PUT: locked", &[FILE, ("LOCK", "/f", &[], LOCK)], ("PUT", "/f", &[], "g"), 423),
    row(
        "9.7 PUT: the parent is locked",
        &[DIRECTORY, ("LOCK", "/d", &[ZERO], LOCK)],
        ("PUT", "/d/n", &[], "n"),
        423,
    ),
    row(
        "9.7 PUT: a member of a directory locked with depth 0",
        &[DIRECTORY, INSIDE, ("LOCK", "/d", &[ZERO], LOCK)],
        ("PUT", "/d/i", &[], "n"),
        204,
    ),
    row("9.8 COPY: makes", &[FILE], ("COPY", "/f", &[TO_NEW], ""), 201),
    row("9.8 COPY: replaces", &[FILE, OTHER], ("COPY", "/f", &[TO_G], ""), 204),
    row("9.8 COPY: may not replace", &[FILE, OTHER], ("COPY", "/f", &[TO_G, KEEP], ""), 412),
    row("9.8 COPY: need not replace", &[FILE], ("COPY", "/f", &[TO_G, KEEP], ""), 201),
    row("9.8 COPY: a directory with all in it", &[DIRECTORY, INSIDE], ("COPY", "/d", &[TO_NEW], ""), 201),
    row("9.8 COPY: a directory alone", &[DIRECTORY, INSIDE], ("COPY", "/d", &[TO_NEW, ZERO], ""), 201),
    row("9.8 COPY: a directory with depth 1", &[DIRECTORY], ("COPY", "/d", &[TO_NEW, ONE], ""), 400),
    row("9.8 COPY: a file over a directory", &[FILE, DIRECTORY], ("COPY", "/f", &[TO_D], ""), 204),
    row("9.8 COPY: a directory over a file", &[OTHER, DIRECTORY], ("COPY", "/d", &[TO_G], ""), 204),
    row("9.8 COPY: onto itself", &[OTHER], ("COPY", "/g", &[TO_G], ""), 403),
    row("9.8 COPY: into itself", &[DIRECTORY], ("COPY", "/d", &[("destination", "ROW/d/e")], ""), 403),
    row("9.8 COPY: over what holds it", &[DIRECTORY, INSIDE], ("COPY", "/d/i", &[TO_D], ""), 403),
    row(
        "9.8 COPY: what holds it may not be replaced",
        &[DIRECTORY, INSIDE],
        ("COPY", "/d/i", &[TO_D, KEEP], ""),
        412,
    ),
    row("9.8 COPY: no parent", &[FILE], ("COPY", "/f", &[("destination", "ROW/x/y")], ""), 409),
    row("9.8 COPY: nothing there", &[], ("COPY", "/f", &[TO_NEW], ""), 404),
    row("9.8 COPY: no Destination", &[FILE], ("COPY", "/f", &[], ""), 400),
    row(
        "9.8 COPY: another host",
        &[FILE],
        ("COPY", "/f", &[("destination", "http://elsewhere.example.com/dav/home/g")], ""),
        502,
    ),
    row("9.8 COPY: not under /dav/", &[FILE], ("COPY", "/f", &[("destination", "/v1/spaces/g")], ""), 502),
    row(
        "9.8 COPY: a URL of this host",
        &[FILE],
        ("COPY", "/f", &[("destination", "https://disk.example.orgROW/new")], ""),
        201,
    ),
    row(
        "9.8 COPY: the destination is locked",
        &[FILE, OTHER, ("LOCK", "/g", &[], LOCK)],
        ("COPY", "/f", &[TO_G], ""),
        423,
    ),
    row(
        "9.8 COPY: the source is locked",
        &[FILE, ("LOCK", "/f", &[], LOCK)],
        ("COPY", "/f", &[TO_NEW], ""),
        201,
    ),
    row("9.9 MOVE: makes", &[FILE], ("MOVE", "/f", &[TO_NEW], ""), 201),
    row("9.9 MOVE: replaces", &[FILE, OTHER], ("MOVE", "/f", &[TO_G], ""), 204),
    row("9.9 MOVE: may not replace", &[FILE, OTHER], ("MOVE", "/f", &[TO_G, KEEP], ""), 412),
    row("9.9 MOVE: a directory", &[DIRECTORY, INSIDE], ("MOVE", "/d", &[TO_NEW, INFINITY], ""), 201),
    row("9.9 MOVE: a directory with another Depth", &[DIRECTORY], ("MOVE", "/d", &[TO_NEW, ZERO], ""), 400),
    row("9.9 MOVE: onto itself", &[OTHER], ("MOVE", "/g", &[TO_G], ""), 403),
    row("9.9 MOVE: into itself", &[DIRECTORY], ("MOVE", "/d", &[("destination", "ROW/d/e")], ""), 403),
    row("9.9 MOVE: over what holds it", &[DIRECTORY, INSIDE], ("MOVE", "/d/i", &[TO_D], ""), 403),
    row("9.9 MOVE: no parent", &[FILE], ("MOVE", "/f", &[("destination", "ROW/x/y")], ""), 409),
    row("9.9 MOVE: nothing there", &[], ("MOVE", "/f", &[TO_NEW], ""), 404),
    row(
        "9.9 MOVE: another host",
        &[FILE],
        ("MOVE", "/f", &[("destination", "http://elsewhere.example.com/dav/home/g")], ""),
        502,
    ),
    row(
        "9.9 MOVE: the source is locked",
        &[FILE, ("LOCK", "/f", &[], LOCK)],
        ("MOVE", "/f", &[TO_NEW], ""),
        423,
    ),
    row(
        "9.9 MOVE: a member is locked",
        &[DIRECTORY, INSIDE, ("LOCK", "/d/i", &[], LOCK)],
        ("MOVE", "/d", &[TO_NEW], ""),
        207,
    ),
    row(
        "9.9 MOVE: the destination is locked",
        &[FILE, OTHER, ("LOCK", "/g", &[], LOCK)],
        ("MOVE", "/f", &[TO_G], ""),
        423,
    ),
    row("9.10 LOCK: a file", &[FILE], ("LOCK", "/f", &[], LOCK), 200),
    row("9.10 LOCK: a name that nothing has", &[], ("LOCK", "/f", &[], LOCK), 201),
    row("9.10 LOCK: no parent", &[], ("LOCK", "/x/f", &[], LOCK), 409),
    row("9.10 LOCK: a directory and all in it", &[DIRECTORY, INSIDE], ("LOCK", "/d", &[INFINITY], LOCK), 200),
    row("9.10 LOCK: with depth 1", &[DIRECTORY], ("LOCK", "/d", &[ONE], LOCK), 400),
    row(
        "9.10 LOCK: exclusive beside exclusive",
        &[FILE, ("LOCK", "/f", &[], LOCK)],
        ("LOCK", "/f", &[], LOCK),
        423,
    ),
    row(
        "9.10 LOCK: shared beside exclusive",
        &[FILE, ("LOCK", "/f", &[], LOCK)],
        ("LOCK", "/f", &[], SHARE),
        423,
    ),
    row(
        "9.10 LOCK: exclusive beside shared",
        &[FILE, ("LOCK", "/f", &[], SHARE)],
        ("LOCK", "/f", &[], LOCK),
        423,
    ),
    row(
        "9.10 LOCK: shared beside shared",
        &[FILE, ("LOCK", "/f", &[], SHARE)],
        ("LOCK", "/f", &[], SHARE),
        200,
    ),
    row(
        "9.10 LOCK: a member is locked",
        &[DIRECTORY, INSIDE, ("LOCK", "/d/i", &[], LOCK)],
        ("LOCK", "/d", &[INFINITY], LOCK),
        207,
    ),
    row(
        "9.10 LOCK: a member is locked, depth 0",
        &[DIRECTORY, INSIDE, ("LOCK", "/d/i", &[], LOCK)],
        ("LOCK", "/d", &[ZERO], LOCK),
        200,
    ),
    row(
        "9.10 LOCK: below a lock of depth infinity",
        &[DIRECTORY, ("LOCK", "/d", &[INFINITY], LOCK)],
        ("LOCK", "/d/n", &[], LOCK),
        423,
    ),
    row("9.10 LOCK: not well-formed", &[FILE], ("LOCK", "/f", &[], "<lockinfo"), 400),
    row("9.10 LOCK: refresh without a token", &[FILE], ("LOCK", "/f", &[], ""), 400),
    row(
        "9.10 LOCK: refresh of nothing",
        &[FILE],
        ("LOCK", "/f", &[("if", "(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>)")], ""),
        412,
    ),
    row("9.11 UNLOCK: no token", &[FILE], ("UNLOCK", "/f", &[], ""), 400),
    row(
        "9.11 UNLOCK: no such lock",
        &[FILE],
        ("UNLOCK", "/f", &[("lock-token", "<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>")], ""),
        409,
    ),
    row("10.4 If: holds", &[FILE], ("PUT", "/f", &[("if", "(Not <DAV:no-lock>)")], "g"), 204),
    row("10.4 If: does not hold", &[FILE], ("PUT", "/f", &[("if", "(<DAV:no-lock>)")], "g"), 412),
    row("10.4 If: is none", &[FILE], ("PUT", "/f", &[("if", "DAV:no-lock")], "g"), 400),
    row("10.6 Overwrite: is none", &[FILE], ("COPY", "/f", &[TO_NEW, ("overwrite", "maybe")], ""), 400),
    row(
        "9110 13.1 If-None-Match: something is there",
        &[FILE],
        ("PUT", "/f", &[("if-none-match", "*")], "g"),
        412,
    ),
    row("9110 13.1 If-None-Match: nothing is there", &[], ("PUT", "/f", &[("if-none-match", "*")], "g"), 201),
    row("9110 13.1 If-Match: another", &[FILE], ("PUT", "/f", &[("if-match", "\"x\"")], "g"), 412),
    row("9110 13.1 If-Match: any", &[FILE], ("PUT", "/f", &[("if-match", "*")], "g"), 204),
    row("9110 13.1 If-Match: any, and nothing is there", &[], ("PUT", "/f", &[("if-match", "*")], "g"), 412),
    row("9110 14.2 Range: a part", &[FILE], ("GET", "/f", &[("range", "bytes=0-0")], ""), 206),
    row("9110 14.2 Range: outside", &[FILE], ("GET", "/f", &[("range", "bytes=9-")], ""), 416),
    row("9.3.7 OPTIONS: a file", &[FILE], ("OPTIONS", "/f", &[], ""), 200),
    row("9.3.7 OPTIONS: nothing there", &[], ("OPTIONS", "/f", &[], ""), 200),
];

#[tokio::test]
async fn every_row() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    let mut wrong = Vec::new();
    for (number, Row { says, given, asked, status }) in TABLE.iter().enumerate() {
        let at = format!("/dav/home/{number}");
        alice.mkcol(&at).await;
        let send = |(method, path, headers, body): Ask| {
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| (*name, value.replace("ROW", &at))).collect();
            let (alice, url) = (&alice, format!("{at}{path}"));
            async move {
                let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                alice.send(method, &url, &headers, body).await
            }
        };
        for ask in *given {
            let made = send(*ask).await;
            assert!(made.status.is_success(), "{says}: {ask:?}: {made:?}");
        }
        let answer = send(*asked).await;
        if answer.status.as_u16() != *status {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            wrong.push(format!("{says}: {} instead of {status}: {body}", answer.status));
        }
        let xml = answer.header("content-type").starts_with("application/xml");
        assert!(answer.status != 207 || xml, "{says}: {answer:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_above_the_disks_can_be_walked_and_not_changed() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    for (method, url, status) in [
        ("OPTIONS", "/", 200),
        ("PROPFIND", "/", 207),
        ("PROPFIND", "/dav", 207),
        ("PROPFIND", "/dav/", 207),
        ("PROPFIND", "/dav/groups/", 207),
        ("PROPFIND", "/dav/elsewhere", 404),
        ("PROPFIND", "/dav/groups/nobodys", 404),
        ("GET", "/dav/", 200),
        ("HEAD", "/", 200),
        ("MKCOL", "/dav/new", 403),
        ("MKCOL", "/dav/home", 405),
        ("MKCOL", "/dav/groups", 405),
        ("PUT", "/dav/groups", 405),
        ("PUT", "/dav/new", 403),
        ("PUT", "/dav/home", 405),
        ("DELETE", "/dav/", 403),
        ("DELETE", "/dav/home", 403),
        ("MOVE", "/dav/home", 403),
        ("COPY", "/dav/groups", 403),
        ("LOCK", "/dav/", 403),
        ("PROPPATCH", "/", 403),
    ] {
        let headers =
            [("depth", if method == "DELETE" { "infinity" } else { "0" }), ("destination", "/dav/home/x")];
        let headers = if matches!(method, "COPY" | "MOVE") { &headers[1..] } else { &headers[..] };
        let answer = alice.send(
            method,
            url,
            headers,
            if method == "LOCK" { lockinfo("exclusive") } else { String::new() },
        );
        let answer = answer.await;
        assert_eq!(answer.status, status, "{method} {url}: {answer:?}");
    }
    assert_eq!(alice.urls("/", "1").await, ["/", "/dav/"]);
    assert_eq!(alice.urls("/dav/", "1").await, ["/dav/", "/dav/home/", "/dav/groups/"]);
    // A ticket is for one disk: others are not told of.
    assert_eq!(alice.urls("/dav/groups/", "1").await, ["/dav/groups/"]);
    let group = Mounted::group(&world, &pod, "alice");
    assert_eq!(group.urls("/dav/groups/", "1").await, ["/dav/groups/", "/dav/groups/trips/"]);
    assert_eq!(group.urls("/dav/", "1").await, ["/dav/", "/dav/groups/"]);
}

#[tokio::test]
async fn options_say_what_there_is_to_whoever_asks() {
    let world = World::new();
    let pod = world.pod().await;
    let request = http::Request::builder().method("OPTIONS").uri("/dav/").body(axum::body::Body::empty());
    let answer = pod.send(request.unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("dav"), "1, 2, 3");
    assert_eq!(answer.header("ms-author-via"), "DAV");
    for method in ["PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "PUT", "DELETE"] {
        assert!(answer.header("allow").contains(method), "{answer:?}");
    }
    let request = http::Request::builder().method("PROPFIND").uri("/dav/").body(axum::body::Body::empty());
    let answer = pod.send(request.unwrap()).await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{answer:?}");
}
