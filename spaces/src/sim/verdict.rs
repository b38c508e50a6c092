//! The verdict on a run: the log is read again, entry by entry, by the engine's fold and by the oracle, and everything
//! that anybody was told is held against them. The numbers are those of the invariants in `docs/reference/volume.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::coverage::Met;
use super::disk::{Disk, Ino, Linked};
use super::fleet::SPACE;
use super::history::{Answer, Call, Claim, Read, Told, Transfer, Window};
use super::oracle::{Content, Demand, Did, Open, Oracle, Refusal, Wish};
use super::place::Purpose;
use super::world::{EPOCH, World};
use crate::extent::Extent;
use crate::format::entry::Entry;
use crate::format::record::{self, Action, Expected, Record, Target};
use crate::log::layout::BLOCK;
use crate::operation::{OperationId, UploadId};
use crate::path::NodePath;
use crate::stage::{LARGEST_STEP, UNRESERVED};
use crate::state::State;
use crate::state::upload::Upload;

/// An upload that nobody goes on with lives for a day, less what right clocks differ by.
const EXPIRY: i64 = 86_300_000;

/// Something that was said and has to be true of some moment in a window.
struct Said {
    wish: Wish,
    place_only: bool,
    /// `None`: that there was nothing to do.
    refusal: Option<Refusal>,
    window: Window,
    true_once: bool,
}

pub(super) struct Judge<'a> {
    world: &'a Arc<World>,
    told: &'a Told,
    oracle: Oracle,
    said: Vec<Said>,
    done: BTreeMap<OperationId, u64>,
    completed: BTreeMap<UploadId, u64>,
    /// Uploads that were given up, and by how many clocks' testimony.
    ended: BTreeMap<UploadId, (u64, usize)>,
    /// How much of an upload is durable, since which generations.
    durable: BTreeMap<UploadId, Vec<(u64, u64)>>,
    /// By the clock of the log, when uploads were last heard of, in milliseconds.
    heard: BTreeMap<UploadId, i64>,
    calls: BTreeMap<OperationId, &'a Call>,
    transfers: BTreeMap<UploadId, &'a Transfer>,
    blind: bool,
}

impl<'a> Judge<'a> {
    pub(super) fn new(world: &'a Arc<World>, told: &'a Told, blind: bool) -> Self {
        Self {
            world,
            told,
            oracle: Oracle::new(),
            said: Vec::new(),
            done: BTreeMap::new(),
            completed: BTreeMap::new(),
            ended: BTreeMap::new(),
            durable: BTreeMap::new(),
            heard: BTreeMap::new(),
            calls: told.calls.iter().map(|call| (call.id, call)).collect(),
            transfers: told.transfers.iter().map(|transfer| (transfer.id, transfer)).collect(),
            blind,
        }
    }

    fn wrong(&self, text: String) {
        self.world.wrong(text);
    }

    /// Judges everything; the log as it was linked is on the disk.
    pub(super) fn judge(mut self, disk: &Disk) {
        let mut entries = Vec::new();
        let Some(chronicle) = disk.chronicles.get(&SPACE) else { return };
        for (number, (generation, Linked { file, .. })) in chronicle.entries.iter().enumerate() {
            if *generation != number as u64 + 1 {
                return self
                    .wrong(format!("1: there is no entry {}, and there is one {generation}", number + 1));
            }
            match Entry::open(file) {
                Ok(entry) => entries.push(entry),
                Err(error) => return self.wrong(format!("5: entry {generation}: {error}")),
            }
        }
        self.count(&entries.iter().map(|(entry, _)| entry).collect::<Vec<_>>());
        let mut state = State::genesis(SPACE);
        self.moment(0, true);
        for (entry, hash) in entries {
            let generation = entry.generation.0;
            for record in &entry.records {
                self.step(record, generation);
                self.moment(generation, false);
            }
            state = match state.fold(&entry, hash) {
                Ok(state) => state,
                Err(misfit) => return self.wrong(format!("5: entry {generation}: {misfit}")),
            };
            for problem in state.audit() {
                self.wrong(format!("2: at generation {generation} {problem}"));
            }
            let engine = (state.used.0, state.reserved.0, state.limit.bytes.0);
            let counted = (self.oracle.used(), self.oracle.reserved(), self.oracle.limit);
            if engine != counted {
                self.wrong(format!(
                    "2: at generation {generation} (used, reserved, limit) are {engine:?}, not {counted:?}"
                ));
            }
            if state.limit.roster_generation.0 != self.oracle.roster() {
                self.wrong(format!("2: at generation {generation} the limit is of another roster"));
            }
            self.moment(generation, true);
        }
        self.hold_answers();
        self.hold_said();
        self.hold_bytes(&state, disk);
    }

