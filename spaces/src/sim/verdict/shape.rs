//! Whether the state is what the oracle says: every file and directory, the trash, versions, locks, properties, shares.

use super::super::oracle::{Item, Oracle};
use super::Judge;
use crate::node::NodeId;
use crate::state::State;
use crate::state::inode::Content;

impl Judge<'_> {
    pub(super) fn hold_shape(&self, state: &State) {
        if let Some(differs) = differs(&self.oracle, state) {
            self.wrong(format!("1: at generation {} {differs}", state.generation));
        }
    }
}

/// What differs, in words.
fn differs(oracle: &Oracle, state: &State) -> Option<String> {
    if state.closed.is_some() != oracle.closed {
        return Some(format!("it is closed: {}, and should be: {}", state.closed.is_some(), oracle.closed));
    }
    let everything: Vec<(String, &Item)> = oracle.everything().collect();
    if everything.len() != state.nodes.len() {
        return Some(format!("there are {} nodes, not {}", state.nodes.len(), everything.len()));
    }
    if state.next != oracle.next() {
        return Some(format!("the next number is {}, not {}", state.next, oracle.next()));
    }
    if let Some(wrong) = everything.iter().find_map(|(path, item)| item_differs(path, item, state)) {
        return Some(wrong);
    }
    let mut found: Vec<_> = state
        .trash
        .items
        .iter()
        .map(|(node, item)| {
            let path = crate::path::NodePath::from(item.path.to_vec()).to_string();
            (node.0, path, item.generation.0, item.bytes.0)
        })
        .collect();
    let mut expected: Vec<_> = oracle
        .trash
        .iter()
        .map(|trashed| (trashed.item.id, trashed.path.clone(), trashed.generation, trashed.item.used()))
        .collect();
    found.sort();
    expected.sort();
    if found != expected {
        return Some(format!("in the trash is {found:?}, not {expected:?}"));
    }
    let mut found: Vec<_> = state
        .locks
        .to_start()
        .into_iter()
        .map(|held| {
            (held.lock.token, held.lock.node.0, held.lock.exclusive, held.lock.infinite, held.expires)
        })
        .collect();
    let locks = oracle.locks.iter();
    let mut expected: Vec<_> =
        locks.map(|lock| (lock.token, lock.item, lock.exclusive, lock.infinite, lock.expires)).collect();
    found.sort();
    expected.sort();
    if found != expected {
        return Some(format!("the locks are {found:?}, not {expected:?}"));
    }
    let found: Vec<_> = state
        .shares_after(None, usize::MAX)
        .into_iter()
        .map(|share| (share.share.id, share.node.0, share.uses))
        .collect();
    let expected: Vec<_> = oracle.shares.iter().map(|(id, share)| (*id, share.item, share.uses)).collect();
    (found != expected).then(|| format!("the shares are {found:?}, not {expected:?}"))
}

fn item_differs(path: &str, item: &Item, state: &State) -> Option<String> {
    let id = NodeId(item.id);
    let Some(inode) = state.nodes.get(&id) else { return Some(format!("{path} is not there")) };
    let properties = state.properties.get(id).into_iter().flatten();
    let properties = properties.map(|(name, value)| (name.name.to_string(), value.to_string())).collect();
    let versions = state.versions.of(id).iter();
    let versions: Vec<_> =
        versions.map(|old| (old.generation.0, old.number, old.modified, old.size.0)).collect();
    let expected: Vec<_> = item
        .versions()
        .iter()
        .map(|old| (old.generation, old.number, old.modified, old.content.length))
        .collect();
    let (number, size) = match &inode.content {
        Content::File(file) => (file.version, Some(file.size.0)),
        Content::Directory(directory) => (directory.version, None),
    };
    let found = (number, size, inode.modified(), &properties);
    let wanted = (item.number, item.content().map(|content| content.length), item.modified, &item.properties);
    if found != wanted {
        return Some(format!("{path} is {found:?}, not {wanted:?}"));
    }
    if versions != expected {
        return Some(format!("{path} has the versions {versions:?}, not {expected:?}"));
    }
    let at = path.parse().ok().and_then(|path| state.find(&path));
    let in_tree = !path.starts_with("trash:");
    (in_tree && at != Some(id)).then(|| format!("{path} is elsewhere"))
}
