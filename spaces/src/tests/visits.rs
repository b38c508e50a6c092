//! Spaces that nobody uses are looked after all the same, on the word of two clocks, and by several pods at once.

use std::fs;
use std::sync::atomic::Ordering;

use api::bytes::Bytes as Amount;

use super::expiry::{HOUR, engine};
use super::world::{Short, World, path, volume_name};
use crate::{Engine, Error, Freshness, NewUpload, Space, UploadId};

fn space(world: &World, engine: &Engine) -> Space {
    engine.space(world.space, volume_name())
}

async fn visit(world: &World, engine: &Engine) {
    engine.visit(world.space, volume_name()).await.unwrap();
}

/// What is to expire: a lost upload of 60 bytes, in a space that two machines have written to.
async fn abandoned(world: &World, here: &Engine, there: &Engine) -> UploadId {
    let (one, other) = (space(world, here), space(world, there));
    one.limit(1, 200, 200).await.unwrap();
    other.put("a", b"x").await.unwrap();
    one.put("b", b"x").await.unwrap();
    let new = NewUpload { path: path("c"), length: Amount(60), ..NewUpload::default() };
    let id = one.create_upload(new).await.unwrap();
    assert_eq!(one.now().await.usage().reserved.0, 60);
    id
}

#[tokio::test]
async fn an_upload_expires_in_a_space_that_nobody_touches() {
    let world = World::new();
    let ((here, clock_here), (there, clock_there)) = (engine(&world).await, engine(&world).await);
    let id = abandoned(&world, &here, &there).await;
    // Other pods on the same machines, which have nothing in memory.
    let now = async || space(&world, &here).now().await;
    clock_here.ahead.store(25 * HOUR, Ordering::Relaxed);
    clock_there.ahead.store(25 * HOUR, Ordering::Relaxed);
    visit(&world, &here).await;
    let witnessed = now().await;
    assert_eq!(witnessed.usage().reserved.0, 60, "one clock is not enough");
    visit(&world, &here).await;
    assert!(now().await.same(&witnessed), "it says so once");
    visit(&world, &there).await;
    assert_eq!(now().await.usage().reserved.0, 0);
    assert!(matches!(space(&world, &here).upload_status(id).await, Err(Error::UploadGone)));
    // What there is to do ends: then nothing is written any more.
    let mut before = now().await.generation();
    for hours in 2..6 {
        for (engine, clock) in [(&here, &clock_here), (&there, &clock_there)] {
            clock.ahead.store(25 * hours * HOUR, Ordering::Relaxed);
            before = now().await.generation();
            visit(&world, engine).await;
        }
    }
    let end = now().await;
    assert_eq!((end.generation(), end.state().outcomes.len()), (before, 0));
}

#[tokio::test]
async fn one_clock_that_is_far_ahead_ends_nothing() {
    let world = World::new();
    let ((here, _), (there, clock_there)) = (engine(&world).await, engine(&world).await);
    abandoned(&world, &here, &there).await;
    clock_there.ahead.store(1_000 * HOUR, Ordering::Relaxed);
    for engine in [&there, &here, &there, &here] {
        visit(&world, engine).await;
    }
    assert_eq!(space(&world, &here).now().await.usage().reserved.0, 60);
}

#[tokio::test]
async fn garbage_is_collected_in_a_space_that_nobody_touches() {
    let world = World::new();
    let ((here, clock_here), (there, clock_there)) = (engine(&world).await, engine(&world).await);
    abandoned(&world, &here, &there).await;
    let place = world.directory();
    fs::create_dir_all(place.join("objects/0f")).unwrap();
    let left =
        [place.join("objects/0f/1-0f00000000000001"), place.join("tmp/1-000000000000000000000000000000ab")];
    let foreign = [place.join("objects/0f/readme"), place.join("tmp/x")];
    for file in left.iter().chain(&foreign) {
        fs::write(file, "left").unwrap();
    }
    for hours in 1..6 {
        for (engine, clock) in [(&here, &clock_here), (&there, &clock_there)] {
            clock.ahead.store(25 * hours * HOUR, Ordering::Relaxed);
            visit(&world, engine).await;
        }
    }
    for file in left {
        assert!(!file.exists(), "{}", file.display());
    }
    for file in foreign {
        assert!(file.exists(), "{}", file.display());
    }
    assert_eq!(space(&world, &here).get("a").await.unwrap(), b"x");
}

/// A short log is not truncated, and what was overwritten in it goes all the same.
#[tokio::test]
async fn what_only_the_past_has_is_kept_as_long_as_the_history() {
    let world = World::new();
    let ((here, clock_here), (there, clock_there)) = (engine(&world).await, engine(&world).await);
    abandoned(&world, &here, &there).await;
    let objects = || {
        let shards = fs::read_dir(world.directory().join("objects")).unwrap();
        shards.map(|shard| fs::read_dir(shard.unwrap().path()).unwrap().count()).sum::<usize>()
    };
    assert_eq!(objects(), 2);
    space(&world, &here).put("a", b"new").await.unwrap();
    space(&world, &there).put("b", b"new").await.unwrap();
    let pass = async |hours: i64| {
        for (engine, clock) in [(&here, &clock_here), (&there, &clock_there), (&here, &clock_here)] {
            clock.ahead.store(hours * HOUR, Ordering::Relaxed);
            visit(&world, engine).await;
        }
    };
    for hours in [25, 50, 100, 6 * 24] {
        pass(hours).await;
        assert_eq!(objects(), 4, "after {hours} hours");
    }
    for hours in [7 * 24 + 5, 7 * 24 + 30, 8 * 24 + 30, 9 * 24 + 30] {
        pass(hours).await;
    }
    assert_eq!(objects(), 2);
    assert_eq!(space(&world, &here).get("a").await.unwrap(), b"new");
    assert_eq!(space(&world, &there).get("b").await.unwrap(), b"new");
}

#[tokio::test]
async fn what_is_visited_does_not_stay_in_memory_and_what_is_in_use_does() {
    let world = World::new();
    let ((here, _), (there, _)) = (engine(&world).await, engine(&world).await);
    abandoned(&world, &here, &there).await;
    let (third, _) = engine(&world).await;
    visit(&world, &third).await;
    for _ in 0..100_000 {
        if third.memory().spaces == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(third.memory().spaces, 0);
    space(&world, &third).snapshot(Freshness::Now).await.unwrap();
    visit(&world, &third).await;
    space(&world, &third).snapshot(Freshness::Now).await.unwrap();
    assert_eq!(third.memory().spaces, 1);
}

#[tokio::test]
async fn several_visit_at_once() {
    let world = World::new();
    let mut pods = Vec::new();
    for _ in 0..4 {
        pods.push(engine(&world).await);
    }
    abandoned(&world, &pods[0].0, &pods[1].0).await;
    for hours in 1..5 {
        pods.iter().for_each(|(_, clock)| clock.ahead.store(25 * hours * HOUR, Ordering::Relaxed));
        futures::future::join_all(pods.iter().map(|(engine, _)| visit(&world, engine))).await;
    }
    let now = space(&world, &pods[2].0).now().await;
    assert_eq!((now.usage().reserved.0, now.usage().used.0), (0, 2));
}
