//! What one pod does with files and directories, and what another one sees of it.

use std::time::Duration;

use uuid::Uuid;

use super::world::{MIB, Short, World, path};
use crate::log::layout::BLOCK;
use crate::stage::{SMALL, UNRESERVED};
use crate::{Condition, Error, Freshness, Operation, OperationId, Request};

#[tokio::test]
async fn files_of_all_sizes_come_back_on_another_pod() {
    let world = World::new();
    let space = world.roomy(64 * MIB).await;
    let content: Vec<u8> = (0..5 * MIB + 3).map(|at| (at * 31 % 251) as u8).collect();
    let (small, unreserved) = (SMALL as usize, UNRESERVED as usize);
    let lengths = [0, 1, small, small + 1, unreserved, unreserved + 1, 1_048_577, content.len()];
    for length in lengths {
        space.put(&format!("f{length}"), &content[..length]).await.unwrap();
    }
    let other = world.pod().await;
    for length in lengths {
        assert!(other.get(&format!("f{length}")).await.unwrap() == content[..length], "{length}");
    }
    let node = other.now().await.lookup(&path("f1048577")).unwrap();
    let mut reader = other.read(&node, 65_000..70_000).await.unwrap();
    assert!(reader.next().await.unwrap().unwrap() == content[65_000..70_000]);
    let segments = other.read(&node, 10..20).await.unwrap().segments().await.unwrap();
    assert_eq!(segments.iter().map(|segment| segment.length).sum::<u64>(), 10);
    assert!(segments[0].file.read(segments[0].offset, 10).await.unwrap() == content[10..20]);
    assert!(space.now().await.same(&other.now().await));
}

#[tokio::test]
async fn a_content_of_unknown_length() {
    let world = World::new();
    let space = world.roomy(4 * MIB).await;
    let content = vec![7; (3 * MIB) as usize];
    let mut stage = space.stage(None).await.unwrap();
    for piece in content.chunks(50_000) {
        stage.write(bytes::Bytes::copy_from_slice(piece)).await.unwrap();
    }
    let staged = stage.finish().await.unwrap();
    assert_eq!(staged.length(), 3 * MIB);
    assert!(space.now().await.usage().reserved.0 >= 3 * MIB);
    let put = Operation::Put { path: path("a"), content: staged, condition: Condition::None, parents: false };
    space.act(put).await.unwrap();
    let usage = space.now().await.usage();
    assert_eq!((usage.used.0, usage.reserved.0), (3 * MIB, 0));
    // Beyond the limit it ends while it comes, and what was reserved comes back.
    let mut stage = space.stage(None).await.unwrap();
    let mut refused = None;
    for piece in content.chunks(50_000) {
        if let Err(error) = stage.write(bytes::Bytes::copy_from_slice(piece)).await {
            refused = Some(error);
            break;
        }
    }
    assert!(matches!(refused, Some(Error::QuotaExceeded { .. })), "{refused:?}");
    drop(stage);
    let given_back = async {
        while space.now().await.usage().reserved.0 != 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::world::PATIENCE, given_back).await.expect("the reservation stays");
}

