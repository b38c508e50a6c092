//! Properties of the fold: whatever is asked in whatever order, the books balance, and the records alone lead to the
//! same state.

use std::time::Duration;

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};
use api::ids::SpaceId;
use proptest::prelude::*;
use uuid::Uuid;

use super::State;
use super::apply::{Misfit, Moment};
use super::import_tests;
use super::intent::{Content, Intent};
use super::plan::{MOST_NODES, Planned};
use super::pool_tests;
use super::retention::Retention;
use super::upload::{HOME, Upload};
use crate::error::Error;
use crate::extent::{Extent, ObjectId, VolumeIndex};
use crate::format::FORMAT;
use crate::format::entry::{Committer, Entry, EntryId};
use crate::format::record::{self, Action, Format, Identified, Record, Sweep, Target};
use crate::lock::{LockDepth, LockScope, LockToken, NewLock};
use crate::node::NodeId;
use crate::operation::{Condition, OperationId, Purge, UploadId};
use crate::path::NodePath;
use crate::property::{Property, PropertyChanges, PropertyName};
use crate::share::{NewShare, ShareAccess, ShareId, ShareTokenHash};

const LIMIT: u64 = 60;

fn path() -> impl Strategy<Value = NodePath> {
    let name = prop::sample::select(vec!["a", "b", "c"]);
    prop::collection::vec(name, 0..4).prop_map(|names| names.join("/").parse().unwrap())
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![4 => Just(Condition::None), 1 => Just(Condition::Absent)]
}

fn upload_id() -> impl Strategy<Value = UploadId> {
    (0_u128..4).prop_map(|id| UploadId(Uuid::from_u128(id)))
}

fn object() -> impl Strategy<Value = ObjectId> {
    (0_u64..1000).prop_map(|random| ObjectId { born: Generation(1_000_000), random })
}

fn volume() -> impl Strategy<Value = VolumeIndex> {
    prop_oneof![4 => Just(HOME), 1 => Just(VolumeIndex(1))]
}

fn content() -> impl Strategy<Value = Content> {
    (object(), 0_u64..20, prop::option::of(upload_id()), volume()).prop_map(
        |(object, length, reservation, volume)| {
            let extent = Extent { volume, object, offset: 3, length };
            Content {
                extents: (length > 0).then_some(extent).into_iter().collect(),
                reservation,
                modified: None,
            }
        },
    )
}

fn target() -> impl Strategy<Value = Option<std::sync::Arc<Target>>> {
    let target = (path(), condition(), any::<bool>()).prop_map(|(path, condition, parents)| {
        let (path, expected) = (path.names().to_vec(), condition.into());
        std::sync::Arc::new(Target { path, expected, parents, locks: vec![token(0)], modified: Some(-9) })
    });
    prop::option::weighted(0.7, target)
}

fn token(number: u128) -> LockToken {
    LockToken(Uuid::from_u128(number))
}

fn lock() -> impl Strategy<Value = NewLock> {
    (0_u128..5, any::<bool>(), any::<bool>()).prop_map(|(number, exclusive, infinite)| NewLock {
        token: token(number),
        scope: if exclusive { LockScope::Exclusive } else { LockScope::Shared },
        depth: if infinite { LockDepth::Infinity } else { LockDepth::Zero },
        owner: "owner".to_owned(),
        creator: "creator".to_owned(),
        timeout: Duration::from_secs(60),
    })
}

fn share() -> impl Strategy<Value = NewShare> {
    (0_u8..3, prop::option::of(0_u64..3), prop::option::of(0_i64..9)).prop_map(|(id, most_uses, expires)| {
        NewShare {
            id: ShareId(Uuid::from_u128(u128::from(id))),
            token_hash: ShareTokenHash([id; 32]),
            access: ShareAccess::ReadAndUpload,
            password: None,
            expires,
            most_uses,
            creator: "creator".to_owned(),
        }
    })
}

fn changes() -> impl Strategy<Value = PropertyChanges> {
    let name = || prop::sample::select(vec!["a", "b"]).prop_map(|name| PropertyName::new("urn:x", name));
    let property =
        (name(), "[xy]{0,2}").prop_map(|(name, value)| Property { name, value: value.as_str().into() });
    let (set, remove) = (prop::collection::vec(property, 0..3), prop::collection::vec(name(), 0..2));
    (set, remove, prop::option::weighted(0.3, -3_i64..3))
        .prop_map(|(set, remove, modified)| PropertyChanges { set, remove, modified })
}

