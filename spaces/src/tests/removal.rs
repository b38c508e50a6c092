//! Spaces that are closed, opened again, and removed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::generation::{Generation, RosterGeneration};

use super::failing::{Failing, Fault};
use super::volumes::{Volumes, draining, space};
use super::world::{MIB, Short, World, path, volume_name};
use crate::file_system::FsError;
use crate::log::layout::BLOCK;
use crate::{
    Condition, Engine, EngineConfig, Error, Freshness, LocalVolume, Operation, OperationId, Request,
    Settings, Space, TokioHost,
};

async fn close(space: &Space, roster: u64) {
    space.act(Operation::Close { roster_generation: RosterGeneration(roster) }).await.unwrap();
}

/// All files of a space below a directory of a volume, without those that stay.
fn files(volume: &Path, space: &Space) -> Vec<String> {
    let text = space.id().to_string();
    let root = volume.join("spaces").join(&text[..2]).join(&text);
    let mut found = Vec::new();
    let mut ahead = vec![root.clone()];
    while let Some(at) = ahead.pop() {
        let Ok(entries) = std::fs::read_dir(&at) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                ahead.push(path);
            } else if !path.ends_with("gone") && !path.ends_with("removed") {
                found.push(path.strip_prefix(&root).unwrap().display().to_string());
            }
        }
    }
    found
}

#[tokio::test]
async fn a_space_that_was_adopted_in_time_is_not_removed() {
    let volumes = Volumes::new(&["a"]);
    let (here, there) = (volumes.pod(&["a"]).await, volumes.pod(&["a"]).await);
    let mine = space(&here, "a").await;
    mine.put("f", b"kept").await.unwrap();
    let home = || "a".parse().unwrap();
    let remove = |pod: &Engine, closed_for| {
        let (pod, id, home) = (pod.clone(), mine.id(), home());
        async move { pod.remove_space(id, home, closed_for).await }
    };
    let open = remove(&here, Duration::ZERO).await.unwrap_err();
    assert!(matches!(open, Error::SpaceKept { .. }), "{open}");
    close(&mine, 2).await;
    let refused = mine.put("g", b"x").await.unwrap_err();
    assert!(matches!(refused, Error::SpaceClosed), "{refused}");
    let early = remove(&there, Duration::from_secs(3600)).await.unwrap_err();
    assert!(matches!(early, Error::SpaceKept { .. }), "{early}");
    // A Member or Group that names its id gives it a limit.
    let again = there.space(mine.id(), home());
    again.limit(3, MIB, MIB).await.unwrap();
    let open = remove(&there, Duration::ZERO).await.unwrap_err();
    assert!(matches!(open, Error::SpaceKept { .. }), "{open}");
    again.put("g", b"new").await.unwrap();
    assert_eq!(mine.get("f").await.unwrap(), b"kept");
}

#[tokio::test]
async fn a_space_that_was_removed_is_gone_for_pods_that_slept_too() {
    let volumes = Volumes::new(&["a", "b"]);
    let (here, there) =
        (volumes.pod_with(&["a", "b"], draining(&["a"])).await, volumes.pod(&["a", "b"]).await);
    let mine = space(&here, "a").await;
    for number in 0..20 {
        mine.put(&format!("{number}"), &[7; 2_000]).await.unwrap();
    }
    let theirs = there.space(mine.id(), "a".parse().unwrap());
    theirs.put("home", &[8; 2_000]).await.unwrap();
    assert!(volumes.objects("a", mine.id()).len() == 1 && volumes.objects("b", mine.id()).len() == 20);
    // This pod has content that is durable, and then it sleeps.
    let content = theirs.staged(&[9; 3_000]).await.unwrap();
    let path = path("late");
    let late = Operation::Put { path, content, condition: Condition::None, parents: false };
    close(&mine, 2).await;
    let removed = here.remove_space(mine.id(), "a".parse().unwrap(), Duration::ZERO).await.unwrap();
    assert_eq!(removed.objects, 22);
    for volume in ["a", "b"] {
        assert_eq!(files(volumes.directory(volume), &mine), Vec::<String>::new(), "on {volume}");
    }
    let id = OperationId(uuid::Uuid::new_v4());
    let request = Request { id, born: Some(Generation(20)), locks: Vec::new(), operation: late };
    let refused = theirs.commit(request).await.unwrap_err();
    assert!(matches!(refused, Error::SpaceRemoved | Error::OutcomeUnknown), "{refused}");
    let cold = volumes.pod(&["a", "b"]).await.space(mine.id(), "a".parse().unwrap());
    for pod in [&mine, &theirs, &cold] {
        let shown = pod.snapshot(Freshness::Now).await.unwrap_err();
        assert!(matches!(shown, Error::SpaceRemoved), "{shown}");
        let refused = pod.limit(9, MIB, MIB).await.unwrap_err();
        assert!(matches!(refused, Error::SpaceRemoved), "{refused}");
    }
    // Asked again it is done again: nothing is left, whatever somebody wrote since.
    let removed = there.remove_space(mine.id(), "a".parse().unwrap(), Duration::ZERO).await.unwrap();
    assert_eq!(removed.objects, 0);
    there.upkeep(mine.id(), "a".parse().unwrap()).await.unwrap();
    assert_eq!(files(volumes.directory("a"), &mine), Vec::<String>::new());
}

