//! Files and directories from another space.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::bytes::Bytes;

use super::State;
use super::apply::{Applied, Misfit, Moment};
use super::inode::{Content, Directory, File, length};
use super::plan::{MOST_NODES, Plan, Planned};
use super::retention::Retention;
use super::trash_plan::{By, Replaced};
use crate::error::Error;
use crate::format::pool::{Fingerprint, Import, Imported};
use crate::format::record::{self, Action};
use crate::node::NodeId;
use crate::path::{MOST_NAMES, NodePath};

impl State {
    /// What a node and all in it are now.
    pub(crate) fn fingerprint(&self, node: NodeId) -> Fingerprint {
        let mut hasher = blake3::Hasher::new();
        for step in self.walk(node) {
            let Some(inode) = self.nodes.get(&step.id) else { continue };
            let version = match &inode.content {
                Content::File(file) => file.version,
                Content::Directory(directory) => directory.version,
            };
            let modified = inode.modified().cast_unsigned();
            let name = inode.name.as_ref().filter(|_| step.depth > 0);
            let name = name.map_or("", |name| name.as_str());
            for number in [step.id.0, inode.parent.0, version, modified, name.len() as u64] {
                hasher.update(&number.to_le_bytes());
            }
            hasher.update(name.as_bytes());
            for (name, value) in self.properties.get(step.id).into_iter().flatten() {
                for text in [&*name.namespace, &*name.name, &**value] {
                    hasher.update(&(text.len() as u64).to_le_bytes());
                    hasher.update(text.as_bytes());
                }
            }
        }
        let mut fingerprint = Fingerprint([0; 16]);
        hasher.finalize_xof().fill(&mut fingerprint.0);
        fingerprint
    }

    /// A node and all in it, as another space takes them in; where the bytes are is still said as it is here.
    pub(crate) fn export(&self, node: NodeId) -> Result<Vec<Imported>, Error> {
        let mut places = BTreeMap::new();
        let mut nodes = Vec::new();
        for step in self.walk(node) {
            let inode = self.nodes.get(&step.id).ok_or(Error::NotFound)?;
            let above = places.get(&inode.parent).copied().filter(|_| step.depth > 0).unwrap_or(0);
            places.insert(step.id, u32::try_from(nodes.len()).unwrap_or(u32::MAX));
            if nodes.len() == MOST_NODES {
                return Err(Error::TooMany { most: MOST_NODES });
            }
            let (modified, extents) = match &inode.content {
                Content::File(file) => (file.modified, Some(file.extents.to_vec())),
                Content::Directory(directory) => (directory.modified, None),
            };
            let name = inode.name.clone().filter(|_| step.depth > 0);
            let properties = self.properties.records(step.id);
            nodes.push(Imported { above, name, modified, extents, properties });
        }
        Ok(nodes)
    }

    pub(super) fn plan_import(
        &self,
        path: &NodePath,
        tree: &[Imported],
        overwrite: bool,
        source: Option<Fingerprint>,
        retention: Retention,
    ) -> Plan {
        let slot = self.slot(path, false)?;
        if slot.taken.is_some() && !overwrite {
            return Err(Error::Exists);
        }
        let mut depths: Vec<usize> = Vec::with_capacity(tree.len());
        for (place, node) in tree.iter().enumerate() {
            let above = usize::try_from(node.above).ok().filter(|_| place > 0);
            depths.push(above.and_then(|above| depths.get(above)).map_or(0, |depth| depth + 1));
        }
        if path.names().len() + depths.into_iter().max().unwrap_or(0) > MOST_NAMES {
            return Err(Error::TooDeep);
        }
        let is_file = tree.first().is_some_and(|node| node.extents.is_some());
        let Replaced { mut actions, node: replaced, keep, nodes, freed } =
            self.replaced(By::Imported { is_file }, slot.taken, retention)?;
        let nodes = tree.len() + nodes;
        if nodes > MOST_NODES {
            return Err(Error::TooMany { most: MOST_NODES });
        }
        self.fits(tree.iter().map(Imported::size).sum(), freed)?;
        self.properties_can_be_taken_in(tree.iter().flat_map(|node| &node.properties))?;
        for extent in tree.iter().flat_map(|node| node.extents.iter().flatten()) {
            if !self.may_refer(extent.volume, extent.object) {
                return Err(Error::OutcomeUnknown);
            }
        }
        let (parent, name) = (slot.parent, slot.name.clone());
        actions.push(Action::Import(Import { parent, name, replaced, nodes: tree.to_vec(), source, keep }));
        Ok(Planned::Steps { actions, nodes })
    }

