//! What each pod does, and what is the matter with it.

use api::kubernetes::DiskCluster;
use api::kubernetes::condition::Reason;
use api::kubernetes::disk_cluster::status::{DiskPodState, DiskPodStatus};
use api::kubernetes::names::Names;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;

use crate::cluster::addresses::Addresses;
use crate::cluster::build::disk_replicas;
use crate::cluster::observe::Observed;

/// A pod that runs for so long and is not ready is no longer one that starts.
const STARTS_WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// As many as the schema lets in.
const MOST: usize = 256;

/// Whether Kubernetes sends it clients.
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|(status, _)| status == "True")
        && pod.metadata.deletion_timestamp.is_none()
}

fn condition(pod: &Pod, type_: &str) -> Option<(String, Option<String>)> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|one| one.type_ == type_)?;
    Some((found.status.clone(), found.message.clone()))
}

fn container(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.first()
}

/// The disk pods that are wanted or there; those that need attention first, when there are too many to say all.
pub(super) fn disk_pods(
    cluster: &DiskCluster,
    observed: &Observed,
    addresses: &Addresses,
    now: Timestamp,
) -> Vec<DiskPodStatus> {
    let names = Names::of(cluster.name_any());
    let mut all: Vec<(u32, DiskPodStatus)> = Vec::new();
    let disk_pod = |name: String, pod: Option<&Pod>, url: Option<String>| {
        let mut said = disk_pod(name, pod, url, now);
        if observed.lost.iter().any(|lost| lost.name_any() == said.name) {
            said.state = DiskPodState::Gone;
            said.message = Some("its node does not answer; it is being replaced".to_owned());
        }
        said
    };
    for ordinal in 0..disk_replicas(cluster) {
        let name = names.disk_pod(ordinal);
        let url = addresses.disk_pods.iter().find(|pod| pod.name == name).and_then(|pod| pod.url.clone());
        all.push((ordinal, disk_pod(name.clone(), observed.disk_pods.get(&name).map(AsRef::as_ref), url)));
    }
    for (name, pod) in &observed.disk_pods {
        match names.ordinal_of(name) {
            Some(ordinal) if ordinal >= disk_replicas(cluster) => {
                all.push((ordinal, disk_pod(name.clone(), Some(pod), None)));
            }
            _ => {}
        }
    }
    if all.len() > MOST {
        all.sort_by_key(|(ordinal, pod)| (pod.state == DiskPodState::Serving, *ordinal));
        all.truncate(MOST);
    }
    all.sort_by_key(|(ordinal, _)| *ordinal);
    all.into_iter().map(|(_, pod)| pod).collect()
}

fn disk_pod(name: String, pod: Option<&Pod>, url: Option<String>, now: Timestamp) -> DiskPodStatus {
    let Some(pod) = pod else {
        return DiskPodStatus {
            name,
            state: DiskPodState::Gone,
            node: None,
            url,
            version: None,
            message: None,
        };
    };
    let state = state(pod, now);
    let image = container(pod).map(|container| container.image.clone());
    DiskPodStatus {
        name,
        state,
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        url,
        version: image.and_then(|image| image.rsplit_once(':').map(|(_, tag)| tag.to_owned())),
        message: match state {
            DiskPodState::Serving | DiskPodState::Draining => None,
            DiskPodState::Starting | DiskPodState::Stalled | DiskPodState::Gone => {
                trouble(pod, now).map(|(_, message)| message)
            }
        },
    }
}

fn state(pod: &Pod, now: Timestamp) -> DiskPodState {
    if pod.metadata.deletion_timestamp.is_some() {
        return DiskPodState::Draining;
    }
    if is_ready(pod) {
        return DiskPodState::Serving;
    }
    match running_for(pod, now) {
        Some(running) if running > STARTS_WITHIN => DiskPodState::Stalled,
        _ => DiskPodState::Starting,
    }
}

