//! What is true of a DiskCluster, and what to do about what is not.

use std::sync::Arc;

use api::bytes::Bytes;
use api::kubernetes::condition::{ConditionStatus, ConditionType, Finding, Reason};
use api::kubernetes::disk_cluster::operation::{Reconciliation, ServiceMode};
use api::kubernetes::disk_cluster::status::{CapacityStatus, DiskStatus, WebStatus};
use api::kubernetes::labels::CONFIRM_DELETION;
use api::kubernetes::{DiskCluster, Quantity};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::pods::{foreign, is_ready, trouble};
use super::{Found, Outcome};
use crate::cluster::build::{disk_replicas, web_replicas};

/// All findings; Ready first.
pub(super) fn findings(
    cluster: &DiskCluster,
    found: &Found<'_>,
    disk: &DiskStatus,
    web: &WebStatus,
    capacity: &CapacityStatus,
) -> Vec<Finding> {
    let parts = vec![
        volumes(found),
        disk_servers(cluster, found, disk),
        web_servers(cluster, found, web),
        reachable(cluster, found),
        sign_in(found),
    ];
    let up_to_date = up_to_date(cluster, found);
    let mut all = vec![ready(cluster, found, &parts)];
    let changing = [&up_to_date]
        .into_iter()
        .chain(&parts)
        .find(|finding| finding.status != ConditionStatus::True && finding.reason == Reason::Progressing);
    if let Some(changing) = changing.filter(|_| *found.outcome == Outcome::Applied) {
        all.push(Finding::is(ConditionType::Reconciling, Reason::Progressing, changing.message.clone()));
    }
    if let Some(stalled) = stalled(found) {
        all.push(stalled);
    }
    all.extend(parts);
    all.push(enough(cluster, capacity));
    all.push(up_to_date);
    if cluster.spec.reconciliation == Reconciliation::Paused {
        let message = "spec.reconciliation is Paused: the operator changes nothing until it is Active";
        all.push(Finding::is(ConditionType::Paused, Reason::Paused, message));
    }
    all
}

fn ready(cluster: &DiskCluster, found: &Found<'_>, parts: &[Finding]) -> Finding {
    let not = |reason, message: String| Finding::is_not(ConditionType::Ready, reason, message);
    match found.outcome {
        Outcome::Failed { reason, message } => {
            return not(*reason, format!("the operator tries again: {message}"));
        }
        Outcome::HeldBack => {
            let population = &found.observed.population;
            let message = format!(
                "it is to be deleted, and {} Members and {} Groups belong to it: delete them first, or confirm with \
                 kubectl annotate diskcluster {name} {CONFIRM_DELETION}={name}; it goes on serving meanwhile",
                population.members(),
                population.groups,
                name = cluster.name_any(),
            );
            return not(Reason::InUse, message);
        }
        Outcome::Applied | Outcome::Paused => {}
    }
    match parts.iter().find(|part| part.status != ConditionStatus::True) {
        Some(part) => not(part.reason, part.message.clone()),
        None => Finding::is(
            ConditionType::Ready,
            Reason::Available,
            format!(
                "{}, {}",
                serving("disk server", disk_replicas(cluster), disk_replicas(cluster)),
                serving("web server", web_replicas(cluster), web_replicas(cluster))
            ),
        ),
    }
}

/// What nothing but a change of the spec, or of what surrounds it, can mend.
fn stalled(found: &Found<'_>) -> Option<Finding> {
    let volume = found.problems.volumes.iter().find(|problem| problem.blocks);
    let volume = volume.map(|problem| (problem.reason, problem.message.clone()));
    let volume =
        volume.or_else(|| foreign(found.observed, found.now).map(|one| (Reason::VolumeForeign, one.message)));
    let route = found.problems.of(ConditionType::Reachable).map(|one| (one.reason, one.message.clone()));
    let (reason, message) = volume.or(route)?;
    Some(Finding::is(ConditionType::Stalled, reason, message))
}

