//! The status of a Group: pure.

use api::bytes::Bytes;
use api::ids::MemberName;
use api::kubernetes::condition::{
    ConditionStatus, ConditionType, Finding, Reason, conditions, find, is_true,
};
use api::kubernetes::group::{Contribution, GroupStatus};
use api::role::Role;
use jiff::Timestamp;
use roster::GroupEntry;

use super::account::GroupAccount;
use crate::accounts::coarse::{coarse, percent};
use crate::lending::Committed;
use crate::members::Presence;

/// More contributions are not told one by one.
const MOST_TOLD: usize = 256;

/// What a status is made of.
#[derive(Debug)]
pub(crate) struct GroupFacts<'a> {
    pub(crate) account: &'a GroupAccount,
    /// What the roster says; nothing while the group is not in it, or leaves.
    pub(crate) entry: Option<&'a GroupEntry>,
    /// The limit in force.
    pub(crate) disk: Option<Committed>,
    /// Whether the limit in force is the one that is wanted.
    pub(crate) settled: bool,
    /// Why limits have not been committed for a while.
    pub(crate) trouble: Option<&'a str>,
    /// Whether the roster in which the group is was published.
    pub(crate) published: bool,
    /// Whether what is lent changes at this moment, so that the next status says more.
    pub(crate) moving: bool,
}

/// The status to be written; nothing when it is too early to say anything.
pub(crate) fn status(facts: &GroupFacts<'_>, now: Timestamp) -> Option<GroupStatus> {
    let GroupFacts { account, entry, disk, trouble, moving, .. } = facts;
    let leaves = account.presence == Presence::Leaves;
    if trouble.is_none() && (disk.is_none() || *moving || leaves) {
        return None;
    }
    let before = account.object.status.clone().unwrap_or_default();
    let limit = disk.map(|disk| disk.limit).or(account.recorded_limit());
    let used = disk.map(|disk| coarse(disk.used)).or(before.used.as_ref().and_then(|used| used.bytes().ok()));
    let generation = account.object.metadata.generation;
    let participants = entry.map(|entry| entry.participants.as_slice()).unwrap_or_default();
    let count = |number: usize| Some(i32::try_from(number).unwrap_or(i32::MAX));
    let mut contributions: Vec<Contribution> = participants
        .iter()
        .map(|participant| Contribution {
            member: participant.name.to_string(),
            member_uid: Some(participant.member.to_string()),
            size: participant.size.into(),
            granted: Some(participant.granted.into()),
            role: Some(participant.role),
        })
        .collect();
    if contributions.len() > MOST_TOLD {
        contributions.sort_by_key(|one| std::cmp::Reverse(one.size.bytes().unwrap_or_default()));
        contributions.truncate(MOST_TOLD);
    }
    contributions.sort_by(|a, b| a.member.cmp(&b.member));
    Some(GroupStatus {
        observed_generation: generation,
        conditions: conditions(&before.conditions, findings(facts, &before), generation, now),
        space_id: Some(account.space.to_string()),
        volume: Some(account.volume.to_string()),
        capacity: Some(limit.unwrap_or_default().into()),
        used: Some(used.unwrap_or_default().into()),
        used_percent: percent(used.unwrap_or_default(), limit.unwrap_or_default()),
        participants: count(participants.len()),
        invitations: count(entry.map_or(0, |entry| entry.invited.len())),
        requests: count(entry.map_or(0, |entry| entry.requests.len())),
        contributions,
    })
}

fn findings(facts: &GroupFacts<'_>, before: &GroupStatus) -> Vec<Finding> {
    let mut findings = vec![ready(facts, before)];
    let ready = &findings[0];
    if ready.status == ConditionStatus::False {
        findings.push(Finding::is(ConditionType::Reconciling, ready.reason, ready.message.clone()));
    }
    if let Some(disk) = facts.disk {
        findings.push(funded(facts, disk));
        findings.push(within_capacity(disk));
    } else {
        // They stay as they were while nothing is known.
        for (type_, yes, no) in [
            (ConditionType::Funded, Reason::Funded, Reason::NotFunded),
            (ConditionType::WithinCapacity, Reason::WithinLimit, Reason::OverLimit),
        ] {
            let known = find(&before.conditions, type_);
            findings.extend(known.map(|known| match known.status.as_str() {
                "True" => Finding::is(type_, yes, known.message.clone()),
                _ => Finding::is_not(type_, no, known.message.clone()),
            }));
        }
    }
    findings.extend(facts.entry.map(owner_present));
    findings
}

