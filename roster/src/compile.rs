//! From what Members and Groups want to what a roster says: a pure function, so the order in which things were
//! written, or seen, cannot matter.

mod handshake;
mod wanted;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use api::bytes::Bytes;
use api::ids::{ClusterUid, GroupName, GroupUid, MemberName};

use crate::FORMAT;
use crate::shard::{
    AllocationEntry, AllocationState, GroupEntry, Invitation, JoinPolicy, MemberEntry, Participant, Request,
    SHARDS, Shard, shard_of,
};

pub use handshake::{Admission, admission};
pub use wanted::{AllocationWanted, GroupWanted, Lent, ListedMember, ListedRole, MemberWanted};

/// What a roster says of all members and groups, in order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compiled {
    /// Every member.
    pub members: Vec<MemberEntry>,
    /// Every group.
    pub groups: Vec<GroupEntry>,
}

/// Compiles members and groups of one DiskCluster. Names are unique, as the Kubernetes API sees to.
pub fn compile<'a>(
    members: impl IntoIterator<Item = &'a MemberWanted>,
    groups: impl IntoIterator<Item = &'a GroupWanted>,
) -> Compiled {
    let mut drafts: BTreeMap<&GroupName, Draft<'a>> = BTreeMap::new();
    let mut names: BTreeMap<GroupUid, &GroupName> = BTreeMap::new();
    for group in groups {
        names.insert(group.uid, &group.name);
        drafts.insert(&group.name, Draft::new(group));
    }
    let members: BTreeMap<&MemberName, &MemberWanted> =
        members.into_iter().map(|member| (&member.name, member)).collect();
    let mut entries = Vec::with_capacity(members.len());
    for member in members.values() {
        for lent in &member.lent {
            if let Some(draft) = names.get(&lent.group_uid).and_then(|name| drafts.get_mut(name)) {
                draft.capacity = draft.capacity.saturating_add(lent.granted);
            }
        }
        let mut allocations: Vec<AllocationEntry> =
            member.allocations.iter().map(|wanted| settle(member, wanted, &mut drafts)).collect();
        for lent in &member.lent {
            let taken_back = !allocations.iter().any(|entry| entry.group == lent.group);
            if taken_back && lent.granted > Bytes::ZERO {
                allocations.push(AllocationEntry {
                    group: lent.group.clone(),
                    size: Bytes::ZERO,
                    granted: lent.granted,
                    state: AllocationState::Returning,
                });
            }
        }
        allocations.sort_by(|a, b| a.group.cmp(&b.group));
        entries.push(member.entry(allocations));
    }
    let groups = drafts.into_values().map(|draft| draft.finish(&members)).collect();
    Compiled { members: entries, groups }
}

/// Settles one allocation, and tells the group of it.
fn settle(
    member: &MemberWanted,
    wanted: &AllocationWanted,
    drafts: &mut BTreeMap<&GroupName, Draft<'_>>,
) -> AllocationEntry {
    let mut draft = drafts.get_mut(&wanted.group);
    let Admission { state, role } = admission(member, wanted, draft.as_ref().map(|draft| draft.wanted));
    let granted = draft.as_ref().map_or(Bytes::ZERO, |draft| member.lent_to(draft.wanted.uid));
    if let Some(draft) = draft.as_mut() {
        if let Some(role) = role {
            draft.participants.push(Participant {
                member: member.uid,
                name: member.name.clone(),
                role,
                size: wanted.size,
                granted,
            });
        } else if state == AllocationState::Requested && draft.wanted.joining.policy == JoinPolicy::OnRequest
        {
            draft.requests.push(Request { name: member.name.clone(), size: wanted.size });
        }
    }
    AllocationEntry { group: wanted.group.clone(), size: wanted.size, granted, state }
}

/// A group while its members are gone through.
struct Draft<'a> {
    wanted: &'a GroupWanted,
    capacity: Bytes,
    participants: Vec<Participant>,
    requests: Vec<Request>,
}

impl<'a> Draft<'a> {
    fn new(wanted: &'a GroupWanted) -> Self {
        Self { wanted, capacity: Bytes::ZERO, participants: Vec::new(), requests: Vec::new() }
    }

    fn finish(self, members: &BTreeMap<&MemberName, &MemberWanted>) -> GroupEntry {
        let Self { wanted, capacity, participants, requests } = self;
        let mut invited: Vec<Invitation> = wanted
            .members
            .iter()
            .filter(|listed| match members.get(&listed.name) {
                Some(member) => {
                    listed.means(member) && !participants.iter().any(|one| one.member == member.uid)
                }
                None => true,
            })
            .filter_map(|listed| match listed.role {
                ListedRole::Admitted(role) => Some(Invitation { name: listed.name.clone(), role }),
                ListedRole::Blocked => None,
            })
            .collect();
        invited.sort_by(|a, b| a.name.cmp(&b.name));
        wanted.entry(capacity, participants, invited, requests)
    }
}

/// Cuts what was compiled into shards. Their generations are 0: only who knows what was published before can
/// say which of them changed.
pub fn shards(cluster: ClusterUid, compiled: Compiled) -> Vec<Shard> {
    let Compiled { members, groups } = compiled;
    let mut shards: Vec<Shard> = (0..SHARDS)
        .map(|index| Shard {
            format: FORMAT,
            cluster,
            index,
            generation: api::generation::RosterGeneration(0),
            members: Vec::new(),
            groups: Vec::new(),
        })
        .collect();
    for member in members {
        if let Some(shard) = shards.get_mut(usize::from(shard_of(member.name.as_str()))) {
            shard.members.push(member);
        }
    }
    for group in groups {
        if let Some(shard) = shards.get_mut(usize::from(shard_of(group.name.as_str()))) {
            shard.groups.push(group);
        }
    }
    shards
}
