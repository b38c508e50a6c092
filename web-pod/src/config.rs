//! The arguments of the program. Each is also an environment variable, `INTERNET_DISK_` and its name.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use api::ids::{ClusterUid, PodName};
use api::keys::Trust;
use clap::{Args, Parser, Subcommand};
use serve::telemetry::LogFormat;

/// A web server of an internet disk.
#[derive(Debug, Parser)]
#[command(name = "web-pod", version)]
pub struct Command {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Serve until told to end.
    Serve(Box<Serve>),
}

/// How to serve.
#[derive(Debug, Args)]
pub struct Serve {
    /// Uid of the DiskCluster; a roster of another one is refused.
    #[arg(long, env = "INTERNET_DISK_CLUSTER_UID")]
    pub cluster_uid: ClusterUid,
    /// Directory of the mounted roster.
    #[arg(long, env = "INTERNET_DISK_ROSTER")]
    pub roster: PathBuf,
    /// Directory of the mounted credentials.
    #[arg(long, env = "INTERNET_DISK_CREDENTIALS")]
    pub credentials: PathBuf,
    /// Directory of keys.json.
    #[arg(long, env = "INTERNET_DISK_KEYS")]
    pub keys: PathBuf,
    /// Directory with the secrets (clientSecret) and certificate authorities (ca.crt) of OpenID providers, one directory
    /// for each.
    #[arg(long, env = "INTERNET_DISK_PROVIDERS", default_value = "/etc/internet-disk/providers")]
    pub providers: PathBuf,
    /// Keys whose signature on a roster is believed: k4.public.…, several separated by commas.
    #[arg(long, env = "INTERNET_DISK_TRUST")]
    pub trust: Trust,
    /// NAMESPACE/CLUSTER to follow in the Kubernetes API, which is also where self-service goes.
    #[arg(long, env = "INTERNET_DISK_WATCH")]
    pub watch: Option<Watched>,
    /// Name of this pod, for the log.
    #[arg(long, env = "INTERNET_DISK_POD_NAME")]
    pub pod_name: PodName,
    /// Address of the public port.
    #[arg(long, env = "INTERNET_DISK_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Address of the private port: disk pods ask there whose a password is.
    #[arg(long, env = "INTERNET_DISK_INTERNAL_LISTEN", default_value = "0.0.0.0:8081")]
    pub internal_listen: SocketAddr,
    /// Address of the port for probes and metrics.
    #[arg(long, env = "INTERNET_DISK_ADMIN_LISTEN", default_value = "0.0.0.0:9090")]
    pub admin_listen: SocketAddr,
    /// How often to ask each disk pod for its load, in milliseconds.
    #[arg(long, env = "INTERNET_DISK_PROBE_INTERVAL_MS", default_value = "100", value_parser = clap::value_parser!(u64).range(20..=10_000))]
    pub probe_interval_ms: u64,
    /// Seconds from the wish to end until requests are cut off.
    #[arg(long, env = "INTERNET_DISK_GRACE_SECONDS", default_value = "25")]
    pub grace_seconds: u64,
    /// json, or text for people.
    #[arg(long, env = "INTERNET_DISK_LOG_FORMAT", default_value_t)]
    pub log_format: LogFormat,
    /// Which lines to log: a level, or target=level pairs.
    #[arg(long, env = "INTERNET_DISK_LOG", default_value = "info")]
    pub log: String,
}

/// A DiskCluster in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub cluster: String,
}

/// The text is not `NAMESPACE/CLUSTER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write NAMESPACE/CLUSTER, such as disk/demo")]
pub struct NotWatchable;

impl FromStr for Watched {
    type Err = NotWatchable;

    fn from_str(text: &str) -> Result<Self, NotWatchable> {
        match text.split_once('/') {
            Some((namespace, cluster))
                if !namespace.is_empty() && !cluster.is_empty() && !cluster.contains('/') =>
            {
                Ok(Self { namespace: namespace.to_owned(), cluster: cluster.to_owned() })
            }
            _ => Err(NotWatchable),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_make_sense() {
        Command::command().debug_assert();
        assert!("disk/demo".parse::<Watched>().is_ok());
        for wrong in ["disk", "/demo", "disk/", "a/b/c"] {
            assert_eq!(wrong.parse::<Watched>(), Err(NotWatchable), "{wrong}");
        }
    }
}
