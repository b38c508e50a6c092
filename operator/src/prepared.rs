//! What a DiskCluster has ready for its Members and Groups: the way from the controller of DiskClusters to the
//! roster and the limits.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::ids::{ClusterUid, PodName};
use api::keys::SigningKey;

use crate::controller::Key;

/// A DiskCluster whose keys and addresses are there.
#[derive(Debug)]
pub struct Prepared {
    /// Its uid.
    pub uid: ClusterUid,
    /// Signs the roster, and requests for limits.
    pub operator_key: Arc<SigningKey>,
    /// What every pod needs to know: goes into the head of the roster.
    pub settings: roster::Settings,
    /// Its disk pods, in order of their ordinals.
    pub disk_pods: Vec<DiskPod>,
}

/// A disk pod, as far as it matters for whom to ask for limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskPod {
    /// Its name.
    pub name: PodName,
    /// `host:port` of its private port.
    pub internal: String,
    /// Whether it can read and write the volume now.
    pub ready: bool,
}

impl PartialEq for Prepared {
    fn eq(&self, other: &Self) -> bool {
        let Self { uid, operator_key, settings, disk_pods } = self;
        *uid == other.uid
            && operator_key.verifying_key() == other.operator_key.verifying_key()
            && *settings == other.settings
            && *disk_pods == other.disk_pods
    }
}

type Listener = Box<dyn Fn(&Key) + Send + Sync>;

/// All DiskClusters that are prepared.
#[derive(Default)]
pub struct PreparedClusters {
    clusters: Mutex<BTreeMap<Key, Arc<Prepared>>>,
    listeners: Mutex<Vec<Listener>>,
}

impl PreparedClusters {
    /// What a DiskCluster has ready, once it has.
    pub fn get(&self, key: &Key) -> Option<Arc<Prepared>> {
        self.clusters().get(key).cloned()
    }

    /// Calls `listener` with the key of each DiskCluster that has something new. It must return at once.
    pub fn on_change(&self, listener: impl Fn(&Key) + Send + Sync + 'static) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    /// Sets, or takes away, what a DiskCluster has ready.
    pub fn set(&self, key: &Key, prepared: Option<Prepared>) {
        let changed = {
            let mut clusters = self.clusters();
            if clusters.get(key).map(Arc::as_ref) == prepared.as_ref() {
                false
            } else {
                match prepared {
                    Some(prepared) => clusters.insert(key.clone(), Arc::new(prepared)),
                    None => clusters.remove(key),
                };
                true
            }
        };
        if changed {
            for listener in &*self.listeners.lock().unwrap_or_else(PoisonError::into_inner) {
                listener(key);
            }
        }
    }

    fn clusters(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Prepared>>> {
        self.clusters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PreparedClusters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.clusters().iter()).finish()
    }
}
