//! What would come of a wish: whether it is granted, changes nothing, or is refused, and why.

use std::collections::BTreeMap;

use super::item::{Item, names};
use super::{Demand, Did, Oracle, Outcome, Refusal, Wish, With};
use crate::lock::LockToken;

impl Oracle {
    fn holds(&self, demand: &Demand, item: Option<&Item>) -> bool {
        match demand {
            Demand::Anything => true,
            Demand::Nothing => item.is_none(),
            Demand::Tag(tag) => item.is_some_and(|item| {
                let supposed = self.supposed.as_ref().filter(|(supposed, _)| supposed == tag);
                self.tags.get(tag).or(supposed.map(|(_, of)| of)) == Some(&item.tagged())
            }),
        }
    }

    /// Whether there is room for so much more, once all is purged that can be, and nothing is kept that is replaced.
    pub(in crate::sim) fn room(&self, added: u64, freed: u64) -> Result<(), Refusal> {
        let (used, reserved, limit) = (self.used(), self.reserved(), self.limit);
        let (needed, least) = (added.saturating_sub(freed), self.root.used() + reserved);
        if needed > 0 && used + reserved + needed > limit && least + needed > limit {
            return Err(Refusal::Quota { limit, used, reserved });
        }
        Ok(())
    }

    fn replaceable(item: Option<&Item>) -> Result<u64, Refusal> {
        match item.map(Item::content) {
            None => Ok(0),
            Some(Some(content)) => Ok(content.length),
            Some(None) => Err(Refusal::IsADirectory),
        }
    }

    /// What would come of a wish.
    pub(in crate::sim) fn check(&self, wish: &Wish, With { held, tokens, keep: _ }: With<'_>) -> Outcome {
        if let Wish::BringBack { then, path, .. } = wish {
            self.then(*then, path).ok_or(Refusal::NotFound)?;
        }
        self.takes(wish)?;
        match wish {
            Wish::MakeDirectory { path, parents } => {
                if path.is_empty() {
                    return if *parents { Ok(Did::Nothing) } else { Err(Refusal::Exists) };
                }
                match self.place(path, *parents)? {
                    Some(item) if *parents && item.is_directory() => Ok(Did::Nothing),
                    Some(_) => Err(Refusal::Exists),
                    None => Self::all_open([self.may_add(path, tokens)]),
                }
            }
            Wish::Put { path, content, demand, parents } => {
                let item = match self.place(path, *parents) {
                    Err(Refusal::NotFound) if matches!(demand, Demand::Tag(_)) => {
                        return Err(Refusal::Precondition);
                    }
                    item => item?,
                };
                if !self.holds(demand, item) {
                    return Err(Refusal::Precondition);
                }
                let freed = Self::replaceable(item)?;
                self.room(content.length, freed + held)?;
                Self::all_open([self.may_write(path, tokens)])
            }
            Wish::Move { from, to, overwrite } => self.relocatable(from, to, *overwrite, false, tokens),
            Wish::Copy { from, to, overwrite } => self.relocatable(from, to, *overwrite, true, tokens),
            Wish::Delete { path, demand, .. } => {
                if path.is_empty() {
                    return Err(Refusal::Root);
                }
                let item = self.lookup(path);
                if !self.holds(demand, item) {
                    return Err(Refusal::Precondition);
                }
                item.ok_or(Refusal::NotFound)?;
                Self::all_open([self.may_remove(path, tokens)])
            }
            Wish::Limit { roster, target, ceiling } => {
                if *roster > 0 && !self.closed && self.roster == (*roster, *target, *ceiling) {
                    return Ok(Did::Nothing);
                }
                if *roster <= self.roster.0 {
                    return Err(Refusal::Superseded { seen: self.roster.0 });
                }
                Ok(Did::Something)
            }
            Wish::Close { roster } => {
                if self.closed && self.roster.0 == *roster {
                    return Ok(Did::Nothing);
                }
                if *roster <= self.roster.0 {
                    return Err(Refusal::Superseded { seen: self.roster.0 });
                }
                Ok(Did::Something)
            }
            Wish::CreateUpload { path, length, demand, parents } => {
                self.target_place(path, demand, *parents)?;
                self.room(*length, 0)?;
                Self::all_open([self.may_write(path, tokens)])
            }
            // What it takes in is not known here; see `take_in`.
            Wish::Import { .. } => Ok(Did::Something),
            Wish::Restore { item, to, overwrite } => {
                let trashed = self.trash.iter().find(|trashed| trashed.item.id == *item);
                let trashed = trashed.ok_or(Refusal::NotFound)?;
                let to = to.as_ref().unwrap_or(&trashed.path);
                match self.place(to, true)? {
                    Some(_) if !overwrite => Err(Refusal::Exists),
                    _ => Self::all_open([self.may_add(to, tokens), self.may_remove(to, tokens)]),
                }
            }
            Wish::PurgeAll => Ok(if self.trash.is_empty() { Did::Nothing } else { Did::Something }),
            Wish::PurgeItem { item } => {
                let found = self.trash.iter().any(|trashed| trashed.item.id == *item);
                if found { Ok(Did::Something) } else { Err(Refusal::NotFound) }
            }
            Wish::PurgeVersion { path, number } => {
                let found = self.file(path)?.versions().iter().any(|old| old.number == *number);
                if found { Ok(Did::Something) } else { Err(Refusal::NotFound) }
            }
            Wish::PurgeVersions { path } => {
                let none = self.file(path)?.versions().is_empty();
                Ok(if none { Did::Nothing } else { Did::Something })
            }
            Wish::RestoreVersion { path, number, demand } => {
                if !self.holds(demand, self.lookup(path)) {
                    return Err(Refusal::Precondition);
                }
                let file = self.file(path)?;
                if file.number == *number {
                    return Ok(Did::Nothing);
                }
                if !file.versions().iter().any(|old| old.number == *number) {
                    return Err(Refusal::NotFound);
                }
                Self::all_open([self.may_write(path, tokens)])
            }
            Wish::BringBack { then, path, to, overwrite } => {
                let past = self.then(*then, path).ok_or(Refusal::NotFound)?;
                self.can_bring_back(past, to, *overwrite, tokens)
            }
            Wish::SetProperties { path, demand, set, remove, modified } => {
                let item = self.lookup(path);
                if !self.holds(demand, item) {
                    return Err(Refusal::Precondition);
                }
                let item = item.ok_or(Refusal::NotFound)?;
                let same = changed(&item.properties, set, remove) == item.properties;
                if same && modified.is_none_or(|time| time == item.modified) {
                    return Ok(Did::Nothing);
                }
                Self::all_open([self.may_write(path, tokens)])
            }
            Wish::Lock { path, token, exclusive, infinite, .. } => {
                if self.locks.iter().any(|lock| lock.token == *token) {
                    return Err(Refusal::Exists);
                }
                self.lockable(path, *exclusive, *infinite)?;
                match self.lookup(path) {
                    Some(_) => Ok(Did::Something),
                    None => Self::all_open([self.may_write(path, tokens)]),
                }
            }
            Wish::RefreshLock { path, token, .. } | Wish::Unlock { path, token } => {
                self.lock_over(path, *token).map(|_| Did::Something)
            }
            Wish::Share { path, id, .. } => {
                self.lookup(path).ok_or(Refusal::NotFound)?;
                if self.shares.contains_key(id) { Err(Refusal::Exists) } else { Ok(Did::Something) }
            }
            Wish::UseShare { id } => self.usable(*id),
            Wish::RemoveShare { id } => {
                if self.shares.contains_key(id) {
                    Ok(Did::Something)
                } else {
                    Err(Refusal::ShareGone)
                }
            }
        }
    }

