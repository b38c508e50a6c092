//! Where contents lie: numbers of volumes, and bytes that are moved under everything that holds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};
use proptest::prelude::*;
use uuid::Uuid;

use super::State;
use super::intent::{Content, Intent};
use super::retention::Retention;
use super::tests::World;
use super::upload::{HOME, Upload};
use crate::error::Error;
use crate::extent::{Extent, ObjectId, VolumeIndex, VolumeUid};
use crate::format::pool::{Close, NameVolume, Piece, Relocate};
use crate::format::record::{self, Action};
use crate::node::NodeId;
use crate::operation::{Condition, UploadId};
use crate::path::NodePath;

const OTHER: VolumeIndex = VolumeIndex(1);

fn uid(number: u128) -> VolumeUid {
    VolumeUid(Uuid::from_u128(number))
}

fn object(random: u64) -> ObjectId {
    ObjectId { born: Generation(1_000_000), random }
}

fn path(text: &str) -> NodePath {
    text.parse().unwrap()
}

fn put(at: &str, extents: Vec<Extent>) -> Intent {
    let content = Content { extents, ..Content::default() };
    Intent::Put { path: path(at), content, condition: Condition::None, parents: false }
}

fn extent(volume: VolumeIndex, random: u64, offset: u64, length: u64) -> Extent {
    Extent { volume, object: object(random), offset, length }
}

/// The entity tags of all files and of all their old versions, those in the trash too.
pub(super) fn tags(state: &State) -> BTreeMap<(NodeId, u64), String> {
    let mut tags = BTreeMap::new();
    for (id, inode) in &state.nodes {
        if let Some(file) = inode.file() {
            tags.insert((*id, file.version), state.node(*id).unwrap().etag());
        }
        for version in state.versions.of(*id) {
            let mark = state.mark(*id, version.number, &version.extents);
            tags.insert((*id, version.number), format!("\"{:x}-{:x}-{mark:x}\"", id.0, version.number));
        }
    }
    tags
}

/// What is asked of volumes. A relocation says only by what number one is to be chosen; see [`made_of`].
pub(super) fn intent() -> impl Strategy<Value = Intent> {
    let step = |seed: u64| Relocate {
        volume: HOME,
        object: object(seed),
        pieces: Vec::new(),
        nodes: Vec::new(),
        uploads: Vec::new(),
    };
    prop_oneof![
        2 => (1_u128..4).prop_map(|number| Intent::NameVolume { id: uid(number) }),
        6 => any::<u64>().prop_map(move |seed| Intent::Relocate { steps: [step(seed)].into() }),
        1 => (0_u64..4).prop_map(|roster| Intent::Close { roster_generation: RosterGeneration(roster) }),
    ]
}

/// Makes a relocation one of what is there: an object as a whole, or for one of its holders alone.
pub(super) fn made_of(state: &State, intent: &Intent) -> Intent {
    let Intent::Relocate { steps } = intent else { return intent.clone() };
    let seed = steps[0].object.random;
    let held = state.holders(|_, _| true);
    let Some(((volume, old), held)) = held.into_iter().nth(usize::try_from(seed % 7).unwrap()) else {
        return intent.clone();
    };
    let to = VolumeIndex(u16::try_from(seed / 7 % 3).unwrap());
    let mut at = 0;
    let mut pieces = Vec::new();
    for (begin, end) in held.ranges {
        pieces.push(Piece { offset: begin, to: extent(to, seed % 1009 + 5_000, at, end - begin) });
        at += end - begin;
    }
    let most = if seed.is_multiple_of(5) { 1 } else { usize::MAX };
    let (nodes, uploads) = (held.nodes.into_iter().take(most), held.uploads.into_iter().take(most));
    let step = Relocate { volume, object: old, pieces, nodes: nodes.collect(), uploads: uploads.collect() };
    Intent::Relocate { steps: [step].into() }
}

/// A file with two old versions, one of which shares its object with a copy and with a file in the trash, and an upload.
fn varied() -> World {
    let mut world = World::roomy(1_000, Retention { trash: true, versions: 9 });
    world.commit(&Intent::NameVolume { id: uid(7) }).unwrap();
    world.commit(&put("f", vec![extent(HOME, 1, 0, 10)])).unwrap();
    let copy = |to: &str| Intent::Copy { from: path("f"), to: path(to), overwrite: false };
    world.commit(&copy("copy")).unwrap();
    world.commit(&copy("trashed")).unwrap();
    let delete = Intent::Delete { path: path("trashed"), condition: Condition::None, permanently: false };
    world.commit(&delete).unwrap();
    world.commit(&put("f", vec![extent(OTHER, 2, 5, 20), extent(HOME, 1, 4, 6)])).unwrap();
    world.commit(&put("f", vec![extent(HOME, 3, 0, 30)])).unwrap();
    let (upload, target) = (UploadId(Uuid::from_u128(1)), None);
    let (length, object) = (Bytes(50), object(4));
    world.commit(&Intent::CreateUpload { upload, length, object, volume: OTHER, target }).unwrap();
    world
}

