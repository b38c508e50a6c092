//! Files, directories, listings, usage: what a member does all day, and what is refused.

use serde_json::json;

use crate::world::{MIB, World};

#[tokio::test]
async fn a_file_goes_up_and_comes_back() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let made = alice.put("notes.txt", "hello").await;
    assert_eq!(made.status, 201, "{made:?}");
    let etag = made.header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'));
    assert!(made.header("x-generation").parse::<u64>().unwrap() > 0);

    let got = alice.get("notes.txt").await;
    assert_eq!((got.status.as_u16(), got.body.as_slice()), (200, &b"hello"[..]));
    for (header, value) in [
        ("etag", etag.as_str()),
        ("content-length", "5"),
        ("accept-ranges", "bytes"),
        ("content-type", "text/plain; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-cache"),
        ("content-disposition", "attachment; filename=\"notes.txt\"; filename*=UTF-8''notes.txt"),
    ] {
        assert_eq!(got.header(header), value, "{header}");
    }
    assert!(got.header("content-security-policy").starts_with("sandbox;"));
    assert!(got.header("last-modified").ends_with(" GMT"));
    assert!(got.headers.get("set-cookie").is_none());
    let inline = alice.get("notes.txt?inline").await;
    assert!(inline.header("content-disposition").starts_with("inline;"));
    assert!(inline.header("content-security-policy").starts_with("sandbox;"));

    let head = alice.send("HEAD", "files/notes.txt", &[], "").await;
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (200, "5", 0));

    let replaced = alice.put("notes.txt", "hello again").await;
    assert_eq!(replaced.status, 204);
    assert_ne!(replaced.header("etag"), etag);
    assert_eq!(alice.get("notes.txt").await.body, b"hello again");
}

type RangeCase<'a> = (&'a [(&'a str, &'a str)], u16, &'a str, &'a str);

#[tokio::test]
async fn ranges() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let etag = alice.put("digits", "0123456789").await.header("etag").to_owned();
    let cases: &[RangeCase<'_>] = &[
        (&[], 200, "0123456789", ""),
        (&[("range", "bytes=2-4")], 206, "234", "bytes 2-4/10"),
        (&[("range", "bytes=7-")], 206, "789", "bytes 7-9/10"),
        (&[("range", "bytes=-2")], 206, "89", "bytes 8-9/10"),
        (&[("range", "bytes=0-99")], 206, "0123456789", "bytes 0-9/10"),
        (&[("range", "bytes=10-")], 416, "", "bytes */10"),
        (&[("range", "bytes=0-1,4-5")], 206, "012345", "bytes 0-5/10"),
        (&[("range", "lines=1")], 200, "0123456789", ""),
        (&[("range", "bytes=2-4"), ("if-range", &etag)], 206, "234", "bytes 2-4/10"),
        (&[("range", "bytes=2-4"), ("if-range", "\"other\"")], 200, "0123456789", ""),
    ];
    for (headers, status, body, range) in cases {
        let got = alice.send("GET", "files/digits", headers, "").await;
        assert_eq!(got.status.as_u16(), *status, "{headers:?}");
        assert_eq!(got.header("content-range"), *range, "{headers:?}");
        if *status != 416 {
            assert_eq!(String::from_utf8_lossy(&got.body), *body, "{headers:?}");
        } else {
            assert_eq!(got.outcome().1, "range-not-satisfiable");
        }
    }
    let head = alice.send("HEAD", "files/digits", &[("range", "bytes=2-4")], "").await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "10"));
}

#[tokio::test]
async fn a_large_file_comes_back_whole_and_in_parts() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let content: Vec<u8> = (0..3 * MIB + 17).map(|at| (at * 31 % 251) as u8).collect();
    assert_eq!(alice.send("PUT", "files/large", &[], content.clone()).await.status, 201);
    assert!(alice.get("large").await.body == content);
    let part = alice.send("GET", "files/large", &[("range", "bytes=1048570-2097160")], "").await;
    assert!(part.body == content[1_048_570..=2_097_160]);
    assert_eq!(alice.used().await, content.len() as u64);
}

