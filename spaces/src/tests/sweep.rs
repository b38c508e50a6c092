//! What nothing refers to any more goes, and whoever slept meanwhile brings nothing of it back.

use std::sync::Arc;
use std::time::Duration;

use api::ids::{ClusterUid, SpaceId};
use uuid::Uuid;

use super::memory::Memory;
use super::world::{MIB, Short, path, volume_name};
use crate::log::layout::BLOCK;
use crate::{
    Condition, Engine, EngineConfig, Error, FileSystem, Operation, OperationId, Request, Settings, Space,
    TokioHost,
};

const SPACE: SpaceId = SpaceId(Uuid::from_u128(0x5eed));

/// A pod that keeps nothing longer than it is needed, and does nothing by itself.
async fn engine(volume: &Arc<Memory>) -> Engine {
    let nothing = Duration::ZERO;
    let settings = Settings { history: nothing, remembered: nothing, upkeep: nothing, ..Settings::default() };
    let volumes = vec![(volume_name(), volume.clone() as Arc<dyn FileSystem>)];
    let config = EngineConfig { volumes, cluster: ClusterUid(Uuid::from_u128(1)), adopt: None, settings };
    Engine::open(config, Arc::new(TokioHost::current())).await.unwrap()
}

async fn roomy(volume: &Arc<Memory>) -> (Engine, Space) {
    let engine = engine(volume).await;
    let space = engine.space(SPACE, volume_name());
    space.limit(1, 9 * MIB, 9 * MIB).await.unwrap();
    (engine, space)
}

async fn upkeep(engine: &Engine) {
    engine.upkeep(SPACE, volume_name()).await.unwrap();
}

fn root() -> String {
    let text = SPACE.to_string();
    format!("spaces/{}/{text}", &text[..2])
}

fn objects(volume: &Memory) -> usize {
    let root = root();
    volume
        .names(&format!("{root}/objects"))
        .iter()
        .map(|name| volume.names(&format!("{root}/objects/{name}")).len())
        .sum()
}

#[tokio::test]
async fn what_was_deleted_goes_once_truncation_has_passed_it() {
    let volume = Arc::new(Memory::default());
    let (engine, space) = roomy(&volume).await;
    space.put("kept", b"kept").await.unwrap();
    space.put("deleted", b"deleted").await.unwrap();
    space.put("replaced", b"one").await.unwrap();
    space.put("replaced", b"two").await.unwrap();
    space
        .act(Operation::Delete { path: path("deleted"), condition: Condition::None, permanently: true })
        .await
        .unwrap();
    upkeep(&engine).await;
    assert_eq!(objects(&volume), 4, "what can still be read stays");
    for number in 0..BLOCK {
        space
            .act(Operation::MakeDirectory { path: path(&number.to_string()), parents: false })
            .await
            .unwrap();
    }
    upkeep(&engine).await;
    assert_eq!(objects(&volume), 2);
    assert_eq!(space.get("kept").await.unwrap(), b"kept");
    assert_eq!(space.get("replaced").await.unwrap(), b"two");
    // With nothing left to do nothing is written.
    upkeep(&engine).await;
    let before = space.now().await;
    upkeep(&engine).await;
    assert!(space.now().await.same(&before));
}

#[tokio::test]
async fn what_the_dead_left_goes_and_what_is_foreign_stays() {
    let volume = Arc::new(Memory::default());
    let (engine, space) = roomy(&volume).await;
    space.put("a", b"a").await.unwrap();
    let root = root();
    volume.make_directory(&format!("{root}/objects/0f")).await.unwrap();
    let dead = [
        format!("{root}/objects/0f/1-0f00000000000001"),
        format!("{root}/tmp/1-000000000000000000000000000000ab"),
    ];
    let foreign = [format!("{root}/objects/0f/readme"), format!("{root}/tmp/x")];
    for name in dead.iter().chain(&foreign) {
        volume.write(name, "left".into()).await.unwrap();
    }
    for _ in 0..3 {
        upkeep(&engine).await;
    }
    for name in dead {
        assert_eq!(volume.stat(&name).await, Err(crate::FsError::NotFound), "{name}");
    }
    for name in foreign {
        assert!(volume.stat(&name).await.is_ok(), "{name}");
    }
    assert_eq!(space.get("a").await.unwrap(), b"a");
}

#[tokio::test]
async fn content_from_before_the_watermark_gets_no_name() {
    let volume = Arc::new(Memory::default());
    let (engine, space) = roomy(&volume).await;
    let slow = roomy_pod(&volume).await;
    let (small, large) = (b"small".as_slice(), vec![7; 200_000]);
    let staged = [slow.staged(small).await.unwrap(), slow.staged(&large).await.unwrap()];
    let ids = [1, 2].map(|id| OperationId(Uuid::from_u128(id)));
    let born = space.now().await.generation();
    for number in 0..2 * BLOCK {
        space.put("a", number.to_string().as_bytes()).await.unwrap();
        upkeep(&engine).await;
    }
    for (content, id) in staged.into_iter().zip(ids) {
        let operation =
            Operation::Put { path: path("late"), content, condition: Condition::None, parents: false };
        let late = slow.commit(Request { id, born: Some(born), operation, locks: Vec::new() }).await;
        assert!(matches!(late, Err(Error::OutcomeUnknown)), "{late:?}");
    }
    assert_eq!(space.get("late").await, None);
    // Whoever begins anew gets on.
    slow.put("late", &large).await.unwrap();
    assert_eq!(space.get("late").await.unwrap(), large);
}

async fn roomy_pod(volume: &Arc<Memory>) -> Space {
    engine(volume).await.space(SPACE, volume_name())
}
