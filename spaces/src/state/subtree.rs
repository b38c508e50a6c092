//! Walks over a directory and all in it: a directory before what is in it, that in the order of names.

use super::State;
use crate::node::NodeId;

/// A node of a walk and how far below its beginning it is.
pub(crate) struct Step {
    pub(crate) id: NodeId,
    pub(crate) depth: usize,
}

/// Walks without recursion: a tree may be deeper than a stack.
pub(crate) struct Walk<'a> {
    state: &'a State,
    ahead: Vec<Step>,
}

impl Iterator for Walk<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let step = self.ahead.pop()?;
        if let Some(directory) = self.state.directory(step.id) {
            let depth = step.depth + 1;
            let from = self.ahead.len();
            self.ahead.extend(directory.children.values().map(|id| Step { id: *id, depth }));
            if let Some(inside) = self.ahead.get_mut(from..) {
                inside.reverse();
            }
        }
        Some(step)
    }
}

impl State {
    pub(crate) fn walk(&self, id: NodeId) -> Walk<'_> {
        Walk { state: self, ahead: vec![Step { id, depth: 0 }] }
    }

    /// Whether a node is another one or inside of it.
    pub(crate) fn is_within(&self, mut id: NodeId, other: NodeId) -> bool {
        loop {
            if id == other {
                return true;
            }
            match self.nodes.get(&id) {
                Some(inode) if inode.parent != id => id = inode.parent,
                _ => return false,
            }
        }
    }
}
