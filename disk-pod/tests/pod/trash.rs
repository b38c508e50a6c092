//! What was deleted: how it is found, comes back, and goes for good.

use api::ticket::Ticket;
use serde_json::{Value, json};

use crate::world::{Client, World};

impl Client<'_> {
    async fn trash(&self, query: &str) -> Value {
        let answer = self.send("GET", &format!("trash{query}"), &[], "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The names in the trash, and the ids that belong to them.
    async fn trashed(&self) -> (Vec<String>, Vec<String>) {
        let trash = self.trash("").await;
        let items = trash["items"].as_array().unwrap().iter();
        items.map(|item| (text(&item["path"]), text(&item["id"]))).unzip()
    }

    async fn delete(&self, path: &str) {
        let answer = self.operate(json!({"op": "delete", "path": path})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn numbers(&self) -> (u64, u64) {
        let usage = self.send("GET", "usage", &[], "").await.json();
        (usage["used"].as_u64().unwrap(), usage["trash"].as_u64().unwrap())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_deleted_can_be_found_and_brought_back() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a.txt", "hello").await;
    alice.send("PUT", "files/photos/2026/b?parents=true", &[], "content").await;
    alice.delete("photos").await;
    alice.delete("a.txt").await;
    assert!(alice.names("").await.is_empty());
    assert_eq!(alice.numbers().await, (12, 12), "what is in the trash counts");

    let first = alice.trash("?limit=1").await;
    let item = &first["items"][0];
    assert_eq!(
        (&item["name"], &item["kind"], &item["path"], &item["size"], &item["nodes"]),
        (&json!("a.txt"), &json!("file"), &json!("a.txt"), &json!(5), &json!(1))
    );
    assert!(item["deleted"].as_str().unwrap().ends_with('Z'));
    let rest = alice.trash(&format!("?limit=1&after={}", text(&first["next"]))).await;
    assert_eq!(rest["items"][0]["path"], "photos");
    assert_eq!((&rest["items"][0]["size"], &rest["items"][0]["nodes"]), (&json!(7), &json!(3)));
    assert!(rest.get("next").is_none(), "{rest}");

    // Another pod tells the same, and brings it back.
    let other = world.pod().await;
    let there = world.client(&other, "alice");
    let (paths, ids) = there.trashed().await;
    assert_eq!(paths, ["a.txt", "photos"]);
    let back = there.operate(json!({"op": "restore", "item": ids[1]})).await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(there.get("photos/2026/b").await.body, b"content");
    let elsewhere = json!({"op": "restore", "item": ids[0], "to": "old/things/a.txt"});
    assert_eq!(there.operate(elsewhere).await.status, 200);
    assert_eq!(there.get("old/things/a.txt").await.body, b"hello");
    assert_eq!((there.trashed().await.0.len(), there.numbers().await), (0, (12, 0)));
}

#[tokio::test]
async fn what_took_the_place_meanwhile_is_not_lost() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "old").await;
    alice.delete("a").await;
    alice.put("a", "new").await;
    let (_, ids) = alice.trashed().await;
    let restore = |overwrite: bool| json!({"op": "restore", "item": ids[0], "overwrite": overwrite});
    assert_eq!(alice.operate(restore(false)).await.outcome(), (409, "exists".to_owned()));
    assert_eq!(alice.operate(restore(true)).await.status, 200);
    assert_eq!(alice.get("a").await.body, b"old");
    let (paths, ids) = alice.trashed().await;
    assert_eq!(paths, ["a"], "what was overwritten is in the trash now");
    assert_eq!(alice.operate(json!({"op": "restore", "item": ids[0], "to": "b"})).await.status, 200);
    assert_eq!(alice.get("b").await.body, b"new");
}

#[tokio::test]
async fn what_goes_for_good() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    for name in ["a", "b", "c", "d"] {
        alice.put(name, "content").await;
    }
    let gone = alice.operate(json!({"op": "delete", "path": "a", "permanently": true})).await;
    assert_eq!(gone.status, 200, "{gone:?}");
    assert_eq!((alice.trashed().await.0.len(), alice.numbers().await), (0, (21, 0)));
    for name in ["b", "c", "d"] {
        alice.delete(name).await;
    }
    let (_, ids) = alice.trashed().await;
    assert_eq!(alice.operate(json!({"op": "purge", "item": ids[1]})).await.status, 200);
    assert_eq!((alice.trashed().await.0, alice.numbers().await), (vec!["d".into(), "b".into()], (14, 14)));
    for operation in [
        json!({"op": "restore", "item": ids[1]}),
        json!({"op": "purge", "item": ids[1]}),
        json!({"op": "restore", "item": "1-2"}),
        // Of a node that is there, but not in the trash since that generation.
        json!({"op": "restore", "item": format!("1{}", ids[0])}),
    ] {
        assert_eq!(
            alice.operate(operation.clone()).await.outcome(),
            (404, "not-found".to_owned()),
            "{operation}"
        );
    }
    for operation in [
        json!({"op": "restore", "item": "b"}),
        json!({"op": "restore"}),
        json!({"op": "restore", "item": ids[0], "to": ""}),
        json!({"op": "purge"}),
        json!({"op": "purge", "item": ids[0], "everything": true}),
        json!({"op": "purge", "item": ids[0], "version": 1}),
    ] {
        let refused = alice.operate(operation.clone()).await;
        assert_eq!(refused.outcome(), (400, "bad-request".to_owned()), "{operation}");
    }
    assert_eq!(alice.operate(json!({"op": "purge", "everything": true})).await.status, 200);
    assert_eq!((alice.trashed().await.0.len(), alice.numbers().await), (0, (0, 0)));
    assert_eq!(
        alice.operate(json!({"op": "purge", "everything": true})).await.status,
        200,
        "nothing is no error"
    );
    for query in ["?after=x", "?limit=many", "?after=1-"] {
        let refused = alice.send("GET", &format!("trash{query}"), &[], "").await;
        assert_eq!(refused.outcome(), (400, "bad-request".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn the_roster_says_whether_there_is_a_trash() {
    let mut world = World::new();
    let pod = world.pod().await;
    world.settings.trash.retention_days = 0;
    pod.knows(world.publish()).await;
    let alice = world.client(&pod, "alice");
    alice.put("a", "content").await;
    alice.delete("a").await;
    assert_eq!((alice.trashed().await.0.len(), alice.numbers().await), (0, (0, 0)));
    world.settings.trash.retention_days = 1;
    pod.knows(world.publish()).await;
    alice.put("a", "content").await;
    alice.delete("a").await;
    assert_eq!(alice.trashed().await.0, ["a"]);
}

#[tokio::test]
async fn the_trash_makes_room_for_what_is_new() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let five = vec![7_u8; 5 << 20];
    assert_eq!(alice.send("PUT", "files/a", &[], five.clone()).await.status, 201);
    alice.delete("a").await;
    assert_eq!(alice.send("PUT", "files/b", &[], five).await.status, 201);
    assert_eq!((alice.names("").await, alice.trashed().await.0.len()), (vec!["b".to_owned()], 0));
}

#[tokio::test]
async fn a_viewer_looks_and_a_ticket_for_a_directory_sees_that_alone() {
    let world = World::new();
    let pod = world.pod().await;
    let group = world.group.space;
    let client = |ticket| Client { pod: &pod, space: group, ticket };
    let bob = client(world.ticket("bob", group));
    for path in ["shared/a", "sharedother/b", "c"] {
        bob.send("PUT", &format!("files/{path}?parents=true"), &[], "content").await;
        bob.delete(path).await;
    }
    let (_, ids) = bob.trashed().await;
    let carol = client(world.ticket("carol", group));
    assert_eq!(carol.trashed().await.0, ["c", "sharedother/b", "shared/a"]);
    for operation in [
        json!({"op": "restore", "item": ids[0]}),
        json!({"op": "purge", "item": ids[0]}),
        json!({"op": "purge", "everything": true}),
    ] {
        assert_eq!(carol.operate(operation).await.outcome(), (403, "forbidden".to_owned()));
    }

    let claims = Ticket { path: Some("shared".to_owned()), ..world.claims("bob", group) };
    let part = client(claims.issue(&world.tickets).unwrap());
    assert_eq!(part.trashed().await.0, ["shared/a"]);
    for (operation, status) in [
        (json!({"op": "restore", "item": ids[0]}), 404),
        (json!({"op": "purge", "item": ids[1]}), 404),
        (json!({"op": "restore", "item": ids[2], "to": "c"}), 403),
        (json!({"op": "purge", "everything": true}), 403),
        (json!({"op": "restore", "item": ids[2]}), 200),
    ] {
        let answer = part.operate(operation.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{operation}: {answer:?}");
    }
    assert_eq!(bob.get("shared/a").await.body, b"content");
    assert_eq!(bob.trashed().await.0, ["c", "sharedother/b"]);
    // Another space has another trash.
    let alice = world.client(&pod, "alice");
    assert_eq!(alice.operate(json!({"op": "restore", "item": ids[0]})).await.outcome().0, 404);
}

#[tokio::test]
async fn a_repetition_is_told_the_first_outcome() {
    let world = World::new();
    let (here, there) = (world.pod().await, world.pod().await);
    let (alice, again) = (world.client(&here, "alice"), world.client(&there, "alice"));
    let etag = alice.put("a", "content").await.header("etag").to_owned();
    let body = json!({"op": "delete", "path": "a"}).to_string();
    let named = |id: &'static str| ("operation-id", id);
    let headers = [named("0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c11"), ("if-match", etag.as_str())];
    let first = alice.send("POST", "operations", &headers, body.clone()).await;
    let second = again.send("POST", "operations", &headers, body).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200), "{second:?}");
    let (_, ids) = alice.trashed().await;
    let body = json!({"op": "restore", "item": ids[0]}).to_string();
    let headers = [named("0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c12")];
    let first = alice.send("POST", "operations", &headers, body.clone()).await;
    let second = again.send("POST", "operations", &headers, body).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200), "{second:?}");
    assert_eq!(first.json(), second.json());

    let headers = [named("0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c13"), ("if-match", etag.as_str())];
    let first = alice.send("PUT", "files/a", &headers, "new").await;
    let second = again.send("PUT", "files/a", &headers, "new").await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (204, 204), "{second:?}");
    assert_eq!(first.header("etag"), second.header("etag"));
    let headers = [named("0b9d1a9e-6f0f-4a6a-9d53-3f6f1a4e6c14"), ("if-match", etag.as_str())];
    let other = again.send("PUT", "files/a", &headers, "newer").await;
    assert_eq!(other.outcome(), (412, "precondition-failed".to_owned()), "another id is another operation");
}
