//! The newest that is known of objects: the watch brings what we wrote ourselves a little later.

use std::collections::HashMap;
use std::sync::Arc;

use kube::ResourceExt;

/// What the API server answered to our own writes, until the watch has brought it, too.
#[derive(Debug)]
pub(super) struct Newest<K> {
    written: HashMap<String, Written<K>>,
}

#[derive(Debug)]
enum Written<K> {
    As(Arc<K>),
    /// Its last finalizer was taken away.
    Gone,
}

impl<K> Default for Newest<K> {
    fn default() -> Self {
        Self { written: HashMap::new() }
    }
}

impl<K: ResourceExt> Newest<K> {
    /// An object was written, and is so now.
    pub(super) fn wrote(&mut self, object: K) {
        self.written.insert(object.uid().unwrap_or_default(), Written::As(Arc::new(object)));
    }

    /// An object was let go.
    pub(super) fn let_go(&mut self, object: &K) {
        self.written.insert(object.uid().unwrap_or_default(), Written::Gone);
    }

    /// What is seen, with what is newer in its place, and without what is gone.
    pub(super) fn of(&mut self, seen: Vec<Arc<K>>) -> Vec<Arc<K>> {
        let mut written = std::mem::take(&mut self.written);
        seen.into_iter()
            .filter_map(|object| {
                let uid = object.uid().unwrap_or_default();
                match written.remove(&uid) {
                    None => Some(object),
                    Some(Written::Gone) => {
                        self.written.insert(uid, Written::Gone);
                        None
                    }
                    Some(Written::As(ours)) if version(&*ours) > version(&*object) => {
                        self.written.insert(uid, Written::As(Arc::clone(&ours)));
                        Some(ours)
                    }
                    Some(Written::As(_)) => Some(object),
                }
            })
            .collect()
    }
}

/// Resource versions of one kind are numbers in order, since Kubernetes 1.35 also by its documentation.
fn version<K: ResourceExt>(object: &K) -> Option<u128> {
    object.resource_version()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use api::kubernetes::{Group, GroupSpec};

    use super::*;

    fn group(uid: &str, version: &str) -> Group {
        let mut group = Group::new("design", GroupSpec::default());
        group.metadata.uid = Some(uid.to_owned());
        group.metadata.resource_version = Some(version.to_owned());
        group
    }

    #[test]
    fn the_newer_one_counts() {
        let mut newest = Newest::default();
        newest.wrote(group("a", "10"));
        newest.wrote(group("b", "10"));
        let mut look = |a: &str, b: &str| -> Vec<String> {
            let seen = vec![Arc::new(group("a", a)), Arc::new(group("b", b))];
            newest.of(seen).iter().filter_map(|group| group.resource_version()).collect()
        };
        assert_eq!(look("9", "11"), ["10", "11"]);
        assert_eq!(look("9", "9"), ["10", "9"], "what the watch has brought is not kept");
        assert_eq!(look("10", "12"), ["10", "12"]);
    }

    #[test]
    fn what_was_let_go_is_gone_before_the_watch_says_so() {
        let mut newest = Newest::default();
        newest.let_go(&group("a", "1"));
        assert!(newest.of(vec![Arc::new(group("a", "5"))]).is_empty());
        assert!(newest.of(Vec::new()).is_empty());
        assert_eq!(newest.of(vec![Arc::new(group("a", "5"))]).len(), 1, "and forgotten then");
    }
}
