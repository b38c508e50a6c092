//! What a space is, told again in the plainest way: a tree of names, and sums that are counted anew each time. It
//! knows the operations of members, not how the engine writes them down.

mod check;
mod item;
mod kept;
mod locks;
mod past;
mod shares;
mod wish;

use std::collections::BTreeMap;

use self::check::changed;
pub(super) use self::item::{Item, Items, What};
use self::item::{joined, names};
pub(super) use self::kept::{Keeping, Purged, Trashed};
pub(super) use self::locks::Lock;
pub(super) use self::shares::Share;
pub(super) use self::wish::{Content, Demand, Did, Refusal, Wish};
use crate::lock::LockToken;
use crate::operation::UploadId;
use crate::share::ShareId;

/// An upload or a reservation that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) length: u64,
    /// What it becomes; nothing of a reservation.
    pub(super) target: Option<(String, Demand, bool)>,
}

#[derive(Debug)]
pub(super) struct Oracle {
    pub(super) root: Item,
    pub(super) trash: Vec<Trashed>,
    pub(super) locks: Vec<Lock>,
    pub(super) shares: BTreeMap<ShareId, Share>,
    pub(super) uploads: BTreeMap<UploadId, Open>,
    pub(super) limit: u64,
    roster: (u64, u64, u64),
    /// Nothing is taken until a limit of a later roster.
    pub(super) closed: bool,
    /// How it was after the generations that somebody wants something back from.
    pub(super) past: BTreeMap<u64, Item>,
    next: u64,
    pub(super) keeping: Keeping,
    /// The generation that is being made, the clock that was written into it, and the true time.
    pub(super) generation: u64,
    pub(super) clock: i64,
    pub(super) time: i64,
    /// What etags were seen on.
    pub(super) tags: BTreeMap<String, Tagged>,
    /// What one more etag may be of, for as long as it is asked.
    pub(super) supposed: Option<(String, Tagged)>,
}

/// What an etag is of: a node, and the number of its content.
pub(super) type Tagged = (u64, u64);

type Outcome = Result<Did, Refusal>;

/// What goes with a wish.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct With<'a> {
    /// What was reserved for its content and is free now.
    pub(super) held: u64,
    /// The locks that the member holds.
    pub(super) tokens: &'a [LockToken],
    /// Whether the log says that what is replaced is kept.
    pub(super) keep: bool,
}

impl Oracle {
    pub(super) fn new(keeping: Keeping) -> Self {
        Self {
            root: Item::root(),
            trash: Vec::new(),
            locks: Vec::new(),
            shares: BTreeMap::new(),
            uploads: BTreeMap::new(),
            limit: 0,
            roster: (0, 0, 0),
            closed: false,
            past: BTreeMap::new(),
            next: 2,
            keeping,
            generation: 0,
            clock: 0,
            time: 0,
            tags: BTreeMap::new(),
            supposed: None,
        }
    }

    /// All that counts: files, the trash, old versions.
    pub(super) fn used(&self) -> u64 {
        let (trash, old) = self.purgeable();
        self.root.used() + trash + old
    }

    pub(super) fn reserved(&self) -> u64 {
        self.uploads.values().map(|open| open.length).sum()
    }

