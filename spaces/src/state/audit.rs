//! Counts a state again from its nodes and says what does not add up. Nothing ever should.

use std::collections::{BTreeMap, BTreeSet};

use api::bytes::Bytes;

use super::State;
use super::inode::{Content, length};
use super::outcome::Outcome;
use super::upload::Upload;
use crate::extent::{ObjectId, VolumeIndex};
use crate::node::NodeId;
use crate::rule::{Rule, kept};

impl State {
    /// What does not add up, in words.
    pub(crate) fn audit(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut references = BTreeMap::<(VolumeIndex, ObjectId), u64>::new();
        let mut used = Bytes::ZERO;
        let mut versions = BTreeSet::new();
        for (id, inode) in &self.nodes {
            let trashed = self.trash.items.contains_key(id);
            if trashed && (inode.parent != *id || inode.name.is_some()) {
                wrong.push(format!("node {id} is in the trash and elsewhere"));
            }
            let place = self.nodes.get(&inode.parent).and_then(|parent| parent.directory());
            let found = inode.name.as_ref().and_then(|name| place?.children.get(name).copied());
            if *id != NodeId::ROOT && !trashed && found != Some(*id) {
                wrong.push(format!("node {id} is not in its directory"));
            }
            let version = match &inode.content {
                Content::File(file) => {
                    used = used.saturating_add(file.size);
                    if length(&file.extents) != file.size
                        || file.extents.iter().any(|extent| extent.length == 0)
                    {
                        wrong.push(format!("file {id} has another size than its extents"));
                    }
                    for extent in file.extents.iter() {
                        *references.entry((extent.volume, extent.object)).or_default() += 1;
                    }
                    file.version
                }
                Content::Directory(directory) => {
                    for (name, child) in &directory.children {
                        let inode = self.nodes.get(child);
                        if inode.is_none_or(|inode| inode.parent != *id || inode.name.as_ref() != Some(name))
                        {
                            wrong.push(format!("directory {id} holds node {child} that is elsewhere"));
                        }
                    }
                    directory.version
                }
            };
            if id.0 >= self.next || version >= self.next || !versions.insert(version) {
                wrong.push(format!("node {id} has a number that may come again"));
            }
        }
        if self.nodes.count_beside() != self.nodes.beside() {
            wrong.push("what nodes have beside the map was counted wrongly".to_owned());
        }
        let in_trash = self.audit_trash(&mut wrong);
        self.audit_versions(&mut versions, &mut references, &mut used, &mut wrong);
        if self.walk(NodeId::ROOT).count() + in_trash != self.nodes.len() {
            wrong.push("some nodes can not be reached".to_owned());
        }
        let mut reserved = Bytes::ZERO;
        for open in self.uploads.values().filter_map(Upload::open) {
            reserved = reserved.saturating_add(open.length);
            *references.entry((open.volume, open.object)).or_default() += 1;
            for extent in open.extents.iter() {
                *references.entry((extent.volume, extent.object)).or_default() += 1;
            }
        }
        self.audit_beside(&mut wrong);
        if used != self.used {
            wrong.push(format!("{} are said to be used, and {used} are", self.used));
        }
        if reserved != self.reserved {
            wrong.push(format!("{} are said to be reserved, and {reserved} are", self.reserved));
        }
        let known: BTreeMap<_, _> = self
            .objects
            .0
            .iter()
            .filter(|(_, known)| known.references > 0)
            .map(|(key, known)| (*key, known.references))
            .collect();
        if known != references {
            wrong.push("the references to objects were counted wrongly".to_owned());
        }
        wrong
    }

    /// What does not add up beside the nodes and objects. Also asked of every state that is read from a file, where
    /// reading itself has looked at those.
    pub(super) fn audit_beside(&self, wrong: &mut Vec<String>) {
        for open in self.uploads.values().filter_map(Upload::open) {
            if length(&open.extents) != open.base || open.base > open.durable || open.durable > open.length {
                wrong.push("an upload has another length than its extents".to_owned());
            }
        }
        if self.low > self.generation {
            wrong.push("the watermark is of the future".to_owned());
        }
        let odd = |done: &Outcome| {
            let forgotten = done.born < self.low && kept(Rule::LowForOperations);
            done.generation > self.generation || done.born >= done.generation || forgotten
        };
        if self.outcomes.by_id.values().any(odd) {
            wrong.push("an operation is older than the watermark, or of the future".to_owned());
        }
        if self.objects.0.iter().any(|(_, known)| known.dropped > self.generation) {
            wrong.push("an object was dropped in the future".to_owned());
        }
        if self.moves.keys().any(|id| self.outcomes.get(*id).is_none()) {
            wrong.push("a move is remembered whose operation is not".to_owned());
        }
        if self.closed.is_some_and(|closed| closed.generation > self.generation) {
            wrong.push("the space was closed in the future".to_owned());
        }
        self.audit_places(wrong);
        self.locks.audit(self, wrong);
        self.properties.audit(self, wrong);
        self.shares.audit(self, wrong);
        self.audit_trash(wrong);
        self.audit_versions(&mut BTreeSet::new(), &mut BTreeMap::new(), &mut Bytes::default(), wrong);
    }

    /// How many nodes are in the trash.
    fn audit_trash(&self, wrong: &mut Vec<String>) -> usize {
        let (mut all, mut bytes) = (0, Bytes::ZERO);
        for (id, item) in &self.trash.items {
            let weight = self.weigh(*id);
            if weight != (item.bytes, item.nodes) || !self.nodes.contains_key(id) {
                wrong.push(format!("node {id} in the trash weighs something else"));
            }
            if !self.trash.by_age.contains(&(item.generation, *id)) {
                wrong.push(format!("node {id} in the trash has another age"));
            }
            all += usize::try_from(weight.1).unwrap_or(usize::MAX);
            bytes = bytes.saturating_add(weight.0);
        }
        if bytes != self.trash.bytes || self.trash.by_age.len() != self.trash.items.len() {
            wrong.push(format!("{} are said to be in the trash, and {bytes} are", self.trash.bytes));
        }
        all
    }

    fn audit_versions(
        &self,
        numbers: &mut BTreeSet<u64>,
        references: &mut BTreeMap<(VolumeIndex, ObjectId), u64>,
        used: &mut Bytes,
        wrong: &mut Vec<String>,
    ) {
        let (mut all, mut bytes) = (0, Bytes::ZERO);
        for (id, versions) in &self.versions.of {
            if versions.is_empty() || self.nodes.get(id).is_none_or(|inode| inode.file().is_none()) {
                wrong.push(format!("there are versions of node {id}, which can have none"));
            }
            for version in versions.iter() {
                all += 1;
                bytes = bytes.saturating_add(version.size);
                if length(&version.extents) != version.size {
                    wrong.push(format!("a version of {id} has another size than its extents"));
                }
                for extent in version.extents.iter() {
                    *references.entry((extent.volume, extent.object)).or_default() += 1;
                }
                if version.number >= self.next || !numbers.insert(version.number) {
                    wrong.push(format!("a version of {id} has a number that may come again"));
                }
                if !self.versions.by_age.contains(&(version.generation, version.number, *id)) {
                    wrong.push(format!("a version of {id} has another age"));
                }
            }
        }
        if bytes != self.versions.bytes || self.versions.by_age.len() != all {
            wrong.push(format!("{} are said to be versions, and {bytes} are", self.versions.bytes));
        }
        *used = used.saturating_add(bytes);
    }
}