fn whole(state: &State, volume: VolumeIndex, old: u64, to: (VolumeIndex, u64)) -> Intent {
    let held = state.holders(|on, known| (on, known) == (volume, object(old)));
    let held = &held[&(volume, object(old))];
    let ranges = held.ranges.iter();
    let pieces =
        ranges.map(|(begin, end)| Piece { offset: *begin, to: extent(to.0, to.1, *begin, end - begin) });
    let (nodes, uploads) = (held.nodes.iter().copied().collect(), held.uploads.iter().copied().collect());
    let step = Relocate { volume, object: object(old), pieces: pieces.collect(), nodes, uploads };
    Intent::Relocate { steps: [step].into() }
}

#[test]
fn everything_that_holds_bytes_is_found() {
    let world = varied();
    let state = &world.state;
    let held = state.holders(|_, _| true);
    let of = |volume, random: u64| &held[&(volume, object(random))];
    // In the file's oldest version and part of the next one, in the copy, and in the trash.
    assert_eq!(of(HOME, 1).ranges, [(0, 10)]);
    assert_eq!(of(HOME, 1).nodes.len(), 3);
    assert_eq!((of(OTHER, 2).ranges.as_slice(), of(OTHER, 2).nodes.len()), ([(5, 25)].as_slice(), 1));
    assert_eq!(of(HOME, 3).bytes(), 30);
    assert!(!held.contains_key(&(OTHER, object(4))), "an upload still writes to it");
    assert_eq!(state.objects_on(HOME), (2, 0));
    assert_eq!(state.objects_on(OTHER), (2, 0));
}

#[test]
fn bytes_are_moved_under_files_versions_trash_and_uploads() {
    let mut world = varied();
    let before = tags(&world.state);
    for (from, old, to) in
        [(HOME, 1, (OTHER, 11)), (OTHER, 2, (HOME, 12)), (HOME, 3, (OTHER, 13)), (OTHER, 11, (HOME, 14))]
    {
        let move_all = whole(&world.state, from, old, to);
        assert_eq!(world.commit(&move_all).unwrap(), 1);
        assert_eq!(world.state.audit(), Vec::<String>::new());
        assert!(!world.state.objects.in_use(from, object(old)), "nothing refers to the old object");
        assert_eq!(tags(&world.state), before, "no tag changes");
        assert_eq!(State::restore(world.state.to_start()).unwrap(), world.state);
        assert_eq!(world.commit(&move_all).unwrap(), 0, "it is done already");
    }
    // A version that is brought back is a new content, wherever its bytes are.
    let (file, oldest) =
        (world.state.find(&path("f")).unwrap(), world.state.versions.oldest().unwrap().1.number);
    world
        .commit(&Intent::RestoreVersion { path: path("f"), version: oldest, condition: Condition::None })
        .unwrap();
    let tag = world.state.node(file).unwrap().etag();
    let again = whole(&world.state, HOME, 14, (OTHER, 15));
    world.commit(&again).unwrap();
    assert_eq!(world.state.node(file).unwrap().etag(), tag);
    // What is gone leaves no mark once the file is moved again; and with the file all go.
    assert!(world.state.marks.get(file, oldest).is_none());
    let delete = Intent::Delete { path: path("f"), condition: Condition::None, permanently: true };
    world.commit(&delete).unwrap();
    assert!(!world.state.marks.0.contains_key(&file));
    assert_eq!(world.state.audit(), Vec::<String>::new());
}

#[test]
fn an_upload_goes_on_at_a_volume_and_its_old_bytes_can_be_moved() {
    let mut world = varied();
    let upload = UploadId(Uuid::from_u128(1));
    let extend = |epoch, durable| Intent::Extend { upload, epoch, durable: Bytes(durable), length: None };
    let target = record::Target {
        path: path("u").names().to_vec(),
        expected: record::Expected::Anything,
        parents: false,
        locks: Vec::new(),
        modified: None,
    };
    world.commit(&Intent::Abort { upload }).unwrap();
    let (length, target) = (Bytes(50), Some(Arc::new(target)));
    world.commit(&Intent::CreateUpload { upload, length, object: object(5), volume: OTHER, target }).unwrap();
    world.commit(&extend(1, 20)).unwrap();
    world.commit(&Intent::TakeOver { upload, epoch: 2, object: object(6), volume: HOME }).unwrap();
    let step = whole(&world.state, OTHER, 5, (HOME, 16));
    world.commit(&step).unwrap();
    world.commit(&extend(2, 50)).unwrap();
    world.commit(&Intent::Complete { upload, epoch: 2 }).unwrap();
    let file = world.state.nodes.get(&world.state.find(&path("u")).unwrap()).unwrap().file().unwrap().clone();
    assert_eq!(file.extents[..], [extent(HOME, 16, 0, 20), extent(HOME, 6, 0, 30)]);
    assert!(world.state.uploads.get(&upload).and_then(Upload::open).is_none());
    assert_eq!(world.state.audit(), Vec::<String>::new());
}

