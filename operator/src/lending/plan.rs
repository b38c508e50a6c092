//! The next steps.

use std::collections::{BTreeMap, BTreeSet};

use api::bytes::Bytes;
use api::ids::{GroupUid, MemberUid, SpaceId, VolumeName};

use super::books::{Books, GroupBook, MemberBook, Standing};
use super::grants;

/// What is lent to each group.
pub type Grants = BTreeMap<GroupUid, Bytes>;

/// What to do next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Limits to commit.
    pub limits: Vec<LimitStep>,
    /// Members whose status is to say something new is lent: all that it is to say.
    pub grants: BTreeMap<MemberUid, Grants>,
    /// Members who left: nothing of them is in force any more.
    pub members_gone: BTreeSet<MemberUid>,
    /// Groups that left: nothing of them is in force any more.
    pub groups_gone: BTreeSet<GroupUid>,
}

/// A limit to commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitStep {
    /// Of which space.
    pub space: SpaceId,
    /// Where it lies.
    pub volume: VolumeName,
    /// What is wished for.
    pub target: Bytes,
    /// What it may not pass.
    pub ceiling: Bytes,
    /// Why.
    pub purpose: Purpose,
}

/// Why a limit is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// It is not as it should be.
    Change,
    /// Something is to be lent or taken back, as far as it is not in use: to be tried again from time to time.
    Move,
    /// What is in force is not known.
    Learn,
}

/// Finds the next steps.
pub fn plan(books: &Books) -> Plan {
    let groups = balances(books);
    let mut plan = Plan::default();
    for (uid, group) in &books.groups {
        let balance = groups.get(uid).copied().unwrap_or_default();
        plan.limits.extend(group_step(group, balance));
        let closed = group.disk.is_some_and(|disk| disk.limit == Bytes::ZERO);
        if group.standing == Standing::Leaves && closed && !balance.lent_by_any {
            plan.groups_gone.insert(*uid);
        }
    }
    for (uid, member) in &books.members {
        plan.limits.extend(member_step(member));
        if member.standing == Standing::Leaves && has_left(member, books, &groups) {
            plan.members_gone.insert(*uid);
        }
    }
    plan.grants = grants::next(books, &groups);
    plan
}

/// What there is to know of a group to find its limit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Balance {
    /// All that is lent to it for certain, by those who stay: its limit may be so high.
    pub(super) lent: Bytes,
    /// What of it is to stay: its limit is not to be below.
    pub(super) kept: Bytes,
    /// Whether a status speaks of anything lent to it.
    pub(super) lent_by_any: bool,
    /// Whether one of those statuses is not this leadership's yet: then less may be lent than it says.
    pub(super) unclaimed: bool,
}

fn balances(books: &Books) -> BTreeMap<GroupUid, Balance> {
    let mut balances: BTreeMap<GroupUid, Balance> = BTreeMap::new();
    for member in books.members.values() {
        let affordable = member.affordable();
        for (group, granted) in &member.granted {
            let stays = books.groups.get(group).is_some_and(|group| group.standing == Standing::Stays);
            let balance = balances.entry(*group).or_default();
            balance.lent_by_any |= granted.most > Bytes::ZERO;
            if member.standing == Standing::Leaves {
                continue;
            }
            balance.lent = balance.lent.saturating_add(granted.least);
            balance.unclaimed |= !member.claimed && granted.most > Bytes::ZERO;
            if stays {
                let wanted = affordable.get(group).copied().unwrap_or_default();
                balance.kept = balance.kept.saturating_add(wanted.min(granted.least));
            }
        }
    }
    balances
}

fn group_step(group: &GroupBook, balance: Balance) -> Option<LimitStep> {
    let (target, ceiling) = match group.standing {
        Standing::Stays if balance.unclaimed => return None,
        Standing::Stays => (balance.kept, balance.lent),
        Standing::Leaves => (Bytes::ZERO, Bytes::ZERO),
    };
    let purpose = purpose(group.disk.map(|disk| disk.limit), target, ceiling)?;
    Some(LimitStep { space: group.space, volume: group.volume.clone(), target, ceiling, purpose })
}

fn member_step(member: &MemberBook) -> Option<LimitStep> {
    if member.standing == Standing::Stays && !member.claimed {
        return None;
    }
    let (target, ceiling) = own_range(member);
    let purpose = purpose(member.own.map(|own| own.limit), target, ceiling)?;
    Some(LimitStep { space: member.space, volume: member.volume.clone(), target, ceiling, purpose })
}

/// What the own disk is to have: at most what is not lent, and less by what shall be lent.
pub(super) fn own_range(member: &MemberBook) -> (Bytes, Bytes) {
    if member.standing == Standing::Leaves {
        return (Bytes::ZERO, Bytes::ZERO);
    }
    let affordable = member.affordable();
    // What is wanted back is still out; what is wanted and not yet lent has to be made free.
    let to_lend: Bytes =
        affordable.iter().map(|(group, wanted)| wanted.saturating_sub(member.lent_to(*group).most)).sum();
    let ceiling = member.quota.saturating_sub(member.lent());
    (ceiling.saturating_sub(to_lend), ceiling)
}

fn purpose(limit: Option<Bytes>, target: Bytes, ceiling: Bytes) -> Option<Purpose> {
    let Some(limit) = limit else { return Some(Purpose::Learn) };
    if limit > ceiling || limit < target {
        Some(Purpose::Change)
    } else if target < limit {
        Some(Purpose::Move)
    } else {
        None
    }
}

/// Whether nothing that a leaving member had is in force any more.
fn has_left(member: &MemberBook, books: &Books, balances: &BTreeMap<GroupUid, Balance>) -> bool {
    let closed = member.own.is_some_and(|own| own.limit == Bytes::ZERO);
    closed
        && member.granted.iter().filter(|(_, granted)| granted.most > Bytes::ZERO).all(|(uid, _)| {
            let lent = balances.get(uid).map_or(Bytes::ZERO, |balance| balance.lent);
            books.groups.get(uid).and_then(|group| group.disk).is_some_and(|disk| disk.limit <= lent)
        })
}
