//! Decides what an operation does to a state, or why it is refused.

use api::bytes::Bytes;
use api::generation::Generation;

use super::State;
use super::inode::length;
use super::intent::{Content, Intent};
use super::place::Slot;
use super::retention::Retention;
use super::trash_plan::{By, Replaced};
use super::upload::Upload;
use crate::error::Error;
use crate::extent::{ObjectId, VolumeIndex};
use crate::format::record::{self, Action};
use crate::name::Name;
use crate::node::NodeId;
use crate::operation::Condition;
use crate::path::{MOST_NAMES, NodePath};
use crate::rule::{Rule, kept};

/// The most nodes that the operations of one entry touch.
pub(crate) const MOST_NODES: usize = 10_000;

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Planned {
    /// Steps, and how many nodes they touch.
    Steps { actions: Vec<Action>, nodes: usize },
    /// Steps, and how many nodes they touch, that come first in an entry of their own; then it is planned again.
    First { actions: Vec<Action>, nodes: usize },
    /// It is as wanted already.
    Nothing { node: Option<NodeId> },
}

impl Planned {
    pub(super) fn one(action: Action) -> Self {
        Self::Steps { actions: vec![action], nodes: 1 }
    }
}

pub(super) type Plan = Result<Planned, Error>;

/// What a directory and all in it amount to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extensive {
    pub(super) nodes: usize,
    /// The sizes of all files.
    pub(super) bytes: Bytes,
    /// Those of their old versions.
    pub(super) versions: Bytes,
    pub(super) height: usize,
}

impl State {
    /// Plans an operation that finds the room it needs, or does not.
    pub(super) fn plan_within(&self, intent: &Intent, retention: Retention) -> Plan {
        self.takes(intent)?;
        match intent {
            Intent::MakeDirectory { path, parents } => self.plan_directory(path, *parents),
            Intent::Put { path, content, condition, parents } => {
                self.plan_put(path, content, condition, *parents, retention)
            }
            Intent::Move { from, to, overwrite } => self.plan_move(from, to, *overwrite, retention),
            Intent::Copy { from, to, overwrite } => self.plan_copy(from, to, *overwrite, retention),
            Intent::Delete { path, condition, permanently } => {
                self.plan_delete(path, condition, *permanently, retention)
            }
            Intent::Restore { item, to, overwrite } => {
                self.plan_restore(*item, to.as_ref(), *overwrite, retention)
            }
            Intent::Purge(purge) => self.plan_purge(purge),
            Intent::RestoreVersion { path, version, condition } => {
                self.plan_restore_version(path, *version, condition)
            }
            Intent::BringBack { nodes, to, overwrite } => {
                self.plan_bring_back(nodes, to, *overwrite, retention)
            }
            Intent::Expire => Ok(Planned::Nothing { node: None }),
            Intent::Limit { roster_generation, target, ceiling } => {
                let (roster_generation, target, ceiling) = (*roster_generation, *target, *ceiling);
                self.plan_limit(record::Limit { roster_generation, target, ceiling })
            }
            Intent::Lock { path, lock } => self.plan_lock(path, lock),
            Intent::RefreshLock { path, token, timeout } => self.plan_refresh(path, *token, *timeout),
            Intent::Unlock { path, token } => self.plan_unlock(path, *token),
            Intent::CreateShare { path, share } => self.plan_share(path, share),
            Intent::RemoveShare { id } => self.plan_unshare(*id),
            Intent::UseShare { id } => self.plan_use(*id),
            Intent::SetProperties { path, condition, changes } => {
                self.plan_properties(path, condition, changes)
            }
            Intent::NameVolume { id } => self.plan_volume(*id),
            Intent::Relocate { steps } => self.plan_relocate(steps),
            Intent::Close { roster_generation } => self.plan_close(*roster_generation),
            Intent::Remove => self.plan_remove(),
            Intent::Import { path, tree, overwrite, source } => {
                self.plan_import(path, tree, *overwrite, *source, retention)
            }
            Intent::RemoveCopied { path, copied } => self.plan_remove_copied(path, *copied),
            Intent::CreateUpload { upload, length, object, volume, target } => {
                let target = target.as_deref();
                let (upload, object, volume) = (*upload, *object, *volume);
                let (target, length) = (target.cloned(), *length);
                self.plan_upload(record::CreateUpload { upload, length, object, target, volume })
            }
            Intent::TakeOver { upload, epoch, object, volume } => {
                self.plan_take_over(*upload, *epoch, *object, *volume)
            }
            Intent::Extend { upload, epoch, durable, length } => {
                self.plan_extend(*upload, *epoch, *durable, *length)
            }
            Intent::Complete { upload, epoch } => self.plan_complete(*upload, *epoch, retention),
            Intent::Abort { upload } => self.plan_abort(*upload),
            Intent::Witness(_) => {
                Ok(Planned::one(Action::Sweep(record::Sweep { low: self.low, truncated: Generation::ZERO })))
            }
            Intent::Sweep { low, truncated } => Ok(self.plan_sweep(*low, *truncated)),
        }
    }

