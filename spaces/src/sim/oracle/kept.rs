//! What is kept of what was deleted and replaced, and what makes room.

use super::Oracle;
use super::item::{Item, Old, What, names};

/// What a space keeps. The log says what was kept; this says what should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sim) struct Keeping {
    pub(in crate::sim) trash: bool,
    pub(in crate::sim) versions: usize,
}

/// Something in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Trashed {
    pub(in crate::sim) item: Item,
    pub(in crate::sim) path: String,
    pub(in crate::sim) generation: u64,
}

/// Why something is purged that nobody asks to be purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Purged {
    /// The oldest of what could be, and since when it was kept.
    Oldest { since: u64 },
    /// Another one.
    Of { since: u64 },
}

impl Oracle {
    /// The path of what is in the tree.
    pub(in crate::sim) fn path_of(&self, id: u64) -> Option<String> {
        self.root.all().into_iter().find(|(_, item)| item.id == id).map(|(path, _)| path)
    }

    pub(super) fn item_mut(&mut self, id: u64) -> Option<&mut Item> {
        let trashed = self.trash.iter_mut().find_map(|trashed| trashed.item.find_mut(id));
        match trashed {
            Some(item) => Some(item),
            None => self.root.find_mut(id),
        }
    }

    /// Everything there is, in the tree and in the trash.
    pub(in crate::sim) fn everything(&self) -> impl Iterator<Item = (String, &Item)> {
        let trashed = self.trash.iter().flat_map(|trashed| {
            trashed
                .item
                .all()
                .into_iter()
                .map(|(path, item)| (format!("trash:{}/{path}", trashed.item.id), item))
        });
        self.root.all().into_iter().chain(trashed)
    }

    /// What could be purged.
    pub(in crate::sim) fn purgeable(&self) -> (u64, u64) {
        let trash = self.trash.iter().map(|trashed| trashed.item.used()).sum();
        let old = self.trash.iter().map(|trashed| trashed.item.old()).sum::<u64>() + self.root.old();
        (trash, old)
    }

    /// What is at a path goes to the trash. What it weighs is told: the sizes of its files, and how many things it is.
    pub(in crate::sim) fn discard(&mut self, path: &str) -> Option<(u64, u64)> {
        let item = self.take(path)?;
        let weight = (item.used(), item.all().len() as u64);
        let (path, generation) = (path.to_owned(), self.generation);
        self.trash.push(Trashed { item, path, generation });
        Some(weight)
    }

    pub(super) fn take_trashed(&mut self, id: u64) -> Option<Trashed> {
        let place = self.trash.iter().position(|trashed| trashed.item.id == id)?;
        Some(self.trash.remove(place))
    }

    /// Something in the trash ends.
    pub(in crate::sim) fn purge_item(&mut self, id: u64) -> Option<Purged> {
        let oldest = self.trash.iter().map(|trashed| (trashed.generation, trashed.item.id)).min()?;
        let trashed = self.take_trashed(id)?;
        self.forget(&trashed.item);
        let (generation, item) = (trashed.generation, trashed.item.id);
        Some(if oldest == (generation, item) {
            Purged::Oldest { since: generation }
        } else {
            Purged::Of { since: generation }
        })
    }

    /// An old content of a file ends.
    pub(in crate::sim) fn purge_version(&mut self, id: u64, number: u64) -> Option<Purged> {
        let What::File { versions, .. } = &mut self.item_mut(id)?.what else { return None };
        let place = versions.iter().position(|old| old.number == number)?;
        let old = versions.remove(place);
        let since = old.generation;
        Some(if place == 0 { Purged::Oldest { since } } else { Purged::Of { since } })
    }

    /// A file gets another content; what it had is kept or not.
    pub(super) fn replace(&mut self, id: u64, content: super::Content, keep: bool) {
        let (number, clock, generation) = (self.number(), self.clock, self.generation);
        let Some(item) = self.item_mut(id) else { return };
        let before =
            Old { generation, number: item.number, modified: item.modified, content: super::Content::EMPTY };
        (item.number, item.modified) = (number, clock);
        if let What::File { content: held, versions } = &mut item.what {
            let old = Old { content: std::mem::replace(held, content), ..before };
            if keep {
                versions.push(old);
                sort(versions);
            }
        }
    }

    /// What a file that is replaced hands on to the file in its place.
    pub(super) fn heirloom(&self, path: &str) -> Vec<Old> {
        let Some(item) = self.lookup(path) else { return Vec::new() };
        let mut history = item.versions().to_vec();
        if let Some(content) = item.content().filter(|content| content.length > 0) {
            let (generation, number, modified) = (self.generation, item.number, item.modified);
            history.push(Old { generation, number, modified, content });
        }
        history
    }

    pub(super) fn inherit(&mut self, path: &str, history: Vec<Old>) {
        let Some(id) = self.lookup(path).map(|item| item.id) else { return };
        if let Some(What::File { versions, .. }) = self.item_mut(id).map(|item| &mut item.what) {
            versions.extend(history);
            sort(versions);
        }
    }

    /// Whether new content of what is at a path keeps what it held.
    pub(in crate::sim) fn keeps(&self, path: &str) -> bool {
        let content = self.lookup(path).and_then(Item::content);
        self.keeping.versions > 0 && content.is_some_and(|content| content.length > 0)
    }

    /// Whether a file that takes the place of a file goes on with the history of that.
    pub(in crate::sim) fn hands_on(&self, from: &str, to: &str) -> bool {
        let by_file = self.lookup(from).is_some_and(|item| !item.is_directory());
        by_file && names(from) != names(to) && self.goes_on(to)
    }

    /// Whether a file in the place of what is at a path goes on with its history.
    pub(in crate::sim) fn goes_on(&self, to: &str) -> bool {
        self.keeping.versions > 0 && self.lookup(to).is_some_and(|item| !item.is_directory())
    }
}

fn sort(versions: &mut [Old]) {
    versions.sort_by_key(|old| (old.generation, old.number));
}
