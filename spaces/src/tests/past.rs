//! A space as it was at an earlier generation, and what of it comes back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::generation::Generation;
use api::ids::{ClusterUid, SpaceId};
use uuid::Uuid;

use super::expiry::{self, HOUR};
use super::gate::{Gate, Stop};
use super::memory::Memory;
use super::world::{MIB, PATIENCE, Short, World, path, volume_name};
use crate::log::layout::BLOCK;
use crate::{
    Condition, Engine, EngineConfig, Error, FileSystem, Kind, NodePath, Operation, Property, PropertyChanges,
    PropertyName, Settings, Snapshot, Space, TokioHost,
};

const SPACE: SpaceId = SpaceId(Uuid::from_u128(0x5eed));

/// A pod that keeps nothing longer than it is needed, and does nothing by itself.
async fn frugal(volume: Arc<dyn FileSystem>) -> Engine {
    let nothing = Duration::ZERO;
    let settings = Settings { history: nothing, remembered: nothing, upkeep: nothing, ..Settings::default() };
    let (volumes, cluster) = (vec![(volume_name(), volume)], ClusterUid(Uuid::from_u128(1)));
    let config = EngineConfig { volumes, cluster, adopt: None, settings };
    Engine::open(config, Arc::new(TokioHost::current())).await.unwrap()
}

/// What a file held then.
async fn held(space: &Space, then: &Snapshot, at: &str) -> Result<Option<String>, Error> {
    let Some(node) = then.lookup(&path(at)) else { return Ok(None) };
    let mut reader = space.read(&node, 0..u64::MAX).await?;
    let mut content = Vec::new();
    while let Some(chunk) = reader.next().await? {
        content.extend_from_slice(&chunk);
    }
    Ok(Some(String::from_utf8(content).unwrap()))
}

fn bring(from: &Snapshot, at: &str, to: &str, overwrite: bool) -> Operation {
    Operation::BringBack { from: from.clone(), path: path(at), to: path(to), overwrite }
}

fn delete(at: &str) -> Operation {
    Operation::Delete { path: path(at), condition: Condition::None, permanently: true }
}

#[tokio::test]
async fn every_generation_that_is_left_can_be_read() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    let last = 2 * BLOCK + 5;
    for number in 2..=last {
        space.put("a", number.to_string().as_bytes()).await.unwrap();
    }
    let other = world.pod().await;
    assert_eq!(other.oldest().await.unwrap(), Generation::ZERO);
    for generation in [0, 1, 2, BLOCK, BLOCK + 1, 2 * BLOCK, last - 1, last] {
        for pod in [&space, &other] {
            let then = pod.at(Generation(generation)).await.unwrap();
            assert_eq!(then.generation().0, generation);
            assert!(then.audit().is_empty());
            let expected = (generation > 1).then(|| generation.to_string());
            assert_eq!(held(pod, &then, "a").await.unwrap(), expected);
        }
    }
    let refused = space.at(Generation(last + 1)).await.unwrap_err();
    assert!(matches!(refused, Error::NotYet { newest } if newest.0 == last), "{refused}");

    // The first block is truncated, and the state before the second is what is left of it.
    let start = space.at(Generation(BLOCK)).await.unwrap();
    let log = world.directory().join("log");
    std::fs::write(log.join("1/start"), start.to_start()).unwrap();
    assert_eq!(world.pod().await.at(Generation(BLOCK - 1)).await.unwrap().generation().0, BLOCK - 1);
    std::fs::write(log.join("0/gone"), b"").unwrap();
    for removed in [1, BLOCK / 2, BLOCK] {
        std::fs::remove_file(log.join(format!("0/{removed}"))).unwrap();
        for pod in [&space, &other, &world.pod().await] {
            for generation in [0, 1, BLOCK - 1] {
                let gone = pod.at(Generation(generation)).await.unwrap_err();
                assert!(matches!(gone, Error::HistoryGone { oldest } if oldest.0 == BLOCK), "{gone}");
            }
            for generation in [BLOCK, BLOCK + 1, last] {
                let then = pod.at(Generation(generation)).await.unwrap();
                assert_eq!(held(pod, &then, "a").await.unwrap(), Some(generation.to_string()));
            }
            assert_eq!(pod.oldest().await.unwrap().0, BLOCK);
        }
    }
    // What is missing and not gone is told, and the space goes on.
    std::fs::remove_file(log.join(format!("1/{}", BLOCK + 2))).unwrap();
    let broken = space.at(Generation(BLOCK + 3)).await.unwrap_err();
    assert!(broken.to_string().contains("the entry is missing"), "{broken}");
    space.put("a", b"goes on").await.unwrap();
}

