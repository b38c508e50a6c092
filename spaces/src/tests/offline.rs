//! Tools that read a volume without a cluster, over volumes that engines wrote and somebody damaged.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use api::generation::Generation;

use super::world::{MIB, Short, World, path};
use crate::log::layout::BLOCK;
use crate::offline::{OfflineVolume, SpaceReport};
use crate::{Condition, NewUpload, Operation, Space};

async fn verified(world: &World) -> SpaceReport {
    let volume = OfflineVolume::open(world.volume.path()).await.unwrap();
    assert_eq!(volume.owner().unwrap().cluster, world.cluster);
    assert_eq!(volume.spaces().await.unwrap(), [world.space]);
    volume.verify(world.space, true).await.unwrap()
}

async fn told(world: &World) -> Vec<String> {
    let volume = OfflineVolume::open(world.volume.path()).await.unwrap();
    let mut sentences = Vec::new();
    let told = volume.log(world.space, None, None, |entry| {
        sentences.extend(entry.operations.into_iter().map(|operation| operation.what));
        ControlFlow::Continue(())
    });
    told.await.unwrap();
    sentences
}

/// All files of a space and their content.
fn everything(at: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(everything(&path));
        } else {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

/// A space with a bit of everything: 2 files of 100,003 bytes, and an upload that has 5 of 10 bytes.
async fn varied(world: &World) -> Space {
    let space = world.roomy(10 * MIB).await;
    space.act(Operation::MakeDirectory { path: path("d/e"), parents: true }).await.unwrap();
    space.put("d/small", b"abc").await.unwrap();
    space.put("d/large", &vec![7; 100_000]).await.unwrap();
    space.put("gone", b"for a while").await.unwrap();
    space
        .act(Operation::Delete { path: path("gone"), condition: Condition::None, permanently: true })
        .await
        .unwrap();
    let new = NewUpload {
        path: path("x/y"),
        length: api::bytes::Bytes(10),
        condition: Condition::Absent,
        parents: true,
        ..NewUpload::default()
    };
    let open = space.create_upload(new).await.unwrap();
    let mut writer = space.continue_upload(open, 0).await.unwrap();
    writer.write("12345".into()).await.unwrap();
    writer.acknowledge().await.unwrap();
    drop(writer);
    space
}

#[tokio::test]
async fn a_sound_space_is_counted_and_not_touched() {
    let world = World::new();
    let space = varied(&world).await;
    let generation = space.now().await.generation();
    let before = everything(&world.directory());
    let report = verified(&world).await;
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.from, report.generation, report.entries), (Generation(0), generation, generation.0));
    assert_eq!((report.files, report.directories), (2, 3), "{report:?}");
    assert_eq!((report.used.0, report.reserved.0), (100_003, 10));
    assert_eq!((report.objects.referenced, report.objects.kept), (3, 1), "{:?}", report.objects);
    let looked = (report.objects.checked, report.objects.unchecked);
    assert_eq!(looked, (2, 1), "the upload has not come to its end: {:?}", report.objects);
    assert_eq!(everything(&world.directory()), before);
}

#[tokio::test]
async fn an_upload_without_a_byte_has_no_data_file() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    let new = NewUpload { path: path("x"), length: api::bytes::Bytes(10), ..NewUpload::default() };
    space.create_upload(new).await.unwrap();
    let report = verified(&world).await;
    assert!(report.is_sound(), "{:?}", report.findings);
}

#[tokio::test]
async fn what_is_wrong_with_the_log_is_told() {
    let world = World::new();
    varied(&world).await;
    let entry = |number: u64| world.directory().join(format!("log/0/{number}"));
    let good = fs::read(entry(3)).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for (bytes, what) in [
        (Some(flipped), "log/0/3: its checksum is wrong"),
        (Some(good[..good.len() - 1].to_vec()), "log/0/3: it is"),
        (Some(fs::read(entry(2)).unwrap()), "log/0/3: it does not fit what came before it"),
        (None, "log/0/3: the entry is missing, and later ones are there"),
    ] {
        match bytes {
            Some(bytes) => fs::write(entry(3), bytes).unwrap(),
            None => fs::remove_file(entry(3)).unwrap(),
        }
        let report = verified(&world).await;
        assert!(
            report.findings.iter().any(|finding| finding.contains(what)),
            "{what}: {:?}",
            report.findings
        );
        assert_eq!(report.generation.0, 2, "{what}");
    }
    fs::write(entry(3), good).unwrap();
    assert!(verified(&world).await.is_sound());
}

