//! The shared file system under the nodes: how each disk pod sees it, and killing parts of a real one.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, anyhow, bail};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use tokio::process::Command;

use crate::chaos;
use crate::objects::Cluster;
use crate::settings::{NAMESPACE, Settings, root};

/// Which pods are disk servers.
pub const DISK_PODS: &str = "app.kubernetes.io/instance=demo,app.kubernetes.io/component=disk";
const VOLUME: &str = "/volumes/main";

/// A real one, started by a script of `e2e/filesystems/` with a client for each node.
#[derive(Clone, Debug)]
pub struct FileSystem {
    /// Its name, which is that of its script.
    pub name: String,
}

impl FileSystem {
    /// The one that the demo runs on.
    ///
    /// # Errors
    /// When its nodes have one directory in common.
    pub fn of(settings: &Settings) -> Result<Self> {
        let name = settings.file_system.clone().ok_or_else(|| {
            anyhow!(
                "the nodes of this demo have one directory in common: DEMO_FILE_SYSTEM=moosefs e2e/run.sh"
            )
        })?;
        Ok(Self { name })
    }

    /// Kills the client of a node, as when its process crashes.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill_client(&self, node: &str) -> Result<()> {
        self.ask("kill-client", chaos::node_number(node)?).await
    }

    /// Kills the server that has the contents.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill_store(&self) -> Result<()> {
        self.ask("kill-store", "").await
    }

    /// Starts again whatever was killed. The nodes see a client that was brought back; a pod that was there before keeps
    /// what it has mounted, which is dead.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn bring_back(&self) -> Result<()> {
        self.ask("bring-back", "").await
    }

    async fn ask(&self, verb: &str, argument: &str) -> Result<()> {
        let script = root().join(format!("e2e/filesystems/{}.sh", self.name));
        let log: PathBuf = root().join("target/filesystems/shared.script.log");
        // No pipe: the servers that a script starts would hold it open.
        let said = File::create(&log).with_context(|| log.display().to_string())?;
        let status = Command::new(&script)
            .arg(verb)
            .arg(root().join("target/filesystems/shared").join(&self.name))
            .arg(argument)
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .status()
            .await
            .with_context(|| script.display().to_string())?;
        if !status.success() {
            bail!("{verb} {argument}: {status}: {}", std::fs::read_to_string(&log).unwrap_or_default());
        }
        Ok(())
    }
}

/// How a disk pod sees its volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The pod.
    pub pod: String,
    /// Its node.
    pub node: String,
    /// The type of the file system as the kernel has it.
    pub kind: String,
    /// The device number: two mounts with the same one are one client, with one cache.
    pub device: String,
}

/// The volume of each disk pod. The pods must run on this machine.
///
/// # Errors
/// When one has none.
pub async fn mounts(cluster: &Cluster) -> Result<Vec<Mount>> {
    let mut found = Vec::new();
    for pod in cluster.core::<Pod>().list(&ListParams::default().labels(DISK_PODS)).await? {
        let pod_name = pod.metadata.name.unwrap_or_default();
        let node = pod.spec.and_then(|spec| spec.node_name).unwrap_or_default();
        let pids = chaos::pids(cluster, NAMESPACE, &pod_name).await?;
        let pid = pids.first().ok_or_else(|| anyhow!("{pod_name} has no process"))?;
        let table = std::fs::read_to_string(format!("/proc/{pid}/mountinfo"))?;
        let (device, kind) =
            mounted_at(&table, VOLUME).ok_or_else(|| anyhow!("{pod_name} has nothing at {VOLUME}"))?;
        found.push(Mount { pod: pod_name, node, kind, device });
    }
    Ok(found)
}

/// Device number and type of what is mounted last at a path (proc(5), mountinfo).
fn mounted_at(table: &str, path: &str) -> Option<(String, String)> {
    let line = table.lines().rfind(|line| line.split(' ').nth(4) == Some(path))?;
    let (mount, file_system) = line.split_once(" - ")?;
    Some((mount.split(' ').nth(2)?.to_owned(), file_system.split(' ').next()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::mounted_at;

    #[test]
    fn a_table_of_mounts() {
        let table = "22 27 0:21 / /proc rw,relatime - proc proc rw\n\
            90 80 254:0 /demo /volumes/main rw - ext4 /dev/vda rw\n\
            91 90 0:77 / /volumes/main rw shared:7 master:3 - fuse.mfs mfs#10.77.78.1:9421 rw,allow_other\n";
        let of = |path| mounted_at(table, path);
        assert_eq!(of("/volumes/main"), Some(("0:77".to_owned(), "fuse.mfs".to_owned())));
        assert_eq!(of("/proc"), Some(("0:21".to_owned(), "proc".to_owned())));
        assert_eq!(of("/volumes"), None);
    }
}
