//! What was deleted and can be brought back: nodes that are in no directory, with all in them.

use std::sync::Arc;

use api::bytes::Bytes;
use api::generation::Generation;
use imbl::{OrdMap, OrdSet};

use super::State;
use super::apply::{Applied, Misfit, Moment};
use super::weight::{chunk, tree};
use crate::format::record;
use crate::name::Name;
use crate::node::NodeId;

/// A node in the trash, and what is to be known of it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trashed {
    /// Where it was.
    pub(crate) path: Arc<[Name]>,
    /// The generation that deleted it.
    pub(crate) generation: Generation,
    /// The clock of who committed that.
    pub(crate) clock: i64,
    /// The sizes of all files in it. Old versions of them are counted as versions.
    pub(crate) bytes: Bytes,
    /// How many nodes it is.
    pub(crate) nodes: u64,
}

/// The trash of a space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trash {
    pub(crate) items: OrdMap<NodeId, Trashed>,
    /// In the order in which they came.
    pub(crate) by_age: OrdSet<(Generation, NodeId)>,
    /// What all of it weighs.
    pub(crate) bytes: Bytes,
    /// How many names the places have where the items were.
    names: usize,
}

impl Trash {
    /// Takes an item in; it was not there.
    pub(super) fn add(&mut self, node: NodeId, item: Trashed) -> Applied {
        self.bytes = self.bytes.checked_add(item.bytes).ok_or(Misfit("sizes overflow"))?;
        self.by_age.insert((item.generation, node));
        self.names += item.path.len();
        match self.items.insert(node, item) {
            None => Ok(()),
            Some(_) => Err(Misfit("a node is in the trash twice")),
        }
    }

    fn take(&mut self, node: NodeId) -> Applied<Trashed> {
        let item = self.items.remove(&node).ok_or(Misfit("a node is not in the trash"))?;
        self.by_age.remove(&(item.generation, node));
        self.names = self.names.saturating_sub(item.path.len());
        self.bytes = less(self.bytes, item.bytes)?;
        Ok(item)
    }

    /// What it takes in memory, but for the nodes themselves.
    pub(super) fn weight(&self) -> usize {
        let items = self.items.len();
        tree(items, size_of::<(NodeId, Trashed)>())
            + tree(items, size_of::<(Generation, NodeId)>())
            + items * chunk(16)
            + self.names * size_of::<Name>()
    }

    /// The oldest item.
    pub(super) fn oldest(&self) -> Option<(NodeId, &Trashed)> {
        let (_, node) = self.by_age.get_min()?;
        Some((*node, self.items.get(node)?))
    }
}

fn less(bytes: Bytes, freed: Bytes) -> Applied<Bytes> {
    bytes.0.checked_sub(freed.0).map(Bytes).ok_or(Misfit("more is freed than is used"))
}

impl State {
    /// A node leaves the tree, with all in it and all that is known of it.
    pub(super) fn trash(&mut self, trash: &record::Trash, at: Moment) -> Applied {
        let record::Trash { node, bytes, nodes } = *trash;
        let path = self.path_of(node).ok_or(Misfit("what is deleted is not in the tree"))?;
        self.unlock_below(node);
        self.detach(node)?;
        let mut inode = self.nodes.get_mut(&node).ok_or(Misfit("a node is missing"))?;
        inode.parent = node;
        inode.name = None;
        drop(inode);
        let item = Trashed { path: path.into(), generation: at.generation, clock: at.clock, bytes, nodes };
        self.trash.add(node, item)
    }

    /// The sizes of all files of a node, and how many nodes it is.
    pub(super) fn weigh(&self, node: NodeId) -> (Bytes, u64) {
        let (mut bytes, mut nodes) = (Bytes::ZERO, 0);
        for step in self.walk(node) {
            nodes += 1;
            let file = self.nodes.get(&step.id).and_then(|inode| inode.file());
            bytes = bytes.saturating_add(file.map_or(Bytes::ZERO, |file| file.size));
        }
        (bytes, nodes)
    }

    /// The names that lead to a node from the root.
    pub(crate) fn path_of(&self, node: NodeId) -> Option<Vec<Name>> {
        let mut names = Vec::new();
        let mut at = node;
        while at != NodeId::ROOT {
            let inode = self.nodes.get(&at)?;
            names.push(inode.name.clone()?);
            at = inode.parent;
        }
        names.reverse();
        Some(names)
    }

    /// A node comes back from the trash.
    pub(super) fn restore_trashed(&mut self, restore: &record::Restore) -> Applied<NodeId> {
        let record::Restore { node, parent, name } = restore;
        self.trash.take(*node)?;
        if self.is_within(*parent, *node) {
            return Err(Misfit("a directory would go into itself"));
        }
        self.attach(*node, *parent, name)?;
        let mut inode = self.nodes.get_mut(node).ok_or(Misfit("a node is missing"))?;
        inode.parent = *parent;
        inode.name = Some(name.clone());
        Ok(*node)
    }

    /// What was deleted or replaced goes for good.
    pub(super) fn purge(&mut self, purge: &record::Purge, at: Moment) -> Applied {
        match *purge {
            record::Purge { node, version: Some(version), nodes: None } => {
                let old = self.versions.take(node, version).ok_or(Misfit("a version is missing"))?;
                self.release(old.size, &old.extents, at)
            }
            record::Purge { node, version: None, nodes: None } => {
                let item = self.trash.take(node)?;
                let dead: Vec<NodeId> = self.walk(node).map(|step| step.id).collect();
                if self.forget_all(&dead, at)? != item.bytes || dead.len() as u64 != item.nodes {
                    return Err(Misfit("what is in the trash weighs something else"));
                }
                Ok(())
            }
            record::Purge { node, version: None, nodes: Some(nodes) } => self.purge_part(node, nodes, at),
            record::Purge { node: _, version: Some(_), nodes: Some(_) } => {
                Err(Misfit("a version is purged in parts"))
            }
        }
    }

    /// Takes so many nodes out of an item that has more: first what is in a directory, then the directory.
    fn purge_part(&mut self, node: NodeId, nodes: u64, at: Moment) -> Applied {
        let mut item = self.trash.take(node)?;
        let most = usize::try_from(nodes).map_err(|_| Misfit("too much is purged at once"))?;
        if nodes == 0 || nodes >= item.nodes {
            return Err(Misfit("a part of an item is all of it"));
        }
        let dead: Vec<NodeId> = self.leaves_first(node).take(most).collect();
        for id in &dead {
            self.detach(*id)?;
        }
        item.bytes = less(item.bytes, self.forget_all(&dead, at)?)?;
        item.nodes -= nodes;
        self.trash.add(node, item)
    }

    /// The end of nodes; what their files weighed.
    fn forget_all(&mut self, dead: &[NodeId], at: Moment) -> Applied<Bytes> {
        let mut bytes = Bytes::ZERO;
        for id in dead {
            let size =
                self.nodes.get(id).and_then(|inode| inode.file()).map_or(Bytes::ZERO, |file| file.size);
            bytes = bytes.checked_add(size).ok_or(Misfit("sizes overflow"))?;
            self.forget_node(*id, at)?;
        }
        Ok(bytes)
    }
}