fn volumes(found: &Found<'_>) -> Finding {
    let problems = &found.problems.volumes;
    if let (Some(foreign), true) = (foreign(found.observed, found.now), problems.is_empty()) {
        return Finding::is_not(ConditionType::VolumesReady, Reason::VolumeForeign, foreign.message);
    }
    match problems.iter().find(|problem| problem.blocks).or(problems.first()) {
        Some(problem) => Finding::is_not(
            ConditionType::VolumesReady,
            problem.reason,
            format!("volume {}: {}", problem.volume, problem.message),
        ),
        None => {
            let told = found.checks.iter().filter(|checked| !checked.message.is_empty());
            let told: Vec<String> =
                told.map(|checked| format!("; volume {}: {}", checked.volume, checked.message)).collect();
            let message = format!("every volume is bound and shared{}", told.concat());
            Finding::is(ConditionType::VolumesReady, Reason::Available, message)
        }
    }
}

/// The state of a set of pods, of which `ready` are ready and `wanted` are wanted.
struct Servers<'a> {
    type_: ConditionType,
    what: &'a str,
    ready: i32,
    wanted: u32,
    pods: Vec<&'a Arc<Pod>>,
}

fn servers(cluster: &DiskCluster, found: &Found<'_>, servers: Servers<'_>) -> Finding {
    let Servers { type_, what, ready, wanted, pods } = servers;
    let not = |reason, message: String| Finding::is_not(type_, reason, message);
    if cluster.spec.service.mode == ServiceMode::Offline {
        return not(
            Reason::Offline,
            "the service is off: set spec.service.mode to ReadWrite to have it back".to_owned(),
        );
    }
    if found.problems.block() {
        return not(Reason::Waiting, format!("no {what} is started before the volumes are ready"));
    }
    if type_ == ConditionType::DiskServersReady && found.problems.hold_disks() && ready == 0 {
        return not(Reason::Waiting, format!("no {what} is started before the volumes are tried out"));
    }
    if u32::try_from(ready).is_ok_and(|ready| ready >= wanted) {
        return Finding::is(type_, Reason::Available, serving(what, wanted, wanted));
    }
    let count = serving(what, u32::try_from(ready).unwrap_or_default(), wanted);
    if let Some(missing) = found.problems.of(ConditionType::DiskServersReady) {
        return not(missing.reason, format!("{count}: {}", missing.message));
    }
    let troubles = pods.into_iter().filter(|pod| !is_ready(pod)).filter_map(|pod| {
        let (reason, message) = trouble(pod, found.now)?;
        Some((reason, format!("{count}; {}: {message}", pod.name_any())))
    });
    // What somebody can do something about comes first.
    let urgency = |reason: &Reason| match reason {
        Reason::Progressing => 2,
        Reason::PodsNotReady => 1,
        _ => 0,
    };
    match troubles.min_by_key(|(reason, _)| urgency(reason)) {
        Some((reason, message)) => not(reason, message),
        None => not(Reason::Progressing, count),
    }
}

fn serving(what: &str, ready: u32, wanted: u32) -> String {
    format!("{what}s: {ready} of {wanted} serve")
}

fn disk_servers(cluster: &DiskCluster, found: &Found<'_>, disk: &DiskStatus) -> Finding {
    let pods = found.observed.disk_pods.values().collect();
    let (ready, wanted) = (disk.ready_replicas, disk_replicas(cluster));
    let type_ = ConditionType::DiskServersReady;
    servers(cluster, found, Servers { type_, what: "disk server", ready, wanted, pods })
}

fn web_servers(cluster: &DiskCluster, found: &Found<'_>, web: &WebStatus) -> Finding {
    let pods = found.observed.web_pods.values().collect();
    let (ready, wanted) = (web.ready_replicas, web_replicas(cluster));
    let type_ = ConditionType::WebServersReady;
    servers(cluster, found, Servers { type_, what: "web server", ready, wanted, pods })
}

