//! Walks over the pairs of a map in order.

use std::ops::{Bound, RangeBounds};
use std::slice;

use super::node::{Child, Node};

/// Where a walk is: in a leaf, and which nodes come after it.
struct Cursor<'a, K, V> {
    above: Vec<slice::Iter<'a, Child<K, V>>>,
    leaf: slice::Iter<'a, (K, V)>,
}

impl<'a, K, V> Cursor<'a, K, V> {
    fn nothing() -> Self {
        Self { above: Vec::new(), leaf: [].as_slice().iter() }
    }

    /// Goes down to the first leaf of a node.
    fn descend(&mut self, node: &'a Node<K, V>) {
        let mut node = node;
        loop {
            match node {
                Node::Leaf(pairs) => {
                    self.leaf = pairs.iter();
                    return;
                }
                Node::Branch(children) => {
                    let mut children = children.iter();
                    let Some(first) = children.next() else { return };
                    self.above.push(children);
                    node = &first.node;
                }
            }
        }
    }

    /// Goes down to the first pair that is not before a bound.
    fn seek(&mut self, node: &'a Node<K, V>, before: impl Fn(&K) -> bool) {
        let mut node = node;
        loop {
            match node {
                Node::Leaf(pairs) => {
                    let from = pairs.partition_point(|(key, _)| before(key));
                    self.leaf = pairs.get(from..).unwrap_or_default().iter();
                    return;
                }
                Node::Branch(children) => {
                    let at = children.partition_point(|child| before(&child.least)).saturating_sub(1);
                    let mut children = children.get(at..).unwrap_or_default().iter();
                    let Some(first) = children.next() else { return };
                    self.above.push(children);
                    node = &first.node;
                }
            }
        }
    }

    fn next(&mut self) -> Option<(&'a K, &'a V)> {
        loop {
            if let Some((key, value)) = self.leaf.next() {
                return Some((key, value));
            }
            match self.above.last_mut()?.next() {
                Some(child) => self.descend(&child.node),
                None => drop(self.above.pop()),
            }
        }
    }
}

/// All pairs.
pub(crate) struct Iter<'a, K, V> {
    cursor: Cursor<'a, K, V>,
    left: usize,
}

impl<'a, K, V> Iter<'a, K, V> {
    pub(super) fn all(root: Option<&'a Node<K, V>>, length: usize) -> Self {
        let mut cursor = Cursor::nothing();
        if let Some(root) = root {
            cursor.descend(root);
        }
        Self { cursor, left: length }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.cursor.next()?;
        self.left = self.left.saturating_sub(1);
        Some(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

/// The pairs of a range.
pub(crate) struct Range<'a, K, V, R> {
    cursor: Cursor<'a, K, V>,
    range: R,
}

impl<'a, K: Ord, V, R: RangeBounds<K>> Range<'a, K, V, R> {
    pub(super) fn of(root: Option<&'a Node<K, V>>, range: R) -> Self {
        let mut cursor = Cursor::nothing();
        if let Some(root) = root {
            match range.start_bound() {
                Bound::Unbounded => cursor.descend(root),
                Bound::Included(from) => cursor.seek(root, |key| key < from),
                Bound::Excluded(from) => cursor.seek(root, |key| key <= from),
            }
        }
        Self { cursor, range }
    }
}

impl<'a, K: Ord, V, R: RangeBounds<K>> Iterator for Range<'a, K, V, R> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.cursor.next()?;
        let inside = match self.range.end_bound() {
            Bound::Unbounded => true,
            Bound::Included(to) => key <= to,
            Bound::Excluded(to) => key < to,
        };
        if inside {
            Some((key, value))
        } else {
            self.cursor = Cursor::nothing();
            None
        }
    }
}
