//! Finds nodes by their paths, and says why one can not be where it is wanted.

use super::State;
use super::inode::Directory;
use crate::error::Error;
use crate::name::Name;
use crate::node::NodeId;
use crate::operation::Condition;
use crate::path::{DEEPEST, NodePath};

/// A place for a node: a directory that is there, what is missing of the path below it, and the name.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    /// The deepest directory of the path that is there.
    pub(crate) parent: NodeId,
    /// Directories below it that are not.
    pub(crate) missing: &'a [Name],
    pub(crate) name: &'a Name,
    /// What has the name.
    pub(crate) taken: Option<NodeId>,
}

impl State {
    /// What is at a path.
    pub(crate) fn find(&self, path: &NodePath) -> Option<NodeId> {
        path.names().iter().try_fold(NodeId::ROOT, |directory, name| self.child(directory, name))
    }

    pub(crate) fn child(&self, directory: NodeId, name: &Name) -> Option<NodeId> {
        self.directory(directory)?.children.get(name).copied()
    }

    pub(crate) fn directory(&self, id: NodeId) -> Option<&Directory> {
        self.nodes.get(&id)?.directory()
    }

    /// The place that a path names. With `parents`, directories above it may be missing.
    pub(crate) fn slot<'a>(&self, path: &'a NodePath, parents: bool) -> Result<Slot<'a>, Error> {
        let (above, name) = path.split_last().ok_or(Error::Root)?;
        if path.names().len() > DEEPEST {
            return Err(Error::TooDeep);
        }
        let mut parent = NodeId::ROOT;
        for (depth, step) in above.iter().enumerate() {
            match self.child(parent, step) {
                Some(next) if self.directory(next).is_none() => return Err(Error::NotADirectory),
                Some(next) => parent = next,
                None if parents => {
                    let missing = above.get(depth..).unwrap_or_default();
                    return Ok(Slot { parent, missing, name, taken: None });
                }
                None => return Err(Error::NotFound),
            }
        }
        Ok(Slot { parent, missing: &[], name, taken: self.child(parent, name) })
    }

    /// Whether a condition holds of what is at a place.
    pub(crate) fn holds(&self, condition: &Condition, taken: Option<NodeId>) -> bool {
        match condition {
            Condition::None => true,
            Condition::Absent => taken.is_none(),
            Condition::Matches(tag) => {
                taken.and_then(|id| self.node(id)).is_some_and(|node| node.etag() == *tag)
            }
        }
    }
}
