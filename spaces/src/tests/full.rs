//! A volume that is full, read-only or stale at any step: a clear answer, nothing lost, nothing overwritten, and all
//! goes on once it is well.

use std::sync::Arc;
use std::time::Duration;

use api::bytes::Bytes as Amount;
use api::generation::RosterGeneration;
use api::ids::SpaceId;
use uuid::Uuid;

use super::failing::{Failing, Fault, files};
use super::world::{MIB, Short, World, path, volume_name};
use crate::file_system::{FileSystem, FsError};
use crate::{
    Condition, Engine, EngineConfig, Error, Freshness, LocalVolume, NewUpload, Operation, OperationId,
    Request, Settings, Space, TokioHost,
};

/// What is tried while the volume fails.
#[derive(Clone, Copy, Debug)]
enum Step {
    MakeDirectory,
    PutSmall,
    PutLarge,
    Upload,
    /// A space of which there is nothing yet.
    NewSpace,
}

const STEPS: [Step; 5] = [Step::MakeDirectory, Step::PutSmall, Step::PutLarge, Step::Upload, Step::NewSpace];

struct Trial {
    world: World,
    volume: Arc<Failing>,
    engine: Engine,
    space: Space,
}

async fn engine(world: &World, volume: Arc<dyn FileSystem>) -> Result<Engine, crate::OpenError> {
    let volumes = vec![(volume_name(), volume)];
    let config = EngineConfig { volumes, cluster: world.cluster, adopt: None, settings: Settings::default() };
    Engine::open(config, Arc::new(TokioHost::current())).await
}

impl Trial {
    async fn new() -> Self {
        let world = World::new();
        let volume =
            Failing::over(LocalVolume::open(&volume_name(), world.volume.path().to_owned(), None).unwrap());
        let engine = engine(&world, volume.clone()).await.unwrap();
        let space = engine.space(world.space, volume_name());
        space.limit(1, 4096 * MIB, 4096 * MIB).await.unwrap();
        space.put("here", b"all the time").await.unwrap();
        Self { world, volume, engine, space }
    }

    async fn step(&self, step: Step, round: u64) -> Result<(), Error> {
        let at = format!("{step:?}{round}");
        match step {
            Step::MakeDirectory => {
                self.space.act(Operation::MakeDirectory { path: path(&at), parents: true }).await.map(drop)
            }
            Step::PutSmall => self.space.put(&at, b"small").await.map(drop),
            Step::PutLarge => self.space.put(&at, &vec![7; 20_000]).await.map(drop),
            Step::Upload => {
                let new = NewUpload { path: path(&at), length: Amount(5), ..NewUpload::default() };
                let id = self.space.create_upload(new).await?;
                let mut writer = self.space.continue_upload(id, 0).await?;
                writer.write("12".into()).await?;
                writer.acknowledge().await?;
                writer.write("345".into()).await?;
                writer.finish().await.map(drop)
            }
            Step::NewSpace => {
                let space = self.engine.space(SpaceId(Uuid::from_u128(u128::from(round))), volume_name());
                let request = Request {
                    id: OperationId(Uuid::from_u128(1)),
                    born: None,
                    locks: Vec::new(),
                    operation: Operation::Limit {
                        roster_generation: RosterGeneration(1),
                        target: Amount(MIB),
                        ceiling: Amount(MIB),
                    },
                };
                space.commit(request).await.map(drop)
            }
        }
    }
}

#[tokio::test]
async fn a_volume_that_is_full_at_any_step() {
    for step in STEPS {
        let trial = Trial::new().await;
        for from in 1.. {
            assert!(from < 100, "{step:?} has no end");
            let before = files(&trial.world.directory());
            trial.volume.fail(Fault { from, all: false, error: FsError::Full });
            let answer = trial.step(step, from).await;
            let read = trial.space.get("here").await;
            let failed = trial.volume.heal();
            assert_eq!(read.unwrap(), b"all the time", "a full volume can be read: {step:?} {from}");
            let after = files(&trial.world.directory());
            for (file, hash) in &before {
                // An object of what did not become a file is taken away by its writer; and of the states that are written
                // down at the ends of blocks, beside all this, few are kept.
                let name = file.to_string_lossy();
                let may_go = name.contains("/objects/") || name.ends_with("/start");
                assert!(
                    after.get(file).map_or(may_go, |now| now == hash),
                    "{step:?} {from}: {}",
                    file.display()
                );
            }
            match answer {
                Ok(()) if !failed => break,
                // What is only tidied up may fail.
                Ok(()) => {}
                Err(Error::StorageFull(volume)) => {
                    assert_eq!(volume, volume_name());
                    let told = Error::StorageFull(volume).to_string();
                    assert!(told.contains("volume a is full") && told.contains("make room"), "{told}");
                }
                // The entry was ready, and a link that failed may land all the same.
                Err(Error::OutcomeUnknown | Error::Stalled(_)) => {}
                Err(error) => panic!("{step:?} {from}: {error}"),
            }
            // Once there is room all of it goes.
            trial.step(step, 1000 + from).await.unwrap_or_else(|error| panic!("{step:?} {from}: {error}"));
            trial.space.now().await;
        }
        assert!(trial.engine.stopped_spaces().is_empty());
        let pod = trial.world.pod().await;
        assert!(pod.now().await.same(&trial.space.now().await), "{step:?}");
        assert_eq!(pod.get("here").await.unwrap(), b"all the time");
    }
}

