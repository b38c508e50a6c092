//! What came from the other space: of bytes that somebody has written, whole, and gone there only after it was here.

use std::collections::BTreeMap;

use super::super::coverage::Met;
use super::super::disk::{Disk, Ino};
use super::super::history::{Call, History};
use super::super::oracle::{Content, Item, Items, What, Wish, With};
use super::super::place::Purpose;
use super::Judge;
use crate::extent::{Extent, VolumeIndex};
use crate::format::entry::Entry;
use crate::format::pool::{Import, Imported};
use crate::format::record::{Action, Record};
use crate::operation::OperationId;

/// Paths, with the lengths of files.
type Lines = Vec<(String, Option<u64>)>;

/// What is known of both spaces.
#[derive(Default)]
pub(super) struct Exchange {
    /// All contents that anybody ever wanted to write, by their length.
    contents: BTreeMap<u64, Vec<Content>>,
    /// What each operation has brought in, and when among all changes of the volume.
    imports: BTreeMap<OperationId, (Lines, u64)>,
}

impl Exchange {
    pub(super) fn of(histories: &[std::sync::Arc<History>], disk: &Disk) -> Self {
        let mut exchange = Self::default();
        for history in histories {
            let told = history.told();
            if !told.calls.iter().any(|call| matches!(call.wish, Wish::Import { .. })) {
                continue;
            }
            for (_, linked) in disk.chronicles.get(&history.space).into_iter().flat_map(|it| &it.entries) {
                let Ok((entry, _)) = Entry::open(&linked.file) else { continue };
                for Record { operation, action } in &entry.records {
                    if let (Some(operation), Action::Import(import)) = (operation, action) {
                        exchange.imports.insert(operation.id, (lines(import), linked.order));
                    }
                }
            }
        }
        if exchange.imports.is_empty() {
            return exchange;
        }
        for history in histories {
            let told = history.told();
            let puts = told.calls.iter().filter_map(|call| match &call.wish {
                Wish::Put { content, .. } => Some(*content),
                _ => None,
            });
            for content in puts.chain(told.transfers.iter().map(|transfer| transfer.content)) {
                exchange.contents.entry(content.length).or_default().push(content);
            }
        }
        exchange
    }
}

/// The paths below what is imported, with the lengths of files.
fn lines(import: &Import) -> Lines {
    let mut paths: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for Imported { above, name, extents, .. } in &import.nodes {
        let path = match name {
            None => String::new(),
            Some(name) => match paths[*above as usize].as_str() {
                "" => name.to_string(),
                above => format!("{above}/{name}"),
            },
        };
        let length = extents.as_ref().map(|extents| extents.iter().map(|extent| extent.length).sum());
        lines.push((path.clone(), length));
        paths.push(path);
    }
    lines.sort();
    lines
}

impl Judge<'_> {
    /// What another space gave is what somebody has written, and does to this space what was asked.
    pub(super) fn import(&mut self, import: &Import, call: &Call, generation: u64) {
        let Call { wish, tokens, .. } = call;
        let Wish::Import { to, overwrite, .. } = wish else {
            return self.wrong(format!("1: generation {generation} takes something in for {wish:?}"));
        };
        let mut items: Vec<(usize, String, Item)> = Vec::new();
        for Imported { above, name, modified, extents, properties } in &import.nodes {
            let what = match extents {
                None => What::Directory(Items::new()),
                Some(extents) => match self.written(extents) {
                    Some(content) => What::File { content, versions: Vec::new() },
                    None => {
                        return self.wrong(format!(
                            "3: generation {generation} takes in bytes that nobody has written, as {to}"
                        ));
                    }
                },
            };
            let properties =
                properties.iter().map(|property| (property.name.name.to_string(), property.value.clone()));
            let (modified, properties) = (*modified, properties.collect());
            let name = name.as_ref().map_or_else(String::new, ToString::to_string);
            items.push((*above as usize, name, Item { id: 0, number: 0, modified, properties, what }));
        }
        // What is in a directory comes behind it.
        while items.len() > 1 {
            let Some((above, name, item)) = items.pop() else { break };
            if let What::Directory(items) = &mut items[above].2.what {
                items.insert(name, item);
            }
        }
        let Some((_, _, item)) = items.pop() else { return };
        let (added, by_file) = (item.used(), item.content().is_some());
        let expected = by_file && self.oracle.goes_on(to);
        self.kept_as(import.keep, expected, added, || format!("{wish:?}"), generation);
        let with = With { tokens, keep: import.keep, ..With::default() };
        if let Err(refusal) = self.oracle.take_in(to, *overwrite, item, with) {
            self.wrong(format!("2: generation {generation} takes {to} in; it should be {refusal:?}"));
        }
    }

    /// What is deleted because it was moved to the other space was there by then, with all that was in it.
    pub(super) fn moved_away(&self, call: &Call, generation: u64) {
        let Wish::Delete { path, .. } = &call.wish else { return };
        let Some((there, order)) = self.exchange.imports.get(&call.id) else { return };
        if *order > self.chronicle.entries[&generation].order {
            self.wrong(format!("1: generation {generation} deletes {path} before it is in the other space"));
        }
        let Some(item) = self.oracle.lookup(path) else { return };
        let all = item.all().into_iter();
        let mut here: Vec<_> =
            all.map(|(path, item)| (path, item.content().map(|content| content.length))).collect();
        here.sort();
        if here != *there {
            self.wrong(format!(
                "1: generation {generation} deletes {path}, of which something else was moved"
            ));
        }
        self.world.meet(Met::SourceRemoved);
    }

    /// The content that these bytes are; of those that are gone by now, too.
    fn written(&self, extents: &[Extent]) -> Option<Content> {
        let mut bytes = Vec::new();
        for Extent { volume, object, offset, length } in extents {
            let content = self.disk.content(self.object(*volume, &object.to_string())?);
            let (from, to) = (usize::try_from(*offset).unwrap(), usize::try_from(offset + length).unwrap());
            bytes.extend_from_slice(content.get(from..to)?);
        }
        if bytes.is_empty() {
            return Some(Content::EMPTY);
        }
        let length = bytes.len() as u64;
        let known = self.exchange.contents.get(&length)?;
        known.iter().find(|content| content.bytes(0, length) == bytes).copied()
    }

    /// The file of an object that is or was on a volume.
    fn object(&self, volume: VolumeIndex, name: &str) -> Option<Ino> {
        let objects = self.objects.get_or_init(|| {
            let (paths, space) = (&self.disk.paths, self.history.space);
            let mut objects = BTreeMap::new();
            for (path, ino) in self.disk.files() {
                if paths.purpose(path) == (Purpose::Object { space }) {
                    objects.insert((paths.is_second(path), paths.name(path).to_owned()), ino);
                }
            }
            let lost = self.chronicle.lost.iter();
            objects.extend(lost.map(|(name, (second, ino))| ((*second, name.clone()), *ino)));
            objects
        });
        objects.get(&(volume != VolumeIndex(0), name.to_owned())).copied()
    }
}
