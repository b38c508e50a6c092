//! Conditions, digests, and requests that are repeated: what the letter of the RFCs asks for.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::uploads::{CONTENT, VERSION, metadata};
use crate::world::World;

const HELLO: &str = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";

#[tokio::test]
async fn dates_count_where_there_are_no_tags() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    let got = alice.get("a").await;
    let (etag, modified) = (got.header("etag"), got.header("last-modified"));
    let before = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (headers, status) in [
        (&[("if-modified-since", modified)][..], 304),
        (&[("if-modified-since", before)], 200),
        (&[("if-modified-since", "yesterday")], 200),
        (&[("if-modified-since", before), ("if-none-match", etag)], 304),
        (&[("if-modified-since", modified), ("if-none-match", "\"other\"")], 200),
        (&[("if-unmodified-since", modified)], 200),
        (&[("if-unmodified-since", before)], 412),
        (&[("if-unmodified-since", "yesterday")], 200),
        (&[("if-unmodified-since", before), ("if-match", etag)], 200),
        (&[("if-match", etag), ("if-none-match", etag)], 304),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = alice.send(method, "files/a", headers, "").await;
            assert_eq!(answer.status.as_u16(), status, "{method} {headers:?}");
            if status == 304 {
                assert_eq!(
                    (answer.header("etag"), answer.header("cache-control")),
                    (etag, "private, no-cache")
                );
                assert!(answer.body.is_empty());
            }
        }
    }
    let part = [("range", "bytes=0-1"), ("if-range", modified)];
    assert_eq!(alice.send("GET", "files/a", &part, "").await.status, 200, "a date is too coarse");
    let weak = format!("W/{etag}");
    let part = [("range", "bytes=0-1"), ("if-range", weak.as_str())];
    assert_eq!(alice.send("GET", "files/a", &part, "").await.status, 200, "a weak tag is none");
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let world = World::new();
    let (here, there) = (world.pod().await, world.pod().await);
    let (alice, other) = (world.client(&here, "alice"), world.client(&there, "alice"));
    alice.put("a.txt", "content").await;
    for (path, headers) in
        [("files/a.txt", &[][..]), ("files/a.txt?inline", &[]), ("files/none", &[]), ("zip", &[])]
    {
        let (got, head) =
            (alice.send("GET", path, headers, "").await, other.send("HEAD", path, headers, "").await);
        assert_eq!(got.status, head.status, "{path}");
        assert_eq!(got.headers, head.headers, "{path}");
        assert!(head.body.is_empty() && !got.body.is_empty());
    }
}

#[tokio::test]
async fn a_digest_is_checked_before_anything_is_stored() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    for (header, value, status, code) in [
        ("content-digest", HELLO, 201, ""),
        ("repr-digest", HELLO, 204, ""),
        ("content-digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", 400, "digest-mismatch"),
        ("repr-digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", 400, "digest-mismatch"),
        ("content-digest", "sha-256=hello", 400, "bad-request"),
        ("content-digest", "md5=:AAAA:", 204, ""),
    ] {
        let answer = alice.send("PUT", "files/a", &[(header, value)], "hello").await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{header}: {value}");
    }
    let new = alice.send("PUT", "files/b", &[("content-digest", HELLO)], "hellp").await;
    assert_eq!(new.outcome(), (400, "digest-mismatch".to_owned()));
    // Of a large one, too, whose bytes are on the volume already.
    let large = alice.send("PUT", "files/c", &[("content-digest", HELLO)], vec![7; 3 << 20]).await;
    assert_eq!(large.outcome(), (400, "digest-mismatch".to_owned()));
    let usage = alice.send("GET", "usage", &[], "").await.json();
    assert_eq!((alice.names("").await, &usage["reserved"]), (vec!["a".to_owned()], &json!(0)));
}

