//! Taking disk servers away: by signal, by cutting a node off, by hanging a volume.
//!
//! Signals need the machine the nodes run on: the container's process is found by the pod's uid in its control
//! group. The rest needs the command of the embedded cluster.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use tokio::process::Command;

use crate::command;
use crate::memory;
use crate::objects::Cluster;
use crate::settings::{NAMESPACE, Settings};
use crate::wait;

/// How a server is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// The container's process is killed: connections are reset at once.
    Kill,
    /// The container's process is stopped: connections stay and nothing answers.
    Stop,
    /// The pod's node can reach nothing and nobody reaches it.
    Isolate,
    /// Every system call of the pod on the volume hangs.
    HangVolume,
}

impl Harm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kill, Self::Stop, Self::Isolate, Self::HangVolume];

    /// How it is called in what the tests print.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "SIGKILL",
            Self::Stop => "SIGSTOP",
            Self::Isolate => "node isolated",
            Self::HangVolume => "volume hung",
        }
    }
}

/// Harm that was done, and how to undo it.
#[derive(Debug)]
#[must_use = "harm that is not undone stays for the next test"]
pub struct Done {
    harm: Harm,
    pod: String,
    node: String,
    pids: Vec<u32>,
}

/// The process ids of the program in a pod, without the sandbox's pause.
///
/// # Errors
/// When the pod is not there or runs on another machine.
pub async fn pids(cluster: &Cluster, namespace: &str, pod: &str) -> Result<Vec<u32>> {
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let uid = pods.get(pod).await?.metadata.uid.ok_or_else(|| anyhow!("{pod} has no uid"))?;
    // The cgroupfs driver writes the uid as it is, systemd's with underscores.
    let mut found = memory::in_control_group(&uid)?;
    found.extend(memory::in_control_group(&uid.replace('-', "_"))?);
    let found: Vec<u32> =
        found.iter().filter(|process| process.name != "pause").map(|process| process.pid).collect();
    if found.is_empty() {
        bail!("no process of pod {pod} runs on this machine");
    }
    Ok(found)
}

/// Takes a disk pod away.
///
/// # Errors
/// When that cannot be done.
pub async fn take_away(settings: &Settings, cluster: &Cluster, pod: &str, harm: Harm) -> Result<Done> {
    let found = cluster.core::<Pod>().get(pod).await?;
    let node = found.spec.and_then(|spec| spec.node_name).ok_or_else(|| anyhow!("{pod} is on no node"))?;
    let mut pids = Vec::new();
    match harm {
        Harm::Kill | Harm::Stop => {
            pids = self::pids(cluster, NAMESPACE, pod).await?;
            signal(if harm == Harm::Kill { "KILL" } else { "STOP" }, &pids).await?;
        }
        Harm::Isolate => {
            command::cluster(&["node", "isolate", node_number(&node)?]).await?;
        }
        Harm::HangVolume => fault(settings, pod, "hang").await?,
    }
    Ok(Done { harm, pod: pod.to_owned(), node, pids })
}

impl Done {
    /// Undoes it and waits until the pod is Ready again.
    ///
    /// # Errors
    /// When the pod does not come back.
    pub async fn undo(self, settings: &Settings, cluster: &Cluster) -> Result<()> {
        let Self { harm, pod, node, pids } = self;
        match harm {
            Harm::Kill => {}
            Harm::Stop => signal("CONT", &pids).await?,
            Harm::Isolate => {
                command::cluster(&["node", "heal", node_number(&node)?]).await?;
            }
            Harm::HangVolume => {
                wait::until("the fault can be taken back", Duration::from_secs(60), async || {
                    fault(settings, &pod, "none").await.map(Some)
                })
                .await?;
            }
        }
        pod_ready(cluster, &pod, Duration::from_secs(180)).await
    }
}

/// Waits until a pod is Ready.
///
/// # Errors
/// When it is not in time.
pub async fn pod_ready(cluster: &Cluster, pod: &str, limit: Duration) -> Result<()> {
    let pods = cluster.core::<Pod>();
    wait::until(&format!("pod {pod} is Ready"), limit, async || {
        let status = pods.get(pod).await?.status.unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        Ok(conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True").then_some(()))
    })
    .await?;
    Ok(())
}

async fn fault(settings: &Settings, pod: &str, what: &str) -> Result<()> {
    let arguments = ["-n", NAMESPACE, "exec", pod, "--", "/disk-pod", "fault", "main", what];
    command::kubectl(settings, &arguments).await?.expect_success()?;
    Ok(())
}

/// Sends a signal to processes that the test found itself. One that has ended is no failure.
async fn signal(name: &str, pids: &[u32]) -> Result<()> {
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    let mut kill = Command::new("kill");
    let status = kill.arg("-s").arg(name).args(&pids).status().await.context("kill cannot be started")?;
    if !status.success() && name == "STOP" {
        bail!("no signal reached {pids:?}");
    }
    Ok(())
}

/// `node2` is node number 2 of the embedded cluster.
pub(crate) fn node_number(node: &str) -> Result<&str> {
    node.strip_prefix("node")
        .ok_or_else(|| anyhow!("{node} is no node of the embedded cluster: it cannot be isolated"))
}
