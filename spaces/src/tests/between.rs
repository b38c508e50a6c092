//! Copies and moves from one space to another.

use std::sync::atomic::Ordering;
use std::time::Duration;

use uuid::Uuid;

use super::volumes::{Volumes, draining, space};
use super::world::{MIB, Short, path};
use crate::{
    Condition, Error, LockDepth, LockScope, LockToken, NewLock, NodePath, Operation, OperationId, Property,
    PropertyChanges, PropertyName, Source, Space, Transfer,
};

fn transfer(from: &str, to: &str) -> Transfer {
    let (from, to): (NodePath, NodePath) = (path(from), path(to));
    Transfer { from, to, overwrite: false, locks: Vec::new(), id: OperationId(Uuid::new_v4()), born: None }
}

async fn fill(space: &Space) {
    space.act(Operation::MakeDirectory { path: path("d/e"), parents: true }).await.unwrap();
    space.put("d/small", b"small").await.unwrap();
    space.put("d/e/large", &vec![7; MIB as usize]).await.unwrap();
    space.put("d/e/empty", b"").await.unwrap();
    let property = Property { name: PropertyName::new("urn:x", "a"), value: "1".into() };
    let changes = PropertyChanges { set: vec![property], ..PropertyChanges::default() };
    let (path, condition) = (path("d/small"), Condition::None);
    space.act(Operation::SetProperties { path, condition, changes }).await.unwrap();
}

async fn is_filled(space: &Space, at: &str) {
    assert_eq!(space.names(at).await, ["e", "small"]);
    assert_eq!(space.names(&format!("{at}/e")).await, ["empty", "large"]);
    assert_eq!(space.get(&format!("{at}/small")).await.unwrap(), b"small");
    assert!(space.get(&format!("{at}/e/large")).await.unwrap() == vec![7; MIB as usize]);
    assert_eq!(space.get(&format!("{at}/e/empty")).await.unwrap(), b"");
    let now = space.now().await;
    let node = now.lookup(&path(&format!("{at}/small"))).unwrap();
    assert_eq!(now.properties(node.id).len(), 1);
}

#[tokio::test]
async fn a_directory_is_shared_by_hard_links_or_copied() {
    for (home, linkless) in [("a", false), ("a", true), ("b", false)] {
        let volumes = Volumes::new(&["a", "b"]);
        // From another volume the bytes are copied when nothing new may come to that.
        let pod = volumes.pod_with(&["a", "b"], draining(if home == "b" { &["a"] } else { &[] })).await;
        let (from, to) = (space(&pod, "a").await, space(&pod, home).await);
        fill(&from).await;
        volumes.faults("a").linkless.store(linkless, Ordering::SeqCst);
        let done = from.copy_to(&to, transfer("d", "copy")).await.unwrap();
        assert_eq!((done.source, done.committed.node.unwrap().is_directory()), (Source::Copied, true));
        is_filled(&from, "d").await;
        is_filled(&to, "copy").await;
        let usage = to.now().await.usage();
        assert_eq!(usage.used.0, 5 + MIB);
        let refused = from.copy_to(&to, transfer("d", "copy")).await.unwrap_err();
        assert!(matches!(refused, Error::Exists), "{refused}");
        let over = Transfer { overwrite: true, ..transfer("d/small", "copy") };
        from.copy_to(&to, over).await.unwrap();
        assert_eq!(to.get("copy").await.unwrap(), b"small");
        assert_eq!(to.now().await.usage().used.0, 5);
        // What is left of the bytes is not that of the source.
        from.act(Operation::Delete { path: path("d"), condition: Condition::None, permanently: true })
            .await
            .unwrap();
        assert_eq!(to.get("copy").await.unwrap(), b"small");
    }
}

