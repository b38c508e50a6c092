//! What a space is, told again in the plainest way: a tree of names, and sums that are counted anew each time. It
//! knows the operations of members, not how the engine writes them down.

use std::collections::BTreeMap;

use crate::operation::UploadId;

/// The bytes of a file: known from a number and their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Content {
    pub(super) seed: u64,
    pub(super) length: u64,
}

impl Content {
    /// The bytes of a range.
    pub(super) fn bytes(self, from: u64, to: u64) -> Vec<u8> {
        let to = to.min(self.length);
        let words = (from / 8..to.div_ceil(8)).flat_map(|place| word(self.seed, place));
        let skipped = usize::try_from(from % 8).unwrap();
        words.skip(skipped).take(usize::try_from(to.saturating_sub(from)).unwrap()).collect()
    }
}

fn word(seed: u64, place: u64) -> [u8; 8] {
    let word = (seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (word ^ (word >> 29)).to_le_bytes()
}

/// What a condition asks for; a tag is known by what it was seen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    Anything,
    Nothing,
    Tag(String),
}

/// What a member wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    MakeDirectory {
        path: String,
        parents: bool,
    },
    Put {
        path: String,
        content: Content,
        demand: Demand,
        parents: bool,
    },
    Move {
        from: String,
        to: String,
        overwrite: bool,
    },
    Copy {
        from: String,
        to: String,
        overwrite: bool,
    },
    Delete {
        path: String,
        demand: Demand,
    },
    Limit {
        roster: u64,
        target: u64,
        ceiling: u64,
    },
    CreateUpload {
        path: String,
        length: u64,
        demand: Demand,
        parents: bool,
    },
    /// Something of the other space, which goes there when `removes`.
    Import {
        to: String,
        overwrite: bool,
        removes: bool,
    },
}

/// Why a wish is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NotFound,
    Exists,
    NotADirectory,
    IsADirectory,
    IntoItself,
    Root,
    Precondition,
    Quota { limit: u64, used: u64, reserved: u64 },
    Superseded { seen: u64 },
}

/// What came of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Did {
    Something,
    /// It was so before.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    File { id: u64, content: Content },
    Directory { id: u64, items: BTreeMap<String, Item> },
}

impl Item {
    fn used(&self) -> u64 {
        match self {
            Self::File { content, .. } => content.length,
            Self::Directory { items, .. } => items.values().map(Self::used).sum(),
        }
    }

    /// What an etag is of.
    pub(super) fn tagged(&self) -> (u64, Option<Content>) {
        match self {
            Self::File { id, content } => (*id, Some(*content)),
            Self::Directory { id, .. } => (*id, None),
        }
    }

    /// Every path and what is there, in order.
    pub(super) fn lines(&self, path: &str, into: &mut Vec<(String, Option<Content>)>) {
        let Self::Directory { items, .. } = self else { return };
        for (name, item) in items {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            into.push((path.clone(), item.tagged().1));
            item.lines(&path, into);
        }
    }
}

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
    pub(super) uploads: BTreeMap<UploadId, Open>,
    pub(super) limit: u64,
    roster: (u64, u64, u64),
    next: u64,
    /// What etags were seen on.
    pub(super) tags: BTreeMap<String, Tagged>,
    /// What one more etag may be of, for as long as it is asked.
    pub(super) supposed: Option<(String, Tagged)>,
}

/// What an etag is of: a node, and its content.
pub(super) type Tagged = (u64, Option<Content>);

type Outcome = Result<Did, Refusal>;

fn names(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}

impl Oracle {
    pub(super) fn new() -> Self {
        Self {
            root: Item::Directory { id: 0, items: BTreeMap::new() },
            uploads: BTreeMap::new(),
            limit: 0,
            roster: (0, 0, 0),
            next: 1,
            tags: BTreeMap::new(),
            supposed: None,
        }
    }

    pub(super) fn used(&self) -> u64 {
        self.root.used()
    }

    pub(super) fn reserved(&self) -> u64 {
        self.uploads.values().map(|open| open.length).sum()
    }

    pub(super) fn roster(&self) -> u64 {
        self.roster.0
    }

    pub(super) fn lookup(&self, path: &str) -> Option<&Item> {
        names(path).into_iter().try_fold(&self.root, |item, name| match item {
            Item::Directory { items, .. } => items.get(name),
            Item::File { .. } => None,
        })
    }

