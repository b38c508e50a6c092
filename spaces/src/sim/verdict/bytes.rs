//! Whether the bytes that were promised are on the disk.

use std::collections::{BTreeMap, BTreeSet};

use api::generation::Generation;

use super::super::disk::Ino;
use super::super::history::Transfer;
use super::super::oracle::Content;
use super::super::place::Purpose;
use super::Judge;
use crate::extent::{Extent, ObjectId};
use crate::format::entry::Entry;
use crate::format::pool::{Import, Relocate};
use crate::format::record::Action;
use crate::node::NodeId;
use crate::state::State;
use crate::state::upload::{HOME, Upload};

/// An upload that nobody goes on with lives for a day, less what right clocks differ by.
const EXPIRY: i64 = 86_300_000;

impl Judge<'_> {
    /// Whether an entry refers to what is there, and all that was removed since the one before was of no use.
    pub(super) fn hold_objects(&self, state: &State, entry: &Entry) {
        let removed = &self.chronicle.removed;
        if removed.is_empty() {
            return;
        }
        let generation = entry.generation.0;
        let (entries, now) = (&self.chronicle.entries, self.chronicle.entries[&generation].order);
        let until = entries.get(&(generation + 1)).map_or(u64::MAX, |next| next.order);
        for record in &entry.records {
            for object in named(&record.action) {
                if removed.get(&object.to_string()).is_some_and(|removed| *removed < now) {
                    self.wrong(format!("4: entry {generation} names the object {object}, which was removed"));
                }
            }
        }
        let mut gone = removed.iter().filter(|(_, order)| (now..until).contains(order)).peekable();
        if gone.peek().is_none() {
            return;
        }
        let reachable = reachable(state);
        for (name, _) in gone.filter(|(name, _)| object_of(name).is_some_and(|it| reachable.contains(&it))) {
            self.wrong(format!("4: the object {name} was removed though generation {generation} has it"));
        }
    }

    /// Whether no entity tag changes because bytes come to lie elsewhere.
    pub(super) fn hold_tags(&self, before: &State, after: &State, entry: &Entry) {
        let tag = |state: &State, id| state.node(id).map(|node| node.etag());
        // Nobody else has changed it in the same entry if its content has still the same number.
        let version = |state: &State, id| Some(state.nodes.get(&id)?.file()?.version);
        for record in &entry.records {
            let Action::Relocate(Relocate { nodes, .. }) = &record.action else { continue };
            for id in nodes.iter().copied().filter(|id| version(before, *id) == version(after, *id)) {
                if tag(before, id) != tag(after, id) {
                    self.wrong(format!("6: generation {} changes the tag of node {id}", entry.generation));
                }
            }
        }
    }

    /// Whether all that is promised is on the disk.
    pub(super) fn hold_bytes(&self, state: &State) {
        let objects: BTreeMap<(bool, &str), Ino> = self
            .disk
            .files()
            .filter(|(path, _)| {
                self.disk.paths.purpose(*path) == Purpose::Object { space: self.history.space }
            })
            .map(|(path, ino)| ((self.disk.paths.is_second(path), self.disk.paths.name(path)), ino))
            .collect();
        let check = |what: &str, extents: &[Extent], content: Content| {
            let mut at = 0;
            for Extent { volume, object, offset, length } in extents {
                let name = object.to_string();
                let Some(ino) = objects.get(&(*volume != HOME, name.as_str())) else {
                    return self.wrong(format!("4: the object {object} of {what} is missing"));
                };
                let (from, to) =
                    (usize::try_from(*offset).unwrap(), usize::try_from(offset + length).unwrap());
                if self.disk.content(*ino).get(from..to) != Some(&content.bytes(at, at + length)[..]) {
                    return self.wrong(format!("3: the bytes of {what} from {at} on are wrong, in {object}"));
                }
                at += length;
            }
        };
        for (path, item) in self.oracle.everything() {
            let Some(content) = item.content() else { continue };
            let node = NodeId(item.id);
            match state.nodes.get(&node).and_then(|inode| inode.file()) {
                Some(file) if file.size.0 == content.length => check(&path, &file.extents, content),
                _ => self.wrong(format!("1: {path} is not a file of {} bytes", content.length)),
            }
            for old in item.versions() {
                let what = format!("version {} of {path}", old.number);
                match state.versions.get(node, old.number) {
                    Some(version) => check(&what, &version.extents, old.content),
                    None => self.wrong(format!("1: {what} is not there")),
                }
            }
        }
        for transfer in self.told.transfers.iter().filter(|_| !self.told.removed) {
            let Transfer { id, path, content, acknowledged, giving_up, .. } = transfer;
            match state.uploads.get(id) {
                Some(Upload::Open(open)) => {
                    if open.durable.0 < *acknowledged {
                        let durable = open.durable;
                        self.wrong(format!(
                            "3: {acknowledged} bytes to {path} were acknowledged, {durable} are there"
                        ));
                    }
                    check(&format!("the upload to {path}"), &open.closed(), *content);
                }
                Some(Upload::Complete(_)) => {}
                None if self.uploads.completed.contains_key(id) || *giving_up => {}
                None => match self.uploads.ended.get(id) {
                    // A clock that nobody else has ever compared with may be wrong.
                    Some((_, 1)) => {}
                    Some((generation, _))
                        if self.uploads.age(*id, self.chronicle.entries[generation].at) > EXPIRY => {}
                    ended => {
                        self.wrong(format!(
                            "1: the upload {id} to {path} is not there; it ended too soon: {ended:?}"
                        ));
                    }
                },
            }
        }
    }
}

/// The objects that a step brings in with their bytes.
fn named(action: &Action) -> Vec<ObjectId> {
    match action {
        Action::Put(put) => put.extents.iter().map(|extent| extent.object).collect(),
        Action::Relocate(Relocate { pieces, .. }) => pieces.iter().map(|piece| piece.to.object).collect(),
        Action::Import(Import { nodes, .. }) => {
            let extents = nodes.iter().flat_map(|node| node.extents.iter().flatten());
            extents.map(|extent| extent.object).collect()
        }
        _ => Vec::new(),
    }
}

/// The objects with bytes that somebody may want.
fn reachable(state: &State) -> BTreeSet<ObjectId> {
    let files = state.nodes.values().filter_map(|inode| inode.file());
    let files = files.flat_map(|file| file.extents.iter().map(|extent| extent.object));
    let versions = state.versions.of.values().flat_map(|versions| versions.iter());
    let versions = versions.flat_map(|old| old.extents.iter().map(|extent| extent.object));
    let uploads = state.uploads.values().filter_map(Upload::open);
    let uploads =
        uploads.flat_map(|open| open.closed().iter().map(|extent| extent.object).collect::<Vec<_>>());
    files.chain(versions).chain(uploads).collect()
}

/// The object of a file name.
pub(super) fn object_of(name: &str) -> Option<ObjectId> {
    let (born, random) = name.split_once('-')?;
    let (born, random) = (born.parse().ok()?, u64::from_str_radix(random, 16).ok()?);
    Some(ObjectId { born: Generation(born), random })
}
