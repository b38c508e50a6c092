//! What is said of a DiskCluster: pure, from what was observed and what was found.

mod conditions;
mod pods;
#[cfg(test)]
mod tests;

use api::bytes::Bytes;
use api::ids::ClusterUid;
use api::kubernetes::DiskCluster;
use api::kubernetes::condition::{ConditionType, Reason, conditions, find};
use api::kubernetes::disk_cluster::DiskClusterStatus;
use api::kubernetes::disk_cluster::status::{
    CapacityStatus, Conformance, DiskStatus, Endpoint, EndpointName, GroupCount, MemberCount,
    TicketKeyStatus, VolumeCheckStatus, VolumePhase, VolumeStatus, WebStatus,
};
use api::kubernetes::disk_cluster::volume::{Volume, VolumeState};
use api::kubernetes::labels::{Component, selector, selector_text};
use api::kubernetes::names::Names;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use roster::TicketKey;

use super::addresses::Addresses;
use super::build::{disk_replicas, version, web_replicas};
use super::check::Checked;
use super::observe::Observed;
use super::validate::Problems;

pub use pods::is_ready;
pub(super) use pods::trouble;

/// What happened to the work of this look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was applied.
    Applied,
    /// Something was not.
    Failed {
        /// In one word.
        reason: Reason,
        /// What was not, and why.
        message: String,
    },
    /// Nothing was tried.
    Paused,
    /// The object is on its way out, and held back by what belongs to it.
    HeldBack,
}

/// All that the status is made from, besides the object.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// What was observed.
    pub observed: &'a Observed,
    /// What is wrong.
    pub problems: &'a Problems,
    /// How the volumes stand that were tried out.
    pub checks: &'a [Checked],
    /// Where servers are reached.
    pub addresses: &'a Addresses,
    /// Keys that sign tickets.
    pub ticket_keys: &'a [TicketKey],
    /// The uid.
    pub uid: ClusterUid,
    /// The operator's version of the images.
    pub version: &'a str,
    /// What happened.
    pub outcome: &'a Outcome,
    /// Now.
    pub now: Timestamp,
}

/// Says what is to be written.
pub fn status(cluster: &DiskCluster, found: &Found<'_>) -> DiskClusterStatus {
    let before = cluster.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let volumes = volumes(cluster, found);
    let disk = disk(cluster, found);
    let web = web(cluster, found);
    let capacity = capacity(&volumes, found);
    let findings = conditions::findings(cluster, found, &disk, &web, &capacity);
    let generation = cluster.metadata.generation;
    let conditions = conditions(before, findings, generation, found.now);
    let up_to_date = find(&conditions, ConditionType::UpToDate)
        .is_some_and(|one| one.reason == Reason::Succeeded.as_str());
    let earlier = cluster.status.as_ref().and_then(|status| status.version.clone());
    let population = &found.observed.population;
    DiskClusterStatus {
        observed_generation: generation,
        conditions,
        version: if up_to_date { Some(version(cluster, found.version)) } else { earlier },
        endpoints: endpoints(found.addresses),
        capacity: Some(capacity),
        members: Some(MemberCount {
            total: population.members(),
            active: population.active,
            pending: population.pending,
            suspended: population.suspended,
        }),
        groups: Some(GroupCount { total: population.groups }),
        disk: Some(disk),
        web: Some(web),
        volumes,
        // Written by whoever publishes the roster.
        roster: None,
        ticket_keys: ticket_keys(found.ticket_keys),
    }
}

fn endpoints(addresses: &Addresses) -> Vec<Endpoint> {
    let endpoint = |name, url: &Option<String>| url.clone().map(|url| Endpoint { name, url });
    [endpoint(EndpointName::Web, &addresses.web), endpoint(EndpointName::Internal, &addresses.web_internal)]
        .into_iter()
        .flatten()
        .collect()
}

fn ticket_keys(keys: &[TicketKey]) -> Vec<TicketKeyStatus> {
    let shown = |TicketKey { key, not_after }: &TicketKey| TicketKeyStatus {
        id: key.id().to_string(),
        not_after: not_after.map(Time),
    };
    keys.iter().map(shown).collect()
}

fn capacity(volumes: &[VolumeStatus], found: &Found<'_>) -> CapacityStatus {
    let sizes = volumes.iter().filter_map(|volume| volume.capacity.as_ref()?.bytes().ok());
    let total: Bytes = sizes.sum();
    let population = &found.observed.population;
    let percent = match total {
        Bytes::ZERO => None,
        total => i32::try_from(u128::from(population.promised.0) * 100 / u128::from(total.0)).ok(),
    };
    CapacityStatus {
        total: Some(total.into()),
        promised: Some(population.promised.into()),
        used: Some(population.used.into()),
        promised_percent: percent,
    }
}

