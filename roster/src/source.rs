//! Where a roster comes from. Each source runs as a task until its [`Follower`] is dropped; several may feed one
//! store, which takes the newest of each.

pub mod directory;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;

use std::collections::HashMap;

use tokio::task::JoinHandle;

/// Keeps a source running; dropping it ends the source.
#[derive(Debug)]
pub struct Follower {
    task: JoinHandle<()>,
}

impl Follower {
    pub(crate) fn spawn(source: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { task: tokio::spawn(source) }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Logs a complaint about a part when it is new: sources try again and again, and the log is read by people.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    last: HashMap<String, String>,
}

impl Complaints {
    pub(crate) fn complain(&mut self, source: &'static str, part: &str, reason: impl std::fmt::Display) {
        let reason = reason.to_string();
        if self.last.get(part) != Some(&reason) {
            tracing::warn!(
                source,
                part,
                reason,
                "A part of the roster is not taken; what is known stays in force. See whether the operator runs."
            );
            self.last.insert(part.to_owned(), reason);
        }
    }

    pub(crate) fn settled(&mut self, part: &str) {
        self.last.remove(part);
    }
}
