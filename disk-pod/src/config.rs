//! The command line of `disk-pod`. Every flag can come from the environment, as `INTERNET_DISK_<FLAG>`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use api::bytes::Bytes;
use api::ids::{ClusterUid, PodName, VolumeName};
use api::keys::VerifyingKey;
use clap::{Args, Parser, Subcommand};
use serve::lines::Destination;
use serve::telemetry::LogFormat;

use crate::backup::BackupArguments;
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
    /// Copy volumes while they are in use, and bring a copy back.
    Backup(BackupArguments),
}

/// `disk-pod serve`.
#[derive(Args, Debug)]
pub struct ServeArguments {
    /// A volume and where it is mounted; once for each of the pool. On its own, DIR is enough.
    #[arg(
        long = "volume",
        env = "INTERNET_DISK_VOLUME",
        value_name = "[NAME=]DIR",
        value_delimiter = ',',
        required = true
    )]
    pub volumes: Vec<VolumeMount>,
    /// The DiskCluster that the volumes belong to. Without it this is a disk server on its own: its members are those
    /// of the YAML files in --roster.
    #[arg(long, env = "INTERNET_DISK_CLUSTER_UID", value_name = "UID", requires_all = ["trust", "pod_name"])]
    pub cluster_uid: Option<ClusterUid>,
    /// Take over volumes that belong to this other DiskCluster.
    #[arg(long, env = "INTERNET_DISK_ADOPT_CLUSTER_UID", value_name = "UID", requires = "cluster_uid")]
    pub adopt_cluster_uid: Option<ClusterUid>,
    /// Where the roster is mounted [default: /etc/internet-disk/roster]. On its own: the YAML of Members and Groups, a
    /// file or a directory of them, with a file `passwords` beside them.
    #[arg(long, env = "INTERNET_DISK_ROSTER", value_name = "DIR", required_unless_present = "cluster_uid")]
    pub roster: Option<PathBuf>,
    /// The operator's public keys: they sign the roster and requests on the private port.
    #[arg(
        long,
        env = "INTERNET_DISK_TRUST",
        value_name = "K4.PUBLIC",
        value_delimiter = ',',
        requires = "cluster_uid"
    )]
    pub trust: Vec<VerifyingKey>,
    /// Directory of the file `key` with the key of the disk pods, k4.secret.…: by it web pods know who asks them whose
    /// a password is. Without it tickets alone are good.
    #[arg(long, env = "INTERNET_DISK_KEY", value_name = "DIR", requires = "cluster_uid")]
    pub key: Option<PathBuf>,
    /// Follow the roster of this DiskCluster in the Kubernetes API too.
    #[arg(long, env = "INTERNET_DISK_WATCH", value_name = "NAMESPACE/CLUSTER", requires = "cluster_uid")]
    pub watch: Option<Watch>,
    /// The name of this pod.
    #[arg(long, env = "INTERNET_DISK_POD_NAME", value_name = "NAME")]
    pub pod_name: Option<PodName>,
    /// On its own: take names and passwords from other machines without TLS, too. Whoever is on the way can read them.
    #[arg(long, conflicts_with = "cluster_uid")]
    pub passwords_without_tls: bool,
    /// Where members' requests come in [default: 0.0.0.0:8080; on its own 127.0.0.1:8080].
    #[arg(long, env = "INTERNET_DISK_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The private port: load report and limits [default: 0.0.0.0:8081; on its own 127.0.0.1:8081].
    #[arg(long, env = "INTERNET_DISK_INTERNAL_LISTEN", value_name = "ADDRESS")]
    pub internal_listen: Option<SocketAddr>,
    /// Probes and metrics [default: 0.0.0.0:9090; on its own 127.0.0.1:9090].
    #[arg(long, env = "INTERNET_DISK_ADMIN_LISTEN", value_name = "ADDRESS")]
    pub admin_listen: Option<SocketAddr>,
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
    /// How the log is written: json or text [default: json; on its own text].
    #[arg(long, env = "INTERNET_DISK_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Where a line for each request goes: off, stdout or a file [default: stdout; on its own off].
    #[arg(long, env = "INTERNET_DISK_ACCESS_LOG", value_name = "WHERE")]
    pub access_log: Option<Destination>,
    /// Where it is told who did what to which file, with the names of files: off, stdout or a file.
    #[arg(long, env = "INTERNET_DISK_AUDIT_LOG", value_name = "WHERE", default_value = "off")]
    pub audit_log: Destination,
    /// What is logged: a level, or target=level pairs.
    #[arg(long, env = "INTERNET_DISK_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

impl ServeArguments {
    /// From SIGTERM until what still runs is cut off.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }

    /// Whether there is no cluster, and the program serves on its own.
    pub fn is_alone(&self) -> bool {
        self.cluster_uid.is_none()
    }