fn running_for(pod: &Pod, now: Timestamp) -> Option<SignedDuration> {
    let since = container(pod)?.state.as_ref()?.running.as_ref()?.started_at.as_ref()?.0;
    Some(now.duration_since(since))
}

/// What is the matter with a pod, if it says so.
pub(in crate::cluster) fn trouble(pod: &Pod, now: Timestamp) -> Option<(Reason, String)> {
    if let Some((status, message)) = condition(pod, "PodScheduled")
        && status == "False"
    {
        let message = message.unwrap_or_else(|| "no node has room for it".to_owned());
        return Some((Reason::PodsUnschedulable, message));
    }
    let container = container(pod)?;
    let ended = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let last_words = ended.and_then(|ended| ended.message.as_deref()).and_then(last_line);
    if let Some(waiting) = container.state.as_ref().and_then(|state| state.waiting.as_ref()) {
        let reason = waiting.reason.clone().unwrap_or_default();
        let message = waiting.message.clone().unwrap_or_default();
        let foreign = last_words.as_deref().and_then(foreign_volume).is_some();
        return Some(match reason.as_str() {
            _ if foreign => (Reason::VolumeForeign, last_words.unwrap_or_default()),
            "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
                (Reason::ImageNotPulled, format!("the image {} cannot be pulled: {message}", container.image))
            }
            "CrashLoopBackOff" => {
                let said = last_words.unwrap_or(message);
                (Reason::PodsNotReady, format!("it ended {} times: {said}", container.restart_count))
            }
            "ContainerCreating" | "PodInitializing" => {
                (Reason::Progressing, "it is being started".to_owned())
            }
            _ => (Reason::PodsNotReady, format!("{reason}: {message}")),
        });
    }
    // That it runs and is not ready is all that Kubernetes knows.
    match (last_words, container.restart_count) {
        (Some(said), _) if foreign_volume(&said).is_some() => Some((Reason::VolumeForeign, said)),
        (Some(said), count) if count > 0 => Some((Reason::PodsNotReady, format!("it was restarted: {said}"))),
        _ if running_for(pod, now).is_some_and(|running| running <= STARTS_WITHIN) => {
            Some((Reason::Progressing, "it is being started".to_owned()))
        }
        _ => Some((
            Reason::PodsNotReady,
            format!("it runs and is not ready: kubectl logs {} says what it waits for", pod.name_any()),
        )),
    }
}

/// A volume that belongs to another DiskCluster, as a disk pod says it when it ends.
pub(super) struct ForeignVolume {
    /// Which volume.
    pub(super) volume: String,
    /// The uid of its DiskCluster.
    pub(super) owner: String,
    /// What to do.
    pub(super) message: String,
}

/// The volume that keeps disk pods from starting, if that is what does.
pub(super) fn foreign(observed: &Observed, now: Timestamp) -> Option<ForeignVolume> {
    observed.disk_pods.values().filter(|pod| !is_ready(pod)).find_map(|pod| match trouble(pod, now) {
        Some((Reason::VolumeForeign, said)) => foreign_volume(&said),
        _ => None,
    })
}

fn foreign_volume(said: &str) -> Option<ForeignVolume> {
    let message = said.get(said.find("the volume ")?..)?;
    let (volume, rest) =
        message.strip_prefix("the volume ")?.split_once(" belongs to the DiskCluster with uid ")?;
    let owner = rest.split(|c: char| !c.is_ascii_hexdigit() && c != '-').next()?;
    Some(ForeignVolume { volume: volume.to_owned(), owner: owner.to_owned(), message: message.to_owned() })
}

/// The last line of a log; its message, where it is JSON.
fn last_line(text: &str) -> Option<String> {
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    let json: Option<serde_json::Value> = serde_json::from_str(line).ok();
    let said = json.as_ref().and_then(|json| json.get("message")?.as_str().map(str::to_owned));
    Some(said.unwrap_or_else(|| line.chars().take(300).collect()))
}
