//! The steps of an entry that make, change and end files and directories.

use std::collections::HashMap;

use api::bytes::Bytes;

use super::State;
use super::apply::{Applied, Misfit, Moment};
use super::inode::{Children, Content, Directory, File, Inode, length};
use super::versions::Version;
use crate::extent::{Extent, Extents, ObjectId, VolumeIndex};
use crate::format::record;
use crate::name::Name;
use crate::node::NodeId;

impl State {
    pub(super) fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// A new node; its number is its id, and the version of its content.
    pub(super) fn make(&mut self, parent: NodeId, name: &Name, content: Content) -> Applied<NodeId> {
        let id = NodeId(self.number());
        self.attach(id, parent, name)?;
        self.nodes.insert(id, Inode { parent, name: Some(name.clone()), content });
        Ok(id)
    }

    pub(super) fn attach(&mut self, id: NodeId, parent: NodeId, name: &Name) -> Applied {
        let directory = self.children_mut(parent)?;
        match directory.insert(name.clone(), id) {
            None => Ok(()),
            Some(_) => Err(Misfit("a name is taken")),
        }
    }

    pub(super) fn detach(&mut self, id: NodeId) -> Applied {
        self.unlock_place(id);
        let inode = self.nodes.get(&id).ok_or(Misfit("a node is missing"))?;
        let (parent, name) = (inode.parent, inode.name.clone().ok_or(Misfit("the root is to go"))?);
        match self.children_mut(parent)?.remove(&name) {
            Some(found) if found == id => Ok(()),
            _ => Err(Misfit("a node is not where it should be")),
        }
    }

    pub(super) fn children_mut(&mut self, id: NodeId) -> Applied<&mut Children> {
        let directory = self.nodes.directory_mut(&id).ok_or(Misfit("a directory is missing, or a file"))?;
        Ok(&mut directory.children)
    }

    pub(super) fn put(&mut self, put: &record::Put, at: Moment) -> Applied<NodeId> {
        let record::Put { parent, name, extents, reservation, keep } = put;
        for extent in extents {
            self.introducible(extent.volume, extent.object)?;
        }
        // First the new references, so that an object which the reservation or the old content names stays in use.
        self.objects.refer_all(extents);
        if let Some(reservation) = reservation
            && self.end_upload(*reservation, at)?.target.is_some()
        {
            return Err(Misfit("a reservation is an upload"));
        }
        self.write(*parent, name, extents.as_slice().into(), *keep, at)
    }

    /// Makes a file or gives one new content, whose objects are referred to already.
    pub(super) fn write(
        &mut self,
        parent: NodeId,
        name: &Name,
        extents: Extents,
        keep: bool,
        at: Moment,
    ) -> Applied<NodeId> {
        if extents.iter().any(|extent| extent.length == 0) {
            return Err(Misfit("an extent is empty"));
        }
        let file = File { size: length(&extents), version: self.next, modified: at.clock, extents };
        self.used = self.used.checked_add(file.size).ok_or(Misfit("sizes overflow"))?;
        let Some(id) = self.child(parent, name) else {
            if keep {
                return Err(Misfit("there is no content to keep"));
            }
            return self.make(parent, name, Content::File(file));
        };
        self.number();
        let old = self.replace_file(id, file)?;
        if keep {
            self.keep_version(id, old, at)?;
        } else {
            self.release(old.size, &old.extents, at)?;
        }
        Ok(id)
    }

    /// A content that nothing has any more gives back what it took.
    pub(super) fn release(&mut self, size: Bytes, extents: &[Extent], at: Moment) -> Applied {
        self.used = Bytes(self.used.0.checked_sub(size.0).ok_or(Misfit("more is freed than is used"))?);
        self.objects.drop_all(extents, at.generation);
        Ok(())
    }

    pub(super) fn introducible(&self, volume: VolumeIndex, object: ObjectId) -> Applied {
        if !self.volumes.knows(volume) {
            return Err(Misfit("an object lies on a volume that the space does not name"));
        }
        if !self.may_refer(volume, object) {
            return Err(Misfit("an object is older than the watermark"));
        }
        Ok(())
    }

