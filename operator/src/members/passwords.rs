//! Passwords: read from Secrets, hashed once, and remembered by what they were made from.

mod hash;
mod read;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::ids::{MemberName, MemberUid};
use api::kubernetes::condition::Reason;
use kube::{Api, Client};
use roster::credentials::{Credential as Stored, Verifier};
use tokio::sync::{Semaphore, mpsc};

use super::status::Credential;
pub(crate) use hash::Hashing;
use read::{Outcome, Wanted};

/// Secrets that are read at once.
const READS_AT_ONCE: usize = 8;
/// A Secret that could not be read is tried again after so long.
const AGAIN: Duration = Duration::from_secs(5);

/// Which key of which Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretKey {
    pub(crate) name: String,
    pub(crate) key: String,
}

/// The passwords of one DiskCluster. Reading and hashing goes on beside; what came of it is there at the next look.
#[derive(Debug)]
pub(crate) struct Passwords {
    secrets: Api<k8s_openapi::api::core::v1::Secret>,
    hashing: Hashing,
    reads: Arc<Semaphore>,
    members: HashMap<MemberUid, Known>,
    outcomes: mpsc::UnboundedReceiver<(MemberUid, u64, Outcome)>,
    sender: mpsc::UnboundedSender<(MemberUid, u64, Outcome)>,
    attempts: u64,
}

#[derive(Debug, Default)]
struct Known {
    secret: Option<SecretKey>,
    /// From which version of the Secret, and what is checked against.
    made: Option<(String, Verifier)>,
    problem: Option<(Reason, String)>,
    /// The number of the attempt under way.
    attempt: Option<u64>,
    /// When to look again, if not at a change.
    again: Option<Instant>,
    looked: bool,
    /// The spec names another Secret than the one that the verifier was made from.
    replaced: bool,
}

impl Passwords {
    /// With what is stored.
    pub(crate) fn new<'a>(
        client: Client,
        namespace: &str,
        hashing: Hashing,
        stored: impl Iterator<Item = (MemberUid, &'a Stored)>,
    ) -> Self {
        let (sender, outcomes) = mpsc::unbounded_channel();
        let members = stored.map(|(uid, stored)| {
            let made = Some((stored.source.clone(), stored.verifier.clone()));
            (uid, Known { made, ..Known::default() })
        });
        Self {
            secrets: Api::namespaced(client, namespace),
            hashing,
            reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
            members: members.collect(),
            outcomes,
            sender,
            attempts: 0,
        }
    }

    /// Takes what came of reading since the last look.
    pub(crate) fn take_outcomes(&mut self) {
        while let Ok((uid, attempt, outcome)) = self.outcomes.try_recv() {
            let Some(known) = self.members.get_mut(&uid) else { continue };
            if known.attempt != Some(attempt) {
                continue;
            }
            known.attempt = None;
            known.looked = true;
            known.again = None;
            known.problem = None;
            match outcome {
                Outcome::Made { source, verifier } => {
                    known.made = Some((source, verifier));
                    known.replaced = false;
                }
                Outcome::Unusable { reason, message } => {
                    // It was read once, and that is what counts; a member must not be locked out by tidying up.
                    if known.made.is_none() || known.replaced || reason != Reason::SecretNotFound {
                        known.problem = Some((reason, message));
                    }
                }
                Outcome::Failed { message } => {
                    known.again = Some(Instant::now() + AGAIN);
                    if known.made.is_none() {
                        known.problem = Some((Reason::SecretUnusable, message));
                    }
                }
            }
        }
    }

    /// Begins to read what has to be read: of new members, of other Secrets than before, and of Secrets that changed.
    /// Calls `wake` when something came of it.
    pub(crate) fn look(
        &mut self,
        wanted: &HashMap<MemberUid, Option<SecretKey>>,
        changed: &HashSet<String>,
        wake: impl Fn() + Clone + Send + 'static,
    ) {
        self.members.retain(|uid, _| wanted.get(uid).is_some_and(Option::is_some));
        for (uid, secret) in wanted {
            let Some(secret) = secret else { continue };
            let known = self.members.entry(*uid).or_default();
            let other = known.secret.as_ref() != Some(secret);
            let due = known.again.is_some_and(|again| again <= Instant::now());
            let idle = known.looked || known.attempt.is_some();
            if idle && !other && !due && !changed.contains(&secret.name) {
                continue;
            }
            self.attempts += 1;
            known.attempt = Some(self.attempts);
            known.again = None;
            known.replaced |= other && known.secret.is_some();
            known.secret = Some(secret.clone());
            let (attempt, uid, sender, wake) = (self.attempts, *uid, self.sender.clone(), wake.clone());
            let job = Wanted {
                secrets: self.secrets.clone(),
                secret: secret.clone(),
                made: known.made.clone(),
                reads: Arc::clone(&self.reads),
                hashing: self.hashing.clone(),
            };
            tokio::spawn(async move {
                let outcome = job.read().await;
                // Nobody listens any more when the DiskCluster is gone.
                let _ = sender.send((uid, attempt, outcome));
                wake();
            });
        }
    }

    /// What there is to sign in with.
    pub(crate) fn credential(&self, uid: MemberUid) -> Credential {
        let Some(known) = self.members.get(&uid) else { return Credential::Pending };
        match (&known.problem, &known.made) {
            (Some((reason, message)), _) => Credential::Missing { reason: *reason, message: message.clone() },
            (None, Some(_)) => Credential::There,
            (None, None) => Credential::Pending,
        }
    }

    /// What is to be stored for a member.
    pub(crate) fn stored(&self, uid: MemberUid, name: &MemberName) -> Option<Stored> {
        let (source, verifier) = self.members.get(&uid)?.made.clone()?;
        Some(Stored { uid, name: name.clone(), verifier, source })
    }

    /// When something is to be read again, if not at a change.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.members.values().filter_map(|known| known.again).min()
    }
}
