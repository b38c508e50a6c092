//! Copies and moves from one disk to another: for that a member signs in with a name and a password.

use super::{Mounted, property, text, trees};
use crate::web_pod::WebPod;
use crate::world::{MIB, Pod, World};

const HOME: &str = "/dav/home";
const GROUP: &str = "/dav/groups/trips";

async fn started() -> (World, WebPod, Pod) {
    let mut world = World::new();
    let web = WebPod::start(&mut world).await;
    let pod = world.pod().await;
    (world, web, pod)
}

fn at(disk: &str, path: &str) -> String {
    format!("{disk}/{path}")
}

/// A directory `d` with something in it, and a property.
async fn fill(alice: &Mounted<'_>, disk: &str) {
    alice.mkcol(&at(disk, "d")).await;
    alice.mkcol(&at(disk, "d/e")).await;
    alice.put(&at(disk, "d/f"), "one").await;
    alice.put(&at(disk, "d/e/g"), &"large".repeat(100_000)).await;
    let body =
        "<propertyupdate xmlns=\"DAV:\"><set><prop><c xmlns=\"urn:x\">blue</c></prop></set></propertyupdate>";
    for path in ["d", "d/f"] {
        assert_eq!(alice.status("PROPPATCH", &at(disk, path), &[], body).await, 207);
    }
}

async fn is_filled(alice: &Mounted<'_>, directory: &str) {
    assert_eq!(alice.content(&at(directory, "f")).await.as_deref(), Some("one"));
    assert_eq!(alice.content(&at(directory, "e/g")).await.unwrap(), "large".repeat(100_000));
    for url in [directory.to_owned(), at(directory, "f")] {
        let colour = property(alice, &url, "<c xmlns=\"urn:x\"/>").await.unwrap();
        assert!(colour.contains("blue"), "{url}: {colour}");
    }
}

#[tokio::test]
async fn files_and_trees_are_copied_and_moved_both_ways() {
    let (_world, _web, pod) = started().await;
    let alice = Mounted::signed_in(&pod, "alice");
    for (from, to) in [(HOME, GROUP), (GROUP, HOME)] {
        fill(&alice, from).await;
        let (source, target, file) = (at(from, "d"), at(to, "c"), at(to, "file"));
        assert_eq!(alice.status("COPY", &at(from, "d/f"), &[("destination", &file)], "").await, 201);
        assert_eq!(alice.content(&file).await.as_deref(), Some("one"));
        assert_eq!(alice.status("COPY", &source, &[("destination", &target)], "").await, 201);
        is_filled(&alice, &target).await;
        is_filled(&alice, &source).await;

        // A directory alone, over one that is full.
        let alone = [("destination", target.as_str()), ("depth", "0")];
        assert_eq!(alice.status("COPY", &source, &alone, "").await, 204);
        assert_eq!(alice.urls(&target, "1").await, [format!("{target}/")]);
        let colour = property(&alice, &target, "<c xmlns=\"urn:x\"/>").await.unwrap();
        assert!(colour.contains("blue"), "{colour}");

        let keep = [("destination", target.as_str()), ("overwrite", "F")];
        for method in ["COPY", "MOVE"] {
            assert_eq!(alice.status(method, &source, &keep, "").await, 412, "{method}");
        }
        let replace = [("destination", target.as_str()), ("overwrite", "T")];
        assert_eq!(alice.status("COPY", &source, &replace, "").await, 204);
        is_filled(&alice, &target).await;
        assert_eq!(alice.status("MOVE", &source, &replace, "").await, 204);
        is_filled(&alice, &target).await;
        assert_eq!(alice.status("PROPFIND", &source, &[("depth", "0")], "").await, 404);

        // The same path on two disks is not the same place.
        let same = at(from, "c");
        assert_eq!(alice.status("MOVE", &target, &[("destination", &same)], "").await, 201);
        is_filled(&alice, &same).await;
        for url in [same, file] {
            assert_eq!(alice.status("DELETE", &url, &[], "").await, 204);
        }
    }
}

