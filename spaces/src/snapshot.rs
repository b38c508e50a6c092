//! A space at one generation, for readers.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};

use crate::lock::Lock;
use crate::name::Name;
use crate::node::{Node, NodeId};
use crate::operation::{UploadId, UploadStatus};
use crate::path::NodePath;
use crate::property::Property;
use crate::share::{Share, ShareId, ShareTokenHash};
use crate::state::State;
use crate::state::upload::Upload;

/// How new a snapshot must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// As new as the log was at most so long ago.
    Within(Duration),
    /// As new as the log is when this is asked.
    Now,
    /// This generation or a later one; when the space has not come so far, as [`Freshness::Now`].
    AtLeast(Generation),
}

/// How full a space is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// What it may hold.
    pub limit: Bytes,
    /// What it holds.
    pub used: Bytes,
    /// What uploads under way have reserved.
    pub reserved: Bytes,
    /// The roster that the limit is from.
    pub roster_generation: RosterGeneration,
}

/// A space at one generation. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Snapshot {
    state: Arc<State>,
}

impl Snapshot {
    pub(crate) fn of(state: Arc<State>) -> Self {
        Self { state }
    }

    #[cfg(test)]
    pub(crate) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.state.generation
    }

    /// How full it is.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let State { limit, used, reserved, .. } = self.state.as_ref();
        Usage {
            limit: limit.bytes,
            used: *used,
            reserved: *reserved,
            roster_generation: limit.roster_generation,
        }
    }

    /// What is at a path.
    #[must_use]
    pub fn lookup(&self, path: &NodePath) -> Option<Node> {
        self.state.find(path).and_then(|id| self.state.node(id))
    }

    /// What is in a directory, in the order of the names, from behind `after` on. Empty when it is none.
    #[must_use]
    pub fn list(&self, path: &NodePath, after: Option<&Name>, limit: usize) -> Vec<(Name, Node)> {
        let Some(directory) = self.state.find(path).and_then(|id| self.state.directory(id)) else {
            return Vec::new();
        };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = directory.children.range((from, Bound::Unbounded));
        names.take(limit).filter_map(|(name, id)| Some((name.clone(), self.state.node(*id)?))).collect()
    }

    /// The locks that protect what is at a path, the nearest first.
    #[must_use]
    pub fn locks(&self, path: &NodePath) -> Vec<Lock> {
        self.state.locks_at(path)
    }

    /// The share that a secret belongs to, by the hash of that.
    #[must_use]
    pub fn share_by_token(&self, token: ShareTokenHash) -> Option<Share> {
        self.state.share_by_token(token)
    }

    /// A share.
    #[must_use]
    pub fn share(&self, id: ShareId) -> Option<Share> {
        self.state.share(id)
    }

    /// Shares in the order of their ids, from behind `after` on.
    #[must_use]
    pub fn shares(&self, after: Option<ShareId>, limit: usize) -> Vec<Share> {
        self.state.shares_after(after, limit)
    }

    /// The shares of one node.
    #[must_use]
    pub fn shares_of(&self, node: NodeId) -> Vec<Share> {
        self.state.shares_of(node)
    }

    /// The properties that clients keep with a node, in the order of their names.
    #[must_use]
    pub fn properties(&self, node: NodeId) -> Vec<Property> {
        let values = self.state.properties.get(node).into_iter().flatten();
        values.map(|(name, value)| Property { name: name.clone(), value: value.clone() }).collect()
    }

    /// How far an upload is.
    #[must_use]
    pub fn upload(&self, id: UploadId) -> Option<UploadStatus> {
        self.state.uploads.get(&id).and_then(Upload::status)
    }

    /// The space as a file: what a log is read on from when the entries up to here are gone.
    #[must_use]
    pub fn to_start(&self) -> Vec<u8> {
        self.state.to_start().seal()
    }

    /// Counts everything again, and says what does not add up. Nothing ever should.
    #[must_use]
    pub fn audit(&self) -> Vec<String> {
        self.state.audit()
    }

    /// The hash of the entry that the space ends with: equal only where all entries are.
    #[must_use]
    pub fn head(&self) -> [u8; 32] {
        self.state.head.0
    }

    /// Whether two snapshots are equal in every part.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.state == other.state
    }
}