    fn items_mut(&mut self, above: &[&str]) -> &mut BTreeMap<String, Item> {
        let mut item = &mut self.root;
        for name in above {
            let Item::Directory { items, .. } = item else { unreachable!("it was looked at before") };
            self.next += 1;
            let id = self.next;
            item = items
                .entry((*name).to_owned())
                .or_insert_with(|| Item::Directory { id, items: BTreeMap::new() });
        }
        match item {
            Item::Directory { items, .. } => items,
            Item::File { .. } => unreachable!("it was looked at before"),
        }
    }

    /// Whether something can be at a path: the directories above are there, or can be made.
    fn place(&self, path: &str, parents: bool) -> Result<Option<&Item>, Refusal> {
        let names = names(path);
        let Some((_, above)) = names.split_last() else { return Err(Refusal::Root) };
        let mut item = &self.root;
        for name in above {
            let Item::Directory { items, .. } = item else { return Err(Refusal::NotADirectory) };
            match items.get(*name) {
                Some(next @ Item::Directory { .. }) => item = next,
                Some(Item::File { .. }) => return Err(Refusal::NotADirectory),
                None if parents => return Ok(None),
                None => return Err(Refusal::NotFound),
            }
        }
        Ok(self.lookup(path))
    }

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

    /// Whether there is room for so much more.
    pub(super) fn room(&self, added: u64, freed: u64) -> Result<(), Refusal> {
        let (used, reserved, limit) = (self.used(), self.reserved(), self.limit);
        let needed = added.saturating_sub(freed);
        if needed > 0 && used + reserved + needed > limit {
            return Err(Refusal::Quota { limit, used, reserved });
        }
        Ok(())
    }

    fn replaceable(item: Option<&Item>) -> Result<u64, Refusal> {
        match item {
            None => Ok(0),
            Some(Item::File { content, .. }) => Ok(content.length),
            Some(Item::Directory { .. }) => Err(Refusal::IsADirectory),
        }
    }

    /// Grants a wish, or says why not. `held` is what was reserved for its content and is free now.
    pub(super) fn grant(&mut self, wish: &Wish, held: u64) -> Outcome {
        let outcome = self.check(wish, held);
        if outcome == Ok(Did::Something) {
            self.perform(wish);
        }
        outcome
    }

