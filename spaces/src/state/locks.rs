//! Locks of WebDAV (RFC 4918): which there are, and which of them a step would break.

use std::time::Duration;

use imbl::{OrdMap, OrdSet};

use super::State;
use super::apply::{Applied, Misfit, Moment};
use super::plan::{Plan, Planned};
use super::weight::tree;
use crate::error::Error;
use crate::format::pool::Import;
use crate::format::record::{self, Action};
use crate::format::start::StartLock;
use crate::lock::{LONGEST_LOCK, LONGEST_OWNER, Lock, LockDepth, LockScope, LockToken, NewLock};
use crate::name::Name;
use crate::node::NodeId;
use crate::path::NodePath;
use crate::rule::{Rule, kept};

/// The most locks of one space. They are part of the state, which every pod holds in memory.
pub(crate) const MOST_LOCKS: usize = 4096;

/// The most locks made at one node, which share it.
pub(crate) const MOST_OF_NODE: usize = 64;

/// What is said of an owner and a creator takes about so many bytes.
const TEXTS: usize = 160;

/// All locks of a space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Locks {
    by_token: OrdMap<LockToken, Held>,
    by_node: OrdSet<(NodeId, LockToken)>,
    by_expiry: OrdSet<(i64, LockToken)>,
}

/// A lock as it is recorded, and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    lock: record::Lock,
    expires: i64,
}

impl Locks {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_token.is_empty()
    }

    /// What they take in memory.
    pub(super) fn weight(&self) -> usize {
        let all = self.by_token.len();
        tree(all, size_of::<(LockToken, Held)>())
            + tree(all, size_of::<(NodeId, LockToken)>())
            + tree(all, size_of::<(i64, LockToken)>())
            + all * TEXTS
    }

    /// Whether there is a lock of this name.
    pub(crate) fn has(&self, token: LockToken) -> bool {
        self.by_token.contains_key(&token)
    }

    /// Those that have ended by a time.
    pub(crate) fn expired(&self, now: i64) -> impl Iterator<Item = LockToken> {
        self.by_expiry.iter().take_while(move |(expires, _)| *expires < now).map(|(_, token)| *token)
    }

    fn put(&mut self, lock: record::Lock, expires: i64) {
        let (token, node) = (lock.token, lock.node);
        self.remove(token);
        self.by_node.insert((node, token));
        self.by_expiry.insert((expires, token));
        self.by_token.insert(token, Held { lock, expires });
    }

    fn remove(&mut self, token: LockToken) -> bool {
        let Some(held) = self.by_token.remove(&token) else { return false };
        self.by_node.remove(&(held.lock.node, token));
        self.by_expiry.remove(&(held.expires, token));
        true
    }

    fn at(&self, node: NodeId) -> impl Iterator<Item = &Held> {
        let from = (node, LockToken(uuid::Uuid::nil()));
        self.by_node
            .range(from..)
            .take_while(move |(at, _)| *at == node)
            .filter_map(|(_, token)| self.by_token.get(token))
    }

    /// They end with their node.
    pub(super) fn forget(&mut self, node: NodeId) {
        let dead: Vec<LockToken> = self.at(node).map(|held| held.lock.token).collect();
        for token in dead {
            self.remove(token);
        }
    }

    pub(crate) fn restore(start: Vec<StartLock>) -> Result<Self, Misfit> {
        let mut restored = Self::default();
        for StartLock { lock, expires } in start {
            if restored.has(lock.token) {
                return Err(Misfit("a lock is there twice"));
            }
            restored.put(lock, expires);
        }
        Ok(restored)
    }

    pub(crate) fn to_start(&self) -> Vec<StartLock> {
        let start = |held: &Held| StartLock { lock: held.lock.clone(), expires: held.expires };
        self.by_token.values().map(start).collect()
    }

    /// What does not add up.
    pub(crate) fn audit(&self, state: &State, wrong: &mut Vec<String>) {
        if self.by_node.len() != self.by_token.len() || self.by_expiry.len() != self.by_token.len() {
            wrong.push("locks were counted wrongly".to_owned());
        }
        for (token, Held { lock, expires }) in &self.by_token {
            let known =
                self.by_node.contains(&(lock.node, *token)) && self.by_expiry.contains(&(*expires, *token));
            if *token != lock.token || !known || !state.is_within(lock.node, NodeId::ROOT) {
                wrong.push(format!("a lock of node {} is not where it should be", lock.node));
            }
            let others = self.at(lock.node).filter(|other| other.lock.token != *token);
            if others.into_iter().any(|other| lock.exclusive || other.lock.exclusive) {
                wrong.push(format!("the locks of node {} contradict each other", lock.node));
            }
        }
    }
}