#[tokio::test]
async fn what_can_not_be_is_refused_and_changes_nothing() {
    let (_world, _web, pod) = started().await;
    let (alice, carol) = (Mounted::signed_in(&pod, "alice"), Mounted::signed_in(&pod, "carol"));
    alice.put("/dav/groups/trips/f", "of the group").await;
    alice.put("/dav/home/f", "of alice").await;
    carol.put("/dav/home/f", "of carol").await;
    for (client, method, from, to, status) in [
        // Who views may read the group, and not change it.
        (&carol, "COPY", "/dav/home/f", "/dav/groups/trips/n", 403),
        (&carol, "MOVE", "/dav/home/f", "/dav/groups/trips/n", 403),
        (&carol, "MOVE", "/dav/groups/trips/f", "/dav/home/n", 403),
        (&alice, "COPY", "/dav/home/f", "/dav/groups/others/n", 404),
        (&alice, "COPY", "/dav/home/x", "/dav/groups/trips/n", 404),
        (&alice, "MOVE", "/dav/home/x", "/dav/groups/trips/n", 404),
        (&alice, "MOVE", "/dav/home/f", "/dav/groups/trips/x/n", 409),
        (&alice, "MOVE", "/dav/home/f", "/dav/groups/trips/f/n", 409),
        (&alice, "MOVE", "/dav/home/", "/dav/groups/trips/n", 403),
        (&alice, "COPY", "/dav/home/f", "/dav/groups/trips/", 403),
        (&alice, "COPY", "/dav/home/f", "/dav/groups/", 403),
    ] {
        let answer = client.send(method, from, &[("destination", to)], "").await;
        assert_eq!(answer.status, status, "{method} {from} {to}: {answer:?}");
    }
    assert_eq!(carol.content("/dav/home/f").await.as_deref(), Some("of carol"));
    assert_eq!(alice.content("/dav/home/f").await.as_deref(), Some("of alice"));
    assert_eq!(alice.urls("/dav/groups/trips/", "1").await.len(), 2);
    let to = [("destination", "/dav/home/n")];
    assert_eq!(carol.status("COPY", "/dav/groups/trips/f", &to, "").await, 201);
    assert_eq!(carol.content("/dav/home/n").await.as_deref(), Some("of the group"));
}

#[tokio::test]
async fn the_target_must_have_room() {
    let (_world, _web, pod) = started().await;
    let alice = Mounted::signed_in(&pod, "alice");
    let content = "x".repeat(5 * MIB as usize);
    for disk in [HOME, GROUP] {
        alice.put(&at(disk, "large"), &content).await;
    }
    let to = [("destination", "/dav/groups/trips/second")];
    for method in ["COPY", "MOVE"] {
        let answer = alice.send(method, "/dav/home/large", &to, "").await;
        assert_eq!(answer.status, 507, "{answer:?}");
    }
    assert_eq!(alice.content("/dav/home/large").await.unwrap(), content);
    assert_eq!(alice.urls("/dav/groups/trips/", "1").await.len(), 2);
}

