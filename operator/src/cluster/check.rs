//! Whether each volume was tried out, and what came of it: pure, from what was observed. Two pods do it
//! (`disk-pod check-volume`), before the first disk server starts on a volume and again with every version; what they
//! say last is read from their status.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use api::kubernetes::DiskCluster;
use api::kubernetes::condition::Reason;
use api::kubernetes::disk_cluster::status::{Conformance, VolumeCheckStatus};
use api::kubernetes::disk_cluster::volume::Volume;
use api::kubernetes::labels::CHECK;
use api::kubernetes::names::{CHECKERS, Names};
use api::volume_check::{Verdict, VolumeCheck};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};
use kube::ResourceExt;

use super::build::version;
use super::observe::Observed;
use super::status::trouble;

/// A check that came to nothing, or found a volume unsuitable, is made anew after so long.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Pods that began within so long of each other were there at the same time: each waits for a minute.
const TOGETHER: SignedDuration = SignedDuration::from_secs(30);

/// The second of two pods may come to be known so much later than the first.
const YOUNG: SignedDuration = SignedDuration::from_secs(10);

/// How a volume stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Which.
    pub volume: String,
    /// What is checked: another word for another claim, version or cluster.
    pub key: String,
    /// What is known.
    pub conformance: Conformance,
    /// Why, or what is slow; of one that is still under way, where it stands.
    pub message: String,
    /// Whether disk servers use it already. Then a check that goes badly is told and nothing is stopped.
    pub in_use: bool,
    /// What is to be done about its pods.
    pub next: Next,
}

/// What is to be done about the pods of a check.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Nothing.
    Nothing,
    /// They are to be made.
    Start,
    /// They are to go.
    Clear(Vec<Arc<Pod>>),
}

/// Looks at every volume whose claim is there.
pub fn look(cluster: &DiskCluster, observed: &Observed, image_version: &str, now: Timestamp) -> Vec<Checked> {
    let names = Names::of(cluster.name_any());
    let version = version(cluster, image_version);
    let one = |volume: &Volume| {
        let claim_name = names.claim_of(volume);
        let claim = observed.claims.get(&claim_name)?;
        let adopted = cluster.spec.adopt_cluster_uid.as_deref().unwrap_or_default();
        let key = [version.as_str(), claim.metadata.uid.as_deref().unwrap_or_default(), adopted].join(" ");
        let in_use = mounts(observed, &claim_name);
        let pods: Vec<_> = (1..=CHECKERS)
            .filter_map(|number| observed.check_pods.get(&names.check_pod(&volume.name, number)).cloned())
            .collect();
        let (conformance, message, next) = standing(said(cluster, volume), &key, pods, now);
        Some(Checked { volume: volume.name.clone(), key, conformance, message, in_use, next })
    };
    cluster.spec.volumes.iter().filter_map(one).collect()
}

/// What the status says of a volume.
fn said<'c>(cluster: &'c DiskCluster, volume: &Volume) -> Option<(Conformance, &'c VolumeCheckStatus)> {
    let status = cluster.status.as_ref()?.volumes.iter().find(|one| one.name == volume.name)?;
    Some((status.conformance?, status.check.as_ref()?))
}

/// Whether the disk servers that there are mount a claim.
fn mounts(observed: &Observed, claim: &str) -> bool {
    let template = observed.stateful_set.as_ref().and_then(|set| set.spec.as_ref()?.template.spec.as_ref());
    let volumes = template.and_then(|pod| pod.volumes.as_deref()).unwrap_or_default();
    let claims = volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
    claims.into_iter().any(|one| one.claim_name == claim)
}

