//! Goes through what is to be in a zip file.

use std::collections::VecDeque;

use spaces::{Kind, Name, Node, NodePath, Snapshot};

use super::records::Entry;
use crate::http::walk::Walk;

/// All files and directories of a selection, a directory before what is in it.
pub(crate) struct Entries {
    snapshot: Snapshot,
    /// What was chosen and is still to come.
    chosen: VecDeque<Chosen>,
    /// What is gone through at the moment.
    within: Option<(Chosen, Walk)>,
}

/// Something that was chosen, and the name it has in the zip file.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) path: NodePath,
    /// Of the zip file; empty: only what is in it, not the directory itself.
    pub(crate) name: String,
}

impl Entries {
    pub(crate) fn new(snapshot: Snapshot, chosen: &[Chosen]) -> Self {
        Self { snapshot, chosen: chosen.iter().cloned().collect(), within: None }
    }
}

impl Iterator for Entries {
    type Item = (Entry, Node);

    fn next(&mut self) -> Option<(Entry, Node)> {
        loop {
            if let Some((chosen, walk)) = &mut self.within {
                if let Some((path, node)) = walk.next() {
                    return Some((entry(chosen.name_of(&path), &node), node));
                }
                self.within = None;
            }
            let chosen = self.chosen.pop_front()?;
            let Some(node) = self.snapshot.lookup(&chosen.path) else { continue };
            if node.is_directory() {
                let walk = Walk::new(self.snapshot.clone(), chosen.path.clone());
                self.within = Some((chosen.clone(), walk));
                if chosen.name.is_empty() {
                    continue;
                }
            }
            return Some((entry(chosen.name, &node), node));
        }
    }
}

impl Chosen {
    /// The name of something in it.
    fn name_of(&self, path: &NodePath) -> String {
        let mut text = self.name.clone();
        for name in path.names().get(self.path.names().len()..).unwrap_or_default() {
            if !text.is_empty() {
                text.push('/');
            }
            text.push_str(&written(name));
        }
        text
    }
}

fn entry(name: String, node: &Node) -> Entry {
    match node.kind {
        Kind::File { size, modified, .. } => Entry { name, size: size.0, modified, directory: false },
        Kind::Directory { modified, .. } => Entry { name: name + "/", size: 0, modified, directory: true },
    }
}

/// A name as it stands in a zip file. Some programs take a backslash for a separator: what is no separator here must
/// not climb out of a directory there.
pub(crate) fn written(name: &Name) -> String {
    name.as_str().replace('\\', "\u{ff3c}")
}