    pub(super) fn roster(&self) -> u64 {
        self.roster.0
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    pub(super) fn lookup(&self, path: &str) -> Option<&Item> {
        self.root.at(path)
    }

    fn new_item(&mut self, what: What) -> Item {
        let number = self.number();
        Item { id: number, number, modified: self.clock, properties: BTreeMap::new(), what }
    }

    /// Makes the directories of a path that are missing.
    pub(super) fn make(&mut self, path: &str) {
        let mut above = String::new();
        for name in names(path) {
            let path = joined(&above, name);
            if self.lookup(&path).is_none() {
                let new = self.new_item(What::Directory(Items::new()));
                self.put_in(&above, name, new);
            }
            above = path;
        }
    }

    fn items_mut(&mut self, path: &str) -> &mut Items {
        let mut item = &mut self.root;
        for name in names(path) {
            let What::Directory(items) = &mut item.what else { unreachable!("it was looked at before") };
            item = items.get_mut(name).expect("it was looked at before");
        }
        match &mut item.what {
            What::Directory(items) => items,
            What::File { .. } => unreachable!("it was looked at before"),
        }
    }

    fn put_in(&mut self, above: &str, name: &str, item: Item) {
        self.items_mut(above).insert(name.to_owned(), item);
    }

    /// Puts something at a path; the directories above that are missing are made.
    fn place_at(&mut self, path: &str, item: Item) {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.make(above);
        self.put_in(above, name, item);
    }

    /// Grants a wish, or says why not.
    pub(super) fn grant(&mut self, wish: &Wish, with: With<'_>) -> Outcome {
        let outcome = self.check(wish, with);
        if outcome == Ok(Did::Something) {
            self.perform(wish, with.keep);
        }
        outcome
    }

    /// Does what can be done.
    fn perform(&mut self, wish: &Wish, keep: bool) {
        match wish {
            Wish::MakeDirectory { path, .. } => self.make(path),
            Wish::Put { path, content, .. } => self.write(path, *content, keep),
            Wish::Move { from, to, .. } => self.relocate(from, to, false, keep),
            Wish::Copy { from, to, .. } => self.relocate(from, to, true, keep),
            Wish::Delete { path, permanently, .. } => {
                if self.keeping.trash && !permanently {
                    self.discard(path);
                } else {
                    self.end(path);
                }
            }
            Wish::Limit { roster, target, ceiling } => {
                self.roster = (*roster, *target, *ceiling);
                self.closed = false;
                self.limit = (self.used() + self.reserved()).max(*target).min(*ceiling);
            }
            Wish::Close { roster } => {
                self.roster = (*roster, 0, 0);
                self.closed = true;
            }
            Wish::CreateUpload { .. } | Wish::Import { .. } => {}
            Wish::BringBack { then, path, to, .. } => {
                if let Some(past) = self.then(*then, path).cloned() {
                    self.bring_back(past, to, keep);
                }
            }
            Wish::Restore { item, to, .. } => {
                let Some(Trashed { item, path, .. }) = self.take_trashed(*item) else { return };
                self.place_at(to.as_ref().unwrap_or(&path), item);
            }
            Wish::PurgeAll => {
                while let Some(first) = self.trash.first().map(|trashed| trashed.item.id) {
                    self.purge_item(first);
                }
            }
            Wish::PurgeItem { item } => {
                self.purge_item(*item);
            }
            Wish::PurgeVersion { path, number } => {
                let id = self.lookup(path).map_or(0, |item| item.id);
                self.purge_version(id, *number);
            }
            Wish::PurgeVersions { path } => {
                let Some(item) = self.lookup(path) else { return };
                let (id, numbers) =
                    (item.id, item.versions().iter().map(|old| old.number).collect::<Vec<_>>());
                for number in numbers {
                    self.purge_version(id, number);
                }
            }
            Wish::RestoreVersion { path, number, .. } => {
                let Some(item) = self.lookup(path) else { return };
                let (id, old) = (item.id, item.versions().iter().find(|old| old.number == *number).copied());
                if let Some(old) = old {
                    self.purge_version(id, *number);
                    self.replace(id, old.content, keep);
                }
            }
            Wish::SetProperties { path, set, remove, modified, .. } => {
                let id = self.lookup(path).map_or(0, |item| item.id);
                if let Some(item) = self.item_mut(id) {
                    item.properties = changed(&item.properties, set, remove);
                    item.modified = modified.unwrap_or(item.modified);
                }
            }
            Wish::Lock { path, token, exclusive, infinite, timeout } => {
                let timeout = i64::try_from(*timeout).unwrap();
                let (item, token) = (self.lookup(path).map_or(0, |item| item.id), *token);
                let (exclusive, infinite) = (*exclusive, *infinite);
                let (expires, ends) = (self.clock + timeout, self.time + timeout);
                self.locks.push(Lock { token, item, exclusive, infinite, expires, ends });
            }
            Wish::RefreshLock { token, timeout, .. } => {
                let timeout = i64::try_from(*timeout).unwrap();
                let (expires, ends) = (self.clock + timeout, self.time + timeout);
                self.locks
                    .iter_mut()
                    .filter(|lock| lock.token == *token)
                    .for_each(|lock| (lock.expires, lock.ends) = (expires, ends));
            }
            Wish::Unlock { token, .. } => {
                self.unlock(*token);
            }
            Wish::Share { path, id, most, expires } => {
                let item = self.lookup(path).map_or(0, |item| item.id);
                let (most, expires) = (*most, *expires);
                self.shares.insert(*id, Share { item, most, expires, uses: 0 });
            }
            Wish::UseShare { id } => {
                if let Some(share) = self.shares.get_mut(id) {
                    share.uses += 1;
                }
            }
            Wish::RemoveShare { id } => {
                self.shares.remove(id);
            }
        }
    }

    pub(super) fn write(&mut self, path: &str, content: Content, keep: bool) {
        match self.lookup(path).map(|item| item.id) {
            Some(id) => self.replace(id, content, keep),
            None => {
                let (above, _) = path.rsplit_once('/').unwrap_or(("", path));
                self.make(above);
                let new = self.new_item(What::File { content, versions: Vec::new() });
                self.place_at(path, new);
            }
        }
    }

    /// What is at a path leaves it; nothing there is locked any more.
    fn take(&mut self, path: &str) -> Option<Item> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.lookup(path)?;
        let item = self.items_mut(above).remove(name)?;
        self.unlock_all(&item);
        Some(item)
    }

