//! What comes from another space, case by case, and at random.

use api::bytes::Bytes;
use api::generation::Generation;
use proptest::prelude::*;

use super::State;
use super::intent::{Content, Intent};
use super::retention::Retention;
use super::tests::World;
use super::upload::HOME;
use crate::error::Error;
use crate::extent::{Extent, ObjectId, VolumeIndex};
use crate::format::pool::{Fingerprint, Import, Imported};
use crate::format::record::{self, Action};
use crate::node::NodeId;
use crate::operation::Condition;
use crate::path::NodePath;
use crate::property::{Property, PropertyChanges, PropertyName};

fn path(text: &str) -> NodePath {
    text.parse().unwrap()
}

fn extent(random: u64, length: u64) -> Extent {
    let object = ObjectId { born: Generation(1_000_000), random };
    Extent { volume: HOME, object, offset: 0, length }
}

fn file(above: u32, name: Option<&str>, random: u64, length: u64) -> Imported {
    let name = name.map(|name| name.parse().unwrap());
    let extents = if length > 0 { vec![extent(random, length)] } else { Vec::new() };
    Imported { above, name, modified: 5, extents: Some(extents), properties: Vec::new() }
}

fn directory(above: u32, name: Option<&str>) -> Imported {
    let name = name.map(|name| name.parse().unwrap());
    Imported { above, name, modified: 4, extents: None, properties: Vec::new() }
}

fn import(at: &str, tree: Vec<Imported>, overwrite: bool) -> Intent {
    Intent::Import { path: path(at), tree: tree.into(), overwrite, source: Some(Fingerprint([1; 16])) }
}

/// A directory with a file, a directory with a file in it, and an empty file.
fn tree() -> Vec<Imported> {
    vec![
        directory(0, None),
        file(0, Some("a"), 2_001, 4),
        directory(0, Some("d")),
        file(2, Some("b"), 2_002, 6),
        file(0, Some("e"), 0, 0),
    ]
}

/// Trees of the shapes that there are, with sizes by chance.
pub(super) fn intent() -> impl Strategy<Value = Intent> {
    let name = || prop::sample::select(vec!["a", "b", "c"]);
    let place = prop::collection::vec(name(), 0..3).prop_map(|names| names.join("/"));
    (place, 0_u64..9, 0_u64..12, any::<bool>(), any::<bool>()).prop_map(
        |(at, object, length, deep, overwrite)| {
            let tree = if deep {
                vec![
                    directory(0, None),
                    file(0, Some("a"), 3_000 + object, length),
                    file(0, Some("b"), 3_009, 2),
                ]
            } else {
                vec![file(0, None, 3_000 + object, length)]
            };
            import(&at, tree, overwrite)
        },
    )
}

#[test]
fn a_tree_comes_in_with_one_entry() {
    let mut world = World::roomy(100, Retention::default());
    let property = record::Property { name: PropertyName::new("urn:x", "p"), value: "1".to_owned() };
    let mut tree = tree();
    tree[3].properties.push(property);
    assert_eq!(world.commit(&import("x", tree, false)).unwrap(), 1);
    let state = &world.state;
    assert_eq!(state.used, Bytes(10));
    let of = |at: &str| state.nodes.get(&state.find(&path(at)).unwrap()).unwrap();
    assert_eq!(of("x/a").file().unwrap().extents[..], [extent(2_001, 4)]);
    assert_eq!((of("x/d/b").file().unwrap().size, of("x/d/b").modified()), (Bytes(6), 5));
    assert_eq!((of("x/e").file().unwrap().size, of("x/d").modified()), (Bytes::ZERO, 4));
    assert_eq!(state.properties.get(state.find(&path("x/d/b")).unwrap()).unwrap().len(), 1);
    assert_eq!(state.moves.len(), 1, "what it was made from is remembered with the operation");
    assert_eq!(&State::restore(state.to_start()).unwrap(), state);
    let low = world.state.generation;
    world.write(vec![Action::Sweep(record::Sweep { low, truncated: Generation::ZERO })]).unwrap();
    assert!(world.state.moves.is_empty(), "and is forgotten with it");
    assert_eq!(world.state.audit(), Vec::<String>::new());
}

#[test]
fn what_has_the_place_goes_where_replaced_things_go() {
    let kept = Retention { trash: true, versions: 2 };
    let put = |number, length| {
        let content = Content { extents: vec![extent(number, length)], ..Content::default() };
        Intent::Put { path: path("x"), content, condition: Condition::None, parents: false }
    };
    for (retention, tree, used, trash, versions) in [
        (Retention::default(), vec![file(0, None, 2_000, 7)], 7, 0, 0),
        (kept, vec![file(0, None, 2_000, 7)], 12, 0, 1),
        (kept, tree(), 15, 1, 0),
        (Retention { versions: 0, ..kept }, vec![file(0, None, 2_000, 7)], 12, 1, 0),
        (Retention { trash: false, ..kept }, tree(), 10, 0, 0),
    ] {
        let mut world = World::roomy(100, retention);
        world.commit(&put(1, 5)).unwrap();
        let refused = world.commit(&import("x", tree.clone(), false)).unwrap_err();
        assert!(matches!(refused, Error::Exists), "{refused}");
        world.commit(&import("x", tree, true)).unwrap();
        let state = &world.state;
        let found = (state.used.0, state.trash.items.len(), state.versions.by_age.len());
        assert_eq!(found, (used, trash, versions), "{retention:?}");
        assert_eq!(state.audit(), Vec::<String>::new());
    }
}