    /// Clears a place for a node that is about to get it.
    pub(super) fn clear(
        &mut self,
        node: NodeId,
        parent: NodeId,
        name: &Name,
        replaced: Option<NodeId>,
        at: Moment,
    ) -> Applied {
        if self.is_within(parent, node) {
            return Err(Misfit("a directory would go into itself"));
        }
        if self.child(parent, name) != replaced {
            return Err(Misfit("something else is replaced"));
        }
        match replaced {
            Some(replaced) if self.is_within(node, replaced) => {
                Err(Misfit("what is replaced holds what replaces it"))
            }
            Some(replaced) => self.delete(replaced, at),
            None => Ok(()),
        }
    }

    pub(super) fn relocate(&mut self, to: &record::Move, at: Moment) -> Applied<NodeId> {
        let record::Move { node, parent, name, replaced, keep } = to;
        let history = self.heirloom(*replaced, *keep, at)?;
        self.clear(*node, *parent, name, *replaced, at)?;
        self.detach(*node)?;
        self.attach(*node, *parent, name)?;
        let mut inode = self.nodes.get_mut(node).ok_or(Misfit("a node is missing"))?;
        inode.parent = *parent;
        inode.name = Some(name.clone());
        drop(inode);
        self.inherit(*node, history)?;
        Ok(*node)
    }

    /// What a node that is replaced held, when what replaces it goes on with that.
    pub(super) fn heirloom(
        &mut self,
        replaced: Option<NodeId>,
        keep: bool,
        at: Moment,
    ) -> Applied<Vec<Version>> {
        match replaced {
            Some(replaced) if keep => self.take_history(replaced, at),
            None if keep => Err(Misfit("there is no content to keep")),
            _ => Ok(Vec::new()),
        }
    }

    pub(super) fn inherit(&mut self, node: NodeId, history: Vec<Version>) -> Applied {
        if !history.is_empty() && self.nodes.get(&node).is_none_or(|inode| inode.file().is_none()) {
            return Err(Misfit("a directory has no history"));
        }
        self.versions.add(node, history)
    }

    pub(super) fn copy(&mut self, copy: &record::Copy, at: Moment) -> Applied<NodeId> {
        let record::Copy { node, parent, name, replaced, keep } = copy;
        let history = self.heirloom(*replaced, *keep, at)?;
        self.clear(*node, *parent, name, *replaced, at)?;
        let mut copies = HashMap::new();
        let mut root = None;
        let sources: Vec<NodeId> = self.walk(*node).map(|step| step.id).collect();
        for id in sources {
            let source = self.nodes.get(&id).ok_or(Misfit("a node is missing"))?.clone();
            // The parent of what was copied before it, except for the first.
            let (parent, name) = match (copies.get(&source.parent), source.name) {
                (Some(parent), Some(name)) if root.is_some() => (*parent, name),
                _ => (*parent, name.clone()),
            };
            let version = self.next;
            let content = match source.content {
                Content::Directory(_) => {
                    Content::Directory(Directory { version, modified: at.clock, children: Children::new() })
                }
                Content::File(file) => {
                    self.used = self.used.checked_add(file.size).ok_or(Misfit("sizes overflow"))?;
                    self.objects.refer_all(&file.extents);
                    Content::File(File { version, ..file })
                }
            };
            let made = self.make(parent, &name, content)?;
            self.properties.copy(id, made);
            copies.insert(id, made);
            root = root.or(Some(made));
        }
        let root = root.ok_or(Misfit("a node is missing"))?;
        self.inherit(root, history)?;
        Ok(root)
    }

    pub(super) fn delete(&mut self, node: NodeId, at: Moment) -> Applied {
        self.detach(node)?;
        let dead: Vec<NodeId> = self.walk(node).map(|step| step.id).collect();
        dead.into_iter().try_for_each(|id| self.forget_node(id, at))
    }

    /// The end of a node that is in no directory any more: all that is known of it goes. Every node ends here.
    pub(super) fn forget_node(&mut self, id: NodeId, at: Moment) -> Applied {
        let inode = self.nodes.remove(&id).ok_or(Misfit("a node is missing"))?;
        if let Content::File(file) = inode.content {
            self.release(file.size, &file.extents, at)?;
        }
        for version in self.versions.take_all(id) {
            self.release(version.size, &version.extents, at)?;
        }
        self.locks.forget(id);
        self.properties.forget(id);
        self.shares.forget(id);
        self.marks.forget(id);
        Ok(())
    }
}
