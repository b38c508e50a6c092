//! Resumable uploads over several pods.

use api::bytes::Bytes as Amount;
use api::generation::Generation;
use bytes::Bytes;
use uuid::Uuid;

use super::world::{MIB, Short, World, path};
use crate::{Condition, Error, Named, NewUpload, OperationId, UploadId};

fn new(at: &str, length: u64) -> NewUpload {
    NewUpload { path: path(at), length: Amount(length), condition: Condition::Absent, ..NewUpload::default() }
}

#[tokio::test]
async fn an_upload_moves_from_pod_to_pod() {
    let world = World::new();
    let (here, there) = (world.roomy(16 * MIB).await, world.pod().await);
    let content: Vec<u8> = (0..5 * MIB).map(|at| (at * 7 % 253) as u8).collect();
    let id = here.create_upload(new("big", content.len() as u64)).await.unwrap();
    assert_eq!(there.now().await.usage().reserved.0, 5 * MIB);
    let mut at = 0_usize;
    for (step, pod) in [&here, &here, &there, &here, &there].into_iter().enumerate() {
        let mut writer = pod.continue_upload(id, at as u64).await.unwrap();
        let end = if step == 4 { content.len() } else { at + 1_000_001 };
        writer.write(Bytes::copy_from_slice(&content[at..end])).await.unwrap();
        assert_eq!(writer.position(), end as u64);
        assert_eq!(writer.acknowledge().await.unwrap(), end as u64);
        at = end;
        let status = here.upload_status(id).await.unwrap();
        assert_eq!((status.offset.0, status.complete), (end as u64, false));
        if step == 4 {
            let done = writer.finish().await.unwrap();
            assert!(done.node.is_some());
        }
    }
    for pod in [&here, &there] {
        assert!(pod.get("big").await.unwrap() == content);
        let status = pod.upload_status(id).await.unwrap();
        assert_eq!((status.offset, status.length, status.complete), (Amount(5 * MIB), Amount(5 * MIB), true));
        assert_eq!(status.path, path("big"));
        pod.abort_upload(id).await.unwrap();
    }
    let usage = here.now().await.usage();
    assert_eq!((usage.used.0, usage.reserved.0), (5 * MIB, 0));
    // Two owners on each pod in turn, but the first pod went on with its own object.
    let state = here.now().await.lookup(&path("big")).unwrap();
    let crate::Kind::File { extents, .. } = state.kind else { panic!() };
    assert_eq!(extents.len(), 4);
}

#[tokio::test]
async fn the_one_before_is_fenced() {
    let world = World::new();
    let (here, there) = (world.roomy(MIB).await, world.pod().await);
    let id = here.create_upload(new("a", 6)).await.unwrap();
    let mut first = here.continue_upload(id, 0).await.unwrap();
    first.write(Bytes::from_static(b"abc")).await.unwrap();
    assert_eq!(first.acknowledge().await.unwrap(), 3);
    first.write(Bytes::from_static(b"X")).await.unwrap();
    let mut second = there.continue_upload(id, 3).await.unwrap();
    let fenced = first.acknowledge().await.unwrap_err();
    assert!(matches!(fenced, Error::Fenced), "{fenced}");
    let fenced = first.write(Bytes::from_static(b"Y")).await.unwrap_err();
    assert!(matches!(fenced, Error::Fenced), "{fenced}");
    second.write(Bytes::from_static(b"de")).await.unwrap();
    // A later writer of the same pod fences, too.
    let mut third = there.continue_upload(id, 3).await.unwrap();
    assert!(matches!(second.acknowledge().await, Err(Error::Fenced)));
    third.write(Bytes::from_static(b"def")).await.unwrap();
    third.finish().await.unwrap();
    assert_eq!(here.get("a").await.unwrap(), b"abcdef");
    assert!(matches!(first.finish().await, Err(Error::Fenced | Error::OffsetConflict { .. })));
}

