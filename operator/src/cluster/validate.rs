//! What keeps a DiskCluster from being as it should be: pure, from what was observed.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use api::kubernetes::DiskCluster;
use api::kubernetes::condition::{ConditionType, Finding, Reason};
use api::kubernetes::disk_cluster::exposure::{ExposureType, Route, TlsMode};
use api::kubernetes::disk_cluster::sign_in::RegistrationMode;
use api::kubernetes::disk_cluster::status::Conformance;
use api::kubernetes::disk_cluster::volume::{ExpansionMode, Volume};
use api::kubernetes::names::Names;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;

use super::check::Checked;
use super::observe::Observed;

/// A volume that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeProblem {
    /// Which.
    pub volume: String,
    /// Why.
    pub reason: Reason,
    /// What to do.
    pub message: String,
    /// Whether pods must not be started on it. Else they may be what it waits for.
    pub blocks: bool,
    /// Whether disk pods wait for it, while all else is made.
    pub holds: bool,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// Of volumes.
    pub volumes: Vec<VolumeProblem>,
    /// Of everything else.
    pub others: Vec<Finding>,
}

impl Problems {
    /// Whether no pods may be started.
    pub fn block(&self) -> bool {
        self.volumes.iter().any(|problem| problem.blocks)
    }

    /// Whether no disk pods may be started, or changed, yet.
    pub fn hold_disks(&self) -> bool {
        self.block() || self.volumes.iter().any(|problem| problem.holds)
    }

    /// What was found about a condition, besides volumes.
    pub fn of(&self, type_: ConditionType) -> Option<&Finding> {
        self.others.iter().find(|finding| finding.type_ == type_)
    }
}

/// Checks a DiskCluster against what there is.
pub fn validate(cluster: &DiskCluster, observed: &Observed, checks: &[Checked]) -> Problems {
    let names = Names::of(cluster.name_any());
    let volumes = cluster.spec.volumes.iter().filter_map(|volume| {
        let claim = names.claim_of(volume);
        let (reason, message, blocks) = problem(cluster, volume, &claim, observed)?;
        Some(VolumeProblem { volume: volume.name.clone(), reason, message, blocks, holds: blocks })
    });
    let checked = checks.iter().filter_map(unfit);
    let reachable = unreachable(cluster);
    let sign_in = sign_in(cluster, observed);
    let servers = pull_secrets(observed);
    let supported = unsupported(cluster);
    Problems {
        volumes: volumes.chain(checked).collect(),
        others: [reachable, sign_in, servers, supported].into_iter().flatten().collect(),
    }
}

/// A volume that was not found fit for its use. One that is in use already goes on being used.
fn unfit(checked: &Checked) -> Option<VolumeProblem> {
    let Checked { volume, key: _, conformance, message, in_use, next: _ } = checked;
    let (reason, message) = match conformance {
        Conformance::Passed => return None,
        Conformance::Failed => (
            if message.contains("belongs to the DiskCluster with uid") {
                Reason::VolumeForeign
            } else {
                Reason::VolumeUnsuitable
            },
            format!(
                "{message}; it is looked at again every minute, and kubectl logs tells what was measured"
            ),
        ),
        Conformance::Unknown if *in_use => return None,
        Conformance::Unknown => (Reason::VolumeCheckRunning, message.clone()),
    };
    let blocks = *conformance == Conformance::Failed && !in_use;
    Some(VolumeProblem { volume: volume.clone(), reason, message, blocks, holds: !in_use })
}

fn problem(
    cluster: &DiskCluster,
    volume: &Volume,
    name: &str,
    observed: &Observed,
) -> Option<(Reason, String, bool)> {
    if let Some(owner) = taken(cluster, name, observed) {
        let message = format!(
            "claim {name} is used by DiskCluster {owner}, which was there first: name another claim, or delete one of \
             the two DiskClusters"
        );
        return Some((Reason::ClaimTaken, message, true));
    }
    let Some(claim) = observed.claims.get(name) else {
        if volume.existing_claim.is_some() {
            let message =
                format!("there is no claim {name}: create it, or name another one in existingClaim");
            return Some((Reason::ClaimNotFound, message, true));
        }
        return Some((Reason::Progressing, format!("claim {name} is being made"), false));
    };
    let spec = claim.spec.clone().unwrap_or_default();
    let modes = spec.access_modes.unwrap_or_default();
    if !modes.iter().any(|mode| mode == "ReadWriteMany") {
        let message = format!(
            "claim {name} is {}, and all disk servers write to it: use a claim that is ReadWriteMany",
            modes.join(", ")
        );
        return Some((Reason::ClaimNotShared, message, true));
    }
    if spec.volume_mode.as_deref() == Some("Block") {
        let message = format!("claim {name} is a block device: use a claim with volumeMode Filesystem");
        return Some((Reason::ClaimNotShared, message, true));
    }
    let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
    match phase {
        Some("Bound") => None,
        Some("Lost") => {
            let message =
                format!("claim {name} has lost its volume: restore the volume, or restore a copy of it");
            Some((Reason::ClaimLost, message, true))
        }
        _ => Some(pending(name, claim, observed)),
    }
}

