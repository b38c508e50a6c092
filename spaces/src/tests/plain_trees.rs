//! A space as a plain tree, and back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use api::bytes::Bytes;
use api::generation::Generation;
use api::ids::{ClusterUid, SpaceId};
use uuid::Uuid;

use super::world::{MIB, Short, World, path, volume_name};
use crate::offline::{ImportConfig, ImportReport, OfflineError, OfflineVolume, import};
use crate::{Condition, NodePath, Operation};

fn config(world: &World, tree: &Path, space: SpaceId) -> ImportConfig {
    ImportConfig {
        tree: tree.to_owned(),
        volume: world.volume.path().to_owned(),
        cluster: world.cluster,
        adopt: None,
        space,
        into: NodePath::root(),
        limit: Some(Bytes(10 * MIB)),
        overwrite: false,
    }
}

fn counted(report: &ImportReport) -> (u64, u64, usize) {
    (report.files, report.already, report.skipped.len())
}

#[tokio::test]
async fn a_space_becomes_a_tree_and_a_space_again() {
    let world = World::new();
    let space = world.roomy(10 * MIB).await;
    let long = format!("{}.txt", "ü".repeat(251));
    let large: Vec<u8> = (0..300_000_u32).map(|byte| byte.to_le_bytes()[0]).collect();
    space.act(Operation::MakeDirectory { path: path("d/empty"), parents: true }).await.unwrap();
    space.put("d/small", b"abc").await.unwrap();
    space.put("nothing", b"").await.unwrap();
    space.put("d/large", &large).await.unwrap();
    space.put(&format!("d/{long}"), b"long").await.unwrap();
    let before = space.now().await.generation();
    space
        .act(Operation::Delete { path: path("d/small"), condition: Condition::None, permanently: true })
        .await
        .unwrap();

    let place = tempfile::tempdir().unwrap();
    let volume = OfflineVolume::open(world.volume.path()).await.unwrap();
    let then = place.path().join("then");
    let manifest = volume.export(world.space, Some(before), &then).await.unwrap();
    assert_eq!((manifest.files, manifest.directories, manifest.missing.len()), (4, 3, 0), "{manifest:?}");
    assert_eq!(manifest.renamed.len(), 1, "{manifest:?}");
    assert_eq!(fs::read(then.join("files/d/small")).unwrap(), b"abc");
    assert_eq!(fs::read(then.join("files/d/large")).unwrap(), large);
    assert_eq!(fs::read(then.join("files").join(&manifest.renamed[0].written_as)).unwrap(), b"long");
    let node = space.now().await.lookup(&path("d/large")).unwrap();
    let crate::Kind::File { modified, .. } = node.kind else { panic!("{node:?}") };
    let written = fs::metadata(then.join("files/d/large")).unwrap().modified().unwrap();
    assert_eq!(written.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis(), modified as u128);

    // Nothing is mixed up with what is there already, and what never was is not made up.
    assert!(matches!(volume.export(world.space, None, &then).await, Err(OfflineError::Target(_))));
    let later = place.path().join("later");
    assert!(volume.export(world.space, Some(Generation(1_000)), &later).await.is_err());
    let now = volume.export(world.space, None, &later).await.unwrap();
    assert_eq!(now.files, 3);

    let other = SpaceId(Uuid::new_v4());
    let report = import(config(&world, &then, other)).await.unwrap();
    assert_eq!(counted(&report), (4, 0, 0), "{report:?}");
    let again = import(config(&world, &then, other)).await.unwrap();
    assert_eq!(counted(&again), (0, 4, 0), "{again:?}");
    let copy = world.engine().await.space(other, volume_name());
    assert_eq!(copy.get("d/large").await.unwrap(), large);
    assert_eq!(copy.get(&format!("d/{long}")).await.unwrap(), b"long");
    assert_eq!(copy.names("d").await, ["empty".to_owned(), "large".to_owned(), "small".to_owned(), long]);
    assert!(volume.verify(other, true).await.unwrap().is_sound());
}

#[tokio::test]
async fn what_is_missing_is_not_made_up() {
    let world = World::new();
    let space = world.roomy(10 * MIB).await;
    space.put("lost", &vec![1; 100_000]).await.unwrap();
    space.put("kept", b"abc").await.unwrap();
    let shards = fs::read_dir(world.directory().join("objects")).unwrap();
    for shard in shards {
        for object in fs::read_dir(shard.unwrap().path()).unwrap() {
            let object = object.unwrap();
            if object.metadata().unwrap().len() > 1_000 {
                fs::File::options().write(true).open(object.path()).unwrap().set_len(50_000).unwrap();
            }
        }
    }
    let place = tempfile::tempdir().unwrap();
    let volume = OfflineVolume::open(world.volume.path()).await.unwrap();
    let manifest = volume.export(world.space, None, &place.path().join("a")).await.unwrap();
    assert_eq!(manifest.files, 1);
    assert!(
        manifest.missing[0].starts_with("/lost: ") && manifest.missing[0].contains("too early"),
        "{manifest:?}"
    );
    assert!(!place.path().join("a/files/lost").exists());
}

#[tokio::test]
async fn a_tree_is_taken_in_as_far_as_it_goes() {
    let world = World::new();
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir_all(tree.path().join("d")).unwrap();
    for number in 0..200 {
        fs::write(tree.path().join(format!("d/{number}")), format!("content {number}")).unwrap();
    }
    fs::write(tree.path().join("cafe\u{301}"), b"decomposed").unwrap();
    fs::write(tree.path().join("line\nbreak"), b"no name").unwrap();
    symlink("/etc/passwd", tree.path().join("link")).unwrap();
    let into = ImportConfig { into: path("in/here"), ..config(&world, tree.path(), world.space) };
    let report = import(into.clone()).await.unwrap();
    assert_eq!(counted(&report), (201, 0, 2), "{report:?}");
    let space = world.pod().await;
    assert_eq!(space.get("in/here/caf\u{e9}").await.unwrap(), b"decomposed");
    assert_eq!(space.names("in/here/d").await.len(), 200);
    let entries = space.now().await.generation().0;
    assert!(entries < 100, "small files share entries: there are {entries}");

    fs::write(tree.path().join("d/7"), b"another").unwrap();
    let refused = import(into.clone()).await.unwrap();
    assert_eq!(counted(&refused), (0, 200, 3), "{refused:?}");
    let replaced = import(ImportConfig { overwrite: true, ..into }).await.unwrap();
    assert_eq!(counted(&replaced), (1, 200, 2), "{replaced:?}");
    assert_eq!(space.get("in/here/d/7").await.unwrap(), b"another");
}

#[tokio::test]
async fn the_limit_and_the_owner_are_kept() {
    let world = World::new();
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join("a"), vec![0; 2_000_000]).unwrap();
    let wanted = config(&world, tree.path(), world.space);
    let unlimited = import(ImportConfig { limit: None, ..wanted.clone() }).await.unwrap_err();
    assert!(unlimited.to_string().contains("--limit"), "{unlimited}");
    let full = import(ImportConfig { limit: Some(Bytes(MIB)), ..wanted.clone() }).await.unwrap_err();
    assert!(full.to_string().contains("the space is full"), "{full}");
    let stranger = ClusterUid(Uuid::new_v4());
    let foreign = import(ImportConfig { cluster: stranger, ..wanted.clone() }).await.unwrap_err();
    assert!(foreign.to_string().contains("belongs to"), "{foreign}");
    let adopted = ImportConfig { cluster: stranger, adopt: Some(world.cluster), ..wanted };
    assert_eq!(counted(&import(adopted).await.unwrap()), (1, 0, 0));
}
