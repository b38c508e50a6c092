//! Dead properties of nodes, and the time that a client says a content is of.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;

use super::State;
use super::apply::{Applied, Misfit};
use super::inode::Content;
use super::place::Slot;
use super::plan::{Plan, Planned};
use super::weight::tree;
use crate::error::Error;
use crate::format::record::{self, Action};
use crate::format::start::StartProperties;
use crate::node::NodeId;
use crate::operation::Condition;
use crate::path::NodePath;
use crate::property::{LONGEST_PROPERTY_NAME, Property, PropertyChanges, PropertyName};

/// The most properties of one node.
pub(crate) const MOST_OF_NODE: usize = 100;

/// The most bytes that the properties of one node have, names and values together.
pub(crate) const MOST_BYTES_OF_NODE: usize = 64 << 10;

/// The most bytes that all properties of a space have. They are part of the state, which every pod holds in memory.
pub(crate) const MOST_BYTES: usize = if cfg!(test) { 256 << 10 } else { 16 << 20 };

/// The properties of one node.
pub(crate) type Values = BTreeMap<PropertyName, Arc<str>>;

/// All properties of a space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    /// Nodes without properties are not in it. Copies of a node share their values until one of them changes.
    of: OrdMap<NodeId, Arc<Values>>,
    bytes: usize,
    /// How many there are.
    count: usize,
}

fn records(values: &Values) -> Vec<record::Property> {
    let property = |(name, value): (&PropertyName, &Arc<str>)| record::Property {
        name: name.clone(),
        value: value.as_ref().to_owned(),
    };
    values.iter().map(property).collect()
}

fn bytes_of(values: &Values) -> usize {
    values.iter().map(|(name, value)| name.length() + value.len()).sum()
}

impl Properties {
    pub(crate) fn get(&self, node: NodeId) -> Option<&Values> {
        self.of.get(&node).map(Arc::as_ref)
    }

    fn put(&mut self, node: NodeId, values: Arc<Values>) {
        let (new, count) = (bytes_of(&values), values.len());
        let old = if values.is_empty() { self.of.remove(&node) } else { self.of.insert(node, values) };
        let (old, before) = old.map_or((0, 0), |old| (bytes_of(&old), old.len()));
        self.bytes = (self.bytes + new).saturating_sub(old);
        self.count = (self.count + count).saturating_sub(before);
    }

    /// What they take in memory. Copies of a node share theirs until one of them changes: then it is too much.
    pub(super) fn weight(&self) -> usize {
        let pair = size_of::<(PropertyName, Arc<str>)>();
        // Nodes of these maps have room for eleven; three texts are allocated for each.
        tree(self.of.len(), size_of::<(NodeId, Arc<Values>)>())
            + self.of.len() * (11 * pair / 2 + 64)
            + self.count * (3 * pair / 2 + 3 * 24)
            + self.bytes
    }

    /// A copy of a node has its properties.
    pub(crate) fn copy(&mut self, from: NodeId, to: NodeId) {
        if let Some(values) = self.of.get(&from).cloned() {
            self.put(to, values);
        }
    }

    /// What is written of those of a node.
    pub(crate) fn records(&self, node: NodeId) -> Vec<record::Property> {
        self.get(node).map(records).unwrap_or_default()
    }

    /// A node from another space brings its own.
    pub(crate) fn take_in(&mut self, node: NodeId, properties: &[record::Property]) {
        let values =
            properties.iter().map(|property| (property.name.clone(), property.value.as_str().into()));
        self.put(node, Arc::new(values.collect()));
    }

    /// They go with their node.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.put(node, Arc::default());
    }

    pub(crate) fn restore(start: Vec<StartProperties>) -> Result<Self, Misfit> {
        let mut restored = Self::default();
        for StartProperties { node, properties } in start {
            let count = properties.len();
            let values: Values =
                properties.into_iter().map(|record::Property { name, value }| (name, value.into())).collect();
            if count == 0 || values.len() != count || restored.of.contains_key(&node) {
                return Err(Misfit("a property is there twice"));
            }
            restored.put(node, Arc::new(values));
        }
        Ok(restored)
    }

    pub(crate) fn to_start(&self) -> Vec<StartProperties> {
        let of = |(node, values): (&NodeId, &Arc<Values>)| StartProperties {
            node: *node,
            properties: records(values),
        };
        self.of.iter().map(of).collect()
    }

    /// What does not add up.
    pub(crate) fn audit(&self, state: &State, wrong: &mut Vec<String>) {
        let bytes: usize = self.of.values().map(|values| bytes_of(values)).sum();
        let count: usize = self.of.values().map(|values| values.len()).sum();
        if (bytes, count) != (self.bytes, self.count) {
            wrong.push(format!("properties are said to have {} bytes, and have {bytes}", self.bytes));
        }
        for (node, values) in &self.of {
            if values.is_empty() || !state.nodes.contains_key(node) {
                wrong.push(format!("there are properties of node {node}, which is not there"));
            }
        }
    }
}

