//! The fold of all entries of a space: a pure function of them, the same on every pod.

pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod clocks;
pub(crate) mod closed;
pub(crate) mod extents;
pub(crate) mod import;
#[cfg(test)]
mod import_tests;
pub(crate) mod inode;
pub(crate) mod intent;
pub(crate) mod limit;
mod list;
pub(crate) mod locks;
mod most_files;
mod node_steps;
mod nodes;
pub(crate) mod objects;
pub(crate) mod outcome;
pub(crate) mod past;
mod place;
pub(crate) mod plan;
#[cfg(test)]
mod pool_tests;
pub(crate) mod properties;
pub(crate) mod relocate;
pub(crate) mod restore;
pub(crate) mod retention;
mod room;
pub(crate) mod shares;
mod subtree;
#[cfg(test)]
mod tests;
pub(crate) mod trash;
mod trash_plan;
#[cfg(test)]
mod trash_tests;
pub(crate) mod upload;
mod upload_plan;
mod upload_steps;
pub(crate) mod versions;
pub(crate) mod volumes;
mod weight;

use api::bytes::Bytes;
use api::generation::Generation;
use api::ids::SpaceId;
use imbl::OrdMap;

use self::clocks::Clocks;
use self::closed::Closed;
use self::inode::Inode;
use self::limit::Limit;
use self::locks::Locks;
use self::nodes::Nodes;
use self::objects::Objects;
use self::outcome::Outcomes;
use self::properties::Properties;
use self::relocate::Marks;
use self::shares::Shares;
use self::trash::Trash;
use self::upload::Upload;
use self::versions::Versions;
use self::volumes::Volumes;
use crate::format::FIRST_FORMAT;
use crate::format::frame::Hash;
use crate::format::pool::Fingerprint;
use crate::node::{Kind, Node, NodeId};
use crate::operation::{OperationId, UploadId};

/// A space at one generation. Clones share what is equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) space: SpaceId,
    /// The number of entries folded.
    pub(crate) generation: Generation,
    /// The hash of the last of them, which the next one must name.
    pub(crate) head: Hash,
    /// The newest format that the log may have from here on.
    pub(crate) format: u32,
    /// The watermark: what was born before it is refused when it is not remembered.
    pub(crate) low: Generation,
    /// The number that the next new node or content gets; never used again.
    pub(crate) next: u64,
    pub(crate) nodes: Nodes,
    pub(crate) uploads: OrdMap<UploadId, Upload>,
    pub(crate) outcomes: Outcomes,
    pub(crate) objects: Objects,
    pub(crate) clocks: Clocks,
    pub(crate) limit: Limit,
    pub(crate) locks: Locks,
    pub(crate) properties: Properties,
    pub(crate) shares: Shares,
    pub(crate) trash: Trash,
    pub(crate) versions: Versions,
    pub(crate) volumes: Volumes,
    /// When it takes no changes.
    pub(crate) closed: Option<Closed>,
    pub(crate) marks: Marks,
    /// The operations that are the first half of a move from another space, and what each has copied.
    pub(crate) moves: OrdMap<OperationId, Fingerprint>,
    /// The sum of the sizes of all files, those in the trash too, and of all their versions.
    pub(crate) used: Bytes,
    /// The sum of the lengths of all uploads under way.
    pub(crate) reserved: Bytes,
}

impl State {
    /// A space before its first entry.
    pub(crate) fn genesis(space: SpaceId) -> Self {
        Self {
            space,
            generation: Generation::ZERO,
            head: Hash::NONE,
            format: FIRST_FORMAT,
            low: Generation::ZERO,
            next: NodeId::ROOT.0 + 1,
            nodes: Nodes::of([(NodeId::ROOT, Inode::root())].into_iter().collect()),
            uploads: OrdMap::new(),
            outcomes: Outcomes::default(),
            objects: Objects::default(),
            clocks: Clocks::default(),
            limit: Limit::default(),
            locks: Locks::default(),
            properties: Properties::default(),
            shares: Shares::default(),
            trash: Trash::default(),
            versions: Versions::default(),
            volumes: Volumes::default(),
            closed: None,
            marks: Marks::default(),
            moves: OrdMap::new(),
            used: Bytes::ZERO,
            reserved: Bytes::ZERO,
        }
    }

    /// A node as readers see it.
    pub(crate) fn node(&self, id: NodeId) -> Option<Node> {
        self.nodes.get(&id).map(|inode| {
            let kind = inode.content.kind();
            let mark = match &kind {
                Kind::File { version, extents, .. } => self.mark(id, *version, extents),
                Kind::Directory { .. } => 0,
            };
            Node { id, kind, mark }
        })
    }
}