fn intent() -> impl Strategy<Value = Intent> {
    let limit = (0_u64..9, 0_u64..LIMIT, 0_u64..LIMIT);
    prop_oneof![
        2 => (path(), any::<bool>()).prop_map(|(path, parents)| Intent::MakeDirectory { path, parents }),
        5 => (path(), content(), condition(), any::<bool>())
            .prop_map(|(path, content, condition, parents)| Intent::Put { path, content, condition, parents }),
        3 => (path(), path(), any::<bool>()).prop_map(|(from, to, overwrite)| Intent::Move { from, to, overwrite }),
        3 => (path(), path(), any::<bool>()).prop_map(|(from, to, overwrite)| Intent::Copy { from, to, overwrite }),
        2 => (path(), condition(), any::<bool>())
            .prop_map(|(path, condition, permanently)| Intent::Delete { path, condition, permanently }),
        1 => limit.prop_map(|(roster, target, ceiling)| Intent::Limit {
            roster_generation: RosterGeneration(roster),
            target: Bytes(target),
            ceiling: Bytes(ceiling),
        }),
        3 => (upload_id(), 0_u64..20, object(), volume(), target()).prop_map(
            |(upload, length, object, volume, target)| {
                Intent::CreateUpload { upload, length: Bytes(length), object, volume, target }
            }
        ),
        2 => (upload_id(), 1_u64..4, object(), volume())
            .prop_map(|(upload, epoch, object, volume)| Intent::TakeOver { upload, epoch, object, volume }),
        7 => pool_tests::intent(),
        4 => import_tests::intent(),
        4 => (upload_id(), 1_u64..4, 0_u64..20, prop::option::weighted(0.2, 0_u64..30)).prop_map(
            |(upload, epoch, durable, length)| Intent::Extend {
                upload,
                epoch,
                durable: Bytes(durable),
                length: length.map(Bytes),
            }
        ),
        3 => (upload_id(), 1_u64..4).prop_map(|(upload, epoch)| Intent::Complete { upload, epoch }),
        1 => upload_id().prop_map(|upload| Intent::Abort { upload }),
        2 => (path(), lock()).prop_map(|(path, lock)| Intent::Lock { path, lock: lock.into() }),
        1 => (path(), 0_u128..5).prop_map(|(path, number)| {
            Intent::RefreshLock { path, token: token(number), timeout: Duration::from_secs(number as u64) }
        }),
        2 => (path(), 0_u128..5).prop_map(|(path, number)| Intent::Unlock { path, token: token(number) }),
        1 => (path(), share()).prop_map(|(path, share)| Intent::CreateShare { path, share: share.into() }),
        1 => (0_u128..3).prop_map(|id| Intent::RemoveShare { id: ShareId(Uuid::from_u128(id)) }),
        2 => (0_u128..3).prop_map(|id| Intent::UseShare { id: ShareId(Uuid::from_u128(id)) }),
        3 => (path(), condition(), changes()).prop_map(|(path, condition, changes)| Intent::SetProperties {
            path,
            condition,
            changes: changes.into(),
        }),
        2 => (node(), prop::option::of(path()), any::<bool>())
            .prop_map(|(item, to, overwrite)| Intent::Restore { item, to, overwrite }),
        1 => purge().prop_map(Intent::Purge),
        2 => (path(), 2_u64..40, condition())
            .prop_map(|(path, version, condition)| Intent::RestoreVersion { path, version, condition }),
    ]
}

fn node() -> impl Strategy<Value = NodeId> {
    (1_u64..20).prop_map(NodeId)
}

fn purge() -> impl Strategy<Value = Purge> {
    prop_oneof![
        1 => Just(Purge::Everything),
        2 => node().prop_map(Purge::Item),
        2 => (path(), 2_u64..40).prop_map(|(path, version)| Purge::Version { path, version }),
        1 => path().prop_map(|path| Purge::Versions { path }),
    ]
}

/// How many generations back, which path then, and where to.
fn back() -> impl Strategy<Value = (usize, NodePath, NodePath, bool)> {
    (0_usize..20, path(), path(), any::<bool>())
}

fn retention() -> impl Strategy<Value = Retention> {
    (any::<bool>(), 0_u32..4).prop_map(|(trash, versions)| Retention { trash, versions })
}

/// A space that commits each operation in an entry of its own.
#[derive(Clone)]
pub(super) struct World {
    pub(super) state: State,
    pub(super) retention: Retention,
    log: Vec<Vec<u8>>,
    operations: u128,
}

impl World {
    pub(super) fn new() -> Self {
        Self::roomy(LIMIT, Retention::default())
    }

