//! A directory as one file: what `unzip` makes of it.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;

use api::ticket::Ticket;
use axum::body::Body;
use bytes::BytesMut;
use futures::StreamExt;
use http::Request;
use internet_disk_disk_pod::http::zip::records::{Directory, Entry};
use serde_json::json;

use crate::world::{Answer, Client, World};

/// Lets `unzip` check all of it; what it says.
fn checked(file: &Path) -> String {
    let out = Command::new("unzip").env("LC_ALL", "C.UTF-8").arg("-tqq").arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    assert!(out.status.success(), "{said}");
    said
}

/// The names and contents that come out; of directories the name alone.
fn unpacked(bytes: &[u8]) -> Vec<(String, Option<String>)> {
    let directory = tempfile::tempdir().unwrap();
    let (file, out) = (directory.path().join("a.zip"), directory.path().join("out"));
    std::fs::write(&file, bytes).unwrap();
    checked(&file);
    let mut unzip = Command::new("unzip");
    unzip.env("LC_ALL", "C.UTF-8").arg("-qq").arg(&file).arg("-d").arg(&out);
    assert!(unzip.status().unwrap().success());
    let (mut found, mut open) = (Vec::new(), vec![out.clone()]);
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&out).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                found.push((name, None));
                open.push(path);
            } else {
                found.push((name, Some(std::fs::read_to_string(path).unwrap())));
            }
        }
    }
    found.sort();
    found
}

fn file(name: &str, content: &str) -> (String, Option<String>) {
    (name.to_owned(), Some(content.to_owned()))
}

fn directory(name: &str) -> (String, Option<String>) {
    (name.to_owned(), None)
}

impl Client<'_> {
    async fn zip(&self, path: &str) -> Answer {
        let answer = self.send("GET", &format!("zip{path}"), &[], "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{path}");
        answer
    }
}

async fn tree(client: &Client<'_>) {
    for (path, content) in [
        ("photos/a.txt", "one"),
        ("photos/%ED%9C%B4%EA%B0%80/%F0%9F%98%80.txt", "two"),
        ("photos/deep/er/%23%5B%5D%7B%7D%20%25.txt", "three"),
        ("photos/empty.txt", ""),
        ("photos.txt", "four"),
    ] {
        let answer = client.send("PUT", &format!("files/{path}?parents=true"), &[], content).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    client.operate(json!({"op": "mkdir", "path": "photos/nothing"})).await;
}

#[tokio::test]
async fn a_directory_comes_out_as_it_is() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    tree(&alice).await;
    let zip = alice.zip("/photos").await;
    for (header, value) in [
        ("content-type", "application/zip"),
        ("content-disposition", "attachment; filename=\"photos.zip\"; filename*=UTF-8''photos.zip"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "none"),
    ] {
        assert_eq!(zip.header(header), value, "{header}");
    }
    assert!(!zip.header("x-generation").is_empty());
    let all = [
        directory("photos"),
        file("photos/a.txt", "one"),
        directory("photos/deep"),
        directory("photos/deep/er"),
        file("photos/deep/er/#[]{} %.txt", "three"),
        file("photos/empty.txt", ""),
        directory("photos/nothing"),
        directory("photos/휴가"),
        file("photos/휴가/😀.txt", "two"),
    ];
    assert_eq!(unpacked(&zip.body), all);
    assert_eq!(alice.zip("/photos/").await.body, zip.body);
    let whole = unpacked(&alice.zip("").await.body);
    assert_eq!(whole.len(), 10);
    assert!(whole.contains(&file("photos.txt", "four")));
    let head = alice.send("HEAD", "zip/photos", &[], "").await;
    assert_eq!((head.header("content-length"), head.body.len()), (zip.header("content-length"), 0));
    let empty = alice.zip("/photos/nothing").await;
    assert_eq!(unpacked(&empty.body), [directory("nothing")]);
}