    /// Another pod may have got further.
    fn plan_sweep(&self, low: Generation, truncated: Generation) -> Planned {
        let low = low.clamp(self.low, self.generation.max(self.low));
        let truncated = truncated.min(self.generation);
        if low == self.low && self.objects.oldest_dropped().is_none_or(|dropped| dropped > truncated) {
            return Planned::Nothing { node: None };
        }
        Planned::one(Action::Sweep(record::Sweep { low, truncated }))
    }

    /// Whether an object may be referred to: it is on a volume that has a number here, and it is known, or too young to
    /// be taken for garbage.
    pub(super) fn may_refer(&self, volume: VolumeIndex, object: ObjectId) -> bool {
        if !self.volumes.knows(volume) {
            return false;
        }
        object.born >= self.low || self.objects.knows(volume, object) || !kept(Rule::LowForObjects)
    }

    fn plan_directory(&self, path: &NodePath, parents: bool) -> Plan {
        if path.is_root() && parents {
            return Ok(Planned::Nothing { node: Some(NodeId::ROOT) });
        }
        let slot = match self.slot(path, parents) {
            Err(Error::Root) => return Err(Error::Exists),
            slot => slot?,
        };
        match slot.taken {
            Some(id) if parents && self.directory(id).is_some() => Ok(Planned::Nothing { node: Some(id) }),
            Some(_) => Err(Error::Exists),
            None => {
                let (mut actions, parent) = self.make_missing(&slot);
                actions
                    .push(Action::MakeDirectory(record::MakeDirectory { parent, name: slot.name.clone() }));
                let nodes = actions.len();
                Ok(Planned::Steps { actions, nodes })
            }
        }
    }

    /// The steps that make the directories which a place lacks, and the directory that the place is in then.
    pub(super) fn make_missing(&self, slot: &Slot<'_>) -> (Vec<Action>, NodeId) {
        let mut parent = slot.parent;
        let mut actions = Vec::with_capacity(slot.missing.len() + 2);
        for (number, name) in (self.next..).zip(slot.missing) {
            actions.push(Action::MakeDirectory(record::MakeDirectory { parent, name: name.clone() }));
            parent = NodeId(number);
        }
        (actions, parent)
    }

    fn plan_put(
        &self,
        path: &NodePath,
        content: &Content,
        condition: &Condition,
        parents: bool,
        retention: Retention,
    ) -> Plan {
        let slot = match self.slot(path, parents) {
            Err(Error::NotFound) if matches!(condition, Condition::Matches(_)) => {
                return Err(Error::Precondition);
            }
            slot => slot?,
        };
        if !self.holds(condition, slot.taken) {
            return Err(Error::Precondition);
        }
        let old = self.replaceable(slot.taken)?;
        let (keep, mut actions, freed) = self.overwritten(slot.taken, old, retention);
        let Content { extents, reservation, modified } = content;
        let held = reservation.and_then(|id| self.uploads.get(&id)).and_then(Upload::open);
        let held = held.filter(|open| open.target.is_none());
        let reserved = held.map_or(Bytes::ZERO, |open| open.length);
        self.fits(length(extents), freed.saturating_add(reserved))?;
        for extent in extents {
            if !self.may_refer(extent.volume, extent.object) {
                return Err(Error::OutcomeUnknown);
            }
        }
        let (missing, parent) = self.make_missing(&slot);
        actions.extend(missing);
        let reservation = reservation.filter(|_| held.is_some());
        let (name, extents) = (slot.name.clone(), extents.clone());
        actions.push(Action::Put(record::Put { parent, name, extents, reservation, keep }));
        actions.extend(self.dated(&slot, *modified));
        let nodes = actions.len();
        Ok(Planned::Steps { actions, nodes })
    }

    /// What becomes of a content of this size that another one replaces: whether it is kept, the steps before, and what
    /// is given back.
    pub(super) fn overwritten(
        &self,
        taken: Option<NodeId>,
        size: Bytes,
        retention: Retention,
    ) -> (bool, Vec<Action>, Bytes) {
        let keep = retention.versions > 0 && size > Bytes::ZERO;
        if !keep {
            return (false, Vec::new(), size);
        }
        let (actions, freed) = self.over(taken.into_iter(), true, retention);
        (true, actions, freed)
    }

