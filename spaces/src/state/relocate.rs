//! Contents that come to lie elsewhere, on the same volume or another one.

use std::collections::{BTreeMap, BTreeSet};

use imbl::OrdMap;

use super::State;
use super::apply::{Applied, Misfit, Moment};
use super::inode::{Content, File};
use super::plan::{MOST_NODES, Plan, Planned};
use super::upload::{Open, Upload};
use super::weight::{chunk, tree};
use crate::error::Error;
use crate::extent::{Extent, Extents, ObjectId, VolumeIndex};
use crate::format::pool::{Piece, Relocate};
use crate::format::record::Action;
use crate::node::NodeId;
use crate::operation::UploadId;

/// The smallest map of marks.
const MARKS: usize = 144;

/// The marks of contents that were relocated, current ones and old versions: what [`Extent::mark`] was of the first
/// extent before. The entity tag of a file holds it, and must not change when the bytes are moved. Most files have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(pub(crate) OrdMap<NodeId, BTreeMap<u64, u32>>);

impl Marks {
    /// The mark of a version of a node, when it was relocated.
    pub(crate) fn get(&self, node: NodeId, version: u64) -> Option<u32> {
        self.0.get(&node)?.get(&version).copied()
    }

    /// What they take in memory.
    pub(super) fn weight(&self) -> usize {
        // Nearly every file has one mark.
        tree(self.0.len(), size_of::<(NodeId, BTreeMap<u64, u32>)>()) + self.0.len() * chunk(MARKS)
    }

    /// They go with their node; those of contents that are no more also when the node is relocated again.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.0.remove(&node);
    }
}

/// What of an object is in use, and by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Beginnings and ends, ascending and apart.
    pub(crate) ranges: Vec<(u64, u64)>,
    pub(crate) nodes: BTreeSet<NodeId>,
    pub(crate) uploads: BTreeSet<UploadId>,
}

impl Held {
    /// How many bytes are in use.
    pub(crate) fn bytes(&self) -> u64 {
        self.ranges.iter().map(|(begin, end)| end - begin).sum()
    }

    fn merge(&mut self) {
        self.ranges.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::with_capacity(self.ranges.len());
        for (begin, end) in self.ranges.drain(..) {
            match merged.last_mut() {
                Some((_, last)) if *last >= begin => *last = end.max(*last),
                _ => merged.push((begin, end)),
            }
        }
        self.ranges = merged;
    }
}

/// Where the bytes of an extent are now; `None` when they were not moved.
fn moved(step: &Relocate, extent: &Extent) -> Option<Extent> {
    if (extent.volume, extent.object) != (step.volume, step.object) {
        return None;
    }
    step.pieces.iter().find_map(|Piece { offset, to }| {
        let within = extent.offset.checked_sub(*offset)?;
        let covered = within.checked_add(extent.length)? <= to.length;
        let moved = Extent { offset: to.offset.checked_add(within)?, length: extent.length, ..*to };
        covered.then_some(moved)
    })
}

fn touches(step: &Relocate, extents: &[Extent]) -> bool {
    extents.iter().any(|extent| moved(step, extent).is_some_and(|to| to != *extent))
}

/// All extents of a content, those that were moved where they are now. `None` when none was.
fn relocated(step: &Relocate, extents: &[Extent]) -> Option<Extents> {
    let all = extents.iter().map(|extent| moved(step, extent).unwrap_or(*extent));
    touches(step, extents).then(|| all.collect())
}

impl State {
    /// Everything that holds bytes of some objects: files, those in the trash too, with their old versions, and what is
    /// durable of uploads. Objects that an upload still writes to are left out.
    pub(crate) fn holders(
        &self,
        wanted: impl Fn(VolumeIndex, ObjectId) -> bool,
    ) -> BTreeMap<(VolumeIndex, ObjectId), Held> {
        let mut found = BTreeMap::<_, Held>::new();
        let mut note = |extents: &[Extent], node: Option<NodeId>, upload: Option<UploadId>| {
            for extent in extents.iter().filter(|extent| wanted(extent.volume, extent.object)) {
                let held = found.entry((extent.volume, extent.object)).or_default();
                held.ranges.push((extent.offset, extent.offset.saturating_add(extent.length)));
                held.nodes.extend(node);
                held.uploads.extend(upload);
            }
        };
        for (id, inode) in &self.nodes {
            if let Content::File(file) = &inode.content {
                note(&file.extents, Some(*id), None);
            }
        }
        for (id, versions) in &self.versions.of {
            versions.iter().for_each(|version| note(&version.extents, Some(*id), None));
        }
        let mut written = Vec::new();
        for (id, open) in self.uploads.iter().filter_map(|(id, upload)| Some((id, upload.open()?))) {
            note(&open.extents, None, Some(*id));
            written.push((open.volume, open.object));
        }
        for object in written {
            found.remove(&object);
        }
        for held in found.values_mut() {
            held.merge();
        }
        found
    }

    /// How many objects lie on a volume: those in use, and those that are known because what was may still be read.
    pub(crate) fn objects_on(&self, volume: VolumeIndex) -> (usize, usize) {
        let objects = self.objects.0.iter().filter(|((on, _), _)| *on == volume);
        objects.fold((0, 0), |(used, dropped), (_, known)| match known.references {
            0 => (used, dropped + 1),
            _ => (used + 1, dropped),
        })
    }