#[tokio::test]
async fn conditions() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let first = alice.put("a", "one").await.header("etag").to_owned();
    let second = alice.put("a", "two").await.header("etag").to_owned();
    let weak = format!("W/{second}");
    let both = format!("{first}, {second}");
    for (method, headers, status) in [
        ("GET", &[("if-none-match", second.as_str())][..], 304),
        ("HEAD", &[("if-none-match", second.as_str())], 304),
        ("GET", &[("if-none-match", &weak)], 304),
        ("GET", &[("if-none-match", &both)], 304),
        ("GET", &[("if-none-match", "*")], 304),
        ("GET", &[("if-none-match", &first)], 200),
        ("GET", &[("if-match", &first)], 412),
        ("GET", &[("if-match", &second)], 200),
        ("GET", &[("if-match", "junk")], 400),
        ("PUT", &[("if-match", &first)], 412),
        ("PUT", &[("if-match", &weak)], 412),
        ("PUT", &[("if-none-match", "*")], 412),
        ("PUT", &[("if-match", &second), ("if-none-match", "*")], 400),
        ("PUT", &[("if-none-match", &second)], 400),
        ("PUT", &[("content-range", "bytes 0-2/3")], 400),
        // Last: it changes the file.
        ("PUT", &[("if-match", &both)], 204),
    ] {
        let answer = alice.send(method, "files/a", headers, "new").await;
        assert_eq!(answer.status.as_u16(), status, "{method} {headers:?}: {answer:?}");
        if status == 304 {
            assert_eq!(answer.header("etag"), second);
            assert!(answer.body.is_empty());
        }
    }
    assert_eq!(alice.get("a").await.body, b"new");
    let gone = alice.send("PUT", "files/b", &[("if-match", "*")], "new").await;
    assert_eq!(gone.outcome(), (412, "precondition-failed".to_owned()));
    let absent = alice.send("PUT", "files/b", &[("if-none-match", "*")], "new").await;
    assert_eq!(absent.status, 201);
}

#[tokio::test]
async fn operations_on_names() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    for (operation, status, code) in [
        (json!({"op": "mkdir", "path": "photos"}), 200, ""),
        (json!({"op": "mkdir", "path": "photos"}), 409, "exists"),
        (json!({"op": "mkdir", "path": "x/y/z"}), 404, "not-found"),
        (json!({"op": "mkdir", "path": "x/y/z", "parents": true}), 200, ""),
        (json!({"op": "mkdir", "path": "a/b"}), 409, "not-a-directory"),
        (json!({"op": "move", "from": "a", "to": "photos/a"}), 200, ""),
        (json!({"op": "move", "from": "a", "to": "b"}), 404, "not-found"),
        (json!({"op": "copy", "from": "photos/a", "to": "b"}), 200, ""),
        (json!({"op": "copy", "from": "photos/a", "to": "b"}), 409, "exists"),
        (json!({"op": "copy", "from": "photos/a", "to": "b", "overwrite": true}), 200, ""),
        (json!({"op": "delete", "path": "b"}), 200, ""),
        (json!({"op": "delete", "path": "b"}), 404, "not-found"),
        (json!({"op": "delete", "path": ""}), 400, "bad-request"),
        (json!({"op": "mkdir", "path": "../x"}), 400, "name-invalid"),
        (json!({"op": "move", "from": "photos/../a", "to": "b"}), 400, "name-invalid"),
        (json!({"op": "sudo", "path": "b"}), 400, "bad-request"),
        (json!({"op": "mkdir", "path": "b", "mode": "777"}), 400, "bad-request"),
        (json!({"path": "b"}), 400, "bad-request"),
        (json!(7), 400, "bad-request"),
    ] {
        let answer = alice.operate(operation.clone()).await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{operation}: {answer:?}");
        if status == 200 {
            assert_eq!(answer.json()["generation"].to_string(), answer.header("x-generation"));
        }
    }
    assert_eq!(alice.names("").await, ["photos", "x"]);
    assert_eq!(alice.get("photos/a").await.body, b"content");
}

#[tokio::test]
async fn what_is_not_there_or_of_another_kind() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("file", "content").await;
    alice.operate(json!({"op": "mkdir", "path": "directory"})).await;
    for (method, path, status, code) in [
        ("GET", "files/missing", 404, "not-found"),
        ("GET", "files/directory", 409, "is-a-directory"),
        ("GET", "files/file/below", 404, "not-found"),
        ("GET", "files", 409, "is-a-directory"),
        ("PUT", "files", 409, "is-a-directory"),
        ("PUT", "files/directory", 409, "is-a-directory"),
        ("PUT", "files/file/below", 409, "not-a-directory"),
        ("PUT", "files/missing/below", 404, "not-found"),
        ("PUT", "files/file?parents=perhaps", 400, "bad-request"),
        ("GET", "list/file", 409, "not-a-directory"),
        ("GET", "list/missing", 404, "not-found"),
        ("GET", "list/?limit=many", 400, "bad-request"),
        ("POST", "files/file", 405, "method-not-allowed"),
        ("PROPFIND", "files/file", 405, "method-not-allowed"),
        ("POST", "usage", 405, "method-not-allowed"),
        ("GET", "operations", 405, "method-not-allowed"),
        ("GET", "nonsense", 404, "not-found"),
    ] {
        let answer = alice.send(method, path, &[], "").await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{method} {path}: {answer:?}");
    }
    let nested = alice.send("PUT", "files/new/deep/file?parents=true", &[], "content").await;
    assert_eq!(nested.status, 201);
    assert_eq!(alice.names("new/deep/").await, ["file"]);
}

