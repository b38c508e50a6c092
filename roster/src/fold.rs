//! A roster as pods keep it: the shards, and small sorted tables to find things by.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use api::generation::RosterGeneration;
use api::ids::{ClusterUid, GroupUid, MemberName, MemberUid, SpaceId, VolumeName};
use api::role::Role;

use crate::index::Index;
use crate::settings::Settings;
use crate::shard::{GroupEntry, MemberEntry, MemberState, Participant, SHARDS, Shard, shard_of};
use crate::sign_in::identity_version;

/// One moment's roster; it never changes. [`crate::Store::current`] hands out the newest.
///
/// A member or group is found by its name in its shard, which is in order of names, and by anything else in
/// a sorted table of places. So a roster is little more than its entries: 10,000 members and 1,000 groups
/// take less than 20 MB, and one changed shard is one shard read.
#[derive(Debug)]
pub struct Roster {
    cluster: ClusterUid,
    index: Option<Index>,
    settings: Settings,
    shards: Vec<Option<Arc<Held>>>,
    members: Box<[(MemberUid, Place)]>,
    groups: Box<[(GroupUid, Place)]>,
    spaces: Box<[(SpaceId, SpaceOf)]>,
    joined: Box<[(MemberUid, Place)]>,
    identities: Box<[(u64, Place)]>,
}

/// A verified shard, and which one it is.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) generation: RosterGeneration,
    pub(crate) digest: String,
    shard: Shard,
}

impl Held {
    /// Puts a shard in the order that look-ups need, whoever wrote it.
    pub(crate) fn new(generation: RosterGeneration, digest: String, mut shard: Shard) -> Self {
        shard.members.sort_by(|a, b| a.name.cmp(&b.name));
        shard.groups.sort_by(|a, b| a.name.cmp(&b.name));
        for group in &mut shard.groups {
            group.participants.sort_by_key(|participant| participant.member);
            group.participants.shrink_to_fit();
            group.invited.shrink_to_fit();
            group.requests.shrink_to_fit();
        }
        for member in &mut shard.members {
            member.allocations.shrink_to_fit();
            member.identities.shrink_to_fit();
        }
        shard.members.shrink_to_fit();
        shard.groups.shrink_to_fit();
        Self { generation, digest, shard }
    }

    /// Lets equal names share their memory: a member is named again in each of the groups.
    pub(crate) fn intern(&mut self, names: &mut HashSet<MemberName>) {
        let mut one = |name: &mut MemberName| match names.get(name) {
            Some(known) => *name = known.clone(),
            None => {
                names.insert(name.clone());
            }
        };
        for group in &mut self.shard.groups {
            group.participants.iter_mut().for_each(|participant| one(&mut participant.name));
            group.invited.iter_mut().for_each(|invitation| one(&mut invitation.name));
        }
        self.shard.members.iter_mut().for_each(|member| one(&mut member.name));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    shard: u8,
    position: u32,
}

#[derive(Clone, Copy, Debug)]
enum SpaceOf {
    Member(Place),
    Group(Place),
}

/// Whose a space is.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'a> {
    /// A member's own disk.
    Own(&'a MemberEntry),
    /// A group's disk.
    Group(&'a GroupEntry),
}

impl Owner<'_> {
    /// The home volume of the space.
    pub fn volume(&self) -> &VolumeName {
        match self {
            Self::Own(member) => &member.volume,
            Self::Group(group) => &group.volume,
        }
    }
}

impl Roster {
    /// A roster of nobody, which holds until one was read.
    pub(crate) fn empty(cluster: ClusterUid) -> Self {
        Self::fold(cluster, None, (0..SHARDS).map(|_| None).collect())
    }

    pub(crate) fn fold(cluster: ClusterUid, index: Option<Index>, shards: Vec<Option<Arc<Held>>>) -> Self {
        let settings = index.as_ref().map(|index| index.settings.clone()).unwrap_or_default();
        let mut members = Vec::new();
        let mut groups = Vec::new();
        let mut spaces = Vec::new();
        let mut joined = Vec::new();
        let mut identities = Vec::new();
        for (shard, held) in (0u8..).zip(&shards) {
            let Some(held) = held else { continue };
            for (position, member) in (0u32..).zip(&held.shard.members) {
                let place = Place { shard, position };
                members.push((member.uid, place));
                spaces.push((member.space, SpaceOf::Member(place)));
                identities.extend(member.identities.iter().map(|identity| (identity.version(), place)));
            }
            for (position, group) in (0u32..).zip(&held.shard.groups) {
                let place = Place { shard, position };
                groups.push((group.uid, place));
                spaces.push((group.space, SpaceOf::Group(place)));
                joined.extend(group.participants.iter().map(|participant| (participant.member, place)));
            }
        }
        members.sort_unstable_by_key(|(uid, _)| *uid);
        groups.sort_unstable_by_key(|(uid, _)| *uid);
        spaces.sort_unstable_by_key(|(space, _)| *space);
        joined.sort_unstable_by_key(|(uid, place)| (*uid, place.shard, place.position));
        identities.sort_unstable_by_key(|(version, place)| (*version, place.shard, place.position));
        Self {
            cluster,
            index,
            settings,
            shards,
            members: members.into(),
            groups: groups.into(),
            spaces: spaces.into(),
            joined: joined.into(),
            identities: identities.into(),
        }
    }

    /// The DiskCluster.
    pub fn cluster_uid(&self) -> ClusterUid {
        self.cluster
    }