impl State {
    pub(super) fn plan_properties(
        &self,
        path: &NodePath,
        condition: &Condition,
        changes: &PropertyChanges,
    ) -> Plan {
        let found = self.find(path);
        if !self.holds(condition, found) {
            return Err(Error::Precondition);
        }
        let node = found.ok_or(Error::NotFound)?;
        let PropertyChanges { set, remove, modified } = changes;
        let old = self.properties.get(node).cloned().unwrap_or_default();
        let mut new = old.clone();
        for name in remove {
            new.remove(name);
        }
        for Property { name, value } in set {
            if name.name.is_empty() || name.length() > LONGEST_PROPERTY_NAME {
                return Err(Error::TooMuch {
                    what: "bytes in the name of a property",
                    most: LONGEST_PROPERTY_NAME,
                });
            }
            new.insert(name.clone(), value.clone());
        }
        if new.len() > MOST_OF_NODE {
            return Err(Error::TooMuch { what: "properties of one file or directory", most: MOST_OF_NODE });
        }
        let (before, after) = (bytes_of(&old), bytes_of(&new));
        // Under a limit that came to be lower everything can shrink.
        if after > MOST_BYTES_OF_NODE && after > before {
            let what = "bytes of properties of one file or directory";
            return Err(Error::TooMuch { what, most: MOST_BYTES_OF_NODE });
        }
        self.room_for_properties(after, before)?;
        let removed: Vec<_> = old.keys().filter(|name| !new.contains_key(*name)).cloned().collect();
        let set: Vec<_> = new
            .into_iter()
            .filter(|(name, value)| old.get(name) != Some(value))
            .map(|(name, value)| record::Property { name, value: value.as_ref().to_owned() })
            .collect();
        let modified =
            modified.filter(|time| self.nodes.get(&node).is_some_and(|inode| inode.modified() != *time));
        if set.is_empty() && removed.is_empty() && modified.is_none() {
            return Ok(Planned::Nothing { node: Some(node) });
        }
        Ok(Planned::one(Action::SetProperties(record::SetProperties { node, set, removed, modified })))
    }

    /// The step that says when the content of the file at a place is said to be of, once it is there.
    pub(super) fn dated(&self, slot: &Slot<'_>, modified: Option<i64>) -> Option<Action> {
        let new = || NodeId(self.next.saturating_add(slot.missing.len() as u64));
        let node = slot.taken.unwrap_or_else(new);
        let (set, removed) = (Vec::new(), Vec::new());
        modified?;
        Some(Action::SetProperties(record::SetProperties { node, set, removed, modified }))
    }

    pub(super) fn room_for_properties(&self, added: usize, freed: usize) -> Result<(), Error> {
        if added > freed && self.properties.bytes + added > MOST_BYTES + freed {
            return Err(Error::TooMuch { what: "bytes of properties in one space", most: MOST_BYTES });
        }
        Ok(())
    }

    /// Whether the properties of a copy of a node, and of all in it, fit.
    pub(super) fn properties_can_be_copied(&self, node: NodeId) -> Result<(), Error> {
        if self.properties.of.is_empty() {
            return Ok(());
        }
        let of = |id| self.properties.get(id).map_or(0, bytes_of);
        self.room_for_properties(self.walk(node).map(|step| of(step.id)).sum(), 0)
    }