    /// What is at a path ends.
    pub(super) fn end(&mut self, path: &str) {
        if let Some(item) = self.take(path) {
            self.forget(&item);
        }
    }

    /// Something is no more, with all in it.
    fn forget(&mut self, item: &Item) {
        let ids: Vec<u64> = item.all().iter().map(|(_, item)| item.id).collect();
        self.shares.retain(|_, share| !ids.contains(&share.item));
    }

    /// A copy is something new, without a past.
    fn renumber(&mut self, item: &mut Item) {
        let number = self.number();
        (item.id, item.number) = (number, number);
        match &mut item.what {
            What::File { versions, .. } => versions.clear(),
            What::Directory(items) => {
                item.modified = self.clock;
                items.values_mut().for_each(|item| self.renumber(item));
            }
        }
    }

    /// Takes something in from another space.
    pub(super) fn take_in(&mut self, to: &str, overwrite: bool, mut item: Item, with: With<'_>) -> Outcome {
        self.can_take_in(to, overwrite, item.used(), with.tokens)?;
        let history = if with.keep { self.heirloom(to) } else { Vec::new() };
        self.end(to);
        self.number_anew(&mut item);
        self.place_at(to, item);
        self.inherit(to, history);
        Ok(Did::Something)
    }

    fn relocate(&mut self, from: &str, to: &str, copy: bool, keep: bool) {
        let history = if keep { self.heirloom(to) } else { Vec::new() };
        self.end(to);
        let item = if copy {
            let mut copied = self.lookup(from).cloned();
            if let Some(copied) = &mut copied {
                self.renumber(copied);
            }
            copied
        } else {
            self.take(from)
        };
        if let Some(item) = item {
            self.place_at(to, item);
        }
        self.inherit(to, history);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_and_refuses() {
        let mut oracle = Oracle::new(Keeping::default());
        let content = |length| Content { seed: 1, length };
        let put = |path: &str, length| Wish::Put {
            path: path.to_owned(),
            content: content(length),
            demand: Demand::Anything,
            parents: true,
        };
        assert!(matches!(oracle.grant(&put("a", 1), With::default()), Err(Refusal::Quota { limit: 0, .. })));
        oracle.grant(&Wish::Limit { roster: 1, target: 10, ceiling: 20 }, With::default()).unwrap();
        oracle.grant(&put("d/a", 6), With::default()).unwrap();
        let copy = Wish::Copy { from: "d".to_owned(), to: "e".to_owned(), overwrite: false };
        assert!(matches!(oracle.grant(&copy, With::default()), Err(Refusal::Quota { used: 6, .. })));
        oracle.grant(&put("d/a", 5), With::default()).unwrap();
        assert_eq!(oracle.grant(&copy, With::default()), Ok(Did::Something));
        assert_eq!(oracle.used(), 10);
        let into = Wish::Move { from: "d".to_owned(), to: "d/x".to_owned(), overwrite: true };
        assert_eq!(oracle.grant(&into, With::default()), Err(Refusal::IntoItself));
        let over = Wish::Move { from: "d/a".to_owned(), to: "d".to_owned(), overwrite: true };
        assert_eq!(oracle.grant(&over, With::default()), Err(Refusal::Exists));
        assert_ne!(content(9).bytes(0, 9), content(9).bytes(1, 9));
        assert_eq!(content(9).bytes(0, 9)[1..], content(9).bytes(1, 9));
    }
}
