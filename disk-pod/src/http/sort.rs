//! The order of a listing, and its pages. A page is found without sorting all: of what comes after the last page, as
//! many as are wanted are kept.

use std::collections::BinaryHeap;

use serde::Deserialize;
use spaces::{Kind, Name, Node, NodePath, Snapshot};

use crate::error::Error;

/// So many names are taken out of a directory at once.
const AT_ONCE: usize = 1000;

/// By what it is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    #[default]
    Name,
    /// Directories have none and are as if empty.
    Size,
    Modified,
}

/// In which direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    #[default]
    Asc,
    Desc,
}

/// An order of the entries of a directory. Those that are equal in it come in the order of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) sort: Sort,
    pub(crate) direction: Direction,
}

/// The place of an entry in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Position {
    order: Order,
    number: i128,
    name: Name,
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Position {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let ascending = self.number.cmp(&other.number).then_with(|| self.name.cmp(&other.name));
        match self.order.direction {
            Direction::Asc => ascending,
            Direction::Desc => ascending.reverse(),
        }
    }
}

/// A page of a listing.
pub(crate) struct Page {
    pub(crate) entries: Vec<(Name, Node)>,
    /// What is sent as `after` for the next one.
    pub(crate) next: Option<String>,
}

impl Order {
    /// The entries of a directory from behind a place on, as `next` of the page before told it.
    ///
    /// # Errors
    /// When `after` is no place of this order.
    pub(crate) fn page(
        self,
        snapshot: &Snapshot,
        directory: &NodePath,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, Error> {
        let after = after.map(|text| self.read(text)).transpose()?;
        let entries = if self == Self::default() {
            // The order that a directory has.
            let after = after.map(|position| position.name);
            snapshot.list(directory, after.as_ref(), limit + 1)
        } else {
            self.first(snapshot, directory, after.as_ref(), limit + 1)
        };
        Ok(self.cut(entries, limit))
    }

    /// One entry more than wanted tells that there is a next page.
    fn cut(self, mut entries: Vec<(Name, Node)>, limit: usize) -> Page {
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|(name, node)| self.write(&self.of(name, node)));
        Page { entries, next }
    }

    /// The first entries behind a place.
    fn first(
        self,
        snapshot: &Snapshot,
        directory: &NodePath,
        after: Option<&Position>,
        most: usize,
    ) -> Vec<(Name, Node)> {
        let mut kept: BinaryHeap<Kept> = BinaryHeap::new();
        let mut last = None;
        loop {
            let found = snapshot.list(directory, last.as_ref(), AT_ONCE);
            let Some((name, _)) = found.last() else { break };
            last = Some(name.clone());
            for (name, node) in found {
                let position = self.of(&name, &node);
                if after.is_some_and(|after| position <= *after) {
                    continue;
                }
                kept.push(Kept { position, node });
                if kept.len() > most {
                    kept.pop();
                }
            }
        }
        kept.into_sorted_vec().into_iter().map(|kept| (kept.position.name, kept.node)).collect()
    }

    fn of(self, name: &Name, node: &Node) -> Position {
        let number = match (self.sort, &node.kind) {
            (Sort::Name, _) | (Sort::Size, Kind::Directory { .. }) => 0,
            (Sort::Size, Kind::File { size, .. }) => size.0.into(),
            (Sort::Modified, Kind::File { modified, .. } | Kind::Directory { modified, .. }) => {
                (*modified).into()
            }
        };
        Position { order: self, number, name: name.clone() }
    }

    /// A place as text: its name, before that its number where there is one. No name has a slash in it.
    fn write(self, position: &Position) -> String {
        let Position { order: _, number, name } = position;
        match self.sort {
            Sort::Name => name.to_string(),
            Sort::Size | Sort::Modified => format!("{number}/{name}"),
        }
    }

    fn read(self, text: &str) -> Result<Position, Error> {
        let wrong = |what: &str| Error::BadRequest(format!("after: {what}"));
        let (number, name) = match self.sort {
            Sort::Name => (0, text),
            Sort::Size | Sort::Modified => text
                .split_once('/')
                .and_then(|(number, name)| Some((number.parse().ok()?, name)))
                .ok_or_else(|| wrong("send what `next` was, with the same `sort`"))?,
        };
        let name = name.parse().map_err(|error: spaces::NameError| wrong(&error.to_string()))?;
        Ok(Position { order: self, number, name })
    }
}

/// What is kept, by its place.
struct Kept {
    position: Position,
    node: Node,
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.position.cmp(&other.position)
    }
}
