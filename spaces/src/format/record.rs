//! The operations of an entry, resolved: paths are looked up by the committer, so that a record means the same to
//! every pod. Numbers are never used again.

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::codec;
use super::pool::{Close, Import, NameVolume, Relocate};
use crate::extent::{Extent, ObjectId, VolumeIndex};
use crate::lock::LockToken;
use crate::name::Name;
use crate::node::NodeId;
use crate::operation::{OperationId, UploadId};
use crate::property::PropertyName;
use crate::share::{ShareAccess, ShareId, ShareTokenHash};

/// One step of a state.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Record {
    /// The operation that ends with this step; steps before it, such as the directories above a file, name none.
    #[n(0)]
    pub(crate) operation: Option<Identified>,
    #[n(1)]
    pub(crate) action: Action,
}

/// Which operation, and how old it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Identified {
    #[n(0)]
    pub(crate) id: OperationId,
    #[cbor(n(1), with = "codec::generation")]
    pub(crate) born: Generation,
}

/// What a step does. 12 to 31 are kept for locks, properties, trash, versions, restoring, shares, relocation, closing
/// and spaces moved between volumes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Action {
    #[n(0)]
    MakeDirectory(#[n(0)] MakeDirectory),
    #[n(1)]
    Put(#[n(0)] Put),
    #[n(2)]
    Move(#[n(0)] Move),
    #[n(3)]
    Copy(#[n(0)] Copy),
    #[n(4)]
    Delete(#[n(0)] Delete),
    #[n(5)]
    Limit(#[n(0)] Limit),
    #[n(6)]
    CreateUpload(#[n(0)] CreateUpload),
    #[n(7)]
    TakeOver(#[n(0)] TakeOver),
    #[n(8)]
    Extend(#[n(0)] Extend),
    #[n(9)]
    Complete(#[n(0)] Complete),
    #[n(10)]
    Abort(#[n(0)] Abort),
    #[n(11)]
    Sweep(#[n(0)] Sweep),
    #[n(12)]
    Lock(#[n(0)] Lock),
    #[n(13)]
    Unlock(#[n(0)] Unlock),
    #[n(14)]
    SetProperties(#[n(0)] SetProperties),
    #[n(15)]
    Trash(#[n(0)] Trash),
    #[n(16)]
    Restore(#[n(0)] Restore),
    #[n(17)]
    Purge(#[n(0)] Purge),
    #[n(18)]
    RestoreVersion(#[n(0)] RestoreVersion),
    #[n(19)]
    CreateShare(#[n(0)] CreateShare),
    #[n(20)]
    RemoveShare(#[n(0)] RemoveShare),
    #[n(21)]
    UseShare(#[n(0)] UseShare),
    #[n(22)]
    NameVolume(#[n(0)] NameVolume),
    #[n(23)]
    Relocate(#[n(0)] Relocate),
    #[n(24)]
    Close(#[n(0)] Close),
    #[n(25)]
    Import(#[n(0)] Import),
    #[n(32)]
    Format(#[n(0)] Format),
}

impl Action {
    /// The format that an entry with this step has at least.
    pub(crate) fn format(&self) -> u32 {
        match self {
            Self::CreateUpload(CreateUpload { target: Some(target), .. }) if target.is_of_format_2() => 2,
            Self::Put(Put { keep: true, .. })
            | Self::Move(Move { keep: true, .. })
            | Self::Copy(Copy { keep: true, .. })
            | Self::Complete(Complete { keep: true, .. }) => 2,
            Self::CreateUpload(CreateUpload { volume, .. }) | Self::TakeOver(TakeOver { volume, .. })
                if *volume != VolumeIndex::default() =>
            {
                2
            }
            Self::MakeDirectory(_)
            | Self::Put(_)
            | Self::Move(_)
            | Self::Copy(_)
            | Self::Delete(_)
            | Self::Limit(_)
            | Self::CreateUpload(_)
            | Self::TakeOver(_)
            | Self::Extend(_)
            | Self::Complete(_)
            | Self::Abort(_)
            | Self::Sweep(_)
            | Self::Format(_) => 1,
            Self::Lock(_)
            | Self::Unlock(_)
            | Self::SetProperties(_)
            | Self::CreateShare(_)
            | Self::RemoveShare(_)
            | Self::UseShare(_)
            | Self::Trash(_)
            | Self::Restore(_)
            | Self::Purge(_)
            | Self::RestoreVersion(_)
            | Self::NameVolume(_)
            | Self::Relocate(_)
            | Self::Close(_)
            | Self::Import(_) => 2,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct MakeDirectory {
    #[n(0)]
    pub(crate) parent: NodeId,
    #[n(1)]
    pub(crate) name: Name,
}

/// A new file, or new content for the file of that name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Put {
    #[n(0)]
    pub(crate) parent: NodeId,
    #[n(1)]
    pub(crate) name: Name,
    #[n(2)]
    pub(crate) extents: Vec<Extent>,
    /// The reservation that the content was written under; it ends here.
    #[n(3)]
    pub(crate) reservation: Option<UploadId>,
    /// Whether the content that the file had becomes a version of it; otherwise it goes.
    #[n(4)]
    #[cbor(skip_if = "codec::is_unset")]
    pub(crate) keep: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Move {
    #[n(0)]
    pub(crate) node: NodeId,
    #[n(1)]
    pub(crate) parent: NodeId,
    #[n(2)]
    pub(crate) name: Name,
    /// What has the name until then, and is deleted with all in it.
    #[n(3)]
    pub(crate) replaced: Option<NodeId>,
    /// Whether what the replaced file held, now and before, becomes versions of the node; otherwise it goes.
    #[n(4)]
    #[cbor(skip_if = "codec::is_unset")]
    pub(crate) keep: bool,
}

/// New ids are given in the order of a walk: a directory before what is in it, that in the order of names.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Copy {
    #[n(0)]
    pub(crate) node: NodeId,
    #[n(1)]
    pub(crate) parent: NodeId,
    #[n(2)]
    pub(crate) name: Name,
    /// As in [`Move`].
    #[n(3)]
    pub(crate) replaced: Option<NodeId>,
    /// As in [`Move`].
    #[n(4)]
    #[cbor(skip_if = "codec::is_unset")]
    pub(crate) keep: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Delete {
    #[n(0)]
    pub(crate) node: NodeId,
}

/// The limit becomes `used + reserved`, at least the target and at most the ceiling.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Limit {
    #[cbor(n(0), with = "codec::roster_generation")]
    pub(crate) roster_generation: RosterGeneration,
    #[cbor(n(1), with = "codec::bytes")]
    pub(crate) target: Bytes,
    #[cbor(n(2), with = "codec::bytes")]
    pub(crate) ceiling: Bytes,
}

/// Reserves room, and names the object that the first owner writes to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct CreateUpload {
    #[n(0)]
    pub(crate) upload: UploadId,
    #[cbor(n(1), with = "codec::bytes")]
    pub(crate) length: Bytes,
    #[n(2)]
    pub(crate) object: ObjectId,
    /// What it becomes; a reservation that a [`Put`] will end has none.
    #[n(3)]
    pub(crate) target: Option<Target>,
    /// The volume of the object.
    #[cbor(n(4), skip_if = "codec::is_home")]
    pub(crate) volume: VolumeIndex,
}

/// What an upload becomes. The path is looked up when it is complete.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Target {
    #[n(0)]
    pub(crate) path: Vec<Name>,
    #[n(1)]
    pub(crate) expected: Expected,
    #[n(2)]
    pub(crate) parents: bool,
    /// The locks that were held when it was begun.
    #[cbor(n(3), skip_if = "Vec::is_empty")]
    pub(crate) locks: Vec<LockToken>,
    /// When the content is said to be of, when that is not when it is complete.
    #[n(4)]
    pub(crate) modified: Option<i64>,
}

impl Target {
    fn is_of_format_2(&self) -> bool {
        !self.locks.is_empty() || self.modified.is_some()
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Expected {
    #[n(0)]
    Anything,
    #[n(1)]
    Nothing,
    #[n(2)]
    Tag(#[n(0)] String),
}

/// Another pod goes on with an upload. What is durable of the old owner's object stays as an extent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct TakeOver {
    #[n(0)]
    pub(crate) upload: UploadId,
    /// One more than before.
    #[n(1)]
    pub(crate) epoch: u64,
    #[n(2)]
    pub(crate) object: ObjectId,
    /// The volume of the object.
    #[cbor(n(3), skip_if = "codec::is_home")]
    pub(crate) volume: VolumeIndex,
}

/// Says how many bytes of an upload are durable, or how many a reservation is for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Extend {
    #[n(0)]
    pub(crate) upload: UploadId,
    /// That of the owner; of another one it does not count.
    #[n(1)]
    pub(crate) epoch: u64,
    #[cbor(n(2), with = "codec::bytes")]
    pub(crate) durable: Bytes,
    /// Another length than was reserved, when it was not known.
    #[n(3)]
    pub(crate) length: Option<u64>,
}

/// Makes an upload a file. All its bytes are durable.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Complete {
    #[n(0)]
    pub(crate) upload: UploadId,
    #[n(1)]
    pub(crate) epoch: u64,
    #[n(2)]
    pub(crate) parent: NodeId,
    #[n(3)]
    pub(crate) name: Name,
    /// As in [`Put`].
    #[n(4)]
    #[cbor(skip_if = "codec::is_unset")]
    pub(crate) keep: bool,
}

/// Gives an upload up and its room back.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Abort {
    #[n(0)]
    pub(crate) upload: UploadId,
}

/// Raises the watermark, and forgets objects that were dropped up to a generation that truncation has passed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Sweep {
    #[cbor(n(0), with = "codec::generation")]
    pub(crate) low: Generation,
    #[cbor(n(1), with = "codec::generation")]
    pub(crate) truncated: Generation,
}

/// Locks a node, or counts the time of a lock that there is anew; then nothing but the time is another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Lock {
    #[n(0)]
    pub(crate) token: LockToken,
    #[n(1)]
    pub(crate) node: NodeId,
    #[n(2)]
    pub(crate) exclusive: bool,
    /// Whether all in it is locked as well.
    #[n(3)]
    pub(crate) infinite: bool,
    #[n(4)]
    pub(crate) owner: String,
    #[n(5)]
    pub(crate) creator: String,
    #[n(6)]
    pub(crate) timeout_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Unlock {
    #[n(0)]
    pub(crate) token: LockToken,
}

/// A link to a node.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct CreateShare {
    #[n(0)]
    pub(crate) id: ShareId,
    #[n(1)]
    pub(crate) node: NodeId,
    #[n(2)]
    pub(crate) token_hash: ShareTokenHash,
    #[n(3)]
    pub(crate) access: ShareAccess,
    #[n(4)]
    pub(crate) password: Option<ByteVec>,
    #[n(5)]
    pub(crate) expires: Option<i64>,
    #[n(6)]
    pub(crate) most_uses: Option<u64>,
    #[n(7)]
    pub(crate) creator: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct RemoveShare {
    #[n(0)]
    pub(crate) id: ShareId,
}

/// Counts a use of a share.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct UseShare {
    #[n(0)]
    pub(crate) id: ShareId,
}

/// Changes what a client keeps with a node.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct SetProperties {
    #[n(0)]
    pub(crate) node: NodeId,
    #[cbor(n(1), skip_if = "Vec::is_empty")]
    pub(crate) set: Vec<Property>,
    #[cbor(n(2), skip_if = "Vec::is_empty")]
    pub(crate) removed: Vec<PropertyName>,
    #[n(3)]
    pub(crate) modified: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Property {
    #[n(0)]
    pub(crate) name: PropertyName,
    #[n(1)]
    pub(crate) value: String,
}

/// A node leaves its directory for the trash, with all in it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Trash {
    #[n(0)]
    pub(crate) node: NodeId,
    /// The sizes of all files in it, so that whoever folds this need not look at them.
    #[cbor(n(1), with = "codec::bytes")]
    pub(crate) bytes: Bytes,
    /// How many nodes it is.
    #[n(2)]
    pub(crate) nodes: u64,
}

/// A node comes back from the trash.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Restore {
    #[n(0)]
    pub(crate) node: NodeId,
    #[n(1)]
    pub(crate) parent: NodeId,
    #[n(2)]
    pub(crate) name: Name,
}

/// What was deleted or replaced goes for good: a node in the trash with all in it, so many nodes of it, leaves first,
/// or a version of a file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Purge {
    #[n(0)]
    pub(crate) node: NodeId,
    #[n(1)]
    pub(crate) version: Option<u64>,
    /// Fewer than the node is with all in it.
    #[n(2)]
    pub(crate) nodes: Option<u64>,
}

/// A version becomes the content of its file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct RestoreVersion {
    #[n(0)]
    pub(crate) node: NodeId,
    #[n(1)]
    pub(crate) version: u64,
    /// Whether the content that it replaces becomes a version.
    #[n(2)]
    pub(crate) keep: bool,
}

/// From the next entry on the log has this format.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Format {
    #[n(0)]
    pub(crate) format: u32,
}
