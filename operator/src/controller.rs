//! What every controller is made of: a queue of objects to look at, and a loop that looks at several at once.

mod backoff;
mod queue;
mod registry;
mod work;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use kube::ResourceExt;

pub use backoff::Backoff;
pub use queue::Queue;
pub use registry::Controllers;
pub(crate) use work::chain;
pub use work::work;

/// Names an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The key of an object of this name in this namespace.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key of an object.
    pub fn of<K: ResourceExt>(object: &K) -> Self {
        Self::new(object.namespace().unwrap_or_default(), object.name_any())
    }

    /// The key of another object of the same namespace.
    #[must_use]
    pub fn beside(&self, name: impl Into<String>) -> Self {
        Self::new(self.namespace.clone(), name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

/// When an object is looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// When something changes.
    AtChange,
    /// When something changes, and after so long at the latest.
    After(Duration),
}

/// Brings one object, or what goes by one key, to what it should be.
pub trait Reconciler: Send + Sync + 'static {
    /// Names it in logs and metrics.
    const NAME: &'static str;
    /// How many keys it works on at once. No key is worked on twice at once.
    const AT_ONCE: usize;
    /// Why it did not succeed. It is logged, and the key comes again after a pause that grows.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Goes the five steps once.
    fn reconcile(&self, key: &Key) -> impl Future<Output = Result<Next, Self::Error>> + Send;
}