    /// What is in the log, and what has to have been true though it is not.
    fn count(&mut self, entries: &[&Entry]) {
        let mut clocks = BTreeSet::new();
        for entry in entries {
            let generation = entry.generation.0;
            clocks.insert(entry.committer);
            if generation % BLOCK == 1 && generation > 1 {
                self.world.meet(Met::Block);
            }
            for record in &entry.records {
                let before =
                    record.operation.and_then(|operation| self.done.insert(operation.id, generation));
                if before.is_some() {
                    self.wrong(format!("1: an operation was done twice, again in {generation}"));
                }
                if let Action::Extend(extend) = &record.action {
                    self.durable.entry(extend.upload).or_default().push((generation, extend.durable.0));
                }
                match &record.action {
                    Action::Complete(complete) => {
                        let before = self.completed.insert(complete.upload, generation);
                        if let Some(before) = before {
                            self.wrong(format!("1: an upload was completed in {before} and in {generation}"));
                        }
                    }
                    Action::Abort(abort) => {
                        if self.transfers.get(&abort.upload).is_some_and(|transfer| !transfer.giving_up) {
                            self.world.meet(Met::Expired);
                        }
                        self.ended.insert(abort.upload, (generation, clocks.len()));
                    }
                    Action::CreateUpload(record::CreateUpload { upload, .. })
                    | Action::TakeOver(record::TakeOver { upload, .. })
                    | Action::Extend(record::Extend { upload, .. }) => {
                        self.heard.insert(*upload, entry.clock);
                    }
                    _ => {}
                }
            }
        }
        let widened = |window: Window| if self.blind { Window { after: 0, ..window } } else { window };
        for call in &self.told.calls {
            if call.asked > 1 {
                self.world.meet(Met::Retried);
            }
            for (window, answer) in &call.answers {
                let refusal = match answer {
                    Answer::Refused(refusal) => {
                        let quota = matches!(refusal, Refusal::Quota { .. });
                        self.world.meet(if quota { Met::QuotaRefused } else { Met::Refused });
                        Some(*refusal)
                    }
                    // What was so already is not in the log; another attempt may have to do it later.
                    Answer::Done(told) if self.done.get(&call.id) != Some(told) => None,
                    _ => continue,
                };
                let (wish, window) = (call.wish.clone(), widened(*window));
                self.said.push(Said { wish, place_only: false, refusal, window, true_once: false });
            }
        }
        for Claim { wish, place_only, refusal, window } in self.told.claims.clone() {
            let (refusal, window) = (Some(refusal), widened(window));
            self.said.push(Said { wish, place_only, refusal, window, true_once: false });
        }
    }

    /// A moment of the oracle: the end of a generation, or in the midst of its entry.
    fn moment(&mut self, generation: u64, whole: bool) {
        if whole {
            for read in self.told.reads.iter().filter(|read| read.generation == generation) {
                self.hold_read(read);
            }
            for (_, path, bytes) in self.told.contents.iter().filter(|(of, ..)| *of == generation) {
                self.world.meet(Met::ReadBytes);
                let content = self.oracle.lookup(path).and_then(|item| item.tagged().1);
                if content.is_none_or(|content| content.bytes(0, content.length) != *bytes) {
                    self.world
                        .wrong(format!("3: at generation {generation} {path} was read as something else"));
                }
            }
        }
        for said in &mut self.said {
            let Window { after, until } = said.window;
            let within = generation <= until && if whole { after <= generation } else { after < generation };
            if !said.true_once && within {
                said.true_once = said.is_true(&self.oracle);
            }
        }
    }

