//! The steps about where contents lie, and about spaces as a whole.

use api::bytes::Bytes;
use api::generation::RosterGeneration;
use minicbor::{Decode, Encode};

use super::codec;
use super::record::Property;
use crate::extent::{Extent, ObjectId, VolumeIndex, VolumeUid};
use crate::name::Name;
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

/// Files and directories with what is in them, from another space.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Import {
    #[n(0)]
    pub(crate) parent: NodeId,
    #[n(1)]
    pub(crate) name: Name,
    /// What has the name until then, and is deleted with all in it.
    #[n(2)]
    pub(crate) replaced: Option<NodeId>,
    /// A directory before what is in it, that in the order of names.
    #[n(3)]
    pub(crate) nodes: Vec<Imported>,
    /// What it was made from, when that is to go; see [`Fingerprint`].
    #[n(4)]
    pub(crate) source: Option<Fingerprint>,
    /// Whether the file goes on with the history of the one that it replaces.
    #[cbor(n(5), skip_if = "codec::is_unset")]
    pub(crate) keep: bool,
}

/// A file or directory of an [`Import`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Imported {
    /// Which of the nodes before it is its directory; the first has none and says 0.
    #[n(0)]
    pub(crate) above: u32,
    /// The first has that of the import.
    #[n(1)]
    pub(crate) name: Option<Name>,
    #[n(2)]
    pub(crate) modified: i64,
    /// A directory has none.
    #[n(3)]
    pub(crate) extents: Option<Vec<Extent>>,
    #[cbor(n(4), skip_if = "Vec::is_empty")]
    pub(crate) properties: Vec<Property>,
}

impl Imported {
    /// How many bytes the file has.
    pub(crate) fn size(&self) -> Bytes {
        self.extents.iter().flatten().map(|extent| Bytes(extent.length)).sum()
    }
}

/// Tells whether a node and all in it are as they were: which nodes they are, their contents and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) [u8; 16]);