    pub(super) fn roomy(bytes: u64, retention: Retention) -> Self {
        let mut world = Self { state: State::genesis(space()), retention, log: Vec::new(), operations: 0 };
        let (target, ceiling) = (Bytes(bytes), Bytes(bytes));
        let limit = Intent::Limit { roster_generation: RosterGeneration(1), target, ceiling };
        world.commit(&limit).unwrap();
        world.write(vec![Action::Format(Format { format: FORMAT })]).unwrap();
        world
    }

    /// How many entries it took is told.
    pub(super) fn commit(&mut self, intent: &Intent) -> Result<usize, Error> {
        self.commit_with(intent, &[])
    }

    /// Commits for somebody who holds some locks.
    pub(super) fn commit_with(&mut self, intent: &Intent, held: &[LockToken]) -> Result<usize, Error> {
        for entries in 0.. {
            let (actions, nodes, last) = match self.state.plan(intent, self.retention)? {
                Planned::Nothing { .. } => return Ok(entries),
                Planned::Steps { actions, nodes } => (actions, nodes, true),
                Planned::First { actions, nodes } => (actions, nodes, false),
            };
            assert!(nodes > 0 && nodes <= MOST_NODES && !actions.is_empty());
            self.state.unlocked(&actions, held)?;
            self.write(actions).unwrap_or_else(|misfit| panic!("{intent:?} was planned wrongly: {misfit}"));
            if last {
                return Ok(entries + 1);
            }
        }
        unreachable!("it ends before the numbers do")
    }

    pub(super) fn write(&mut self, actions: Vec<Action>) -> Result<(), Misfit> {
        let last = actions.len() - 1;
        self.write_with(actions, Some(last))
    }

    /// Writes a step that nobody asked for with an id.
    pub(super) fn write_alone(&mut self, action: Action) -> Result<(), Misfit> {
        self.write_with(vec![action], None)
    }

    fn write_with(&mut self, actions: Vec<Action>, identified: Option<usize>) -> Result<(), Misfit> {
        self.operations += 1;
        let id = OperationId(Uuid::from_u128(self.operations));
        let operation = Identified { id, born: self.state.generation };
        let record =
            |(at, action)| Record { operation: (Some(at) == identified).then_some(operation), action };
        let entry = Entry {
            format: self.state.format,
            space: space(),
            generation: self.state.generation.next(),
            id: EntryId(Uuid::from_u128(self.operations)),
            previous: self.state.head,
            clock: 1000 * i64::try_from(self.operations).unwrap(),
            committer: Committer(7),
            records: actions.into_iter().enumerate().map(record).collect(),
        };
        let (file, hash) = entry.seal();
        self.state = self.state.fold(&entry, hash)?;
        self.log.push(file);
        Ok(())
    }
}

fn space() -> SpaceId {
    SpaceId(Uuid::from_u128(99))
}

/// The state without anything that can be purged.
fn purged(state: &State) -> State {
    let (mut purged, at) = (state.clone(), Moment { generation: state.generation.next(), clock: 0 });
    let items: Vec<_> = purged.trash.items.keys().map(|node| (*node, None)).collect();
    let versions = state.versions.by_age.iter().map(|(_, number, node)| (*node, Some(*number)));
    for (node, version) in versions.chain(items) {
        let action = Action::Purge(record::Purge { node, version, nodes: None });
        purged.apply(&Record { operation: None, action }, at).unwrap();
    }
    purged
}

