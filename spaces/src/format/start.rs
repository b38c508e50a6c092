//! A state as a file: what a log is read on from when the entries before are gone.

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};
use api::ids::SpaceId;
use minicbor::{Decode, Encode};

use super::codec;
use super::entry::Committer;
use super::frame::{self, Hash, Mark};
use super::pool::Fingerprint;
use super::record::{CreateShare, Lock, Property, Target};
use super::{FORMAT, entry::EntryError};
use crate::extent::{Extent, ObjectId, VolumeIndex, VolumeUid};
use crate::name::Name;
use crate::node::NodeId;
use crate::operation::{OperationId, UploadId};

/// The state before a block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Start {
    /// First, and read before the rest.
    #[n(0)]
    pub(crate) format: u32,
    #[cbor(n(1), with = "codec::space")]
    pub(crate) space: SpaceId,
    #[cbor(n(2), with = "codec::generation")]
    pub(crate) generation: Generation,
    /// The hash of the entry of that generation.
    #[n(3)]
    pub(crate) head: Hash,
    /// The format that the log may have from here on.
    #[n(4)]
    pub(crate) log_format: u32,
    #[cbor(n(5), with = "codec::generation")]
    pub(crate) low: Generation,
    #[n(6)]
    pub(crate) next: u64,
    /// The nodes, as [`super::nodes`] writes them.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub(crate) nodes: Vec<u8>,
    #[n(8)]
    pub(crate) uploads: Vec<StartUpload>,
    #[n(9)]
    pub(crate) outcomes: Vec<StartOutcome>,
    /// Objects that nothing refers to any more. The others follow from the nodes and uploads.
    #[n(10)]
    pub(crate) dropped: Vec<StartObject>,
    #[n(11)]
    pub(crate) clocks: Vec<StartClock>,
    #[n(12)]
    pub(crate) limit: StartLimit,
    /// The nodes that are in the trash; what is in them follows.
    #[n(13)]
    #[cbor(skip_if = "Vec::is_empty")]
    pub(crate) trash: Vec<StartTrashed>,
    #[n(14)]
    #[cbor(skip_if = "Vec::is_empty")]
    pub(crate) versions: Vec<StartVersion>,
    #[cbor(n(15), skip_if = "Vec::is_empty")]
    pub(crate) locks: Vec<StartLock>,
    #[cbor(n(16), skip_if = "Vec::is_empty")]
    pub(crate) properties: Vec<StartProperties>,
    #[cbor(n(17), skip_if = "Vec::is_empty")]
    pub(crate) shares: Vec<StartShare>,
    /// Besides the home volume, in the order of their numbers.
    #[cbor(n(18), skip_if = "Vec::is_empty")]
    pub(crate) volumes: Vec<VolumeUid>,
    #[n(19)]
    pub(crate) closed: Option<StartClosed>,
    #[cbor(n(21), skip_if = "Vec::is_empty")]
    pub(crate) marks: Vec<StartMark>,
    #[cbor(n(22), skip_if = "Vec::is_empty")]
    pub(crate) moves: Vec<StartMove>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartClosed {
    #[cbor(n(0), with = "codec::generation")]
    pub(crate) generation: Generation,
    #[n(1)]
    pub(crate) clock: i64,
    #[cbor(n(2), skip_if = "codec::is_unset")]
    pub(crate) removed: bool,
}

/// The mark that a content had before it was relocated.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartMark {
    #[n(0)]
    pub(crate) node: NodeId,
    #[n(1)]
    pub(crate) version: u64,
    #[n(2)]
    pub(crate) mark: u32,
}

/// What a move from another space was made from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartMove {
    #[n(0)]
    pub(crate) id: OperationId,
    #[n(1)]
    pub(crate) source: Fingerprint,
}

