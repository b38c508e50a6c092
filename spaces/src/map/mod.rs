//! An ordered map whose clones share what is equal: a B+ tree of shared nodes, each as long as what is in it.
//!
//! `docs/decisions/0011-states-in-memory.md` says why it is one of our own. A change copies the nodes from the root to
//! one leaf, unless nobody else holds them.

mod iter;
mod node;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::fmt;
use std::ops::RangeBounds;
use std::sync::Arc;

pub(crate) use self::iter::{Iter, Range};
use self::node::{Child, Grown, MOST, Node};

/// An ordered map. Clones are cheap and share what is equal.
pub(crate) struct Map<K, V> {
    root: Option<Arc<Node<K, V>>>,
    length: usize,
}

impl<K, V> Map<K, V> {
    /// One with nothing in it.
    pub(crate) const fn new() -> Self {
        Self { root: None, length: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// All pairs in the order of the keys.
    pub(crate) fn iter(&self) -> Iter<'_, K, V> {
        Iter::all(self.root.as_deref(), self.length)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Ord, V> Map<K, V> {
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.root.as_ref()?.get(key)
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The pairs of a range in the order of the keys.
    pub(crate) fn range<R: RangeBounds<K>>(&self, range: R) -> Range<'_, K, V, R> {
        Range::of(self.root.as_deref(), range)
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// The value of a key, to be changed.
    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        Node::get_mut(self.root.as_mut()?, key)
    }

    /// Sets the value of a key, and gives back the one before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Some(root) = &mut self.root else {
            self.root = Some(Arc::new(Node::Leaf(vec![(key, value)])));
            self.length = 1;
            return None;
        };
        match Node::insert(root, key, value) {
            Grown::Replaced(old) => return Some(old),
            Grown::Inside => {}
            Grown::Split(right) => {
                if let Some(least) = root.least() {
                    let left = Child { least, node: root.clone() };
                    *root = Arc::new(Node::Branch(vec![left, right]));
                }
            }
        }
        self.length += 1;
        None
    }

    /// Takes a key out.
    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        // So that nothing is copied for a key that is not there.
        if !self.contains_key(key) {
            return None;
        }
        let root = self.root.as_mut()?;
        let removed = Node::remove(root, key)?;
        self.length -= 1;
        while let Some(only) = root.only_child() {
            *root = only;
        }
        if self.length == 0 {
            self.root = None;
        }
        Some(removed)
    }

    /// A map of pairs that are in the order of their keys, each once; `None` when they are not. Much faster than one by
    /// one.
    pub(crate) fn from_sorted(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Option<Self> {
        let length = pairs.len();
        let mut pairs = pairs;
        let mut level: Vec<Child<K, V>> = Vec::with_capacity(length.div_ceil(MOST));
        let mut rest = length;
        let mut last: Option<K> = None;
        while rest > 0 {
            let mut leaf = Vec::with_capacity(rest.min(MOST));
            for (key, value) in pairs.by_ref().take(MOST) {
                let before = leaf.last().map_or(last.as_ref(), |(key, _)| Some(key));
                if before.is_some_and(|before| *before >= key) {
                    return None;
                }
                leaf.push((key, value));
            }
            // An iterator that lied about its length.
            rest = rest.checked_sub(leaf.len()).filter(|_| !leaf.is_empty())?;
            last = leaf.last().map(|(key, _)| key.clone());
            let least = leaf.first().map(|(key, _)| key.clone())?;
            level.push(Child { least, node: Arc::new(Node::Leaf(leaf)) });
        }
        while level.len() > 1 {
            let mut above = Vec::with_capacity(level.len().div_ceil(MOST));
            let mut below = level.into_iter().peekable();
            while let Some(least) = below.peek().map(|child| child.least.clone()) {
                let mut children = Vec::with_capacity(below.len().min(MOST));
                children.extend(below.by_ref().take(MOST));
                above.push(Child { least, node: Arc::new(Node::Branch(children)) });
            }
            level = above;
        }
        Some(Self { root: level.pop().map(|child| child.node), length })
    }
}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), length: self.length }
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.root, &other.root) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        self.length == other.length && (same || self.iter().eq(other.iter()))
    }
}

impl<K: Eq, V: Eq> Eq for Map<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<'a, K, V> IntoIterator for &'a Map<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut map = Self::new();
        for (key, value) in pairs {
            map.insert(key, value);
        }
        map
    }
}
