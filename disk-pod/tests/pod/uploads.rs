//! Resumable uploads by the letter of tus 1.0.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::world::{Answer, Client, MIB, World};

pub(crate) const VERSION: (&str, &str) = ("tus-resumable", "1.0.0");
pub(crate) const CONTENT: (&str, &str) = ("content-type", "application/offset+octet-stream");

pub(crate) fn metadata(path: &str) -> String {
    format!("path {}", BASE64_STANDARD.encode(path))
}

impl Client<'_> {
    pub(crate) async fn create(&self, path: &str, length: u64) -> Answer {
        let headers = [VERSION, ("upload-length", &length.to_string()), ("upload-metadata", &metadata(path))];
        self.send("POST", "uploads", &headers, "").await
    }

    /// Creates an upload and says where it is, below the space.
    pub(crate) async fn begin(&self, path: &str, length: u64) -> String {
        let created = self.create(path, length).await;
        assert_eq!(created.status, 201, "{created:?}");
        assert_eq!(created.header("tus-resumable"), "1.0.0");
        let prefix = format!("/v1/spaces/{}/", self.space);
        created.header("location").strip_prefix(&prefix).unwrap().to_owned()
    }

    pub(crate) async fn patch(&self, upload: &str, offset: u64, content: impl Into<Vec<u8>>) -> Answer {
        let headers = [VERSION, CONTENT, ("upload-offset", &offset.to_string())];
        self.send("PATCH", upload, &headers, content.into()).await
    }

    pub(crate) async fn offset(&self, upload: &str) -> Answer {
        self.send("HEAD", upload, &[VERSION], "").await
    }
}

#[tokio::test]
async fn an_upload_in_three_parts() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let upload = alice.begin("story.txt", 11).await;
    assert!(alice.names("").await.is_empty());
    for (offset, content) in [(0, "once "), (5, "upo")] {
        let patched = alice.patch(&upload, offset, content).await;
        assert_eq!(patched.status, 204, "{patched:?}");
        let at = offset + content.len() as u64;
        assert_eq!(patched.header("upload-offset"), at.to_string());
        let asked = alice.offset(&upload).await;
        assert_eq!(asked.status, 200, "{asked:?}");
        assert_eq!(
            (asked.header("upload-offset"), asked.header("upload-length")),
            (at.to_string().as_str(), "11")
        );
        assert_eq!(asked.header("cache-control"), "no-store");
    }
    let last = alice.patch(&upload, 8, "n a").await;
    assert_eq!((last.status.as_u16(), last.header("upload-offset")), (204, "11"));
    let got = alice.get("story.txt").await;
    assert_eq!(got.body, b"once upon a");
    assert_eq!(got.header("etag"), last.header("etag"));
    assert!(!last.header("x-generation").is_empty());
}

#[tokio::test]
async fn what_is_not_tus_is_refused() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let path = metadata("a");
    let path = path.as_str();
    let root = metadata("");
    let climbing = metadata("../a");
    for (what, headers, status, code) in [
        ("no version", &[("upload-length", "1"), ("upload-metadata", path)][..], 412, "precondition-failed"),
        (
            "another version",
            &[("tus-resumable", "0.2.2"), ("upload-length", "1"), ("upload-metadata", path)],
            412,
            "precondition-failed",
        ),
        ("no length", &[VERSION, ("upload-metadata", path)], 411, "length-required"),
        (
            "deferred length",
            &[VERSION, ("upload-defer-length", "1"), ("upload-metadata", path)],
            400,
            "bad-request",
        ),
        (
            "negative length",
            &[VERSION, ("upload-length", "-1"), ("upload-metadata", path)],
            400,
            "bad-request",
        ),
        ("no path", &[VERSION, ("upload-length", "1")], 400, "bad-request"),
        (
            "junk metadata",
            &[VERSION, ("upload-length", "1"), ("upload-metadata", "path !")],
            400,
            "bad-request",
        ),
        ("root", &[VERSION, ("upload-length", "1"), ("upload-metadata", &root)], 409, "is-a-directory"),
        ("climbing", &[VERSION, ("upload-length", "1"), ("upload-metadata", &climbing)], 400, "name-invalid"),
        (
            "above the quota",
            &[VERSION, ("upload-length", "99999999999"), ("upload-metadata", path)],
            507,
            "quota-exceeded",
        ),
        (
            "above everything",
            &[VERSION, ("upload-length", "18446744073709551615"), ("upload-metadata", path)],
            507,
            "quota-exceeded",
        ),
        (
            "longer than any number",
            &[VERSION, ("upload-length", "99999999999999999999"), ("upload-metadata", path)],
            400,
            "bad-request",
        ),
    ] {
        let answer = alice.send("POST", "uploads", headers, "").await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{what}: {answer:?}");
    }
    let upload = alice.begin("a", 10).await;
    for (what, headers, status, code) in [
        ("no version", &[CONTENT, ("upload-offset", "0")][..], 412, "precondition-failed"),
        ("no type", &[VERSION, ("upload-offset", "0")], 415, "unsupported-media-type"),
        ("no offset", &[VERSION, CONTENT], 400, "bad-request"),
        ("an offset ahead", &[VERSION, CONTENT, ("upload-offset", "5")], 409, "offset-conflict"),
        ("an offset beyond", &[VERSION, CONTENT, ("upload-offset", "50")], 409, "offset-conflict"),
        ("too much", &[VERSION, CONTENT, ("upload-offset", "0"), ("content-length", "11")], 413, "too-large"),
    ] {
        let answer = alice.send("PATCH", &upload, headers, "12345678901").await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{what}: {answer:?}");
    }
    let gone = "uploads/0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c11";
    assert_eq!(alice.patch(gone, 0, "x").await.outcome(), (410, "upload-gone".to_owned()));
    assert_eq!(alice.offset(gone).await.status, 410);
    assert_eq!(alice.patch("uploads/junk", 0, "x").await.status, 410);
    assert_eq!(alice.offset(&upload).await.header("upload-offset"), "0");
}

