//! The controller of DiskClusters: volumes, keys, disk servers, web servers, and how all that is.

pub mod addresses;
mod apply;
pub mod build;
pub mod check;
mod deletion;
pub mod keys;
pub mod observe;
mod register;
pub mod settings;
pub mod status;
pub mod validate;

use std::sync::Arc;
use std::time::Duration;

use api::ids::ClusterUid;
use api::kubernetes::DiskCluster;
use api::kubernetes::condition::{ConditionStatus, ConditionType, Reason, find};
use api::kubernetes::disk_cluster::DiskClusterStatus;
use api::kubernetes::disk_cluster::operation::Reconciliation;
use api::kubernetes::labels::MANAGER_OPERATOR;
use api::kubernetes::names::Names;
use jiff::Timestamp;
use kube::ResourceExt;
use roster::TicketKey;

use crate::apply::{Applier, ApplyError, REPAIRED_WITHIN};
use crate::context::Context;
use crate::controller::{Key, Next, Reconciler, chain};
use crate::events::Told;
use crate::prepared::{DiskPod, Prepared};
use addresses::Addresses;
use apply::Pods;
use build::Surroundings;
use check::Checked;
use keys::{Keys, KeysError};
use observe::Observed;
use status::{Found, Outcome};
use validate::{Problems, validate};

pub use register::register;

/// While something is amiss, it is looked at so often even if nothing seems to change.
const RESTLESS: Duration = Duration::from_secs(10);

/// Brings DiskClusters to what they should be.
struct Clusters {
    context: Arc<Context>,
    applier: Applier,
}

/// Why a DiskCluster is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The API server did not answer, or not as expected.
    #[error("the Kubernetes API: {0}")]
    Kubernetes(#[source] Box<kube::Error>),
    /// An object was not taken.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// There are no keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The API server gave an object that no object can be.
    #[error("the uid {0:?} is none")]
    Uid(Option<String>),
}

impl ClusterError {
    fn outcome(&self) -> Outcome {
        let reason = match self {
            Self::Keys(KeysError::Unreadable { .. }) => Reason::SecretUnusable,
            Self::Kubernetes(_) | Self::Apply(_) | Self::Keys(_) | Self::Uid(_) => Reason::ApplyFailed,
        };
        Outcome::Failed { reason, message: chain(self) }
    }
}

impl From<kube::Error> for ClusterError {
    fn from(error: kube::Error) -> Self {
        Self::Kubernetes(Box::new(error))
    }
}

impl Reconciler for Clusters {
    const NAME: &'static str = "disk-clusters";
    const AT_ONCE: usize = 4;
    type Error = ClusterError;

    async fn reconcile(&self, key: &Key) -> Result<Next, ClusterError> {
        let Some(cluster) = self.context.disk_clusters.get(key) else {
            self.context.prepared.set(key, None);
            return Ok(Next::AtChange);
        };
        let observed = observe::observe(&self.context, key, &cluster).await?;
        let mut outcome = Outcome::Applied;
        if cluster.metadata.deletion_timestamp.is_some() {
            if !deletion::is_held_back(&cluster, &observed.population) {
                deletion::put_away(&self.context, &self.applier, key, &cluster, &observed).await?;
                return Ok(Next::AtChange);
            }
            outcome = Outcome::HeldBack;
        }
        Box::pin(self.bring(key, &cluster, observed, outcome)).await
    }
}

impl Clusters {
    /// Steps two to five for a DiskCluster that is to be.
    async fn bring(
        &self,
        key: &Key,
        cluster: &DiskCluster,
        observed: Observed,
        mut outcome: Outcome,
    ) -> Result<Next, ClusterError> {
        let now = Timestamp::now();
        let uid = uid(cluster)?;
        let checks = check::look(cluster, &observed, &self.context.settings.image_version, now);
        let problems = validate(cluster, &observed, &checks);
        let addresses = Addresses::of(cluster, &observed.services, &observed.nodes);
        let mut ticket_keys = Vec::new();
        let mut due = None;
        let mut failure = None;
        if cluster.spec.reconciliation == Reconciliation::Paused {
            if outcome == Outcome::Applied {
                outcome = Outcome::Paused;
            }
            ticket_keys = self
                .context
                .prepared
                .get(key)
                .map(|one| one.settings.ticket_keys.clone())
                .unwrap_or_default();
        } else {
            match self.work(key, cluster, uid, &observed, &checks, &problems, &addresses, now).await {
                Ok(worked) => (ticket_keys, due) = worked,
                Err(error) => {
                    outcome = error.outcome();
                    failure = Some(error);
                }
            }
        }
        let found = Found {
            observed: &observed,
            problems: &problems,
            checks: &checks,
            addresses: &addresses,
            ticket_keys: &ticket_keys,
            uid,
            version: &self.context.settings.image_version,
            outcome: &outcome,
            now,
        };
        let wanted = status::status(cluster, &found);
        self.say(cluster, &wanted).await?;
        if let Some(error) = failure {
            return Err(error);
        }
        let ready = find(&wanted.conditions, ConditionType::Ready).is_some_and(|one| one.status == "True");
        let usual = if ready { REPAIRED_WITHIN } else { RESTLESS };
        let due = due.and_then(|due: Timestamp| Duration::try_from(due.duration_since(now)).ok());
        Ok(Next::After(due.map_or(usual, |due| due.max(Duration::from_secs(1)).min(usual))))
    }

