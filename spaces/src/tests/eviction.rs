//! More spaces than fit into memory: what is not in use goes, nothing fails, and what was there is there.

use std::sync::Arc;
use std::time::Duration;

use api::bytes::Bytes as Amount;
use api::ids::{ClusterUid, SpaceId};
use bytes::Bytes;
use uuid::Uuid;

use super::memory::Memory;
use super::world::{MIB, Short, path, volume_name};
use crate::log::layout::block_of;
use crate::{
    Condition, Engine, EngineConfig, Error, FileSystem, Freshness, NewUpload, Operation, Settings, Space,
    TokioHost,
};

/// A pod with so much memory, which does nothing by itself.
async fn engine(volume: &Arc<Memory>, memory: u64) -> Engine {
    let settings = Settings { upkeep: Duration::ZERO, memory: Amount(memory), ..Settings::default() };
    let volumes = vec![(volume_name(), volume.clone() as Arc<dyn FileSystem>)];
    let config = EngineConfig { volumes, cluster: ClusterUid(Uuid::from_u128(1)), adopt: None, settings };
    Engine::open(config, Arc::new(TokioHost::current())).await.unwrap()
}

fn space(engine: &Engine, number: u128) -> Space {
    engine.space(SpaceId(Uuid::from_u128(number + 1)), volume_name())
}

/// What a space takes in a pod that has nothing else.
async fn weight(volume: &Arc<Memory>, number: u128) -> u64 {
    let pod = engine(volume, 1 << 40).await;
    space(&pod, number).now().await;
    pod.memory().states.0
}

const FILES: usize = 40;

async fn fill(engine: &Engine, number: u128) {
    let space = space(engine, number);
    space.limit(1, 9 * MIB, 9 * MIB).await.unwrap();
    for file in 0..FILES {
        space.put(&format!("file {file}"), format!("{number}").as_bytes()).await.unwrap();
    }
}