#[tokio::test]
async fn creation_with_the_first_bytes_and_of_nothing() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let path = metadata("a");
    let begun = alice
        .send(
            "POST",
            "uploads",
            &[VERSION, CONTENT, ("upload-length", "7"), ("upload-metadata", &path)],
            "1234",
        )
        .await;
    assert_eq!((begun.status.as_u16(), begun.header("upload-offset")), (201, "4"), "{begun:?}");
    let upload = begun.header("location").rsplit("uploads/").next().unwrap().to_owned();
    assert_eq!(alice.patch(&format!("uploads/{upload}"), 4, "567").await.status, 204);
    assert_eq!(alice.get("a").await.body, b"1234567");

    let whole = metadata("b");
    let done = alice
        .send(
            "POST",
            "uploads",
            &[VERSION, CONTENT, ("upload-length", "2"), ("upload-metadata", &whole)],
            "12",
        )
        .await;
    assert_eq!((done.status.as_u16(), done.header("upload-offset")), (201, "2"));
    assert!(!done.header("etag").is_empty());

    let empty = alice.create("c", 0).await;
    assert_eq!(empty.status, 201, "{empty:?}");
    assert_eq!(alice.get("c").await.body, b"");
}

#[tokio::test]
async fn an_upload_replaces_only_when_told_to() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "old").await;
    assert_eq!(alice.create("a", 3).await.outcome(), (409, "exists".to_owned()));
    let replacing = format!("{},replace {}", metadata("a"), BASE64_STANDARD.encode("true"));
    let created = alice
        .send(
            "POST",
            "uploads",
            &[VERSION, CONTENT, ("upload-length", "3"), ("upload-metadata", &replacing)],
            "new",
        )
        .await;
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(alice.get("a").await.body, b"new");
    let parents = format!("{},parents", metadata("x/y/z"));
    let created = alice
        .send(
            "POST",
            "uploads",
            &[VERSION, CONTENT, ("upload-length", "3"), ("upload-metadata", &parents)],
            "new",
        )
        .await;
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(alice.get("x/y/z").await.body, b"new");
}

#[tokio::test]
async fn giving_up_gives_back_what_was_reserved() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let upload = alice.begin("a", 5 * MIB).await;
    assert_eq!(alice.create("b", 5 * MIB).await.outcome(), (507, "quota-exceeded".to_owned()));
    assert_eq!(alice.send("GET", "usage", &[], "").await.json()["reserved"], 5 * MIB);
    let dropped = alice.send("DELETE", &upload, &[VERSION], "").await;
    assert_eq!(dropped.status, 204, "{dropped:?}");
    assert_eq!(alice.patch(&upload, 0, "x").await.outcome(), (410, "upload-gone".to_owned()));
    assert_eq!(alice.send("GET", "usage", &[], "").await.json()["reserved"], 0);
    assert_eq!(alice.create("b", 5 * MIB).await.status, 201);
}

#[tokio::test]
async fn a_server_says_what_it_can() {
    let mut world = World::new();
    world.settings.uploads.max_file_size = Some(api::bytes::Bytes(MIB));
    world.publish();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let answer = alice.send("OPTIONS", "uploads", &[], "").await;
    assert_eq!(answer.status, 204);
    for (header, value) in [
        ("tus-resumable", "1.0.0"),
        ("tus-version", "1.0.0"),
        ("tus-extension", "creation,creation-with-upload,termination,checksum,expiration"),
        ("tus-max-size", "1048576"),
    ] {
        assert_eq!(answer.header(header), value);
    }
    assert_eq!(alice.create("a", MIB + 1).await.outcome(), (413, "too-large".to_owned()));
}
