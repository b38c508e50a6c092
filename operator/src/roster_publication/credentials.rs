//! The credentials of all members, by shards.

use std::collections::BTreeMap;

use api::generation::RosterGeneration;
use api::ids::MemberUid;
use roster::credentials::{Credential, Credentials};
use roster::{SHARDS, shard_of};

/// What is stored of the credentials.
#[derive(Debug)]
pub(crate) struct CredentialShelf {
    shards: Vec<Credentials>,
}

impl CredentialShelf {
    /// With what was read, by shards.
    pub(crate) fn new(mut read: BTreeMap<u8, Credentials>) -> Self {
        let nothing = || Credentials { generation: RosterGeneration::ZERO, members: Vec::new() };
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

    /// The shards that have to be written for these to be stored and nothing else; they get the generation.
    pub(crate) fn changes(
        &self,
        wanted: impl IntoIterator<Item = Credential>,
        generation: RosterGeneration,
    ) -> BTreeMap<u8, Credentials> {
        let mut shards: Vec<Vec<Credential>> = (0..SHARDS).map(|_| Vec::new()).collect();
        for credential in wanted {
            if let Some(shard) = shards.get_mut(usize::from(shard_of(credential.name.as_str()))) {
                shard.push(credential);
            }
        }
        let mut changes = BTreeMap::new();
        for ((number, mut members), stored) in (0u8..).zip(shards).zip(&self.shards) {
            members.sort_by(|a, b| a.name.cmp(&b.name));
            if members != stored.members {
                changes.insert(number, Credentials { generation, members });
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
        let all: Vec<_> = (0..100).map(|number| credential(number, "a")).collect();
        for (shard, credentials) in shelf.changes(all.clone(), RosterGeneration(1)) {
            shelf.stored(shard, credentials);
        }
        assert_eq!(shelf.all().count(), 100);
        assert!(shelf.changes(all.iter().rev().cloned(), RosterGeneration(2)).is_empty(), "order is nothing");

        let mut changed = all;
        changed[7] = credential(7, "b");
        let changes = shelf.changes(changed, RosterGeneration(2));
        assert_eq!(changes.keys().copied().collect::<Vec<_>>(), [shard_of("member-7")]);
        assert!(changes.values().all(|shard| shard.generation == RosterGeneration(2)));
    }
}
