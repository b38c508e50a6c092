//! Objects of a space on several volumes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use api::bytes::Bytes as Amount;
use bytes::Bytes;

use super::volumes::{Volumes, draining, space};
use super::world::{MIB, Short, path};
use crate::offline::OfflineVolume;
use crate::{
    Condition, Error, NewUpload, Operation, RelocationGoal, Settings, TrashSettings, VersionSettings,
};

fn content(length: u64, seed: u64) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(31).wrapping_add(seed * 7) % 251) as u8).collect()
}

#[tokio::test]
async fn a_full_volume_is_no_reason_to_refuse_while_another_one_has_room() {
    let volumes = Volumes::new(&["a", "b"]);
    let (here, there) = (volumes.pod(&["a", "b"]).await, volumes.pod(&["a", "b"]).await);
    let here = space(&here, "a").await;
    let there = there.space(here.id(), "a".parse().unwrap());
    here.put("first", b"at home").await.unwrap();
    assert_eq!(volumes.objects("b", here.id()).len(), 0, "home has room");

    volumes.faults("a").full.store(true, Ordering::SeqCst);
    // A small content is not told at all; the same for a large one that comes after it.
    here.put("small", b"elsewhere").await.unwrap();
    here.put("large", &content(MIB, 1)).await.unwrap();
    assert_eq!(volumes.objects("b", here.id()).len(), 2);
    assert_eq!(here.now().await.state().volumes.iter().count(), 1, "it has got one number");
    for pod in [&here, &there] {
        assert_eq!(pod.get("first").await.unwrap(), b"at home");
        assert_eq!(pod.get("small").await.unwrap(), b"elsewhere");
        assert!(pod.get("large").await.unwrap() == content(MIB, 1));
    }
    // A pod that does not know that the volume is full is told by it, and goes on.
    there.put("there", b"too").await.unwrap();
    assert_eq!(here.get("there").await.unwrap(), b"too");

    volumes.faults("b").full.store(true, Ordering::SeqCst);
    let delete = Operation::Delete { path: path("first"), condition: Condition::None, permanently: true };
    let (refused, deleted) = tokio::join!(here.put("none", b"x"), here.act(delete));
    assert!(matches!(refused, Err(Error::StorageFull(_))), "{refused:?}");
    deleted.unwrap();
}

#[tokio::test]
async fn an_upload_goes_on_elsewhere() {
    let volumes = Volumes::new(&["a", "b"]);
    let pod = volumes.pod(&["a", "b"]).await;
    let space = space(&pod, "a").await;
    let bytes = content(3 * MIB, 2);
    let (length, condition) = (Amount(bytes.len() as u64), Condition::Absent);
    let id = space
        .create_upload(NewUpload {
            path: path("u"),
            length,
            condition,
            parents: false,
            locks: Vec::new(),
            modified: None,
        })
        .await
        .unwrap();
    let mut writer = space.continue_upload(id, 0).await.unwrap();
    writer.write(Bytes::copy_from_slice(&bytes[..MIB as usize])).await.unwrap();
    assert_eq!(writer.acknowledge().await.unwrap(), MIB);
    volumes.faults("a").full.store(true, Ordering::SeqCst);
    // It is told at the first piece or at the end.
    let refused = match writer.write(Bytes::copy_from_slice(&bytes[MIB as usize..])).await {
        Ok(()) => writer.finish().await.unwrap_err(),
        Err(refused) => refused,
    };
    assert!(matches!(refused, Error::StorageFull(_)), "{refused}");
    let mut writer = space.continue_upload(id, MIB).await.unwrap();
    writer.write(Bytes::copy_from_slice(&bytes[MIB as usize..])).await.unwrap();
    writer.finish().await.unwrap();
    assert!(space.get("u").await.unwrap() == bytes);
    assert_eq!(space.objects_on(&"b".parse().unwrap()).await.unwrap(), (1, 0));
}