    /// Whether properties from another space fit.
    pub(super) fn properties_can_be_taken_in<'p>(
        &self,
        properties: impl Iterator<Item = &'p record::Property>,
    ) -> Result<(), Error> {
        self.room_for_properties(
            properties.map(|property| property.name.length() + property.value.len()).sum(),
            0,
        )
    }

    pub(super) fn set_properties(&mut self, changes: &record::SetProperties) -> Applied<NodeId> {
        let record::SetProperties { node, set, removed, modified } = changes;
        let mut inode = self.nodes.get_mut(node).ok_or(Misfit("a node is missing"))?;
        if let Some(time) = modified {
            match &mut inode.content {
                Content::File(file) => file.modified = *time,
                Content::Directory(directory) => directory.modified = *time,
            }
        }
        drop(inode);
        let mut values = self.properties.get(*node).cloned().unwrap_or_default();
        for name in removed {
            values.remove(name).ok_or(Misfit("a property is missing"))?;
        }
        values.extend(set.iter().map(|property| (property.name.clone(), property.value.as_str().into())));
        self.properties.put(*node, Arc::new(values));
        Ok(*node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::intent::Intent;
    use crate::state::tests::World;

    fn name(text: &str) -> PropertyName {
        PropertyName::new("urn:x", text)
    }

    fn change(at: &str, set: &[(&str, &str)], remove: &[&str]) -> Intent {
        let set = set.iter().map(|(text, value)| Property { name: name(text), value: (*value).into() });
        let remove = remove.iter().map(|text| name(text)).collect();
        let changes = PropertyChanges { set: set.collect(), remove, modified: None };
        Intent::SetProperties {
            path: at.parse().unwrap(),
            condition: Condition::None,
            changes: changes.into(),
        }
    }

    fn seen(world: &World, at: &str) -> Vec<(String, String)> {
        let node = world.state.find(&at.parse().unwrap()).unwrap();
        let values = world.state.properties.get(node).cloned().unwrap_or_default();
        values.iter().map(|(name, value)| (name.name.to_string(), value.to_string())).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn they_are_set_and_removed_at_once_and_go_where_their_node_goes() {
        let mut world = World::new();
        for at in ["d", "d/e"] {
            world.commit(&Intent::MakeDirectory { path: at.parse().unwrap(), parents: false }).unwrap();
        }
        world.commit(&change("d/e", &[("a", "1"), ("b", "2")], &[])).unwrap();
        world.commit(&change("d/e", &[("c", "3"), ("b", "4")], &["a", "missing"])).unwrap();
        let expected = vec![pair("b", "4"), pair("c", "3")];
        assert_eq!(seen(&world, "d/e"), expected);
        let again = world.state.plan(&change("d/e", &[("b", "4")], &["a"]), world.retention).unwrap();
        assert!(matches!(again, Planned::Nothing { .. }), "{again:?}");

        let (from, to) = ("d".parse().unwrap(), "copy".parse().unwrap());
        world.commit(&Intent::Copy { from, to, overwrite: false }).unwrap();
        let (from, to) = ("d/e".parse().unwrap(), "moved".parse().unwrap());
        world.commit(&Intent::Move { from, to, overwrite: false }).unwrap();
        world.commit(&change("copy/e", &[], &["c"])).unwrap();
        assert_eq!(seen(&world, "moved"), expected);
        assert_eq!(seen(&world, "copy/e"), vec![pair("b", "4")]);
        let (path, condition) = ("moved".parse().unwrap(), Condition::None);
        world.commit(&Intent::Delete { path, condition, permanently: true }).unwrap();
        assert_eq!(world.state.audit(), Vec::<String>::new());
        assert_eq!(world.state.properties.bytes, "urn:xb4".len());
    }

    #[test]
    fn they_are_bounded() {
        let mut world = World::new();
        let many: Vec<String> = (0..=MOST_OF_NODE).map(|number| number.to_string()).collect();
        let all: Vec<_> = many.iter().map(|name| (name.as_str(), "")).collect();
        let refused = world.commit(&change("", &all, &[])).unwrap_err();
        assert!(matches!(refused, Error::TooMuch { most: MOST_OF_NODE, .. }), "{refused}");
        let large = "x".repeat(MOST_BYTES_OF_NODE);
        let refused = world.commit(&change("", &[("a", &large)], &[])).unwrap_err();
        assert!(matches!(refused, Error::TooMuch { most: MOST_BYTES_OF_NODE, .. }), "{refused}");
        let long = "x".repeat(LONGEST_PROPERTY_NAME);
        let refused = world.commit(&change("", &[(&long, "a")], &[])).unwrap_err();
        assert!(matches!(refused, Error::TooMuch { most: LONGEST_PROPERTY_NAME, .. }), "{refused}");

        let some = &large[..MOST_BYTES_OF_NODE / 2];
        world.commit(&Intent::MakeDirectory { path: "0".parse().unwrap(), parents: false }).unwrap();
        world.commit(&change("0", &[("a", some)], &[])).unwrap();
        let copy = |number: usize| {
            let (from, to) = ("0".parse().unwrap(), number.to_string().parse().unwrap());
            Intent::Copy { from, to, overwrite: false }
        };
        let refused = (1..).find_map(|number| world.commit(&copy(number)).err()).unwrap();
        assert!(matches!(refused, Error::TooMuch { most: MOST_BYTES, .. }), "{refused}");
        assert!(world.state.properties.bytes <= MOST_BYTES);
        world.commit(&change("0", &[("a", "")], &[])).unwrap();
        assert_eq!(world.state.audit(), Vec::<String>::new());
    }

    #[test]
    fn the_time_of_a_content_is_what_a_client_says() {
        let mut world = World::new();
        let changes = PropertyChanges { modified: Some(-7), ..PropertyChanges::default() };
        let (path, condition) = (NodePath::root(), Condition::None);
        let intent = Intent::SetProperties { path, condition, changes: changes.into() };
        let tag = world.state.node(NodeId::ROOT).unwrap().etag();
        world.commit(&intent).unwrap();
        assert_eq!(world.state.nodes.get(&NodeId::ROOT).unwrap().modified(), -7);
        assert_eq!(world.state.node(NodeId::ROOT).unwrap().etag(), tag, "it is the same content");
        assert!(matches!(world.state.plan(&intent, world.retention), Ok(Planned::Nothing { .. })));
    }
}
