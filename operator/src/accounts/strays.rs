//! Members and Groups whose DiskCluster is not there, or not yet, or not any more.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use api::kubernetes::condition::{ConditionType, Finding, Reason, conditions, is_true};
use api::kubernetes::group::GroupStatus;
use api::kubernetes::member::MemberStatus;
use api::kubernetes::{Group, Member};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::finalizers::{self, is_held};
use super::newest::Newest;
use super::statuses::tell_changes;
use super::write::{self, AT_ONCE, Rest, WriteError};
use super::{DEBOUNCE, Named};
use crate::context::Context;
use crate::controller::{Key, Next};

/// A DiskCluster that is being made needs so long before it is worth a word.
const PATIENCE: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(2);

/// Why there is no DiskCluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// There is none of that name.
    NotFound,
    /// It is being deleted.
    Deleting,
}

/// Tells them, and lets those go that are being deleted: nobody serves their spaces, and nothing can be closed.
pub(super) async fn tell(context: &Context, key: &Key, named: Named, why: Why) -> Next {
    let Named { members, groups } = named;
    let name = &key.name;
    let finding = |kind: &str| match why {
        Why::NotFound => Finding::is_not(
            ConditionType::Ready,
            Reason::ClusterNotFound,
            format!(
                "there is no DiskCluster {name} in namespace {}: create it, or create this {kind} anew with a clusterRef \
                 that names one",
                key.namespace
            ),
        ),
        Why::Deleting => Finding::is_not(
            ConditionType::Ready,
            Reason::Deleting,
            format!("the DiskCluster {name} is being deleted"),
        ),
    };
    let members = stray(context, members, finding("Member")).await;
    let groups = stray(context, groups, finding("Group")).await;
    if members && groups { Next::AtChange } else { Next::After(AGAIN) }
}

/// Waits for the keys and addresses of a new DiskCluster; after a while, tells those who are not Ready.
pub(super) async fn wait(context: &Context, key: &Key, named: Named) -> Next {
    let name = &key.name;
    let finding = Finding::is_not(
        ConditionType::Ready,
        Reason::ClusterNotReady,
        format!("the DiskCluster {name} is not ready yet: kubectl describe diskcluster {name}"),
    );
    let now = Timestamp::now();
    let waits = |conditions: &[Condition], created: Option<Timestamp>| {
        let old = created.is_some_and(|created| now.duration_since(created).unsigned_abs() >= PATIENCE);
        old && !is_true(conditions, ConditionType::Ready)
    };
    let created = |meta: &kube::api::ObjectMeta| meta.creation_timestamp.as_ref().map(|time| time.0);
    let Named { mut members, mut groups } = named;
    let all = members.len() + groups.len();
    members.retain(|member| {
        member.metadata.deletion_timestamp.is_none()
            && waits(
                member.status.as_ref().map_or(&[], |status| &status.conditions),
                created(&member.metadata),
            )
    });
    groups.retain(|group| {
        group.metadata.deletion_timestamp.is_none()
            && waits(group.status.as_ref().map_or(&[], |status| &status.conditions), created(&group.metadata))
    });
    stray(context, members, finding.clone()).await;
    stray(context, groups, finding).await;
    if all == 0 { Next::AtChange } else { Next::After(AGAIN.max(DEBOUNCE)) }
}

/// Has conditions in its status.
pub(super) trait Told: Resource<Scope = NamespaceResourceScope> {
    type Status: Serialize + PartialEq + Clone + Default + Send;
    fn said(&self) -> Option<&Self::Status>;
    fn conditions(status: &Self::Status) -> &[Condition];
    fn with_conditions(
        status: Self::Status,
        conditions: Vec<Condition>,
        generation: Option<i64>,
    ) -> Self::Status;
}

impl Told for Member {
    type Status = MemberStatus;

    fn said(&self) -> Option<&MemberStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &MemberStatus) -> &[Condition] {
        &status.conditions
    }

    fn with_conditions(
        status: MemberStatus,
        conditions: Vec<Condition>,
        generation: Option<i64>,
    ) -> MemberStatus {
        MemberStatus { conditions, observed_generation: generation, ..status }
    }
}

impl Told for Group {
    type Status = GroupStatus;

    fn said(&self) -> Option<&GroupStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &GroupStatus) -> &[Condition] {
        &status.conditions
    }

    fn with_conditions(
        status: GroupStatus,
        conditions: Vec<Condition>,
        generation: Option<i64>,
    ) -> GroupStatus {
        GroupStatus { conditions, observed_generation: generation, ..status }
    }
}

/// A status that says of the conditions only this, and of all else what it said before: the account of what is lent must
/// not get lost.
pub(super) fn saying<K: Told>(object: &K, finding: Finding, now: Timestamp) -> K::Status {
    let before = object.said().cloned().unwrap_or_default();
    let stalled = Finding::is(ConditionType::Stalled, finding.reason, finding.message.clone());
    let generation = object.meta().generation;
    let conditions = conditions(K::conditions(&before), [finding, stalled], generation, now);
    K::with_conditions(before, conditions, generation)
}

/// Whether all were told, or let go.
async fn stray<K>(context: &Context, objects: Vec<Arc<K>>, finding: Finding) -> bool
where
    K: Told + Clone + DeserializeOwned + fmt::Debug + Send + Sync,
    K::DynamicType: Default,
{
    let (leaving, staying): (Vec<_>, Vec<_>) =
        objects.into_iter().partition(|object| object.meta().deletion_timestamp.is_some());
    let held = leaving.into_iter().filter(|object| is_held(&**object)).collect();
    let rest = finalizers::let_go(&context.client, held, &mut Newest::default()).await;
    let kind = K::kind(&K::DynamicType::default()).into_owned();
    let now = Timestamp::now();
    let told: Vec<bool> = stream::iter(staying)
        .map(|object| {
            let (kind, finding) = (&kind, finding.clone());
            async move {
                let status = saying(&*object, finding, now);
                let differs = object.said() != Some(&status);
                context.metrics.status(kind, differs);
                if !differs {
                    return true;
                }
                let before = object.said().map(K::conditions).unwrap_or_default().to_vec();
                match write::status(&context.client, &*object, &status).await {
                    Ok(_) => {
                        tell_changes(&context.events, &*object, &before, K::conditions(&status)).await;
                        true
                    }
                    Err(WriteError::Changed) => true,
                    Err(error) => {
                        tracing::warn!(kind, object = object.name_any(), %error, "A status could not be written.");
                        false
                    }
                }
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    rest == Rest::Nothing && told.into_iter().all(|told| told)
}
