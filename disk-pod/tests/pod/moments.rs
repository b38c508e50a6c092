//! A space as it was, and what is brought back from there.

use jiff::Timestamp;
use serde_json::json;

use crate::world::{Client, World};

impl Client<'_> {
    async fn generation(&self) -> u64 {
        self.send("GET", "usage", &[], "").await.json()["generation"].as_u64().unwrap()
    }

    async fn names_at(&self, path: &str, at: &str) -> Vec<String> {
        let listed = self.send("GET", &format!("list/{path}?at={at}"), &[], "").await;
        assert_eq!(listed.status, 200, "{listed:?}");
        let listed = listed.json();
        listed["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn a_directory_is_listed_read_and_brought_back_as_it_was() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.send("PUT", "files/d/a?parents=true", &[], "one").await;
    alice.put("d/b", "two").await;
    let then = alice.generation().await;
    let time = Timestamp::now();
    // Clocks are of milliseconds: what comes next is later.
    while Timestamp::now().as_millisecond() <= time.as_millisecond() + 1 {
        tokio::task::yield_now().await;
    }
    alice.put("d/a", "changed").await;
    alice.operate(json!({"op": "delete", "path": "d/b", "permanently": true})).await;
    alice.put("d/c", "new").await;
    for at in [then.to_string(), time.to_string()] {
        assert_eq!(alice.names_at("d", &at).await, ["a", "b"], "{at}");
        let got = alice.get(&format!("d/a?at={at}")).await;
        assert_eq!(
            (got.body.as_slice(), got.header("x-generation")),
            (&b"one"[..], then.to_string().as_str())
        );
        assert_eq!(alice.get(&format!("d/b?at={at}")).await.body, b"two");
        assert_eq!(alice.get(&format!("d/c?at={at}")).await.outcome(), (404, "not-found".to_owned()));
        let found = alice.send("GET", &format!("search?q=b&at={at}"), &[], "").await.json();
        assert_eq!(found["entries"][0]["path"], "d/b");
        let zip = alice.send("GET", &format!("zip/d?at={at}"), &[], "").await;
        assert!(zip.status == 200 && zip.body.windows(3).any(|part| part == b"two"));
    }
    assert_eq!(alice.names("d").await, ["a", "c"]);

    let at = then.to_string();
    let taken = json!({"op": "bring-back", "path": "d", "at": at});
    assert_eq!(alice.operate(taken).await.outcome(), (409, "exists".to_owned()));
    let beside = json!({"op": "bring-back", "path": "d", "at": at, "to": "old/d"});
    assert_eq!(alice.operate(beside).await.status, 200);
    assert_eq!(alice.names("old/d").await, ["a", "b"]);
    assert_eq!(alice.get("old/d/a").await.body, b"one");
    let one = json!({"op": "bring-back", "path": "d/b", "at": at});
    assert_eq!(alice.operate(one).await.status, 200);
    assert_eq!(alice.names("d").await, ["a", "b", "c"]);
    let over = json!({"op": "bring-back", "path": "d/a", "at": time.to_string(), "overwrite": true});
    assert_eq!(alice.operate(over).await.status, 200);
    assert_eq!(alice.get("d/a").await.body, b"one");
}

#[tokio::test]
async fn moments_that_are_none() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    for (at, status, code) in [
        ("999999", 404, "not-found"),
        ("99999999999999999999", 400, "bad-request"),
        ("-1", 400, "bad-request"),
        ("yesterday", 400, "bad-request"),
        ("", 400, "bad-request"),
    ] {
        for route in ["list", "files/a", "zip", "search"] {
            let answer = alice.send("GET", &format!("{route}?q=a&at={at}"), &[], "").await;
            assert_eq!(answer.outcome(), (status, code.to_owned()), "{route} {at}: {answer:?}");
        }
        let answer = alice.operate(json!({"op": "bring-back", "path": "a", "at": at, "to": "b"})).await;
        assert_eq!(answer.outcome(), (status, code.to_owned()), "{at}: {answer:?}");
    }
    let before = alice.send("GET", "list?at=1970-01-01T00:00:00Z", &[], "").await;
    assert!(before.status == 200 || before.outcome() == (410, "history-gone".to_owned()), "{before:?}");
}