    pub(super) fn plan_relocate(&self, steps: &[Relocate]) -> Plan {
        let mut actions = Vec::new();
        let mut touched = 0;
        for step in steps {
            let Relocate { volume, object, pieces, nodes, uploads } = step;
            for Piece { offset: _, to } in pieces {
                if !self.may_refer(to.volume, to.object) {
                    return Err(Error::OutcomeUnknown);
                }
            }
            // What was deleted or got other content since is not touched.
            let nodes: Vec<_> = nodes.iter().copied().filter(|id| self.node_is_held(step, *id)).collect();
            let uploads: Vec<_> = uploads
                .iter()
                .copied()
                .filter(|id| {
                    let open = self.uploads.get(id).and_then(Upload::open);
                    open.is_some_and(|open| touches(step, &open.extents))
                })
                .collect();
            touched += nodes.len() + uploads.len();
            if !nodes.is_empty() || !uploads.is_empty() {
                let (volume, object, pieces) = (*volume, *object, pieces.clone());
                actions.push(Action::Relocate(Relocate { volume, object, pieces, nodes, uploads }));
            }
        }
        if touched > MOST_NODES {
            return Err(Error::TooMany { most: MOST_NODES });
        }
        if actions.is_empty() {
            return Ok(Planned::Nothing { node: None });
        }
        Ok(Planned::Steps { actions, nodes: touched })
    }

    /// Whether a file has bytes that a step moves, in its content or an old version.
    fn node_is_held(&self, step: &Relocate, id: NodeId) -> bool {
        let current = self.nodes.get(&id).and_then(|inode| inode.file());
        current.is_some_and(|file| touches(step, &file.extents))
            || self.versions.of(id).iter().any(|version| touches(step, &version.extents))
    }

    pub(super) fn relocate_object(&mut self, step: &Relocate, at: Moment) -> Applied {
        for Piece { offset: _, to } in &step.pieces {
            self.introducible(to.volume, to.object)?;
            if to.length == 0 || to.offset.checked_add(to.length).is_none() {
                return Err(Misfit("an extent is empty, or has no end"));
            }
        }
        for id in &step.nodes {
            self.relocate_node(step, *id, at)?;
        }
        for id in &step.uploads {
            let open: &mut Open = self.open_mut(*id)?;
            let new = relocated(step, &open.extents);
            let new = new.ok_or(Misfit("an upload that is relocated has its bytes elsewhere"))?;
            let old = std::mem::replace(&mut open.extents, new.clone());
            self.objects.refer_all(&new);
            self.objects.drop_all(&old, at.generation);
        }
        Ok(())
    }

    fn relocate_node(&mut self, step: &Relocate, id: NodeId, at: Moment) -> Applied {
        let mut moved = Vec::new();
        let file = self.nodes.get(&id).and_then(|inode| inode.file()).cloned();
        if let Some(file) = file
            && let Some(new) = relocated(step, &file.extents)
        {
            moved.push((file.version, file.extents.clone(), new.clone()));
            self.replace_file(id, File { extents: new, ..file })?;
        }
        self.versions.relocate(id, |version| {
            let new = relocated(step, &version.extents)?;
            moved.push((version.number, version.extents.clone(), new.clone()));
            Some(new)
        });
        if moved.is_empty() {
            return Err(Misfit("a file that is relocated has its bytes elsewhere"));
        }
        for (number, old, new) in moved {
            self.keep_mark(id, number, &old);
            self.objects.refer_all(&new);
            self.objects.drop_all(&old, at.generation);
        }
        Ok(())
    }

    /// What the entity tag of a content is made from, wherever its bytes are.
    pub(crate) fn mark(&self, node: NodeId, version: u64, extents: &[Extent]) -> u32 {
        let first = || extents.first().map_or(0, Extent::mark);
        self.marks.get(node, version).unwrap_or_else(first)
    }

    /// Remembers the mark that a content had until now. Of contents that are no more nothing is kept.
    fn keep_mark(&mut self, node: NodeId, version: u64, before: &[Extent]) {
        let Some(first) = before.first() else { return };
        let current = self.nodes.get(&node).and_then(|inode| inode.file()).map(|file| file.version);
        let versions = &self.versions;
        let mut marks = self.marks.0.get(&node).cloned().unwrap_or_default();
        marks.retain(|known, _| current == Some(*known) || versions.get(node, *known).is_some());
        marks.entry(version).or_insert_with(|| first.mark());
        self.marks.0.insert(node, marks);
    }

    /// What does not add up of where contents lie.
    pub(super) fn audit_places(&self, wrong: &mut Vec<String>) {
        for ((volume, _), _) in self.objects.0.iter() {
            if !self.volumes.knows(*volume) {
                wrong.push(format!("there are objects on volume {}, which is not named", volume.0));
            }
        }
        for (node, marks) in &self.marks.0 {
            let is_file = self.nodes.get(node).is_some_and(|inode| inode.file().is_some());
            if !is_file || marks.is_empty() || marks.keys().any(|version| *version >= self.next) {
                wrong.push(format!("there is a mark of node {node}, which can have none"));
            }
        }
    }
}