#[tokio::test]
async fn some_paths_are_enough() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    tree(&alice).await;
    let deep = [directory("deep"), directory("deep/er"), file("deep/er/#[]{} %.txt", "three")];
    let one = alice.zip("/photos?path=deep").await;
    assert!(one.header("content-disposition").contains("deep.zip"));
    assert_eq!(unpacked(&one.body), deep);
    let with = [&[file("a.txt", "one")][..], &deep].concat();
    for query in ["path=deep&path=a.txt", "path=a.txt&path=deep/er&path=deep&path=a.txt"] {
        let some = alice.zip(&format!("/photos?{query}&ticket=")).await;
        assert!(some.header("content-disposition").contains("photos.zip"));
        assert_eq!(unpacked(&some.body), with, "{query}");
    }
    for (path, status, code) in [
        ("zip/missing", 404, "not-found"),
        ("zip/photos.txt", 409, "not-a-directory"),
        ("zip?path=missing", 404, "not-found"),
        ("zip?path=", 400, "bad-request"),
        ("zip/photos?path=../photos.txt", 400, "name-invalid"),
        ("zip/photos?path=a.txt/b", 404, "not-found"),
    ] {
        let refused = alice.send("GET", path, &[], "").await;
        assert_eq!(refused.outcome(), (status, code.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn no_name_climbs_out_of_the_directory_it_is_unpacked_in() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.send("PUT", "files/a/..%5C..%5Cevil.txt?parents=true", &[], "content").await;
    let zip = alice.zip("/a").await;
    assert!(!zip.body.contains(&b'\\'));
    assert_eq!(unpacked(&zip.body), [directory("a"), file("a/..＼..＼evil.txt", "content")]);
}

#[tokio::test]
async fn all_of_it_is_of_one_moment() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let large = "x".repeat(3 << 20);
    alice.put("a", &large).await;
    alice.put("b", "before").await;
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = format!("/v1/spaces/{}/zip?ticket={}", alice.space, alice.ticket).parse().unwrap();
    let response = tower::ServiceExt::oneshot(pod.public.clone(), request).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.into_body().into_data_stream();
    let mut bytes = body.next().await.unwrap().unwrap().to_vec();
    alice.put("b", "after").await;
    alice.put("c", "new").await;
    alice.operate(json!({"op": "delete", "path": "a"})).await;
    while let Some(chunk) = body.next().await {
        bytes.extend(chunk.unwrap());
    }
    assert_eq!(unpacked(&bytes), [file("a", &large), file("b", "before")]);
}

#[tokio::test]
async fn who_may_read_may_take_it_along() {
    let world = World::new();
    let pod = world.pod().await;
    let group = world.group.space;
    let client = |ticket| Client { pod: &pod, space: group, ticket };
    let bob = client(world.ticket("bob", group));
    tree(&bob).await;
    let carol = client(world.ticket("carol", group));
    assert_eq!(unpacked(&carol.zip("/photos/deep").await.body).len(), 3);
    let claims = Ticket { path: Some("photos/deep".to_owned()), ..world.claims("bob", group) };
    let part = client(claims.issue(&world.tickets).unwrap());
    assert_eq!(unpacked(&part.zip("/photos/deep").await.body).len(), 3);
    for path in ["zip", "zip/photos", "zip/photos?path=deep", "zip/photos?path=a.txt"] {
        let refused = part.send("GET", path, &[], "").await;
        assert_eq!(refused.outcome(), (403, "forbidden".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn more_entries_than_the_old_format_can_count() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    // Copies are cheap: 1 + 90 files, a hundred times in each of eight directories.
    alice.operate(json!({"op": "mkdir", "path": "a/b/0", "parents": true})).await;
    for number in 0..90 {
        assert_eq!(alice.put(&format!("a/b/0/{number}"), "x").await.status, 201);
    }
    for number in 1..100 {
        let copy = json!({"op": "copy", "from": "a/b/0", "to": format!("a/b/{number}")});
        assert_eq!(alice.operate(copy).await.status, 200);
    }
    for number in 0..7 {
        let copy = json!({"op": "copy", "from": "a/b", "to": format!("a/c{number}")});
        assert_eq!(alice.operate(copy).await.status, 200);
    }
    let zip = alice.zip("/a").await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.zip");
    std::fs::write(&file, &zip.body).unwrap();
    checked(&file);
    let out = Command::new("unzip").arg("-Z1").arg(&file).output().unwrap();
    let entries = out.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    assert_eq!(entries, 1 + 8 * (1 + 100 * 91));
    assert!(entries > 65_535);
}

#[test]
fn more_bytes_than_the_old_format_can_count() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.zip");
    let mut zip = std::fs::File::create(&path).unwrap();
    let large = Entry { name: "large".into(), size: (4 << 30) + 5, modified: 0, directory: false };
    let behind = Entry { name: "behind".into(), size: 3, modified: 0, directory: false };
    let (mut records, mut sizes) = (BytesMut::new(), Directory::default());
    for entry in [&large, &behind] {
        // Zeros take no room: the file has a hole.
        let checksum = zeros(entry.size);
        let mut out = BytesMut::new();
        entry.begin(&mut out);
        zip.write_all(&out.split()).unwrap();
        zip.seek(SeekFrom::Current(i64::try_from(entry.size).unwrap())).unwrap();
        entry.end(checksum, &mut out);
        zip.write_all(&out).unwrap();
        entry.record(checksum, sizes.offset, &mut records);
        sizes.offset += entry.length();
        sizes.entries += 1;
    }
    assert_eq!(zip.stream_position().unwrap(), sizes.offset);
    sizes.size = records.len() as u64;
    sizes.end(&mut records);
    zip.write_all(&records).unwrap();
    drop(zip);
    // It finds the second by what is said of the first, without reading four gigabytes of nothing.
    let second = Command::new("unzip").arg("-tq").arg(&path).arg("behind").output().unwrap();
    assert!(second.status.success(), "{second:?}");
    let listed = Command::new("unzip").arg("-l").arg(&path).output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("4294967301"));
}

/// The checksum of so many zeros: of twice as many out of that of so many.
fn zeros(mut count: u64) -> u32 {
    let mut one = crc32fast::Hasher::new();
    one.update(&[0]);
    let mut sum = crc32fast::Hasher::new();
    while count > 0 {
        if count & 1 == 1 {
            sum.combine(&one);
        }
        let twice = one.clone();
        one.combine(&twice);
        count >>= 1;
    }
    sum.finalize()
}
