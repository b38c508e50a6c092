//! Brings back a file or a tree as it was at an earlier generation. No byte of content is moved for it: the objects are
//! there for as long as that generation can be read, and are referred to once more.

use std::collections::HashMap;
use std::sync::Arc;

use api::bytes::Bytes;

use super::State;
use super::inode::length;
use super::plan::{MOST_NODES, Plan, Planned};
use super::retention::Retention;
use super::trash_plan::{By, Replaced};
use crate::error::Error;
use crate::extent::Extents;
use crate::format::record::{self, Action};
use crate::name::Name;
use crate::node::NodeId;
use crate::path::{MOST_NAMES, NodePath};
use crate::property::PropertyName;

/// A node as it was: a directory, or a file when it has extents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PastNode {
    /// The place of its directory in the list; the first has none.
    above: Option<usize>,
    /// The first is called what is wanted.
    name: Option<Name>,
    depth: usize,
    modified: i64,
    properties: Vec<(PropertyName, Arc<str>)>,
    extents: Option<Extents>,
}

impl State {
    /// What is at a path and all in it, a directory before what is in it.
    pub(crate) fn past_nodes(&self, path: &NodePath) -> Result<Arc<[PastNode]>, Error> {
        let root = self.find(path).ok_or(Error::NotFound)?;
        let mut places = HashMap::new();
        let mut nodes = Vec::new();
        for step in self.walk(root) {
            let inode = self.nodes.get(&step.id).ok_or(Error::NotFound)?;
            if nodes.len() == MOST_NODES {
                return Err(Error::TooMany { most: MOST_NODES });
            }
            let above = (step.id != root).then(|| places.get(&inode.parent).copied()).flatten();
            places.insert(step.id, nodes.len());
            let properties = self.properties.get(step.id).into_iter().flatten();
            nodes.push(PastNode {
                above,
                name: inode.name.clone(),
                depth: step.depth,
                modified: inode.modified(),
                properties: properties.map(|(name, value)| (name.clone(), value.clone())).collect(),
                extents: inode.file().map(|file| file.extents.clone()),
            });
        }
        Ok(nodes.into())
    }

    /// Whether all bytes of a content are kept.
    pub(crate) fn keeps(&self, extents: &Extents) -> bool {
        extents.iter().all(|extent| self.objects.knows(extent.volume, extent.object))
    }

    pub(super) fn plan_bring_back(
        &self,
        nodes: &[PastNode],
        to: &NodePath,
        overwrite: bool,
        retention: Retention,
    ) -> Plan {
        let slot = self.slot(to, true)?;
        if slot.taken.is_some() && !overwrite {
            return Err(Error::Exists);
        }
        if nodes.iter().any(|node| to.names().len() + node.depth > MOST_NAMES) {
            return Err(Error::TooDeep);
        }
        let contents = || nodes.iter().filter_map(|node| node.extents.as_ref());
        if !contents().all(|extents| self.keeps(extents)) {
            return Err(Error::ContentGone);
        }
        let bytes: Bytes = contents().map(|extents| length(extents)).sum();
        // One file in the place of another one is new content of it; anything else is deleted.
        let old = slot.taken.and_then(|id| self.nodes.get(&id)?.file()).map(|file| file.size);
        let in_place = slot.taken.filter(|_| nodes.len() == 1 && contents().count() == 1 && old.is_some());
        let (keep, mut actions, mut touched, freed) = match in_place.and(old) {
            Some(size) => {
                let (keep, actions, freed) = self.overwritten(slot.taken, size, retention);
                let touched = actions.len();
                (keep, actions, touched, freed)
            }
            None => {
                let retention = Retention { versions: 0, ..retention };
                let Replaced { mut actions, node, keep: _, nodes, freed } =
                    self.replaced(By::Imported { is_file: false }, slot.taken, retention)?;
                actions.extend(node.map(|node| Action::Delete(record::Delete { node })));
                (false, actions, nodes, freed)
            }
        };
        touched += slot.missing.len() + nodes.len();
        if touched > MOST_NODES {
            return Err(Error::TooMany { most: MOST_NODES });
        }
        self.fits(bytes, freed)?;
        let (missing, parent) = self.make_missing(&slot);
        let first = self.next + missing.len() as u64;
        actions.extend(missing);
        let mut properties = 0;
        for (place, node) in (0..).zip(nodes) {
            let PastNode { above, name, depth: _, modified, properties: then, extents } = node;
            let parent = above.map_or(parent, |above| NodeId(first + above as u64));
            let name = name.as_ref().filter(|_| above.is_some()).unwrap_or(slot.name).clone();
            actions.push(match extents {
                None => Action::MakeDirectory(record::MakeDirectory { parent, name }),
                Some(extents) => {
                    let extents = extents.to_vec();
                    Action::Put(record::Put { parent, name, extents, reservation: None, keep })
                }
            });
            // A file that is there already goes on with the properties that it has.
            let then = then.iter().filter(|_| in_place.is_none());
            let set: Vec<_> = then
                .map(|(name, value)| record::Property {
                    name: name.clone(),
                    value: value.as_ref().to_owned(),
                })
                .collect();
            properties +=
                set.iter().map(|property| property.name.length() + property.value.len()).sum::<usize>();
            let (node, removed) = (in_place.unwrap_or(NodeId(first + place)), Vec::new());
            let modified = Some(*modified);
            actions.push(Action::SetProperties(record::SetProperties { node, set, removed, modified }));
        }
        self.room_for_properties(properties, 0)?;
        Ok(Planned::Steps { actions, nodes: touched })
    }
}