    /// Whether the files of a tree can be within the limit at all.
    pub(crate) fn has_room(&self, tree: &[Imported]) -> Result<(), Error> {
        self.fits(bytes_of(tree), self.used)
    }

    pub(super) fn import(&mut self, import: &Import, at: Moment) -> Applied<NodeId> {
        let Import { parent, name, replaced, nodes, source: _, keep } = import;
        if self.child(*parent, name) != *replaced {
            return Err(Misfit("something else is replaced"));
        }
        for extent in nodes.iter().flat_map(|node| node.extents.iter().flatten()) {
            self.introducible(extent.volume, extent.object)?;
        }
        let history = self.heirloom(*replaced, *keep, at)?;
        if let Some(replaced) = replaced {
            if self.is_within(*parent, *replaced) {
                return Err(Misfit("what is replaced holds what replaces it"));
            }
            self.delete(*replaced, at)?;
        }
        let mut made: Vec<NodeId> = Vec::with_capacity(nodes.len());
        for (place, node) in nodes.iter().enumerate() {
            let Imported { above, name: own, modified, extents, properties } = node;
            let (parent, name) = match (place, own) {
                (0, None) => (*parent, name),
                (0, Some(_)) | (_, None) => return Err(Misfit("a node has a name that it can not have")),
                (_, Some(name)) => {
                    let above = usize::try_from(*above).ok().and_then(|above| made.get(above));
                    (*above.ok_or(Misfit("a directory is missing"))?, name)
                }
            };
            let (version, modified) = (self.next, *modified);
            let content = match extents {
                None => Content::Directory(Directory { version, modified, children: Default::default() }),
                Some(extents) if extents.iter().any(|extent| extent.length == 0) => {
                    return Err(Misfit("an extent is empty"));
                }
                Some(extents) => {
                    self.objects.refer_all(extents);
                    let size = length(extents);
                    self.used = self.used.checked_add(size).ok_or(Misfit("sizes overflow"))?;
                    Content::File(File { size, version, modified, extents: extents.as_slice().into() })
                }
            };
            let id = self.make(parent, name, content)?;
            self.properties.take_in(id, properties);
            made.push(id);
        }
        let first = made.first().copied().ok_or(Misfit("nothing is imported"))?;
        self.inherit(first, history)?;
        Ok(first)
    }

    /// The second half of a move to another space: the source goes if it is as it was when it was copied.
    pub(super) fn plan_remove_copied(&self, path: &NodePath, copied: Fingerprint) -> Plan {
        let node = self.find(path).ok_or(Error::NotFound)?;
        if node == NodeId::ROOT {
            return Err(Error::Root);
        }
        if self.fingerprint(node) != copied {
            return Err(Error::Precondition);
        }
        let nodes = self.measure(node)?.nodes;
        Ok(Planned::Steps { actions: vec![Action::Delete(record::Delete { node })], nodes })
    }
}

/// The sum of the sizes of all files of a tree.
pub(crate) fn bytes_of(tree: &[Imported]) -> Bytes {
    tree.iter().map(Imported::size).sum()
}

/// A tree that is shared by those who plan it again and again.
pub(crate) type Tree = Arc<[Imported]>;