#[tokio::test]
async fn what_does_not_go_on() {
    let world = World::new();
    let space = world.roomy(100).await;
    let refused = space.create_upload(new("a", 101)).await.unwrap_err();
    assert!(matches!(refused, Error::QuotaExceeded { .. }), "{refused}");
    let id = space.create_upload(new("a", 60)).await.unwrap();
    let refused = space.create_upload(new("b", 60)).await.unwrap_err();
    assert!(matches!(refused, Error::QuotaExceeded { .. }), "{refused}");
    assert!(matches!(space.put("b", &[0; 41]).await, Err(Error::QuotaExceeded { .. })));
    for offset in [1, 60, 61] {
        let refused = space.continue_upload(id, offset).await.unwrap_err();
        assert!(matches!(refused, Error::OffsetConflict { durable: 0 }), "{refused}");
    }
    let mut writer = space.continue_upload(id, 0).await.unwrap();
    assert!(matches!(writer.write(Bytes::from(vec![0; 61])).await, Err(Error::TooLong)));
    writer.write(Bytes::from(vec![7; 20])).await.unwrap();
    let early = writer.finish().await.unwrap_err();
    assert!(matches!(early, Error::OffsetConflict { durable: 20 }), "{early}");
    assert_eq!(space.upload_status(id).await.unwrap().offset.0, 20);
    space.abort_upload(id).await.unwrap();
    assert_eq!(space.now().await.usage().reserved.0, 0);
    let unknown = UploadId(Uuid::new_v4());
    for id in [id, unknown] {
        assert!(matches!(space.upload_status(id).await, Err(Error::UploadGone)));
        assert!(matches!(space.continue_upload(id, 0).await, Err(Error::UploadGone)));
        assert!(matches!(space.abort_upload(id).await, Err(Error::UploadGone)));
    }
}

#[tokio::test]
async fn what_it_becomes_is_decided_when_it_is_complete() {
    let world = World::new();
    let space = world.roomy(100).await;
    let id = space.create_upload(new("a", 3)).await.unwrap();
    space.put("a", b"first").await.unwrap();
    assert!(matches!(space.create_upload(new("a", 3)).await, Err(Error::Exists)));
    let mut writer = space.continue_upload(id, 0).await.unwrap();
    writer.write(Bytes::from_static(b"abc")).await.unwrap();
    let refused = writer.finish().await.unwrap_err();
    assert!(matches!(refused, Error::Exists), "{refused}");
    assert_eq!(space.get("a").await.unwrap(), b"first");
    // It waits: once the place is free it can be completed.
    let delete = crate::Operation::Delete { path: path("a"), condition: Condition::None, permanently: true };
    space.act(delete).await.unwrap();
    assert_eq!(space.upload_status(id).await.unwrap().offset.0, 3, "nothing need be sent again");
    space.continue_upload(id, 3).await.unwrap().finish().await.unwrap();
    assert_eq!(space.get("a").await.unwrap(), b"abc");

    let replacing = NewUpload { condition: Condition::None, ..new("a", 0) };
    let id = space.create_upload(replacing).await.unwrap();
    space.continue_upload(id, 0).await.unwrap().finish().await.unwrap();
    assert_eq!(space.get("a").await.unwrap(), b"");
    let deep = NewUpload { parents: true, ..new("x/y/z", 1) };
    let id = space.create_upload(deep).await.unwrap();
    assert!(space.now().await.lookup(&path("x")).is_none());
    let mut writer = space.continue_upload(id, 0).await.unwrap();
    writer.write(Bytes::from_static(b"z")).await.unwrap();
    writer.finish().await.unwrap();
    assert_eq!(space.get("x/y/z").await.unwrap(), b"z");
}

#[tokio::test]
async fn what_has_a_name_is_begun_and_given_up_once() {
    let world = World::new();
    let (here, there) = (world.roomy(100).await, world.pod().await);
    let named = |number: u128| Named { id: OperationId(Uuid::from_u128(number)), born: Some(Generation(1)) };
    let id = here.create_named_upload(new("a", 60), named(1)).await.unwrap();
    // Another 60 bytes would not fit.
    for pod in [&here, &there, &here] {
        assert_eq!(pod.create_named_upload(new("a", 60), named(1)).await.unwrap(), id);
        assert_eq!(pod.now().await.usage().reserved.0, 60);
    }
    for (pod, offset) in [(&here, 0), (&there, 30)] {
        let mut writer = pod.continue_upload(id, offset).await.unwrap();
        writer.write(Bytes::from(vec![offset as u8; 30])).await.unwrap();
        assert_eq!(writer.acknowledge().await.unwrap(), offset + 30);
        assert_eq!(pod.create_named_upload(new("a", 60), named(1)).await.unwrap(), id);
    }
    here.continue_upload(id, 60).await.unwrap().finish().await.unwrap();
    assert_eq!(there.get("a").await.unwrap(), [vec![0; 30], vec![30; 30]].concat());

    let id = here.create_named_upload(new("b", 40), named(2)).await.unwrap();
    for pod in [&here, &there] {
        pod.abort_upload_named(id, named(3)).await.unwrap();
        assert_eq!(pod.now().await.usage().reserved.0, 0);
    }
    assert!(matches!(here.abort_upload_named(id, named(4)).await, Err(Error::UploadGone)));
}