/// A pod may die before all of a block is taken away, and a power loss may bring names back, but not those before.
#[tokio::test]
async fn a_space_is_removed_though_a_state_and_entries_behind_it_are_still_there() {
    let world = World::new();
    let mine = world.roomy(MIB).await;
    while mine.now().await.generation().0 < BLOCK {
        mine.put("f", &[1; 2_000]).await.unwrap();
    }
    let start = mine.now().await.state().to_start().seal();
    mine.put("f", &[2; 2_000]).await.unwrap();
    close(&mine, 2).await;
    let block = world.directory().join("log/1");
    let entry = block.join((BLOCK + 1).to_string());
    let kept = std::fs::read(&entry).unwrap();
    let engine = world.engine().await;
    engine.remove_space(mine.id(), volume_name(), Duration::ZERO).await.unwrap();
    std::fs::write(block.join("start"), start).unwrap();
    std::fs::write(&entry, kept).unwrap();
    let next = world.engine().await;
    let shown = next.space(mine.id(), volume_name()).snapshot(Freshness::Now).await.unwrap_err();
    assert!(matches!(shown, Error::SpaceRemoved), "{shown}");
    next.remove_space(mine.id(), volume_name(), Duration::ZERO).await.unwrap();
    assert_eq!(files(world.volume.path(), &mine), Vec::<String>::new());
}

#[tokio::test]
async fn a_removal_that_ends_at_any_step_is_done_when_it_is_asked_again() {
    let mut calls = 1;
    loop {
        let world = World::new();
        let mine = world.roomy(MIB).await;
        mine.put("f", &[1; 2_000]).await.unwrap();
        close(&mine, 2).await;
        let volume =
            Failing::over(LocalVolume::open(&volume_name(), world.volume.path().to_owned(), None).unwrap());
        let volumes = vec![(volume_name(), volume.clone() as Arc<dyn crate::FileSystem>)];
        let config =
            EngineConfig { volumes, cluster: world.cluster, adopt: None, settings: Settings::default() };
        let dies = Engine::open(config, Arc::new(TokioHost::current())).await.unwrap();
        volume.fail(Fault { from: calls, all: true, error: FsError::Other("it fails".into()) });
        let done = dies.remove_space(mine.id(), volume_name(), Duration::ZERO).await;
        let failed = volume.heal();
        assert!(failed || done.is_ok(), "{done:?}");
        drop(dies);
        // Whether it was removed, or is closed as before: never half of it.
        let next = world.engine().await;
        match next.space(mine.id(), volume_name()).snapshot(Freshness::Now).await {
            Ok(snapshot) => assert!(snapshot.lookup(&path("f")).is_some(), "at call {calls}"),
            Err(error) => assert!(matches!(error, Error::SpaceRemoved), "at call {calls}: {error}"),
        }
        next.remove_space(mine.id(), volume_name(), Duration::ZERO).await.unwrap();
        assert_eq!(files(world.volume.path(), &mine), Vec::<String>::new(), "at call {calls}");
        if !failed {
            break;
        }
        // Most of the later calls look into one directory of objects after another.
        calls += if calls < 40 { 1 } else { 23 };
    }
    assert!(calls > 200, "{calls}");
}
