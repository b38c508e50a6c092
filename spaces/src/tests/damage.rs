//! What is on the volume does not fit together: that space stops and says where, the others go on.

use std::path::PathBuf;
use std::sync::Arc;

use api::ids::SpaceId;
use uuid::Uuid;

use super::failing::files;
use super::world::{MIB, Short, World, path, volume_name};
use crate::file_system::FileSystem;
use crate::log::layout::BLOCK;
use crate::{
    Condition, Engine, EngineConfig, Error, Freshness, LocalVolume, Operation, Settings, Space, TokioHost,
};

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

/// Pods over one volume without the cost of opening it: each knows nothing of what another has found.
async fn pod(world: &World, volume: &Arc<dyn FileSystem>) -> Engine {
    let volumes = vec![(volume_name(), volume.clone())];
    let config = EngineConfig { volumes, cluster: world.cluster, adopt: None, settings: Settings::default() };
    Engine::open(config, Arc::new(TokioHost::current())).await.unwrap()
}

/// A newest and an older entry, cut at every length and with a bit of every byte flipped.
#[tokio::test]
async fn an_entry_cut_or_flipped_anywhere() {
    let world = World::new();
    written(&world).await;
    let other = SpaceId(Uuid::new_v4());
    let healthy = world.engine().await.space(other, volume_name());
    healthy.limit(1, MIB, MIB).await.unwrap();
    healthy.put("a", b"goes on").await.unwrap();
    let volume = LocalVolume::open(&volume_name(), world.volume.path().to_owned(), None).unwrap();
    let sound = files(&world.directory());
    for generation in [3, 6] {
        let file = entry(&world, generation);
        let bytes = std::fs::read(&file).unwrap();
        let cut = (0..bytes.len()).map(|length| bytes[..length].to_vec());
        let flipped = (0..bytes.len()).map(|at| {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            flipped
        });
        let longer = [bytes.as_slice(), b"x"].concat();
        for damaged in cut.chain(flipped).chain([longer, vec![0; 2 << 20]]) {
            std::fs::write(&file, &damaged).unwrap();
            let before = files(world.volume.path());
            let engine = pod(&world, &volume).await;
            let space = engine.space(world.space, volume_name());
            for answer in
                [space.snapshot(Freshness::Now).await.map(drop), space.put("x", b"x").await.map(drop)]
            {
                match answer {
                    Err(Error::SpaceStopped { reason }) => {
                        assert!(reason.contains("volume a, "), "{reason}");
                        assert!(
                            reason.contains(&format!("{}/log/0/{generation}: it", world.space)),
                            "{reason}"
                        );
                    }
                    other => panic!("{generation}: {other:?}"),
                }
            }
            assert_eq!(engine.space(other, volume_name()).get("a").await.unwrap(), b"goes on");
            assert_eq!(engine.stopped_spaces().len(), 1);
            assert!(files(world.volume.path()) == before, "nothing is overwritten in the attempt to help");
        }
        std::fs::write(&file, &bytes).unwrap();
    }
    assert_eq!(files(&world.directory()), sound);
    assert_eq!(pod(&world, &volume).await.space(world.space, volume_name()).get("e").await.unwrap(), b"e");
}

/// Who has read a space already goes on reading it from memory, but writes no more to what it knows to be broken.
#[tokio::test]
async fn a_missing_entry_anywhere() {
    for generation in 1..=5 {
        let world = World::new();
        written(&world).await;
        std::fs::remove_file(entry(&world, generation)).unwrap();
        let before = files(world.volume.path());
        let refused = world.pod().await.put("x", b"x").await.unwrap_err().to_string();
        assert!(refused.contains(&format!("log/0/{generation}: the entry is missing")), "{refused}");
        assert_eq!(files(world.volume.path()), before);
    }
}

#[tokio::test]
async fn an_object_that_is_lost_or_short() {
    let world = World::new();
    let space = world.roomy(4 * MIB).await;
    space.put("large", &vec![7; 300_000]).await.unwrap();
    space.put("small", b"small").await.unwrap();
    let node = space.now().await.lookup(&path("large")).unwrap();
    let crate::Kind::File { extents, .. } = &node.kind else { panic!("no file") };
    let layout = crate::log::layout::Layout::of(world.space);
    let object = world.volume.path().join(layout.object(extents[0].object));
    let bytes = std::fs::read(&object).unwrap();
    let read = async |space: &Space| {
        let mut reader = space.read(&node, 0..u64::MAX).await?;
        while reader.next().await?.is_some() {}
        Ok::<_, Error>(())
    };
    for length in [0, 1, 299_999] {
        std::fs::write(&object, &bytes[..length]).unwrap();
        let told = read(&space).await.unwrap_err().to_string();
        assert!(told.contains("volume a, ") && told.contains("ends too early; restore it"), "{told}");
    }
    std::fs::remove_file(&object).unwrap();
    let before = files(world.volume.path());
    for space in [&space, &world.pod().await] {
        let told = read(space).await.unwrap_err();
        assert!(
            matches!(&told, Error::Io(told) if told.contains("is missing") && told.contains("volume a, ")),
            "{told}"
        );
        assert_eq!(space.get("small").await.unwrap(), b"small");
    }
    assert_eq!(files(world.volume.path()), before);
    // What is deleted needs no object; whoever still reads it is told that it is gone.
    space
        .act(Operation::Delete { path: path("large"), condition: Condition::None, permanently: true })
        .await
        .unwrap();
    assert!(matches!(read(&space).await, Err(Error::ContentGone)));
    space.put("large", b"again").await.unwrap();
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