    fn file(&self, path: &str) -> Result<&Item, Refusal> {
        let item = self.lookup(path).ok_or(Refusal::NotFound)?;
        if item.is_directory() { Err(Refusal::IsADirectory) } else { Ok(item) }
    }

    fn target_place(&self, path: &str, demand: &Demand, parents: bool) -> Result<(), Refusal> {
        let item = self.place(path, parents)?;
        if !self.holds(demand, item) {
            return Err(if *demand == Demand::Nothing { Refusal::Exists } else { Refusal::Precondition });
        }
        Self::replaceable(item).map(|_| ())
    }

    /// Whether an upload may go to a path. Nobody holds a lock for one.
    pub(in crate::sim) fn target(&self, path: &str, demand: &Demand, parents: bool) -> Result<(), Refusal> {
        self.is_open()?;
        self.target_place(path, demand, parents)?;
        self.may_write(path, &[])
    }

    fn relocatable(
        &self,
        from: &str,
        to: &str,
        overwrite: bool,
        copy: bool,
        tokens: &[LockToken],
    ) -> Outcome {
        if from.is_empty() || to.is_empty() {
            return Err(Refusal::Root);
        }
        let item = self.lookup(from).ok_or(Refusal::NotFound)?;
        let taken = self.place(to, false)?;
        let (source, destination) = (names(from), names(to));
        if destination.len() > source.len() && destination.starts_with(&source) {
            return Err(Refusal::IntoItself);
        }
        match taken {
            Some(_) if !overwrite => return Err(Refusal::Exists),
            Some(_) if source == destination => return Ok(Did::Nothing),
            // What would be replaced holds what replaces it.
            Some(_) if source.starts_with(&destination) => return Err(Refusal::Exists),
            _ => {}
        }
        if copy {
            self.room(item.used(), taken.map_or(0, Item::used))?;
            return Self::all_open([self.may_add(to, tokens), self.may_remove(to, tokens)]);
        }
        Self::all_open([self.may_remove(from, tokens), self.may_add(to, tokens), self.may_remove(to, tokens)])
    }

    /// Whether something of another space, of so many bytes, can come to a path.
    pub(super) fn can_take_in(&self, to: &str, overwrite: bool, added: u64, tokens: &[LockToken]) -> Outcome {
        self.is_open()?;
        let taken = self.place(to, false)?;
        if taken.is_some() && !overwrite {
            return Err(Refusal::Exists);
        }
        self.room(added, taken.map_or(0, Item::used))?;
        Self::all_open([self.may_add(to, tokens), self.may_remove(to, tokens)])
    }

    /// Whether something can be at a path: the directories above are there, or can be made.
    pub(super) fn place(&self, path: &str, parents: bool) -> Result<Option<&Item>, Refusal> {
        let names = names(path);
        let Some((_, above)) = names.split_last() else { return Err(Refusal::Root) };
        let mut item = &self.root;
        for name in above {
            match item.child(name) {
                Some(next) if next.is_directory() => item = next,
                Some(_) => return Err(Refusal::NotADirectory),
                None if parents => return Ok(None),
                None => return Err(Refusal::NotFound),
            }
        }
        Ok(self.lookup(path))
    }
}

/// Properties after a change.
pub(super) fn changed(
    old: &BTreeMap<String, String>,
    set: &[(String, String)],
    remove: &[String],
) -> BTreeMap<String, String> {
    let mut new = old.clone();
    new.retain(|name, _| !remove.contains(name));
    new.extend(set.iter().cloned());
    new
}
