//! The command line of the operator. Every flag can come from the environment, as `INTERNET_DISK_<FLAG>`.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};
use serve::telemetry::LogFormat;

/// The operator of Internet Disk.
#[derive(Debug, Parser)]
#[command(name = "operator", version)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the operator does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look after DiskClusters, Members and Groups until told to end.
    Run(Box<Settings>),
}

/// `operator run`.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Registry and path of the images of disk pods and web pods, where a DiskCluster names no other.
    #[arg(long, env = "INTERNET_DISK_IMAGE_REGISTRY", default_value = "registry.localhost/internet-disk")]
    pub image_registry: String,
    /// Version of these images, where a DiskCluster names no other.
    #[arg(long, env = "INTERNET_DISK_IMAGE_VERSION", default_value = env!("CARGO_PKG_VERSION"))]
    pub image_version: String,
    /// The one namespace to look after. Default: all.
    #[arg(long, env = "INTERNET_DISK_NAMESPACE")]
    pub namespace: Option<String>,
    /// Name of this pod, by which it holds the Lease of the leader.
    #[arg(long, env = "INTERNET_DISK_POD_NAME", default_value = "operator")]
    pub pod_name: String,
    /// Namespace of this pod, where the Lease is; disk pods let the operator in from there.
    #[arg(long, env = "INTERNET_DISK_POD_NAMESPACE", default_value = "internetdisk-system")]
    pub pod_namespace: String,
    /// Probes and metrics.
    #[arg(long, env = "INTERNET_DISK_ADMIN_LISTEN", default_value = "0.0.0.0:9090")]
    pub admin_listen: SocketAddr,
    /// How the log is written: json or text.
    #[arg(long, env = "INTERNET_DISK_LOG_FORMAT", default_value_t)]
    pub log_format: LogFormat,
    /// What is logged: a level, or target=level pairs.
    #[arg(long, env = "INTERNET_DISK_LOG", default_value = "info")]
    pub log: String,
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
    fn it_reads_what_the_chart_writes() {
        let arguments = [
            "operator",
            "run",
            "--image-registry=registry.example.org/disk",
            "--image-version=1.2.3",
            "--namespace=disk",
            "--log=info",
            "--log-format=json",
        ];
        let Command::Run(settings) = CommandLine::try_parse_from(arguments).unwrap().command;
        assert_eq!(settings.image_registry, "registry.example.org/disk");
        assert_eq!(settings.namespace.as_deref(), Some("disk"));
    }
}