#[tokio::test]
async fn locks_of_both_disks_count() {
    let (_world, _web, pod) = started().await;
    let (alice, bob) = (Mounted::signed_in(&pod, "alice"), Mounted::signed_in(&pod, "bob"));
    let (from, to) = ("/dav/home/f", "/dav/groups/trips/f");
    alice.put(from, "new").await;
    alice.put(to, "old").await;
    bob.put("/dav/home/f", "of bob").await;
    let (own, theirs) = (alice.lock(from, "0", "exclusive").await, alice.lock(to, "0", "exclusive").await);
    let destination = ("destination", to);
    let (source, target) = (format!("<{from}> ({own})"), format!("<{to}> ({theirs})"));
    let both = format!("{source} {target}");
    for (client, method, held, locked) in [
        (&alice, "MOVE", None, from),
        (&alice, "MOVE", Some(&target), from),
        (&alice, "MOVE", Some(&source), to),
        (&alice, "COPY", None, to),
        (&alice, "COPY", Some(&source), to),
        // The token of another opens nothing.
        (&bob, "MOVE", Some(&target), to),
    ] {
        let headers: Vec<_> =
            [destination].into_iter().chain(held.map(|held| ("if", held.as_str()))).collect();
        let answer = client.send(method, from, &headers, "").await;
        assert_eq!(answer.status, 423, "{method} {held:?}: {answer:?}");
        assert!(
            text(&answer).contains(&format!("<D:href>{locked}</D:href>")),
            "{method} {held:?}: {answer:?}"
        );
    }
    assert_eq!(alice.content(to).await.as_deref(), Some("old"));
    let wrong = format!("<{to}> ({own})");
    assert_eq!(alice.status("MOVE", from, &[destination, ("if", &wrong)], "").await, 412);
    assert_eq!(alice.status("COPY", from, &[destination, ("if", &target)], "").await, 204);
    assert_eq!(alice.content(to).await.as_deref(), Some("new"));
    alice.status("PUT", from, &[("if", &source)], "newer").await;
    let again = alice.send("MOVE", from, &[destination, ("if", &both)], "").await;
    assert_eq!(again.status, 204, "{again:?}");
    assert_eq!((alice.content(from).await, alice.content(to).await.as_deref()), (None, Some("newer")));
}

#[tokio::test]
async fn what_is_repeated_is_done_once() {
    let (world, _web, pod) = started().await;
    let other = world.pod().await;
    let (here, there) = (Mounted::signed_in(&pod, "alice"), Mounted::signed_in(&other, "alice"));
    for (method, id, status) in [
        ("COPY", "11111111-1111-4111-8111-111111111111", 201),
        ("COPY", "22222222-2222-4222-8222-222222222222", 204),
        ("MOVE", "33333333-3333-4333-8333-333333333333", 204),
    ] {
        here.put("/dav/home/f", method).await;
        let tag = here.send("HEAD", "/dav/home/f", &[], "").await.header("etag").to_owned();
        let condition = format!("([{tag}])");
        let headers =
            [("destination", "/dav/groups/trips/f"), ("operation-id", id), ("if", condition.as_str())];
        assert_eq!(here.status(method, "/dav/home/f", &headers, "").await, status, "{method}");
        here.put("/dav/home/f", "something new").await;
        assert_eq!(there.status(method, "/dav/home/f", &headers, "").await, status, "{method} again");
        assert_eq!(there.content("/dav/groups/trips/f").await.as_deref(), Some(method));
        assert_eq!(there.content("/dav/home/f").await.as_deref(), Some("something new"));
    }
}

#[tokio::test]
async fn a_large_tree_is_copied_in_parts_and_not_moved() {
    let (world, _web, pod) = started().await;
    let alice = Mounted::signed_in(&pod, "alice");
    trees::large(&world, &pod).await;
    let to = [("destination", "/dav/groups/trips/d")];
    let refused = alice.send("MOVE", "/dav/home/d", &to, "").await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(text(&refused).contains("in parts"), "{refused:?}");
    assert_eq!(alice.urls("/dav/groups/trips/", "1").await.len(), 1);
    assert_eq!(alice.status("COPY", "/dav/home/d", &to, "").await, 201);
    for disk in [HOME, GROUP] {
        assert_eq!(alice.urls(&at(disk, "d"), "1").await.len(), 101, "{disk}");
        assert_eq!(alice.urls(&at(disk, "d/99"), "1").await.len(), 101, "{disk}");
    }
    // Its parts are moved.
    let part = [("destination", "/dav/groups/trips/part")];
    assert_eq!(alice.status("MOVE", "/dav/home/d/7", &part, "").await, 201);
    assert_eq!(alice.urls("/dav/groups/trips/part", "1").await.len(), 101);
}