    /// What would come of a wish.
    pub(super) fn check(&self, wish: &Wish, held: u64) -> Outcome {
        match wish {
            Wish::MakeDirectory { path, parents } => {
                if path.is_empty() {
                    return if *parents { Ok(Did::Nothing) } else { Err(Refusal::Exists) };
                }
                match self.place(path, *parents)? {
                    Some(Item::Directory { .. }) if *parents => Ok(Did::Nothing),
                    Some(_) => Err(Refusal::Exists),
                    None => Ok(Did::Something),
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
                Ok(Did::Something)
            }
            Wish::Move { from, to, overwrite } => self.relocatable(from, to, *overwrite, false),
            Wish::Copy { from, to, overwrite } => self.relocatable(from, to, *overwrite, true),
            Wish::Delete { path, demand } => {
                if path.is_empty() {
                    return Err(Refusal::Root);
                }
                let item = self.lookup(path);
                if !self.holds(demand, item) {
                    return Err(Refusal::Precondition);
                }
                item.map(|_| Did::Something).ok_or(Refusal::NotFound)
            }
            Wish::Limit { roster, target, ceiling } => {
                if *roster > 0 && self.roster == (*roster, *target, *ceiling) {
                    return Ok(Did::Nothing);
                }
                if *roster <= self.roster.0 {
                    return Err(Refusal::Superseded { seen: self.roster.0 });
                }
                Ok(Did::Something)
            }
            Wish::CreateUpload { path, length, demand, parents } => {
                self.target(path, demand, *parents)?;
                self.room(*length, 0)?;
                Ok(Did::Something)
            }
            // What it takes in is not known here; see `take_in`.
            Wish::Import { .. } => Ok(Did::Something),
        }
    }

    /// Does what can be done.
    fn perform(&mut self, wish: &Wish) {
        match wish {
            Wish::MakeDirectory { path, .. } => drop(self.items_mut(&names(path))),
            Wish::Put { path, content, .. } => self.write(path, *content),
            Wish::Move { from, to, .. } => self.relocate(from, to, false),
            Wish::Copy { from, to, .. } => self.relocate(from, to, true),
            Wish::Delete { path, .. } => drop(self.take(path)),
            Wish::Limit { roster, target, ceiling } => {
                self.roster = (*roster, *target, *ceiling);
                self.limit = (self.used() + self.reserved()).max(*target).min(*ceiling);
            }
            Wish::CreateUpload { .. } | Wish::Import { .. } => {}
        }
    }

    /// Whether an upload may go to a path.
    pub(super) fn target(&self, path: &str, demand: &Demand, parents: bool) -> Result<(), Refusal> {
        let item = self.place(path, parents)?;
        if !self.holds(demand, item) {
            return Err(if *demand == Demand::Nothing { Refusal::Exists } else { Refusal::Precondition });
        }
        Self::replaceable(item).map(|_| ())
    }

    pub(super) fn write(&mut self, path: &str, content: Content) {
        self.next += 1;
        let new = self.next;
        let names = names(path);
        let Some((name, above)) = names.split_last() else { return };
        let items = self.items_mut(above);
        let id = items.get(*name).map_or(new, |old| old.tagged().0);
        items.insert((*name).to_owned(), Item::File { id, content });
    }

    fn take(&mut self, path: &str) -> Option<Item> {
        let names = names(path);
        let (name, above) = names.split_last()?;
        self.items_mut(above).remove(*name)
    }

    /// Takes something in from another space.
    pub(super) fn take_in(&mut self, to: &str, overwrite: bool, mut item: Item) -> Outcome {
        let taken = self.place(to, false)?;
        if taken.is_some() && !overwrite {
            return Err(Refusal::Exists);
        }
        self.room(item.used(), taken.map_or(0, Item::used))?;
        self.renumber(&mut item);
        self.take(to);
        if let Some((name, above)) = names(to).split_last() {
            self.items_mut(above).insert((*name).to_owned(), item);
        }
        Ok(Did::Something)
    }

    fn renumber(&mut self, item: &mut Item) {
        self.next += 1;
        match item {
            Item::File { id, .. } => *id = self.next,
            Item::Directory { id, items } => {
                *id = self.next;
                items.values_mut().for_each(|item| self.renumber(item));
            }
        }
    }

    fn relocatable(&self, from: &str, to: &str, overwrite: bool, copy: bool) -> Outcome {
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
        }
        Ok(Did::Something)
    }

    fn relocate(&mut self, from: &str, to: &str, copy: bool) {
        let item = if copy {
            let mut copied = self.lookup(from).cloned();
            if let Some(copied) = &mut copied {
                self.renumber(copied);
            }
            copied
        } else {
            self.take(from)
        };
        self.take(to);
        let destination = names(to);
        if let (Some(item), Some((name, above))) = (item, destination.split_last()) {
            self.items_mut(above).insert((*name).to_owned(), item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_and_refuses() {
        let mut oracle = Oracle::new();
        let content = |length| Content { seed: 1, length };
        let put = |path: &str, length| Wish::Put {
            path: path.to_owned(),
            content: content(length),
            demand: Demand::Anything,
            parents: true,
        };
        assert!(matches!(oracle.grant(&put("a", 1), 0), Err(Refusal::Quota { limit: 0, .. })));
        oracle.grant(&Wish::Limit { roster: 1, target: 10, ceiling: 20 }, 0).unwrap();
        oracle.grant(&put("d/a", 6), 0).unwrap();
        let copy = Wish::Copy { from: "d".to_owned(), to: "e".to_owned(), overwrite: false };
        assert!(matches!(oracle.grant(&copy, 0), Err(Refusal::Quota { used: 6, .. })));
        oracle.grant(&put("d/a", 5), 0).unwrap();
        assert_eq!(oracle.grant(&copy, 0), Ok(Did::Something));
        assert_eq!(oracle.used(), 10);
        let into = Wish::Move { from: "d".to_owned(), to: "d/x".to_owned(), overwrite: true };
        assert_eq!(oracle.grant(&into, 0), Err(Refusal::IntoItself));
        let over = Wish::Move { from: "d/a".to_owned(), to: "d".to_owned(), overwrite: true };
        assert_eq!(oracle.grant(&over, 0), Err(Refusal::Exists));
        assert_ne!(content(9).bytes(0, 9), content(9).bytes(1, 9));
        assert_eq!(content(9).bytes(0, 9)[1..], content(9).bytes(1, 9));
    }
}
