//! What was brought back from a point in time, and a space that is closed.

use super::item::{Item, What};
use super::{Did, Oracle, Outcome, Refusal, Wish};
use crate::lock::LockToken;

impl Oracle {
    /// What was at a path at the end of a generation, of those that anybody asks for.
    pub(in crate::sim) fn then(&self, generation: u64, path: &str) -> Option<&Item> {
        self.past.get(&generation)?.at(path)
    }

    /// Whether one file comes back in the place of another, and so is new content of it.
    pub(in crate::sim) fn comes_back_in_place(&self, past: &Item, to: &str) -> bool {
        past.content().is_some() && self.lookup(to).is_some_and(|item| !item.is_directory())
    }

    pub(super) fn can_bring_back(
        &self,
        past: &Item,
        to: &str,
        overwrite: bool,
        tokens: &[LockToken],
    ) -> Outcome {
        let taken = self.place(to, true)?;
        if taken.is_some() && !overwrite {
            return Err(Refusal::Exists);
        }
        self.room(past.used(), taken.map_or(0, Item::used))?;
        if self.comes_back_in_place(past, to) {
            return Self::all_open([self.may_write(to, tokens)]);
        }
        Self::all_open([self.may_add(to, tokens), self.may_remove(to, tokens)])
    }

    pub(super) fn bring_back(&mut self, mut past: Item, to: &str, keep: bool) {
        let content = past.content().filter(|_| self.comes_back_in_place(&past, to));
        if let (Some(content), Some(id)) = (content, self.lookup(to).map(|item| item.id)) {
            self.replace(id, content, keep);
            if let Some(item) = self.item_mut(id) {
                item.modified = past.modified;
            }
            return;
        }
        self.end(to);
        self.make(to.rsplit_once('/').map_or("", |(above, _)| above));
        self.number_anew(&mut past);
        self.place_at(to, past);
    }

    /// All this becomes something new, without a past.
    pub(super) fn number_anew(&mut self, item: &mut Item) {
        let number = self.number();
        (item.id, item.number) = (number, number);
        match &mut item.what {
            What::File { versions, .. } => versions.clear(),
            What::Directory(items) => items.values_mut().for_each(|item| self.number_anew(item)),
        }
    }

    /// The space is removed: of what it held nothing is left.
    pub(in crate::sim) fn remove(&mut self) {
        self.root = Item::root();
        self.trash.clear();
        self.locks.clear();
        self.shares.clear();
        self.uploads.clear();
    }

    /// Whether the space takes this though it is closed.
    pub(super) fn takes(&self, wish: &Wish) -> Outcome {
        match wish {
            Wish::Limit { .. } | Wish::Close { .. } => {}
            Wish::PurgeAll
            | Wish::PurgeItem { .. }
            | Wish::PurgeVersion { .. }
            | Wish::PurgeVersions { .. } => {}
            _ => self.is_open()?,
        }
        Ok(Did::Something)
    }

    pub(super) fn is_open(&self) -> Result<(), Refusal> {
        if self.closed { Err(Refusal::Closed) } else { Ok(()) }
    }
}
