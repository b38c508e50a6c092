//! What statuses are to say is lent. A member can lend what the own disk was made to do without; a member gets back
//! what the group's disk was made to do without.

use std::collections::BTreeMap;

use api::bytes::Bytes;
use api::ids::{GroupUid, MemberUid};

use super::books::{Books, MemberBook, Standing};
use super::plan::{Balance, Grants};

/// Members whose status is to say something else.
pub(super) fn next(books: &Books, balances: &BTreeMap<GroupUid, Balance>) -> BTreeMap<MemberUid, Grants> {
    // What each group's limit leaves free of what is lent to the group. It is given back to one after the other.
    let mut free_of: BTreeMap<GroupUid, Bytes> = books
        .groups
        .iter()
        .filter_map(|(uid, group)| {
            let balance = balances.get(uid).filter(|balance| !balance.unclaimed)?;
            Some((*uid, balance.lent.saturating_sub(group.disk?.limit)))
        })
        .collect();
    let mut changed = BTreeMap::new();
    for (uid, member) in &books.members {
        if member.standing == Standing::Leaves || !member.claimed {
            continue;
        }
        let before: Grants = member.granted.iter().map(|(group, granted)| (*group, granted.least)).collect();
        let after = grants(member, books, &mut free_of);
        let uncertain = member.granted.values().any(|granted| !granted.is_certain());
        if uncertain || without_nothing(&before) != without_nothing(&after) {
            changed.insert(*uid, without_nothing(&after));
        }
    }
    changed
}

fn grants(member: &MemberBook, books: &Books, free_of: &mut BTreeMap<GroupUid, Bytes>) -> Grants {
    let affordable = member.affordable();
    let wanted = |group: &GroupUid| match books.groups.get(group).map(|group| group.standing) {
        Some(Standing::Stays) => affordable.get(group).copied().unwrap_or_default(),
        Some(Standing::Leaves) | None => Bytes::ZERO,
    };
    let mut grants = Grants::new();
    for (group, granted) in &member.granted {
        let wanted = wanted(group);
        let amount = if !granted.is_certain() {
            // Both ends are covered; which of them is written matters little, but it must be written.
            wanted.clamp(granted.least, granted.most)
        } else if wanted < granted.least {
            let free = free_of.entry(*group).or_default();
            let back = granted.least.saturating_sub(wanted).min(*free);
            *free = free.saturating_sub(back);
            granted.least.saturating_sub(back)
        } else {
            granted.least
        };
        grants.insert(*group, amount);
    }
    let Some(own) = member.own else { return grants };
    let mut free = member.quota.saturating_sub(own.limit).saturating_sub(member.lent());
    for group in affordable.keys() {
        let granted = member.lent_to(*group);
        if granted.is_certain() && wanted(group) > granted.least {
            let more = wanted(group).saturating_sub(granted.least).min(free);
            free = free.saturating_sub(more);
            grants.insert(*group, granted.least.saturating_add(more));
        }
    }
    grants
}

fn without_nothing(grants: &Grants) -> Grants {
    grants
        .iter()
        .filter(|(_, amount)| **amount > Bytes::ZERO)
        .map(|(group, amount)| (*group, *amount))
        .collect()
}