impl State {
    /// The locks that protect a node: those made at it, and those further up that reach down to it.
    fn locks_of(&self, node: NodeId) -> Vec<&Held> {
        let mut locks = Vec::new();
        let mut at = node;
        while !self.locks.is_empty() {
            let reaching = self.locks.at(at).filter(|held| at == node || held.lock.infinite);
            locks.extend(reaching);
            match self.nodes.get(&at) {
                Some(inode) if inode.parent != at => at = inode.parent,
                _ => break,
            }
        }
        locks
    }

    /// The locks that protect what is at a path, the nearest first.
    pub(crate) fn locks_at(&self, path: &NodePath) -> Vec<Lock> {
        self.find(path).map(|node| self.locks_on(node)).unwrap_or_default()
    }

    /// The locks that protect a node, the nearest first.
    pub(crate) fn locks_on(&self, node: NodeId) -> Vec<Lock> {
        self.locks_of(node).into_iter().map(|held| self.lock_as_seen(held)).collect()
    }

    /// A lock, by its name.
    pub(crate) fn lock_of(&self, token: LockToken) -> Option<Lock> {
        self.locks.by_token.get(&token).map(|held| self.lock_as_seen(held))
    }

    fn lock_as_seen(&self, held: &Held) -> Lock {
        let record::Lock { token, node, exclusive, infinite, owner, creator, timeout_ms } = &held.lock;
        let lock = NewLock {
            token: *token,
            scope: if *exclusive { LockScope::Exclusive } else { LockScope::Shared },
            depth: if *infinite { LockDepth::Infinity } else { LockDepth::Zero },
            owner: owner.clone(),
            creator: creator.clone(),
            timeout: Duration::from_millis(*timeout_ms),
        };
        Lock { lock, root: self.lock_root(*node), expires: held.expires }
    }

    fn lock_root(&self, node: NodeId) -> NodePath {
        let mut names = Vec::new();
        let mut at = self.nodes.get(&node);
        while let Some(inode) = at {
            let Some(name) = inode.name.clone() else { break };
            names.push(name);
            at = self.nodes.get(&inode.parent);
        }
        names.reverse();
        NodePath::from(names)
    }

    /// Whether steps change nothing that is protected by a lock which is not held.
    pub(crate) fn unlocked(&self, actions: &[Action], held: &[LockToken]) -> Result<(), Error> {
        if self.locks.is_empty() || !kept(Rule::LocksHold) {
            return Ok(());
        }
        let held: Vec<LockToken> = held.iter().chain(self.held_by_uploads(actions)).copied().collect();
        actions.iter().try_for_each(|action| self.step_is_unlocked(action, &held))
    }