fn volumes(cluster: &DiskCluster, found: &Found<'_>) -> Vec<VolumeStatus> {
    let names = Names::of(cluster.name_any());
    let alone = cluster.spec.volumes.len() == 1;
    let foreign = pods::foreign(found.observed, found.now);
    let said = |volume: &Volume| {
        let claim_name = names.claim_of(volume);
        let claim = found.observed.claims.get(&claim_name);
        let problem = found.problems.volumes.iter().find(|problem| problem.volume == volume.name);
        let foreign = foreign.as_ref().filter(|foreign| foreign.volume == volume.name);
        let checked = found.checks.iter().find(|checked| checked.volume == volume.name);
        let unfit = problem.is_some_and(|problem| {
            matches!(problem.reason, Reason::VolumeUnsuitable | Reason::VolumeForeign)
        });
        let unbound = problem.filter(|problem| {
            !matches!(problem.reason, Reason::VolumeUnsuitable | Reason::VolumeCheckRunning)
        });
        let state = match (problem, volume.state) {
            _ if foreign.is_some() || unfit => VolumePhase::Failed,
            (Some(problem), _) if problem.blocks => VolumePhase::Failed,
            (Some(_), _) => VolumePhase::Pending,
            (None, VolumeState::Draining) => VolumePhase::Draining,
            (None, VolumeState::Active | VolumeState::Cordoned) => VolumePhase::Ready,
        };
        let class = claim.and_then(|claim| claim.spec.as_ref()?.storage_class_name.clone());
        VolumeStatus {
            name: volume.name.clone(),
            state,
            claim_name: Some(claim_name),
            cluster_uid: match (unbound, foreign) {
                (_, Some(foreign)) => Some(foreign.owner.clone()),
                (None, None) => Some(found.uid.to_string()),
                (Some(_), None) => None,
            },
            storage_class_name: class.filter(|class| !class.is_empty()),
            capacity: claim.and_then(size).filter(|_| unbound.is_none()).map(Into::into),
            used: (alone && unbound.is_none()).then(|| found.observed.population.used.into()),
            spaces: None,
            entry_format: None,
            conformance: checked.map(|checked| checked.conformance),
            check: checked.filter(|checked| checked.conformance != Conformance::Unknown).map(|checked| {
                VolumeCheckStatus { key: checked.key.clone(), message: checked.message.clone() }
            }),
            message: problem.map(|one| one.message.clone()).or(foreign.map(|one| one.message.clone())),
        }
    };
    cluster.spec.volumes.iter().map(said).collect()
}

/// What a claim holds, as the storage says.
fn size(claim: &PersistentVolumeClaim) -> Option<Bytes> {
    Bytes::parse_quantity(&claim.status.as_ref()?.capacity.as_ref()?.get("storage")?.0).ok()
}

fn disk(cluster: &DiskCluster, found: &Found<'_>) -> DiskStatus {
    let names = Names::of(cluster.name_any());
    let wanted = disk_replicas(cluster);
    let set = found.observed.stateful_set.as_ref().and_then(|set| set.status.clone()).unwrap_or_default();
    let ready = found.observed.disk_pods.iter().filter(|(name, pod)| {
        names.ordinal_of(name).is_some_and(|ordinal| ordinal < wanted) && is_ready(pod)
    });
    let ready = i32::try_from(ready.count()).unwrap_or(i32::MAX);
    DiskStatus {
        replicas: set.replicas,
        ready_replicas: ready,
        updated_replicas: set.updated_replicas.unwrap_or_default(),
        desired_replicas: i32::try_from(wanted).unwrap_or(i32::MAX),
        selector: selector_text(&selector(&names, Component::Disk)),
        summary: format!("{ready}/{wanted}"),
        pods: pods::disk_pods(cluster, found.observed, found.addresses, found.now),
    }
}

fn web(cluster: &DiskCluster, found: &Found<'_>) -> WebStatus {
    let wanted = web_replicas(cluster);
    let set = found.observed.deployment.as_ref().and_then(|set| set.status.clone()).unwrap_or_default();
    let ready = set.ready_replicas.unwrap_or_default();
    WebStatus {
        replicas: set.replicas.unwrap_or_default(),
        ready_replicas: ready,
        updated_replicas: set.updated_replicas.unwrap_or_default(),
        summary: format!("{ready}/{wanted}"),
    }
}
