//! How much memory a state takes, from counts that are kept up with it: asking costs the same for any state.

use api::bytes::Bytes;

use super::State;
use super::inode::Inode;
use super::objects::Use;
use super::outcome::Outcome;
use super::upload::Upload;
use crate::extent::{ObjectId, VolumeIndex};
use crate::format::pool::Fingerprint;
use crate::name::Name;
use crate::node::NodeId;
use crate::operation::{OperationId, UploadId};

/// What a space takes that has nothing in it: its actor, its places in maps, the first nodes of its own.
const SPACE: usize = 8 << 10;

/// What an upload has beside its place: where it goes, and under which conditions.
const UPLOAD: usize = 400;

/// What each pair of a map takes of the nodes that pairs are in.
const PLACE: usize = 4;

/// What the allocator makes of a request.
pub(super) const fn chunk(bytes: usize) -> usize {
    (bytes + 8).next_multiple_of(16)
}

/// What a map of `imbl` takes for so many pairs of a size: its leaves have room for sixteen, and are half full.
pub(super) const fn tree(pairs: usize, size: usize) -> usize {
    if pairs == 0 { 0 } else { (pairs / 8 + 1) * (16 * size + 64) }
}

/// What one of our own takes for so many.
const fn map<K, V>(pairs: usize) -> usize {
    pairs * (size_of::<(K, V)>() + PLACE)
}

impl State {
    /// About how much memory it takes by itself; what it shares with another state counts for both.
    pub(crate) fn weight(&self) -> Bytes {
        let nodes = map::<NodeId, Inode>(self.nodes.len()) + map::<Name, NodeId>(self.nodes.len());
        let objects = map::<(VolumeIndex, ObjectId), Use>(self.objects.0.len());
        let operations = self.outcomes.len();
        let outcomes = map::<OperationId, Outcome>(operations) + map::<(u64, OperationId), ()>(operations);
        let uploads = tree(self.uploads.len(), size_of::<(UploadId, Upload)>()) + self.uploads.len() * UPLOAD;
        let rest = [
            self.nodes.beside(),
            self.objects.weight_of_dropped(),
            self.locks.weight(),
            self.properties.weight(),
            self.shares.weight(),
            self.trash.weight(),
            self.versions.weight(),
            self.marks.weight(),
            tree(self.moves.len(), size_of::<(OperationId, Fingerprint)>()),
        ];
        let all = SPACE + nodes + objects + outcomes + uploads + rest.iter().sum::<usize>();
        Bytes(u64::try_from(all).unwrap_or(u64::MAX))
    }
}