    fn hold_read(&mut self, read: &Read) {
        let Read { generation, window: _, lines, tags, sums } = read;
        let mut expected = Vec::new();
        self.oracle.root.lines("", &mut expected);
        let mut expected: Vec<_> = expected
            .into_iter()
            .map(|(path, content)| (path, content.map(|content| content.length)))
            .collect();
        expected.sort();
        if *lines != expected {
            self.wrong(format!("6: generation {generation} was shown as {lines:?}, and is {expected:?}"));
            return;
        }
        let counted = (self.oracle.used(), self.oracle.reserved(), self.oracle.limit);
        if *sums != counted {
            self.wrong(format!("6: generation {generation} was shown with {sums:?}, and has {counted:?}"));
        }
        for (path, tag) in tags {
            let Some(tagged) = self.oracle.lookup(path).map(super::oracle::Item::tagged) else { continue };
            if self.oracle.tags.insert(tag.clone(), tagged).is_some_and(|before| before != tagged) {
                self.wrong(format!("6: the tag {tag} of {path} is of two contents"));
            }
        }
    }

    /// One step of the log, done to the oracle.
    fn step(&mut self, record: &Record, generation: u64) {
        let known = record.operation.and_then(|operation| self.calls.get(&operation.id).copied());
        if let Some(Call { wish, .. }) = known {
            let held = match &record.action {
                Action::Put(put) => put.reservation.and_then(|id| self.oracle.uploads.remove(&id)),
                _ => None,
            };
            let wish = wish.clone();
            let granted = self.oracle.grant(&wish, held.map_or(0, |open| open.length));
            if granted != Ok(Did::Something) {
                self.wrong(format!(
                    "1: generation {generation} has {wish:?}, which ends in {granted:?} there"
                ));
            }
            return;
        }
        match &record.action {
            Action::CreateUpload(create) => {
                let target = create.target.as_ref().map(demanded);
                let length = create.length.0;
                let allowed = match &target {
                    Some((path, demand, parents)) => self.oracle.target(path, demand, *parents),
                    None => Ok(()),
                };
                if let Err(refusal) = allowed.and_then(|()| self.oracle.room(length, 0)) {
                    self.wrong(format!(
                        "2: generation {generation} begins an upload; it should be {refusal:?}"
                    ));
                }
                self.oracle.uploads.insert(create.upload, Open { length, target });
            }
            Action::Extend(extend) => {
                let Some(open) = self.oracle.uploads.get(&extend.upload).cloned() else {
                    return self.wrong(format!("1: generation {generation} extends an upload that is none"));
                };
                let length = extend.length.unwrap_or(open.length);
                if let Err(refusal) = self.oracle.room(length, open.length) {
                    self.wrong(format!("2: generation {generation} reserves more; it should be {refusal:?}"));
                }
                self.oracle.uploads.insert(extend.upload, Open { length, ..open });
            }
            Action::Abort(abort) => {
                if self.oracle.uploads.remove(&abort.upload).is_none() {
                    self.wrong(format!("1: generation {generation} ends an upload that is none"));
                }
            }
            Action::Complete(complete) => self.complete(complete.upload, generation),
            // Directories above a file come before it, and are made with it.
            Action::MakeDirectory(_) if record.operation.is_none() => {}
            Action::TakeOver(_) => self.world.meet(Met::TakeOver),
            Action::Sweep(_) | Action::Format(_) => {}
            other => {
                self.wrong(format!("1: generation {generation} has something nobody asked for: {other:?}"))
            }
        }
    }

