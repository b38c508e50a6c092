//! A space at one generation, for readers.

use std::time::Duration;

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};

use crate::name::Name;
use crate::node::Node;
use crate::operation::{UploadId, UploadStatus};
use crate::path::NodePath;

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
pub struct Snapshot {}

impl Snapshot {
    /// The generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        Generation::ZERO
    }

    /// How full it is.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage::default()
    }

    /// What is at a path.
    #[must_use]
    pub fn lookup(&self, path: &NodePath) -> Option<Node> {
        let _ = path;
        None
    }

    /// What is in a directory, in the order of the names, from behind `after` on. Empty when it is none.
    #[must_use]
    pub fn list(&self, path: &NodePath, after: Option<&Name>, limit: usize) -> Vec<(Name, Node)> {
        let _ = (path, after, limit);
        Vec::new()
    }

    /// How far an upload is.
    #[must_use]
    pub fn upload(&self, id: UploadId) -> Option<UploadStatus> {
        let _ = id;
        None
    }
}
