//! What a state is said to take in memory, against what the allocator has given out for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod allocator;

use std::time::Duration;

use api::bytes::Bytes as Amount;
use api::generation::RosterGeneration;
use api::ids::{ClusterUid, SpaceId, VolumeName};
use futures::future::join_all;
use internet_disk_spaces::{
    Condition, Engine, Freshness, LocalConfig, LockDepth, LockScope, LockToken, NewLock, NewShare, NewUpload,
    NodePath, Operation, OperationId, Property, PropertyChanges, PropertyName, Request, Settings,
    ShareAccess, ShareId, ShareTokenHash, Space, TrashSettings, VersionSettings,
};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;

/// What is said lies between these parts of what is taken.
const LEAST: f64 = 0.75;
const MOST: f64 = 1.75;

const DAYS: Duration = Duration::from_secs(864_000);

struct World {
    volume: tempfile::TempDir,
    cluster: ClusterUid,
}

fn home() -> VolumeName {
    "a".parse().unwrap()
}

fn path(text: String) -> NodePath {
    text.parse().unwrap()
}

impl World {
    fn new() -> Self {
        Self { volume: tempfile::tempdir().unwrap(), cluster: ClusterUid(Uuid::new_v4()) }
    }

    async fn engine(&self) -> Engine {
        let settings = Settings {
            upkeep: Duration::ZERO,
            trash: TrashSettings { keep: DAYS, most_percent: 100 },
            versions: VersionSettings { keep: DAYS, most_per_file: 100 },
            ..Settings::default()
        };
        let volumes = vec![(home(), self.volume.path().to_owned())];
        let config = LocalConfig { volumes, cluster: self.cluster, adopt: None, faults: None, settings };
        Engine::open_local(config).await.unwrap()
    }
}

fn space(engine: &Engine, number: u128) -> Space {
    engine.space(SpaceId(Uuid::from_u128(number + 1)), home())
}

async fn act(space: &Space, operation: Operation) {
    let request = Request { id: OperationId(Uuid::new_v4()), born: None, locks: Vec::new(), operation };
    space.commit(request).await.unwrap();
}

async fn put(space: &Space, at: String) {
    let mut stage = space.stage(Some(Amount(1))).await.unwrap();
    stage.write("x".into()).await.unwrap();
    let content = stage.finish().await.unwrap();
    act(space, Operation::Put { path: path(at), content, condition: Condition::None, parents: true }).await;
}

async fn files(space: &Space, count: usize) {
    join_all((0..count).map(|number| put(space, format!("d{}/file {number}", number % 40)))).await;
}

async fn long_names(space: &Space, count: usize) {
    join_all((0..count).map(|number| put(space, format!("{}{number}", "long".repeat(50))))).await;
}

async fn directories(space: &Space, count: usize) {
    join_all((0..count).map(|number| put(space, format!("{}/{number}/a/b", number % 7)))).await;
}

async fn trash(space: &Space, count: usize) {
    files(space, count).await;
    let delete = |number| Operation::Delete {
        path: path(format!("d{}/file {number}", number % 40)),
        condition: Condition::None,
        permanently: false,
    };
    join_all((0..count).map(|number| act(space, delete(number)))).await;
}

async fn versions(space: &Space, count: usize) {
    for _ in 0..6 {
        files(space, count / 6).await;
    }
}

async fn properties(space: &Space, count: usize) {
    files(space, count / 5).await;
    let change = |number: usize| {
        let property = |property: usize| Property {
            name: PropertyName::new("urn:example", &format!("property {property}")),
            value: format!("value {number}").into(),
        };
        let changes = PropertyChanges { set: (0..5).map(property).collect(), ..PropertyChanges::default() };
        let path = path(format!("d{}/file {number}", number % 40));
        Operation::SetProperties { path, condition: Condition::None, changes }
    };
    join_all((0..count / 5).map(|number| act(space, change(number)))).await;
}

async fn locks(space: &Space, count: usize) {
    let lock = |number: usize| Operation::Lock {
        path: path(format!("file {number}")),
        lock: NewLock {
            token: LockToken(Uuid::new_v4()),
            scope: LockScope::Exclusive,
            depth: LockDepth::Zero,
            owner: "<D:href>mailto:somebody@example.com</D:href>".to_owned(),
            creator: "somebody".to_owned(),
            timeout: Duration::from_secs(600),
        },
    };
    join_all((0..count).map(|number| act(space, lock(number)))).await;
}

async fn shares(space: &Space, count: usize) {
    files(space, 40).await;
    let share = |number: usize| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        Operation::CreateShare {
            path: path(format!("d{}/file {}", number % 40, number % 40)),
            share: NewShare {
                id: ShareId(Uuid::new_v4()),
                token_hash: ShareTokenHash(hash),
                access: ShareAccess::Read,
                password: Some("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA".into()),
                expires: Some(i64::MAX / 2),
                most_uses: None,
                creator: "somebody".to_owned(),
            },
        }
    };
    join_all((0..count).map(|number| act(space, share(number)))).await;
}

async fn uploads(space: &Space, count: usize) {
    let new = |number: usize| NewUpload {
        path: path(format!("some/where/file {number}")),
        length: Amount(100),
        condition: Condition::None,
        parents: true,
        locks: Vec::new(),
        modified: None,
    };
    for number in 0..count {
        space.create_upload(new(number)).await.unwrap();
    }
}

async fn fill(shape: &str, space: &Space, count: usize) {
    let target = Amount(1 << 30);
    act(space, Operation::Limit { roster_generation: RosterGeneration(1), target, ceiling: target }).await;
    match shape {
        "files" => files(space, count).await,
        "long names" => long_names(space, count).await,
        "directories" => directories(space, count).await,
        "trash" => trash(space, count).await,
        "versions" => versions(space, count).await,
        "properties" => properties(space, count).await,
        "locks" => locks(space, count).await,
        "shares" => shares(space, count).await,
        "uploads" => uploads(space, count).await,
        other => panic!("{other}?"),
    }
}

#[tokio::test]
async fn what_is_said_to_be_in_memory_is_in_memory() {
    let mut wrong = Vec::new();
    // What ends is given back at some moment after, which must not be that of a measurement.
    let mut kept = Vec::new();
    for (shape, spaces, count) in [
        ("files", 1, 4_000),
        ("files", 50, 1),
        ("long names", 1, 2_000),
        ("directories", 1, 2_000),
        ("trash", 1, 2_000),
        ("versions", 1, 3_000),
        ("properties", 1, 4_000),
        ("locks", 1, 1_000),
        ("shares", 1, 1_000),
        ("uploads", 1, 300),
    ] {
        let world = World::new();
        let first = world.engine().await;
        for number in 0..spaces {
            fill(shape, &space(&first, number), count).await;
        }
        let pod = world.engine().await;
        let before = allocator::in_use();
        for number in 0..spaces {
            let snapshot = space(&pod, number).snapshot(Freshness::Now).await.unwrap();
            assert_eq!(snapshot.usage().limit, Amount(1 << 30));
        }
        let taken = allocator::in_use().saturating_sub(before) as f64;
        let memory = pod.memory();
        assert_eq!((memory.spaces, memory.evictions), (usize::try_from(spaces).unwrap(), 0));
        let said = memory.states.0 as f64;
        let line = format!(
            "{shape}, {spaces} × {count}: {said} said, {taken} taken: {:.2} of it, {:.0} bytes each",
            said / taken,
            taken / count as f64
        );
        println!("{line}");
        kept.push((world, first, pod));
        if !(LEAST..=MOST).contains(&(said / taken)) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
