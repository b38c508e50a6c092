//! Truncation, ended and put to sleep at each of its calls on the volume, with others going on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::ids::{ClusterUid, SpaceId};
use uuid::Uuid;

use super::failing::{Failing, Fault};
use super::gate::{Gate, Keeper, Stop};
use super::memory::Memory;
use super::world::{MIB, PATIENCE, Short, volume_name};
use crate::file_system::FsError;
use crate::log::layout::BLOCK;
use crate::{Engine, EngineConfig, Error, FileSystem, Settings, Snapshot, Space, TokioHost};

const SPACE: SpaceId = SpaceId(Uuid::from_u128(0x5eed));

async fn engine_over(volume: Arc<dyn FileSystem>, history: Duration) -> Engine {
    // Nothing is done by itself.
    let settings = Settings { history, upkeep: Duration::ZERO, ..Settings::default() };
    let (volumes, cluster) = (vec![(volume_name(), volume)], ClusterUid(Uuid::from_u128(1)));
    let config = EngineConfig { volumes, cluster, adopt: None, settings };
    Engine::open(config, Arc::new(TokioHost::current())).await.unwrap()
}

/// A pod that keeps nothing longer than it is needed.
async fn engine(volume: &Arc<Memory>) -> Engine {
    engine_over(volume.clone(), Duration::ZERO).await
}

async fn pod(volume: &Arc<Memory>) -> Space {
    engine(volume).await.space(SPACE, volume_name())
}

async fn upkeep(engine: &Engine) {
    engine.upkeep(SPACE, volume_name()).await.unwrap();
}

/// One more pod does all there is to do, and then tells how the space is.
async fn look_after(volume: &Arc<Memory>) -> Snapshot {
    let engine = engine(volume).await;
    upkeep(&engine).await;
    engine.space(SPACE, volume_name()).now().await
}

/// A space whose log ends with an entry of the block after so many.
async fn long(blocks: u64) -> Arc<Memory> {
    let volume = Arc::new(Memory::default());
    let space = pod(&volume).await;
    space.limit(1, MIB, MIB).await.unwrap();
    for number in 2..=BLOCK * blocks + 1 {
        // Nothing is replaced, so nothing is to be swept, and truncation alone changes no state.
        space.put(&number.to_string(), number.to_string().as_bytes()).await.unwrap();
    }
    volume
}

fn names(volume: &Memory, below: &str) -> BTreeSet<String> {
    let text = SPACE.to_string();
    volume.names(&format!("spaces/{}/{text}/{below}", &text[..2])).into_iter().collect()
}

/// All blocks before this one are gone, and it begins with a state.
fn assert_truncated(volume: &Memory, block: u64, context: &str) {
    for gone in 0..block {
        let left = names(volume, &format!("log/{gone}"));
        assert_eq!(left, BTreeSet::from(["gone".to_owned()]), "{context}: block {gone}");
    }
    let left = names(volume, &format!("log/{block}"));
    assert!(left.contains("start") && !left.contains("gone"), "{context}: {left:?}");
}

#[tokio::test]
async fn what_is_truncated_is_still_known() {
    let volume = long(3).await;
    let running = pod(&volume).await;
    let before = running.now().await;
    assert!(look_after(&volume).await.same(&before));
    assert_truncated(&volume, 3, "once");
    assert_eq!(names(&volume, "tmp"), BTreeSet::new());
    assert!(pod(&volume).await.now().await.same(&before));
    running.put("z", b"goes on").await.unwrap();
    assert_eq!(pod(&volume).await.get("z").await.unwrap(), b"goes on");
}

#[tokio::test]
async fn entries_that_are_young_stay() {
    let volume = long(3).await;
    let frugal = engine_over(volume.clone(), Duration::from_secs(60)).await;
    upkeep(&frugal).await;
    assert!(names(&volume, "log/3").contains("start"), "a state is useful early");
    assert_eq!(names(&volume, "log/0").len(), usize::try_from(BLOCK).unwrap());
}

/// Calls `each` with every place where a truncation can be stopped.
async fn at_every_call(
    template: &Memory,
    mut each: impl AsyncFnMut(Arc<Memory>, Engine, Keeper, &str) -> bool,
) {
    let mut calls = 0;
    for at in 0.. {
        let mut stopped = false;
        for done in [false, true] {
            let volume = template.again();
            let (gate, keeper) = Gate::new(volume.clone(), Stop { at, done });
            let opened = tokio::select! {
                engine = engine_over(gate, Duration::ZERO) => Some(engine),
                () = keeper.reached() => None,
            };
            stopped |= match opened {
                None => true,
                Some(engine) => each(volume, engine, keeper, &format!("call {at}, done: {done}")).await,
            };
        }
        if !stopped {
            break;
        }
        calls += 1;
    }
    println!("stopped at each of {calls} calls");
    assert!(calls > 50, "{calls}");
}

#[tokio::test]
async fn a_truncation_may_end_at_any_call() {
    let template = long(2).await;
    let expected = pod(&template).await.now().await;
    at_every_call(&template, async |volume, engine, keeper, stop| {
        let stopped = tokio::select! {
            () = upkeep(&engine) => false,
            () = keeper.reached() => true,
        };
        drop(engine);
        assert!(pod(&volume).await.now().await.same(&expected), "{stop}: read by another pod");
        assert!(look_after(&volume).await.same(&expected), "{stop}: truncated by another pod");
        assert_truncated(&volume, 2, stop);
        let pod = pod(&volume).await;
        assert!(pod.now().await.same(&expected), "{stop}: read after that");
        pod.put("z", b"goes on").await.unwrap();
        stopped
    })
    .await;
}

