//! What files held before: old contents, each with the number it had when it was current.

use std::sync::Arc;

use api::bytes::Bytes;
use api::generation::Generation;
use imbl::{OrdMap, OrdSet};

use super::State;
use super::apply::{Applied, Misfit, Moment};
use super::inode::{Content, File};
use super::weight::{chunk, tree};
use crate::extent::Extents;
use crate::format::record;
use crate::node::NodeId;

/// A content that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// The number of the content; a file has it no more, and no other one will.
    pub(crate) number: u64,
    pub(crate) modified: i64,
    pub(crate) size: Bytes,
    pub(crate) extents: Extents,
    /// The generation that replaced it.
    pub(crate) generation: Generation,
    /// The clock of who committed that.
    pub(crate) clock: i64,
}

/// The old contents of all files, those in the trash too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    /// Of each file that has some, the oldest first.
    pub(crate) of: OrdMap<NodeId, Arc<[Version]>>,
    /// In the order in which they were replaced.
    pub(crate) by_age: OrdSet<(Generation, u64, NodeId)>,
    /// What all of them weigh.
    pub(crate) bytes: Bytes,
    /// What their lists of extents take in memory.
    beside: usize,
}

impl Versions {
    /// The old contents of a file, the oldest first.
    pub(crate) fn of(&self, node: NodeId) -> &[Version] {
        self.of.get(&node).map_or(&[], |versions| versions)
    }

    pub(crate) fn get(&self, node: NodeId, number: u64) -> Option<&Version> {
        self.of(node).iter().find(|version| version.number == number)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.by_age.len()
    }

    /// The oldest of all.
    pub(super) fn oldest(&self) -> Option<(NodeId, &Version)> {
        let (_, number, node) = self.by_age.get_min()?;
        Some((*node, self.get(*node, *number)?))
    }

    pub(super) fn add(&mut self, node: NodeId, added: Vec<Version>) -> Applied {
        if added.is_empty() {
            return Ok(());
        }
        for version in &added {
            self.bytes = self.bytes.checked_add(version.size).ok_or(Misfit("sizes overflow"))?;
            self.by_age.insert((version.generation, version.number, node));
            self.beside += version.extents.beside();
        }
        let mut all = self.of(node).to_vec();
        all.extend(added);
        all.sort_by_key(|version| (version.generation, version.number));
        self.of.insert(node, all.into());
        Ok(())
    }

    pub(super) fn take(&mut self, node: NodeId, number: u64) -> Option<Version> {
        let taken = self.get(node, number)?.clone();
        let left: Arc<[Version]> =
            self.of(node).iter().filter(|version| version.number != number).cloned().collect();
        if left.is_empty() {
            self.of.remove(&node);
        } else {
            self.of.insert(node, left);
        }
        self.taken(node, &taken);
        Some(taken)
    }

    pub(super) fn take_all(&mut self, node: NodeId) -> Vec<Version> {
        let Some(all) = self.of.remove(&node) else { return Vec::new() };
        all.iter().for_each(|version| self.taken(node, version));
        all.to_vec()
    }

    /// The bytes of some are elsewhere: where, is said of each that was moved.
    pub(super) fn relocate(&mut self, node: NodeId, mut moved: impl FnMut(&Version) -> Option<Extents>) {
        let Some(all) = self.of.get(&node) else { return };
        let mut all = all.to_vec();
        let mut any = false;
        for version in &mut all {
            if let Some(extents) = moved(version) {
                any = true;
                self.beside = (self.beside + extents.beside()).saturating_sub(version.extents.beside());
                version.extents = extents;
            }
        }
        if any {
            self.of.insert(node, all.into());
        }
    }

    fn taken(&mut self, node: NodeId, version: &Version) {
        self.by_age.remove(&(version.generation, version.number, node));
        self.bytes = self.bytes.saturating_sub(version.size);
        self.beside = self.beside.saturating_sub(version.extents.beside());
    }

    /// What they take in memory.
    pub(super) fn weight(&self) -> usize {
        let (files, all) = (self.of.len(), self.by_age.len());
        tree(files, size_of::<(NodeId, Arc<[Version]>)>())
            + files * chunk(16)
            + all * size_of::<Version>()
            + tree(all, size_of::<(Generation, u64, NodeId)>())
            + self.beside
    }
}

impl Version {
    fn of(file: File, at: Moment) -> Self {
        let File { size, version: number, modified, extents } = file;
        Self { number, modified, size, extents, generation: at.generation, clock: at.clock }
    }
}

impl State {
    /// The content that a file had becomes a version of it.
    pub(super) fn keep_version(&mut self, node: NodeId, file: File, at: Moment) -> Applied {
        self.versions.add(node, vec![Version::of(file, at)])
    }

    /// An old content becomes the current one; what it replaces becomes a version, when that is kept.
    pub(super) fn restore_version(
        &mut self,
        restore: &record::RestoreVersion,
        at: Moment,
    ) -> Applied<NodeId> {
        let record::RestoreVersion { node, version, keep } = *restore;
        let old = self.versions.take(node, version).ok_or(Misfit("a version is missing"))?;
        let file = File { size: old.size, version: self.number(), modified: at.clock, extents: old.extents };
        let replaced = self.replace_file(node, file)?;
        if keep {
            self.keep_version(node, replaced, at)?;
        } else {
            self.release(replaced.size, &replaced.extents, at)?;
        }
        Ok(node)
    }

    /// All that a file held is taken from it: what it held before, and what it holds. It is empty then.
    pub(super) fn take_history(&mut self, node: NodeId, at: Moment) -> Applied<Vec<Version>> {
        let mut history = self.versions.take_all(node);
        let file = self.nodes.get(&node).and_then(|inode| inode.file()).ok_or(Misfit("a file is missing"))?;
        let empty = File { size: Bytes::ZERO, extents: Extents::default(), ..file.clone() };
        let file = self.replace_file(node, empty)?;
        if file.size > Bytes::ZERO {
            history.push(Version::of(file, at));
        }
        Ok(history)
    }

    /// A file gets another content; the one that it had.
    pub(super) fn replace_file(&mut self, node: NodeId, content: File) -> Applied<File> {
        match self.nodes.get_mut(&node).as_deref_mut().map(|inode| &mut inode.content) {
            Some(Content::File(file)) => Ok(std::mem::replace(file, content)),
            Some(Content::Directory(_)) => Err(Misfit("a directory is where a file should be")),
            None => Err(Misfit("a file is missing")),
        }
    }
}
