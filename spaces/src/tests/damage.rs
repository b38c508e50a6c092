//! What is on the volume does not fit together: that space stops and says where, the others go on.

use std::path::PathBuf;

use api::ids::SpaceId;
use uuid::Uuid;

use super::world::{MIB, Short, World, volume_name};
use crate::log::layout::BLOCK;
use crate::{Error, Freshness, Space};

/// A space with entries 1 to 6, and the file of one of them.
async fn written(world: &World) -> Space {
    let space = world.roomy(MIB).await;
    for name in ["a", "b", "c", "d", "e"] {
        space.put(name, name.as_bytes()).await.unwrap();
    }
    space
}

fn entry(world: &World, generation: u64) -> PathBuf {
    world.directory().join(format!("log/0/{generation}"))
}

async fn stops_at(world: &World, generation: u64, what: &str) {
    let engine = world.engine().await;
    let space = engine.space(world.space, volume_name());
    for _ in 0..2 {
        match space.snapshot(Freshness::Now).await {
            Err(Error::SpaceStopped { reason }) => {
                assert!(reason.contains(&format!("log/0/{generation}: ")), "{reason}");
                assert!(reason.contains(what), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
    let refused = space.put("x", b"x").await.unwrap_err();
    assert!(matches!(refused, Error::SpaceStopped { .. }), "{refused}");
    assert_eq!(engine.stopped_spaces().len(), 1);
    let other = engine.space(SpaceId(Uuid::new_v4()), volume_name());
    other.limit(1, MIB, MIB).await.unwrap();
    other.put("a", b"goes on").await.unwrap();
    assert_eq!(other.get("a").await.unwrap(), b"goes on");
}

#[tokio::test]
async fn a_flipped_bit() {
    let world = World::new();
    written(&world).await;
    let file = entry(&world, 3);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    stops_at(&world, 3, "checksum").await;
}

#[tokio::test]
async fn an_entry_cut_short() {
    for length in [0, 7, 60] {
        let world = World::new();
        written(&world).await;
        let file = entry(&world, 6);
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..length]).unwrap();
        stops_at(&world, 6, "it is").await;
    }
}

#[tokio::test]
async fn an_entry_of_another_history() {
    let (world, other) = (World::new(), World::new());
    written(&world).await;
    written(&other).await;
    std::fs::copy(entry(&other, 4), entry(&world, 4)).unwrap();
    stops_at(&world, 4, "another space").await;
    let world = World::new();
    written(&world).await;
    std::fs::copy(entry(&world, 2), entry(&world, 4)).unwrap();
    stops_at(&world, 4, "another generation").await;
}

#[tokio::test]
async fn a_gap() {
    let world = World::new();
    written(&world).await;
    std::fs::remove_file(entry(&world, 4)).unwrap();
    stops_at(&world, 4, "missing").await;
}

#[tokio::test]
async fn a_gap_at_the_end_of_a_block() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    for _ in 2..=BLOCK + 1 {
        space.put("a", b"a").await.unwrap();
    }
    std::fs::remove_file(entry(&world, BLOCK)).unwrap();
    stops_at(&world, BLOCK, "missing").await;
}

#[tokio::test]
async fn a_pod_that_runs_notices_an_entry_that_does_not_fit() {
    let world = World::new();
    let space = written(&world).await;
    std::fs::write(entry(&world, 7), b"not an entry").unwrap();
    let stopped = space.put("f", b"f").await.unwrap_err();
    assert!(matches!(&stopped, Error::SpaceStopped { reason } if reason.contains("log/0/7")), "{stopped}");
}
