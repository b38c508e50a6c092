//! What goes into a compilation: specs, and what is lent at the moment.

use api::bytes::Bytes;
use api::ids::{GroupName, GroupUid, MemberName, MemberUid, SpaceId, VolumeName};
use api::role::Role;

use crate::shard::{
    AllocationEntry, GroupAccess, GroupEntry, Invitation, Joining, MemberEntry, MemberState, Participant,
    Request,
};
use crate::sign_in::Identity;

/// What a Member wants, and what holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberWanted {
    /// Name of the Member.
    pub name: MemberName,
    /// Uid of the Member.
    pub uid: MemberUid,
    /// The own disk.
    pub space: SpaceId,
    /// Its home volume.
    pub volume: VolumeName,
    /// How the member wants to be called.
    pub display_name: Option<String>,
    /// Whether the member may sign in.
    pub state: MemberState,
    /// Who the member is at OpenID providers.
    pub identities: Vec<Identity>,
    /// All the storage the member has.
    pub quota: Bytes,
    /// The limit of the own disk that is committed.
    pub limit: Bytes,
    /// What the member wants to give to groups.
    pub allocations: Vec<AllocationWanted>,
    /// What is lent to groups at the moment.
    pub lent: Vec<Lent>,
}

impl MemberWanted {
    /// What is lent to this group at the moment.
    pub fn lent_to(&self, group: GroupUid) -> Bytes {
        self.lent.iter().find(|lent| lent.group_uid == group).map_or(Bytes::ZERO, |lent| lent.granted)
    }

    pub(super) fn entry(&self, allocations: Vec<AllocationEntry>) -> MemberEntry {
        let Self {
            name,
            uid,
            space,
            volume,
            display_name,
            state,
            identities,
            quota,
            limit,
            allocations: _settled_already,
            lent: _in_the_settled_already,
        } = self;
        MemberEntry {
            name: name.clone(),
            uid: *uid,
            space: *space,
            volume: volume.clone(),
            display_name: display_name.as_deref().map(Box::from),
            state: *state,
            identities: identities.clone(),
            quota: *quota,
            limit: *limit,
            allocations,
        }
    }
}

/// A part of a member's quota that is meant for a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocationWanted {
    /// Which group.
    pub group: GroupName,
    /// The one group of that name that is meant; whichever there is, if absent.
    pub group_uid: Option<GroupUid>,
    /// How much; 0 takes part without giving.
    pub size: Bytes,
}

/// A part of a member's quota that is in a group's limit, not in the own one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lent {
    /// Name of the group.
    pub group: GroupName,
    /// Which group.
    pub group_uid: GroupUid,
    /// How much.
    pub granted: Bytes,
}

/// What a Group wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupWanted {
    /// Name of the Group.
    pub name: GroupName,
    /// Uid of the Group.
    pub uid: GroupUid,
    /// Its disk.
    pub space: SpaceId,
    /// Its home volume.
    pub volume: VolumeName,
    /// What the page calls it.
    pub display_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How one joins.
    pub joining: Joining,
    /// Whether its files may be changed.
    pub access: GroupAccess,
    /// Whom it admits, and whom not.
    pub members: Vec<ListedMember>,
}

impl GroupWanted {
    pub(super) fn entry(
        &self,
        capacity: Bytes,
        participants: Vec<Participant>,
        invited: Vec<Invitation>,
        requests: Vec<Request>,
    ) -> GroupEntry {
        let Self {
            name,
            uid,
            space,
            volume,
            display_name,
            description,
            joining,
            access,
            members: _became_participants,
        } = self;
        GroupEntry {
            name: name.clone(),
            uid: *uid,
            space: *space,
            volume: volume.clone(),
            display_name: display_name.as_deref().map(Box::from),
            description: description.as_deref().map(Box::from),
            joining: *joining,
            access: *access,
            capacity,
            participants,
            invited,
            requests,
        }
    }
}

/// An entry of a group's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMember {
    /// Which member.
    pub name: MemberName,
    /// The one member of that name that is meant; whichever there is, if absent.
    pub uid: Option<MemberUid>,
    /// As what.
    pub role: ListedRole,
}

impl ListedMember {
    /// Whether this entry speaks of that member.
    pub fn means(&self, member: &MemberWanted) -> bool {
        self.name == member.name && self.uid.is_none_or(|uid| uid == member.uid)
    }
}

/// What a group's list says of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedRole {
    /// May take part.
    Admitted(Role),
    /// May not, even where everybody may.
    Blocked,
}
