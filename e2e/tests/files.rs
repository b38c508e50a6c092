//! Files: up, down, listed, moved, copied and deleted, the same through every disk pod.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test: all of it

use bytes::Bytes;
use http::Method;
use internet_disk_e2e::demo::Demo;
use internet_disk_e2e::disk::{Disk, generation};
use internet_disk_e2e::noise::noise;
use internet_disk_e2e::people::Person;
use internet_disk_e2e::tus;
use serde_json::json;

/// A member with a disk of its own, and that disk through each pod that is offered.
async fn begin(what: &str, quota: &str) -> (Demo, Person, Vec<Disk>) {
    let demo = Demo::find().await.unwrap();
    let person = Person::create(&demo.cluster, what, quota).await.unwrap();
    let session = person.sign_in(&demo.settings).await.unwrap();
    let space = session.own_space().await.unwrap();
    let disks = session.disks(&space).await.unwrap();
    assert!(disks.len() >= 2, "one who has nowhere else to go cannot go on: {} server(s)", disks.len());
    (demo, person, disks)
}

#[tokio::test]
async fn what_goes_up_comes_down_through_every_pod() {
    let (demo, person, disks) = begin("updown", "200Mi").await;
    for (number, length) in [0, 1, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 20 << 20].into_iter().enumerate() {
        let content = noise(number as u64, length);
        let path = format!("dir/{length}.bin");
        let put = disks[0].put(&path, content.clone()).await.unwrap().expect(201).unwrap();
        let written = generation(&put).unwrap();
        let etag = put.header("etag").unwrap().to_owned();
        for disk in &disks {
            let (found, hash) = disk.hash(&path, Some(written)).await.unwrap();
            assert_eq!((found, hash), (length as u64, blake3::hash(&content)), "{path} through {}", disk.pod);
            let head = disk.send(Method::HEAD, &disk.file(&path), &[], Bytes::new()).await.unwrap();
            assert_eq!(head.header("etag"), Some(etag.as_str()), "{}", disk.pod);
            assert_eq!(head.header("content-length"), Some(length.to_string().as_str()), "{}", disk.pod);
        }
    }
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn a_part_of_a_file_is_that_part() {
    let (demo, person, disks) = begin("ranges", "100Mi").await;
    let content = noise(7, 3 << 20);
    disks[0].put("a", content.clone()).await.unwrap().expect(201).unwrap();
    let length = content.len();
    let cases = [
        ("bytes=0-0", 0..1),
        ("bytes=100-1048999", 100..1_049_000),
        ("bytes=-5", length - 5..length),
        ("bytes=3145727-", length - 1..length),
    ];
    for (asked, part) in cases {
        let answer = disks[0]
            .send(Method::GET, &disks[0].file("a"), &[("range", asked)], Bytes::new())
            .await
            .unwrap()
            .expect(206)
            .unwrap();
        assert_eq!(answer.body, content.slice(part.clone()), "{asked}");
        let expected = format!("bytes {}-{}/{length}", part.start, part.end - 1);
        assert_eq!(answer.header("content-range"), Some(expected.as_str()));
    }
    let beyond = disks[0]
        .send(Method::GET, &disks[0].file("a"), &[("range", "bytes=4000000-")], Bytes::new())
        .await
        .unwrap();
    assert_eq!(beyond.status, 416);
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn content_cannot_act_as_a_page() {
    let (demo, person, disks) = begin("inert", "10Mi").await;
    disks[0].put("page.html", "<script>alert(1)</script>".into()).await.unwrap().expect(201).unwrap();
    let answer = disks[0].get("page.html").await.unwrap().expect(200).unwrap();
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(
        answer.header("content-disposition").unwrap_or_default().starts_with("attachment"),
        "{:?}",
        answer.headers
    );
    assert!(
        answer.header("content-security-policy").unwrap_or_default().contains("sandbox"),
        "{:?}",
        answer.headers
    );
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn directories_and_names() {
    let (demo, person, disks) = begin("names", "100Mi").await;
    let [one, other, ..] = disks.as_slice() else { panic!("two pods") };
    one.make_directory("a").await.unwrap().expect(200).unwrap();
    one.make_directory("a/b").await.unwrap().expect(200).unwrap();
    one.put("a/b/c.txt", "first".into()).await.unwrap().expect(201).unwrap();

    let moved = one
        .operate(json!({ "op": "move", "from": "a/b", "to": "d", "overwrite": false }))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let now = generation(&moved).unwrap();
    assert_eq!(other.hash("d/c.txt", Some(now)).await.unwrap().1, blake3::hash(b"first"));
    assert_eq!(one.get("a/b/c.txt").await.unwrap().status, 404);

    one.operate(json!({ "op": "copy", "from": "d", "to": "a/e", "overwrite": false }))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    one.put("d/c.txt", "second".into()).await.unwrap().expect(204).unwrap();
    assert_eq!(one.get("a/e/c.txt").await.unwrap().body, "first", "a copy is a copy");

    let into_itself =
        one.operate(json!({ "op": "move", "from": "a", "to": "a/e/a", "overwrite": false })).await.unwrap();
    assert!(into_itself.status.is_client_error(), "{into_itself:?}");
    let onto =
        one.operate(json!({ "op": "copy", "from": "d", "to": "a/e", "overwrite": false })).await.unwrap();
    assert_eq!(onto.problem().unwrap(), "exists");
    assert_eq!(one.make_directory("a").await.unwrap().problem().unwrap(), "exists");
    assert_eq!(one.make_directory("no/such/parent").await.unwrap().problem().unwrap(), "not-found");
    assert_eq!(one.make_directory("d/c.txt/x").await.unwrap().problem().unwrap(), "not-a-directory");

    let gone = one.delete("d").await.unwrap().expect(200).unwrap();
    let url = other.at("list/");
    let seen = [("x-generation", gone.header("x-generation").unwrap())];
    let list = other
        .send(Method::GET, &url, &seen, Bytes::new())
        .await
        .unwrap()
        .expect(200)
        .unwrap()
        .json()
        .unwrap();
    let names: Vec<&str> =
        list["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a"]);
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn any_text_is_a_name() {
    let (demo, person, disks) = begin("unicode", "10Mi").await;
    let disk = &disks[0];
    let names = ["한글 파일.txt", "😀", "#[]{}%20", "a b+c&d=e?f", "CON", "…", "-rf", "'\"`$(x)"];
    for name in names {
        disk.put(&format!("names/{name}"), name.to_owned().into()).await.unwrap().expect(201).unwrap();
        assert_eq!(disk.get(&format!("names/{name}")).await.unwrap().body, name, "{name:?}");
    }
    // One name in two spellings of Unicode is one name.
    disk.put("names/e\u{301}te\u{301}", "summer".into()).await.unwrap().expect(201).unwrap();
    assert_eq!(disk.get("names/\u{e9}t\u{e9}").await.unwrap().body, "summer");
    let mut listed = disk.names("names").await.unwrap();
    let mut expected: Vec<String> =
        names.iter().map(|name| (*name).to_owned()).chain(["\u{e9}t\u{e9}".to_owned()]).collect();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn a_long_directory_is_listed_in_pages() {
    let (demo, person, disks) = begin("pages", "10Mi").await;
    let disk = &disks[0];
    for number in 0..45 {
        disk.put(&format!("many/{number:03}"), "x".into()).await.unwrap().expect(201).unwrap();
    }
    let mut names = Vec::new();
    let mut after = String::new();
    loop {
        let url = disk.at(&format!("list/many?limit=10{after}"));
        let page = disk
            .send(Method::GET, &url, &[], Bytes::new())
            .await
            .unwrap()
            .expect(200)
            .unwrap()
            .json()
            .unwrap();
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.len() <= 10);
        names.extend(entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(names, (0..45).map(|number| format!("{number:03}")).collect::<Vec<_>>());
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn an_upload_goes_on_through_another_pod() {
    let (demo, person, disks) = begin("resume", "200Mi").await;
    let [one, other, ..] = disks.as_slice() else { panic!("two pods") };
    let content = noise(11, 30 << 20);
    let upload = tus::create(one, "big.bin", content.len() as u64).await.unwrap();
    assert_eq!(one.get("big.bin").await.unwrap().status, 404, "no half file under a name");
    tus::try_patch(one, &upload, 0, content.slice(..10 << 20)).await.unwrap().expect(204).unwrap();

    let usage = one.usage().await.unwrap();
    assert_eq!(usage.used + usage.reserved, content.len() as u64, "{usage:?}");
    assert_eq!(tus::offset(other, &upload).await.unwrap(), 10 << 20);
    let wrong = tus::try_patch(other, &upload, 5, content.slice(5..10)).await.unwrap();
    assert_eq!(wrong.problem().unwrap(), "offset-conflict");
    let done = tus::send_rest(other, &upload, &content, 10 << 20, 7 << 20).await.unwrap();
    let written = generation(&done).unwrap();
    for disk in &disks {
        let (length, hash) = disk.hash("big.bin", Some(written)).await.unwrap();
        assert_eq!((length, hash), (content.len() as u64, blake3::hash(&content)), "through {}", disk.pod);
    }
    let usage = other.usage().await.unwrap();
    assert_eq!((usage.used, usage.reserved), (content.len() as u64, 0));
    person.remove(&demo.cluster).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_given_up_gives_back_what_it_reserved() {
    let (demo, person, disks) = begin("abort", "50Mi").await;
    let disk = &disks[0];
    let upload = tus::create(disk, "never.bin", 40 << 20).await.unwrap();
    let second = tus::try_create(disk, "second.bin", 20 << 20).await.unwrap();
    assert_eq!((second.status.as_u16(), second.problem().unwrap().as_str()), (507, "quota-exceeded"));
    let url = disk.at(&format!("uploads/{}", upload.id));
    disk.send(Method::DELETE, &url, &[("tus-resumable", "1.0.0")], Bytes::new())
        .await
        .unwrap()
        .expect(204)
        .unwrap();
    let usage = disk.usage().await.unwrap();
    assert_eq!((usage.used, usage.reserved), (0, 0));
    tus::create(disk, "second.bin", 20 << 20).await.unwrap();
    person.remove(&demo.cluster).await.unwrap();
}
