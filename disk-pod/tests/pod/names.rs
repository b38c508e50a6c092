//! Hostile names: nothing climbs, nothing is decoded twice, and what is a name is a name.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn what_looks_like_a_way_out_is_refused() {
    let world = World::new();
    std::fs::write(world.volume.path().join("outside"), "not yours").unwrap();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    for path in [
        "..",
        "../outside",
        "a/../../outside",
        "%2e%2e/outside",
        "%2e%2e%2foutside",
        "..%2foutside",
        ".%2e/outside",
        "a/./b",
        "a//b",
        "a/",
        "/a",
        "%2foutside",
        "a%00b",
        "%ff%fe",
        "new%0Aline",
    ] {
        for method in ["GET", "PUT"] {
            let answer = alice.send(method, &format!("files/{path}"), &[], "x").await;
            assert_eq!(answer.outcome(), (400, "name-invalid".to_owned()), "{method} {path}: {answer:?}");
        }
    }
    assert!(alice.names("").await.is_empty());
    assert_eq!(std::fs::read_to_string(world.volume.path().join("outside")).unwrap(), "not yours");
}

#[tokio::test]
async fn strange_names_are_names() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    let names =
        ["😀.txt", "#[]{}%20", "..%2f..", "a b+c&d=e?f", "\\\\server\\share", "...", "con", "휴가 사진"];
    for name in names {
        let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
        let made = alice.put(&encoded, name).await;
        assert_eq!(made.status, 201, "{name}: {made:?}");
        assert_eq!(alice.get(&encoded).await.body, name.as_bytes(), "{name}");
    }
    let mut listed = alice.names("").await;
    listed.sort();
    let mut wanted = names.map(str::to_owned);
    wanted.sort();
    assert_eq!(listed, wanted);
}

#[tokio::test]
async fn both_forms_of_an_accent_are_one_name() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    alice.put("caf%C3%A9", "composed").await;
    assert_eq!(alice.get("cafe%CC%81").await.body, b"composed");
    let again = alice.operate(json!({"op": "mkdir", "path": "cafe\u{301}"})).await;
    assert_eq!(again.outcome(), (409, "exists".to_owned()));
}

#[tokio::test]
async fn a_name_has_a_longest_length() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = world.client(&pod, "alice");
    for path in ["a".repeat(5000), format!("{}a", "a/".repeat(20_000))] {
        let answer = alice.put(&path, "x").await;
        assert_eq!(answer.outcome(), (400, "name-invalid".to_owned()), "{} bytes: {answer:?}", path.len());
    }
}
