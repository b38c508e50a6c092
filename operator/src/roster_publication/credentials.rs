//! The credentials of all members, by shards.

use std::collections::BTreeMap;

use api::generation::RosterGeneration;
use api::ids::MemberUid;
use roster::credentials::{AppPassword, Credential, Credentials};
use roster::{SHARDS, shard_of};

/// What is to be stored.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Of all members.
    pub(crate) credentials: Vec<Credential>,
    /// By shards.
    pub(crate) apps: BTreeMap<u8, Vec<AppPassword>>,
}

/// What is stored of the credentials.
#[derive(Debug)]
pub(crate) struct CredentialShelf {
    shards: Vec<Credentials>,
}

impl CredentialShelf {
    /// With what was read, by shards.
    pub(crate) fn new(mut read: BTreeMap<u8, Credentials>) -> Self {
        let nothing =
            || Credentials { generation: RosterGeneration::ZERO, members: Vec::new(), apps: Vec::new() };
        Self { shards: (0..SHARDS).map(|shard| read.remove(&shard).unwrap_or_else(nothing)).collect() }
    }

    /// The generation of each shard.
    pub(crate) fn generations(&self) -> Vec<RosterGeneration> {
        self.shards.iter().map(|shard| shard.generation).collect()
    }

    /// Everything that is stored.
    pub(crate) fn all(&self) -> impl Iterator<Item = (MemberUid, &Credential)> {
        self.shards.iter().flat_map(|shard| &shard.members).map(|one| (one.uid, one))
    }

    /// The app passwords that are stored.
    pub(crate) fn apps(&self) -> BTreeMap<u8, Vec<AppPassword>> {
        (0u8..).zip(&self.shards).map(|(shard, stored)| (shard, stored.apps.clone())).collect()
    }

    /// The shards that have to be written for these to be stored and nothing else; they get the generation.
    pub(crate) fn changes(&self, wanted: Wanted, generation: RosterGeneration) -> BTreeMap<u8, Credentials> {
        let Wanted { credentials, mut apps } = wanted;
        let mut shards: Vec<Vec<Credential>> = (0..SHARDS).map(|_| Vec::new()).collect();
        for credential in credentials {
            if let Some(shard) = shards.get_mut(usize::from(shard_of(credential.name.as_str()))) {
                shard.push(credential);
            }
        }
        let mut changes = BTreeMap::new();
        for ((number, mut members), stored) in (0u8..).zip(shards).zip(&self.shards) {
            members.sort_by(|a, b| a.name.cmp(&b.name));
            let apps = apps.remove(&number).unwrap_or_default();
            if members != stored.members || apps != stored.apps {
                changes.insert(number, Credentials { generation, members, apps });
            }
        }
        changes
    }

    /// A shard was written.
    pub(crate) fn stored(&mut self, shard: u8, credentials: Credentials) {
        if let Some(stored) = self.shards.get_mut(usize::from(shard)) {
            *stored = credentials;
        }
    }
}

#[cfg(test)]
mod tests {
    use roster::credentials::Verifier;
    use uuid::Uuid;

    use super::*;

    fn credential(number: u128, verifier: &str) -> Credential {
        Credential {
            uid: MemberUid(Uuid::from_u128(number)),
            name: format!("member-{number}").parse().unwrap(),
            verifier: Verifier::new(verifier),
            source: "secret/1".to_owned(),
        }
    }

    #[test]
    fn only_shards_that_changed_are_written() {
        let mut shelf = CredentialShelf::new(BTreeMap::new());
        let wanted = |credentials| Wanted { credentials, apps: BTreeMap::new() };
        let all: Vec<_> = (0..100).map(|number| credential(number, "a")).collect();
        for (shard, credentials) in shelf.changes(wanted(all.clone()), RosterGeneration(1)) {
            shelf.stored(shard, credentials);
        }
        assert_eq!(shelf.all().count(), 100);
        let reversed = wanted(all.iter().rev().cloned().collect());
        assert!(shelf.changes(reversed, RosterGeneration(2)).is_empty(), "order is nothing");

        let mut changed = all;
        changed[7] = credential(7, "b");
        let changes = shelf.changes(wanted(changed), RosterGeneration(2));
        assert_eq!(changes.keys().copied().collect::<Vec<_>>(), [shard_of("member-7")]);
        assert!(changes.values().all(|shard| shard.generation == RosterGeneration(2)));
    }
}
