//! The steps about where contents lie, and about spaces as a whole.

use api::generation::RosterGeneration;
use minicbor::{Decode, Encode};

use super::codec;
use crate::extent::{Extent, ObjectId, VolumeIndex, VolumeUid};
use crate::node::NodeId;
use crate::operation::UploadId;

/// Gives a volume of the pool its number in this space.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct NameVolume {
    /// The next that no volume has.
    #[n(0)]
    pub(crate) volume: VolumeIndex,
    #[n(1)]
    pub(crate) id: VolumeUid,
}

/// Bytes of an object lie elsewhere from now on. Whatever is named here and refers to them refers to the new place.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Relocate {
    #[n(0)]
    pub(crate) volume: VolumeIndex,
    #[n(1)]
    pub(crate) object: ObjectId,
    #[n(2)]
    pub(crate) pieces: Vec<Piece>,
    #[n(3)]
    pub(crate) nodes: Vec<NodeId>,
    #[n(4)]
    pub(crate) uploads: Vec<UploadId>,
}

/// A copy of some bytes of an object.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Piece {
    /// Where they begin in the old object.
    #[n(0)]
    pub(crate) offset: u64,
    #[n(1)]
    pub(crate) to: Extent,
}

/// No change is taken any more, until a limit of a later roster opens the space again; or never any more.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Close {
    /// The roster that wants it.
    #[cbor(n(0), with = "codec::roster_generation")]
    pub(crate) roster_generation: RosterGeneration,
    /// What that roster closed is removed now, with all in it.
    #[cbor(n(1), skip_if = "codec::is_unset")]
    pub(crate) removed: bool,
}
