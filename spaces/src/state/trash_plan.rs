//! Decides what becomes of what is deleted or replaced, and what is brought back.

use api::bytes::Bytes;

use super::State;
use super::plan::{MOST_NODES, Plan, Planned};
use super::retention::Retention;
use super::versions::Version;
use crate::error::Error;
use crate::format::record::{self, Action};
use crate::node::NodeId;
use crate::operation::{Condition, Purge};
use crate::path::{MOST_NAMES, NodePath};

/// What is done with a node whose place another one gets.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// Steps before it.
    pub(super) actions: Vec<Action>,
    /// What the step itself deletes.
    pub(super) node: Option<NodeId>,
    /// Whether what that held is kept as versions of what replaces it.
    pub(super) keep: bool,
    /// How many nodes that touches.
    pub(super) nodes: usize,
    /// What it gives back.
    pub(super) freed: Bytes,
}

/// What takes the place of something.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    Moved(NodeId),
    Copied(NodeId),
    /// Something of another space.
    Imported {
        is_file: bool,
    },
}

impl State {
    pub(super) fn plan_delete(
        &self,
        path: &NodePath,
        condition: &Condition,
        permanently: bool,
        retention: Retention,
    ) -> Plan {
        if path.is_root() {
            return Err(Error::Root);
        }
        let found = self.find(path);
        if !self.holds(condition, found) {
            return Err(Error::Precondition);
        }
        let node = found.ok_or(Error::NotFound)?;
        if retention.trash && !permanently {
            return Ok(Planned::one(self.trashed(node)));
        }
        let nodes = self.measure(node)?.nodes;
        Ok(Planned::Steps { actions: vec![Action::Delete(record::Delete { node })], nodes })
    }

    /// The step that puts a node into the trash. However large it is, it is one step.
    fn trashed(&self, node: NodeId) -> Action {
        let (bytes, nodes) = self.weigh(node);
        Action::Trash(record::Trash { node, bytes, nodes })
    }

    /// What is done with what a moved, copied or restored node replaces. A file that takes the place of a file goes
    /// on with its history, for so many programs save; anything else goes where deleted things go.
    pub(super) fn replaced(
        &self,
        by: By,
        replaced: Option<NodeId>,
        retention: Retention,
    ) -> Result<Replaced, Error> {
        let Some(id) = replaced else { return Ok(Replaced::default()) };
        let is_file = |id| self.nodes.get(&id).is_some_and(|inode| inode.file().is_some());
        let by_file = match by {
            By::Moved(node) | By::Copied(node) => is_file(node),
            By::Imported { is_file } => is_file,
        };
        if retention.versions > 0 && by_file && is_file(id) {
            let of = match by {
                By::Moved(node) => [Some(id), Some(node)],
                By::Copied(_) | By::Imported { .. } => [Some(id), None],
            };
            let old =
                self.nodes.get(&id).and_then(|inode| inode.file()).map_or(Bytes::ZERO, |file| file.size);
            let (actions, freed) = self.over(of.into_iter().flatten(), old > Bytes::ZERO, retention);
            let nodes = 1 + actions.len();
            return Ok(Replaced { actions, node: replaced, keep: true, nodes, freed });
        }
        if retention.trash {
            let actions = vec![self.trashed(id)];
            return Ok(Replaced { actions, nodes: 1, ..Replaced::default() });
        }
        let all = self.measure(id)?;
        Ok(Replaced {
            node: replaced,
            nodes: all.nodes,
            freed: all.bytes.saturating_add(all.versions),
            ..Replaced::default()
        })
    }

    /// The steps that end the oldest versions of these files, so that all of them and perhaps one more are as many as
    /// are kept, and what that gives back.
    pub(super) fn over(
        &self,
        of: impl Iterator<Item = NodeId>,
        one_more: bool,
        retention: Retention,
    ) -> (Vec<Action>, Bytes) {
        let mut all: Vec<(NodeId, &Version)> =
            of.flat_map(|node| self.versions.of(node).iter().map(move |version| (node, version))).collect();
        all.sort_by_key(|(_, version)| (version.generation, version.number));
        let most = usize::try_from(retention.versions).unwrap_or(usize::MAX);
        let over = (all.len() + usize::from(one_more)).saturating_sub(most);
        let over = all.into_iter().take(over);
        let mut freed = Bytes::ZERO;
        let mut actions = Vec::new();
        for (node, version) in over {
            freed = freed.saturating_add(version.size);
            let version = Some(version.number);
            actions.push(Action::Purge(record::Purge { node, version, nodes: None }));
        }
        (actions, freed)
    }

