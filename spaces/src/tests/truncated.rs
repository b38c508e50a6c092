//! A log whose beginning was truncated, by hand. Whoever reads and writes must stand it.

use std::path::Path;

use super::world::{MIB, Short, World, path};
use crate::log::layout::BLOCK;
use crate::{Condition, Error, Freshness, Operation, Space};

/// A space with a block of entries, and two more.
async fn long(world: &World) -> Space {
    let space = world.roomy(MIB).await;
    for number in 2..=BLOCK + 2 {
        space.put("a", format!("{number}").as_bytes()).await.unwrap();
    }
    space
}

/// What truncation does with the first block, given the state after it.
fn truncate(log: &Path, start: &[u8]) {
    std::fs::write(log.join("1/start"), start).unwrap();
    std::fs::write(log.join("0/gone"), b"").unwrap();
    for generation in 1..=BLOCK {
        let _ = std::fs::remove_file(log.join(format!("0/{generation}")));
    }
}

/// The file `start` of the second block, folded from the first.
async fn start(world: &World) -> Vec<u8> {
    let log = world.directory().join("log");
    let aside = world.volume.path().join("aside");
    std::fs::rename(log.join("1"), &aside).unwrap();
    let state = world.pod().await.now().await.state().clone();
    std::fs::rename(&aside, log.join("1")).unwrap();
    assert_eq!(state.generation.0, BLOCK);
    state.to_start().seal()
}

#[tokio::test]
async fn a_pod_begins_with_the_state_before_the_block() {
    let world = World::new();
    let running = long(&world).await;
    let start = start(&world).await;
    truncate(&world.directory().join("log"), &start);
    let pod = world.pod().await;
    assert_eq!(pod.get("a").await.unwrap(), (BLOCK + 2).to_string().as_bytes());
    assert!(pod.now().await.same(&running.now().await));
    pod.put("b", b"goes on").await.unwrap();
    assert_eq!(running.get("b").await.unwrap(), b"goes on");
}

#[tokio::test]
async fn a_pod_that_slept_writes_to_no_past() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    let (slept, dozed) = (world.pod().await, world.pod().await);
    for pod in [&slept, &dozed] {
        assert_eq!(pod.now().await.generation().0, 1);
    }
    for number in 2..=BLOCK + 2 {
        space.put("a", format!("{number}").as_bytes()).await.unwrap();
    }
    let start = start(&world).await;
    truncate(&world.directory().join("log"), &start);
    // Its link succeeds, for the name is free again; what counts is the entry it writes after that.
    let committed = slept.put("b", b"late").await.unwrap();
    assert_eq!(committed.generation.0, BLOCK + 3);
    assert_eq!(space.get("b").await.unwrap(), b"late");
    // Another one finds such an entry where the log once went on, and does not believe it.
    let void = world.directory().join("log/0/2");
    let taken_away = async {
        while void.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::world::PATIENCE, taken_away).await.expect("the entry stays");
    std::fs::copy(world.directory().join(format!("log/1/{}", BLOCK + 3)), &void).unwrap();
    assert_eq!(dozed.get("b").await.unwrap(), b"late");
    assert!(dozed.now().await.same(&space.now().await));
}

#[tokio::test]
async fn a_start_that_is_broken_stops_the_space() {
    let world = World::new();
    long(&world).await;
    let good = start(&world).await;
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (bytes, what) in [(&flipped[..], "checksum"), (&good[..100], "long"), (&b""[..], "long")] {
        truncate(&world.directory().join("log"), bytes);
        let refused = world.pod().await.snapshot(Freshness::Now).await.unwrap_err();
        assert!(
            matches!(&refused, Error::SpaceStopped { reason } if reason.contains("log/1/start: ") && reason.contains(what)),
            "{refused}"
        );
    }
    truncate(&world.directory().join("log"), &good);
    world.pod().await.now().await;
    std::fs::remove_file(world.directory().join("log/1/start")).unwrap();
    let refused = world.pod().await.snapshot(Freshness::Now).await.unwrap_err();
    assert!(matches!(&refused, Error::SpaceStopped { reason } if reason.contains("truncated")), "{refused}");
}

#[tokio::test]
async fn a_state_of_everything_comes_back() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    space.act(Operation::MakeDirectory { path: path("d/e"), parents: true }).await.unwrap();
    space.put("d/f", b"content").await.unwrap();
    space.put("g", b"").await.unwrap();
    space.put("d/f", b"other").await.unwrap();
    let new = |at: &str, length| crate::NewUpload {
        path: path(at),
        length: api::bytes::Bytes(length),
        condition: Condition::Absent,
        parents: true,
        ..crate::NewUpload::default()
    };
    let open = space.create_upload(new("x/y", 10)).await.unwrap();
    let mut writer = space.continue_upload(open, 0).await.unwrap();
    writer.write("12345".into()).await.unwrap();
    writer.acknowledge().await.unwrap();
    drop(writer);
    world.pod().await.continue_upload(open, 5).await.unwrap();
    let done = space.create_upload(new("z", 0)).await.unwrap();
    space.continue_upload(done, 0).await.unwrap().finish().await.unwrap();
    let state = space.now().await.state().clone();
    let file = state.to_start().seal();
    let again = crate::state::State::restore(crate::format::start::Start::open(&file).unwrap()).unwrap();
    assert_eq!(again, *state);
}
