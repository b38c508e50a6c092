//! The verdict on a run: the log of each space is read again, entry by entry, by the engine's fold and by the oracle, and
//! everything that anybody was told is held against them. The numbers are those of the invariants in
//! `docs/reference/volume.md`.

mod answers;
mod bytes;
mod exchange;
mod garbage;
mod limits;
mod said;
mod shape;
mod starts;
mod steps;
mod uploads;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::exchange::Exchange;
use self::limits::Limits;
use self::said::Said;
use self::uploads::Uploads;
use super::coverage::Met;
use super::disk::{Chronicle, Disk, Ino};
use super::history::{Call, History, Read, Told};
use super::oracle::{Keeping, Oracle, Wish};
use super::world::{EPOCH, World};
use crate::format::entry::{Committer, Entry};
use crate::format::frame::Hash;
use crate::log::layout::BLOCK;
use crate::operation::OperationId;
use crate::state::State;

/// Right clocks differ by no more than this from the truth, both of them together, in milliseconds.
const TOLERANCE: i64 = 60_000;

/// What was deleted or replaced is kept for so long, in milliseconds.
pub(super) const KEPT: i64 = 24 * 60 * 60 * 1000;

/// Judges a run.
pub(super) fn judge(
    world: &Arc<World>,
    histories: &[Arc<History>],
    disk: &Disk,
    quota: u64,
    keeping: Keeping,
) {
    let mut limits = Limits::default();
    let exchange = Exchange::of(histories, disk);
    for history in histories {
        let told = history.told();
        let chronicle = disk.chronicles.get(&history.space);
        if let Some(chronicle) = chronicle.filter(|chronicle| !chronicle.entries.is_empty()) {
            let judge = Judge::new(world, history, &told, chronicle, disk, &exchange, keeping);
            judge.judge(&mut limits);
        } else if told.known > 0 {
            world.wrong("1: a log is empty that had entries".to_owned());
        }
    }
    limits.hold(world, quota);
}

struct Judge<'a> {
    world: &'a Arc<World>,
    history: &'a History,
    told: &'a Told,
    chronicle: &'a Chronicle,
    disk: &'a Disk,
    exchange: &'a Exchange,
    /// All objects that ever were, those on the second volume with `true`.
    objects: OnceCell<BTreeMap<(bool, String), Ino>>,
    oracle: Oracle,
    /// Whose clocks have been written so far.
    committers: BTreeSet<Committer>,
    /// The clocks that were written, by generation.
    clocks: BTreeMap<u64, i64>,
    /// A path that was cleared for the operation that follows, and whether that may do so.
    cleared: Option<(String, bool)>,
    /// Whether a file that comes back keeps what was in its place.
    brought_keep: bool,
    /// Generations that somebody wants something back from.
    wanted: BTreeSet<u64>,
    /// A path where an empty file was made for a lock that follows.
    emptied: Option<String>,
    /// What was said and was not found true so far, in the order of the beginnings of its windows.
    ahead: Vec<Said>,
    /// What was said of the time that is looked at.
    said: Vec<Said>,
    done: BTreeMap<OperationId, u64>,
    calls: BTreeMap<OperationId, &'a Call>,
    uploads: Uploads<'a>,
    reads: BTreeMap<u64, Vec<&'a Read>>,
}

impl<'a> Judge<'a> {
    fn new(
        world: &'a Arc<World>,
        history: &'a History,
        told: &'a Told,
        chronicle: &'a Chronicle,
        disk: &'a Disk,
        exchange: &'a Exchange,
        keeping: Keeping,
    ) -> Self {
        let mut reads = BTreeMap::<_, Vec<_>>::new();
        for read in &told.reads {
            reads.entry(read.generation).or_default().push(read);
        }
        Self {
            world,
            history,
            told,
            chronicle,
            disk,
            exchange,
            objects: OnceCell::new(),
            oracle: Oracle::new(keeping),
            committers: BTreeSet::new(),
            clocks: BTreeMap::new(),
            cleared: None,
            emptied: None,
            brought_keep: false,
            wanted: wanted(told),
            ahead: Vec::new(),
            said: Vec::new(),
            done: BTreeMap::new(),
            calls: told.calls.iter().map(|call| (call.id, call)).collect(),
            uploads: Uploads::new(told),
            reads,
        }
    }

    /// Something is wrong with the space.
    fn wrong(&self, text: impl AsRef<str>) {
        let (invariant, what) = text.as_ref().split_once(": ").unwrap_or(("?", text.as_ref()));
        let space = self.history.space.to_string();
        self.world.wrong(format!("{invariant}: in space {} {what}", &space[..4]));
    }