    fn complete(&mut self, upload: UploadId, generation: u64) {
        let (open, transfer) = (self.oracle.uploads.remove(&upload), self.transfers.get(&upload).copied());
        let (Some(Open { length, target: Some((path, demand, parents)) }), Some(transfer)) = (open, transfer)
        else {
            return self.wrong(format!("1: generation {generation} completes an upload that is none"));
        };
        if transfer.content.length != length || transfer.path != path {
            self.wrong(format!("1: generation {generation} completes another upload than was begun"));
        }
        if let Err(refusal) = self.oracle.target(&path, &demand, parents) {
            self.wrong(format!("1: generation {generation} completes an upload; it should be {refusal:?}"));
        }
        self.oracle.write(&path, transfer.content);
    }

    /// Whether answers fit what is in the log.
    fn hold_answers(&self) {
        for Call { id, wish, asked, answers } in &self.told.calls {
            let found = self.done.get(id);
            for (_, answer) in answers {
                if let (Answer::Refused(_) | Answer::Unchanged, Some(found), 1) = (answer, found, *asked) {
                    self.wrong(format!("1: {wish:?} was answered {answer:?}, and is in {found}"));
                }
            }
        }
        for Transfer { id, path, finished, acknowledged: _, .. } in &self.told.transfers {
            match (finished, self.completed.get(id)) {
                (Some(told), Some(found)) if told == found => {}
                (Some(told), found) => {
                    self.wrong(format!(
                        "1: the upload of {path} is a file in {found:?}, and somebody was told {told}"
                    ));
                }
                (None, _) => {}
            }
        }
        for (id, told, until) in &self.told.acknowledged {
            self.world.meet(Met::Acknowledged);
            let durable = self.durable.get(id).into_iter().flatten().filter(|(since, _)| since <= until);
            let durable = durable.map(|(_, durable)| *durable).max().unwrap_or(0);
            if durable < *told {
                self.wrong(format!(
                    "3: {told} bytes of the upload {id} were acknowledged, {durable} were durable"
                ));
            }
        }
        for Read { generation, window, .. } in &self.told.reads {
            let after = if self.blind { 0 } else { window.after };
            if *generation < after || *generation > window.until {
                self.wrong(format!("6: generation {generation} was shown, and {window:?} would be right"));
            }
        }
    }

    fn hold_said(&self) {
        for Said { wish, refusal, window, .. } in self.said.iter().filter(|said| !said.true_once) {
            let Window { after, until } = window;
            let what = refusal.map_or("there was nothing to do".to_owned(), |refusal| format!("{refusal:?}"));
            self.wrong(format!(
                "6: to {wish:?} it was said: {what}; not so from generation {after} to {until}"
            ));
        }
    }

    /// How long an upload had not been heard of, in milliseconds, at a true time in microseconds.
    fn age(&self, id: UploadId, at: u64) -> i64 {
        let heard = self.heard.get(&id).copied().unwrap_or(i64::MAX);
        (EPOCH + i64::try_from(at / 1000).unwrap()).saturating_sub(heard)
    }

