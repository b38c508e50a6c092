//! The command line of `disk-pod`. Every flag can come from the environment, as `INTERNET_DISK_<FLAG>`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use api::bytes::Bytes;
use api::ids::{ClusterUid, PodName, VolumeName};
use api::keys::VerifyingKey;
use clap::{Args, Parser, Subcommand};
use serve::telemetry::LogFormat;

use crate::check::CheckArguments;
use crate::fault::FaultArguments;
use crate::volume::VolumeArguments;

/// A disk server of Internet Disk.
#[derive(Debug, Parser)]
#[command(name = "disk-pod", version)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `disk-pod` does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve files over HTTP.
    Serve(Box<ServeArguments>),
    /// For tests alone: make a volume seem hung, broken or slow to this pod.
    Fault(FaultArguments),
    /// Try out whether a volume does what is needed of it. Exit code 1 when it does not.
    CheckVolume(CheckArguments),
    /// Look at a volume, or at a copy of one, without a cluster.
    Volume(VolumeArguments),
}

/// `disk-pod serve`.
#[derive(Args, Debug)]
pub struct ServeArguments {
    /// A volume and where it is mounted; once for each of the pool.
    #[arg(
        long = "volume",
        env = "INTERNET_DISK_VOLUME",
        value_name = "NAME=DIR",
        value_delimiter = ',',
        required = true
    )]
    pub volumes: Vec<VolumeMount>,
    /// The DiskCluster that the volumes belong to.
    #[arg(long, env = "INTERNET_DISK_CLUSTER_UID", value_name = "UID")]
    pub cluster_uid: ClusterUid,
    /// Take over volumes that belong to this other DiskCluster.
    #[arg(long, env = "INTERNET_DISK_ADOPT_CLUSTER_UID", value_name = "UID")]
    pub adopt_cluster_uid: Option<ClusterUid>,
    /// Where the roster is mounted.
    #[arg(
        long,
        env = "INTERNET_DISK_ROSTER",
        value_name = "DIR",
        default_value = "/etc/internet-disk/roster"
    )]
    pub roster: PathBuf,
    /// The operator's public keys: they sign the roster and requests on the private port.
    #[arg(
        long,
        env = "INTERNET_DISK_TRUST",
        value_name = "K4.PUBLIC",
        value_delimiter = ',',
        required = true
    )]
    pub trust: Vec<VerifyingKey>,
    /// Directory of the file `key` with the key of the disk pods, k4.secret.…: by it web pods know who asks them whose
    /// a password is. Without it tickets alone are good.
    #[arg(long, env = "INTERNET_DISK_KEY", value_name = "DIR")]
    pub key: Option<PathBuf>,
    /// Follow the roster of this DiskCluster in the Kubernetes API too.
    #[arg(long, env = "INTERNET_DISK_WATCH", value_name = "NAMESPACE/CLUSTER")]
    pub watch: Option<Watch>,
    /// The name of this pod.
    #[arg(long, env = "INTERNET_DISK_POD_NAME", value_name = "NAME")]
    pub pod_name: PodName,
    /// Where members' requests come in.
    #[arg(long, env = "INTERNET_DISK_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// The private port: load report and limits.
    #[arg(
        long,
        env = "INTERNET_DISK_INTERNAL_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8081"
    )]
    pub internal_listen: SocketAddr,
    /// Probes and metrics.
    #[arg(long, env = "INTERNET_DISK_ADMIN_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:9090")]
    pub admin_listen: SocketAddr,
    /// About so much memory for what is known of spaces, such as 512Mi; those that were not used for longest make room.
    /// By default half of the memory limit of the container, or 512Mi without one.
    #[arg(long, env = "INTERNET_DISK_MEMORY", value_name = "AMOUNT", value_parser = crate::memory::amount)]
    pub memory: Option<Bytes>,
    /// For tests alone: faults of volumes are switched by files in this directory.
    #[arg(long, env = "INTERNET_DISK_FAULT_DIR", value_name = "DIR")]
    pub fault_dir: Option<PathBuf>,
    /// Seconds from SIGTERM until what still runs is cut off.
    #[arg(long, env = "INTERNET_DISK_GRACE_SECONDS", value_name = "SECONDS", default_value_t = 25)]
    pub grace_seconds: u64,
    /// How the log is written: json or text.
    #[arg(long, env = "INTERNET_DISK_LOG_FORMAT", value_name = "FORMAT", default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// What is logged: a level, or target=level pairs.
    #[arg(long, env = "INTERNET_DISK_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

impl ServeArguments {
    /// From SIGTERM until what still runs is cut off.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }
}

/// A volume of the pool and the directory it is mounted at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeMount {
    /// As the DiskCluster names it.
    pub name: VolumeName,
    /// Where it is mounted in this pod.
    pub directory: PathBuf,
}

impl FromStr for VolumeMount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, directory) = text.split_once('=').ok_or("write NAME=DIR, such as a=/volumes/a")?;
        if directory.is_empty() {
            return Err("write NAME=DIR, such as a=/volumes/a".to_owned());
        }
        let name = name.parse().map_err(|error| format!("{name:?} is no name of a volume: {error}"))?;
        Ok(Self { name, directory: directory.into() })
    }
}

/// The DiskCluster whose roster is followed in the Kubernetes API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub cluster: String,
}

impl FromStr for Watch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((namespace, cluster))
                if !namespace.is_empty() && !cluster.is_empty() && !cluster.contains('/') =>
            {
                Ok(Self { namespace: namespace.to_owned(), cluster: cluster.to_owned() })
            }
            _ => Err("write NAMESPACE/CLUSTER, such as disk/demo"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn volumes_and_watches() {
        let mount: VolumeMount = "a=/volumes/a=b".parse().unwrap();
        assert_eq!(mount.directory, PathBuf::from("/volumes/a=b"));
        for wrong in ["a", "a=", "=/volumes/a", "A B=/volumes/a"] {
            assert!(wrong.parse::<VolumeMount>().is_err(), "{wrong}");
        }
        assert_eq!(
            "disk/demo".parse::<Watch>(),
            Ok(Watch { namespace: "disk".into(), cluster: "demo".into() })
        );
        for wrong in ["disk", "/demo", "disk/", "a/b/c"] {
            assert!(wrong.parse::<Watch>().is_err(), "{wrong}");
        }
    }
}
