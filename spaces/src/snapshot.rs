//! A space at one generation, for readers.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};

use crate::error::Error;
use crate::lock::{Lock, LockToken};
use crate::name::Name;
use crate::node::{Kind, Node, NodeId};
use crate::operation::{Committed, OperationId, UploadId, UploadStatus};
use crate::path::NodePath;
use crate::property::Property;
use crate::share::{Share, ShareId, ShareTokenHash};
use crate::state::State;
use crate::state::trash::Trashed;
use crate::state::upload::Upload;
use crate::state::versions::Version;

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
    /// What it holds, with what is in the trash and with old versions.
    pub used: Bytes,
    /// How much of that is in the trash, old versions not counted.
    pub trash: Bytes,
    /// How much of it is old versions of files, of those in the trash too.
    pub versions: Bytes,
    /// What uploads under way have reserved.
    pub reserved: Bytes,
    /// The roster that the limit is from.
    pub roster_generation: RosterGeneration,
}

/// Where something is in the trash: what was deleted later is behind what was deleted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrashPlace {
    /// The generation that deleted it.
    pub generation: Generation,
    /// Which node it is.
    pub item: NodeId,
}

/// Something that was deleted and can be brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrashItem {
    /// Where it is in the trash.
    pub place: TrashPlace,
    /// What it is; a file can be read.
    pub node: Node,
    /// Where it was.
    pub path: NodePath,
    /// When it was deleted, in milliseconds since 1970, by the clock of the pod that did it.
    pub deleted: i64,
    /// The sizes of all files in it. Old versions of them are counted as versions.
    pub bytes: Bytes,
    /// How many files and directories it is.
    pub nodes: u64,
}

/// A content that a file had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// The file as it was; it can be read. Its number is the `version` in it.
    pub node: Node,
    /// When it was replaced, in milliseconds since 1970, by the clock of the pod that did it.
    pub replaced: i64,
    /// The generation that replaced it.
    pub generation: Generation,
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

    pub(crate) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.state.generation
    }

    /// The newest clock that was written up to this generation, in milliseconds since 1970: the time that it counts as
    /// of for [`Space::as_of`](crate::Space::as_of). `None` before the first entry.
    #[must_use]
    pub fn time(&self) -> Option<i64> {
        self.state.clocks.newest.map(|(_, clock)| clock)
    }

    /// Whether the bytes of a file are kept at this generation, though it may be a file of an older snapshot. Those of
    /// each generation that can be read are; asked of a new snapshot, this tells what of an old one is left.
    #[must_use]
    pub fn keeps(&self, node: &Node) -> bool {
        match &node.kind {
            Kind::File { extents, .. } => self.state.keeps(extents),
            Kind::Directory { .. } => true,
        }
    }

    /// How full it is.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let State { limit, used, reserved, trash, versions, .. } = self.state.as_ref();
        Usage {
            limit: limit.bytes,
            used: *used,
            trash: trash.bytes,
            versions: versions.bytes,
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
        self.state.find(path).map_or_else(Vec::new, |id| self.children(id, after, limit))
    }

    fn children(&self, id: NodeId, after: Option<&Name>, limit: usize) -> Vec<(Name, Node)> {
        let Some(directory) = self.state.directory(id) else { return Vec::new() };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = directory.children.range((from, Bound::Unbounded));
        names.take(limit).filter_map(|(name, id)| Some((name.clone(), self.state.node(*id)?))).collect()
    }

    /// The locks that protect what is at a path, the nearest first.
    #[must_use]
    pub fn locks(&self, path: &NodePath) -> Vec<Lock> {
        self.state.locks_at(path)
    }

    /// The locks that protect a node, the nearest first.
    #[must_use]
    pub fn locks_of(&self, node: NodeId) -> Vec<Lock> {
        self.state.locks_on(node)
    }

    /// A lock.
    #[must_use]
    pub fn lock(&self, token: LockToken) -> Option<Lock> {
        self.state.lock_of(token)
    }

    /// Where a node is now; `None` when it is gone, or in the trash.
    #[must_use]
    pub fn path_of(&self, node: NodeId) -> Option<NodePath> {
        if !self.state.is_within(node, NodeId::ROOT) {
            return None;
        }
        let names = self.state.path_of(node)?;
        Some(names.into_iter().fold(NodePath::root(), |path, name| path.join(name)))
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

    /// What is in the trash, what was deleted last first, from behind `after` on.
    #[must_use]
    pub fn trash(&self, after: Option<TrashPlace>, limit: usize) -> Vec<TrashItem> {
        let trash = &self.state.trash;
        let until = after.map_or(Bound::Unbounded, |place| Bound::Excluded((place.generation, place.item)));
        let places = trash.by_age.range((Bound::Unbounded, until)).rev();
        let item = |place: &(Generation, NodeId)| {
            let (generation, item) = *place;
            let Trashed { path, generation: _, clock, bytes, nodes } = trash.items.get(&item)?;
            Some(TrashItem {
                place: TrashPlace { generation, item },
                node: self.state.node(item)?,
                path: NodePath::from(path.to_vec()),
                deleted: *clock,
                bytes: *bytes,
                nodes: *nodes,
            })
        };
        places.take(limit).filter_map(item).collect()
    }

    /// What is at a path in something that is in the trash; the root is that itself.
    #[must_use]
    pub fn lookup_trashed(&self, item: NodeId, path: &NodePath) -> Option<Node> {
        self.trashed(item, path).and_then(|id| self.state.node(id))
    }

    /// As [`Snapshot::list`], in something that is in the trash.
    #[must_use]
    pub fn list_trashed(
        &self,
        item: NodeId,
        path: &NodePath,
        after: Option<&Name>,
        limit: usize,
    ) -> Vec<(Name, Node)> {
        self.trashed(item, path).map_or_else(Vec::new, |id| self.children(id, after, limit))
    }

    fn trashed(&self, item: NodeId, path: &NodePath) -> Option<NodeId> {
        self.state.trash.items.get(&item)?;
        path.names().iter().try_fold(item, |directory, name| self.state.child(directory, name))
    }

    /// What a file held before, the newest first.
    #[must_use]
    pub fn versions(&self, path: &NodePath) -> Vec<FileVersion> {
        let Some(id) = self.state.find(path) else { return Vec::new() };
        let version = |version: &Version| {
            let Version { number, modified, size, extents, generation, clock } = version.clone();
            let mark = self.state.mark(id, number, &extents);
            let kind = Kind::File { size, version: number, modified, extents };
            FileVersion { node: Node { id, kind, mark }, replaced: clock, generation }
        };
        self.state.versions.of(id).iter().rev().map(version).collect()
    }

    /// What became of an operation up to this generation: for one that is repeated and is refused before it is committed,
    /// because there is no room to take its content once more. `born` is the generation its sender knew when it first asked.
    ///
    /// # Errors
    /// [`Error::OutcomeUnknown`] when operations as old as that are remembered no more.
    pub fn outcome(&self, id: OperationId, born: Generation) -> Result<Option<Committed>, Error> {
        match self.state.outcomes.get(id) {
            Some(outcome) => {
                let node = outcome.node.and_then(|id| self.state.node(id));
                Ok(Some(Committed { generation: outcome.generation, node }))
            }
            None if born < self.state.low => Err(Error::OutcomeUnknown),
            None => Ok(None),
        }
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