#[tokio::test]
async fn listings_come_in_pages() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    for name in ["b", "a", "d", "c"] {
        alice.put(name, name).await;
    }
    alice.operate(json!({"op": "mkdir", "path": "e"})).await;
    let first = alice.send("GET", "list?limit=2", &[], "").await.json();
    assert_eq!(first["entries"][0]["name"], "a");
    assert_eq!(first["entries"][0]["kind"], "file");
    assert_eq!(first["entries"][0]["size"], 1);
    assert!(first["entries"][0]["modified"].as_str().unwrap().ends_with('Z'));
    assert_eq!(first["next"], "b");
    let rest = alice.send("GET", "list?limit=3&after=b", &[], "").await.json();
    let names: Vec<_> = rest["entries"].as_array().unwrap().iter().map(|entry| &entry["name"]).collect();
    assert_eq!(names, ["c", "d", "e"]);
    assert_eq!(rest["entries"][2]["kind"], "directory");
    assert!(rest.get("next").is_none(), "{rest}");
    let empty = alice.send("GET", "list/e", &[], "").await.json();
    assert_eq!(empty["entries"], json!([]));
    let etag = alice.get("a").await.header("etag").to_owned();
    assert_eq!(first["entries"][0]["etag"], etag.as_str());
}

#[tokio::test]
async fn the_quota_is_hard() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let five = vec![7_u8; (5 * MIB) as usize];
    assert_eq!(alice.send("PUT", "files/a", &[], five.clone()).await.status, 201);
    let refused = alice.send("PUT", "files/b", &[], five).await;
    assert_eq!(refused.outcome(), (507, "quota-exceeded".to_owned()), "{refused:?}");
    let copied = alice.operate(json!({"op": "copy", "from": "a", "to": "c"})).await;
    assert_eq!(copied.outcome(), (507, "quota-exceeded".to_owned()));
    assert_eq!(alice.names("").await, ["a"]);
    let usage = alice.send("GET", "usage", &[], "").await.json();
    assert_eq!(usage["limit"], 8 * MIB);
    assert_eq!(usage["used"], 5 * MIB);
    assert_eq!(usage["reserved"], 0);
}

/// The first was done and its answer got lost: there is no room to take the content once more, and no need.
#[tokio::test]
async fn a_repeated_put_on_a_full_disk_is_told_the_first_outcome() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let content = vec![7_u8; (5 * MIB) as usize];
    let id = |last: u8| format!("0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c{last:02x}");
    let first = alice.send("PUT", "files/a", &[("operation-id", &id(1))], content.clone()).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = alice.send("PUT", "files/a", &[("operation-id", &id(1))], content.clone()).await;
    assert!(again.status.is_success(), "{again:?}");
    for header in ["etag", "x-generation"] {
        assert_eq!(again.header(header), first.header(header));
    }
    let other = alice.send("PUT", "files/a", &[("operation-id", &id(2))], content).await;
    assert_eq!(other.outcome(), (507, "quota-exceeded".to_owned()), "another one needs room for both");
    let up = [("upload-metadata", "path dXA="), ("tus-resumable", "1.0.0"), ("upload-length", "3145728")];
    let create = id(3);
    let headers = [&up[..], &[("operation-id", create.as_str())]].concat();
    let first = alice.send("POST", "uploads", &headers, "").await;
    let again = alice.send("POST", "uploads", &headers, "").await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201), "{first:?} {again:?}");
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(alice.send("POST", "uploads", &up, "").await.status, 507);
}

#[tokio::test]
async fn the_largest_file_is_a_setting() {
    let mut world = World::new();
    world.settings.uploads.max_file_size = Some(api::bytes::Bytes(4));
    world.publish();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    assert_eq!(alice.put("a", "four").await.status, 201);
    let announced = alice.send("PUT", "files/b", &[("content-length", "5")], "12345").await;
    assert_eq!(announced.outcome(), (413, "too-large".to_owned()));
    assert_eq!(alice.put("b", "12345").await.outcome(), (413, "too-large".to_owned()));
    assert_eq!(alice.names("").await, ["a"]);
}

#[tokio::test]
async fn a_retry_with_the_same_id_is_the_same_operation() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    let id = [("operation-id", "0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c11"), ("content-type", "application/json")];
    let operation = json!({"op": "move", "from": "a", "to": "b"}).to_string();
    let first = alice.send("POST", "operations", &id, operation.clone()).await;
    let again = alice.send("POST", "operations", &id, operation).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 200), "{again:?}");
    assert_eq!(alice.names("").await, ["b"]);
    let junk = alice.send("POST", "operations", &[("operation-id", "one")], "{}").await;
    assert_eq!(junk.status, 400);
}

#[tokio::test]
async fn one_reads_ones_own_writes_on_any_pod() {
    let world = World::new();
    let (here, there) = (world.pod().await, world.pod().await);
    let written = world.client(&here, "alice").put("a", "content").await;
    let generation = written.header("x-generation").to_owned();
    let read =
        world.client(&there, "alice").send("GET", "files/a", &[("x-generation", &generation)], "").await;
    assert_eq!((read.status.as_u16(), read.header("etag")), (200, written.header("etag")));
    let junk = world.client(&there, "alice").send("GET", "files/a", &[("x-generation", "new")], "").await;
    assert_eq!(junk.status, 400);
}
