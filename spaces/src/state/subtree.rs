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

/// Walks the other way round: what is in a directory, in the order of names, and then the directory.
pub(crate) struct LeavesFirst<'a> {
    state: &'a State,
    begin: Option<NodeId>,
    open: Vec<(NodeId, Box<dyn Iterator<Item = &'a NodeId> + 'a>)>,
}

impl<'a> LeavesFirst<'a> {
    /// Goes into a directory; a file is its own end.
    fn enter(&mut self, id: NodeId) -> Option<NodeId> {
        let Some(directory) = self.state.directory(id) else { return Some(id) };
        self.open.push((id, Box::new(directory.children.values())));
        None
    }
}

impl Iterator for LeavesFirst<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        if let Some(id) = self.begin.take()
            && let Some(file) = self.enter(id)
        {
            return Some(file);
        }
        loop {
            let (id, children) = self.open.last_mut()?;
            let (id, child) = (*id, children.next().copied());
            match child {
                None => {
                    self.open.pop();
                    return Some(id);
                }
                Some(child) => {
                    if let Some(file) = self.enter(child) {
                        return Some(file);
                    }
                }
            }
        }
    }
}

impl State {
    pub(crate) fn leaves_first(&self, id: NodeId) -> LeavesFirst<'_> {
        LeavesFirst { state: self, begin: Some(id), open: Vec::new() }
    }

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
