//! Goes through a tree of a snapshot, always in the same order: a snapshot does not change, so going through it again, or
//! on from a path, needs nothing to be remembered.

use std::collections::VecDeque;

use spaces::{Name, Node, NodePath, Snapshot};

/// So many names of a directory are taken at once.
const PAGE: usize = 256;

/// All that is in a directory, a directory before what is in it, else in the order of the names.
pub(crate) struct Walk {
    snapshot: Snapshot,
    /// The directories that it is in, the innermost last.
    open: Vec<Open>,
}

struct Open {
    path: NodePath,
    page: VecDeque<(Name, Node)>,
    /// The last name of the page, or what was gone through before.
    last: Option<Name>,
}

impl Walk {
    /// Through what is in a directory.
    pub(crate) fn new(snapshot: Snapshot, directory: NodePath) -> Self {
        let mut walk = Self { snapshot, open: Vec::new() };
        walk.enter(directory, None);
        walk
    }

    /// The same, on from behind a path that a walk came to, whether something is there still or not.
    pub(crate) fn after(snapshot: Snapshot, directory: NodePath, path: &NodePath) -> Self {
        let mut walk = Self { snapshot, open: Vec::new() };
        let mut way = directory;
        for name in path.names().get(way.names().len()..).unwrap_or_default() {
            walk.enter(way.clone(), Some(name.clone()));
            way = way.join(name.clone());
        }
        walk.enter(way, None);
        walk
    }

    fn enter(&mut self, path: NodePath, last: Option<Name>) {
        self.open.push(Open { path, page: VecDeque::new(), last });
    }
}

impl Iterator for Walk {
    type Item = (NodePath, Node);

    fn next(&mut self) -> Option<(NodePath, Node)> {
        while let Some(open) = self.open.last_mut() {
            if open.page.is_empty() {
                open.page = self.snapshot.list(&open.path, open.last.as_ref(), PAGE).into();
                open.last = open.page.back().map(|(name, _)| name.clone()).or(open.last.take());
            }
            let Some((name, node)) = open.page.pop_front() else {
                self.open.pop();
                continue;
            };
            let path = open.path.join(name);
            if node.is_directory() {
                self.enter(path.clone(), None);
            }
            return Some((path, node));
        }
        None
    }
}
