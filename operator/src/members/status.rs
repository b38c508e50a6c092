//! The status of a Member: pure.

mod allocations;

use std::collections::BTreeMap;

use api::bytes::Bytes;
use api::ids::GroupName;
use api::kubernetes::condition::{ConditionType, Finding, Reason, conditions, find, is_true};
use api::kubernetes::member::{MemberState, MemberStatus};
use api::role::Role;
use jiff::Timestamp;
use roster::{JoinPolicy, MemberEntry};

use super::account::{MemberAccount, Presence};
use crate::accounts::coarse::{coarse, percent};
use crate::lending::{Committed, Grants};
use allocations::Groups;

/// What a status is made of.
#[derive(Debug)]
pub(crate) struct MemberFacts<'a> {
    pub(crate) account: &'a MemberAccount,
    /// What the roster says; nothing while the member is not in it, or leaves.
    pub(crate) entry: Option<&'a MemberEntry>,
    /// What is to be lent from now on.
    pub(crate) grants: &'a Grants,
    /// The groups of the DiskCluster that are spoken of.
    pub(crate) groups: &'a BTreeMap<GroupName, GroupSeen>,
    /// The limit in force.
    pub(crate) own: Option<Committed>,
    /// Whether the limit in force is the one that is wanted.
    pub(crate) settled: bool,
    /// Why limits have not been committed for a while.
    pub(crate) trouble: Option<&'a str>,
    pub(crate) credential: &'a Credential,
    /// Whether the roster in which the member is was published.
    pub(crate) published: bool,
    /// Whether a write of other grants was not answered.
    pub(crate) in_doubt: bool,
    /// The term of this leadership, once it has begun.
    pub(crate) term: Option<i64>,
    /// Whether the member was written in it.
    pub(crate) claimed: bool,
}

/// What a member's status needs to know of a group.
#[derive(Clone, Debug)]
pub(crate) struct GroupSeen {
    pub(crate) uid: api::ids::GroupUid,
    pub(crate) policy: JoinPolicy,
    /// The roles of those who take part.
    pub(crate) roles: BTreeMap<api::ids::MemberUid, Role>,
}

/// What there is to sign in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A password, or an identity.
    There,
    /// Neither was asked for.
    NotAsked,
    /// It is being read.
    Pending,
    /// It cannot be had.
    Missing { reason: Reason, message: String },
}

/// The status to be written; nothing when it is too early to say anything.
pub(crate) fn status(facts: &MemberFacts<'_>, now: Timestamp) -> Option<MemberStatus> {
    let MemberFacts { account, entry, grants, groups, own, .. } = facts;
    let before = account.object.status.clone().unwrap_or_default();
    if !has_something_to_say(facts, &before) {
        return None;
    }
    let seen = Groups { account, entry: *entry, grants, groups };
    let allocations = seen.statuses();
    let limit = own.map(|own| own.limit).or(account.recorded_limit());
    let used = own.map(|own| coarse(own.used)).or(before.used.as_ref().and_then(|used| used.bytes().ok()));
    let taking_part = allocations.iter().filter(|one| one.role.is_some()).count();
    let generation = account.object.metadata.generation;
    let quota_in_force = if facts.settled { Some(account.quota.into()) } else { before.quota.clone() };
    Some(MemberStatus {
        observed_generation: generation,
        conditions: conditions(&before.conditions, findings(facts, &before, &seen), generation, now),
        space_id: Some(account.space.to_string()),
        volume: Some(account.volume.to_string()),
        quota: quota_in_force.or_else(|| Some(account.quota.into())),
        allocated: Some(grants.values().copied().sum::<Bytes>().into()),
        available: limit.map(Into::into),
        used: Some(used.unwrap_or_default().into()),
        used_percent: percent(used.unwrap_or_default(), limit.unwrap_or_default()),
        groups: Some(i32::try_from(taking_part).unwrap_or(i32::MAX)),
        allocations,
        last_sign_in_day: before.last_sign_in_day,
        term: facts.term.or(before.term),
    })
}

/// A first status waits until the limit is committed, so that one write says all; not for ever.
fn has_something_to_say(facts: &MemberFacts<'_>, before: &MemberStatus) -> bool {
    let MemberFacts { account, own, trouble, grants, credential, .. } = facts;
    if account.presence == Presence::Leaves && trouble.is_none() {
        return false;
    }
    let first = before.space_id.is_none();
    let waits = own.is_none() || (first && **credential == Credential::Pending);
    // Whoever was written by an earlier leader is written once more before anything is moved.
    let claim = !first && !facts.claimed && facts.term.is_some();
    !waits || claim || trouble.is_some() || facts.in_doubt || **grants != account.granted
}

