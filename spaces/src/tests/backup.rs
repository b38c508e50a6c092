//! Volumes that are backed up while they are in use, and brought back onto new ones.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use api::ids::ClusterUid;
use tempfile::TempDir;
use uuid::Uuid;

use super::volumes::{Volumes, space};
use super::world::{MIB, Short, World, path, volume_name};
use crate::log::layout::{BLOCK, is_block_end};
use crate::offline::{BackupPoint, BackupReport, backups, prune_backups, restore_backup, take_backup};
use crate::{Condition, Engine, LocalConfig, OpenError, Operation, Settings, Space};

const FIRST: &str = "20261125T210000Z";
const SECOND: &str = "20261125T220000Z";
const THIRD: &str = "20261125T230000Z";

async fn take(volume: &Path, target: &Path, name: &str) -> BackupReport {
    let report = take_backup(&[volume.to_owned()], target, name, 1).await.unwrap();
    assert_eq!(report.manifest.missing, Vec::<String>::new());
    report
}

/// All contents of a space, by their paths.
async fn contents(space: &Space) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![String::new()];
    while let Some(directory) = ahead.pop() {
        for name in space.names(&directory).await {
            let at = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            match space.now().await.lookup(&path(&at)).unwrap().is_directory() {
                true => ahead.push(at),
                false => drop(found.insert(at.clone(), space.get(&at).await.unwrap())),
            }
        }
    }
    found
}

/// A pod of another DiskCluster, which takes the volume over.
async fn adopted(world: &World, volume: &Path) -> Result<Engine, OpenError> {
    let (volumes, adopt) = (vec![(volume_name(), volume.to_owned())], Some(world.cluster));
    let settings = Settings { upkeep: Duration::ZERO, ..Settings::default() };
    let cluster = ClusterUid(Uuid::new_v4());
    Engine::open_local(LocalConfig { volumes, cluster, adopt, faults: None, settings }).await
}

async fn some_files(world: &World) -> Space {
    let space = world.roomy(10 * MIB).await;
    space.act(Operation::MakeDirectory { path: path("d/e"), parents: true }).await.unwrap();
    space.put("d/small", b"abc").await.unwrap();
    space.put("d/e/large", &vec![7; 300_000]).await.unwrap();
    space.put("gone", b"in the trash").await.unwrap();
    let delete = Operation::Delete { path: path("gone"), condition: Condition::None, permanently: false };
    space.act(delete).await.unwrap();
    space
}

