//! A volume that hangs, fails or is slow: everybody is told soon, nothing is done by half, and it goes on afterwards.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use api::bytes::Bytes as Amount;
use api::ids::{ClusterUid, SpaceId, VolumeName};
use bytes::Bytes;
use tempfile::TempDir;
use uuid::Uuid;

use super::world::{MIB, PATIENCE, Short, path};
use crate::{Engine, Error, Freshness, LocalConfig, NewUpload, Operation, OperationId, Request, Settings};

/// Longer than this nobody may be kept waiting.
const SOON: Duration = Duration::from_secs(8);

/// Two volumes, of which one can be made to fail.
struct World {
    directories: [TempDir; 2],
    faults: TempDir,
    cluster: ClusterUid,
}

fn name(text: &str) -> VolumeName {
    text.parse().unwrap()
}

impl World {
    fn new() -> Self {
        let directory = || tempfile::tempdir().unwrap();
        let cluster = ClusterUid(Uuid::new_v4());
        Self { directories: [directory(), directory()], faults: directory(), cluster }
    }

    async fn engine(&self) -> Engine {
        let volumes = ["a", "b"].into_iter().zip(&self.directories);
        let config = LocalConfig {
            volumes: volumes.map(|(volume, directory)| (name(volume), directory.path().to_owned())).collect(),
            cluster: self.cluster,
            adopt: None,
            faults: Some(self.faults.path().to_owned()),
            settings: Settings::default(),
        };
        Engine::open_local(config).await.unwrap()
    }

    fn fault(&self, kind: &str) -> Fault {
        let file = self.faults.path().join(format!("a.{kind}"));
        std::fs::write(&file, b"").unwrap();
        Fault(file)
    }
}

/// A fault that lasts as long as this does.
struct Fault(PathBuf);

impl Drop for Fault {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn soon<T>(asked: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, asked).await.expect("no answer");
    assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());
    answer
}

/// Asks until it is answered well: the volume is back.
async fn back<T>(mut ask: impl AsyncFnMut() -> Result<T, Error>) -> T {
    let again = async {
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(Error::Stalled(_) | Error::Io(_) | Error::OutcomeUnknown) => {
                    tokio::task::yield_now().await
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("it does not come back")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_volume_holds_nobody_and_comes_back() {
    let world = World::new();
    let engine = world.engine().await;
    let ids = [SpaceId(Uuid::new_v4()), SpaceId(Uuid::new_v4())];
    let space = engine.space(ids[0], name("a"));
    let elsewhere = engine.space(ids[1], name("b"));
    for space in [&space, &elsewhere] {
        space.limit(1, 64 * MIB, 64 * MIB).await.unwrap();
        space.put("a", b"before").await.unwrap();
    }
    let new = NewUpload { path: path("u"), length: Amount(4), ..NewUpload::default() };
    let upload = space.create_upload(new).await.unwrap();
    let mut writer = space.continue_upload(upload, 0).await.unwrap();
    writer.write(Bytes::from_static(b"ab")).await.unwrap();

    let hung = world.fault("hang");
    let put = soon(space.put("b", b"hung")).await.unwrap_err();
    assert!(matches!(put, Error::Stalled(_) | Error::OutcomeUnknown), "{put}");
    let acknowledged = soon(writer.acknowledge()).await.unwrap_err();
    assert!(matches!(acknowledged, Error::Stalled(_)), "{acknowledged}");
    let read = soon(space.snapshot(Freshness::Now)).await.unwrap_err();
    assert!(matches!(read, Error::Stalled(_)), "{read}");
    assert!(
        space.snapshot(Freshness::Within(Duration::from_secs(3600))).await.is_ok(),
        "what is known is known"
    );
    soon(elsewhere.put("b", b"goes on")).await.unwrap();
    let new_engine = soon(world.engine()).await;
    let from_there = soon(new_engine.space(ids[0], name("a")).snapshot(Freshness::Now)).await.unwrap_err();
    assert!(matches!(from_there, Error::Stalled(_)), "{from_there}");
    drop(hung);

    for engine in [&engine, &new_engine] {
        let space = engine.space(ids[0], name("a"));
        back(async || space.put("c", b"after").await).await;
        let content = space.get("b").await;
        assert!(content.is_none() || content.unwrap() == b"hung");
        assert_eq!(space.get("a").await.unwrap(), b"before");
    }
    let offset = space.upload_status(upload).await.unwrap().offset.0;
    let mut writer = new_engine.space(ids[0], name("a")).continue_upload(upload, offset).await.unwrap();
    writer.write(Bytes::from_static(b"abcd").slice(usize::try_from(offset).unwrap()..)).await.unwrap();
    writer.finish().await.unwrap();
    assert_eq!(space.get("u").await.unwrap(), b"abcd");
}

/// The fault comes at any point of a commit; asked again with the same id it is done once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_broke_off_is_done_once() {
    let world = World::new();
    let engine = world.engine().await;
    let id = SpaceId(Uuid::new_v4());
    let space = engine.space(id, name("a"));
    space.limit(1, MIB, MIB).await.unwrap();
    space.put("0", b"counted").await.unwrap();
    for round in 0..30_u32 {
        let born = space.now().await.generation();
        // A copy that can be done twice only if it is done twice: the second finds the name taken.
        let request = || Request {
            id: OperationId(Uuid::from_u128(u128::from(round) + 1)),
            born: Some(born),
            locks: Vec::new(),
            operation: Operation::Copy { from: path("0"), to: path(&format!("c{round}")), overwrite: false },
        };
        let begun = tokio::spawn({
            let (space, request) = (space.clone(), request());
            async move { space.commit(request).await }
        });
        for _ in 0..round * 3 {
            tokio::task::yield_now().await;
        }
        let broken = world.fault("eio");
        let first = begun.await.unwrap();
        drop(broken);
        let done = back(async || space.commit(request()).await).await;
        if let Ok(first) = first {
            assert_eq!(first.generation, done.generation);
        }
        assert!(space.now().await.lookup(&path(&format!("c{round}"))).is_some());
    }
    assert_eq!(space.names("").await.len(), 31);
    let other = world.engine().await.space(id, name("a"));
    assert!(other.now().await.same(&space.now().await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_volume_is_used_all_the_same() {
    let world = World::new();
    let engine = world.engine().await;
    let space = engine.space(SpaceId(Uuid::new_v4()), name("a"));
    space.limit(1, MIB, MIB).await.unwrap();
    let _slow = world.fault("slow");
    space.put("a", b"slow").await.unwrap();
    assert_eq!(space.get("a").await.unwrap(), b"slow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_volume_that_fails_at_the_start_is_claimed_later() {
    for kind in ["eio", "hang"] {
        let world = World::new();
        let fault = world.fault(kind);
        let engine = soon(world.engine()).await;
        let space = engine.space(SpaceId(Uuid::new_v4()), name("a"));
        let refused = soon(space.limit(1, MIB, MIB)).await.unwrap_err();
        assert!(matches!(refused, Error::Io(_) | Error::Stalled(_)), "{refused}");
        drop(fault);
        back(async || space.limit(1, MIB, MIB).await).await;
        space.put("a", b"after").await.unwrap();
        assert_eq!(world.engine().await.space(space.id(), name("a")).get("a").await.unwrap(), b"after");
    }
}
