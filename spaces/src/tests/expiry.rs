//! Uploads that nobody goes on with, locks and shares expire by the clocks of two pods, never by that of one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use api::bytes::Bytes as Amount;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::world::{Short, World, path, volume_name};
use crate::{
    Engine, EngineConfig, Error, Host, LocalVolume, LockDepth, LockScope, LockToken, NewLock, NewShare,
    NewUpload, Operation, OperationId, Request, Settings, ShareAccess, ShareId, ShareTokenHash, Space,
    TokioHost, UploadId,
};

pub(super) const HOUR: i64 = 3_600_000;

/// A host whose clocks a test moves.
pub(super) struct Clock {
    host: TokioHost,
    machine: Option<u64>,
    /// How far the wall clock is, in milliseconds.
    pub(super) ahead: AtomicI64,
    /// How much time has passed, which no pod can be mistaken about. With the wall clock a hundredth of that goes by, so
    /// that it is looked again whether something is due.
    pub(super) passed: AtomicI64,
}

impl Host for Clock {
    fn now(&self) -> i64 {
        1_000 * HOUR + self.ahead.load(Ordering::Relaxed)
    }

    fn machine(&self) -> Option<u64> {
        self.machine
    }

    fn elapsed(&self) -> Duration {
        let passed = self.ahead.load(Ordering::Relaxed) / 100 + self.passed.load(Ordering::Relaxed);
        self.host.elapsed() + Duration::from_millis(u64::try_from(passed).unwrap_or(0))
    }

    fn random(&self) -> u64 {
        self.host.random()
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.host.spawn(future);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.host.sleep(duration)
    }
}

/// A pod on a machine of its own.
pub(super) async fn engine(world: &World) -> (Engine, Arc<Clock>) {
    engine_on(world, None, 0).await
}

/// A pod on a machine whose clock is so far.
pub(super) async fn engine_on(world: &World, machine: Option<u64>, ahead: i64) -> (Engine, Arc<Clock>) {
    let (host, ahead, passed) = (TokioHost::current(), AtomicI64::new(ahead), AtomicI64::new(0));
    let clock = Arc::new(Clock { host, machine, ahead, passed });
    let volume = LocalVolume::open(&volume_name(), world.volume.path().to_owned(), None).unwrap();
    let config = EngineConfig {
        volumes: vec![(volume_name(), volume)],
        cluster: world.cluster,
        adopt: None,
        settings: Settings::default(),
    };
    (Engine::open(config, clock.clone()).await.unwrap(), clock)
}

pub(super) async fn pod(world: &World) -> (Space, Arc<Clock>) {
    let (engine, clock) = engine(world).await;
    (engine.space(world.space, volume_name()), clock)
}

async fn upload(space: &Space, at: &str) -> UploadId {
    let new = NewUpload { path: path(at), length: Amount(60), ..NewUpload::default() };
    space.create_upload(new).await.unwrap()
}

#[tokio::test]
async fn an_upload_expires_a_day_after_it_was_last_heard_of() {
    let world = World::new();
    let ((here, clock_here), (there, clock_there)) = (pod(&world).await, pod(&world).await);
    here.limit(1, 200, 200).await.unwrap();
    let (left, used) = (upload(&here, "left").await, upload(&here, "used").await);
    for hour in [10, 20] {
        for (space, clock) in [(&here, &clock_here), (&there, &clock_there)] {
            clock.ahead.store(hour * HOUR, Ordering::Relaxed);
            let offset = space.upload_status(used).await.unwrap().offset.0;
            let mut writer = space.continue_upload(used, offset).await.unwrap();
            writer.write("x".into()).await.unwrap();
            writer.acknowledge().await.unwrap();
        }
    }
    assert_eq!(here.now().await.usage().reserved.0, 120);
    clock_here.ahead.store(25 * HOUR, Ordering::Relaxed);
    here.put("a", b"x").await.unwrap();
    assert_eq!(here.now().await.usage().reserved.0, 120, "one clock is not enough");
    clock_there.ahead.store(25 * HOUR + 5, Ordering::Relaxed);
    there.put("b", b"x").await.unwrap();
    let usage = there.now().await.usage();
    assert_eq!(usage.reserved.0, 60);
    assert!(matches!(here.upload_status(left).await, Err(Error::UploadGone)));
    assert_eq!(here.upload_status(used).await.unwrap().offset.0, 4);
}

#[tokio::test]
async fn a_clock_that_is_far_ahead_makes_nothing_expire() {
    let world = World::new();
    let ((here, _), (there, clock_there)) = (pod(&world).await, pod(&world).await);
    here.limit(1, 200, 200).await.unwrap();
    let id = upload(&here, "a").await;
    clock_there.ahead.store(1000 * HOUR, Ordering::Relaxed);
    for name in ["x", "y"] {
        there.put(name, b"x").await.unwrap();
        here.put(name, b"y").await.unwrap();
    }
    assert_eq!(here.upload_status(id).await.unwrap().offset.0, 0);
    assert_eq!(there.now().await.usage().reserved.0, 60);
}