#[tokio::test]
async fn a_volume_that_a_pod_does_not_have_stops_nothing_else() {
    let volumes = Volumes::new(&["a", "b"]);
    let pod = volumes.pod_with(&["a", "b"], draining(&["a"])).await;
    let here = space(&pod, "a").await;
    here.put("there", b"on b").await.unwrap();
    pod.set_settings(Settings::default());
    here.put("here", b"on a").await.unwrap();
    let less = volumes.pod(&["a"]).await.space(here.id(), "a".parse().unwrap());
    assert_eq!(less.get("here").await.unwrap(), b"on a");
    less.put("more", b"also").await.unwrap();
    let node = less.now().await.lookup(&path("there")).unwrap();
    let missing = less.read(&node, 0..9).await.unwrap().next().await.unwrap_err();
    let uid = here.now().await.state().volumes.get(crate::VolumeIndex(1)).unwrap();
    assert!(matches!(missing, Error::VolumeMissing(id) if id == uid), "{missing}");
    // Its names can be moved and deleted all the same.
    less.act(Operation::Delete { path: path("there"), condition: Condition::None, permanently: true })
        .await
        .unwrap();
    assert_eq!(here.names("").await, ["here", "more"]);
}

#[tokio::test]
async fn what_is_drained_ends_up_empty_and_no_tag_changes() {
    let volumes = Volumes::new(&["a", "b", "c"]);
    let pod = volumes.pod_with(&["a", "b", "c"], draining(&["a", "c"])).await;
    let space = space(&pod, "a").await;
    let other = volumes.pod(&["a", "b", "c"]).await.space(space.id(), "a".parse().unwrap());
    for number in 0..20 {
        space.put(&format!("{number}"), &content(50 + number, number)).await.unwrap();
    }
    space.put("large", &content(MIB, 99)).await.unwrap();
    let (from, to) = (path("large"), path("copy"));
    space.act(Operation::Copy { from, to, overwrite: false }).await.unwrap();
    space
        .act(Operation::Delete { path: path("3"), condition: Condition::None, permanently: true })
        .await
        .unwrap();
    let b = "b".parse().unwrap();
    let (used, dropped) = space.objects_on(&b).await.unwrap();
    assert!(used == 20 && dropped == 1, "{used} {dropped}");
    let before = space.now().await.list(&path(""), None, 99);

    pod.set_settings(draining(&["b"]));
    let mut relocation = space.relocate(RelocationGoal::Drain(b.clone())).await.unwrap();
    // It can be stopped after any step, and another pod goes on.
    let step = relocation.step(Amount(300)).await.unwrap().unwrap();
    assert!(step.objects > 0 && step.objects < 20 && step.unreadable.is_empty(), "{step:?}");
    let reader = {
        let node = other.now().await.lookup(&path("large")).unwrap();
        other.read(&node, 0..MIB).await.unwrap()
    };
    let mut again = space.relocate(RelocationGoal::Drain(b.clone())).await.unwrap();
    assert!(again.left() < 20);
    while again.step(Amount(1000)).await.unwrap().is_some() {}
    while relocation.step(Amount(1000)).await.unwrap().is_some() {}
    let (used, _) = space.objects_on(&b).await.unwrap();
    assert_eq!(used, 0);
    let after = space.now().await.list(&path(""), None, 99);
    assert_eq!(before.len(), after.len());
    for ((name, old), (_, new)) in before.iter().zip(&after) {
        assert_eq!(old.etag(), new.etag(), "{name}");
        assert!(old != new, "{name} has come to lie elsewhere");
    }
    // What was collected early is found where it is now.
    let objects = volumes.directory("b").join("spaces");
    std::fs::remove_dir_all(objects).unwrap();
    let mut reader = reader;
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.next().await.unwrap() {
        bytes.extend_from_slice(&chunk);
    }
    assert!(bytes == content(MIB, 99));
    assert!(other.get("copy").await.unwrap() == bytes);
    assert_eq!(other.get("7").await.unwrap(), content(57, 7));
    let tag = after.iter().find(|(name, _)| name.as_str() == "7").unwrap().1.etag();
    space.put_if("7", b"new", Condition::Matches(tag)).await.unwrap();
    assert!(space.now().await.state().marks.get(crate::NodeId(9), 9).is_some());
}