#[tokio::test]
async fn a_backup_comes_back_on_a_new_volume_for_another_cluster() {
    let (world, target, new) = (World::new(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let space = some_files(&world).await;
    // The log ends with a block: the next one has nothing in it yet.
    while !is_block_end(space.now().await.generation()) {
        space.put("again", b"and again").await.unwrap();
    }
    let report = take(world.volume.path(), target.path(), FIRST).await;
    assert_eq!(report.manifest.spaces[0].generation, space.now().await.generation());
    let point = BackupPoint::open(&target.path().join(FIRST)).unwrap();
    assert_eq!(point.verify().await.unwrap(), Vec::<String>::new());

    let restored = restore_backup(&point, &[new.path().to_owned()], false).await.unwrap();
    assert_eq!(restored.damaged, Vec::<String>::new());
    let pod = adopted(&world, new.path()).await.unwrap();
    let there = pod.space(world.space, volume_name());
    assert_eq!(contents(&there).await, contents(&space).await);
    let (now, then) = (there.now().await, space.now().await);
    assert_eq!((now.generation(), now.state().used), (then.generation(), then.state().used));
    // It is a space as any other.
    for number in 0..2 * BLOCK {
        there.put(&format!("d/more-{number}"), b"new").await.unwrap();
    }
    assert_eq!(there.get("d/more-7").await.unwrap(), b"new");
}

#[tokio::test]
async fn the_second_backup_copies_what_is_new() {
    let (world, target) = (World::new(), TempDir::new().unwrap());
    let space = some_files(&world).await;
    let first = take(world.volume.path(), target.path(), FIRST).await;
    space.put("new", &vec![1; 100_000]).await.unwrap();
    let second = take(world.volume.path(), target.path(), SECOND).await;
    assert!(first.copied_bytes.0 > 300_000, "{first:?}");
    assert!((100_000..150_000).contains(&second.copied_bytes.0), "{second:?}");

    // Each is whole without the other.
    let links = |name: &str| {
        let image = target.path().join(name).join("volumes");
        let mut most = 0;
        let mut ahead = vec![image];
        while let Some(at) = ahead.pop() {
            for entry in fs::read_dir(at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    ahead.push(path)
                } else {
                    most = most.max(path.metadata().unwrap().nlink())
                }
            }
        }
        most
    };
    assert_eq!(links(SECOND), 2);
    assert_eq!(prune_backups(target.path(), 1).unwrap(), [FIRST]);
    assert_eq!(backups(target.path()).unwrap(), [SECOND]);
    assert_eq!(links(SECOND), 1);
    let point = BackupPoint::open(&target.path().join(SECOND)).unwrap();
    assert_eq!(point.verify().await.unwrap(), Vec::<String>::new());
    // An older name could be mistaken for an older state.
    let refused = take_backup(&[world.volume.path().to_owned()], target.path(), FIRST, 1).await.unwrap_err();
    assert!(refused.to_string().contains("later"), "{refused}");
}

#[tokio::test]
async fn every_backup_under_writers_truncation_and_collection_is_sound() {
    let (world, target) = (World::new(), TempDir::new().unwrap());
    let settings = Settings {
        upkeep: Duration::ZERO,
        history: Duration::ZERO,
        remembered: Duration::ZERO,
        ..Settings::default()
    };
    let volumes = vec![(volume_name(), world.volume.path().to_owned())];
    let config = LocalConfig { volumes, cluster: world.cluster, adopt: None, faults: None, settings };
    let pod = Engine::open_local(config).await.unwrap();
    let space = pod.space(world.space, volume_name());
    space.limit(1, 10 * MIB, 10 * MIB).await.unwrap();
    let (written, over) = (AtomicU32::new(0), AtomicBool::new(false));
    let writes = async {
        while !over.load(Ordering::Relaxed) {
            let number = written.fetch_add(1, Ordering::Relaxed);
            let content = number.to_be_bytes().repeat(30_000);
            space.put(&format!("file-{}", number % 5), &content).await.unwrap();
            if number.is_multiple_of(8) {
                pod.upkeep(world.space, volume_name()).await.unwrap();
            }
        }
    };
    let copies = async {
        for minute in 0..12_u32 {
            // Some blocks come and go between the first and the last.
            while written.load(Ordering::Relaxed) < minute * 6 {
                tokio::task::yield_now().await;
            }
            take(world.volume.path(), target.path(), &format!("20261125T21{minute:02}00Z")).await;
        }
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(writes, copies);
    let mut generations = Vec::new();
    for name in backups(target.path()).unwrap() {
        let point = BackupPoint::open(&target.path().join(&name)).unwrap();
        assert_eq!(point.verify().await.unwrap(), Vec::<String>::new(), "{name}");
        generations.push(point.manifest.spaces[0].generation);
        let new = TempDir::new().unwrap();
        restore_backup(&point, &[new.path().to_owned()], false).await.unwrap();
        let pod = adopted(&world, new.path()).await.unwrap();
        for (name, content) in contents(&pod.space(world.space, volume_name())).await {
            let number = &content[..4];
            assert!(content.chunks(4).all(|chunk| chunk == number), "{name} is a mixture");
        }
    }
    assert!(generations.is_sorted() && generations.first() < generations.last(), "{generations:?}");
}

#[tokio::test]
async fn a_backup_that_was_broken_off_is_gone_on_with() {
    let (world, target) = (World::new(), TempDir::new().unwrap());
    let space = some_files(&world).await;
    take(world.volume.path(), target.path(), FIRST).await;
    // As a crash leaves it: some files were durable, one was not.
    let partial = target.path().join(".partial");
    fs::rename(target.path().join(FIRST), &partial).unwrap();
    fs::remove_file(partial.join("backup.json")).unwrap();
    let list = fs::read_to_string(partial.join("files")).unwrap();
    let (kept, lost) = list.trim_end().rsplit_once('\n').unwrap();
    fs::write(partial.join("journal"), format!("{kept}\n{}", &lost[..20])).unwrap();
    fs::remove_file(partial.join("files")).unwrap();
    let lost = partial.join(lost.rsplit("  ").next().unwrap());
    fs::write(&lost, b"half").unwrap();
    assert_eq!(backups(target.path()).unwrap(), Vec::<String>::new());

    space.put("later", b"new").await.unwrap();
    let report = take(world.volume.path(), target.path(), SECOND).await;
    // The one that was lost, an entry, and the object of the new file.
    assert_eq!(report.copied_files, 3, "{report:?}");
    let point = BackupPoint::open(&target.path().join(SECOND)).unwrap();
    assert_eq!(point.verify().await.unwrap(), Vec::<String>::new());
    assert!(!target.path().join(SECOND).join("journal").exists());
}

/// The first data file of a backup that is longer than so many bytes.
fn data_file(point: &Path, longer: u64) -> PathBuf {
    let list = fs::read_to_string(point.join("files")).unwrap();
    let found = list.lines().find_map(|line| {
        let mut parts = line.splitn(3, "  ").skip(1);
        let (length, path) = (parts.next()?.parse::<u64>().ok()?, parts.next()?);
        (path.contains("/objects/") && length > longer).then(|| point.join(path))
    });
    found.unwrap()
}

#[tokio::test]
async fn a_damaged_backup_is_noticed_and_makes_no_volume() {
    let (world, target) = (World::new(), TempDir::new().unwrap());
    let space = some_files(&world).await;
    let before = contents(&space).await;
    take(world.volume.path(), target.path(), FIRST).await;
    let point = target.path().join(FIRST);
    let damaged = data_file(&point, 200_000);
    let whole = fs::read(&damaged).unwrap();
    let name = damaged.file_name().unwrap().to_str().unwrap();
    let mut flipped = whole.clone();
    flipped[1000] ^= 1;
    for (bytes, said) in [(&flipped[..], "its content"), (&whole[..500], "500 bytes long")] {
        fs::write(&damaged, bytes).unwrap();
        let opened = BackupPoint::open(&point).unwrap();
        let findings = opened.verify().await.unwrap();
        assert!(findings.iter().any(|what| what.contains(name) && what.contains(said)), "{findings:?}");

        let new = TempDir::new().unwrap();
        let places = [new.path().to_owned()];
        let report = restore_backup(&opened, &places, false).await.unwrap();
        assert_eq!(report.damaged.len(), 1, "{report:?}");
        let refused = adopted(&world, new.path()).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains(FIRST) && refused.contains("brought back"), "{refused}");
        // Once it is mended the restore goes on, and copies what is left.
        fs::write(&damaged, &whole).unwrap();
        let report = restore_backup(&opened, &places, false).await.unwrap();
        assert_eq!((report.damaged.len(), report.already + 1), (0, report.files), "{report:?}");
        let pod = adopted(&world, new.path()).await.unwrap();
        assert_eq!(contents(&pod.space(world.space, volume_name())).await, before);
    }
    // Or the rest is wanted.
    fs::remove_file(&damaged).unwrap();
    let new = TempDir::new().unwrap();
    let opened = BackupPoint::open(&point).unwrap();
    let report = restore_backup(&opened, &[new.path().to_owned()], true).await.unwrap();
    assert!(report.damaged[0].contains("missing"), "{report:?}");
    let pod = adopted(&world, new.path()).await.unwrap();
    assert_eq!(pod.space(world.space, volume_name()).get("d/small").await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_tampered_list_is_refused() {
    let (world, target) = (World::new(), TempDir::new().unwrap());
    some_files(&world).await;
    take(world.volume.path(), target.path(), FIRST).await;
    let list = target.path().join(FIRST).join("files");
    let text = fs::read_to_string(&list).unwrap();
    fs::write(&list, text.replacen("volumes/", "../../../", 1)).unwrap();
    let refused = BackupPoint::open(&target.path().join(FIRST)).unwrap_err();
    assert!(refused.to_string().contains("not the list"), "{refused}");
}

#[tokio::test]
async fn a_volume_in_use_is_not_touched() {
    let (world, other, target) = (World::new(), World::new(), TempDir::new().unwrap());
    some_files(&world).await;
    let mine = other.roomy(MIB).await;
    mine.put("mine", b"stays").await.unwrap();
    take(world.volume.path(), target.path(), FIRST).await;
    let point = BackupPoint::open(&target.path().join(FIRST)).unwrap();
    for place in [world.volume.path(), other.volume.path()] {
        let refused = restore_backup(&point, &[place.to_owned()], true).await.unwrap_err();
        assert!(refused.to_string().contains("in use"), "{refused}");
    }
    assert_eq!(mine.get("mine").await.unwrap(), b"stays");
    let refused = restore_backup(&point, &[], true).await.unwrap_err();
    assert!(refused.to_string().contains("has 1 volumes"), "{refused}");
}

#[tokio::test]
async fn a_space_that_is_broken_is_told_and_the_others_are_copied() {
    let (world, target) = (World::new(), TempDir::new().unwrap());
    let broken = some_files(&world).await;
    let other = world.engine().await.space(api::ids::SpaceId(Uuid::new_v4()), volume_name());
    other.limit(1, MIB, MIB).await.unwrap();
    other.put("whole", b"well").await.unwrap();
    let object = world.directory().join("objects");
    fs::remove_dir_all(object).unwrap();
    let volumes = [world.volume.path().to_owned()];
    let report = take_backup(&volumes, target.path(), FIRST, 1).await.unwrap();
    let [what] = &report.manifest.missing[..] else { panic!("{report:?}") };
    assert!(what.contains(&broken.id().to_string()) && what.contains("missing"), "{what}");
    assert_eq!(report.manifest.spaces.len(), 1);
    let point = BackupPoint::open(&target.path().join(FIRST)).unwrap();
    assert!(!point.verify().await.unwrap().is_empty(), "it does not say that it is whole");
}

#[tokio::test]
async fn a_pool_is_backed_up_as_a_whole() {
    let (volumes, target) = (Volumes::new(&["a", "b"]), TempDir::new().unwrap());
    let pod = volumes.pod(&["a", "b"]).await;
    let here = space(&pod, "a").await;
    here.put("at-home", b"one").await.unwrap();
    volumes.faults("a").full.store(true, Ordering::SeqCst);
    // What is small is not told that the volume is full, and what comes after it goes elsewhere at once.
    here.put("small", b"two").await.unwrap();
    here.put("elsewhere", &vec![3; 200_000]).await.unwrap();
    let places = [volumes.directory("a").to_owned(), volumes.directory("b").to_owned()];
    let report = take_backup(&places, target.path(), FIRST, 1).await.unwrap();
    assert_eq!(report.manifest.missing, Vec::<String>::new());
    let (news, point) = ([TempDir::new().unwrap(), TempDir::new().unwrap()], target.path().join(FIRST));
    let point = BackupPoint::open(&point).unwrap();
    assert_eq!(point.verify().await.unwrap(), Vec::<String>::new());
    let places = news.each_ref().map(|new| new.path().to_owned());
    restore_backup(&point, &places, false).await.unwrap();
    let [a, b] = places;
    let config = LocalConfig {
        volumes: vec![("x".parse().unwrap(), a), ("y".parse().unwrap(), b)],
        cluster: ClusterUid(Uuid::new_v4()),
        adopt: Some(point.manifest.cluster),
        faults: None,
        settings: Settings { upkeep: Duration::ZERO, ..Settings::default() },
    };
    let pod = Engine::open_local(config).await.unwrap();
    let there = pod.space(here.id(), "x".parse().unwrap());
    assert_eq!(there.get("at-home").await.unwrap(), b"one");
    assert_eq!(there.get("elsewhere").await.unwrap(), vec![3; 200_000]);

    // One volume of a pool is not all of it.
    let alone =
        take_backup(&[volumes.directory("a").to_owned()], target.path(), SECOND, 1).await.unwrap_err();
    assert!(alone.to_string().contains("not named"), "{alone}");
    assert_eq!(backups(target.path()).unwrap(), [FIRST], "{THIRD} is not there either");
}
