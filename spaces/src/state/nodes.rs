//! All files and directories of a state, with a count of what they hold beside their place in the map.

use std::ops::{Deref, DerefMut};

use super::inode::{Content, Directory, Inode};
use super::weight::chunk;
use crate::extent::{Extent, Extents};
use crate::map::{Iter, Map};
use crate::name::Name;
use crate::node::NodeId;

/// About so much has the map of what is in a directory, beside its pairs.
const DIRECTORY: usize = 64;

/// The map can be read as one; whatever changes a node goes through here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nodes {
    map: Map<NodeId, Inode>,
    beside: usize,
}

/// What a node has in memory that is not in the map: a long name, a list of extents, the map of a directory. Copies
/// share most of it, so this is rather too much than too little.
fn beside(inode: &Inode) -> usize {
    let Inode { parent: _, name, content } = inode;
    let content = match content {
        Content::File(file) => file.extents.beside(),
        Content::Directory(_) => DIRECTORY,
    };
    content + name.as_ref().map_or(0, Name::beside)
}

impl Nodes {
    pub(super) fn of(map: Map<NodeId, Inode>) -> Self {
        let beside = map.values().map(beside).sum();
        Self { map, beside }
    }

    /// What the nodes have in memory that is not in the map.
    pub(super) fn beside(&self) -> usize {
        self.beside
    }

    /// The same, counted anew.
    pub(super) fn count_beside(&self) -> usize {
        self.map.values().map(beside).sum()
    }

    pub(super) fn insert(&mut self, id: NodeId, inode: Inode) {
        self.beside += beside(&inode);
        if let Some(old) = self.map.insert(id, inode) {
            self.beside = self.beside.saturating_sub(beside(&old));
        }
    }

    pub(super) fn remove(&mut self, id: &NodeId) -> Option<Inode> {
        let removed = self.map.remove(id)?;
        self.beside = self.beside.saturating_sub(beside(&removed));
        Some(removed)
    }

    /// A node, to be changed.
    pub(super) fn get_mut(&mut self, id: &NodeId) -> Option<Changing<'_>> {
        let inode = self.map.get_mut(id)?;
        let before = beside(inode);
        Some(Changing { inode, beside: &mut self.beside, before })
    }

    /// A directory, to be changed; `None` when it is a file.
    pub(super) fn directory_mut(&mut self, id: &NodeId) -> Option<&mut Directory> {
        match &mut self.map.get_mut(id)?.content {
            Content::Directory(directory) => Some(directory),
            Content::File(_) => None,
        }
    }
}

/// A node that is being changed, and is counted again when that is done.
pub(super) struct Changing<'a> {
    inode: &'a mut Inode,
    beside: &'a mut usize,
    before: usize,
}

impl Deref for Changing<'_> {
    type Target = Inode;

    fn deref(&self) -> &Inode {
        self.inode
    }
}

impl DerefMut for Changing<'_> {
    fn deref_mut(&mut self) -> &mut Inode {
        self.inode
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        *self.beside = (*self.beside + beside(self.inode)).saturating_sub(self.before);
    }
}

impl Deref for Nodes {
    type Target = Map<NodeId, Inode>;

    fn deref(&self) -> &Map<NodeId, Inode> {
        &self.map
    }
}

impl<'a> IntoIterator for &'a Nodes {
    type Item = (&'a NodeId, &'a Inode);
    type IntoIter = Iter<'a, NodeId, Inode>;

    fn into_iter(self) -> Self::IntoIter {
        self.map.iter()
    }
}

impl Extents {
    /// What it has in memory beside itself.
    pub(super) fn beside(&self) -> usize {
        match self.len() {
            0 | 1 => 0,
            many => chunk(16 + many * size_of::<Extent>()),
        }
    }
}