fn pending(name: &str, claim: &PersistentVolumeClaim, observed: &Observed) -> (Reason, String, bool) {
    let class = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.clone()).unwrap_or_default();
    match observed.storage_classes.get(&class) {
        Some(false) => {
            let message = format!(
                "claim {name} waits for storage class {class}, which is not there: create the class, or delete the \
                 claim and name another class"
            );
            (Reason::StorageClassNotFound, message, true)
        }
        _ if class.is_empty() => {
            let message = format!(
                "claim {name} is not bound and names no storage class: create a ReadWriteMany volume for it, or mark \
                 a class as the default; see kubectl describe pvc {name}"
            );
            (Reason::ClaimPending, message, false)
        }
        _ => {
            let message = format!(
                "claim {name} is not bound to a volume of storage class {class} yet: see kubectl describe pvc {name}, \
                 and whether that class offers ReadWriteMany"
            );
            (Reason::ClaimPending, message, false)
        }
    }
}

/// The DiskCluster that uses a claim and was there before this one.
fn taken(cluster: &DiskCluster, claim: &str, observed: &Observed) -> Option<String> {
    let age = |one: &DiskCluster| (one.creation_timestamp().map(|time| time.0), one.uid());
    let uses = |other: &DiskCluster| {
        let names = Names::of(other.name_any());
        other.spec.volumes.iter().any(|volume| names.claim_of(volume) == claim)
    };
    let older = observed.others.iter().filter(|other| age(other) < age(cluster) && uses(other));
    older.max_by_key(|other| Reverse(age(other))).map(|other| other.name_any())
}

fn unreachable(cluster: &DiskCluster) -> Option<Finding> {
    let problem = |field: &str, route: &Route| {
        let kind = match route.type_ {
            ExposureType::Ingress => "Ingress",
            ExposureType::Gateway => "HTTPRoute",
            ExposureType::ClusterIP | ExposureType::NodePort | ExposureType::LoadBalancer => {
                return route.tls.as_ref().is_some_and(|tls| tls.mode != TlsMode::None).then(|| {
                    format!(
                        "the pods of this version do not end TLS: leave {field}.tls out, end TLS in front of the \
                         Services, and set {field}.advertise.scheme to HTTPS"
                    )
                });
            }
        };
        Some(format!(
            "this version makes no {kind}: make one yourself that leads to the Services, and set {field}.type to \
             ClusterIP, with advertise as clients see it"
        ))
    };
    let spec = &cluster.spec;
    let message = problem("spec.web.exposure", &spec.web.exposure.route)
        .or_else(|| problem("spec.disk.exposure", &spec.disk.exposure.route))?;
    Some(Finding::is_not(ConditionType::Reachable, Reason::NotSupported, message))
}

fn sign_in(cluster: &DiskCluster, observed: &Observed) -> Option<Finding> {
    let sign_in = &cluster.spec.sign_in;
    let not = |reason, message: String| Some(Finding::is_not(ConditionType::SignInReady, reason, message));
    if let Some((name, field)) = observed.missing_secrets.iter().find(|(_, field)| field.contains("signIn")) {
        return not(Reason::SecretNotFound, format!("Secret {name} of {field} is not there: create it"));
    }
    if sign_in.registration.mode != RegistrationMode::Closed {
        let message = "this version lets nobody register on the page: create the Members in Kubernetes";
        return not(Reason::NotSupported, message.to_owned());
    }
    None
}

fn pull_secrets(observed: &Observed) -> Option<Finding> {
    let (name, field) = observed.missing_secrets.iter().find(|(_, field)| field.contains("images"))?;
    let message = format!("Secret {name} of {field} is not there: create it, or leave it out");
    Some(Finding::is_not(ConditionType::DiskServersReady, Reason::SecretNotFound, message))
}

/// Settings that this version does not follow. What is asked for and not done must be said.
fn unsupported(cluster: &DiskCluster) -> Option<Finding> {
    let spec = &cluster.spec;
    let grows = |volume: &Volume| {
        volume.expansion.as_ref().is_some_and(|expansion| expansion.mode == ExpansionMode::Automatic)
    };
    let mut fields = Vec::new();
    if spec.disk.autoscaling.is_some() {
        fields.push("disk.autoscaling (there are minReplicas disk pods)");
    }
    if spec.volumes.iter().any(grows) {
        fields.push("volumes[].expansion (enlarge template.size yourself)");
    }
    if spec.monitoring.pod_monitor.is_enabled() || spec.monitoring.rules.is_enabled() {
        fields.push("monitoring (the pods are annotated for scraping)");
    }
    if fields.is_empty() {
        return None;
    }
    let message = format!("this version does not follow {}", fields.join(", nor "));
    Some(Finding::is_not(ConditionType::UpToDate, Reason::NotSupported, message))
}