#[tokio::test]
async fn what_is_wrong_with_data_files_is_told() {
    let world = World::new();
    varied(&world).await;
    let objects: Vec<_> = everything(&world.directory().join("objects"));
    let (place, content) = objects.iter().max_by_key(|(_, content)| content.len()).unwrap();
    fs::write(place, &content[..99_999]).unwrap();
    let report = verified(&world).await;
    assert!(
        report.findings.iter().any(|finding| finding.contains("99999 bytes long")),
        "{:?}",
        report.findings
    );
    fs::remove_file(place).unwrap();
    let report = verified(&world).await;
    assert!(report.findings.iter().any(|finding| finding.contains("is missing")), "{:?}", report.findings);
    fs::write(place, content).unwrap();
    let shard = place.parent().unwrap();
    let stray = format!("7-{}00000000000001", shard.file_name().unwrap().to_str().unwrap());
    fs::write(shard.join(&stray), b"stray").unwrap();
    fs::write(shard.join("note.txt"), b"whose?").unwrap();
    let report = verified(&world).await;
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.objects.unreferenced, report.objects.unreferenced_bytes.0), (1, 5));
    assert!(report.leftovers.strange.iter().any(|name| name.ends_with("note.txt")), "{:?}", report.leftovers);
}

#[tokio::test]
async fn a_state_that_was_written_down_must_be_what_the_entries_lead_to() {
    let world = World::new();
    let space = world.roomy(MIB).await;
    for number in 2..=BLOCK {
        space.put("a", format!("{number}").as_bytes()).await.unwrap();
    }
    let right = space.now().await.state().clone();
    space.put("a", b"later").await.unwrap();
    let log = world.directory().join("log");
    fs::write(log.join("1/start"), right.to_start().seal()).unwrap();
    let report = verified(&world).await;
    assert!(report.is_sound() && report.starts == 1, "{report:?}");

    let mut wrong = right.to_start();
    wrong.limit.bytes.0 -= 1;
    fs::write(log.join("1/start"), wrong.seal()).unwrap();
    let report = verified(&world).await;
    assert!(
        report.findings[0].contains("log/1/start: it is not what the entries before it lead to"),
        "{report:?}"
    );

    // Behind a gap it is what is read on from.
    fs::write(log.join("1/start"), right.to_start().seal()).unwrap();
    fs::remove_file(log.join("0/5")).unwrap();
    let report = verified(&world).await;
    assert_eq!(report.generation.0, BLOCK + 1, "{report:?}");
    assert_eq!(report.findings.len(), 2, "{report:?}");

    // Once the beginning is truncated nothing is missing; what is left of it does no harm.
    fs::write(log.join("0/gone"), b"").unwrap();
    let report = verified(&world).await;
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.from.0, report.entries), (BLOCK, 1));
    assert_eq!(report.leftovers.truncated, BLOCK - 1);
    fs::remove_file(log.join("1/start")).unwrap();
    let report = verified(&world).await;
    assert!(report.findings[0].contains("no state replaces it"), "{report:?}");
}

#[tokio::test]
async fn the_log_tells_what_was_done() {
    let world = World::new();
    let space = varied(&world).await;
    space.act(Operation::Move { from: path("d/small"), to: path("d/e/s"), overwrite: false }).await.unwrap();
    space.act(Operation::Copy { from: path("d"), to: path("c"), overwrite: false }).await.unwrap();
    space
        .act(Operation::Delete { path: path("c"), condition: Condition::None, permanently: true })
        .await
        .unwrap();
    let told = told(&world).await;
    for sentence in [
        "makes the directory \"/d\"",
        "makes the directory \"/d/e\"",
        "makes the file \"/d/small\" (3 bytes)",
        "deletes \"/gone\"",
        "moves \"/d/small\" to \"/d/e/s\"",
        "copies \"/d\" to \"/c\"",
        "deletes \"/c\" with 3 in it",
    ] {
        assert!(told.iter().any(|one| one == sentence), "{sentence}: {told:#?}");
    }
    assert!(
        told.iter()
            .any(|one| one.starts_with("begins the upload ")
                && one.ends_with(" to \"/x/y\", if nothing is there")),
        "{told:#?}"
    );
}

#[tokio::test]
async fn a_volume_is_read_whoever_it_belongs_to() {
    let world = World::new();
    varied(&world).await;
    fs::remove_file(world.volume.path().join("internet-disk.json")).unwrap();
    let volume = OfflineVolume::open(world.volume.path()).await.unwrap();
    assert!(volume.owner().unwrap_err().contains("missing"));
    assert!(volume.verify(world.space, false).await.unwrap().is_sound());
    let nothing = tempfile::tempdir().unwrap();
    assert!(OfflineVolume::open(nothing.path()).await.is_err());
    assert!(OfflineVolume::open(&nothing.path().join("missing")).await.is_err());
}
