//! Whatever is done with a map, it is what the map of the standard library is, and clones keep what they had.

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::prelude::*;

use super::Map;
use super::node::{MOST, Node};

#[derive(Clone, Debug)]
enum Step {
    Insert(u16, u8),
    Remove(u16),
    Change(u16, u8),
    Clone,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0_u16..200, any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
        4 => (0_u16..200).prop_map(Step::Remove),
        1 => (0_u16..200, any::<u8>()).prop_map(|(key, value)| Step::Change(key, value)),
        1 => Just(Step::Clone),
    ]
}

/// What must hold of the nodes; how deep they are.
fn sound(node: &Node<u16, u8>, least: Option<u16>, below: Option<u16>) -> usize {
    assert!(node.len() > 0 && node.len() <= MOST);
    let inside = |key: u16| least.is_none_or(|least| least <= key) && below.is_none_or(|below| key < below);
    match node {
        Node::Leaf(pairs) => {
            assert!(pairs.is_sorted_by(|one, other| one.0 < other.0));
            assert!(pairs.iter().all(|(key, _)| inside(*key)));
            assert!(pairs.capacity() <= pairs.len() + 1, "no room is wasted");
            1
        }
        Node::Branch(children) => {
            let depths = children.iter().enumerate().map(|(at, child)| {
                let next = children.get(at + 1).map_or(below, |next| Some(next.least));
                sound(&child.node, Some(child.least), next)
            });
            let depths: Vec<_> = depths.collect();
            assert!(depths.iter().all(|depth| *depth == depths[0]), "all leaves are equally deep");
            depths[0] + 1
        }
    }
}

fn check(map: &Map<u16, u8>, model: &BTreeMap<u16, u8>) {
    assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
    assert!(map.iter().eq(model));
    assert!(map.values().eq(model.values()));
    assert!((0..200).all(|key| map.get(&key) == model.get(&key)));
    if let Some(root) = &map.root {
        sound(root, None, None);
    }
}

proptest! {
    #[test]
    fn it_is_a_map(steps in prop::collection::vec(step(), 1..400)) {
        let (mut map, mut model) = (Map::new(), BTreeMap::new());
        let mut kept = Vec::new();
        for step in steps {
            match step {
                Step::Insert(key, value) => prop_assert_eq!(map.insert(key, value), model.insert(key, value)),
                Step::Remove(key) => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                Step::Change(key, value) => {
                    prop_assert_eq!(map.get_mut(&key).is_some(), model.contains_key(&key));
                    if let (Some(one), Some(other)) = (map.get_mut(&key), model.get_mut(&key)) {
                        *one = value;
                        *other = value;
                    }
                }
                Step::Clone => kept.push((map.clone(), model.clone())),
            }
        }
        kept.push((map, model));
        for (map, model) in &kept {
            check(map, model);
            let sorted = Map::from_sorted(model.clone().into_iter().collect::<Vec<_>>().into_iter()).unwrap();
            check(&sorted, model);
            prop_assert_eq!(&sorted, map);
            prop_assert_eq!(&model.clone().into_iter().collect::<Map<_, _>>(), map);
        }
    }

    #[test]
    fn a_range_is_a_part(
        keys in prop::collection::btree_set(0_u16..60, 0..60),
        from in 0_u16..60,
        more in 0_u16..30,
        bounds in 0_usize..9,
    ) {
        let model: BTreeMap<u16, u8> = keys.into_iter().map(|key| (key, 0)).collect();
        let map: Map<_, _> = model.clone().into_iter().collect();
        let bound = |kind: usize, key| [Bound::Included(key), Bound::Excluded(key), Bound::Unbounded][kind];
        let range = (bound(bounds / 3, from), bound(bounds % 3, from + more + 1));
        prop_assert!(map.range(range).eq(model.range(range)));
    }

    #[test]
    fn what_is_not_in_order_is_no_map(pairs in prop::collection::vec(0_u16..40, 0..40)) {
        let ordered = pairs.is_sorted_by(|one, other| one < other);
        let map = Map::from_sorted(pairs.iter().map(|key| (*key, 0_u8)).collect::<Vec<_>>().into_iter());
        prop_assert_eq!(map.is_some(), ordered);
    }
}

#[test]
fn what_comes_in_order_fills_its_nodes() {
    let map: Map<u16, u8> = (0..1000).map(|key| (key, 0)).collect();
    fn leaves(node: &Node<u16, u8>) -> usize {
        match node {
            Node::Leaf(_) => 1,
            Node::Branch(children) => children.iter().map(|child| leaves(&child.node)).sum(),
        }
    }
    assert_eq!(map.root.as_deref().map(leaves), Some(1000_usize.div_ceil(MOST)));
}