#[tokio::test]
async fn what_is_refused() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    space.put("file", b"content").await.unwrap();
    let directory = |at: &str, parents| Operation::MakeDirectory { path: path(at), parents };
    let to = |from: &str, to: &str, overwrite| Operation::Move { from: path(from), to: path(to), overwrite };
    let copy =
        |from: &str, to: &str, overwrite| Operation::Copy { from: path(from), to: path(to), overwrite };
    let delete =
        |at: &str| Operation::Delete { path: path(at), condition: Condition::None, permanently: true };
    space.act(directory("a/b/c", true)).await.unwrap();
    space.act(directory("a/b/c", true)).await.unwrap();
    for (operation, expected) in [
        (directory("a", false), "something at this path already"),
        (directory("file", true), "something at this path already"),
        (directory("file/x", true), "a file, not a directory"),
        (directory("x/y", false), "nothing at this path"),
        (to("a", "a/b/x", false), "into itself"),
        (copy("a", "a/x", false), "into itself"),
        (to("a/b", "a", true), "something at this path already"),
        (copy("a/b", "a", true), "something at this path already"),
        (to("file", "a", false), "something at this path already"),
        (to("none", "x", false), "nothing at this path"),
        (to("file", "none/x", false), "nothing at this path"),
        (to("", "x", false), "the root"),
        (to("file", "", true), "the root"),
        (delete(""), "the root"),
        (delete("none"), "nothing at this path"),
        (directory(&vec!["d"; 129].join("/"), true), "nested 128 deep"),
    ] {
        let text = format!("{operation:?}");
        let error = space.act(operation).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
    let refused = space.put("a", b"x").await.unwrap_err();
    assert!(matches!(refused, Error::IsADirectory), "{refused}");
    // A move onto itself changes nothing, with all that is in it.
    let before = space.now().await.generation();
    space.act(to("a", "a", true)).await.unwrap();
    assert_eq!(space.now().await.generation(), before);
    space.act(to("file", "a", true)).await.unwrap();
    assert_eq!(space.names("").await, ["a"]);
    assert_eq!(space.get("a").await.unwrap(), b"content");
}

#[tokio::test]
async fn trees_are_copied_and_deleted_with_all_in_them() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    space.act(Operation::MakeDirectory { path: path("a/b"), parents: true }).await.unwrap();
    space.put("a/x", b"one").await.unwrap();
    space.put("a/b/y", b"two").await.unwrap();
    let copied =
        space.act(Operation::Copy { from: path("a"), to: path("c"), overwrite: false }).await.unwrap();
    assert!(copied.node.unwrap().is_directory());
    assert_eq!(space.get("c/b/y").await.unwrap(), b"two");
    assert_eq!(space.now().await.usage().used.0, 12);
    space
        .act(Operation::Delete { path: path("a"), condition: Condition::None, permanently: true })
        .await
        .unwrap();
    assert_eq!(space.now().await.usage().used.0, 6);
    assert_eq!(space.get("c/x").await.unwrap(), b"one");
    space.act(Operation::Move { from: path("c/b"), to: path("c/x"), overwrite: true }).await.unwrap();
    assert_eq!(space.names("c").await, ["x"]);
    assert_eq!(space.get("c/x/y").await.unwrap(), b"two");
    assert_eq!(space.now().await.usage().used.0, 3);
}

#[tokio::test]
async fn conditions_are_decided_by_the_commit() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    let first = space.put_if("a", b"one", Condition::Absent).await.unwrap().node.unwrap();
    let refused = space.put_if("a", b"two", Condition::Absent).await.unwrap_err();
    assert!(matches!(refused, Error::Precondition), "{refused}");
    let second = space.put_if("a", b"two", Condition::Matches(first.etag())).await.unwrap().node.unwrap();
    assert_eq!(first.id, second.id);
    assert_ne!(first.etag(), second.etag());
    for condition in [Condition::Matches(first.etag()), Condition::Absent] {
        let refused = space.put_if("a", b"three", condition.clone()).await.unwrap_err();
        assert!(matches!(refused, Error::Precondition), "{refused}");
        let refused =
            space.act(Operation::Delete { path: path("a"), condition, permanently: true }).await.unwrap_err();
        assert!(matches!(refused, Error::Precondition), "{refused}");
    }
    let refused = space.put_if("b", b"x", Condition::Matches(first.etag())).await.unwrap_err();
    assert!(matches!(refused, Error::Precondition), "{refused}");
    space
        .act(Operation::Delete {
            path: path("a"),
            condition: Condition::Matches(second.etag()),
            permanently: true,
        })
        .await
        .unwrap();
    assert!(space.names("").await.is_empty());
}

