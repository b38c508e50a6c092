//! Trees that are larger than one entry of the log can hold.

use super::Mounted;
use crate::world::{Pod, World};

/// A directory `/dav/home/d` of more than ten thousand files and directories, all of them empty.
pub(super) async fn large(world: &World, pod: &Pod) {
    let alice = Mounted::home(world, pod, "alice");
    alice.mkcol("/dav/home/d").await;
    alice.mkcol("/dav/home/d/0").await;
    let files: Vec<_> = (0..100).map(|number| format!("/dav/home/d/0/{number:03}")).collect();
    futures::future::join_all(files.iter().map(|url| alice.put(url, ""))).await;
    let copies: Vec<_> = (1..100).map(|number| format!("/dav/home/d/{number}")).collect();
    let copied = copies
        .iter()
        .map(async |to| alice.status("COPY", "/dav/home/d/0", &[("destination", to.as_str())], "").await);
    assert!(futures::future::join_all(copied).await.iter().all(|status| *status == 201));
}

#[tokio::test]
async fn a_large_tree_is_moved_copied_and_deleted() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    large(&world, &pod).await;
    alice.put("/dav/home/d/50/last", "kept").await;
    assert_eq!(alice.status("MOVE", "/dav/home/d", &[("destination", "/dav/home/e")], "").await, 201);
    assert_eq!(alice.status("COPY", "/dav/home/e", &[("destination", "/dav/home/f")], "").await, 201);
    for copy in ["e", "f"] {
        assert_eq!(alice.urls(&format!("/dav/home/{copy}"), "1").await.len(), 101, "{copy}");
        assert_eq!(alice.urls(&format!("/dav/home/{copy}/99"), "1").await.len(), 101, "{copy}");
        assert_eq!(alice.content(&format!("/dav/home/{copy}/50/last")).await.as_deref(), Some("kept"));
    }
    // One large tree takes the place of another.
    assert_eq!(alice.status("COPY", "/dav/home/e", &[("destination", "/dav/home/f")], "").await, 204);
    assert_eq!(alice.urls("/dav/home/f/50", "1").await.len(), 102);
    assert_eq!(alice.status("DELETE", "/dav/home/f", &[], "").await, 204);
    assert_eq!(alice.status("DELETE", "/dav/home/e", &[], "").await, 204);
    assert_eq!(alice.urls("/dav/home/", "1").await, ["/dav/home/"]);
}

#[tokio::test]
async fn a_large_tree_is_not_copied_into_itself_or_over_what_holds_it() {
    let world = World::new();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    alice.mkcol("/dav/home/a").await;
    large(&world, &pod).await;
    alice.status("MOVE", "/dav/home/d", &[("destination", "/dav/home/a/d")], "").await;
    for (to, status) in [("/dav/home/a/d/x", 403), ("/dav/home/a", 403), ("/dav/home/x/y", 409)] {
        let answer = alice.send("COPY", "/dav/home/a/d", &[("destination", to)], "").await;
        assert_eq!(answer.status, status, "{to}: {answer:?}");
    }
    assert_eq!(alice.urls("/dav/home/a/d", "1").await.len(), 101);
}

#[tokio::test]
async fn a_file_that_replaces_a_large_tree_stays_a_file() {
    let mut world = World::new();
    world.settings.trash.retention_days = 0;
    world.publish();
    let pod = world.pod().await;
    let alice = Mounted::home(&world, &pod, "alice");
    large(&world, &pod).await;
    alice.put("/dav/home/f", "content").await;
    let answer = alice.send("COPY", "/dav/home/f", &[("destination", "/dav/home/d")], "").await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(alice.content("/dav/home/d").await.as_deref(), Some("content"));
}
