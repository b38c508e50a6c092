//! The steps of the log, done to the oracle.

use super::super::coverage::Met;
use super::super::history::Call;
use super::super::oracle::{Content, Demand, Did, Open, Purged, Refusal, Wish, With};
use super::{Judge, TOLERANCE};
use crate::format::record::{Action, Expected, Purge, Put, Record, Target};
use crate::lock::LockToken;
use crate::operation::UploadId;
use crate::path::NodePath;
use crate::share::ShareId;

impl<'a> Judge<'a> {
    /// One step of the log, done to the oracle. `behind` are the steps after it in its entry.
    pub(super) fn step(&mut self, record: &Record, behind: &[Record], generation: u64) {
        let (used, reserved) = (self.oracle.used(), self.oracle.reserved());
        match self.call(record) {
            Some(call) => self.asked(call, record, generation),
            None => self.unasked(record, behind, generation),
        }
        let (after, limit) = (self.oracle.used() + self.oracle.reserved(), self.oracle.limit);
        let grown = after > used + reserved && !matches!(record.action, Action::Limit(_));
        if grown && after > limit {
            self.wrong(format!("2: generation {generation} makes it {after}, and the limit is {limit}"));
        }
    }

    fn call(&self, record: &Record) -> Option<&'a Call> {
        record.operation.and_then(|operation| self.calls.get(&operation.id).copied())
    }

    /// The step that an operation ends with.
    fn asked(&mut self, call: &Call, record: &Record, generation: u64) {
        let Call { wish, tokens, .. } = call;
        let held = match &record.action {
            Action::Put(put) => put.reservation.and_then(|id| self.oracle.uploads.remove(&id)),
            _ => None,
        };
        let held = held.map_or(0, |open| open.length);
        if let Some((path, overwrites)) = self.cleared.take()
            && (!overwrites || target_of(&self.oracle, wish).is_none_or(|to| to != path))
        {
            self.wrong(format!("1: generation {generation} clears {path} for {wish:?}"));
        }
        if let Some(path) = self.emptied.take()
            && !matches!(wish, Wish::Lock { path: locked, .. } if *locked == path)
        {
            self.wrong(format!("1: generation {generation} makes an empty {path} for {wish:?}"));
        }
        match &record.action {
            Action::Import(import) => return self.import(import, call, generation),
            Action::Delete(_) => self.moved_away(call, generation),
            _ => {}
        }
        self.hold_weight(wish, &record.action, generation);
        let keep = self.hold_keep(wish, &record.action, held, generation);
        let granted = self.oracle.grant(wish, With { held, tokens, keep });
        if granted != Ok(Did::Something) {
            self.wrong(format!("1: generation {generation} has {wish:?}, which ends in {granted:?} there"));
        }
        self.world.meet(match wish {
            Wish::Restore { .. } => Met::Restored,
            Wish::PurgeAll | Wish::PurgeItem { .. } => Met::Purged,
            Wish::PurgeVersion { .. } | Wish::PurgeVersions { .. } => Met::VersionPurged,
            Wish::RestoreVersion { .. } => Met::VersionRestored,
            Wish::BringBack { .. } => Met::BroughtBack,
            Wish::Close { .. } => Met::Closed,
            Wish::SetProperties { .. } => Met::PropertiesSet,
            Wish::Lock { .. } => Met::LockMade,
            Wish::RefreshLock { .. } => Met::LockRefreshed,
            Wish::Unlock { .. } => Met::LockEnded,
            Wish::Share { .. } => Met::Shared,
            Wish::UseShare { .. } => Met::ShareUsed,
            Wish::RemoveShare { .. } => Met::ShareEnded,
            _ => return,
        });
    }

    /// Whether what goes to the trash is said to be what it is.
    fn hold_weight(&self, wish: &Wish, action: &Action, generation: u64) {
        let Wish::Delete { path, permanently, .. } = wish else { return };
        let expected = self.oracle.lookup(path).filter(|_| self.oracle.keeping.trash && !permanently);
        let expected = expected.map(|item| (item.id, item.used(), item.all().len() as u64));
        let found = match action {
            Action::Trash(trash) => Some((trash.node.0, trash.bytes.0, trash.nodes)),
            _ => None,
        };
        if found != expected {
            self.wrong(format!("1: generation {generation} deletes {path} as {found:?}, not {expected:?}"));
        }
        if found.is_some() {
            self.world.meet(Met::Trashed);
        }
    }

    /// Whether a step keeps what it replaces when it has to, and only then.
    fn hold_keep(&mut self, wish: &Wish, action: &Action, held: u64, generation: u64) -> bool {
        let (keep, expected, added) = match (wish, action) {
            (Wish::Put { path, content, .. }, Action::Put(put)) => {
                (put.keep, self.oracle.keeps(path), content.length.saturating_sub(held))
            }
            (Wish::Move { from, to, .. }, Action::Move(step)) => {
                (step.keep, self.oracle.hands_on(from, to), 0)
            }
            (Wish::Copy { from, to, .. }, Action::Copy(step)) => {
                let added = self.oracle.lookup(from).map_or(0, |item| item.used());
                (step.keep, self.oracle.hands_on(from, to), added)
            }
            (Wish::BringBack { then, path, to, .. }, Action::SetProperties(_)) => {
                let keep = std::mem::take(&mut self.brought_keep);
                let Some(past) = self.oracle.then(*then, path) else { return keep };
                let in_place = self.oracle.comes_back_in_place(past, to);
                (keep, in_place && self.oracle.keeps(to), past.used())
            }
            (Wish::RestoreVersion { path, .. }, Action::RestoreVersion(step)) => {
                let length = self.oracle.lookup(path).and_then(|item| item.content());
                (step.keep, length.is_some_and(|content| content.length > 0), 0)
            }
            _ => return false,
        };
        self.kept_as(keep, expected, added, || format!("{wish:?}"), generation);
        keep
    }

    /// Whether what is replaced is kept as it should be: without room for so much more nothing is.
    pub(super) fn kept_as(
        &self,
        keep: bool,
        expected: bool,
        added: u64,
        what: impl Fn() -> String,
        generation: u64,
    ) {
        let no_room = self.oracle.root.used() + self.oracle.reserved() + added > self.oracle.limit;
        if keep != expected && (keep || added == 0 || !no_room) {
            self.wrong(format!("1: generation {generation} has {}, and keeps what was: {keep}", what()));
        }
        if keep {
            self.world.meet(Met::VersionKept);
        }
    }

    /// A step that names no operation: it comes before one, or it is the engine's own.
    fn unasked(&mut self, record: &Record, behind: &[Record], generation: u64) {
        let next = || behind.iter().find_map(|record| self.call(record));
        let tokens: &[LockToken] = next().map_or(&[], |call| &call.tokens);
        if self.oracle.closed && !goes_on_when_closed(&record.action) {
            self.wrong(format!("1: generation {generation} changes a closed space: {record:?}"));
        }
        let brings_back = next().is_some_and(|call| matches!(call.wish, Wish::BringBack { .. }));
        match &record.action {
            // All that comes back is looked at with the last step of it.
            Action::Put(put) if brings_back => self.brought_keep |= put.keep,
            Action::SetProperties(_) if brings_back => {}
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
            Action::Complete(complete) => self.complete(complete.upload, complete.keep, generation),
            // Directories above a file come before it, and are made with it.
            Action::MakeDirectory(_) if record.operation.is_none() => {}
            Action::TakeOver(_) => self.world.meet(Met::TakeOver),
            Action::Sweep(_) => self.world.meet(Met::Swept),
            Action::Format(_) => {}
            // Where bytes lie is nothing to members; see `hold_tags` and `hold_bytes`.
            Action::NameVolume(_) => self.world.meet(Met::VolumeNamed),
            Action::Relocate(_) => {}
            Action::Purge(purge) => self.purged(purge, generation),
            Action::Close(close) if close.removed && self.oracle.closed && self.told.removed => {
                self.oracle.remove();
            }
            Action::Unlock(unlock) => self.lock_expired(unlock.token, generation),
            Action::RemoveShare(share) => self.share_expired(share.id, generation),
            Action::Trash(trash) => {
                let found = self.clear(trash.node.0, next(), tokens, generation);
                let weight = found.and_then(|path| self.oracle.discard(&path));
                if weight != Some((trash.bytes.0, trash.nodes)) {
                    self.wrong(format!("1: generation {generation} says {trash:?} of {weight:?}"));
                }
            }
            Action::Delete(delete) => {
                if let Some(path) = self.clear(delete.node.0, next(), tokens, generation) {
                    self.oracle.end(&path);
                }
            }
            Action::Put(Put { parent, name, extents, reservation: None, keep: false })
                if extents.is_empty() =>
            {
                let above = self.oracle.path_of(parent.0);
                let path = above.map(|above| format!("{above}/{name}").trim_start_matches('/').to_owned());
                let path = path.unwrap_or_default();
                if let Err(refusal) = self.oracle.may_write(&path, tokens) {
                    return self
                        .wrong(format!("1: generation {generation} makes {path}; it should be {refusal:?}"));
                }
                self.oracle.write(&path, Content::EMPTY, false);
                self.emptied = Some(path);
            }
            other => {
                self.wrong(format!("1: generation {generation} has something nobody asked for: {other:?}"))
            }
        }
    }

    /// Something is in the place that the next operation wants.
    fn clear(
        &mut self,
        item: u64,
        next: Option<&Call>,
        tokens: &[LockToken],
        generation: u64,
    ) -> Option<String> {
        let Some(path) = self.oracle.path_of(item) else {
            self.wrong(format!("1: generation {generation} deletes {item}, which is not there"));
            return None;
        };
        if let Err(refusal) = self.oracle.may_remove(&path, tokens) {
            self.wrong(format!("1: generation {generation} deletes {path}; it should be {refusal:?}"));
        }
        self.cleared = Some((path.clone(), next.is_some_and(|call| overwrites(&call.wish))));
        Some(path)
    }

    /// The oldest makes room, and what is old enough goes; nothing else does.
    fn purged(&mut self, purge: &Purge, generation: u64) {
        let purged = match *purge {
            Purge { node, version: None, nodes: None } => self.oracle.purge_item(node.0),
            Purge { node, version: Some(number), nodes: None } => self.oracle.purge_version(node.0, number),
            _ => None,
        };
        match purged {
            Some(Purged::Oldest { since }) => {
                self.world.meet(if self.is_old(since) { Met::KeptExpired } else { Met::RoomMade });
            }
            Some(Purged::Of { since }) if self.is_old(since) => self.world.meet(Met::KeptExpired),
            other => {
                self.wrong(format!("1: generation {generation} has {purge:?} without a reason: {other:?}"))
            }
        }
    }

    /// Whether what a generation deleted may be old enough by now: a clock that nobody compares with may be wrong.
    fn is_old(&self, since: u64) -> bool {
        // It was old before it had its place when its writer slept.
        let written = self.clocks.get(&since).copied().unwrap_or(i64::MAX);
        let age = self.oracle.time - self.time_of(since).min(written);
        self.committers.len() < 2 || age + TOLERANCE >= super::KEPT
    }

    fn lock_expired(&mut self, token: LockToken, generation: u64) {
        match self.oracle.unlock(token) {
            Some(lock)
                if self.committers.len() < 2
                    || lock.ends.min(lock.expires) <= self.oracle.time + TOLERANCE =>
            {
                self.world.meet(Met::LockExpired);
            }
            lock => self.wrong(format!("1: in generation {generation} a lock ends too early: {lock:?}")),
        }
    }

    fn share_expired(&mut self, id: ShareId, generation: u64) {
        let ends = self.oracle.shares.remove(&id).and_then(|share| share.expires);
        match ends {
            Some(ends) if self.committers.len() < 2 || ends <= self.oracle.time + TOLERANCE => {
                self.world.meet(Met::ShareExpired);
            }
            ends => self.wrong(format!("1: in generation {generation} a share ends too early: {ends:?}")),
        }
    }

    fn complete(&mut self, upload: UploadId, keep: bool, generation: u64) {
        let (open, transfer) =
            (self.oracle.uploads.remove(&upload), self.uploads.transfers.get(&upload).copied());
        let (Some(Open { length, target: Some((path, demand, parents)) }), Some(transfer)) = (open, transfer)
        else {
            return self.wrong(format!("1: generation {generation} completes an upload that is none"));
        };
        if transfer.content.length != length || transfer.path != path {
            self.wrong(format!("1: generation {generation} completes another upload than was begun"));
        }
        if let Err(refusal) = self.oracle.target(&path, &demand, parents) {
            return self
                .wrong(format!("1: generation {generation} completes an upload; it should be {refusal:?}"));
        }
        if keep != self.oracle.keeps(&path) {
            self.wrong(format!("1: generation {generation} completes {path}, and keeps what was: {keep}"));
        }
        self.oracle.write(&path, transfer.content, keep);
    }
}

