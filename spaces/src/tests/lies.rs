//! A `start` that is whole, and lies. What contradicts itself or the entries behind it stops the space; nothing of it is
//! believed by half.

use std::path::Path;

use api::bytes::Bytes;
use api::generation::Generation;
use api::ids::SpaceId;
use uuid::Uuid;

use super::failing::files;
use super::world::{MIB, Short, World, path};
use crate::extent::ObjectId;
use crate::format::FORMAT;
use crate::format::frame::Hash;
use crate::format::record::{CreateShare, Lock, Property};
use crate::format::start::{
    Start, StartLock, StartObject, StartOutcome, StartProperties, StartShare, StartUpload,
};
use crate::log::layout::BLOCK;
use crate::node::NodeId;
use crate::{
    Condition, Error, Freshness, LockToken, NewUpload, Operation, OperationId, PropertyChanges, PropertyName,
    ShareAccess, ShareId, ShareTokenHash,
};

/// A space whose first block is truncated, and the state that replaces it.
async fn truncated(world: &World) -> Start {
    let space = world.roomy(MIB).await;
    space.act(Operation::MakeDirectory { path: path("d/e"), parents: true }).await.unwrap();
    space.put("d/f", b"content").await.unwrap();
    space.put("d/f", b"other").await.unwrap();
    let new = NewUpload { path: path("u"), length: Bytes(9), ..NewUpload::default() };
    let upload = space.create_upload(new).await.unwrap();
    let mut writer = space.continue_upload(upload, 0).await.unwrap();
    writer.write("12345".into()).await.unwrap();
    writer.acknowledge().await.unwrap();
    let changes = PropertyChanges { modified: Some(5), ..PropertyChanges::default() };
    let (at, condition) = (path("d"), Condition::None);
    space.act(Operation::SetProperties { path: at, condition, changes }).await.unwrap();
    while space.now().await.generation().0 < BLOCK {
        space.put("a", b"a").await.unwrap();
    }
    let start = space.now().await.state().to_start();
    space.put("b", b"b").await.unwrap();
    start
}

fn truncate(log: &Path, start: &Start) {
    std::fs::write(log.join("1/start"), start.seal()).unwrap();
    std::fs::write(log.join("0/gone"), b"").unwrap();
    for generation in 1..=BLOCK {
        let _ = std::fs::remove_file(log.join(format!("0/{generation}")));
    }
}

type Lie = (&'static str, fn(&mut Start));

fn lock(node: u64, exclusive: bool) -> impl Fn(u128) -> StartLock {
    move |token| StartLock {
        lock: Lock {
            token: LockToken(Uuid::from_u128(token)),
            node: NodeId(node),
            exclusive,
            infinite: true,
            owner: String::new(),
            creator: String::new(),
            timeout_ms: 1,
        },
        expires: 1,
    }
}

fn share(node: u64, uses: u64) -> StartShare {
    let share = CreateShare {
        id: ShareId(Uuid::nil()),
        node: NodeId(node),
        token_hash: ShareTokenHash([0; 32]),
        access: ShareAccess::Read,
        password: None,
        expires: None,
        most_uses: Some(1),
        creator: String::new(),
    };
    StartShare { share, created: 0, uses }
}

const STRANGER: ObjectId = ObjectId { born: Generation(1), random: 1 };

const LIES: &[Lie] = &[
    ("format", |start| start.format = FORMAT + 1),
    ("no format", |start| start.format = 0),
    ("space", |start| start.space = SpaceId(Uuid::nil())),
    ("generation", |start| start.generation = Generation(3)),
    ("later generation", |start| start.generation = Generation(BLOCK + 1)),
    ("head", |start| start.head = Hash([7; 32])),
    ("log format", |start| start.log_format = FORMAT + 1),
    ("no log format", |start| start.log_format = 0),
    ("low", |start| start.low = Generation(BLOCK + 1)),
    ("next", |start| start.next = 3),
    ("no nodes", |start| start.nodes.clear()),
    ("nodes cut short", |start| start.nodes.truncate(start.nodes.len() - 1)),
    ("nodes and more", |start| start.nodes.push(0)),
    ("nodes of another kind", |start| start.nodes[0] ^= 1),
    ("twice an upload", |start| {
        let again: StartUpload = start.uploads[0].clone();
        start.uploads.push(again);
    }),
    ("an upload too long", |start| start.uploads[0].open.as_mut().unwrap().durable = Bytes(99)),
    ("an upload of neither kind", |start| start.uploads[0].open = None),
    ("an upload of both kinds", |start| start.uploads[0].node = Some(NodeId(2))),
    ("an operation of the future", |start| {
        let (id, born) = (OperationId(Uuid::nil()), Generation(2));
        start.outcomes.push(StartOutcome { id, born, generation: Generation(99), node: None });
    }),
    ("twice an operation", |start| {
        let again = start.outcomes[0].clone();
        start.outcomes.push(again);
    }),
    ("a dropped object in use", |start| {
        let object = start.uploads[0].open.as_ref().unwrap().object;
        start.dropped.push(StartObject { volume: 0, object, dropped: Generation(2) });
    }),
    ("an object dropped in the future", |start| {
        start.dropped.push(StartObject { volume: 0, object: STRANGER, dropped: Generation(99) });
    }),
    ("a lock of nothing", |start| start.locks.push(lock(999, true)(1))),
    ("twice a lock", |start| start.locks.extend([1, 1].map(lock(1, false)))),
    ("locks that contradict each other", |start| start.locks.extend([1, 2].map(lock(1, true)))),
    ("properties of nothing", |start| {
        let property = Property { name: PropertyName::new("", "a"), value: String::new() };
        start.properties.push(StartProperties { node: NodeId(999), properties: vec![property] });
    }),
    ("no properties", |start| {
        start.properties.push(StartProperties { node: NodeId::ROOT, properties: Vec::new() });
    }),
    ("a share of nothing", |start| start.shares.push(share(999, 0))),
    ("a share used too often", |start| start.shares.push(share(1, 2))),
    ("twice a share", |start| start.shares.extend([share(1, 0), share(1, 1)])),
];

#[tokio::test]
async fn a_start_that_lies() {
    let world = World::new();
    let good = truncated(&world).await;
    let log = world.directory().join("log");
    truncate(&log, &good);
    assert_eq!(world.pod().await.get("b").await.unwrap(), b"b");
    for (what, lie) in LIES {
        let mut start = good.clone();
        lie(&mut start);
        assert_ne!(start, good, "{what}");
        truncate(&log, &start);
        let before = files(world.volume.path());
        let pod = world.pod().await;
        match pod.snapshot(Freshness::Now).await {
            Err(Error::SpaceStopped { reason }) => {
                let where_to_look = reason.contains("log/1/start: ") || reason.contains("log/1/17: ");
                assert!(where_to_look && reason.starts_with("volume a, "), "{what}: {reason}");
            }
            other => panic!("{what}: {other:?}"),
        }
        assert!(matches!(pod.put("x", b"x").await, Err(Error::SpaceStopped { .. })), "{what}");
        assert_eq!(files(world.volume.path()), before, "{what}");
    }
    truncate(&log, &good);
    assert_eq!(world.pod().await.get("b").await.unwrap(), b"b");
}