/// Uses one space after another as chance has it, and looks at all that comes back.
async fn use_many(engine: Engine, spaces: u128, task: u32) {
    let mut dice = fastrand::Rng::with_seed(u64::from(task));
    for round in 0..25 {
        let number = dice.u128(0..spaces);
        let space = space(&engine, number);
        let name = format!("task {task} round {round}");
        let committed = space.put(&name, name.as_bytes()).await.unwrap();
        let snapshot = space.snapshot(Freshness::AtLeast(committed.generation)).await.unwrap();
        assert!(snapshot.audit().is_empty());
        assert!(snapshot.lookup(&path(&name)).is_some(), "what was done is seen");
        assert_eq!(space.get(&name).await.unwrap(), name.as_bytes());
        let old = format!("file {}", dice.usize(0..FILES));
        assert_eq!(space.get(&old).await.unwrap(), format!("{number}").as_bytes());
        let again = space.put_if(&name, b"", Condition::Absent).await;
        assert!(matches!(again, Err(Error::Precondition)), "{again:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_spaces_than_fit_are_used_at_once() {
    let volume = Arc::new(Memory::default());
    let (spaces, tasks) = (24, 40);
    let first = engine(&volume, 1 << 40).await;
    for number in 0..spaces {
        fill(&first, number).await;
    }
    let one = weight(&volume, 0).await;
    assert_eq!(first.memory().evictions, 0);
    assert_eq!(first.memory().spaces, 24);
    // Four and a half of them, as they are before they grow.
    let budget = 9 * one / 2;
    let pod = engine(&volume, budget).await;
    let used: Vec<_> = (0..tasks).map(|task| tokio::spawn(use_many(pod.clone(), spaces, task))).collect();
    for task in used {
        task.await.unwrap();
    }
    let memory = pod.memory();
    let mut largest = 0;
    for number in 0..spaces {
        largest = largest.max(weight(&volume, number).await);
    }
    println!("budget {budget}, largest {largest}, {memory:?}");
    assert!(memory.evictions > 100, "{memory:?}");
    assert!(memory.most.0 <= budget + largest, "more than {budget} and {largest}: {memory:?}");
    for task in 0..tasks {
        let mut found = 0;
        for number in 0..spaces {
            let names = space(&first, number).names("").await;
            found += names.iter().filter(|name| name.starts_with(&format!("task {task} "))).count();
        }
        assert_eq!(found, 25, "of task {task}");
    }
}

#[tokio::test]
async fn those_that_were_not_used_for_longest_go() {
    let volume = Arc::new(Memory::default());
    let first = engine(&volume, 1 << 40).await;
    for number in 0..5 {
        fill(&first, number).await;
    }
    let one = weight(&volume, 0).await;
    let pod = engine(&volume, 1 << 40).await;
    for number in [0, 1, 2, 3, 0] {
        space(&pod, number).now().await;
    }
    let budget =
        |memory| pod.set_settings(Settings { memory: Amount(memory), ..pod.settings().as_ref().clone() });
    let loaded = async || {
        // Who is asked to go does so in a moment.
        for _ in 0..100_000 {
            if pod.memory().states <= pod.settings().memory {
                break;
            }
            tokio::task::yield_now().await;
        }
        [0, 1, 2, 3].map(|number| space(&pod, number).is_loaded())
    };
    assert_eq!(loaded().await, [true; 4]);
    budget(7 * one / 2);
    assert_eq!(loaded().await, [true, false, true, true]);
    budget(3 * one / 2);
    assert_eq!(loaded().await, [true, false, false, false]);
    space(&pod, 1).now().await;
    assert_eq!(loaded().await, [false, true, false, false]);
    assert_eq!(pod.memory().evictions, 4);
}

#[tokio::test]
async fn the_one_in_use_stays_though_it_is_larger_than_the_budget() {
    let volume = Arc::new(Memory::default());
    let pod = engine(&volume, 1).await;
    fill(&pod, 0).await;
    assert_eq!(pod.memory().evictions, 0);
    // Neither does it go for one that is small beside it.
    let budget = weight(&volume, 0).await - 1;
    pod.set_settings(Settings { memory: Amount(budget), ..pod.settings().as_ref().clone() });
    for round in 0..20 {
        space(&pod, 1).limit(round + 1, 100, 100).await.unwrap();
        space(&pod, 0).put("a", b"a").await.unwrap();
    }
    assert_eq!(pod.memory().evictions, 0);
    assert_eq!(pod.memory().spaces, 2);
}

/// Uses others until a space is not in memory any more.
async fn evict(pod: &Engine, number: u128) {
    for other in 100.. {
        if !space(pod, number).is_loaded() {
            break;
        }
        space(pod, other).now().await;
    }
}

#[tokio::test]
async fn what_is_under_way_goes_on_without_the_state() {
    let volume = Arc::new(Memory::default());
    let pod = engine(&volume, 100_000).await;
    let one = space(&pod, 0);
    one.limit(1, 9 * MIB, 9 * MIB).await.unwrap();
    let content = vec![7; 50_000];
    one.put("old", &content).await.unwrap();

    let snapshot = one.now().await;
    let mut reader = one.read(&snapshot.lookup(&path("old")).unwrap(), 0..u64::MAX).await.unwrap();
    let mut read = reader.next().await.unwrap().unwrap().len();
    let mut stage = one.stage(Some(Amount(50_000))).await.unwrap();
    stage.write(Bytes::from(vec![7; 20_000])).await.unwrap();
    let new = NewUpload {
        path: path("uploaded"),
        length: Amount(20),
        condition: Condition::None,
        parents: false,
        locks: Vec::new(),
        modified: None,
    };
    let id = one.create_upload(new).await.unwrap();
    let mut writer = one.continue_upload(id, 0).await.unwrap();
    writer.write("0123456789".into()).await.unwrap();
    let staged = one.staged(&content).await.unwrap();

    evict(&pod, 0).await;
    assert_eq!(snapshot.lookup(&path("old")).unwrap().etag().len(), snapshot_tag(&one).await);
    evict(&pod, 0).await;
    while let Some(chunk) = reader.next().await.unwrap() {
        read += chunk.len();
    }
    assert_eq!(read, content.len());
    assert!(!one.is_loaded(), "reading needs no state");
    stage.write(Bytes::from(vec![7; 30_000])).await.unwrap();
    let other = stage.finish().await.unwrap();
    evict(&pod, 0).await;
    assert_eq!(writer.acknowledge().await.unwrap(), 10);
    evict(&pod, 0).await;
    writer.write("0123456789".into()).await.unwrap();
    writer.finish().await.unwrap();
    evict(&pod, 0).await;
    for (at, content) in [("staged", staged), ("other", other)] {
        let put = Operation::Put { path: path(at), content, condition: Condition::None, parents: false };
        one.act(put).await.unwrap();
        evict(&pod, 0).await;
    }
    assert_eq!(one.get("uploaded").await.unwrap(), b"01234567890123456789");
    assert_eq!(one.get("staged").await.unwrap(), content);
    assert_eq!(one.get("other").await.unwrap(), content);
    assert_eq!(one.now().await.usage().reserved.0, 0);
}

async fn snapshot_tag(space: &Space) -> usize {
    space.now().await.lookup(&path("old")).unwrap().etag().len()
}

#[tokio::test]
async fn spaces_that_nobody_holds_are_forgotten_and_stopped_ones_are_not() {
    let volume = Arc::new(Memory::default());
    let pod = engine(&volume, 40_000).await;
    fill(&pod, 0).await;
    let broken = space(&pod, 0).id().to_string();
    let next = space(&pod, 0).now().await.generation().next();
    let entry = format!("spaces/{}/{broken}/log/{}/{next}", &broken[..2], block_of(next));
    volume.write(&entry, "no entry".into()).await.unwrap();
    let stopped = space(&pod, 0).snapshot(Freshness::Now).await;
    assert!(matches!(stopped, Err(Error::SpaceStopped { .. })), "{:?}", stopped.err());
    volume.unlink(&entry).await.unwrap();
    for number in 1..200 {
        space(&pod, number).now().await;
    }
    assert!(!space(&pod, 0).is_loaded());
    assert!(pod.memory().spaces < 10 && pod.replicas().len() < 20, "{} are left", pod.replicas().len());
    assert_eq!(pod.stopped_spaces().len(), 1);
    let stopped = space(&pod, 0).snapshot(Freshness::Within(Duration::from_secs(60))).await;
    assert!(matches!(stopped, Err(Error::SpaceStopped { .. })), "{:?}", stopped.err());
}