#[tokio::test]
async fn plain_delete() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let etag = alice.put("a", "content").await.header("etag").to_owned();
    alice.send("PUT", "files/d/e/f?parents=true", &[], "content").await;
    for (path, headers, status, code) in [
        ("files/a", &[("if-match", "\"other\"")][..], 412, "precondition-failed"),
        ("files/a", &[("if-match", etag.as_str())], 204, ""),
        ("files/a", &[], 404, "not-found"),
        ("files/d/", &[], 204, ""),
        ("files", &[], 400, "bad-request"),
        ("files/a%2Fb", &[], 400, "name-invalid"),
    ] {
        let answer = alice.send("DELETE", path, headers, "").await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{path} {headers:?}");
        assert_eq!(answer.header("x-generation").is_empty(), status != 204);
    }
    assert_eq!(alice.send("GET", "trash", &[], "").await.json()["items"].as_array().unwrap().len(), 2);
    alice.put("b", "content").await;
    assert_eq!(alice.send("DELETE", "files/b?permanently=true", &[], "").await.status, 204);
    assert_eq!(alice.send("GET", "trash", &[], "").await.json()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn everything_that_changes_something_can_be_repeated_elsewhere() {
    let world = World::new();
    let (here, there) = (world.pod().await, world.pod().await);
    let (alice, again) = (world.client(&here, "alice"), world.client(&there, "alice"));
    let mut number = 0;
    let mut id = || {
        number += 1;
        format!("0b9d1a9e-6f0f-4a6a-9d53-{number:012}")
    };
    alice.put("a", "content").await;
    let delete = id();
    for client in [&alice, &again, &alice] {
        let answer = client.send("DELETE", "files/a", &[("operation-id", &delete)], "").await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    let put = id();
    let first = alice.send("PUT", "files/a", &[("operation-id", &put)], "one").await;
    alice.send("DELETE", "files/a", &[], "").await;
    let second = again.send("PUT", "files/a", &[("operation-id", &put)], "one").await;
    assert_eq!((first.status.is_success(), second.status.is_success()), (true, true));
    assert!(alice.names("").await.is_empty(), "it was done, and something else after it");

    let (create, path) = (id(), metadata("up"));
    let headers = [VERSION, ("upload-length", "6"), ("upload-metadata", &path), ("operation-id", &create)];
    let first = alice.send("POST", "uploads", &headers, "").await;
    let second = again.send("POST", "uploads", &headers, "").await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201), "{second:?}");
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(alice.send("GET", "usage", &[], "").await.json()["reserved"], 6);
    let upload = first.header("location").split_once("/uploads/").unwrap().1.to_owned();
    let upload = format!("uploads/{upload}");
    assert_eq!(again.patch(&upload, 0, "abc").await.status, 204);
    let with_bytes = [&headers[..], &[CONTENT]].concat();
    let third = alice.send("POST", "uploads", &with_bytes, "abc").await;
    assert_eq!((third.status.as_u16(), third.header("upload-offset")), (201, "3"), "{third:?}");
    let abort = id();
    for client in [&alice, &again] {
        let answer = client.send("DELETE", &upload, &[VERSION, ("operation-id", &abort)], "").await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    let other = alice.send("DELETE", &upload, &[VERSION], "").await;
    assert_eq!(other.outcome(), (410, "upload-gone".to_owned()));
    for (method, path) in [("DELETE", "files/b"), ("DELETE", upload.as_str()), ("POST", "uploads")] {
        let headers =
            [VERSION, ("upload-length", "6"), ("upload-metadata", &path_of()), ("operation-id", "one")];
        let junk = alice.send(method, path, &headers, "").await;
        assert_eq!(junk.outcome(), (400, "bad-request".to_owned()), "{method} {path}");
    }
}

fn path_of() -> String {
    metadata("other")
}

#[tokio::test]
async fn a_checksum_that_lies_leaves_no_byte() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let upload = alice.begin("a", 10).await;
    let sum = |content: &[u8]| {
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, content);
        format!("sha1 {}", BASE64_STANDARD.encode(digest))
    };
    let patch = async |offset: &str, checksum: &str, content: &'static [u8]| {
        let headers = [VERSION, CONTENT, ("upload-offset", offset), ("upload-checksum", checksum)];
        alice.send("PATCH", &upload, &headers, content).await
    };
    let lied = patch("0", &sum(b"hello"), b"hellp").await;
    assert_eq!(lied.outcome(), (460, "checksum-mismatch".to_owned()));
    assert_eq!(alice.offset(&upload).await.header("upload-offset"), "0");
    assert_eq!(patch("0", "crc99 AAAA", b"hello").await.outcome(), (400, "bad-request".to_owned()));
    let good = patch("0", &sum(b"hello"), b"hello").await;
    assert_eq!((good.status.as_u16(), good.header("upload-offset")), (204, "5"));
    assert!(good.header("upload-expires").ends_with(" GMT"));
    let lied = patch("5", &sum(b"world"), b"wor1d").await;
    assert_eq!(lied.outcome(), (460, "checksum-mismatch".to_owned()));
    assert_eq!(alice.offset(&upload).await.header("upload-offset"), "5");
    assert_eq!(alice.get("a").await.status, 404, "the last bytes do not complete it when they lie");
    let done = patch("5", &sum(b"world"), b"world").await;
    assert_eq!((done.status.as_u16(), done.header("upload-expires")), (204, ""));
    assert_eq!(alice.get("a").await.body, b"helloworld");

    let path = metadata("b");
    let checksum = sum(b"other");
    let headers = [
        VERSION,
        CONTENT,
        ("upload-length", "5"),
        ("upload-metadata", &path),
        ("upload-checksum", &checksum),
    ];
    let lied = alice.send("POST", "uploads", &headers, "hello").await;
    assert_eq!(lied.outcome(), (460, "checksum-mismatch".to_owned()));
    assert_eq!(alice.send("GET", "usage", &[], "").await.json()["reserved"], 0);
    let created = alice.create("b", 5).await;
    let expires = created.header("upload-expires");
    let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(expires).unwrap();
    let days = until.duration_since(jiff::Timestamp::now()).as_hours();
    assert!((71..=72).contains(&days), "{expires}");
    let options = alice.send("OPTIONS", "uploads", &[], "").await;
    assert!(options.header("tus-extension").contains("checksum,expiration"));
    assert_eq!(options.header("tus-checksum-algorithm"), "sha1,sha256,sha512");
}

#[tokio::test]
async fn a_part_with_a_checksum_counts_as_a_whole_or_not_at_all() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let upload = alice.begin("a", 4 << 20).await;
    let (more, chunks) = futures::channel::mpsc::unbounded::<Result<bytes::Bytes, std::io::Error>>();
    let headers =
        [VERSION, CONTENT, ("upload-offset", "0"), ("upload-checksum", "sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=")];
    let sent = alice.send("PATCH", &upload, &headers, axum::body::Body::from_stream(chunks));
    let cut = async {
        more.unbounded_send(Ok(vec![7; 2 << 20].into())).unwrap();
        more.unbounded_send(Err(std::io::Error::other("reset"))).unwrap();
        more.close_channel();
    };
    let (answer, ()) = tokio::join!(sent, cut);
    assert_eq!(answer.outcome(), (400, "body-incomplete".to_owned()));
    assert_eq!(alice.offset(&upload).await.header("upload-offset"), "0");
    assert_eq!(alice.patch(&upload, 0, vec![8; 4 << 20]).await.status, 204);
    assert!(alice.get("a").await.body == vec![8; 4 << 20]);
}
