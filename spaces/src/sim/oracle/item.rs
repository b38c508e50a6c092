//! Files and directories, in the plainest way: a tree of maps.

use std::collections::BTreeMap;

use super::wish::Content;

pub(in crate::sim) type Items = BTreeMap<String, Item>;

/// A file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Item {
    /// Which it is, for ever.
    pub(in crate::sim) id: u64,
    /// The number of its content; a directory has the one it was made with.
    pub(in crate::sim) number: u64,
    pub(in crate::sim) modified: i64,
    pub(in crate::sim) properties: BTreeMap<String, String>,
    pub(in crate::sim) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) enum What {
    File {
        content: Content,
        /// What it held before, the oldest first.
        versions: Vec<Old>,
    },
    Directory(Items),
}

/// A content that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Old {
    /// The generation that replaced it.
    pub(in crate::sim) generation: u64,
    pub(in crate::sim) number: u64,
    pub(in crate::sim) modified: i64,
    pub(in crate::sim) content: Content,
}

pub(in crate::sim) fn names(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}

pub(in crate::sim) fn joined(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") }
}

impl Item {
    pub(super) fn root() -> Self {
        let what = What::Directory(Items::new());
        Self { id: 1, number: 0, modified: 0, properties: BTreeMap::new(), what }
    }

    pub(in crate::sim) fn content(&self) -> Option<Content> {
        match &self.what {
            What::File { content, .. } => Some(*content),
            What::Directory(_) => None,
        }
    }

    pub(in crate::sim) fn versions(&self) -> &[Old] {
        match &self.what {
            What::File { versions, .. } => versions,
            What::Directory(_) => &[],
        }
    }

    pub(super) fn is_directory(&self) -> bool {
        self.content().is_none()
    }

    /// What an etag is of.
    pub(in crate::sim) fn tagged(&self) -> (u64, u64) {
        (self.id, self.number)
    }

    pub(super) fn children(&self) -> impl Iterator<Item = (&String, &Self)> {
        let items = match &self.what {
            What::Directory(items) => Some(items),
            What::File { .. } => None,
        };
        items.into_iter().flatten()
    }

    /// What is at a path below this.
    pub(in crate::sim) fn at(&self, path: &str) -> Option<&Self> {
        names(path).into_iter().try_fold(self, |item, name| item.child(name))
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        match &self.what {
            What::Directory(items) => items.get(name),
            What::File { .. } => None,
        }
    }

    /// This and all in it, with their paths below this, each directory before what is in it.
    pub(in crate::sim) fn all(&self) -> Vec<(String, &Self)> {
        let mut all = vec![(String::new(), self)];
        for (name, item) in self.children() {
            all.extend(item.all().into_iter().map(|(path, below)| match path.is_empty() {
                true => (name.clone(), below),
                false => (format!("{name}/{path}"), below),
            }));
        }
        all
    }

    /// The sizes of all files.
    pub(in crate::sim) fn used(&self) -> u64 {
        match &self.what {
            What::File { content, .. } => content.length,
            What::Directory(items) => items.values().map(Self::used).sum(),
        }
    }

    /// The sizes of all old versions.
    pub(in crate::sim) fn old(&self) -> u64 {
        match &self.what {
            What::File { versions, .. } => versions.iter().map(|old| old.content.length).sum(),
            What::Directory(items) => items.values().map(Self::old).sum(),
        }
    }

    /// Every path below this and what is there, in order.
    pub(in crate::sim) fn lines(&self) -> Vec<(String, Option<Content>)> {
        let all = self.all().into_iter().skip(1);
        all.map(|(path, item)| (path, item.content())).collect()
    }

    /// The item of a number.
    pub(super) fn find_mut(&mut self, id: u64) -> Option<&mut Self> {
        if self.id == id {
            return Some(self);
        }
        match &mut self.what {
            What::Directory(items) => items.values_mut().find_map(|item| item.find_mut(id)),
            What::File { .. } => None,
        }
    }
}
