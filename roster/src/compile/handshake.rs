//! Membership is a handshake: the member's allocation and the group's entry. Either alone is a request or an
//! invitation, and changes nothing.

use api::role::Role;

use super::wanted::{AllocationWanted, GroupWanted, ListedRole, MemberWanted};
use crate::shard::{AllocationState, JoinPolicy, MemberState};

/// What becomes of an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Its state.
    pub state: AllocationState,
    /// The role of a member who takes part; only then is the allocation to be lent, else it is to come back. A
    /// suspended member still takes part: only signing in is not possible.
    pub role: Option<Role>,
}

/// Decides on one allocation; `group` is the group of the name that the allocation says, if there is one.
pub fn admission(
    member: &MemberWanted,
    allocation: &AllocationWanted,
    group: Option<&GroupWanted>,
) -> Admission {
    let refused = |state| Admission { state, role: None };
    let Some(group) = group else { return refused(AllocationState::NoSuchGroup) };
    if allocation.group_uid.is_some_and(|uid| uid != group.uid) {
        return refused(AllocationState::GroupReplaced);
    }
    let listed = group.members.iter().find(|listed| listed.means(member)).map(|listed| listed.role);
    let role = match (listed, group.joining.policy) {
        (Some(ListedRole::Blocked), _) => return refused(AllocationState::Blocked),
        (Some(ListedRole::Admitted(role)), _) => Some(role),
        (None, JoinPolicy::Open) => Some(group.joining.default_role),
        (None, JoinPolicy::OnRequest | JoinPolicy::InviteOnly) => None,
    };
    // Before the question of admission: a request for too little could not be granted as it stands.
    if allocation.size < group.joining.minimum {
        return refused(AllocationState::BelowMinimum);
    }
    match (role, member.state) {
        (None, _) => refused(AllocationState::Requested),
        (Some(_), MemberState::Pending) => refused(AllocationState::Suspended),
        (Some(role), MemberState::Suspended) => {
            Admission { state: AllocationState::Suspended, role: Some(role) }
        }
        (Some(role), MemberState::Active) => Admission { state: AllocationState::Active, role: Some(role) },
    }
}
