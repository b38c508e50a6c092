//! A file or directory, as a reader sees it.

use std::fmt;

use api::bytes::Bytes;

use crate::extent::Extents;

/// Names a file or directory of a space, for ever: no move changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

impl NodeId {
    /// The root of every space.
    pub const ROOT: Self = Self(1);
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A file or directory at one generation of its space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which.
    pub id: NodeId,
    /// What it is.
    pub kind: Kind,
    /// A few bits that stay the same for a content wherever its bytes come to lie.
    pub(crate) mark: u32,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File {
        /// How many bytes it has.
        size: Bytes,
        /// Another number whenever the content is another, unique in the space.
        version: u64,
        /// When it got this content, in milliseconds since 1970.
        modified: i64,
        /// Where its bytes are.
        extents: Extents,
    },
    /// A directory.
    Directory {
        /// As of a file; a directory has the one it was made with.
        version: u64,
        /// When it was made, in milliseconds since 1970.
        modified: i64,
    },
}

impl Node {
    /// A strong entity tag (RFC 9110, section 8.8.3), quotes included: the same on every pod, another for every
    /// content.
    #[must_use]
    pub fn etag(&self) -> String {
        let (Kind::File { version, .. } | Kind::Directory { version, .. }) = &self.kind;
        // A space that was restored from a copy counts versions again; the mark, which is from the random name of the
        // object that the content was first in, tells two contents of one number apart.
        format!("\"{:x}-{version:x}-{:x}\"", self.id.0, self.mark)
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory { .. })
    }
}