#[tokio::test]
async fn objects_that_are_mostly_dead_are_written_anew() {
    let volumes = Volumes::new(&["a"]);
    let pod = volumes.pod(&["a"]).await;
    let space = space(&pod, "a").await;
    // One round, one object.
    let puts = (0..8).map(|number| {
        let space = space.clone();
        async move { space.put(&format!("{number}"), &content(500, number)).await.unwrap() }
    });
    futures::future::join_all(puts).await;
    let before = volumes.objects("a", space.id());
    for number in 0..6 {
        space
            .act(Operation::Delete {
                path: path(&format!("{number}")),
                condition: Condition::None,
                permanently: true,
            })
            .await
            .unwrap();
    }
    let mut relocation = space.relocate(RelocationGoal::Compact).await.unwrap();
    let done = relocation.step(Amount(MIB)).await.unwrap().unwrap();
    assert!(done.objects >= 1 && done.bytes.0 <= 1000, "{done:?} of {before:?}");
    assert!(relocation.step(Amount(MIB)).await.unwrap().is_none());
    let mut again = space.relocate(RelocationGoal::Compact).await.unwrap();
    let done = again.step(Amount(MIB)).await.unwrap().unwrap();
    assert_eq!((done.objects, done.bytes.0), (0, 0), "nothing is moved twice");
    for number in 6..8 {
        assert_eq!(space.get(&format!("{number}")).await.unwrap(), content(500, number));
    }
}

#[tokio::test]
async fn old_versions_and_the_trash_leave_a_volume_too() {
    let volumes = Volumes::new(&["a", "b"]);
    let day = Duration::from_secs(86_400);
    let keeping = |drained: &[&str]| Settings {
        trash: TrashSettings { keep: day, most_percent: 100 },
        versions: VersionSettings { keep: day, most_per_file: 9 },
        ..draining(drained)
    };
    let pod = volumes.pod_with(&["a", "b"], keeping(&["b"])).await;
    let space = space(&pod, "a").await;
    for seed in 0..3 {
        space.put("f", &content(2 * MIB, seed)).await.unwrap();
        space.put("g", &content(100, seed)).await.unwrap();
    }
    let delete = Operation::Delete { path: path("g"), condition: Condition::None, permanently: false };
    space.act(delete).await.unwrap();
    let tags = |now: &crate::Snapshot| -> Vec<String> {
        now.versions(&path("f")).iter().map(|version| version.node.etag()).collect()
    };
    let before = space.now().await;
    let old = before.versions(&path("f"))[1].node.clone();
    pod.set_settings(keeping(&["a"]));
    let mut relocation = space.relocate(RelocationGoal::Drain("a".parse().unwrap())).await.unwrap();
    while relocation.step(Amount(MIB)).await.unwrap().is_some() {}
    assert_eq!(space.objects_on(&"a".parse().unwrap()).await.unwrap().0, 0);
    let after = space.now().await;
    assert_eq!((tags(&after), after.usage()), (tags(&before), before.usage()));
    // What was there is collected; who has an old version in hand finds it where it is now.
    std::fs::remove_dir_all(
        volumes
            .directory("a")
            .join("spaces")
            .join(&space.id().to_string()[..2])
            .join(space.id().to_string())
            .join("objects"),
    )
    .unwrap();
    let read = |node| {
        let space = space.clone();
        async move {
            let mut reader = space.read(&node, 0..u64::MAX).await.unwrap();
            let mut bytes = Vec::new();
            while let Some(chunk) = reader.next().await.unwrap() {
                bytes.extend_from_slice(&chunk);
            }
            bytes
        }
    };
    assert!(read(old).await == content(2 * MIB, 0));
    let item = after.trash(None, 9)[0].place.item;
    space.act(Operation::Restore { item, to: None, overwrite: false }).await.unwrap();
    assert_eq!(space.get("g").await.unwrap(), content(100, 2));
}

#[tokio::test]
async fn tools_look_at_all_volumes_that_are_named() {
    let volumes = Volumes::new(&["a", "b", "c"]);
    let pod = volumes.pod_with(&["a", "b", "c"], draining(&["a", "c"])).await;
    let space = space(&pod, "a").await;
    space.put("there", &content(MIB, 1)).await.unwrap();
    pod.set_settings(draining(&["b", "c"]));
    space.put("here", b"small").await.unwrap();
    let alone = OfflineVolume::open(volumes.directory("a")).await.unwrap();
    assert_eq!(alone.spaces().await.unwrap(), [space.id()]);
    let report = alone.verify(space.id(), true).await.unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.objects.referenced, report.objects.elsewhere), (1, 1));
    let other = OfflineVolume::open(volumes.directory("b")).await.unwrap();
    assert_eq!((other.spaces().await.unwrap(), other.guests().await.unwrap()), (vec![], vec![space.id()]));

    let all = || async {
        let volume = OfflineVolume::open(volumes.directory("a")).await.unwrap();
        let volume = volume.beside(volumes.directory("c")).await.unwrap();
        volume.beside(volumes.directory("b")).await.unwrap()
    };
    let report = all().await.verify(space.id(), true).await.unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.objects.referenced, report.objects.elsewhere), (2, 0));
    assert!(report.objects.bytes.0 > MIB + 5 && report.objects.checked == 2, "{:?}", report.objects);
    let target = tempfile::tempdir().unwrap();
    let manifest = all().await.export(space.id(), None, target.path()).await.unwrap();
    assert_eq!((manifest.files, manifest.missing.len()), (2, 0));
    assert!(std::fs::read(target.path().join("files/there")).unwrap() == content(MIB, 1));
    let target = tempfile::tempdir().unwrap();
    let manifest = alone.export(space.id(), None, target.path()).await.unwrap();
    assert_eq!((manifest.files, manifest.missing.len()), (1, 1));

    // An object that is lost on another volume is told with the volume.
    let text = space.id().to_string();
    let objects = volumes.directory("b").join("spaces").join(&text[..2]).join(&text).join("objects");
    std::fs::remove_dir_all(objects).unwrap();
    let report = all().await.verify(space.id(), false).await.unwrap();
    assert!(report.findings[0].starts_with("volume "), "{:?}", report.findings);
    assert!(report.findings[0].contains("it is missing"), "{:?}", report.findings);
}