fn standing(
    said: Option<(Conformance, &VolumeCheckStatus)>,
    key: &str,
    pods: Vec<Arc<Pod>>,
    now: Timestamp,
) -> (Conformance, String, Next) {
    let known = said.filter(|(_, check)| check.key == key);
    let gone = |pods: Vec<Arc<Pod>>| if pods.is_empty() { Next::Nothing } else { Next::Clear(pods) };
    if let Some((Conformance::Passed, check)) = known {
        return (Conformance::Passed, check.message.clone(), gone(pods));
    }
    let before = known.filter(|(conformance, _)| *conformance == Conformance::Failed);
    let (conformance, message) = match before {
        Some((_, check)) => (Conformance::Failed, check.message.clone()),
        None => (Conformance::Unknown, "it is being tried out by two pods".to_owned()),
    };
    if pods.is_empty() {
        return (conformance, message, Next::Start);
    }
    if pods.len() < CHECKERS as usize && pods.iter().any(|pod| is_young(pod, now)) {
        // The other was made just after it.
        return (conformance, message, Next::Nothing);
    }
    let ours = |pod: &Arc<Pod>| pod.annotations().get(CHECK).is_some_and(|one| one == key);
    let together: BTreeSet<_> = pods.iter().map(|pod| pod.annotations().get(RENDEZVOUS)).collect();
    if pods.len() < CHECKERS as usize || !pods.iter().all(ours) || together.len() != 1 {
        // Of another check, or left by an operator that died between the two.
        return (conformance, message, Next::Clear(pods));
    }
    let ends: Vec<_> = pods.iter().map(|pod| end(pod)).collect();
    let outcomes: Vec<VolumeCheck> =
        ends.iter().flatten().filter_map(|end| serde_json::from_str(end.message.as_deref()?).ok()).collect();
    let stale = ends.iter().flatten().filter_map(|end| end.finished_at.as_ref()).max();
    let stale = stale.is_some_and(|finished| now.duration_since(finished.0) > AGAIN_AFTER);
    let all_ended = ends.iter().all(Option::is_some);
    let told = |verdict: Verdict| {
        outcomes.iter().filter(move |one| one.verdict == verdict).map(|one| one.message.as_str())
    };
    let sentences = |verdict| told(verdict).filter(|text| !text.is_empty()).collect::<BTreeSet<_>>();
    let joined = |verdict| sentences(verdict).into_iter().collect::<Vec<_>>().join("; ");
    let next = if stale { Next::Clear(pods.clone()) } else { Next::Nothing };
    if told(Verdict::Unsuitable).next().is_some() {
        return (Conformance::Failed, joined(Verdict::Unsuitable), next);
    }
    let lonely = told(Verdict::Alone).count();
    if lonely == pods.len() && !met(&ends) {
        let what = "the two pods that try it out did not run at the same time; it is done anew";
        return (conformance, what.to_owned(), Next::Clear(pods));
    }
    if lonely == pods.len() {
        return (Conformance::Failed, joined(Verdict::Alone), next);
    }
    if all_ended && lonely == 0 && outcomes.len() == pods.len() {
        return (Conformance::Passed, passed(&pods, &outcomes), Next::Nothing);
    }
    if all_ended {
        let words = ends.iter().flatten().filter_map(last_words).next().unwrap_or_default();
        return (conformance, format!("the check came to no end and is made anew: {words}"), next);
    }
    let next = if over(&pods) { Next::Clear(pods.clone()) } else { Next::Nothing };
    let troubled = pods.iter().filter(|pod| end(pod).is_none()).find_map(|pod| {
        let (reason, message) = trouble(pod, now)?;
        // It is never ready in the sense of a server.
        (reason != Reason::PodsNotReady).then(|| format!("{message} (pod {})", pod.name_any()))
    });
    match (before, troubled) {
        (None, Some(trouble)) => (conformance, format!("it is being tried out: {trouble}"), next),
        _ => (conformance, message, next),
    }
}

/// What is worth saying of a volume that does what is needed.
fn passed(pods: &[Arc<Pod>], outcomes: &[VolumeCheck]) -> String {
    let mut sentences: Vec<String> = Vec::new();
    for outcome in outcomes {
        if !outcome.message.is_empty() && !sentences.contains(&outcome.message) {
            sentences.push(outcome.message.clone());
        }
    }
    let nodes: BTreeSet<_> = pods.iter().filter_map(|pod| pod.spec.as_ref()?.node_name.as_ref()).collect();
    if let (1, Some(node)) = (nodes.len(), nodes.first()) {
        sentences.push(format!("it was tried out on the node {node} alone, for no other had room"));
    }
    sentences.join("; ")
}

/// On a pod of a check: the word by which those of one attempt find each other.
pub(super) const RENDEZVOUS: &str = "internetdisk.dev/check-rendezvous";

/// How the one container of a pod has ended.
fn end(pod: &Pod) -> Option<ContainerStateTerminated> {
    let container = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
    container.state.as_ref()?.terminated.clone()
}

/// Whether the pods ran at the same time long enough to find each other.
fn met(ends: &[Option<ContainerStateTerminated>]) -> bool {
    let began: Vec<_> =
        ends.iter().flatten().filter_map(|end| end.started_at.as_ref()).map(|time| time.0).collect();
    match (began.iter().min(), began.iter().max()) {
        (Some(first), Some(last)) => last.duration_since(*first) < TOGETHER,
        _ => true,
    }
}

fn is_young(pod: &Pod, now: Timestamp) -> bool {
    let made = pod.metadata.creation_timestamp.as_ref();
    made.is_some_and(|made| now.duration_since(made.0) < YOUNG)
}

/// Whether a pod was given up that never came to run, such as one whose volume could not be mounted in time.
fn over(pods: &[Arc<Pod>]) -> bool {
    pods.iter().any(|pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        phase == Some("Failed") && end(pod).is_none()
    })
}

fn last_words(end: &ContainerStateTerminated) -> Option<String> {
    let said = end.message.as_deref().filter(|said| serde_json::from_str::<VolumeCheck>(said).is_err());
    let line = said.and_then(|said| said.lines().rfind(|line| !line.trim().is_empty()));
    line.or(end.reason.as_deref()).map(|text| text.chars().take(300).collect())
}