/// An upload under way, or one that has become a node.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartUpload {
    #[n(0)]
    pub(crate) id: UploadId,
    #[cbor(n(1), with = "codec::bytes")]
    pub(crate) length: Bytes,
    #[n(2)]
    pub(crate) target: Option<Target>,
    #[n(3)]
    pub(crate) open: Option<StartOpen>,
    #[n(4)]
    pub(crate) node: Option<NodeId>,
    /// When it was completed.
    #[cbor(n(5), with = "codec::generation")]
    pub(crate) generation: Generation,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartOpen {
    #[n(0)]
    pub(crate) epoch: u64,
    #[n(1)]
    pub(crate) object: ObjectId,
    #[n(2)]
    pub(crate) extents: Vec<Extent>,
    #[cbor(n(3), with = "codec::bytes")]
    pub(crate) durable: Bytes,
    #[n(4)]
    pub(crate) heard: i64,
    #[cbor(n(5), skip_if = "codec::is_home")]
    pub(crate) volume: VolumeIndex,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartOutcome {
    #[n(0)]
    pub(crate) id: OperationId,
    #[cbor(n(1), with = "codec::generation")]
    pub(crate) born: Generation,
    #[cbor(n(2), with = "codec::generation")]
    pub(crate) generation: Generation,
    #[n(3)]
    pub(crate) node: Option<NodeId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartObject {
    #[n(0)]
    pub(crate) volume: u16,
    #[n(1)]
    pub(crate) object: ObjectId,
    #[cbor(n(2), with = "codec::generation")]
    pub(crate) dropped: Generation,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartClock {
    #[n(0)]
    pub(crate) committer: Committer,
    #[n(1)]
    pub(crate) clock: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartLimit {
    #[cbor(n(0), with = "codec::bytes")]
    pub(crate) bytes: Bytes,
    #[cbor(n(1), with = "codec::roster_generation")]
    pub(crate) roster_generation: RosterGeneration,
    #[cbor(n(2), with = "codec::bytes")]
    pub(crate) target: Bytes,
    #[cbor(n(3), with = "codec::bytes")]
    pub(crate) ceiling: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartLock {
    #[n(0)]
    pub(crate) lock: Lock,
    #[n(1)]
    pub(crate) expires: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartShare {
    #[n(0)]
    pub(crate) share: CreateShare,
    #[n(1)]
    pub(crate) created: i64,
    #[n(2)]
    pub(crate) uses: u64,
}

/// The properties of a node that has some.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartProperties {
    #[n(0)]
    pub(crate) node: NodeId,
    #[n(1)]
    pub(crate) properties: Vec<Property>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartTrashed {
    #[n(0)]
    pub(crate) node: NodeId,
    #[n(1)]
    pub(crate) path: Vec<Name>,
    #[cbor(n(2), with = "codec::generation")]
    pub(crate) generation: Generation,
    #[n(3)]
    pub(crate) clock: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StartVersion {
    #[n(0)]
    pub(crate) node: NodeId,
    #[n(1)]
    pub(crate) number: u64,
    #[n(2)]
    pub(crate) modified: i64,
    #[n(3)]
    pub(crate) extents: Vec<Extent>,
    #[cbor(n(4), with = "codec::generation")]
    pub(crate) generation: Generation,
    #[n(5)]
    pub(crate) clock: i64,
}

impl Start {
    /// Reads a file.
    pub(crate) fn open(file: &[u8]) -> Result<Self, EntryError> {
        let (body, _) = frame::open(Mark::Start, file)?;
        let format = super::entry::format_of(body)?;
        if format > FORMAT {
            return Err(EntryError::Newer { found: format, known: FORMAT });
        }
        if format < FORMAT {
            return Err(EntryError::Body(format!("no state has format {format}")));
        }
        super::entry::decode_exactly(body)
    }

    /// The file.
    pub(crate) fn seal(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.nodes.len() + 4096);
        // Writing to memory does not fail; an empty body is no state.
        if minicbor::encode(self, &mut body).is_err() {
            body.clear();
        }
        frame::seal(Mark::Start, &body).0
    }
}