#[tokio::test]
async fn a_byte_that_a_volume_has_changed_is_found_wherever_the_bytes_came_from() {
    let volumes = Volumes::new(&["a", "b"]);
    let pod = volumes.pod(&["a", "b"]).await;
    let space = space(&pod, "a").await;
    let verify = || async {
        let volume = OfflineVolume::open(volumes.directory("a")).await.unwrap();
        volume.beside(volumes.directory("b")).await.unwrap().verify(space.id(), true).await.unwrap()
    };
    // Packed, put alone, uploaded, and moved to another volume.
    let (first, second) = (content(200, 1), content(300, 2));
    let (one, two) = futures::join!(space.put("small", &first), space.put("other", &second));
    one.and(two).unwrap();
    space.put("large", &content(3 * MIB + 7, 3)).await.unwrap();
    let upload = NewUpload { path: path("upload"), length: Amount(2 * MIB), ..NewUpload::default() };
    let id = space.create_upload(upload).await.unwrap();
    let mut writer = space.continue_upload(id, 0).await.unwrap();
    writer.write(Bytes::from(content(2 * MIB, 4))).await.unwrap();
    writer.finish().await.unwrap();
    let report = verify().await;
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.objects.checked, report.objects.referenced);
    pod.set_settings(draining(&["a"]));
    let mut relocation = space.relocate(RelocationGoal::Drain("a".parse().unwrap())).await.unwrap();
    while relocation.step(Amount(MIB)).await.unwrap().is_some() {}
    let report = verify().await;
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.objects.checked, report.objects.referenced);

    let text = space.id().to_string();
    let root = volumes.directory("b").join("spaces").join(&text[..2]).join(&text).join("objects");
    // The length of the content stands before the check and the mark.
    let content_of = |file: &[u8]| {
        let length = file[file.len() - 32..file.len() - 24].try_into().unwrap();
        usize::try_from(u64::from_le_bytes(length)).unwrap()
    };
    for name in volumes.objects("b", space.id()) {
        let shards = std::fs::read_dir(&root).unwrap().map(|shard| shard.unwrap().path().join(&name));
        let file = { shards }.find(|file| file.exists()).unwrap();
        let good = std::fs::read(&file).unwrap();
        for at in [0, good.len() / 2, good.len() - 60, good.len() - 20] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&file, &bad).unwrap();
            let report = verify().await;
            assert_eq!(report.findings.len(), 1, "byte {at} of {}: {:?}", good.len(), report.findings);
            assert!(report.findings[0].contains(&name), "{:?}", report.findings);
            let piece = at >> 20 << 20;
            let place = format!("its bytes from {piece} to {}", (piece + (1 << 20)).min(content_of(&good)));
            let told = if at < content_of(&good) { place.as_str() } else { "its checksums are damaged" };
            assert!(report.findings[0].contains(told), "byte {at}: {:?}", report.findings);
        }
        // Without its last bytes it has no checksums, as those of older versions.
        std::fs::write(&file, &good[..good.len() - 1]).unwrap();
        let report = verify().await;
        assert!(report.is_sound() && report.objects.unchecked == 1, "{report:?}");
        std::fs::write(&file, &good).unwrap();
    }
    assert!(verify().await.is_sound());
}