    pub(super) fn plan_restore(
        &self,
        node: NodeId,
        to: Option<&NodePath>,
        overwrite: bool,
        retention: Retention,
    ) -> Plan {
        let item = self.trash.items.get(&node).ok_or(Error::NotFound)?;
        let remembered = NodePath::from(item.path.to_vec());
        let to = to.unwrap_or(&remembered);
        let slot = self.slot(to, true)?;
        if slot.taken.is_some() && !overwrite {
            return Err(Error::Exists);
        }
        let deepest = MOST_NAMES.saturating_sub(to.names().len());
        if self.directory(node).is_some() && self.walk(node).any(|step| step.depth > deepest) {
            return Err(Error::TooDeep);
        }
        // It keeps its own history; what is in its place goes where deleted things go.
        let retention = Retention { versions: 0, ..retention };
        let Replaced { mut actions, node: deleted, keep: _, nodes, freed: _ } =
            self.replaced(By::Moved(node), slot.taken, retention)?;
        actions.extend(deleted.map(|node| Action::Delete(record::Delete { node })));
        let (missing, parent) = self.make_missing(&slot);
        actions.extend(missing);
        let nodes = nodes + 1 + slot.missing.len();
        actions.push(Action::Restore(record::Restore { node, parent, name: slot.name.clone() }));
        Ok(Planned::Steps { actions, nodes })
    }

    pub(super) fn plan_restore_version(&self, path: &NodePath, number: u64, condition: &Condition) -> Plan {
        let found = self.find(path);
        if !self.holds(condition, found) {
            return Err(Error::Precondition);
        }
        let node = found.ok_or(Error::NotFound)?;
        let inode = self.nodes.get(&node).ok_or(Error::NotFound)?;
        let file = inode.file().ok_or(Error::IsADirectory)?;
        if file.version == number {
            return Ok(Planned::Nothing { node: Some(node) });
        }
        self.versions.get(node, number).ok_or(Error::NotFound)?;
        let keep = file.size > Bytes::ZERO;
        let version = number;
        Ok(Planned::one(Action::RestoreVersion(record::RestoreVersion { node, version, keep })))
    }

    pub(super) fn plan_purge(&self, purge: &Purge) -> Plan {
        let versions = |path: &NodePath| {
            let node = self.find(path).ok_or(Error::NotFound)?;
            match self.directory(node) {
                Some(_) => Err(Error::IsADirectory),
                None => Ok(node),
            }
        };
        let version = |node, version: &Version| {
            Action::Purge(record::Purge { node, version: Some(version.number), nodes: None })
        };
        match purge {
            Purge::Version { path, version: number } => {
                let node = versions(path)?;
                let found = self.versions.get(node, *number).ok_or(Error::NotFound)?;
                Ok(Planned::one(version(node, found)))
            }
            Purge::Versions { path } => {
                let node = versions(path)?;
                let all = self.versions.of(node).iter();
                let actions: Vec<_> = all.take(MOST_NODES).map(|old| version(node, old)).collect();
                match actions.len() {
                    0 => Ok(Planned::Nothing { node: Some(node) }),
                    nodes if nodes < self.versions.of(node).len() => Ok(Planned::First { actions, nodes }),
                    nodes => Ok(Planned::Steps { actions, nodes }),
                }
            }
            Purge::Item(node) => {
                let item = self.trash.items.get(node).ok_or(Error::NotFound)?;
                let (action, nodes, whole) = purge_item(*node, item.nodes, MOST_NODES);
                let actions = vec![action];
                Ok(if whole { Planned::Steps { actions, nodes } } else { Planned::First { actions, nodes } })
            }
            Purge::Everything => {
                let (mut actions, mut touched) = (Vec::new(), 0);
                for (_, node) in &self.trash.by_age {
                    let Some(item) = self.trash.items.get(node).filter(|_| touched < MOST_NODES) else {
                        return Ok(Planned::First { actions, nodes: touched });
                    };
                    let (action, nodes, whole) = purge_item(*node, item.nodes, MOST_NODES - touched);
                    actions.push(action);
                    touched += nodes;
                    if !whole {
                        return Ok(Planned::First { actions, nodes: touched });
                    }
                }
                if actions.is_empty() {
                    return Ok(Planned::Nothing { node: None });
                }
                Ok(Planned::Steps { actions, nodes: touched })
            }
        }
    }
}

/// The step that purges an item, or as much of it as may be; how many nodes that touches, and whether it is all.
pub(super) fn purge_item(node: NodeId, nodes: u64, most: usize) -> (Action, usize, bool) {
    match usize::try_from(nodes) {
        Ok(nodes) if nodes <= most => {
            (Action::Purge(record::Purge { node, version: None, nodes: None }), nodes, true)
        }
        _ => {
            let part = Some(most as u64);
            (Action::Purge(record::Purge { node, version: None, nodes: part }), most, false)
        }
    }
}
