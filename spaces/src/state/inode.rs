//! Files and directories of a state.

use api::bytes::Bytes;

use crate::extent::{Extent, Extents};
use crate::map::Map;
use crate::name::Name;
use crate::node::{Kind, NodeId};

/// A file or directory, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inode {
    /// The directory it is in; the root's own id for the root.
    pub(crate) parent: NodeId,
    /// What it is called there; the root has no name.
    pub(crate) name: Option<Name>,
    pub(crate) content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    File(File),
    Directory(Directory),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) size: Bytes,
    pub(crate) version: u64,
    pub(crate) modified: i64,
    pub(crate) extents: Extents,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) version: u64,
    pub(crate) modified: i64,
    pub(crate) children: Children,
}

/// What is in a directory.
pub(crate) type Children = Map<Name, NodeId>;

impl Inode {
    pub(crate) fn root() -> Self {
        let content = Content::Directory(Directory { version: 0, modified: 0, children: Children::new() });
        Self { parent: NodeId::ROOT, name: None, content }
    }

    pub(crate) fn modified(&self) -> i64 {
        match &self.content {
            Content::File(file) => file.modified,
            Content::Directory(directory) => directory.modified,
        }
    }

    pub(crate) fn directory(&self) -> Option<&Directory> {
        match &self.content {
            Content::Directory(directory) => Some(directory),
            Content::File(_) => None,
        }
    }

    pub(crate) fn file(&self) -> Option<&File> {
        match &self.content {
            Content::File(file) => Some(file),
            Content::Directory(_) => None,
        }
    }
}

impl Content {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::File(File { size, version, modified, extents }) => {
                Kind::File { size: *size, version: *version, modified: *modified, extents: extents.clone() }
            }
            Self::Directory(Directory { version, modified, children: _ }) => {
                Kind::Directory { version: *version, modified: *modified }
            }
        }
    }
}

/// The sum of the lengths of extents.
pub(crate) fn length(extents: &[Extent]) -> Bytes {
    extents.iter().map(|extent| Bytes(extent.length)).sum()
}