    fn step_is_unlocked(&self, action: &Action, held: &[LockToken]) -> Result<(), Error> {
        match action {
            Action::MakeDirectory(record::MakeDirectory { parent, .. }) => self.may_change(*parent, held),
            Action::Put(record::Put { parent, name, .. }) => self.may_write(*parent, name, held),
            Action::Move(record::Move { node, parent, replaced, .. }) => {
                self.may_remove(*node, held)?;
                self.may_change(*parent, held)?;
                replaced.map_or(Ok(()), |node| self.may_remove(node, held))
            }
            Action::Copy(record::Copy { parent, replaced, .. })
            | Action::Import(Import { parent, replaced, .. }) => {
                self.may_change(*parent, held)?;
                replaced.map_or(Ok(()), |node| self.may_remove(node, held))
            }
            Action::Delete(record::Delete { node }) | Action::Trash(record::Trash { node, .. }) => {
                self.may_remove(*node, held)
            }
            Action::Restore(record::Restore { parent, .. }) => self.may_change(*parent, held),
            Action::RestoreVersion(record::RestoreVersion { node, .. }) => self.may_change(*node, held),
            Action::SetProperties(record::SetProperties { node, .. }) => self.may_change(*node, held),
            // What counts is when it is complete; who begins it is told early all the same.
            Action::CreateUpload(record::CreateUpload { target: Some(target), .. }) => {
                let path = NodePath::from(target.path.clone());
                let slot = self.slot(&path, target.parents)?;
                let held: Vec<LockToken> = held.iter().chain(&target.locks).copied().collect();
                self.may_change(slot.taken.unwrap_or(slot.parent), &held)
            }
            Action::Complete(record::Complete { parent, name, .. }) => self.may_write(*parent, name, held),
            Action::CreateUpload(_)
            | Action::TakeOver(_)
            | Action::Extend(_)
            | Action::Abort(_)
            | Action::Limit(_)
            | Action::Sweep(_)
            | Action::NameVolume(_)
            | Action::Relocate(_)
            | Action::Close(_)
            | Action::Format(_)
            // Old contents are protected by nothing: they make room for anybody.
            | Action::Purge(_)
            | Action::Lock(_)
            | Action::Unlock(_)
            | Action::CreateShare(_)
            | Action::RemoveShare(_)
            | Action::UseShare(_) => Ok(()),
        }
    }

    /// Whoever completes an upload holds what was held when it was begun: that may be another pod, much later.
    fn held_by_uploads(&self, actions: &[Action]) -> impl Iterator<Item = &LockToken> {
        let target = |action: &Action| match action {
            Action::Complete(complete) => self.uploads.get(&complete.upload)?.open()?.target.as_deref(),
            _ => None,
        };
        actions.iter().filter_map(target).flat_map(|target| &target.locks)
    }

    /// New content changes the file that is there; a new file changes its directory.
    fn may_write(&self, parent: NodeId, name: &Name, held: &[LockToken]) -> Result<(), Error> {
        self.may_change(self.child(parent, name).unwrap_or(parent), held)
    }

    /// Whether a lock that is held protects a node, or none does. Of several that share it one is enough.
    fn may_change(&self, node: NodeId, held: &[LockToken]) -> Result<(), Error> {
        let locks = self.locks_of(node);
        match locks.first() {
            Some(nearest) if !locks.iter().any(|one| held.contains(&one.lock.token)) => {
                Err(Error::Locked { root: self.lock_root(nearest.lock.node) })
            }
            _ => Ok(()),
        }
    }

    /// Whether a node may leave its place with all in it: that changes its directory, it, and each locked node below.
    fn may_remove(&self, node: NodeId, held: &[LockToken]) -> Result<(), Error> {
        let parent = self.nodes.get(&node).map_or(node, |inode| inode.parent);
        self.may_change(parent, held)?;
        self.may_change(node, held)?;
        self.locked_below(node).into_iter().try_for_each(|below| self.may_change(below, held))
    }

    /// The nodes that a lock was made at, from one on downwards.
    fn locked_below(&self, node: NodeId) -> Vec<NodeId> {
        let mut found: Vec<NodeId> = self.locks.by_node.iter().map(|(at, _)| *at).collect();
        found.dedup();
        found.retain(|at| self.is_within(*at, node));
        found
    }

    /// Locks end where a node leaves the tree, with all in it.
    pub(super) fn unlock_below(&mut self, node: NodeId) {
        for below in self.locked_below(node) {
            self.locks.forget(below);
        }
    }

    /// Whether a lock can be beside the others that protect the same. Whose they are does not matter.
    fn lock_goes(&self, lock: &record::Lock, others: Vec<&Held>) -> Result<(), NodeId> {
        let below = if lock.infinite { self.locked_below(lock.node) } else { Vec::new() };
        let below = below.into_iter().flat_map(|node| self.locks.at(node));
        let conflict =
            |other: &&Held| other.lock.token != lock.token && (lock.exclusive || other.lock.exclusive);
        others.into_iter().chain(below).find(conflict).map_or(Ok(()), |other| Err(other.lock.node))
    }