#[test]
fn what_changed_meanwhile_is_left_out() {
    let mut world = varied();
    let step = whole(&world.state, HOME, 1, (OTHER, 11));
    // The copy goes, and the versions of the file; the trash still has it.
    let delete = Intent::Delete { path: path("copy"), condition: Condition::None, permanently: true };
    world.commit(&delete).unwrap();
    world.commit(&Intent::Purge(crate::operation::Purge::Versions { path: path("f") })).unwrap();
    world.commit(&step).unwrap();
    assert_eq!(world.state.holders(|_, _| true)[&(OTHER, object(11))].nodes.len(), 1);
    world.commit(&Intent::Purge(crate::operation::Purge::Everything)).unwrap();
    let step = whole(&varied().state, HOME, 1, (OTHER, 12));
    assert_eq!(world.commit(&step).unwrap(), 0, "nothing is left to be moved");
    assert!(!world.state.objects.knows(OTHER, object(12)));
}

#[test]
fn what_is_too_old_or_lies_on_no_volume_is_refused() {
    let mut world = varied();
    let nowhere = VolumeIndex(2);
    let refused = |world: &World, intent: &Intent| {
        let refused = world.state.plan(intent, Retention::default()).unwrap_err();
        assert!(matches!(refused, Error::OutcomeUnknown), "{intent:?}: {refused}");
    };
    let upload = UploadId(Uuid::from_u128(9));
    let create =
        |object, volume| Intent::CreateUpload { upload, length: Bytes(1), object, volume, target: None };
    refused(&world, &put("x", vec![extent(nowhere, 1, 0, 1)]));
    refused(&world, &create(object(8), nowhere));
    refused(&world, &whole(&world.state, HOME, 1, (nowhere, 8)));
    let open = UploadId(Uuid::from_u128(1));
    refused(&world, &Intent::TakeOver { upload: open, epoch: 2, object: object(8), volume: nowhere });
    let low = world.state.generation;
    world.write(vec![Action::Sweep(record::Sweep { low, truncated: Generation::ZERO })]).unwrap();
    let old = ObjectId { born: Generation(1), random: 8 };
    let mut step = whole(&world.state, HOME, 1, (OTHER, 8));
    if let Intent::Relocate { steps } = &mut step {
        Arc::get_mut(steps).unwrap()[0].pieces[0].to.object = old;
    }
    refused(&world, &step);
    refused(&world, &create(old, OTHER));
}

#[test]
fn a_volume_keeps_its_number() {
    let mut world = World::new();
    for (id, index) in [(5, 1), (3, 2), (5, 1), (4, 3)] {
        world.commit(&Intent::NameVolume { id: uid(id) }).unwrap();
        assert_eq!(world.state.volumes.index_of(uid(id)), Some(VolumeIndex(index)));
    }
    let all: Vec<_> = world.state.volumes.iter().collect();
    assert_eq!(all, [(VolumeIndex(1), uid(5)), (VolumeIndex(2), uid(3)), (VolumeIndex(3), uid(4))]);
    assert!(world.state.volumes.knows(HOME) && !world.state.volumes.knows(VolumeIndex(4)));
    assert_eq!(State::restore(world.state.to_start()).unwrap(), world.state);
    let mut twice = world.state.to_start();
    twice.volumes.push(uid(5));
    assert!(State::restore(twice).is_err());
}

#[test]
fn steps_about_places_that_fit_nothing_are_misfits() {
    let mut world = varied();
    let file = world.state.find(&path("f")).unwrap();
    let step = |to: Extent, nodes, uploads| {
        let pieces = vec![Piece { offset: 0, to }];
        Action::Relocate(Relocate { volume: HOME, object: object(3), pieces, nodes, uploads })
    };
    let good = extent(OTHER, 30, 0, 30);
    for action in [
        Action::NameVolume(NameVolume { volume: VolumeIndex(1), id: uid(1) }),
        Action::NameVolume(NameVolume { volume: VolumeIndex(3), id: uid(1) }),
        Action::NameVolume(NameVolume { volume: VolumeIndex(2), id: uid(7) }),
        step(good, vec![NodeId(77)], Vec::new()),
        step(good, vec![NodeId::ROOT], Vec::new()),
        step(good, vec![world.state.find(&path("copy")).unwrap()], Vec::new()),
        step(good, vec![file, file], Vec::new()),
        step(good, Vec::new(), vec![UploadId(Uuid::from_u128(1))]),
        step(good, Vec::new(), vec![UploadId(Uuid::from_u128(2))]),
        step(Extent { length: 29, ..good }, vec![file], Vec::new()),
        step(Extent { length: 0, ..good }, Vec::new(), Vec::new()),
        step(Extent { offset: u64::MAX - 3, ..good }, vec![file], Vec::new()),
        step(Extent { volume: VolumeIndex(2), ..good }, vec![file], Vec::new()),
        step(extent(HOME, 3, 0, 30), vec![file], Vec::new()),
        Action::Close(Close { roster_generation: RosterGeneration(1), removed: false }),
    ] {
        let before = world.state.clone();
        assert!(world.write(vec![action.clone()]).is_err(), "{action:?}");
        assert_eq!(world.state, before);
    }
    world.write(vec![step(good, vec![file], Vec::new())]).unwrap();
}
