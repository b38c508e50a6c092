//! Pods of two versions over one volume: they work side by side until the log of a space gets a newer format.

use std::sync::Arc;
use std::time::Duration;

use api::ids::SpaceId;
use uuid::Uuid;

use super::world::{MIB, Short, World, path, volume_name};
use crate::format::{FIRST_FORMAT, FORMAT};
use crate::log::layout::BLOCK;
use crate::{
    Condition, Engine, EngineConfig, Error, Freshness, LocalVolume, Operation, PropertyChanges, Settings,
    TokioHost,
};

/// A pod that reads logs up to a format, and believes that all others read up to another one.
async fn pod(world: &World, reads: u32, allowed: u32) -> Engine {
    let volume = LocalVolume::open(&volume_name(), world.volume.path().to_owned(), None).unwrap();
    let settings = Settings { format: allowed, ..Settings::default() };
    let volumes = vec![(volume_name(), volume)];
    let config = EngineConfig { volumes, cluster: world.cluster, adopt: None, settings };
    Engine::open_reading(reads, config, Arc::new(TokioHost::current())).await.unwrap()
}

/// Something that an older version knows nothing of.
async fn mark(space: &crate::Space) -> Result<crate::Committed, Error> {
    let changes = PropertyChanges { modified: Some(7), ..PropertyChanges::default() };
    space.act(Operation::SetProperties { path: path("a"), condition: Condition::None, changes }).await
}

#[tokio::test]
async fn pods_of_two_versions_share_a_space_until_its_format_rises() {
    let world = World::new();
    let (old, new) = (pod(&world, 1, 1).await, pod(&world, FORMAT, 1).await);
    let there = |engine: &Engine| engine.space(world.space, volume_name());
    let other = SpaceId(Uuid::new_v4());
    there(&new).limit(1, MIB, MIB).await.unwrap();
    there(&old).put("a", b"old").await.unwrap();
    there(&new).put("b", b"new").await.unwrap();
    let refused = mark(&there(&new)).await.unwrap_err();
    assert!(matches!(refused, Error::FormatTooOld { needed: FORMAT, allowed: 1 }), "{refused}");
    assert!(
        refused.to_string().contains("once all disk pods of the DiskCluster have been updated"),
        "{refused}"
    );
    assert_eq!(there(&old).get("b").await.unwrap(), b"new", "what is refused changes nothing");
    old.space(other, volume_name()).limit(1, MIB, MIB).await.unwrap();

    // Every pod but one has been updated, and somebody errs.
    let newest = pod(&world, FORMAT, FORMAT).await;
    let committed = mark(&there(&newest)).await.unwrap();
    assert_eq!(
        committed.generation.0, 5,
        "an entry that raises the format, and the operation in the next one"
    );
    assert_eq!(there(&newest).now().await.state().format, FORMAT);
    for _ in 0..2 {
        let stopped = there(&old).snapshot(Freshness::Now).await.unwrap_err();
        let told = stopped.to_string();
        assert!(matches!(stopped, Error::SpaceStopped { .. }) && told.contains("log/0/4: "), "{told}");
        assert!(told.contains("format 2, and this version reads up to 1: use a newer version"), "{told}");
        assert!(there(&old).put("c", b"c").await.is_err());
    }
    assert_eq!(old.stopped_spaces().len(), 1);
    old.space(other, volume_name()).put("a", b"goes on").await.unwrap();
    // That an operation of another pod raised the format is no harm to whom it was not allowed yet.
    there(&new).put("c", b"c").await.unwrap();
    mark(&there(&new)).await.unwrap();
    assert_eq!(there(&newest).get("c").await.unwrap(), b"c");
}

#[tokio::test]
async fn what_waits_for_a_newer_format_keeps_its_order() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    assert_eq!(space.now().await.state().format, FIRST_FORMAT);
    space.put("a", b"1").await.unwrap();
    let (before, marked, after) = futures::join!(space.put("b", b"2"), mark(&space), space.put("a", b"3"));
    let (before, marked, after) = (before.unwrap(), marked.unwrap(), after.unwrap());
    assert!(before.generation < marked.generation && marked.generation <= after.generation);
    let node = space.now().await.lookup(&path("a")).unwrap();
    assert!(
        matches!(node.kind, crate::Kind::File { modified, .. } if modified != 7),
        "the later content is newer"
    );
    let pod = world.pod().await;
    assert!(pod.now().await.same(&space.now().await));
}

#[tokio::test]
async fn no_state_is_written_down_that_an_older_pod_could_not_read() {
    let world = World::new();
    let volume = LocalVolume::open(&volume_name(), world.volume.path().to_owned(), None).unwrap();
    let (upkeep, history) = (Duration::ZERO, Duration::ZERO);
    let settings = Settings { format: 1, upkeep, history, ..Settings::default() };
    let volumes = vec![(volume_name(), volume)];
    let config = EngineConfig { volumes, cluster: world.cluster, adopt: None, settings: settings.clone() };
    let new = Engine::open(config, Arc::new(TokioHost::current())).await.unwrap();
    let space = new.space(world.space, volume_name());
    space.limit(1, MIB, MIB).await.unwrap();
    for _ in 0..2 * BLOCK {
        space.put("a", b"a").await.unwrap();
    }
    let log = world.directory().join("log");
    let starts = || (0..3).filter(|block| log.join(format!("{block}/start")).exists()).count();
    new.upkeep(world.space, volume_name()).await.unwrap();
    assert_eq!(starts(), 0);
    let old = pod(&world, 1, 1).await;
    assert_eq!(old.space(world.space, volume_name()).get("a").await.unwrap(), b"a");
    new.set_settings(Settings { format: FORMAT, ..settings });
    new.upkeep(world.space, volume_name()).await.unwrap();
    assert_eq!(starts(), 1);
}