#[tokio::test]
async fn a_new_volume_that_is_full_at_any_step() {
    for from in 1.. {
        assert!(from < 100, "it has no end");
        let world = World::new();
        let volume =
            Failing::over(LocalVolume::open(&volume_name(), world.volume.path().to_owned(), None).unwrap());
        volume.fail(Fault { from, all: false, error: FsError::Full });
        let opened = engine(&world, volume.clone()).await;
        let failed = volume.heal();
        match opened {
            Ok(engine) => {
                let space = engine.space(world.space, volume_name());
                space.limit(1, MIB, MIB).await.unwrap();
                space.put("a", b"content").await.unwrap();
            }
            // Its name could not be linked, each time it was tried.
            Err(error) => assert!(error.to_string().contains("the volume a "), "{error}"),
        }
        let space = world.roomy(MIB).await;
        space.put("b", b"content").await.unwrap();
        assert_eq!(world.pod().await.get("b").await.unwrap(), b"content");
        if !failed {
            break;
        }
    }
}

#[tokio::test]
async fn a_volume_that_is_read_only_is_read() {
    let trial = Trial::new().await;
    let before = files(trial.world.volume.path());
    trial.volume.fail(Fault { from: 1, all: false, error: FsError::ReadOnly });
    for step in STEPS {
        let refused = trial.step(step, 1).await.unwrap_err();
        let told = refused.to_string();
        assert!(matches!(refused, Error::ReadOnly(_)), "{step:?}: {refused:?}");
        assert!(told.contains("volume a ") && told.contains("mount it"), "{told}");
    }
    // Also by a pod that begins only now.
    let late = engine(&trial.world, trial.volume.clone()).await.unwrap();
    let space = late.space(trial.world.space, volume_name());
    assert_eq!(space.get("here").await.unwrap(), b"all the time");
    assert!(late.stopped_spaces().is_empty() && trial.engine.stopped_spaces().is_empty());
    assert_eq!(files(trial.world.volume.path()), before);
    trial.volume.heal();
    for step in STEPS {
        trial.step(step, 2).await.unwrap();
    }
}

#[tokio::test]
async fn any_error_at_any_step_is_got_over() {
    let error = FsError::Other("input/output error, made by a test".into());
    for step in STEPS {
        let trial = Trial::new().await;
        for from in 1.. {
            assert!(from < 150, "{step:?} has no end");
            trial.volume.fail(Fault { from, all: true, error: error.clone() });
            let answer = trial.step(step, from).await;
            let failed = trial.volume.heal();
            match answer {
                Ok(()) if !failed => break,
                Ok(()) | Err(Error::OutcomeUnknown | Error::Stalled(_)) => {}
                Err(Error::Io(told)) => assert!(told.contains("volume a"), "{told}"),
                Err(error) => panic!("{step:?} {from}: {error}"),
            }
            trial.step(step, 1000 + from).await.unwrap_or_else(|error| panic!("{step:?} {from}: {error}"));
        }
        assert!(trial.engine.stopped_spaces().is_empty());
        assert!(trial.world.pod().await.now().await.same(&trial.space.now().await), "{step:?}");
    }
}

#[tokio::test]
async fn what_was_not_known_is_known_when_it_is_asked_again() {
    let trial = Trial::new().await;
    let born = Some(trial.space.now().await.generation());
    for from in 1..12 {
        let at = format!("d{from}");
        let request = || Request {
            id: OperationId(Uuid::from_u128(from.into())),
            born,
            locks: Vec::new(),
            operation: Operation::MakeDirectory { path: path(&at), parents: false },
        };
        trial.volume.fail(Fault { from, all: false, error: FsError::Full });
        let first = trial.space.commit(request()).await;
        trial.volume.heal();
        let again = trial.space.commit(request()).await.unwrap();
        if let Ok(first) = first {
            assert_eq!(first.generation, again.generation);
        }
        assert!(trial.space.snapshot(Freshness::Now).await.unwrap().lookup(&path(&at)).is_some());
    }
    let refused = trial.space.put_if("here", b"x", Condition::Absent).await.unwrap_err();
    assert!(matches!(refused, Error::Precondition), "{refused}");
    tokio::time::timeout(Duration::from_secs(5), trial.space.now()).await.unwrap();
}
