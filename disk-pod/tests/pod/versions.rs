//! What a file held before.

use serde_json::{Value, json};

use crate::world::{Client, World};

impl Client<'_> {
    async fn versions(&self, path: &str) -> Value {
        let answer = self.send("GET", &format!("versions/{path}"), &[], "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

#[tokio::test]
async fn old_contents_are_listed_read_and_brought_back() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let mut tags = Vec::new();
    for content in ["one", "two!", "three"] {
        tags.push(alice.put("a.txt", content).await.header("etag").to_owned());
    }
    let listed = alice.versions("a.txt").await;
    assert_eq!(listed["current"]["etag"], tags[2].as_str());
    assert!(listed["current"].get("replaced").is_none());
    let old = listed["versions"].as_array().unwrap();
    let sizes: Vec<_> = old.iter().map(|old| old["size"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [4, 3], "what was replaced last is first");
    assert!(old[0]["replaced"].as_str().unwrap().ends_with('Z'));
    let number = |at: usize| old[at]["version"].as_u64().unwrap();

    let one = alice.get(&format!("a.txt?version={}", number(1))).await;
    assert_eq!((one.body.as_slice(), one.header("etag")), (&b"one"[..], tags[0].as_str()));
    assert!(one.header("content-disposition").contains("a.txt"));
    let part =
        alice.send("GET", &format!("files/a.txt?version={}", number(0)), &[("range", "bytes=1-2")], "").await;
    assert_eq!((part.status.as_u16(), part.body.as_slice()), (206, &b"wo"[..]));
    let current = alice.get(&format!("a.txt?version={}", listed["current"]["version"])).await;
    assert_eq!(current.body, b"three");
    for (query, status) in [("999", 404), ("-1", 400), ("x", 400), ("99999999999999999999", 400)] {
        assert_eq!(alice.get(&format!("a.txt?version={query}")).await.status.as_u16(), status, "{query}");
    }

    let usage = alice.send("GET", "usage", &[], "").await.json();
    assert_eq!((&usage["used"], &usage["versions"]), (&json!(12), &json!(7)));
    let back = json!({"op": "restore-version", "path": "a.txt", "version": number(1)});
    let stale = alice.send("POST", "operations", &[("if-match", &tags[1])], back.to_string()).await;
    assert_eq!(stale.outcome(), (412, "precondition-failed".to_owned()));
    let done = alice.send("POST", "operations", &[("if-match", &tags[2])], back.to_string()).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(alice.get("a.txt").await.body, b"one");
    let listed = alice.versions("a.txt").await;
    let old: Vec<_> = listed["versions"].as_array().unwrap().iter().map(|old| &old["size"]).collect();
    assert_eq!(old, [&json!(5), &json!(4)]);

    let newest = &listed["versions"][0]["version"];
    let purge = alice.operate(json!({"op": "purge", "path": "a.txt", "version": newest})).await;
    assert_eq!(purge.status, 200, "{purge:?}");
    assert_eq!(alice.versions("a.txt").await["versions"].as_array().unwrap().len(), 1);
    assert_eq!(alice.operate(json!({"op": "purge", "path": "a.txt"})).await.status, 200);
    assert_eq!((alice.versions("a.txt").await["versions"].clone(), alice.used().await), (json!([]), 3));
}

#[tokio::test]
async fn a_file_that_was_deleted_comes_back_with_its_versions() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "one").await;
    alice.put("a", "two").await;
    alice.operate(json!({"op": "delete", "path": "a"})).await;
    assert_eq!(alice.send("GET", "versions/a", &[], "").await.outcome(), (404, "not-found".to_owned()));
    let trash = alice.send("GET", "trash", &[], "").await.json();
    alice.operate(json!({"op": "restore", "item": trash["items"][0]["id"]})).await;
    assert_eq!(alice.versions("a").await["versions"][0]["size"], 3);
}

#[tokio::test]
async fn what_has_no_versions() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.operate(json!({"op": "mkdir", "path": "d"})).await;
    alice.put("a", "content").await;
    for (method, path, status, code) in [
        ("GET", "versions/d", 409, "is-a-directory"),
        ("GET", "versions/missing", 404, "not-found"),
        ("GET", "versions/a/../b", 400, "name-invalid"),
        ("POST", "versions/a", 405, "method-not-allowed"),
        ("DELETE", "trash", 405, "method-not-allowed"),
    ] {
        let answer = alice.send(method, path, &[], "").await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{method} {path}: {answer:?}");
    }
    for (operation, status) in [
        (json!({"op": "restore-version", "path": "a", "version": 99}), 404),
        (json!({"op": "restore-version", "path": "d", "version": 1}), 409),
        (json!({"op": "restore-version", "path": "a"}), 400),
        (json!({"op": "restore-version", "path": "a", "version": -1}), 400),
        (json!({"op": "purge", "path": "a", "version": 99}), 404),
        (json!({"op": "purge", "path": "d"}), 409),
    ] {
        let answer = alice.operate(operation.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{operation}: {answer:?}");
    }
}

#[tokio::test]
async fn the_roster_says_how_many_are_kept() {
    let mut world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    world.settings.versions.maximum_per_file = 2;
    pod.knows(world.publish()).await;
    for content in ["1", "2", "3", "4"] {
        alice.put("a", content).await;
    }
    assert_eq!(alice.versions("a").await["versions"].as_array().unwrap().len(), 2);
    world.settings.versions.maximum_per_file = 0;
    pod.knows(world.publish()).await;
    alice.put("b", "1").await;
    alice.put("b", "2").await;
    assert_eq!(alice.versions("b").await["versions"], json!([]));
}
