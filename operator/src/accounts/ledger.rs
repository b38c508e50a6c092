//! What is known of a DiskCluster from one round to the next.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use api::ids::{ClusterUid, SpaceId};
use api::keys::KeyId;
use api::kubernetes::{DiskCluster, Group, Member};
use kube::Client;

use super::RoundError;
use super::app_passwords::AppPasswordShelf;
use super::newest::Newest;
use super::term::Term;
use crate::lending::{Doubts, InForce};
use crate::limits::{Commits, Generations};
use crate::members::passwords::{Hashing, Passwords};
use crate::prepared::Prepared;
use crate::roster_publication::{Published, Publisher};

/// Trouble of less than so long is told to nobody: pods are being replaced.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of a DiskCluster. All of it can be found out again.
#[derive(Debug)]
pub(super) struct Ledger {
    cluster: ClusterUid,
    key: KeyId,
    pub(super) in_force: InForce,
    pub(super) doubts: Doubts,
    pub(super) generations: Generations,
    pub(super) published: Published,
    pub(super) publisher: Publisher,
    pub(super) passwords: Passwords,
    pub(super) app_passwords: AppPasswordShelf,
    pub(super) members: Newest<Member>,
    pub(super) groups: Newest<Group>,
    pub(super) trouble: Trouble,
    pub(super) term: Term,
}

impl Ledger {
    /// Reads what was published.
    pub(super) async fn load(
        client: &Client,
        cluster: &DiskCluster,
        prepared: &Prepared,
        hashing: Hashing,
    ) -> Result<Self, RoundError> {
        let publisher = Publisher::new(client, cluster);
        let (published, generations) = publisher.load(&prepared.operator_key).await?;
        let namespace = cluster.metadata.namespace.clone().unwrap_or_default();
        let passwords = Passwords::new(client.clone(), &namespace, hashing, published.credentials.all());
        let app_passwords = AppPasswordShelf::new(published.credentials.apps());
        Ok(Self {
            cluster: prepared.uid,
            key: prepared.operator_key.verifying_key().id().clone(),
            in_force: InForce::default(),
            doubts: Doubts::default(),
            generations,
            published,
            publisher,
            passwords,
            app_passwords,
            members: Newest::default(),
            groups: Newest::default(),
            trouble: Trouble::default(),
            term: Term::default(),
        })
    }

    /// Whether it speaks of this DiskCluster, and of what is signed by its key.
    pub(super) fn is_of(&self, prepared: &Prepared) -> bool {
        self.cluster == prepared.uid && self.key == *prepared.operator_key.verifying_key().id()
    }
}

/// Spaces whose limits cannot be committed, since when, and why.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    spaces: HashMap<SpaceId, (Instant, String)>,
    told: bool,
}

impl Trouble {
    /// After an attempt at these spaces.
    pub(super) fn tried(&mut self, spaces: &[SpaceId], commits: &Commits, now: Instant) {
        for space in spaces {
            match commits.failed.get(space) {
                Some(reason) => {
                    let known = self.spaces.entry(*space).or_insert_with(|| (now, String::new()));
                    known.1.clone_from(reason);
                }
                None => {
                    self.spaces.remove(space);
                }
            }
        }
        if let Some(reason) = commits.failed.values().next() {
            if !self.told {
                let (failed, committed) = (commits.failed.len(), commits.committed);
                tracing::warn!(
                    failed,
                    committed,
                    reason,
                    "Limits could not be committed; they are tried again."
                );
            }
            self.told = true;
        } else if commits.committed > 0 {
            self.told = false;
        }
    }

    /// Why the limit of a space has not been committed for a while.
    pub(super) fn of(&self, space: SpaceId, now: Instant) -> Option<&str> {
        let (since, reason) = self.spaces.get(&space)?;
        (now.duration_since(*since) >= PATIENCE).then_some(reason.as_str())
    }

    /// When there will be something to tell.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.spaces.values().map(|(since, _)| *since + PATIENCE).filter(|at| *at > now).min()
    }

    pub(super) fn retain(&mut self, keep: impl Fn(SpaceId) -> bool) {
        self.spaces.retain(|space, _| keep(*space));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn trouble_is_told_when_it_lasts_and_forgotten_when_it_ends() {
        let space = SpaceId(Uuid::nil());
        let now = Instant::now();
        let failed = |reason: &str| {
            let failed = HashMap::from([(space, reason.to_owned())]);
            Commits { failed, ..Commits::default() }
        };
        let mut trouble = Trouble::default();
        trouble.tried(&[space], &failed("one"), now);
        assert_eq!(trouble.of(space, now), None, "pods are being replaced");
        assert_eq!(trouble.next(now), Some(now + PATIENCE));
        trouble.tried(&[space], &failed("other"), now + PATIENCE);
        assert_eq!(
            trouble.of(space, now + PATIENCE),
            Some("other"),
            "since the first time, for the last reason"
        );
        trouble.tried(&[space], &Commits { committed: 1, ..Commits::default() }, now + PATIENCE);
        assert_eq!(trouble.of(space, now + 2 * PATIENCE), None);
    }
}
