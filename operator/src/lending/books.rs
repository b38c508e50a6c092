//! What is known when quota is to be moved.

use std::collections::BTreeMap;

use api::bytes::Bytes;
use api::ids::{GroupUid, MemberUid, SpaceId, VolumeName};

use super::in_force::Committed;

/// All members and groups of a DiskCluster. Every member is there who has lent anything: a group's limit is measured by
/// what all of them lend.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// The members.
    pub members: BTreeMap<MemberUid, MemberBook>,
    /// The groups, those included that are gone and to which something is still lent.
    pub groups: BTreeMap<GroupUid, GroupBook>,
}

/// A member.
#[derive(Clone, Debug)]
pub struct MemberBook {
    /// The own disk.
    pub space: SpaceId,
    /// Where it lies.
    pub volume: VolumeName,
    /// The quota, as the spec has it.
    pub quota: Bytes,
    /// What the member wants to lend, to groups that admit it and stay.
    pub wanted: BTreeMap<GroupUid, Bytes>,
    /// What the status says is lent.
    pub granted: BTreeMap<GroupUid, Granted>,
    /// The limit of the own disk; none while it is not known for certain.
    pub own: Option<Committed>,
    /// Whether the member leaves.
    pub standing: Standing,
    /// Whether this leadership has written the status. Until then a write of the one before may still be done, and
    /// nothing that counts on what the status says is moved.
    pub claimed: bool,
}

/// A group.
#[derive(Clone, Debug)]
pub struct GroupBook {
    /// The group's disk.
    pub space: SpaceId,
    /// Where it lies.
    pub volume: VolumeName,
    /// The limit of the group's disk; none while it is not known for certain.
    pub disk: Option<Committed>,
    /// Whether the group leaves.
    pub standing: Standing,
}

/// Whether somebody stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Yes.
    Stays,
    /// No: the space is closed, whatever is in it, and what was lent does not count any more.
    Leaves,
}

/// What is lent to a group by a member. Two numbers, because a write whose answer was lost may have been done or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// At least so much: all that the group may count on.
    pub least: Bytes,
    /// At most so much: all that the member must do without.
    pub most: Bytes,
}

impl Granted {
    /// Nothing.
    pub const NOTHING: Self = Self::exactly(Bytes::ZERO);

    /// An amount that is known.
    pub const fn exactly(amount: Bytes) -> Self {
        Self { least: amount, most: amount }
    }

    /// Whether it is known which amount it is.
    pub fn is_certain(self) -> bool {
        self.least == self.most
    }
}

impl MemberBook {
    /// What is lent to the group.
    pub fn lent_to(&self, group: GroupUid) -> Granted {
        self.granted.get(&group).copied().unwrap_or(Granted::NOTHING)
    }

    /// All that the own disk must do without.
    pub fn lent(&self) -> Bytes {
        self.granted.values().map(|granted| granted.most).sum()
    }

    /// What the member wants to lend to the group, as far as the quota goes. The API server sees to it that the sum
    /// fits; an object from before that rule must not break ours.
    pub(super) fn affordable(&self) -> BTreeMap<GroupUid, Bytes> {
        let mut left = match self.standing {
            Standing::Stays => self.quota,
            Standing::Leaves => Bytes::ZERO,
        };
        let mut affordable = BTreeMap::new();
        for (group, size) in &self.wanted {
            let size = (*size).min(left);
            left = left.saturating_sub(size);
            affordable.insert(*group, size);
        }
        affordable
    }
}
