//! What became of each allocation.

use std::collections::BTreeMap;

use api::bytes::Bytes;
use api::ids::{GroupName, GroupUid};
use api::kubernetes::condition::{ConditionType, Finding, Reason};
use api::kubernetes::member::{AllocationState as SaidState, AllocationStatus};
use roster::{AllocationState, JoinPolicy, MemberEntry};

use super::GroupSeen;
use crate::lending::Grants;
use crate::members::MemberAccount;

/// More are not told one by one: a message is for people.
const MOST_TOLD: usize = 3;

pub(super) struct Groups<'a> {
    pub(super) account: &'a MemberAccount,
    pub(super) entry: Option<&'a MemberEntry>,
    pub(super) grants: &'a Grants,
    pub(super) groups: &'a BTreeMap<GroupName, GroupSeen>,
}

impl Groups<'_> {
    /// One for each allocation, and for each that was taken back and is still out. They are kept whatever else is
    /// known: they are the account of what is lent.
    pub(super) fn statuses(&self) -> Vec<AllocationStatus> {
        let mut statuses: BTreeMap<&GroupName, AllocationStatus> = BTreeMap::new();
        for wanted in &self.account.allocations {
            let seen = self.groups.get(&wanted.group);
            let uid = seen.map(|seen| seen.uid);
            let granted = uid.and_then(|uid| self.grants.get(&uid)).copied().unwrap_or_default();
            let role = seen.and_then(|seen| seen.roles.get(&self.account.uid)).copied();
            let state = self.state(&wanted.group);
            statuses.insert(
                &wanted.group,
                AllocationStatus {
                    group: wanted.group.to_string(),
                    group_uid: uid.map(|uid| uid.to_string()),
                    size: Some(wanted.size.into()),
                    granted: Some(granted.into()),
                    state: said(state.unwrap_or(AllocationState::Requested)),
                    role,
                },
            );
        }
        for (uid, granted) in self.grants {
            let Some(group) = self.name_of(*uid) else { continue };
            let told =
                statuses.get(group).is_some_and(|told| told.group_uid.as_deref() == Some(&uid.to_string()));
            if told || *granted == Bytes::ZERO {
                continue;
            }
            // Also where another group has the name now: nothing is lent to that one before this has come back.
            let size = statuses.get(group).and_then(|told| told.size.clone());
            statuses.insert(
                group,
                AllocationStatus {
                    group: group.to_string(),
                    group_uid: Some(uid.to_string()),
                    size,
                    granted: Some((*granted).into()),
                    state: SaidState::Returning,
                    role: None,
                },
            );
        }
        statuses.into_values().collect()
    }

    fn name_of(&self, uid: GroupUid) -> Option<&GroupName> {
        let known = || self.groups.iter().find(|(_, seen)| seen.uid == uid).map(|(name, _)| name);
        self.account.lent_to.get(&uid).or_else(known)
    }

    fn state(&self, group: &GroupName) -> Option<AllocationState> {
        let entry = self.entry?.allocations.iter().find(|entry| entry.group == *group)?;
        Some(entry.state)
    }

    /// Whether everything counts that was given; the first reason why not, and what to do about each.
    pub(super) fn effective(&self) -> Finding {
        let type_ = ConditionType::AllocationsEffective;
        let mut problems: Vec<(Reason, String)> = self
            .account
            .allocations
            .iter()
            .filter_map(|wanted| self.problem(&wanted.group, wanted.size))
            .collect();
        for (uid, granted) in self.grants {
            let Some(group) = self.name_of(*uid) else { continue };
            let wanted = self.account.allocations.iter().find(|wanted| wanted.group == *group);
            let size = wanted.map_or(Bytes::ZERO, |wanted| wanted.size);
            if *granted > size {
                let out = granted.saturating_sub(size);
                problems.push((
                    Reason::StillInUse,
                    format!("the files of group {group} still need {out} that were taken back: they return as files are deleted"),
                ));
            }
        }
        let Some((reason, _)) = problems.first() else {
            return if self.account.allocations.is_empty() {
                Finding::is(type_, Reason::NothingAllocated, "nothing is given to groups")
            } else {
                Finding::is(type_, Reason::AllGranted, "all that is given to groups counts there")
            };
        };
        let mut told: Vec<&str> = problems.iter().take(MOST_TOLD).map(|(_, told)| told.as_str()).collect();
        let more = format!("and {} more like these", problems.len().saturating_sub(MOST_TOLD));
        if problems.len() > MOST_TOLD {
            told.push(&more);
        }
        Finding::is_not(type_, *reason, told.join("; "))
    }

    fn problem(&self, group: &GroupName, size: Bytes) -> Option<(Reason, String)> {
        let seen = self.groups.get(group);
        let name = &self.account.name;
        Some(match self.state(group)? {
            AllocationState::Active | AllocationState::Suspended => {
                let granted = seen.and_then(|seen| self.grants.get(&seen.uid)).copied().unwrap_or_default();
                let takes_part = seen.is_some_and(|seen| seen.roles.contains_key(&self.account.uid));
                if !takes_part {
                    (
                        Reason::AwaitingApproval,
                        format!("{size} for group {group} count once the member is approved"),
                    )
                } else if granted < size {
                    (
                        Reason::PartlyGranted,
                        format!(
                            "of {size} for group {group} only {granted} count, because the own disk uses the rest: delete \
                             files there, raise the quota, or give less"
                        ),
                    )
                } else {
                    return None;
                }
            }
            AllocationState::Requested => match seen.map(|seen| seen.policy) {
                Some(JoinPolicy::InviteOnly) => (
                    Reason::NotAdmitted,
                    format!(
                        "group {group} is closed: an owner has to add {name} to spec.members of the group"
                    ),
                ),
                Some(JoinPolicy::Open | JoinPolicy::OnRequest) | None => (
                    Reason::NotAdmitted,
                    format!(
                        "group {group} has not admitted the member yet: an owner has to add {name} to spec.members"
                    ),
                ),
            },
            AllocationState::BelowMinimum => (
                Reason::NotAdmitted,
                format!(
                    "group {group} asks for more than {size}: see spec.joining.minimumContribution of the group"
                ),
            ),
            AllocationState::Blocked => (
                Reason::NotAdmitted,
                format!("group {group} has blocked the member: take the allocation away"),
            ),
            AllocationState::NoSuchGroup => (
                Reason::GroupNotFound,
                format!(
                    "there is no group {group} in this DiskCluster: create it, or take the allocation away"
                ),
            ),
            AllocationState::GroupReplaced => (
                Reason::GroupNotFound,
                format!(
                    "the group {group} that was meant is gone, and another has its name: take groupUID out of the \
                     allocation to give to the new one, or take the allocation away"
                ),
            ),
            AllocationState::Returning => return None,
        })
    }
}

fn said(state: AllocationState) -> SaidState {
    match state {
        AllocationState::Active => SaidState::Active,
        AllocationState::Requested => SaidState::Requested,
        AllocationState::BelowMinimum => SaidState::BelowMinimum,
        AllocationState::Blocked => SaidState::Blocked,
        AllocationState::NoSuchGroup => SaidState::NoSuchGroup,
        AllocationState::GroupReplaced => SaidState::GroupReplaced,
        AllocationState::Suspended => SaidState::Suspended,
        AllocationState::Returning => SaidState::Returning,
    }
}