#[tokio::test]
async fn a_time_is_before_the_first_later_clock() {
    let world = World::new();
    let ((here, clock_here), (there, clock_there)) = (expiry::pod(&world).await, expiry::pod(&world).await);
    let begin = 1_000 * HOUR;
    here.limit(1, MIB, MIB).await.unwrap();
    // The third clock is ahead, and the fourth one goes back behind it.
    let puts = [
        (&here, &clock_here, 1),
        (&there, &clock_there, 2),
        (&here, &clock_here, 4),
        (&there, &clock_there, 3),
        (&there, &clock_there, 5),
    ];
    for (number, (space, clock, hour)) in (1..).zip(puts) {
        clock.ahead.store(hour * HOUR, Ordering::Relaxed);
        space.put("a", number.to_string().as_bytes()).await.unwrap();
        if number == 2 {
            // A state that was written down is begun with, when it is not too new.
            while here.now().await.generation().0 < BLOCK {
                space.put("a", b"2").await.unwrap();
            }
            let start = here.now().await.to_start();
            std::fs::create_dir_all(world.directory().join("log/1")).unwrap();
            std::fs::write(world.directory().join("log/1/start"), start).unwrap();
        }
    }
    for (hours, expected) in [
        (0, None),
        (1, Some("1")),
        (2, Some("2")),
        (3, Some("2")),
        (4, Some("4")),
        (5, Some("5")),
        (9, Some("5")),
    ] {
        for pod in [&here, &there] {
            let then = pod.as_of(begin + hours * HOUR).await.unwrap();
            assert_eq!(held(pod, &then, "a").await.unwrap().as_deref(), expected, "{hours}");
            assert!(then.time().is_none_or(|time| time <= begin + hours * HOUR));
        }
    }
    assert_eq!(here.as_of(begin - 1).await.unwrap().generation(), Generation::ZERO);
}