fn reachable(cluster: &DiskCluster, found: &Found<'_>) -> Finding {
    if let Some(problem) = found.problems.of(ConditionType::Reachable) {
        return problem.clone();
    }
    let lacks = found.addresses.disk_pods.iter().find(|pod| pod.url.is_none()).map(|pod| pod.name.clone());
    let web = api::kubernetes::names::Names::of(cluster.name_any()).web();
    let lacks = found.addresses.web.is_none().then_some(web).or(lacks);
    match (lacks, &found.addresses.web) {
        (Some(service), _) if found.problems.block() => Finding::is_not(
            ConditionType::Reachable,
            Reason::Waiting,
            format!("Service {service} is made when the volumes are ready"),
        ),
        (Some(service), _) => Finding::is_not(
            ConditionType::Reachable,
            Reason::NoAddress,
            format!(
                "Service {service} has no address that clients can use yet: see kubectl describe service {service}"
            ),
        ),
        (None, Some(url)) => {
            Finding::is(ConditionType::Reachable, Reason::Succeeded, format!("the page is at {url}"))
        }
        (None, None) => Finding::unknown(ConditionType::Reachable, Reason::NoAddress, "no address is known"),
    }
}

fn sign_in(found: &Found<'_>) -> Finding {
    found.problems.of(ConditionType::SignInReady).cloned().unwrap_or_else(|| {
        Finding::is(ConditionType::SignInReady, Reason::Succeeded, "members sign in with their passwords")
    })
}

fn enough(cluster: &DiskCluster, capacity: &CapacityStatus) -> Finding {
    let bytes =
        |amount: &Option<Quantity>| amount.as_ref().and_then(|one| one.bytes().ok()).unwrap_or_default();
    let (total, promised) = (bytes(&capacity.total), bytes(&capacity.promised));
    let percent = u128::try_from(cluster.spec.policies.overcommit_percent).unwrap_or_default();
    if total == Bytes::ZERO {
        let message = "the size of the volumes is not known yet";
        return Finding::unknown(ConditionType::CapacitySufficient, Reason::Waiting, message);
    }
    if u128::from(promised.0) * 100 <= u128::from(total.0) * percent {
        let message = format!("{promised} of {total} are promised");
        return Finding::is(ConditionType::CapacitySufficient, Reason::Sufficient, message);
    }
    Finding::is_not(
        ConditionType::CapacitySufficient,
        Reason::Overcommitted,
        format!(
            "the quotas add up to {promised}, and the volumes hold {total}: enlarge a volume or add one, lower quotas, \
             or raise spec.policies.overcommitPercent (now {percent})"
        ),
    )
}

fn up_to_date(cluster: &DiskCluster, found: &Found<'_>) -> Finding {
    if let Some(problem) = found.problems.of(ConditionType::UpToDate) {
        return problem.clone();
    }
    let observed = found.observed;
    let disks = observed.stateful_set.as_ref().is_some_and(|set| {
        let status = set.status.clone().unwrap_or_default();
        status.observed_generation == set.metadata.generation
            && u32::try_from(status.updated_replicas.unwrap_or_default()) == Ok(disk_replicas(cluster))
    });
    let webs = observed.deployment.as_ref().is_some_and(|set| {
        let status = set.status.clone().unwrap_or_default();
        status.observed_generation == set.metadata.generation
            && u32::try_from(status.updated_replicas.unwrap_or_default()) == Ok(web_replicas(cluster))
            && status.replicas.unwrap_or_default() == status.updated_replicas.unwrap_or_default()
    });
    if disks && webs {
        let message = "every pod runs the version and the settings wanted";
        return Finding::is(ConditionType::UpToDate, Reason::Succeeded, message);
    }
    let reason = if found.problems.block() { Reason::Waiting } else { Reason::Progressing };
    Finding::is_not(ConditionType::UpToDate, reason, "pods are being started or exchanged")
}