#[tokio::test]
async fn a_repeated_operation_has_its_first_outcome() {
    let world = World::new();
    let (here, there) = (world.roomy(MIB).await, world.pod().await);
    let born = here.now().await.generation();
    here.put("a", b"content").await.unwrap();
    let id = OperationId(Uuid::new_v4());
    let moved = || Request {
        id,
        born: Some(born),
        locks: Vec::new(),
        operation: Operation::Move { from: path("a"), to: path("b"), overwrite: false },
    };
    let first = here.commit(moved()).await.unwrap();
    for pod in [&here, &there] {
        let again = pod.commit(moved()).await.unwrap();
        assert_eq!((again.generation, again.node.clone()), (first.generation, first.node.clone()));
    }
    there.put("a", b"another").await.unwrap();
    here.commit(moved()).await.unwrap();
    assert_eq!(here.names("").await, ["a", "b"]);
}

#[tokio::test]
async fn what_was_done_is_told_when_its_content_finds_no_room_again() {
    let world = World::new();
    let content = vec![b'x'; UNRESERVED as usize + 1];
    let length = content.len() as u64;
    let (here, there) = (world.roomy(length * 3 / 2).await, world.pod().await);
    let (id, born) = (OperationId(Uuid::new_v4()), here.now().await.generation());
    let staged = here.staged(&content).await.unwrap();
    let operation =
        Operation::Put { path: path("a"), content: staged, condition: Condition::Absent, parents: false };
    let request = Request { id, born: Some(born), locks: Vec::new(), operation };
    let first = here.commit(request).await.unwrap();
    // Whoever did not hear of it takes the content once more, elsewhere.
    let refused = there.staged(&content).await.unwrap_err();
    assert!(matches!(refused, Error::QuotaExceeded { .. }), "{refused}");
    let snapshot = there.now().await;
    let told = snapshot.outcome(id, born).unwrap().unwrap();
    assert_eq!((told.generation, told.node.clone()), (first.generation, first.node.clone()));
    assert_eq!(told.node, snapshot.lookup(&path("a")));
    assert!(snapshot.outcome(OperationId(Uuid::new_v4()), born).unwrap().is_none());
}

#[tokio::test]
async fn limits() {
    let world = World::new();
    let space = world.pod().await;
    let refused = space.put("a", b"x").await.unwrap_err();
    assert!(matches!(refused, Error::QuotaExceeded { .. }), "{refused}");
    space.limit(5, 10, 10).await.unwrap();
    space.put("a", b"0123456789").await.unwrap();
    assert!(matches!(space.put("b", b"x").await, Err(Error::QuotaExceeded { .. })));
    space.put("a", b"9876543210").await.unwrap();
    space.put("empty", b"").await.unwrap();
    space.limit(5, 10, 10).await.unwrap();
    for (generation, target, ceiling) in [(4, 10, 10), (5, 20, 20)] {
        let refused = space.limit(generation, target, ceiling).await.unwrap_err();
        assert!(matches!(refused, Error::Superseded { seen } if seen.0 == 5), "{refused}");
    }
    for (generation, target, ceiling, limit) in [(6, 0, 20, 10), (7, 30, 40, 30), (8, 3, 3, 3)] {
        space.limit(generation, target, ceiling).await.unwrap();
        let usage = space.now().await.usage();
        assert_eq!((usage.limit.0, usage.used.0, usage.roster_generation.0), (limit, 10, generation));
    }
    // Under what is used nothing grows, and everything may shrink.
    assert!(matches!(space.put("a", b"01234567890").await, Err(Error::QuotaExceeded { .. })));
    space.put("a", b"01234").await.unwrap();
    assert_eq!(space.now().await.usage().used.0, 5);
}

