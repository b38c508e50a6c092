//! Locks: which there are, and what they keep from whom.

use super::item::{Item, names};
use super::wish::Refusal;
use super::{Oracle, Outcome};
use crate::lock::LockToken;

/// A lock, at a file or directory that is in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Lock {
    pub(in crate::sim) token: LockToken,
    pub(in crate::sim) item: u64,
    pub(in crate::sim) exclusive: bool,
    pub(in crate::sim) infinite: bool,
    /// By the clock that it was written with, in milliseconds since 1970.
    pub(in crate::sim) expires: i64,
    /// The same, if that clock had been right, and the writer had not slept before the entry had its place.
    pub(in crate::sim) ends: i64,
}

impl Oracle {
    /// What is on the way to a path, as far as it is there: the root first.
    fn way(&self, path: &str) -> (Vec<&Item>, bool) {
        let mut way = vec![&self.root];
        let mut item = &self.root;
        for name in names(path) {
            match item.child(name) {
                Some(next) => item = next,
                None => return (way, false),
            }
            way.push(item);
        }
        (way, true)
    }

    /// The locks that protect the last of these.
    fn protecting(&self, way: &[&Item]) -> Vec<&Lock> {
        let Some((last, above)) = way.split_last() else { return Vec::new() };
        let reaches = |lock: &&Lock| {
            lock.item == last.id || lock.infinite && above.iter().any(|item| item.id == lock.item)
        };
        self.locks.iter().filter(reaches).collect()
    }

    fn open(&self, way: &[&Item], tokens: &[LockToken]) -> Result<(), Refusal> {
        let locks = self.protecting(way);
        let open = locks.is_empty() || locks.iter().any(|lock| tokens.contains(&lock.token));
        if open { Ok(()) } else { Err(Refusal::Locked) }
    }

    /// Whether what is at a path may change; where nothing is, what the nearest directory above it has.
    pub(in crate::sim) fn may_write(&self, path: &str, tokens: &[LockToken]) -> Result<(), Refusal> {
        self.open(&self.way(path).0, tokens)
    }

    /// Whether something may come to be at a path: what the directory above has may change.
    pub(super) fn may_add(&self, path: &str, tokens: &[LockToken]) -> Result<(), Refusal> {
        let (mut way, whole) = self.way(path);
        if whole {
            way.pop();
        }
        self.open(&way, tokens)
    }

    /// Whether what is at a path may leave it.
    pub(in crate::sim) fn may_remove(&self, path: &str, tokens: &[LockToken]) -> Result<(), Refusal> {
        let (way, whole) = self.way(path);
        let Some((last, above)) = way.split_last().filter(|_| whole) else { return Ok(()) };
        self.open(above, tokens)?;
        self.open(&way, tokens)?;
        for (below, item) in last.all() {
            if self.locks.iter().any(|lock| lock.item == item.id) {
                self.may_write(&format!("{path}/{below}"), tokens)?;
            }
        }
        Ok(())
    }

    /// Whether a lock can be at a path beside those that there are.
    pub(super) fn lockable(&self, path: &str, exclusive: bool, infinite: bool) -> Result<(), Refusal> {
        let (way, whole) = self.way(path);
        let above = names(path).len().saturating_sub(1);
        let mut others = self.protecting(&way);
        if !whole {
            // There will be an empty file.
            match way.last() {
                Some(item) if !item.is_directory() => return Err(Refusal::NotADirectory),
                _ if way.len() <= above => return Err(Refusal::NotFound),
                _ => others.retain(|lock| lock.infinite),
            }
        } else if infinite && let Some(last) = way.last() {
            let below: Vec<u64> = last.all().iter().map(|(_, item)| item.id).collect();
            others.extend(self.locks.iter().filter(|lock| below.contains(&lock.item)));
        }
        if others.iter().any(|other| exclusive || other.exclusive) {
            return Err(Refusal::LockConflict);
        }
        Ok(())
    }

    /// The lock of a token, if it protects what is at a path.
    pub(super) fn lock_over(&self, path: &str, token: LockToken) -> Result<Lock, Refusal> {
        let (way, whole) = self.way(path);
        let locks = if whole { self.protecting(&way) } else { Vec::new() };
        locks.into_iter().find(|lock| lock.token == token).copied().ok_or(Refusal::LockGone)
    }

    /// Places are left: what was locked there is locked no more.
    pub(super) fn unlock_all(&mut self, left: &Item) {
        let ids: Vec<u64> = left.all().iter().map(|(_, item)| item.id).collect();
        self.locks.retain(|lock| !ids.contains(&lock.item));
    }

    /// The time of a lock has come, or somebody ends it.
    pub(in crate::sim) fn unlock(&mut self, token: LockToken) -> Option<Lock> {
        let place = self.locks.iter().position(|lock| lock.token == token)?;
        Some(self.locks.remove(place))
    }

    /// What locks say of an operation, each on what it touches.
    pub(super) fn all_open<const N: usize>(checks: [Result<(), Refusal>; N]) -> Outcome {
        checks.into_iter().collect::<Result<(), Refusal>>().map(|()| super::Did::Something)
    }
}