    /// Where to listen: inside a pod for everybody, on its own for this machine.
    pub fn address(&self, given: Option<SocketAddr>, port: u16) -> SocketAddr {
        let usual = if self.is_alone() { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        given.unwrap_or_else(|| SocketAddr::from((usual, port)))
    }

    /// Where a line for each request goes.
    pub fn access_log(&self) -> Destination {
        let usual = if self.is_alone() { Destination::Off } else { Destination::Stdout };
        self.access_log.clone().unwrap_or(usual)
    }

    /// How the log is written.
    pub fn log_format(&self) -> LogFormat {
        self.log_format.unwrap_or(if self.is_alone() { LogFormat::Text } else { LogFormat::Json })
    }

    /// The volumes, each with its name.
    ///
    /// # Errors
    /// When one has none and needs one, or two have the same.
    pub fn mounts(&self) -> Result<Vec<(VolumeName, PathBuf)>, String> {
        let mut mounts: Vec<(VolumeName, PathBuf)> = Vec::new();
        for VolumeMount { name, directory } in &self.volumes {
            let name = match name {
                Some(name) => name.clone(),
                None if self.is_alone() && self.volumes.len() == 1 => ONLY_VOLUME.parse().map_err(say)?,
                None => return Err(format!("--volume {}: {SYNTAX}", directory.display())),
            };
            if mounts.iter().any(|(other, _)| *other == name) {
                return Err(format!("the volume {name} is named twice"));
            }
            mounts.push((name, directory.clone()));
        }
        Ok(mounts)
    }
}

/// The name of a volume that needs none.
const ONLY_VOLUME: &str = "main";

const SYNTAX: &str = "write NAME=DIR, such as a=/volumes/a";

fn say(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A volume of the pool and the directory it is mounted at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeMount {
    /// As the DiskCluster names it. A single volume without a cluster needs no name.
    pub name: Option<VolumeName>,
    /// Where it is mounted in this pod.
    pub directory: PathBuf,
}

impl FromStr for VolumeMount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What is before the first slash is a name; a directory may have an equals sign in its path.
        let (name, directory) = match text.split_once('=') {
            Some((name, directory)) if !name.contains('/') => (Some(name), directory),
            _ => (None, text),
        };
        if directory.is_empty() {
            return Err(SYNTAX.to_owned());
        }
        let named =
            |name: &str| name.parse().map_err(|error| format!("{name:?} is no name of a volume: {error}"));
        Ok(Self { name: name.map(named).transpose()?, directory: directory.into() })
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

    fn serve(arguments: &[&str]) -> Result<ServeArguments, String> {
        let line = ["disk-pod", "serve"].into_iter().chain(arguments.iter().copied());
        match CommandLine::try_parse_from(line).map_err(say)?.command {
            Command::Serve(arguments) => Ok(*arguments),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn a_pod_of_a_cluster_and_one_on_its_own_are_two_things() {
        let alone = serve(&["--volume", "/a", "--roster", "r"]).unwrap();
        assert!(alone.is_alone());
        assert_eq!(alone.address(alone.listen, 8080), "127.0.0.1:8080".parse().unwrap());
        assert_eq!(alone.mounts().unwrap()[0].0.as_str(), "main");
        let uid = "76eef131-e3b7-43aa-9b26-2d6371565f7f";
        let trust = "k4.public.HrnbTzm_bIDPWtJ4hJzS1sWs_BFkAAu16hm-UAdgfzY";
        let pod = ["--cluster-uid", uid, "--trust", trust, "--pod-name", "demo-disk-0"];
        let with = |more: &[&'static str]| serve(&[&pod[..], more].concat());
        let member = with(&["--volume", "a=/a"]).unwrap();
        assert_eq!(member.address(member.listen, 8080), "0.0.0.0:8080".parse().unwrap());
        assert!(with(&["--volume", "/a"]).unwrap().mounts().unwrap_err().contains("NAME=DIR"));
        assert!(with(&["--volume", "a=/a", "--passwords-without-tls"]).is_err());
        assert!(serve(&["--volume", "/a"]).unwrap_err().contains("--roster"));
        assert!(
            serve(&["--volume", "/a", "--roster", "r", "--trust", trust])
                .unwrap_err()
                .contains("--cluster-uid")
        );
        let two = serve(&["--volume", "/a,/b", "--roster", "r"]).unwrap();
        assert!(two.mounts().unwrap_err().contains("NAME=DIR"));
        let same = serve(&["--volume", "a=/a", "--volume", "a=/b", "--roster", "r"]).unwrap();
        assert!(same.mounts().unwrap_err().contains("twice"));
    }

    #[test]
    fn volumes_and_watches() {
        let mount: VolumeMount = "a=/volumes/a=b".parse().unwrap();
        assert_eq!(mount.directory, PathBuf::from("/volumes/a=b"));
        assert_eq!(mount.name.as_ref().map(VolumeName::as_str), Some("a"));
        let mount: VolumeMount = "./volumes/a=b".parse().unwrap();
        assert_eq!((mount.name, mount.directory), (None, PathBuf::from("./volumes/a=b")));
        for wrong in ["", "a=", "=/volumes/a", "A B=/volumes/a"] {
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