#[tokio::test]
async fn freshness() {
    let world = World::new();
    let (here, there) = (world.roomy(MIB).await, world.pod().await);
    let day = Duration::from_secs(86_400);
    let old = there.snapshot(Freshness::Within(day)).await.unwrap();
    let written = here.put("a", b"x").await.unwrap().generation;
    assert_eq!(there.snapshot(Freshness::Within(day)).await.unwrap().generation(), old.generation());
    assert_eq!(
        there.snapshot(Freshness::AtLeast(old.generation())).await.unwrap().generation(),
        old.generation()
    );
    assert_eq!(there.snapshot(Freshness::AtLeast(written)).await.unwrap().generation(), written);
    let later = here.put("a", b"y").await.unwrap().generation;
    assert_eq!(there.snapshot(Freshness::Within(Duration::ZERO)).await.unwrap().generation(), later);
}

#[tokio::test]
async fn more_entries_than_a_block_holds() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    for number in 0..BLOCK + 10 {
        space.put("a", format!("{number}").as_bytes()).await.unwrap();
    }
    assert!(world.directory().join(format!("log/1/{}", BLOCK + 1)).exists());
    let other = world.pod().await;
    assert_eq!(other.get("a").await.unwrap(), (BLOCK + 9).to_string().as_bytes());
    assert!(space.now().await.same(&other.now().await));
}

#[tokio::test]
async fn what_touches_too_much_is_refused_and_the_rest_goes_on() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    space.act(Operation::MakeDirectory { path: path("d"), parents: false }).await.unwrap();
    space.put("d/0", b"x").await.unwrap();
    // Doubling a directory fifteen times.
    for step in 0..14 {
        let copy = Operation::Copy { from: path("d"), to: path(&format!("e{step}")), overwrite: false };
        if step < 13 {
            space.act(copy).await.unwrap();
            let to = path(&format!("d/{}", step + 1));
            space
                .act(Operation::Move { from: path(&format!("e{step}")), to, overwrite: false })
                .await
                .unwrap();
        } else {
            let refused = space.act(copy).await.unwrap_err();
            assert!(matches!(refused, Error::TooMany { most: 10_000 }), "{refused}");
        }
    }
    let delete = Operation::Delete { path: path("d"), condition: Condition::None, permanently: true };
    assert!(matches!(space.act(delete).await, Err(Error::TooMany { .. })));
    space
        .act(Operation::Delete { path: path("d/13"), condition: Condition::None, permanently: true })
        .await
        .unwrap();
    space
        .act(Operation::Delete { path: path("d"), condition: Condition::None, permanently: true })
        .await
        .unwrap();
    assert!(space.names("").await.is_empty());
}

#[tokio::test]
async fn a_content_is_of_when_its_client_says() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    let modified = async |at: &str| match space.now().await.lookup(&path(at)).unwrap().kind {
        crate::Kind::File { modified, .. } | crate::Kind::Directory { modified, .. } => modified,
    };
    for (round, parents) in [(1, true), (2, false)] {
        // The first makes a directory and a file, the second gives the file another content.
        let content = space.staged(b"content").await.unwrap().dated(round);
        let put = Operation::Put { path: path("d/a"), content, condition: Condition::None, parents };
        let committed = space.act(put).await.unwrap();
        assert_eq!(committed.node, space.now().await.lookup(&path("d/a")));
        assert_eq!(modified("d/a").await, round);
        let new = crate::NewUpload {
            path: path("e/f/b"),
            length: api::bytes::Bytes(1),
            parents: true,
            modified: Some(-round),
            ..crate::NewUpload::default()
        };
        let id = space.create_upload(new).await.unwrap();
        let mut writer = space.continue_upload(id, 0).await.unwrap();
        writer.write("x".into()).await.unwrap();
        let committed = writer.finish().await.unwrap();
        assert_eq!(committed.node, space.now().await.lookup(&path("e/f/b")));
        assert_eq!(modified("e/f/b").await, -round);
    }
    space.put("d/a", b"undated").await.unwrap();
    assert!(modified("d/a").await > 2);
    assert!(world.pod().await.now().await.same(&space.now().await));
}