    /// Steps three and four. Returns the keys in use and when they are due.
    #[expect(clippy::too_many_arguments, reason = "what the steps before it have found, each by its name")]
    async fn work(
        &self,
        key: &Key,
        cluster: &DiskCluster,
        uid: ClusterUid,
        observed: &Observed,
        checks: &[Checked],
        problems: &Problems,
        addresses: &Addresses,
        now: Timestamp,
    ) -> Result<(Vec<TicketKey>, Option<Timestamp>), ClusterError> {
        if cluster.metadata.deletion_timestamp.is_none() && !crate::finalizer::is_held(cluster) {
            crate::finalizer::hold(&self.context.client, MANAGER_OPERATOR, cluster).await?;
        }
        let Keys { operator, ticket_keys, disk, due } = keys::ensure(&self.context, cluster, now).await?;
        let settings = &self.context.settings;
        let around = Surroundings {
            uid,
            trust: operator.verifying_key().clone(),
            image_registry: settings.image_registry.clone(),
            image_version: settings.image_version.clone(),
            operator_namespace: settings.pod_namespace.clone(),
            claims: claim_sizes(observed),
        };
        // Told before anything is applied: clients leave a disk pod before it ends.
        self.context.prepared.set(
            key,
            Some(Prepared {
                uid,
                operator_key: Arc::new(operator),
                settings: settings::settings(cluster, addresses, ticket_keys.clone(), vec![disk]),
                disk_pods: disk_pods(addresses, observed),
            }),
        );
        let desired = build::build(cluster, &around, &apply::leaving(cluster, observed));
        let pods = match (problems.block(), problems.hold_disks()) {
            (true, _) => Pods::None,
            (false, true) => Pods::NoDisks,
            (false, false) => Pods::All,
        };
        apply::check(&self.context.client, &self.applier, cluster, &around, checks).await?;
        apply::apply(&self.applier, &desired, observed, pods).await?;
        apply::replace_lost(&self.applier, observed).await?;
        if !problems.block() {
            apply::tidy(&self.context.client, &self.applier, cluster, &desired, observed).await?;
        }
        Ok((ticket_keys, due))
    }

    /// Step five, with an event when Ready changes.
    async fn say(&self, cluster: &DiskCluster, wanted: &DiskClusterStatus) -> Result<(), ClusterError> {
        // The roster's part of the status is written by whoever publishes the roster.
        let current = cluster.status.clone().map(|status| DiskClusterStatus { roster: None, ..status });
        let Context { client, metrics, .. } = &*self.context;
        crate::status::write(client, metrics, MANAGER_OPERATOR, cluster, current.as_ref(), wanted).await?;
        let before = current.as_ref().and_then(|status| find(&status.conditions, ConditionType::Ready));
        let Some(ready) = find(&wanted.conditions, ConditionType::Ready) else { return Ok(()) };
        if before.is_none_or(|before| (&before.status, &before.reason) != (&ready.status, &ready.reason)) {
            let underway = [Reason::Progressing, Reason::VolumeCheckRunning].map(Reason::as_str);
            let warning =
                ready.status != ConditionStatus::True.as_str() && !underway.contains(&ready.reason.as_str());
            let told = Told {
                warning,
                reason: ready.reason.clone(),
                action: "Reconcile",
                note: ready.message.clone(),
            };
            self.context.events.tell(cluster, told).await;
        }
        Ok(())
    }
}

fn uid(cluster: &DiskCluster) -> Result<ClusterUid, ClusterError> {
    let uid = cluster.uid();
    uid.as_deref().and_then(|uid| uid.parse().ok()).ok_or(ClusterError::Uid(uid))
}

fn claim_sizes(observed: &Observed) -> Vec<(String, api::bytes::Bytes)> {
    let asked = |claim: &k8s_openapi::api::core::v1::PersistentVolumeClaim| {
        let requests = claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?;
        api::bytes::Bytes::parse_quantity(&requests.get("storage")?.0).ok()
    };
    observed.claims.iter().filter_map(|(name, claim)| Some((name.clone(), asked(claim)?))).collect()
}

fn disk_pods(addresses: &Addresses, observed: &Observed) -> Vec<DiskPod> {
    let known = addresses.disk_pods.iter().filter_map(|pod| {
        Some(DiskPod {
            name: pod.name.parse().ok()?,
            internal: pod.internal.clone()?,
            ready: observed.disk_pods.get(&pod.name).is_some_and(|pod| status::is_ready(pod)),
        })
    });
    known.collect()
}

/// The claims that a DiskCluster uses, made by the operator or not.
fn claim_names(cluster: &DiskCluster) -> Vec<String> {
    let names = Names::of(cluster.name_any());
    cluster.spec.volumes.iter().map(|volume| names.claim_of(volume)).collect()
}