#[tokio::test]
async fn what_was_comes_back() {
    let world = World::new();
    let space = world.roomy(30).await;
    space.act(Operation::MakeDirectory { path: path("d/e"), parents: true }).await.unwrap();
    space.put("d/e/x", b"one").await.unwrap();
    let name = PropertyName::new("urn:x", "colour");
    let changes = PropertyChanges {
        set: vec![Property { name: name.clone(), value: "red".into() }],
        remove: Vec::new(),
        modified: Some(77),
    };
    space
        .act(Operation::SetProperties { path: path("d/e/x"), condition: Condition::None, changes })
        .await
        .unwrap();
    space.put("d/y", b"two").await.unwrap();
    let then = space.put("d/y", b"three").await.unwrap().generation;
    space.put("d/y", b"later").await.unwrap();
    space.act(delete("d/e")).await.unwrap();
    let then = space.at(then).await.unwrap();
    space.act(bring(&then, "d", "then/d", false)).await.unwrap();
    for (at, content) in [("then/d/e/x", "one"), ("then/d/y", "three"), ("d/y", "later")] {
        assert_eq!(space.get(at).await.unwrap(), content.as_bytes());
    }
    let now = space.now().await;
    assert_eq!(now.usage().used.0, 13);
    let x = now.lookup(&path("then/d/e/x")).unwrap();
    assert!(matches!(x.kind, Kind::File { modified: 77, .. }), "{x:?}");
    assert_eq!(now.properties(x.id), [Property { name, value: "red".into() }]);
    // A file in its place stays the file it is.
    let id = |snapshot: &Snapshot| snapshot.lookup(&path("d/y")).unwrap().id;
    let before = id(&now);
    assert!(matches!(space.act(bring(&then, "d/y", "d/y", false)).await, Err(Error::Exists)));
    space.act(bring(&then, "d/y", "d/y", true)).await.unwrap();
    assert_eq!((space.get("d/y").await.unwrap(), id(&space.now().await)), (b"three".to_vec(), before));
    // All of it, over something else.
    let all = |to: &str| Operation::BringBack {
        from: then.clone(),
        path: NodePath::root(),
        to: path(to),
        overwrite: true,
    };
    space.act(all("d")).await.unwrap();
    assert_eq!(space.get("d/d/e/x").await.unwrap(), b"one");
    assert_eq!(space.names("").await, ["d", "then"]);
    for (at, to, expected) in
        [("none", "x", "nothing at this path"), ("d", "", "the root"), ("d", "d/d/y/z", "not a directory")]
    {
        let refused = space.act(bring(&then, at, to, true)).await.unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
    }
    space.act(all("f")).await.unwrap();
    let full = space.act(all("g")).await.unwrap_err();
    assert!(matches!(full, Error::QuotaExceeded { .. }), "{full}");
    let another = World::new().roomy(1).await;
    let elsewhere = another.act(bring(&then, "d", "d", false)).await.unwrap_err();
    assert!(matches!(elsewhere, Error::UnknownSpace(_)), "{elsewhere}");
}

/// A space with one file for each generation, of which the first is deleted at once.
async fn long(volume: &Arc<Memory>, blocks: u64) -> (Engine, Space) {
    let engine = frugal(volume.clone()).await;
    let space = engine.space(SPACE, volume_name());
    space.limit(1, MIB, MIB).await.unwrap();
    space.put("first", b"first").await.unwrap();
    space.act(delete("first")).await.unwrap();
    for number in 4..=BLOCK * blocks + 1 {
        space.put(&number.to_string(), number.to_string().as_bytes()).await.unwrap();
    }
    (engine, space)
}

#[tokio::test]
async fn what_is_kept_no_more_is_told_and_never_read_wrongly() {
    let volume = Arc::new(Memory::default());
    let (engine, space) = long(&volume, 2).await;
    let then = space.at(Generation(2)).await.unwrap();
    let first = then.lookup(&path("first")).unwrap();
    assert!(space.now().await.keeps(&first), "what can be read as it was is kept");
    assert_eq!(held(&space, &then, "first").await.unwrap().as_deref(), Some("first"));
    space.act(bring(&then, "first", "again", false)).await.unwrap();
    space.act(delete("again")).await.unwrap();
    // Somebody goes on listing from the past while it is truncated and collected.
    for number in 0..2 * BLOCK {
        space.put(&format!("{}", number % 3), b"later").await.unwrap();
    }
    for _ in 0..2 {
        engine.upkeep(SPACE, volume_name()).await.unwrap();
    }
    assert_eq!(then.list(&NodePath::root(), None, 9).len(), 1);
    assert!(!space.now().await.keeps(&first));
    let gone = held(&space, &then, "first").await.unwrap_err();
    assert!(matches!(gone, Error::ContentGone), "{gone}");
    let gone = space.act(bring(&then, "first", "again", false)).await.unwrap_err();
    assert!(matches!(gone, Error::ContentGone), "{gone}");
    let gone = frugal(volume.clone()).await.space(SPACE, volume_name()).at(Generation(2)).await.unwrap_err();
    assert!(matches!(gone, Error::HistoryGone { oldest } if oldest.0 == 4 * BLOCK), "{gone}");
}

