//! What is wanted of a state, with nothing in it that is not known yet: contents are where they will be.

use std::sync::Arc;
use std::time::Duration;

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};

use super::import::Tree;
use super::past::PastNode;
use crate::extent::{Extent, ObjectId, VolumeIndex, VolumeUid};
use crate::format::entry::Committer;
use crate::format::pool::{Fingerprint, Relocate};
use crate::format::record::{Expected, Target};
use crate::lock::{LockToken, NewLock};
use crate::node::NodeId;
use crate::operation::{Condition, Purge, UploadId};
use crate::path::NodePath;
use crate::property::PropertyChanges;
use crate::share::{NewShare, ShareId};

/// The content of a file that is to be put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) extents: Vec<Extent>,
    pub(crate) reservation: Option<UploadId>,
    /// When it is said to be of.
    pub(crate) modified: Option<i64>,
}

/// An operation, as the committer plans it.
#[derive(Clone, Debug)]
pub(crate) enum Intent {
    MakeDirectory {
        path: NodePath,
        parents: bool,
    },
    Put {
        path: NodePath,
        content: Content,
        condition: Condition,
        parents: bool,
    },
    Move {
        from: NodePath,
        to: NodePath,
        overwrite: bool,
    },
    Copy {
        from: NodePath,
        to: NodePath,
        overwrite: bool,
    },
    Delete {
        path: NodePath,
        condition: Condition,
        permanently: bool,
    },
    Restore {
        item: NodeId,
        to: Option<NodePath>,
        overwrite: bool,
    },
    Purge(Purge),
    RestoreVersion {
        path: NodePath,
        version: u64,
        condition: Condition,
    },
    BringBack {
        nodes: Arc<[PastNode]>,
        to: NodePath,
        overwrite: bool,
    },
    /// Nothing but what is due.
    Expire,
    Limit {
        roster_generation: RosterGeneration,
        target: Bytes,
        ceiling: Bytes,
    },
    /// Where nothing is it makes an empty file.
    Lock {
        path: NodePath,
        lock: Box<NewLock>,
    },
    RefreshLock {
        path: NodePath,
        token: LockToken,
        timeout: Duration,
    },
    Unlock {
        path: NodePath,
        token: LockToken,
    },
    CreateShare {
        path: NodePath,
        share: Box<NewShare>,
    },
    RemoveShare {
        id: ShareId,
    },
    UseShare {
        id: ShareId,
    },
    SetProperties {
        path: NodePath,
        condition: Condition,
        changes: Box<PropertyChanges>,
    },
    /// A volume gets a number in the space.
    NameVolume {
        id: VolumeUid,
    },
    /// Bytes that were copied are to be read there.
    Relocate {
        steps: Arc<[Relocate]>,
    },
    Close {
        roster_generation: RosterGeneration,
    },
    /// A space that is closed ends, with all in it.
    Remove,
    /// Takes in a copy from another space.
    Import {
        path: NodePath,
        tree: Tree,
        overwrite: bool,
        source: Option<Fingerprint>,
    },
    /// The second half of a move to another space.
    RemoveCopied {
        path: NodePath,
        copied: Fingerprint,
    },
    CreateUpload {
        upload: UploadId,
        length: Bytes,
        object: ObjectId,
        volume: VolumeIndex,
        target: Option<Arc<Target>>,
    },
    TakeOver {
        upload: UploadId,
        epoch: u64,
        object: ObjectId,
        volume: VolumeIndex,
    },
    /// So many bytes are durable; of a reservation, so many are needed.
    Extend {
        upload: UploadId,
        epoch: u64,
        durable: Bytes,
        length: Option<Bytes>,
    },
    /// All bytes are durable.
    Complete {
        upload: UploadId,
        epoch: u64,
    },
    Abort {
        upload: UploadId,
    },
    /// Nothing changes but that a clock is known. Nobody asks for this but the upkeep.
    Witness(Witness),
    /// Nobody asks for this but the upkeep: see [`Sweep`](crate::format::record::Sweep).
    Sweep {
        low: Generation,
        truncated: Generation,
    },
}

impl From<Condition> for Expected {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::None => Self::Anything,
            Condition::Absent => Self::Nothing,
            Condition::Matches(tag) => Self::Tag(tag),
        }
    }
}

impl From<Expected> for Condition {
    fn from(expected: Expected) -> Self {
        match expected {
            Expected::Anything => Self::None,
            Expected::Nothing => Self::Absent,
            Expected::Tag(tag) => Self::Matches(tag),
        }
    }
}

/// Whose clock is to be known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Witness {
    /// That of the machine that writes.
    Own,
    /// What that of another machine says by now at least.
    Carried(Committer, i64),
}
