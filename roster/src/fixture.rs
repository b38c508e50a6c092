//! Rosters for tests.

use api::bytes::Bytes;
use api::generation::RosterGeneration;
use api::ids::{ClusterUid, GroupUid, MemberUid, SpaceId};
use api::keys::{SigningKey, Trust};
use api::role::Role;
use uuid::Uuid;

use crate::compile::{
    AllocationWanted, Compiled, GroupWanted, Lent, ListedMember, ListedRole, MemberWanted, compile,
};
use crate::index::Index;
use crate::publish::{Head, Publication, publish};
use crate::settings::Settings;
use crate::shard::{GroupAccess, JoinPolicy, Joining, MemberState, SHARDS};
use crate::store::Store;

pub(crate) struct Operator {
    pub(crate) key: SigningKey,
    pub(crate) cluster: ClusterUid,
    pub(crate) last: Option<Index>,
}

impl Operator {
    pub(crate) fn new() -> Self {
        Self { key: SigningKey::generate().unwrap(), cluster: ClusterUid(Uuid::from_u128(77)), last: None }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::new([self.key.verifying_key().clone()])
    }

    pub(crate) fn store(&self) -> Store {
        Store::empty(self.cluster, self.trust())
    }

    pub(crate) fn head(&self) -> Head {
        Head {
            cluster: self.cluster,
            cluster_name: "demo".to_owned(),
            namespace: "disk".to_owned(),
            credentials: vec![RosterGeneration(0); usize::from(SHARDS)],
            settings: Settings::default(),
        }
    }

    /// Publishes as the next generation.
    pub(crate) fn publish(
        &mut self,
        members: &[MemberWanted],
        groups: &[GroupWanted],
    ) -> Option<Publication> {
        self.publish_with(self.head(), compile(members, groups))
    }

    pub(crate) fn publish_with(&mut self, head: Head, compiled: Compiled) -> Option<Publication> {
        let generation = self.last.as_ref().map_or(RosterGeneration::ZERO, |last| last.generation).next();
        let publication = publish(&self.key, generation, head, compiled, self.last.as_ref()).unwrap();
        if let Some(publication) = &publication {
            self.last = Some(publication.index.clone());
        }
        publication
    }
}

pub(crate) fn take(store: &Store, publication: &Publication) -> Vec<u8> {
    let shards = publication.shards.iter().map(|(shard, sealed)| (*shard, sealed));
    store.take(&publication.sealed, shards).unwrap()
}

pub(crate) fn member_uid(number: u32) -> MemberUid {
    MemberUid(Uuid::from_u128(1 << 96 | u128::from(number)))
}

pub(crate) fn group_uid(number: u32) -> GroupUid {
    GroupUid(Uuid::from_u128(2 << 96 | u128::from(number)))
}

/// A member whose disk has the member's uid.
pub(crate) fn member(number: u32, groups: &[u32]) -> MemberWanted {
    MemberWanted {
        name: format!("member-{number}").parse().unwrap(),
        uid: member_uid(number),
        space: SpaceId(member_uid(number).0),
        volume: "main".parse().unwrap(),
        display_name: Some(format!("Member Number {number}")),
        state: MemberState::Active,
        identities: Vec::new(),
        quota: Bytes(100),
        limit: Bytes(50),
        allocations: groups
            .iter()
            .map(|group| AllocationWanted {
                group: format!("group-{group}").parse().unwrap(),
                group_uid: None,
                size: Bytes(10),
            })
            .collect(),
        lent: groups
            .iter()
            .map(|group| Lent {
                group: format!("group-{group}").parse().unwrap(),
                group_uid: group_uid(*group),
                granted: Bytes(10),
            })
            .collect(),
    }
}

/// An open group, owned by one, whose disk has the group's uid.
pub(crate) fn group(number: u32, owner: u32) -> GroupWanted {
    GroupWanted {
        name: format!("group-{number}").parse().unwrap(),
        uid: group_uid(number),
        space: SpaceId(group_uid(number).0),
        volume: "main".parse().unwrap(),
        display_name: Some(format!("Group Number {number}")),
        description: None,
        joining: Joining { policy: JoinPolicy::Open, default_role: Role::Editor, minimum: Bytes::ZERO },
        access: GroupAccess::ReadWrite,
        members: vec![ListedMember {
            name: format!("member-{owner}").parse().unwrap(),
            uid: None,
            role: ListedRole::Admitted(Role::Owner),
        }],
    }
}
