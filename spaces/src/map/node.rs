//! The nodes of the tree. All leaves are equally deep. A node may be nearly empty, for it is never longer than what is
//! in it; one that is gets joined with its neighbour so that the tree stays flat.

use std::borrow::Borrow;
use std::sync::Arc;

/// The most pairs or children of a node: what a change copies, against how many nodes there are.
pub(super) const MOST: usize = if cfg!(test) { 8 } else { 32 };

/// A node with fewer is joined with a neighbour when both fit into one.
const FEW: usize = MOST / 4;

#[derive(Clone)]
pub(super) enum Node<K, V> {
    Leaf(Vec<(K, V)>),
    Branch(Vec<Child<K, V>>),
}

pub(super) struct Child<K, V> {
    /// No key below is less, and all keys of the children before are.
    pub(super) least: K,
    pub(super) node: Arc<Node<K, V>>,
}

impl<K: Clone, V> Clone for Child<K, V> {
    fn clone(&self) -> Self {
        Self { least: self.least.clone(), node: self.node.clone() }
    }
}

/// What came of an insertion.
pub(super) enum Grown<K, V> {
    /// There was a value before.
    Replaced(V),
    Inside,
    /// A new node, behind the one that it was inserted into.
    Split(Child<K, V>),
}

/// Which child of a branch a key is in.
fn place<K: Borrow<Q>, V, Q: Ord + ?Sized>(children: &[Child<K, V>], key: &Q) -> usize {
    children.partition_point(|child| child.least.borrow() <= key).saturating_sub(1)
}

fn search<K: Borrow<Q>, V, Q: Ord + ?Sized>(pairs: &[(K, V)], key: &Q) -> Result<usize, usize> {
    pairs.binary_search_by(|(found, _)| found.borrow().cmp(key))
}

impl<K, V> Node<K, V> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Leaf(pairs) => pairs.len(),
            Self::Branch(children) => children.len(),
        }
    }

    /// The child of a branch that has but one.
    pub(super) fn only_child(&self) -> Option<Arc<Self>> {
        match self {
            Self::Branch(children) => match children.as_slice() {
                [only] => Some(only.node.clone()),
                _ => None,
            },
            Self::Leaf(_) => None,
        }
    }

    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut node = self;
        loop {
            match node {
                Self::Leaf(pairs) => {
                    return search(pairs, key).ok().and_then(|at| pairs.get(at)).map(|(_, value)| value);
                }
                Self::Branch(children) => node = &children.get(place(children, key))?.node,
            }
        }
    }
}

impl<K: Clone, V: Clone> Node<K, V> {
    /// The least key, or one that is less than all.
    pub(super) fn least(&self) -> Option<K> {
        match self {
            Self::Leaf(pairs) => pairs.first().map(|(key, _)| key.clone()),
            Self::Branch(children) => children.first().map(|child| child.least.clone()),
        }
    }

    /// The node, copied when others have it too. With room for so many more, so that what follows need not copy again.
    fn own(node: &mut Arc<Self>, room: usize) -> &mut Self {
        fn roomy<T: Clone>(all: &[T], room: usize) -> Vec<T> {
            let mut copy = Vec::with_capacity(all.len() + room);
            copy.extend_from_slice(all);
            copy
        }
        if Arc::get_mut(node).is_none() {
            *node = Arc::new(match node.as_ref() {
                Self::Leaf(pairs) => Self::Leaf(roomy(pairs, room)),
                Self::Branch(children) => Self::Branch(roomy(children, room)),
            });
        }
        Arc::make_mut(node)
    }
}

/// Puts one more into a node; what no longer fits comes back, to be a node of its own.
fn put<T>(all: &mut Vec<T>, at: usize, one: T) -> Option<Vec<T>> {
    all.reserve_exact(1);
    all.insert(at, one);
    if all.len() <= MOST {
        return None;
    }
    // What comes in order fills its nodes.
    let cut = if at + 1 == all.len() { at } else { all.len() / 2 };
    let right = all.split_off(cut);
    all.shrink_to_fit();
    Some(right)
}

impl<K: Ord + Clone, V: Clone> Node<K, V> {
    pub(super) fn get_mut<'n, Q: Ord + ?Sized>(node: &'n mut Arc<Self>, key: &Q) -> Option<&'n mut V>
    where
        K: Borrow<Q>,
    {
        match Self::own(node, 0) {
            Self::Leaf(pairs) => {
                let at = search(pairs, key).ok()?;
                pairs.get_mut(at).map(|(_, value)| value)
            }
            Self::Branch(children) => {
                let at = place(children, key);
                Self::get_mut(&mut children.get_mut(at)?.node, key)
            }
        }
    }

    pub(super) fn insert(node: &mut Arc<Self>, key: K, value: V) -> Grown<K, V> {
        let right = match Self::own(node, 1) {
            Self::Leaf(pairs) => match search(pairs, &key) {
                Ok(at) => match pairs.get_mut(at) {
                    Some((_, old)) => return Grown::Replaced(std::mem::replace(old, value)),
                    None => None,
                },
                Err(at) => put(pairs, at, (key, value)).map(Self::Leaf),
            },
            Self::Branch(children) => {
                let at = place(children, &key);
                let Some(child) = children.get_mut(at) else { return Grown::Inside };
                if key < child.least {
                    child.least = key.clone();
                }
                match Self::insert(&mut child.node, key, value) {
                    Grown::Split(right) => put(children, at + 1, right).map(Self::Branch),
                    other => return other,
                }
            }
        };
        match right.and_then(|right| Some((right.least()?, right))) {
            Some((least, right)) => Grown::Split(Child { least, node: Arc::new(right) }),
            None => Grown::Inside,
        }
    }

    pub(super) fn remove<Q: Ord + ?Sized>(node: &mut Arc<Self>, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match Self::own(node, 0) {
            Self::Leaf(pairs) => {
                let (_, value) = pairs.remove(search(pairs, key).ok()?);
                pairs.shrink_to_fit();
                Some(value)
            }
            Self::Branch(children) => {
                let at = place(children, key);
                let child = children.get_mut(at)?;
                let removed = Self::remove(&mut child.node, key)?;
                if child.node.len() < FEW {
                    settle(children, at);
                }
                Some(removed)
            }
        }
    }
}

/// Joins a child that has become short with a neighbour, or takes it out when nothing is left of it.
fn settle<K: Clone, V: Clone>(children: &mut Vec<Child<K, V>>, at: usize) {
    if children.get(at).is_some_and(|child| child.node.len() == 0) {
        children.remove(at);
    } else {
        let joined = |left: usize| match (children.get(left), children.get(left + 1)) {
            (Some(one), Some(other)) if one.node.len() + other.node.len() <= MOST => Some(left),
            _ => None,
        };
        let Some(left) = at.checked_sub(1).and_then(joined).or_else(|| joined(at)) else { return };
        let right = children.remove(left + 1);
        let Some(child) = children.get_mut(left) else { return };
        match (Node::own(&mut child.node, right.node.len()), right.node.as_ref()) {
            (Node::Leaf(pairs), Node::Leaf(more)) => {
                pairs.reserve_exact(more.len());
                pairs.extend_from_slice(more);
            }
            (Node::Branch(below), Node::Branch(more)) => {
                below.reserve_exact(more.len());
                below.extend_from_slice(more);
            }
            // All leaves are equally deep.
            _ => {}
        }
    }
    children.shrink_to_fit();
}
