//! App passwords, as web pods have written them: they are published with the passwords, so that every pod hears of a
//! change in the same way.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use api::ids::MemberUid;
use api::kubernetes::names::Names;
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use roster::SHARDS;
use roster::credentials::{AppPassword, AppPasswords};

/// Secrets that are read at once.
const AT_ONCE: usize = 8;
/// The entry in the Secret.
const ENTRY: &str = "app-passwords.json";

/// What is known of them, by shards.
#[derive(Debug)]
pub(super) struct AppPasswordShelf {
    shards: BTreeMap<u8, Vec<AppPassword>>,
    /// Not read yet since they changed.
    unread: BTreeSet<u8>,
}

impl AppPasswordShelf {
    /// With what was published, until the Secrets are read.
    pub(super) fn new(published: BTreeMap<u8, Vec<AppPassword>>) -> Self {
        Self { shards: published, unread: (0..SHARDS).collect() }
    }

    /// The names of the Secrets.
    pub(super) fn names(names: &Names) -> impl Iterator<Item = String> + '_ {
        (0..SHARDS).map(|shard| names.app_passwords(shard))
    }

    /// Reads what changed, and says whether all of it could be read.
    pub(super) async fn look(
        &mut self,
        secrets: &Api<Secret>,
        names: &Names,
        changed: &HashSet<String>,
    ) -> bool {
        self.unread.extend((0..SHARDS).filter(|shard| changed.contains(&names.app_passwords(*shard))));
        let read: Vec<_> = stream::iter(self.unread.clone())
            .map(|shard| async move { (shard, secrets.get_opt(&names.app_passwords(shard)).await) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (shard, secret) in read {
            let secret = match secret {
                Ok(secret) => secret,
                Err(error) => {
                    tracing::warn!(shard, %error, "The app passwords of a shard cannot be read; what was published stays.");
                    continue;
                }
            };
            self.unread.remove(&shard);
            let body = secret.and_then(|mut secret| secret.data.as_mut()?.remove(ENTRY));
            let Some(body) = body else {
                self.shards.remove(&shard);
                continue;
            };
            match serde_json::from_slice::<AppPasswords>(&body.0) {
                Ok(AppPasswords { mut passwords }) => {
                    // A use is no change of what is checked.
                    passwords.iter_mut().for_each(|one| one.last_used = None);
                    self.shards.insert(shard, passwords);
                }
                Err(error) => {
                    let name = names.app_passwords(shard);
                    tracing::warn!(
                        secret = name,
                        line = error.line(),
                        "The app passwords of a Secret cannot be read; what was published stays."
                    );
                }
            }
        }
        self.unread.is_empty()
    }

    /// What is to be published: of those who are members.
    pub(super) fn of(&self, is_member: impl Fn(MemberUid) -> bool) -> BTreeMap<u8, Vec<AppPassword>> {
        let theirs = |passwords: &Vec<AppPassword>| {
            passwords.iter().filter(|one| is_member(one.member)).cloned().collect::<Vec<_>>()
        };
        self.shards.iter().map(|(shard, passwords)| (*shard, theirs(passwords))).collect()
    }
}