    fn judge(mut self, limits: &mut Limits) {
        let Some(entries) = self.entries() else { return };
        self.count(&entries);
        self.gather_said();
        let mut state = State::genesis(self.history.space);
        self.remember(0);
        self.moment(0, true);
        for (entry, hash) in &entries {
            let generation = entry.generation.0;
            self.committers.insert(entry.committer);
            self.clocks.insert(generation, entry.clock);
            self.oracle.generation = generation;
            (self.oracle.clock, self.oracle.time) = (entry.clock, self.time_of(generation));
            for (place, record) in entry.records.iter().enumerate() {
                self.step(record, &entry.records[place + 1..], generation);
                // What follows is not what the oracle has any more.
                if self.world.is_wrong() {
                    return;
                }
                self.moment(generation, false);
            }
            if self.cleared.take().is_some() || self.emptied.take().is_some() {
                self.wrong(format!("1: generation {generation} clears a place for nobody"));
            }
            let before = state;
            state = match before.fold(entry, *hash) {
                Ok(state) => state,
                Err(misfit) => return self.wrong(format!("5: entry {generation} is wrong: {misfit}")),
            };
            self.hold_tags(&before, &state, entry);
            self.hold_sums(&state);
            self.hold_shape(&state);
            self.hold_objects(&state, entry);
            self.hold_starts(&state);
            self.remember(generation);
            self.moment(generation, true);
            limits.note(self.chronicle.entries[&generation].order, self.history.space, state.limit.bytes.0);
        }
        self.hold_answers();
        self.hold_said();
        self.hold_bytes(&state);
        self.hold_ends(&state);
        self.hold_garbage(&state);
    }

    /// How it is now may be wanted back later.
    fn remember(&mut self, generation: u64) {
        if self.wanted.contains(&generation) {
            self.oracle.past.insert(generation, self.oracle.root.clone());
        }
    }

    /// When an entry was linked, in milliseconds since 1970.
    fn time_of(&self, generation: u64) -> i64 {
        let at = self.chronicle.entries.get(&generation).map_or(0, |linked| linked.at);
        EPOCH + i64::try_from(at / 1000).unwrap()
    }

    /// The entries of the log, which are there without a gap.
    fn entries(&self) -> Option<Vec<(Entry, Hash)>> {
        let mut entries = Vec::new();
        for (expected, (generation, linked)) in (1_u64..).zip(&self.chronicle.entries) {
            if *generation != expected {
                self.wrong(format!("1: there is no entry {expected}, and there is one {generation}"));
                return None;
            }
            match Entry::open(&linked.file) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    self.wrong(format!("5: entry {generation} can not be read: {error}"));
                    return None;
                }
            }
            if generation % BLOCK == 1 && *generation > 1 {
                self.world.meet(Met::Block);
            }
        }
        Some(entries)
    }

    /// Whether what the state says of itself is what it is.
    fn hold_sums(&self, state: &State) {
        let generation = state.generation;
        for problem in state.audit() {
            self.wrong(format!("2: at generation {generation} {problem}"));
        }
        let engine = [state.used, state.reserved, state.limit.bytes, state.trash.bytes, state.versions.bytes];
        let (engine, counted) = (engine.map(|bytes| bytes.0), self.sums());
        if engine != counted {
            self.wrong(format!(
                "2: at generation {generation} (used, reserved, limit, trash, versions) are {engine:?}, not {counted:?}"
            ));
        }
        if state.limit.roster_generation.0 != self.oracle.roster() {
            self.wrong(format!("2: at generation {generation} the limit is of another roster"));
        }
    }

    /// What is used, reserved, the limit, and what of it is in the trash and in versions.
    fn sums(&self) -> [u64; 5] {
        let (trash, versions) = self.oracle.purgeable();
        [self.oracle.used(), self.oracle.reserved(), self.oracle.limit, trash, versions]
    }

    /// Whether all pods have come to the end of the log.
    fn hold_ends(&self, state: &State) {
        for (pod, snapshot) in &self.told.finals {
            if snapshot.state().as_ref() != state {
                self.wrong(format!(
                    "5: pod {pod} ends with another state than the log, in generation {} of {}",
                    snapshot.generation(),
                    state.generation
                ));
            }
        }
    }
}

/// The generations that somebody wants something back from.
fn wanted(told: &Told) -> BTreeSet<u64> {
    let wished = told.calls.iter().filter_map(|call| match &call.wish {
        Wish::BringBack { then, .. } => Some(*then),
        _ => None,
    });
    wished.collect()
}
