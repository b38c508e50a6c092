//! What web pods check passwords against. Disk pods never read this.

mod app_passwords;
pub mod directory;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use api::generation::RosterGeneration;
use api::ids::{MemberName, MemberUid};
use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use app_passwords::{APP_PASSWORD_BYTES, AppPassword, AppPasswordHash, AppPasswords, app_password};

use crate::shard::{SHARDS, shard_of};

/// The credentials of one shard: `credentials.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The roster generation of its last change.
    pub generation: RosterGeneration,
    /// In order of their names.
    pub members: Vec<Credential>,
    /// Further passwords of theirs, for programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<AppPassword>,
}

/// What one member's password is checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// Whose.
    pub uid: MemberUid,
    /// The member's name.
    pub name: MemberName,
    /// Derived from the password.
    pub verifier: Verifier,
    /// From which version of which Secret it was made: `<uid>/<resourceVersion>`.
    pub source: String,
}

/// A PHC string of argon2id: whoever reads it can try passwords at leisure, so it shows itself to nobody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Verifier(Box<str>);

impl Verifier {
    /// Wraps a PHC string.
    pub fn new(phc: impl Into<Box<str>>) -> Self {
        Self(phc.into())
    }

    /// The PHC string; only for checking a password.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Changes with every new password, and says nothing about it: sessions are bound to it, so that a new
    /// password ends the old sessions.
    pub fn version(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] =
            blake3::derive_key("internet-disk credential version v1", self.0.as_bytes());
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Verifier(…)")
    }
}

/// A handle to the newest credentials; clones share it.
#[derive(Clone, Debug)]
pub struct CredentialStore {
    shards: Arc<[ArcSwap<Option<Held>>]>,
    adopting: Arc<Mutex<()>>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Held {
    generation: RosterGeneration,
    /// In order of the uids.
    verifiers: Box<[(MemberUid, Verifier)]>,
    /// In order of the uids.
    apps: Box<[AppPassword]>,
}

impl Default for CredentialStore {
    fn default() -> Self {
        Self::empty()
    }
}

impl CredentialStore {
    /// A store with nothing in it until a source has read something.
    pub fn empty() -> Self {
        let shards = (0..SHARDS).map(|_| ArcSwap::from_pointee(None)).collect();
        Self { shards, adopting: Arc::default(), changed: watch::Sender::new(()) }
    }

    /// What the member's password is checked against; nothing if the member has none.
    pub fn verifier(&self, name: &MemberName, uid: MemberUid) -> Option<Verifier> {
        let shard = self.shards.get(usize::from(shard_of(name.as_str())))?.load();
        let held = shard.as_ref().as_ref()?;
        let position = held.verifiers.binary_search_by_key(&uid, |(uid, _)| *uid).ok()?;
        held.verifiers.get(position).map(|(_, verifier)| verifier.clone())
    }

    /// The member's passwords for programs.
    pub fn app_passwords(&self, name: &MemberName, uid: MemberUid) -> Vec<AppPassword> {
        self.apps_of(name, uid, |apps| apps.to_vec())
    }

    /// The member's password for programs of this hash. Hashes are compared in a time that tells nothing.
    pub fn app_password(
        &self,
        name: &MemberName,
        uid: MemberUid,
        hash: AppPasswordHash,
    ) -> Option<AppPassword> {
        self.apps_of(name, uid, |apps| apps.iter().find(|one| one.hash == hash).cloned())
    }

    fn apps_of<T: Default>(
        &self,
        name: &MemberName,
        uid: MemberUid,
        look: impl FnOnce(&[AppPassword]) -> T,
    ) -> T {
        let Some(slot) = self.shards.get(usize::from(shard_of(name.as_str()))) else { return T::default() };
        let shard = slot.load();
        let Some(held) = shard.as_ref().as_ref() else { return T::default() };
        let from = held.apps.partition_point(|one| one.member < uid);
        let to = held.apps.partition_point(|one| one.member <= uid);
        held.apps.get(from..to).map_or_else(T::default, look)
    }

    /// The generation that is held of a shard; 0 if none is.
    pub fn generation(&self, shard: u8) -> RosterGeneration {
        self.shards
            .get(usize::from(shard))
            .and_then(|held| held.load().as_ref().as_ref().map(|held| held.generation))
            .unwrap_or(RosterGeneration(0))
    }

    /// Returns once a shard is held of this generation or a later one, and says of which.
    pub async fn reached(&self, shard: u8, generation: RosterGeneration) -> RosterGeneration {
        let mut changed = self.changed.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = changed.wait_for(|()| self.generation(shard) >= generation).await;
        self.generation(shard)
    }

    /// Takes the credentials of a shard, unless newer ones are held.
    ///
    /// # Errors
    /// When this is not JSON of that form. The message holds nothing of the content.
    pub(crate) fn offer(&self, shard: u8, body: &[u8]) -> Result<(), Unreadable> {
        let Credentials { generation, members, mut apps } =
            serde_json::from_slice(body).map_err(|error| Unreadable { line: error.line() })?;
        let mut verifiers: Vec<_> = members
            .into_iter()
            .map(|Credential { uid, verifier, name: _, source: _ }| (uid, verifier))
            .collect();
        verifiers.sort_unstable_by_key(|(uid, _)| *uid);
        apps.sort_by_key(|one| one.member);
        let held = Held { generation, verifiers: verifiers.into(), apps: apps.into() };
        let _one_at_a_time = self.adopting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = self.shards.get(usize::from(shard))
            && generation > self.generation(shard)
        {
            slot.store(Arc::new(Some(held)));
            self.changed.send_replace(());
        }
        Ok(())
    }
}

/// Credentials that cannot be read. What the decoder says could quote them, so only the place is kept.
#[derive(Debug, thiserror::Error)]
#[error("the credentials are not JSON of the form that this pod knows (line {line})")]
pub(crate) struct Unreadable {
    line: usize,
}