#[test]
fn it_is_exact_against_the_limit_and_makes_room() {
    let mut world = World::roomy(10, Retention { trash: true, versions: 0 });
    world.commit(&import("x", tree(), false)).unwrap();
    let refused = world.commit(&import("y", vec![file(0, None, 9, 1)], false)).unwrap_err();
    assert!(matches!(refused, Error::QuotaExceeded { .. }), "{refused}");
    let delete = |at: &str| Intent::Delete { path: path(at), condition: Condition::None, permanently: false };
    world.commit(&delete("x/d")).unwrap();
    world.commit(&import("y", vec![file(0, None, 9, 6)], false)).unwrap();
    assert_eq!((world.state.used, world.state.trash.items.len()), (Bytes(10), 0));
    for (at, expected) in [("n/y", Error::NotFound), ("y/z", Error::NotADirectory), ("", Error::Root)] {
        let refused = world.state.plan(&import(at, tree(), true), Retention::default()).unwrap_err();
        assert_eq!(refused.to_string(), expected.to_string(), "{at}");
    }
    let mut nowhere = vec![file(0, None, 9, 0)];
    nowhere[0].extents = Some(vec![Extent { volume: VolumeIndex(3), ..extent(1, 0) }]);
    let refused = world.state.plan(&import("n", nowhere, true), Retention::default()).unwrap_err();
    assert!(matches!(refused, Error::OutcomeUnknown), "{refused}");
}

#[test]
fn the_source_goes_only_as_it_was_copied() {
    let mut world = World::roomy(100, Retention { trash: true, versions: 2 });
    world.commit(&import("x", tree(), false)).unwrap();
    world.commit(&import("other", tree(), false)).unwrap();
    let copied = |world: &World| world.state.fingerprint(world.state.find(&path("x")).unwrap());
    let remove = |copied| Intent::RemoveCopied { path: path("x"), copied };
    let was = copied(&world);
    let name = PropertyName::new("urn:x", "p");
    let changes = |value: &str, modified| PropertyChanges {
        set: vec![Property { name: name.clone(), value: value.into() }],
        remove: Vec::new(),
        modified,
    };
    let set = |changes| Intent::SetProperties { path: path("x/d/b"), condition: Condition::None, changes };
    let (from, to) = (path("x/a"), path("x/d/a"));
    let content = Content { extents: vec![extent(77, 6)], ..Content::default() };
    for change in [
        Intent::Put { path: path("x/d/b"), content, condition: Condition::None, parents: false },
        Intent::Move { from, to, overwrite: false },
        Intent::MakeDirectory { path: path("x/new"), parents: false },
        set(Box::new(changes("1", None))),
        set(Box::new(changes("2", None))),
        set(Box::new(changes("2", Some(-5)))),
        Intent::Delete { path: path("x/e"), condition: Condition::None, permanently: false },
    ] {
        let before = copied(&world);
        world.commit(&change).unwrap();
        assert_ne!(copied(&world), before, "{change:?}");
        for old in [before, was] {
            let refused = world.state.plan(&remove(old), Retention::default()).unwrap_err();
            assert!(matches!(refused, Error::Precondition), "{change:?}: {refused}");
        }
    }
    // What happens elsewhere is no change of it.
    let now = copied(&world);
    let delete = Intent::Delete { path: path("other"), condition: Condition::None, permanently: true };
    world.commit(&delete).unwrap();
    assert_eq!(copied(&world), now);
    world.commit(&remove(now)).unwrap();
    assert!(world.state.find(&path("x")).is_none());
    assert_eq!(world.state.audit(), Vec::<String>::new());
    let refused = world.state.plan(&remove(now), Retention::default()).unwrap_err();
    assert!(matches!(refused, Error::NotFound), "{refused}");
}

#[test]
fn what_is_exported_comes_in_as_it_was() {
    let mut world = World::roomy(100, Retention::default());
    world.commit(&import("x", tree(), false)).unwrap();
    let node = world.state.find(&path("x")).unwrap();
    assert_eq!(world.state.export(node).unwrap(), tree());
}

#[test]
fn trees_that_are_none_are_misfits() {
    let mut world = World::new();
    world.commit(&Intent::MakeDirectory { path: path("taken"), parents: false }).unwrap();
    let taken = world.state.find(&path("taken"));
    let step = |name: &str, replaced, nodes, keep| {
        let (parent, name) = (NodeId::ROOT, name.parse().unwrap());
        Action::Import(Import { parent, name, replaced, nodes, source: None, keep })
    };
    let empty = Imported { extents: Some(vec![extent(1, 0)]), ..file(0, None, 1, 1) };
    let elsewhere = Extent { volume: VolumeIndex(2), ..extent(1, 1) };
    for action in [
        step("x", None, Vec::new(), false),
        step("x", None, vec![file(0, Some("y"), 1, 1)], false),
        step("x", None, vec![directory(0, None), file(0, None, 1, 1)], false),
        step("x", None, vec![directory(0, None), file(7, Some("y"), 1, 1)], false),
        step("x", None, vec![file(0, None, 1, 1), file(0, Some("y"), 2, 1)], false),
        step("x", None, vec![directory(0, None), directory(0, Some("y")), directory(0, Some("y"))], false),
        step("x", None, vec![empty], false),
        step("x", None, vec![Imported { extents: Some(vec![elsewhere]), ..file(0, None, 1, 1) }], false),
        step("x", None, vec![file(0, None, 1, 1)], true),
        step("x", taken, tree(), false),
        step("taken", None, tree(), false),
        step("taken", taken, tree(), true),
    ] {
        let before = world.state.clone();
        assert!(world.write(vec![action.clone()]).is_err(), "{action:?}");
        assert_eq!(world.state, before);
    }
    world.write(vec![step("taken", taken, tree(), false)]).unwrap();
    assert_eq!(world.state.audit(), Vec::<String>::new());
}