    pub(super) fn plan_lock(&self, path: &NodePath, new: &NewLock) -> Plan {
        let NewLock { token, scope, depth, owner, creator, timeout } = new;
        if owner.len().max(creator.len()) > LONGEST_OWNER {
            return Err(Error::TooMuch { what: "bytes that say who holds a lock", most: LONGEST_OWNER });
        }
        if self.locks.has(*token) {
            return Err(Error::Exists);
        }
        let mut actions = Vec::new();
        let (node, others) = match self.find(path) {
            Some(node) => (node, self.locks_of(node)),
            None => {
                // A name that nothing has gets an empty file (RFC 4918, section 7.3).
                let slot = self.slot(path, false)?;
                let (parent, name) = (slot.parent, slot.name.clone());
                let (extents, reservation) = (Vec::new(), None);
                actions.push(Action::Put(record::Put { parent, name, extents, reservation, keep: false }));
                let mut others = self.locks_of(parent);
                others.retain(|held| held.lock.infinite);
                (NodeId(self.next), others)
            }
        };
        let lock = record::Lock {
            token: *token,
            node,
            exclusive: *scope == LockScope::Exclusive,
            infinite: *depth == LockDepth::Infinity,
            owner: owner.clone(),
            creator: creator.clone(),
            timeout_ms: milliseconds(*timeout),
        };
        self.lock_goes(&lock, others).map_err(|at| Error::LockConflict { root: self.lock_root(at) })?;
        if self.locks.by_token.len() >= MOST_LOCKS {
            return Err(Error::TooMuch { what: "locks in one space", most: MOST_LOCKS });
        }
        if self.locks.at(node).count() >= MOST_OF_NODE {
            return Err(Error::TooMuch { what: "locks of one file or directory", most: MOST_OF_NODE });
        }
        actions.push(Action::Lock(lock));
        let nodes = actions.len();
        Ok(Planned::Steps { actions, nodes })
    }

    /// A lock that protects what is at a path.
    fn lock_over(&self, path: &NodePath, token: LockToken) -> Result<&Held, Error> {
        let locks = self.find(path).map(|node| self.locks_of(node)).unwrap_or_default();
        locks.into_iter().find(|held| held.lock.token == token).ok_or(Error::LockGone)
    }

    pub(super) fn plan_refresh(&self, path: &NodePath, token: LockToken, timeout: Duration) -> Plan {
        let held = self.lock_over(path, token)?;
        let lock = record::Lock { timeout_ms: milliseconds(timeout), ..held.lock.clone() };
        Ok(Planned::one(Action::Lock(lock)))
    }

    pub(super) fn plan_unlock(&self, path: &NodePath, token: LockToken) -> Plan {
        self.lock_over(path, token)?;
        Ok(Planned::one(Action::Unlock(record::Unlock { token })))
    }

    /// A new lock, or the time of one that there is counted anew.
    pub(super) fn lock(&mut self, lock: &record::Lock, at: Moment) -> Applied<NodeId> {
        if !self.nodes.contains_key(&lock.node) {
            return Err(Misfit("a node is missing"));
        }
        let changed = |held: &Held| {
            let timeout_ms = lock.timeout_ms;
            record::Lock { timeout_ms, ..held.lock.clone() } != *lock
        };
        if self.locks.by_token.get(&lock.token).is_some_and(changed) {
            return Err(Misfit("a lock becomes another one"));
        }
        if self.lock_goes(lock, self.locks_of(lock.node)).is_err() {
            return Err(Misfit("two locks contradict each other"));
        }
        let expires = at.clock.saturating_add(i64::try_from(lock.timeout_ms).unwrap_or(i64::MAX));
        self.locks.put(lock.clone(), expires);
        Ok(lock.node)
    }

    pub(super) fn unlock(&mut self, unlock: &record::Unlock) -> Applied {
        if self.locks.remove(unlock.token) { Ok(()) } else { Err(Misfit("a lock is missing")) }
    }

    /// A node leaves its place: what was locked there is locked no more (RFC 4918, section 7.6).
    pub(super) fn unlock_place(&mut self, node: NodeId) {
        if !self.locks.is_empty() {
            for below in self.locked_below(node) {
                self.locks.forget(below);
            }
        }
    }
}

fn milliseconds(timeout: Duration) -> u64 {
    u64::try_from(timeout.min(LONGEST_LOCK).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "locks_tests.rs"]
mod tests;
