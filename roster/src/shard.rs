//! A shard: the members and groups whose names hash to it.

use api::bytes::Bytes;
use api::generation::RosterGeneration;
use api::ids::{ClusterUid, GroupName, GroupUid, MemberName, MemberUid, SpaceId, VolumeName};
use api::role::Role;
use serde::{Deserialize, Serialize};

use crate::sign_in::Identity;

/// Into how many shards a roster is cut, so that one change is a small write and a small read.
pub const SHARDS: u8 = 32;

/// The shard that a member or a group of this name is in.
pub fn shard_of(name: &str) -> u8 {
    blake3::hash(name.as_bytes()).as_bytes()[0] % SHARDS
}

/// Members and groups. Its body is `shard-<index>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shard {
    /// [`crate::FORMAT`].
    pub format: u32,
    /// The DiskCluster.
    pub cluster: ClusterUid,
    /// Which shard this is.
    pub index: u8,
    /// The roster generation of its last change.
    pub generation: RosterGeneration,
    /// In order of their names.
    pub members: Vec<MemberEntry>,
    /// In order of their names.
    pub groups: Vec<GroupEntry>,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberEntry {
    /// Also the name to sign in with.
    pub name: MemberName,
    /// Tells apart two members of one name, one after the other.
    pub uid: MemberUid,
    /// The own disk.
    pub space: SpaceId,
    /// The home volume of the own disk.
    pub volume: VolumeName,
    /// How the member wants to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Box<str>>,
    /// Whether the member may sign in.
    pub state: MemberState,
    /// Who the member is at OpenID providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<Identity>,
    /// All the storage the member has.
    pub quota: Bytes,
    /// The limit of the own disk, as committed on the volume.
    pub limit: Bytes,
    /// What the member gives to groups, in order of the groups' names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<AllocationEntry>,
}

/// Whether a member may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberState {
    /// Yes.
    Active,
    /// No, and what was given to groups stays there.
    Suspended,
    /// Not yet: registered, but not approved.
    Pending,
}

/// What a member gives to one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllocationEntry {
    /// To which group.
    pub group: GroupName,
    /// What the member wants to give.
    pub size: Bytes,
    /// What is lent at the moment: it counts for the group, and not for the own disk.
    pub granted: Bytes,
    /// What became of it.
    pub state: AllocationState,
}

/// What became of an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AllocationState {
    /// The member takes part in the group.
    Active,
    /// The group has not admitted the member.
    Requested,
    /// It is less than the group asks for.
    BelowMinimum,
    /// The group has blocked the member.
    Blocked,
    /// There is no such group in this DiskCluster.
    NoSuchGroup,
    /// The group that was meant is gone, and another one has its name.
    GroupReplaced,
    /// The member is suspended (what was given stays) or not yet approved (nothing is given).
    Suspended,
    /// The member took it back, and the group's files still need it.
    Returning,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupEntry {
    /// Its name.
    pub name: GroupName,
    /// Tells apart two groups of one name, one after the other.
    pub uid: GroupUid,
    /// Its disk.
    pub space: SpaceId,
    /// The home volume of its disk.
    pub volume: VolumeName,
    /// What the page calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Box<str>>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Box<str>>,
    /// How one joins.
    pub joining: Joining,
    /// Whether its files may be changed.
    pub access: GroupAccess,
    /// The limit of its disk, as committed on the volume.
    pub capacity: Bytes,
    /// Who takes part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
    /// Who is admitted but has not joined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invited: Vec<Invitation>,
    /// Who wants to join but is not admitted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Request>,
}

/// How one joins a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Joining {
    /// Who may.
    pub policy: JoinPolicy,
    /// As what, where the policy is open.
    pub default_role: Role,
    /// The least that one must give.
    pub minimum: Bytes,
}

/// Who may join a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinPolicy {
    /// Whoever gives enough.
    Open,
    /// Whom an owner admits; others may ask.
    OnRequest,
    /// Whom an owner admits; nobody else is heard.
    InviteOnly,
}

/// Whether a group's files may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupAccess {
    /// By those whose role allows it.
    ReadWrite,
    /// By nobody: an archive.
    ReadOnly,
}

/// A member who takes part in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Who.
    pub member: MemberUid,
    /// The member's name.
    pub name: MemberName,
    /// As what.
    pub role: Role,
    /// What the member wants to give.
    pub size: Bytes,
    /// What counts for the group at the moment.
    pub granted: Bytes,
}

/// A member whom a group has admitted and who has not joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Who; there need not be such a member yet.
    pub name: MemberName,
    /// As what.
    pub role: Role,
}

/// A member who wants to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Who.
    pub name: MemberName,
    /// What the member would give.
    pub size: Bytes,
}