/// Where what is wished for comes to be.
fn target_of(oracle: &super::Oracle, wish: &Wish) -> Option<String> {
    match wish {
        Wish::Move { to, .. }
        | Wish::Copy { to, .. }
        | Wish::Import { to, .. }
        | Wish::BringBack { to, .. }
        | Wish::Restore { to: Some(to), .. } => Some(to.clone()),
        Wish::Restore { item, to: None, .. } => {
            oracle.trash.iter().find(|trashed| trashed.item.id == *item).map(|trashed| trashed.path.clone())
        }
        _ => None,
    }
}

fn overwrites(wish: &Wish) -> bool {
    match wish {
        Wish::Move { overwrite, .. }
        | Wish::Copy { overwrite, .. }
        | Wish::Import { overwrite, .. }
        | Wish::BringBack { overwrite, .. }
        | Wish::Restore { overwrite, .. } => *overwrite,
        _ => false,
    }
}

/// Whether the engine does this by itself in a space that takes nothing from members.
fn goes_on_when_closed(action: &Action) -> bool {
    matches!(
        action,
        Action::Abort(_)
            | Action::Sweep(_)
            | Action::Format(_)
            | Action::NameVolume(_)
            | Action::Relocate(_)
            | Action::Purge(_)
            | Action::Unlock(_)
            | Action::RemoveShare(_)
            | Action::Close(_)
    )
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

/// Refusals that are met are counted.
pub(super) fn met(refusal: Refusal) -> Met {
    match refusal {
        Refusal::Quota { .. } => Met::QuotaRefused,
        Refusal::Locked | Refusal::LockConflict => Met::LockRefused,
        Refusal::ShareUsedUp => Met::ShareUsedUp,
        Refusal::Closed => Met::ClosedRefused,
        _ => Met::Refused,
    }
}