#[tokio::test]
async fn a_move_that_is_asked_again_does_what_is_left() {
    let volumes = Volumes::new(&["a"]);
    let (here, there) = (volumes.pod(&["a"]).await, volumes.pod(&["a"]).await);
    let (from, to) = (space(&here, "a").await, space(&here, "a").await);
    let pod = |id| there.space(id, "a".parse().unwrap());
    let (from_there, to_there) = (pod(from.id()), pod(to.id()));
    fill(&from).await;
    let what = transfer("d", "moved");
    let done = from.move_to(&to, what.clone()).await.unwrap();
    assert_eq!(done.source, Source::Removed);
    is_filled(&to, "moved").await;
    assert!(from.names("").await.is_empty());
    let again = from_there.move_to(&to_there, what.clone()).await.unwrap();
    assert_eq!((again.source, again.committed.generation), (Source::Removed, done.committed.generation));
    // Something new there is not what was moved.
    fill(&from).await;
    let again = from_there.move_to(&to_there, what).await.unwrap();
    assert_eq!(again.source, Source::Removed);
    is_filled(&from, "d").await;

    // The first half alone: as after a crash.
    let what = transfer("d", "half");
    let (copied, _) = half(&from, &to, &what).await;
    is_filled(&from, "d").await;
    is_filled(&to, "half").await;
    let done = from_there.move_to(&to_there, what).await.unwrap();
    assert_eq!((done.source, done.committed.generation), (Source::Removed, copied));
    assert!(from.names("").await.is_empty());

    // What was changed in between stays.
    fill(&from).await;
    let what = transfer("d", "changed");
    half(&from, &to, &what).await;
    from.put("d/small", b"other").await.unwrap();
    let done = from.move_to(&to, what).await.unwrap();
    assert_eq!(done.source, Source::Changed);
    assert_eq!(from.get("d/small").await.unwrap(), b"other");
    assert_eq!(to.get("changed/small").await.unwrap(), b"small");
}

/// The first half of a move, as a pod that dies before the second leaves it.
async fn half(from: &Space, to: &Space, what: &Transfer) -> (api::generation::Generation, ()) {
    let state = from.now().await.state().clone();
    let source = Some(state.fingerprint(state.find(&what.from).unwrap()));
    let volumes = (from.replica().unwrap(), to.replica().unwrap());
    let done = crate::between::first_half(volumes.0, volumes.1, &state, what, source).await.unwrap();
    (done.generation, ())
}

#[tokio::test]
async fn what_does_not_fit_is_not_begun() {
    let volumes = Volumes::new(&["a"]);
    let pod = volumes.pod(&["a"]).await;
    let (from, to) = (space(&pod, "a").await, space(&pod, "a").await);
    fill(&from).await;
    to.limit(2, 1000, 1000).await.unwrap();
    let refused = from.move_to(&to, transfer("d", "d")).await.unwrap_err();
    assert!(matches!(refused, Error::QuotaExceeded { .. }), "{refused}");
    for (what, expected) in
        [(transfer("x", "y"), "nothing"), (transfer("d", "x/y"), "nothing"), (transfer("", "y"), "root")]
    {
        let refused = from.move_to(&to, what).await.unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
    }
    is_filled(&from, "d").await;
    assert_eq!(volumes.objects("a", to.id()).len(), 0);
}

#[tokio::test]
async fn what_is_locked_is_not_moved_by_half() {
    let volumes = Volumes::new(&["a"]);
    let pod = volumes.pod(&["a"]).await;
    let (from, to) = (space(&pod, "a").await, space(&pod, "a").await);
    fill(&from).await;
    let token = LockToken(Uuid::new_v4());
    let (scope, depth, timeout) = (LockScope::Exclusive, LockDepth::Zero, Duration::from_secs(3600));
    let lock = NewLock { token, scope, depth, owner: String::new(), creator: "somebody".to_owned(), timeout };
    from.act(Operation::Lock { path: path("d/small"), lock }).await.unwrap();
    let refused = from.move_to(&to, transfer("d", "d")).await.unwrap_err();
    assert!(matches!(&refused, Error::Locked { root } if *root == path("d/small")), "{refused}");
    assert!(to.names("").await.is_empty(), "nothing was copied");
    let holding = Transfer { locks: vec![token], ..transfer("d", "d") };
    assert_eq!(from.move_to(&to, holding).await.unwrap().source, Source::Removed);
    is_filled(&to, "d").await;
}