    /// Whether all that is promised is on the disk.
    fn hold_bytes(&self, state: &State, disk: &Disk) {
        let objects: BTreeMap<&str, Ino> = disk
            .files()
            .filter(|(path, _)| disk.paths.purpose(*path) == Purpose::Object)
            .map(|(path, ino)| (disk.paths.name(path), ino))
            .collect();
        let check = |what: &str, extents: &[Extent], content: Content| {
            let mut at = 0;
            for Extent { volume: _, object, offset, length } in extents {
                let Some(ino) = objects.get(object.to_string().as_str()) else {
                    return self.wrong(format!("4: the object {object} of {what} is missing"));
                };
                let (from, to) =
                    (usize::try_from(*offset).unwrap(), usize::try_from(offset + length).unwrap());
                if disk.content(*ino).get(from..to) != Some(&content.bytes(at, at + length)[..]) {
                    return self.wrong(format!("3: the bytes of {what} from {at} on are wrong, in {object}"));
                }
                at += length;
            }
        };
        let mut lines = Vec::new();
        self.oracle.root.lines("", &mut lines);
        for (path, content) in lines {
            let Some(content) = content else { continue };
            let node = path.parse::<NodePath>().ok().and_then(|path| state.find(&path));
            match node.and_then(|id| state.nodes.get(&id)?.file()) {
                Some(file) if file.size.0 == content.length => check(&path, &file.extents, content),
                _ => self.wrong(format!("1: {path} is not a file of {} bytes", content.length)),
            }
        }
        for transfer in &self.told.transfers {
            let Transfer { id, path, content, acknowledged, giving_up, .. } = transfer;
            match state.uploads.get(id) {
                Some(Upload::Open(open)) => {
                    if open.durable.0 < *acknowledged {
                        let durable = open.durable;
                        self.wrong(format!(
                            "3: {acknowledged} bytes to {path} were acknowledged, {durable} are there"
                        ));
                    }
                    check(&format!("the upload to {path}"), &open.closed(), *content);
                }
                Some(Upload::Complete(_)) => {}
                None if self.completed.contains_key(id) || *giving_up => {}
                None => match self.ended.get(id) {
                    // A clock that nobody else has ever compared with may be wrong.
                    Some((_, 1)) => {}
                    Some((generation, _))
                        if self.age(*id, disk.chronicles[&SPACE].entries[generation].at) > EXPIRY => {}
                    ended => {
                        self.wrong(format!(
                            "1: the upload {id} to {path} is not there; it ended too soon: {ended:?}"
                        ));
                    }
                },
            }
        }
    }
}

impl Said {
    fn is_true(&self, oracle: &Oracle) -> bool {
        if self.is_true_of(oracle) {
            return true;
        }
        // A pod that sees an old state may be asked with a tag of it that the log, up to there, has shown to nobody.
        // Then it may be the tag of what is there.
        let (Wish::Put { path, demand: Demand::Tag(tag), .. }
        | Wish::Delete { path, demand: Demand::Tag(tag) }
        | Wish::CreateUpload { path, demand: Demand::Tag(tag), .. }) = &self.wish
        else {
            return false;
        };
        let Some(tagged) = oracle.lookup(path).map(super::oracle::Item::tagged) else { return false };
        let mut shown = oracle.clone();
        shown.tags.insert(tag.clone(), tagged).is_none() && self.is_true_of(&shown)
    }

    fn is_true_of(&self, oracle: &Oracle) -> bool {
        let Self { wish, place_only, refusal, .. } = self;
        if let (Some(Refusal::Quota { limit, used, reserved }), Wish::Put { content, .. }) = (refusal, wish) {
            // Content that is long, or whose length is not known, is refused before its place is looked at; and more
            // may be reserved for it than it has.
            let spare = if content.length < UNRESERVED { 0 } else { LARGEST_STEP };
            let sums = (oracle.limit, oracle.used(), oracle.reserved());
            return sums == (*limit, *used, *reserved) && used + reserved + content.length + spare > *limit;
        }
        let outcome = match wish {
            Wish::CreateUpload { path, demand, parents, .. } if *place_only => {
                oracle.target(path, demand, *parents).map(|()| Did::Something)
            }
            wish => oracle.clone().grant(wish, 0),
        };
        match refusal {
            Some(refusal) => outcome == Err(*refusal),
            None => outcome == Ok(Did::Nothing),
        }
    }
}

fn demanded(target: &Target) -> (String, Demand, bool) {
    let Target { path, expected, parents, locks: _, modified: _ } = target;
    let demand = match expected {
        Expected::Anything => Demand::Anything,
        Expected::Nothing => Demand::Nothing,
        Expected::Tag(tag) => Demand::Tag(tag.clone()),
    };
    (NodePath::from(path.clone()).to_string(), demand, *parents)
}