#[tokio::test]
async fn locks_and_shares_end_by_the_clocks_of_two_pods() {
    let world = World::new();
    let ((here, clock_here), (there, clock_there)) = (pod(&world).await, pod(&world).await);
    here.limit(1, 200, 200).await.unwrap();
    here.put("a", b"x").await.unwrap();
    there.put("c", b"x").await.unwrap();
    let lock = |number| NewLock {
        token: LockToken(Uuid::from_u128(number)),
        scope: LockScope::Exclusive,
        depth: LockDepth::Zero,
        owner: String::new(),
        creator: "member".to_owned(),
        timeout: Duration::from_secs(60 * 60),
    };
    here.act(Operation::Lock { path: path("a"), lock: lock(1) }).await.unwrap();
    let (id, token_hash) = (ShareId(Uuid::from_u128(1)), ShareTokenHash([1; 32]));
    let share = NewShare {
        id,
        token_hash,
        access: ShareAccess::Read,
        password: None,
        expires: Some(1_001 * HOUR),
        most_uses: Some(3),
        creator: "member".to_owned(),
    };
    here.act(Operation::CreateShare { path: path("a"), share }).await.unwrap();
    assert!(matches!(there.put("a", b"y").await, Err(Error::Locked { root }) if root == path("a")));
    // The same use, asked twice, counts once.
    let born = Some(here.now().await.generation());
    let using = || Request {
        id: OperationId(Uuid::from_u128(77)),
        born,
        locks: Vec::new(),
        operation: Operation::UseShare { id },
    };
    here.commit(using()).await.unwrap();
    there.commit(using()).await.unwrap();
    assert_eq!(there.now().await.share_by_token(token_hash).unwrap().uses, 1);

    clock_here.ahead.store(HOUR + 1, Ordering::Relaxed);
    assert!(matches!(here.put("a", b"y").await, Err(Error::Locked { .. })), "one clock is not enough");
    clock_there.ahead.store(HOUR + 2, Ordering::Relaxed);
    there.put("b", b"y").await.unwrap();
    let before = here.now().await.generation();
    // Nobody has taken the lock away yet: the entry that it would hinder does.
    let committed = here.put("a", b"y").await.unwrap();
    assert_eq!(committed.generation.0, before.0 + 1);
    let now = here.now().await;
    assert!(now.locks(&path("a")).is_empty() && now.shares(None, 9).is_empty());
    assert!(matches!(here.act(Operation::UseShare { id }).await, Err(Error::ShareGone)));
    let first = here.commit(using()).await.unwrap();
    assert!(first.generation < before, "what was done is answered with its first outcome");
}

/// What a machine wrote that is no more is a witness all the same: by the time that has passed since it was read.
#[tokio::test]
async fn a_machine_alone_that_starts_anew_lets_things_expire() {
    for wrong in [0, -HOUR / 6, HOUR / 6, 10_000 * HOUR] {
        let world = World::new();
        let (before, _) = pod(&world).await;
        before.limit(1, 200, 200).await.unwrap();
        let id = upload(&before, "left").await;
        drop(before);
        let (after, clock) = pod(&world).await;
        let step = async |name: &str, ahead: i64, passed: i64| {
            clock.ahead.store(ahead + wrong, Ordering::Relaxed);
            clock.passed.store(passed, Ordering::Relaxed);
            after.put(name, b"x").await.unwrap();
            after.now().await.usage().reserved.0
        };
        assert_eq!(step("a", HOUR, 0).await, 60);
        assert_eq!(step("b", 30 * HOUR, 0).await, 60, "its own clock alone is not enough, off by {wrong}");
        assert_eq!(step("c", 30 * HOUR, 23 * HOUR).await, 60, "nor so little time, off by {wrong}");
        assert_eq!(step("d", 30 * HOUR, 25 * HOUR).await, 0, "off by {wrong}");
        assert!(matches!(after.upload_status(id).await, Err(Error::UploadGone)));
    }
}

/// Pods that follow each other on one machine lose what they have not written down.
#[tokio::test]
async fn what_has_passed_is_written_down_for_the_next_pod_on_the_machine() {
    let world = World::new();
    let (before, _) = pod(&world).await;
    before.limit(1, 200, 200).await.unwrap();
    let id = upload(&before, "left").await;
    drop(before);
    let mut lives = 0;
    loop {
        // Each is there for seven hours.
        let (engine, clock) = engine_on(&world, Some(7), (30 + 8 * lives) * HOUR).await;
        let space = engine.space(world.space, volume_name());
        for hours in [0, 7] {
            clock.ahead.store((30 + 8 * lives + hours) * HOUR, Ordering::Relaxed);
            clock.passed.store(hours * HOUR, Ordering::Relaxed);
            engine.visit(world.space, volume_name()).await.unwrap();
        }
        if matches!(space.upload_status(id).await, Err(Error::UploadGone)) {
            break;
        }
        lives += 1;
        assert!(lives < 9, "nothing expires");
    }
    // Four times seven hours are more than a day, three are not; the first visit of all says what its own clock says.
    assert!((3..6).contains(&lives), "after {lives} lives");
}