#[tokio::test]
async fn a_truncation_may_sleep_at_any_call() {
    let template = long(2).await;
    at_every_call(&template, async |volume, engine, keeper, stop| {
        let space = engine.space(SPACE, volume_name());
        let mut sleeper = tokio::spawn(async move { engine.upkeep(SPACE, volume_name()).await });
        let stopped = tokio::select! {
            ended = &mut sleeper => { ended.unwrap().unwrap(); false }
            () = keeper.reached() => true,
        };
        // Meanwhile others truncate, write on, and truncate again.
        look_after(&volume).await;
        let other = pod(&volume).await;
        for number in 0..2 * BLOCK {
            other.put(&format!("{}", number % 5), b"while it sleeps").await.unwrap();
        }
        look_after(&volume).await;
        assert_truncated(&volume, 4, stop);
        let expected = other.now().await;
        keeper.open();
        if stopped {
            // It may find that what it wanted to write has no place any more; then it did nothing.
            let ended = tokio::time::timeout(PATIENCE, sleeper).await.expect("it goes on").unwrap();
            assert!(ended.is_ok(), "{stop}: {ended:?}");
        }
        assert!(space.now().await.same(&expected), "{stop}: read by the one that slept");
        assert!(pod(&volume).await.now().await.same(&expected), "{stop}: read by another one");
        space.put("z", b"goes on").await.unwrap();
        assert!(look_after(&volume).await.same(&other.now().await), "{stop}: truncated again");
        assert_truncated(&volume, 4, stop);
        stopped
    })
    .await;
}

/// A pod sleeps in a commit until its entry is truncated, and then finds a volume that fails.
#[tokio::test]
async fn who_can_not_read_on_does_not_say_that_nothing_was_done() {
    let template = long(1).await;
    let mut unknown = 0;
    for at in 0.. {
        let mut stopped = false;
        for from in 1..=5 {
            let volume = template.again();
            let failing = Failing::over(volume.clone());
            let (gate, keeper) = Gate::new(failing.clone(), Stop { at, done: true });
            let mut sleeper = tokio::spawn(async move {
                let space = engine_over(gate, Duration::ZERO).await.space(SPACE, volume_name());
                space.put("x", b"once").await
            });
            let asleep = tokio::select! {
                ended = &mut sleeper => ended.unwrap().map(|_| false).unwrap(),
                () = keeper.reached() => true,
            };
            // Names in `tmp/` go beside the answer, so the last calls are not always made in time.
            stopped |= asleep;
            if !asleep {
                continue;
            }
            let other = pod(&volume).await;
            for number in 0..BLOCK {
                other.put(&format!("{}", number % 5), b"while it sleeps").await.unwrap();
            }
            look_after(&volume).await;
            failing.fail(Fault { from, all: true, error: FsError::Stalled });
            keeper.open();
            let answer = tokio::time::timeout(PATIENCE, sleeper).await.expect("it goes on").unwrap();
            let done = other.get("x").await.is_some();
            match answer {
                Ok(_) => assert!(done, "call {at}, {from} more: it was said to be done"),
                Err(Error::OutcomeUnknown) => unknown += usize::from(done),
                Err(error) => {
                    assert!(!done, "call {at}, {from} more: it was done, and was answered {error:?}")
                }
            }
        }
        if !stopped {
            break;
        }
    }
    assert!(unknown > 0, "it was never done while that was not known");
}

#[tokio::test]
async fn several_truncate_at_once_while_others_write() {
    let volume = long(3).await;
    let writer = pod(&volume).await;
    let mut engines = Vec::new();
    for _ in 0..4 {
        engines.push(engine(&volume).await);
    }
    let truncating = futures::future::join_all(engines.iter().map(async |engine| {
        for _ in 0..9 {
            upkeep(engine).await;
        }
    }));
    let writing = async {
        for number in 0..3 * BLOCK {
            writer.put(&format!("{}", number % 9), format!("{number}").as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    futures::future::join(truncating, writing).await;
    // What was replaced meanwhile may be swept only now.
    let found = look_after(&volume).await;
    let expected = writer.now().await;
    assert!(found.same(&expected));
    for last in 3 * BLOCK - 9..3 * BLOCK {
        let content = writer.get(&format!("{}", last % 9)).await.unwrap();
        assert_eq!(content, last.to_string().as_bytes());
    }
    assert_truncated(&volume, 6, "at the end");
    assert!(pod(&volume).await.now().await.same(&expected));
}

#[tokio::test]
async fn a_state_that_is_damaged_replaces_nothing() {
    let volume = long(2).await;
    let running = engine(&volume).await;
    let before = running.space(SPACE, volume_name()).now().await;
    let text = SPACE.to_string();
    let start = format!("spaces/{}/{text}/log/2/start", &text[..2]);
    let mut bytes = before.state().to_start().seal();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    volume.write(&start, bytes.into()).await.unwrap();
    upkeep(&running).await;
    assert_eq!(names(&volume, "log/0").len(), usize::try_from(BLOCK).unwrap());
    volume.unlink(&start).await.unwrap();
    assert!(look_after(&volume).await.same(&before));
    assert_truncated(&volume, 2, "once it was removed");
}