    /// The size of the file that new content replaces.
    pub(super) fn replaceable(&self, taken: Option<NodeId>) -> Result<Bytes, Error> {
        match taken.and_then(|id| self.nodes.get(&id)) {
            None => Ok(Bytes::ZERO),
            Some(inode) => inode.file().map(|file| file.size).ok_or(Error::IsADirectory),
        }
    }

    /// Whether a space that gets and frees so much stays within its limit. What does not grow it always does.
    pub(super) fn fits(&self, added: Bytes, freed: Bytes) -> Result<(), Error> {
        let needed = added.saturating_sub(freed);
        let fits = self.taken().saturating_add(needed) <= self.limit.bytes || !kept(Rule::WithinLimit);
        if needed == Bytes::ZERO || fits {
            return Ok(());
        }
        let (limit, used, reserved) = (self.limit.bytes, self.used, self.reserved);
        Err(Error::QuotaExceeded { limit, used, reserved, needed })
    }

    pub(super) fn measure(&self, id: NodeId) -> Result<Extensive, Error> {
        let mut all = Extensive::default();
        for step in self.walk(id) {
            all.nodes += 1;
            all.height = all.height.max(step.depth);
            if all.nodes > MOST_NODES {
                return Err(Error::TooMany { most: MOST_NODES });
            }
            if let Some(file) = self.nodes.get(&step.id).and_then(|inode| inode.file()) {
                all.bytes = all.bytes.saturating_add(file.size);
                let versions = self.versions.of(step.id).iter().map(|version| version.size).sum();
                all.versions = all.versions.saturating_add(versions);
            }
        }
        Ok(all)
    }

    /// What moving and copying have in common: the node, its new directory and name, and what is replaced.
    fn plan_place(
        &self,
        from: &NodePath,
        to: &NodePath,
        overwrite: bool,
    ) -> Result<(NodeId, NodeId, Name, Option<NodeId>), Error> {
        if from.is_root() || to.is_root() {
            return Err(Error::Root);
        }
        let node = self.find(from).ok_or(Error::NotFound)?;
        let slot = self.slot(to, false)?;
        if self.is_within(slot.parent, node) {
            return Err(Error::IntoItself);
        }
        match slot.taken {
            Some(_) if !overwrite => Err(Error::Exists),
            // It would be deleted with what it replaces.
            Some(taken) if taken != node && self.is_within(node, taken) => Err(Error::Exists),
            taken => Ok((node, slot.parent, slot.name.clone(), taken)),
        }
    }

    fn plan_move(&self, from: &NodePath, to: &NodePath, overwrite: bool, retention: Retention) -> Plan {
        let (node, parent, name, replaced) = self.plan_place(from, to, overwrite)?;
        if replaced == Some(node) {
            return Ok(Planned::Nothing { node: Some(node) });
        }
        // Nothing may come to lie deeper than a path can name.
        let deepest = MOST_NAMES.saturating_sub(to.names().len());
        if self.directory(node).is_some() && self.walk(node).any(|step| step.depth > deepest) {
            return Err(Error::TooDeep);
        }
        let Replaced { mut actions, node: replaced, keep, nodes, freed: _ } =
            self.replaced(By::Moved(node), replaced, retention)?;
        let nodes = nodes + 1;
        actions.push(Action::Move(record::Move { node, parent, name, replaced, keep }));
        Ok(Planned::Steps { actions, nodes })
    }

    fn plan_copy(&self, from: &NodePath, to: &NodePath, overwrite: bool, retention: Retention) -> Plan {
        let (node, parent, name, replaced) = self.plan_place(from, to, overwrite)?;
        if replaced == Some(node) {
            return Ok(Planned::Nothing { node: Some(node) });
        }
        let source = self.measure(node)?;
        if to.names().len() + source.height > MOST_NAMES {
            return Err(Error::TooDeep);
        }
        let Replaced { mut actions, node: replaced, keep, nodes, freed } =
            self.replaced(By::Copied(node), replaced, retention)?;
        let nodes = nodes + source.nodes;
        if nodes > MOST_NODES {
            return Err(Error::TooMany { most: MOST_NODES });
        }
        self.fits(source.bytes, freed)?;
        self.properties_can_be_copied(node)?;
        actions.push(Action::Copy(record::Copy { node, parent, name, replaced, keep }));
        Ok(Planned::Steps { actions, nodes })
    }

    fn plan_limit(&self, wish: record::Limit) -> Plan {
        let seen = self.limit.roster_generation;
        if self.limit.is_of(&wish) && self.closed.is_none() && seen > api::generation::RosterGeneration::ZERO
        {
            Ok(Planned::Nothing { node: None })
        } else if wish.roster_generation <= seen && kept(Rule::NewerRoster) {
            Err(Error::Superseded { seen })
        } else {
            self.plan_limit_with_room(wish)
        }
    }
}