fn replay(log: &[Vec<u8>]) -> State {
    log.iter().fold(State::genesis(space()), |state, file| {
        let (entry, hash) = Entry::open(file).unwrap();
        state.fold(&entry, hash).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_books_balance(
        intents in prop::collection::vec(
            (intent(), any::<bool>(), prop::option::weighted(0.1, retention()), prop::option::weighted(0.1, back())),
            1..60,
        ),
    ) {
        let mut world = World::new();
        world.retention = Retention { trash: true, versions: 2 };
        let mut states = Vec::<State>::new();
        for (intent, holds, retention, back) in &intents {
            // Now and then something of an earlier generation comes back instead.
            let earlier = back.as_ref().and_then(|(age, path, to, overwrite)| {
                let nodes = states.iter().rev().nth(*age)?.past_nodes(path).ok()?;
                Some(Intent::BringBack { nodes, to: to.clone(), overwrite: *overwrite })
            });
            let intent = earlier.as_ref().unwrap_or(intent);
            states.push(world.state.clone());
            world.retention = retention.unwrap_or(world.retention);
            let before = world.state.clone();
            let intent = &pool_tests::made_of(&before, intent);
            let held: Vec<LockToken> = (0..5).map(token).collect();
            let room = before.limit.bytes.saturating_sub(before.used).saturating_sub(before.reserved);
            let refused = world.commit_with(intent, if *holds { &held } else { &[] });
            let state = &world.state;
            prop_assert_eq!(state.audit(), Vec::<String>::new());
            if refused.is_err() {
                prop_assert_eq!(state, &before, "what is refused changes nothing");
            }
            if matches!(intent, Intent::Relocate { .. }) {
                prop_assert_eq!(pool_tests::tags(state), pool_tests::tags(&before), "no tag changes");
            }
            // Nothing grows beyond the limit; under a lowered one it may only shrink.
            let taken = state.used.saturating_add(state.reserved);
            let taken_before = before.used.saturating_add(before.reserved);
            if !matches!(intent, Intent::Limit { .. }) {
                prop_assert!(taken <= taken_before || taken <= state.limit.bytes, "{:?}", intent);
            }
            if *holds {
                prop_assert!(!matches!(refused, Err(Error::Locked { .. })), "{:?}", intent);
            }
            if let Err(Error::QuotaExceeded { needed, .. }) = refused {
                prop_assert!(needed > room, "{:?}", intent);
                let purged = purged(&before);
                let refused = purged.plan(intent, Retention::default());
                prop_assert!(matches!(refused, Err(Error::QuotaExceeded { .. })), "{:?} has room", intent);
            }
        }
        prop_assert_eq!(&replay(&world.log), &world.state);
        prop_assert_eq!(&State::restore(world.state.to_start()).unwrap(), &world.state);
    }

    #[test]
    fn a_sweep_forgets_what_is_older_and_nothing_else(
        intents in prop::collection::vec(intent(), 1..30),
        low in 0_u64..30,
        truncated in 0_u64..30,
    ) {
        let mut world = World::new();
        world.retention = Retention { trash: true, versions: 2 };
        for intent in &intents {
            let _ = world.commit(intent);
        }
        let now = world.state.generation;
        let low = Generation(low.min(now.0));
        let before = world.state.clone();
        world.write(vec![Action::Sweep(Sweep { low, truncated: Generation(truncated.min(now.0)) })]).unwrap();
        let state = &world.state;
        prop_assert_eq!(state.audit(), Vec::<String>::new());
        for (id, outcome) in &before.outcomes.by_id {
            prop_assert_eq!(state.outcomes.get(*id).is_some(), outcome.born >= low);
        }
        for (place, known) in &before.objects.0 {
            let forgotten = known.references == 0 && known.dropped.0 <= truncated;
            prop_assert_eq!(state.objects.0.contains_key(place), !forgotten);
        }
        let open = |state: &State| state.uploads.values().filter_map(Upload::open).count();
        prop_assert_eq!(open(state), open(&before));
        prop_assert_eq!(&state.nodes, &before.nodes);
        let back = world.write(vec![Action::Sweep(Sweep { low: Generation(now.0 + 9), truncated: now })]);
        prop_assert!(back.is_err());
    }
}

#[test]
fn records_that_fit_nothing_are_misfits() {
    let mut world = World::new();
    let directory = |path: &str| Intent::MakeDirectory { path: path.parse().unwrap(), parents: true };
    world.commit(&directory("a/b")).unwrap();
    let put = |object: ObjectId| {
        let extents = vec![Extent { volume: HOME, object, offset: 0, length: 1 }];
        let content = Content { extents, ..Content::default() };
        Intent::Put { path: "f".parse().unwrap(), content, condition: Condition::None, parents: false }
    };
    world.commit(&put(ObjectId { born: Generation(1), random: 1 })).unwrap();
    let (a, b) = (NodeId(2), NodeId(3));
    let name = |text: &str| text.parse::<crate::Name>().unwrap();
    use crate::format::record as r;
    for action in [
        Action::MakeDirectory(r::MakeDirectory { parent: NodeId(77), name: name("x") }),
        Action::MakeDirectory(r::MakeDirectory { parent: NodeId(1), name: name("a") }),
        Action::MakeDirectory(r::MakeDirectory { parent: NodeId(4), name: name("x") }),
        Action::Move(r::Move { node: a, parent: b, name: name("x"), replaced: None, keep: false }),
        Action::Move(r::Move { node: b, parent: NodeId(1), name: name("f"), replaced: None, keep: false }),
        Action::Move(r::Move { node: b, parent: NodeId(1), name: name("a"), replaced: Some(a), keep: false }),
        Action::Move(r::Move { node: NodeId::ROOT, parent: a, name: name("x"), replaced: None, keep: false }),
        Action::Copy(r::Copy { node: a, parent: a, name: name("x"), replaced: None, keep: false }),
        Action::Copy(r::Copy { node: NodeId(77), parent: a, name: name("x"), replaced: None, keep: false }),
        Action::Delete(r::Delete { node: NodeId::ROOT }),
        Action::Delete(r::Delete { node: NodeId(77) }),
        Action::Trash(r::Trash { node: NodeId::ROOT, bytes: Bytes(1), nodes: 4 }),
        Action::Trash(r::Trash { node: NodeId(77), bytes: Bytes(0), nodes: 1 }),
        Action::Restore(r::Restore { node: b, parent: NodeId(1), name: name("x") }),
        Action::Purge(r::Purge { node: b, version: None, nodes: None }),
        Action::Purge(r::Purge { node: NodeId(4), version: Some(4), nodes: None }),
        Action::Purge(r::Purge { node: b, version: None, nodes: Some(1) }),
        Action::Purge(r::Purge { node: b, version: Some(1), nodes: Some(1) }),
        Action::RestoreVersion(r::RestoreVersion { node: NodeId(4), version: 4, keep: true }),
        Action::Put(r::Put {
            parent: a,
            name: name("new"),
            extents: Vec::new(),
            reservation: None,
            keep: true,
        }),
        Action::Move(r::Move { node: a, parent: NodeId(1), name: name("x"), replaced: None, keep: true }),
        Action::Move(r::Move {
            node: a,
            parent: NodeId(1),
            name: name("f"),
            replaced: Some(NodeId(4)),
            keep: true,
        }),
        Action::Abort(r::Abort { upload: UploadId(Uuid::nil()) }),
        Action::Format(r::Format { format: FORMAT }),
        Action::Format(r::Format { format: FORMAT + 1 }),
        Action::Lock(r::Lock {
            token: token(1),
            node: NodeId(77),
            exclusive: true,
            infinite: true,
            owner: String::new(),
            creator: String::new(),
            timeout_ms: 1,
        }),
        Action::Unlock(r::Unlock { token: token(1) }),
        Action::RemoveShare(r::RemoveShare { id: ShareId(Uuid::nil()) }),
        Action::UseShare(r::UseShare { id: ShareId(Uuid::nil()) }),
        Action::CreateShare(r::CreateShare {
            id: ShareId(Uuid::nil()),
            node: NodeId(77),
            token_hash: ShareTokenHash([0; 32]),
            access: ShareAccess::Read,
            password: None,
            expires: None,
            most_uses: None,
            creator: String::new(),
        }),
        Action::SetProperties(r::SetProperties {
            node: NodeId(77),
            set: Vec::new(),
            removed: Vec::new(),
            modified: Some(1),
        }),
        Action::SetProperties(r::SetProperties {
            node: a,
            set: Vec::new(),
            removed: vec![PropertyName::new("", "a")],
            modified: None,
        }),
        Action::Limit(r::Limit {
            roster_generation: RosterGeneration(1),
            target: Bytes(1),
            ceiling: Bytes(1),
        }),
    ] {
        let before = world.state.clone();
        assert!(world.write(vec![action.clone()]).is_err(), "{action:?}");
        assert_eq!(world.state, before);
    }
}

#[test]
fn nothing_older_than_the_watermark_is_let_in() {
    let mut world = World::new();
    for name in ["a", "b", "c", "d"] {
        world.commit(&Intent::MakeDirectory { path: name.parse().unwrap(), parents: false }).unwrap();
    }
    world.write(vec![Action::Sweep(Sweep { low: Generation(4), truncated: Generation(0) })]).unwrap();
    let put = |born| {
        let object = ObjectId { born: Generation(born), random: 1 };
        let extents = vec![Extent { volume: HOME, object, offset: 0, length: 1 }];
        let content = Content { extents, ..Content::default() };
        Intent::Put { path: "f".parse().unwrap(), content, condition: Condition::None, parents: false }
    };
    assert!(matches!(world.commit(&put(3)), Err(Error::OutcomeUnknown)));
    world.commit(&put(4)).unwrap();
    let mut state = world.state.clone();
    let at = Moment { generation: state.generation.next(), clock: 0 };
    let operation = Identified { id: OperationId(Uuid::from_u128(1)), born: Generation(3) };
    let action = Action::Delete(crate::format::record::Delete { node: NodeId(2) });
    assert!(state.apply(&Record { operation: Some(operation), action }, at).is_err());
}