    /// Name of the DiskCluster; empty until a roster was read.
    pub fn cluster_name(&self) -> &str {
        self.index.as_ref().map_or("", |index| &index.cluster_name)
    }

    /// Namespace of the DiskCluster; empty until a roster was read.
    pub fn namespace(&self) -> &str {
        self.index.as_ref().map_or("", |index| &index.namespace)
    }

    /// The generation of this roster; 0 until one was read.
    pub fn generation(&self) -> RosterGeneration {
        self.index.as_ref().map_or(RosterGeneration(0), |index| index.generation)
    }

    /// What holds for the whole cluster.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The index, once one was read.
    pub fn index(&self) -> Option<&Index> {
        self.index.as_ref()
    }

    /// The shards that the index names and that were never read. While there are any, somebody is unknown who
    /// should be known.
    pub fn missing(&self) -> impl Iterator<Item = u8> + '_ {
        let named = self.index.as_ref().map(|index| index.shards.as_slice()).unwrap_or_default();
        (0u8..)
            .zip(named)
            .filter(|(shard, named)| named.generation > RosterGeneration(0) && self.held(*shard).is_none())
            .map(|(shard, _)| shard)
    }

    /// Every member, in no particular order.
    pub fn members(&self) -> impl Iterator<Item = &MemberEntry> {
        self.shards.iter().flatten().flat_map(|held| &held.shard.members)
    }

    /// Every group, in no particular order.
    pub fn groups(&self) -> impl Iterator<Item = &GroupEntry> {
        self.shards.iter().flatten().flat_map(|held| &held.shard.groups)
    }

    /// The member of that name.
    pub fn member_by_name(&self, name: &str) -> Option<&MemberEntry> {
        let members = &self.held(shard_of(name))?.shard.members;
        let position = members.binary_search_by(|member| member.name.as_str().cmp(name)).ok()?;
        members.get(position)
    }

    /// The member of that uid.
    pub fn member_by_uid(&self, uid: MemberUid) -> Option<&MemberEntry> {
        let position = self.members.binary_search_by_key(&uid, |(uid, _)| *uid).ok()?;
        self.member_at(self.members.get(position)?.1)
    }

    /// The member who is this at a provider; nobody when several are: then an administrator has to say who it is.
    pub fn member_by_identity(&self, provider: &str, subject: &str) -> Option<&MemberEntry> {
        let version = identity_version(provider, subject);
        let from = self.identities.partition_point(|(one, _)| *one < version);
        let mut found = self
            .identities
            .iter()
            .skip(from)
            .take_while(|(one, _)| *one == version)
            .filter_map(|(_, place)| self.member_at(*place))
            .filter(|member| {
                member.identities.iter().any(|one| *one.provider == *provider && *one.subject == *subject)
            });
        found.next().filter(|_| found.next().is_none())
    }

    /// The group of that name.
    pub fn group_by_name(&self, name: &str) -> Option<&GroupEntry> {
        let groups = &self.held(shard_of(name))?.shard.groups;
        let position = groups.binary_search_by(|group| group.name.as_str().cmp(name)).ok()?;
        groups.get(position)
    }

    /// The group of that uid.
    pub fn group_by_uid(&self, uid: GroupUid) -> Option<&GroupEntry> {
        let position = self.groups.binary_search_by_key(&uid, |(uid, _)| *uid).ok()?;
        self.group_at(self.groups.get(position)?.1)
    }

    /// Whose that space is.
    pub fn space_owner(&self, space: SpaceId) -> Option<Owner<'_>> {
        let position = self.spaces.binary_search_by_key(&space, |(space, _)| *space).ok()?;
        match self.spaces.get(position)?.1 {
            SpaceOf::Member(place) => self.member_at(place).map(Owner::Own),
            SpaceOf::Group(place) => self.group_at(place).map(Owner::Group),
        }
    }

    /// As what the member may use the space: owner of the own disk, or the role in a group. Nothing for
    /// strangers, and for members who are suspended or not yet approved.
    pub fn role_in(&self, member: MemberUid, space: SpaceId) -> Option<Role> {
        let active = self.member_by_uid(member).is_some_and(|member| member.state == MemberState::Active);
        if !active {
            return None;
        }
        match self.space_owner(space)? {
            Owner::Own(owner) => (owner.uid == member).then_some(Role::Owner),
            Owner::Group(group) => self.participant(group, member).map(|participant| participant.role),
        }
    }

    /// The groups in which the member takes part.
    pub fn groups_of(&self, member: MemberUid) -> impl Iterator<Item = &GroupEntry> {
        let from = self.joined.partition_point(|(uid, _)| *uid < member);
        self.joined
            .iter()
            .skip(from)
            .take_while(move |(uid, _)| *uid == member)
            .filter_map(|(_, place)| self.group_at(*place))
    }

    /// The part that a member takes in a group of this roster.
    pub fn participant<'a>(&self, group: &'a GroupEntry, member: MemberUid) -> Option<&'a Participant> {
        let position = group.participants.binary_search_by_key(&member, |one| one.member).ok()?;
        group.participants.get(position)
    }

    pub(crate) fn held(&self, shard: u8) -> Option<&Arc<Held>> {
        self.shards.get(usize::from(shard))?.as_ref()
    }

    fn member_at(&self, place: Place) -> Option<&MemberEntry> {
        self.held(place.shard)?.shard.members.get(usize::try_from(place.position).ok()?)
    }

    fn group_at(&self, place: Place) -> Option<&GroupEntry> {
        self.held(place.shard)?.shard.groups.get(usize::try_from(place.position).ok()?)
    }
}
