//! Uploads of a state, and room that is reserved for the content of a file.

use std::sync::Arc;

use api::bytes::Bytes;
use api::generation::Generation;

use crate::extent::{Extent, Extents, ObjectId, VolumeIndex};
use crate::format::record::Target;
use crate::node::NodeId;
use crate::operation::UploadStatus;
use crate::path::NodePath;

/// An upload under way, or one that has become a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Upload {
    Open(Open),
    /// Remembered until the watermark passes it, for those who ask whether it is complete.
    Complete(Complete),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// How many bytes are reserved; for an upload, how many it will have.
    pub(crate) length: Bytes,
    /// What it becomes; a mere reservation has none.
    pub(crate) target: Option<Arc<Target>>,
    /// One more with every owner.
    pub(crate) epoch: u64,
    /// What the owner writes to.
    pub(crate) object: ObjectId,
    /// The volume of that.
    pub(crate) volume: VolumeIndex,
    /// What is durable of owners before.
    pub(crate) extents: Extents,
    /// How many bytes those are.
    pub(crate) base: Bytes,
    /// How many bytes are durable with those of this owner.
    pub(crate) durable: Bytes,
    /// The committer's clock when it was last heard of.
    pub(crate) heard: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complete {
    pub(crate) length: Bytes,
    pub(crate) target: Arc<Target>,
    pub(crate) node: NodeId,
    pub(crate) generation: Generation,
}

/// The volume that the log is on.
pub(crate) const HOME: VolumeIndex = VolumeIndex(0);

impl Open {
    /// What is durable, as extents.
    pub(crate) fn closed(&self) -> Extents {
        match self.durable.0.saturating_sub(self.base.0) {
            0 => self.extents.clone(),
            length => {
                let last = Extent { volume: self.volume, object: self.object, offset: 0, length };
                self.extents.iter().copied().chain([last]).collect()
            }
        }
    }
}

impl Upload {
    /// How far it is; nothing of a mere reservation.
    pub(crate) fn status(&self) -> Option<UploadStatus> {
        let (length, offset, target, complete) = match self {
            Self::Open(open) => (open.length, open.durable, open.target.as_ref()?, false),
            Self::Complete(complete) => (complete.length, complete.length, &complete.target, true),
        };
        let path = NodePath::from(target.path.clone());
        Some(UploadStatus { offset, length, path, complete })
    }

    pub(crate) fn open(&self) -> Option<&Open> {
        match self {
            Self::Open(open) => Some(open),
            Self::Complete(_) => None,
        }
    }
}