fn ready(facts: &GroupFacts<'_>, before: &GroupStatus) -> Finding {
    let GroupFacts { account, disk, settled, trouble, published, .. } = facts;
    let is_not = |reason, message: String| Finding::is_not(ConditionType::Ready, reason, message);
    let name = &account.name;
    match account.presence {
        Presence::Waits => {
            let used = disk.map_or(Bytes::ZERO, |disk| coarse(disk.used));
            return is_not(
                Reason::StillInUse,
                format!(
                    "it was deleted, and still holds files of {used}: it goes when they are deleted. To have it go at \
                     once, and keep the files on the volume: kubectl annotate group {name} \
                     internetdisk.dev/confirm-deletion={name}"
                ),
            );
        }
        Presence::Leaves => {
            return is_not(
                Reason::Deleting,
                "the disk is being closed; its files stay on the volume".to_owned(),
            );
        }
        Presence::Stays => {}
    }
    let unchanged = before.observed_generation == account.object.metadata.generation;
    let was_ready = unchanged && is_true(&before.conditions, ConditionType::Ready);
    if !was_ready && (disk.is_none() || !settled) {
        return match trouble {
            Some(trouble) => is_not(
                Reason::NoDiskServer,
                format!(
                    "the limit of the disk cannot be committed at the moment; it is tried again: {trouble}"
                ),
            ),
            None => is_not(Reason::Progressing, "the limit of the disk is being committed".to_owned()),
        };
    }
    if !was_ready && !published {
        return is_not(Reason::Progressing, "the roster with this group is being published".to_owned());
    }
    Finding::is(ConditionType::Ready, Reason::Available, "the disk can be used by those who take part")
}

fn funded(facts: &GroupFacts<'_>, disk: Committed) -> Finding {
    let type_ = ConditionType::Funded;
    if disk.limit > Bytes::ZERO {
        return Finding::is(type_, Reason::Funded, "members gave storage to it");
    }
    let message = match facts.entry {
        Some(entry) if !entry.requests.is_empty() => {
            let names: Vec<&str> =
                entry.requests.iter().take(3).map(|one| MemberName::as_str(&one.name)).collect();
            format!(
                "nothing can be stored yet. Some ask to join: {}. Add them to spec.members to admit them",
                names.join(", ")
            )
        }
        Some(_) | None => {
            "nothing can be stored before a member gives storage to it, in spec.allocations of the Member \
                           or on the page"
                .to_owned()
        }
    };
    Finding::is_not(type_, Reason::NotFunded, message)
}

fn within_capacity(disk: Committed) -> Finding {
    let type_ = ConditionType::WithinCapacity;
    if disk.used <= disk.limit {
        return Finding::is(type_, Reason::WithinLimit, "no more is used than members gave");
    }
    let message = format!(
        "{} are used, and members give {}: nothing is deleted, and nothing more is taken until files are deleted or \
         somebody gives more",
        coarse(disk.used),
        disk.limit
    );
    Finding::is_not(type_, Reason::OverLimit, message)
}

fn owner_present(entry: &GroupEntry) -> Finding {
    let type_ = ConditionType::OwnerPresent;
    if entry.participants.iter().any(|one| one.role == Role::Owner) {
        return Finding::is(type_, Reason::OwnerPresent, "an owner takes part");
    }
    let owners: Vec<&str> = entry
        .invited
        .iter()
        .filter(|one| one.role == Role::Owner)
        .take(3)
        .map(|one| one.name.as_str())
        .collect();
    let message = format!(
        "no owner takes part, so nobody can admit others on the page. An owner takes part by an allocation, of any size \
         from spec.joining.minimumContribution on: {}",
        if owners.is_empty() { "none is listed in spec.members".to_owned() } else { owners.join(", ") }
    );
    Finding::is_not(type_, Reason::NoOwner, message)
}
