//! The statuses of one round: which differ, and writing them.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use api::ids::{GroupUid, MemberUid};
use api::kubernetes::condition::{ConditionStatus, ConditionType};
use futures::{StreamExt, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::strays::Told;
use super::write::{self, AT_ONCE, Rest, WriteError};
use crate::context::Context;
use crate::events::{Events, Told as Telling};
use crate::lending::Grants;
use crate::metrics::OperatorMetrics;

/// More are left for the next round, so that limits do not wait long for statuses.
pub(super) const MOST: usize = 512;

/// A status to write.
pub(super) struct StatusWrite<K: Told> {
    pub(super) object: Arc<K>,
    pub(super) status: K::Status,
    /// What it says is lent, if it is one of a Member.
    pub(super) grants: Option<(MemberUid, Grants)>,
}

/// What became of the writes.
pub(super) struct Written<K> {
    /// The objects as they are now, with what they say is lent.
    pub(super) done: Vec<(K, Option<MemberUid>)>,
    pub(super) rest: Rest,
}

impl<K> StatusWrite<K>
where
    K: Told,
    K::DynamicType: Default,
{
    /// Nothing, if that is what the object says already.
    pub(super) fn of(
        metrics: &OperatorMetrics,
        object: &Arc<K>,
        status: K::Status,
        grants: Option<(MemberUid, Grants)>,
    ) -> Option<Self> {
        if object.said() == Some(&status) {
            metrics.status(&K::kind(&K::DynamicType::default()), false);
            return None;
        }
        Some(Self { object: Arc::clone(object), status, grants })
    }
}

/// Writes them, and tells what changed for better or worse.
pub(super) async fn write_all<K>(context: &Context, mut writes: Vec<StatusWrite<K>>) -> Written<K>
where
    K: Told + Clone + DeserializeOwned + fmt::Debug + Send + Sync,
    K::DynamicType: Default,
{
    let kind = K::kind(&K::DynamicType::default()).into_owned();
    // Those first that are in use already: they may wait for something, new ones come in crowds.
    writes.sort_by_key(|write| write.object.said().map(K::conditions).is_none_or(|known| known.len() <= 1));
    let mut rest = Rest::left(writes.len() > MOST);
    writes.truncate(MOST);
    let answers: Vec<_> = stream::iter(writes)
        .map(|StatusWrite { object, status, grants }| async move {
            let answer = write::status(&context.client, &*object, &status).await;
            if answer.is_ok() {
                let before = object.said().map(K::conditions).unwrap_or_default();
                tell_changes(&context.events, &*object, before, K::conditions(&status)).await;
            }
            (object, grants.map(|(uid, _)| uid), answer)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut done = Vec::new();
    for (object, member, answer) in answers {
        match answer {
            Ok(mut written) => {
                context.metrics.status(&kind, true);
                written.meta_mut().managed_fields = None;
                done.push((written, member));
            }
            Err(WriteError::Changed) => rest = rest.max(Rest::Failed),
            Err(error) => {
                let name = object.name_any();
                tracing::warn!(kind, object = name, %error, "A status could not be written; it is tried again.");
                rest = rest.max(Rest::Failed);
            }
        }
    }
    Written { done, rest }
}

/// Tells of conditions that became false, or true again. What is told at first sight is told only if it is bad.
pub(super) async fn tell_changes<K>(events: &Events, object: &K, before: &[Condition], after: &[Condition])
where
    K: Resource,
    K::DynamicType: Default,
{
    for told in changes(before, after) {
        events.tell(object, told).await;
    }
}

fn changes(before: &[Condition], after: &[Condition]) -> Vec<Telling> {
    const TOLD: [ConditionType; 6] = [
        ConditionType::Ready,
        ConditionType::WithinQuota,
        ConditionType::AllocationsEffective,
        ConditionType::Funded,
        ConditionType::WithinCapacity,
        ConditionType::OwnerPresent,
    ];
    let (no, yes) = (ConditionStatus::False.as_str(), ConditionStatus::True.as_str());
    let find = |conditions: &[Condition], type_: ConditionType| {
        conditions.iter().find(|one| one.type_ == type_.as_str()).cloned()
    };
    let mut told = HashSet::new();
    TOLD.iter()
        .filter_map(|type_| {
            let now = find(after, *type_)?;
            let then = find(before, *type_);
            let (was, reason) =
                then.map_or((String::new(), String::new()), |then| (then.status, then.reason));
            // New groups have neither owner nor storage for a moment, which is no news.
            let expected = matches!(type_, ConditionType::Funded | ConditionType::OwnerPresent);
            let worse =
                now.status == no && (was != no || reason != now.reason) && !(expected && was.is_empty());
            let better = now.status == yes && was == no;
            let news = (worse || better) && now.reason != "Progressing" && told.insert(now.message.clone());
            let Condition { reason, message: note, .. } = now;
            news.then_some(Telling { warning: worse, reason, action: "Reconcile", note })
        })
        .collect()
}

/// Which statuses may say something that is not there yet.
#[derive(Debug, Default)]
pub(super) struct Moving {
    pub(super) groups: HashSet<GroupUid>,
}

impl Moving {
    /// Groups to which more or less is lent by statuses that are being written now.
    pub(super) fn of(grants: &BTreeMap<MemberUid, Grants>, before: impl Fn(MemberUid) -> Grants) -> Self {
        let mut groups = HashSet::new();
        for (member, after) in grants {
            let before = before(*member);
            let all = before.keys().chain(after.keys());
            groups.extend(all.filter(|group| before.get(group) != after.get(group)));
        }
        Self { groups }
    }
}

#[cfg(test)]
mod tests {
    use api::kubernetes::condition::{Finding, Reason, conditions};
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_becomes_worse_or_better_is_told_once() {
        let said = |before: &[Condition], findings: Vec<Finding>| {
            conditions(before, findings, Some(1), Timestamp::UNIX_EPOCH)
        };
        let ready = |yes: bool| match yes {
            true => Finding::is(ConditionType::Ready, Reason::Available, "the own disk can be used"),
            false => {
                Finding::is_not(ConditionType::Ready, Reason::SecretNotFound, "there is no Secret alice")
            }
        };
        let credential = Finding::is_not(
            ConditionType::CredentialReady,
            Reason::SecretNotFound,
            "there is no Secret alice",
        );
        let good = said(&[], vec![ready(true)]);
        let bad = said(&[], vec![ready(false), credential]);
        assert!(changes(&[], &good).is_empty(), "all is well at first sight");
        let told = changes(&[], &bad);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].warning && told[0].note.contains("alice") && told[0].reason == "SecretNotFound");
        assert!(changes(&bad, &bad).is_empty());
        let told = changes(&bad, &good);
        assert!(matches!(told.as_slice(), [one] if !one.warning), "{told:?}");
    }
}