/// A reader of the past sleeps at each of its calls, and meanwhile what it reads is truncated: it has read what was, or
/// is told that it is no more.
#[tokio::test]
async fn truncation_runs_beside_a_reader() {
    let template = Arc::new(Memory::default());
    let (engine, _) = long(&template, 3).await;
    // There is a state to begin with, and nothing is gone yet.
    let roomy = Settings { history: Duration::from_secs(3600), ..(*engine.settings()).clone() };
    engine.set_settings(roomy);
    engine.upkeep(SPACE, volume_name()).await.unwrap();
    let (mut read, mut gone) = (0, 0);
    for past in [2, BLOCK + 3, 2 * BLOCK, 3 * BLOCK - 1] {
        for at in 0.. {
            let volume = template.again();
            let (gate, keeper) = Gate::new(volume.clone(), Stop { at, done: true });
            let reader = tokio::spawn(async move {
                let space = frugal(gate).await.space(SPACE, volume_name());
                let then = space.at(Generation(past)).await?;
                Ok::<_, Error>((then.generation(), held(&space, &then, "first").await, then))
            });
            let stopped = tokio::select! {
                () = keeper.reached() => true,
                () = async { while !reader.is_finished() { tokio::task::yield_now().await } } => false,
            };
            if !stopped {
                assert!(at > 8, "{at}");
                break;
            }
            let engine = frugal(volume.clone()).await;
            let space = engine.space(SPACE, volume_name());
            for number in 0..BLOCK {
                space.put(&format!("{}", number % 3), b"later").await.unwrap();
            }
            for _ in 0..2 {
                engine.upkeep(SPACE, volume_name()).await.unwrap();
            }
            keeper.open();
            match tokio::time::timeout(PATIENCE, reader).await.expect("it goes on").unwrap() {
                Ok((generation, content, then)) => {
                    assert_eq!(generation.0, past);
                    assert!(then.audit().is_empty());
                    match content {
                        Ok(content) => assert_eq!(content.as_deref(), (past == 2).then_some("first")),
                        Err(error) => assert!(matches!(error, Error::ContentGone), "{error}"),
                    }
                    read += 1;
                }
                Err(Error::HistoryGone { oldest }) => {
                    assert!(oldest.0 > past, "call {at}: {oldest} is said to be the oldest, of {past}");
                    gone += 1;
                }
                Err(error) => panic!("call {at}: {error}"),
            }
        }
    }
    println!("{read} times it was read, {gone} times it was gone");
    assert!(read > 0 && gone > 0);
}

/// Commits go on while a reader of the past stands still, at any of its calls.
#[tokio::test]
async fn nobody_waits_for_a_reader() {
    let template = Arc::new(Memory::default());
    long(&template, 2).await;
    let mut stops = 0;
    for at in 0.. {
        let volume = template.again();
        let (gate, keeper) = Gate::new(volume.clone(), Stop { at, done: false });
        let opened = async {
            let space = frugal(gate).await.space(SPACE, volume_name());
            space.now().await;
            space
        };
        let space = tokio::select! {
            space = opened => space,
            () = keeper.reached() => continue,
        };
        let reading = space.clone();
        let reader = tokio::spawn(async move { reading.at(Generation(BLOCK + 3)).await });
        let stopped = tokio::select! {
            () = keeper.reached() => true,
            () = async { while !reader.is_finished() { tokio::task::yield_now().await } } => false,
        };
        if !stopped {
            break;
        }
        stops += 1;
        tokio::time::timeout(PATIENCE, space.put("z", b"goes on")).await.expect("nobody waits").unwrap();
        // Who gives up lets others read.
        reader.abort();
        assert!(reader.await.is_err());
        let then =
            tokio::time::timeout(PATIENCE, space.at(Generation(3))).await.expect("it is read").unwrap();
        assert_eq!(then.generation().0, 3);
    }
    assert!(stops > 5, "{stops}");
}
