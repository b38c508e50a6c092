//! Which Secrets hold passwords, and which of them changed.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::controller::Key;

/// Secrets that changed since the last look; of those alone that somebody's password is in.
#[derive(Debug, Default)]
pub(super) struct SecretChanges {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By DiskCluster.
    wanted: HashMap<Key, HashSet<String>>,
    changed: HashMap<Key, HashSet<String>>,
}

impl SecretChanges {
    /// A Secret changed. Says which DiskClusters should look.
    pub(super) fn changed(&self, secret: &Key) -> Vec<Key> {
        let mut state = self.lock();
        let concerned: Vec<Key> = state
            .wanted
            .iter()
            .filter(|(key, names)| key.namespace == secret.namespace && names.contains(&secret.name))
            .map(|(key, _)| key.clone())
            .collect();
        for key in &concerned {
            state.changed.entry(key.clone()).or_default().insert(secret.name.clone());
        }
        concerned
    }

    /// These are of interest from now on. Says which of them changed since the last look.
    pub(super) fn look(&self, cluster: &Key, wanted: HashSet<String>) -> HashSet<String> {
        let mut state = self.lock();
        state.wanted.insert(cluster.clone(), wanted);
        state.changed.remove(cluster).unwrap_or_default()
    }

    /// The DiskCluster is gone.
    pub(super) fn forget(&self, cluster: &Key) {
        let mut state = self.lock();
        state.wanted.remove(cluster);
        state.changed.remove(cluster);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_with_passwords_are_noticed() {
        let changes = SecretChanges::default();
        let demo = Key::new("disk", "demo");
        let wanted = || HashSet::from(["alice".to_owned()]);
        assert!(changes.look(&demo, wanted()).is_empty());
        assert!(changes.changed(&Key::new("disk", "helm")).is_empty());
        assert!(changes.changed(&Key::new("other", "alice")).is_empty());
        assert_eq!(changes.changed(&Key::new("disk", "alice")), std::slice::from_ref(&demo));
        assert_eq!(changes.look(&demo, wanted()), wanted());
        assert!(changes.look(&demo, wanted()).is_empty(), "once");
        changes.forget(&demo);
        assert!(changes.changed(&Key::new("disk", "alice")).is_empty());
    }
}