fn findings(facts: &MemberFacts<'_>, before: &MemberStatus, seen: &Groups<'_>) -> Vec<Finding> {
    let mut findings = vec![ready(facts, before)];
    let ready = &findings[0];
    if ready.status == api::kubernetes::condition::ConditionStatus::False {
        let by_itself = matches!(
            ready.reason,
            Reason::Progressing | Reason::Waiting | Reason::NoDiskServer | Reason::Deleting
        );
        let type_ = if by_itself { ConditionType::Reconciling } else { ConditionType::Stalled };
        findings.push(Finding::is(type_, ready.reason, ready.message.clone()));
    }
    if facts.in_doubt {
        // With the version it differs from what is there in any case. So it makes a newer version, and what was not
        // answered cannot be done any more.
        findings.retain(|finding| finding.type_ != ConditionType::Reconciling);
        let version = facts.account.version();
        let message = format!("a write to version {version} was not answered; this one takes its place");
        findings.push(Finding::is(ConditionType::Reconciling, Reason::Progressing, message));
    }
    findings.push(credential(facts.credential));
    findings.extend(within_quota(facts, before));
    findings.push(seen.effective());
    findings
}

fn ready(facts: &MemberFacts<'_>, before: &MemberStatus) -> Finding {
    let MemberFacts { account, own, trouble, credential, published, settled, .. } = facts;
    let is_not = |reason, message: String| Finding::is_not(ConditionType::Ready, reason, message);
    let name = &account.name;
    match account.presence {
        Presence::Waits => {
            return is_not(
                Reason::StillInUse,
                format!(
                    "it was deleted, and groups still use what was given to them: it goes when that is free. To have \
                     it go at once: kubectl annotate member {name} internetdisk.dev/confirm-deletion={name}"
                ),
            );
        }
        Presence::Leaves => {
            return is_not(
                Reason::Deleting,
                "the own disk is being closed; its files stay on the volume".to_owned(),
            );
        }
        Presence::Stays => {}
    }
    if let Credential::Missing { reason, message } = credential {
        return is_not(*reason, message.clone());
    }
    match account.object.spec.state {
        MemberState::Pending => {
            return is_not(
                Reason::AwaitingApproval,
                format!(
                    "the member waits to be approved: kubectl patch member {name} --type=merge -p \
                     '{{\"spec\":{{\"state\":\"Active\"}}}}'"
                ),
            );
        }
        MemberState::Active | MemberState::Suspended => {}
    }
    let unchanged = before.observed_generation == account.object.metadata.generation;
    let was_ready = unchanged && is_true(&before.conditions, ConditionType::Ready);
    let settled = own.is_some() && *settled;
    if !was_ready && !settled {
        return match trouble {
            Some(trouble) => is_not(
                Reason::NoDiskServer,
                format!(
                    "the limit of the own disk cannot be committed at the moment; it is tried again: {trouble}"
                ),
            ),
            None => is_not(Reason::Progressing, "the limit of the own disk is being committed".to_owned()),
        };
    }
    if !was_ready && !published {
        return is_not(Reason::Progressing, "the roster with this member is being published".to_owned());
    }
    if !was_ready && **credential == Credential::Pending {
        return is_not(Reason::Progressing, "the password is being read".to_owned());
    }
    if account.object.spec.state == MemberState::Suspended {
        let message = "suspended: the member cannot sign in; files and what was given to groups stay";
        return Finding::is(ConditionType::Ready, Reason::Suspended, message);
    }
    Finding::is(ConditionType::Ready, Reason::Available, "the own disk can be used")
}

fn credential(credential: &Credential) -> Finding {
    let type_ = ConditionType::CredentialReady;
    match credential {
        Credential::There => Finding::is(type_, Reason::Available, "the member can sign in"),
        Credential::NotAsked => Finding::is_not(
            type_,
            Reason::NoCredential,
            "nobody can sign in as this member: name a Secret in spec.passwordSecretRef, or add spec.identities",
        ),
        Credential::Pending => Finding::unknown(type_, Reason::Progressing, "the password is being read"),
        Credential::Missing { reason, message } => Finding::is_not(type_, *reason, message.clone()),
    }
}

/// Stays as it was while nothing is known.
fn within_quota(facts: &MemberFacts<'_>, before: &MemberStatus) -> Option<Finding> {
    let type_ = ConditionType::WithinQuota;
    let Some(own) = facts.own else {
        let known = find(&before.conditions, type_)?;
        return Some(match known.status.as_str() {
            "True" => Finding::is(type_, Reason::WithinLimit, known.message.clone()),
            _ => Finding::is_not(type_, Reason::OverLimit, known.message.clone()),
        });
    };
    let lent: Bytes = facts.grants.values().copied().sum();
    if lent > facts.account.quota {
        let message = format!(
            "the quota is {}, and groups still use {lent} of what was given to them: the own disk takes nothing more \
             until they use less",
            facts.account.quota
        );
        return Some(Finding::is_not(type_, Reason::OverLimit, message));
    }
    Some(if own.used <= own.limit {
        Finding::is(type_, Reason::WithinLimit, "no more is used than the own disk may hold")
    } else {
        Finding::is_not(
            type_,
            Reason::OverLimit,
            format!(
                "{} are used, and the own disk may hold {}: nothing is deleted, and nothing more is taken until files \
                 are deleted or the quota is raised",
                coarse(own.used),
                own.limit
            ),
        )
    })
}
