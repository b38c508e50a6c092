//! What people would use instead, each as its own documentation sets it up for speed, and the disk pod.

use std::fmt::Display;
use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::serving::process::Process;

/// A server that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    InternetDisk,
    Nginx,
    Apache,
    Dufs,
    Rclone,
    Copyparty,
}

/// All of them, ours first.
pub(crate) const PEERS: [Peer; 6] =
    [Peer::InternetDisk, Peer::Nginx, Peer::Apache, Peer::Dufs, Peer::Rclone, Peer::Copyparty];

/// Where the parts are, and where what is made goes.
pub(crate) struct Layout {
    /// The program that serves our files.
    pub(crate) disk_pod: PathBuf,
    /// Where `bench/peers.sh` has put what no package has.
    pub(crate) tools: PathBuf,
    /// Plain files for those that serve them.
    pub(crate) tree: PathBuf,
    /// Configurations, logs, our volume.
    pub(crate) scratch: PathBuf,
}

/// One that runs.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// Before a path of a file that is read or put.
    files: &'static str,
    /// Before a path that is listed by WebDAV.
    listed: &'static str,
    /// Lines that every request needs.
    headers: &'static str,
}

/// `bench` with the password `bench`: who we are at our own server.
const BASIC: &str = "Authorization: Basic YmVuY2g6YmVuY2g=\r\n";

impl Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::InternetDisk => "internet-disk",
            Self::Nginx => "nginx",
            Self::Apache => "apache",
            Self::Dufs => "dufs",
            Self::Rclone => "rclone",
            Self::Copyparty => "copyparty",
        })
    }
}

impl Peer {
    /// Whether it serves plain files.
    pub(crate) fn is_plain(self) -> bool {
        self != Self::InternetDisk
    }

    /// Starts it.
    pub(crate) fn start(self, layout: &Layout, address: SocketAddr) -> anyhow::Result<Server> {
        let scratch = layout.scratch.join(self.to_string());
        std::fs::create_dir_all(&scratch)?;
        open_to_all(&scratch)?;
        let command = match self {
            Self::InternetDisk => internet_disk(layout, &scratch, address)?,
            Self::Nginx => nginx(layout, &scratch, address)?,
            Self::Apache => apache(layout, &scratch, address)?,
            Self::Dufs => {
                let program = layout.tools.join("dufs/bin/dufs");
                let port = address.port().to_string();
                words(&[
                    &text(&program)?,
                    &text(&layout.tree)?,
                    "-A",
                    "-b",
                    &address.ip().to_string(),
                    "-p",
                    &port,
                ])
            }
            Self::Rclone => {
                let at = address.to_string();
                words(&[
                    "rclone",
                    "--config",
                    "/dev/null",
                    "serve",
                    "webdav",
                    &text(&layout.tree)?,
                    "--addr",
                    &at,
                ])
            }
            Self::Copyparty => {
                let program = layout.tools.join("copyparty/bin/copyparty");
                let volume = format!("{}::rwmda", text(&layout.tree)?);
                let (ip, port) = (address.ip().to_string(), address.port().to_string());
                words(&[&text(&program)?, "-q", "--daw", "-i", &ip, "-p", &port, "-v", &volume])
            }
        };
        let process = Process::start(command, address, &scratch.join("log"))?;
        let (files, listed, headers) = match self {
            Self::InternetDisk => (OUR_FILES, OUR_LISTED, BASIC),
            _ => ("/", "/", ""),
        };
        Ok(Server { process, files, listed, headers })
    }
}

impl Server {
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        self.head("GET", self.files, path, "").into_bytes()
    }

    /// The head of a request that puts so many bytes.
    pub(crate) fn put(&self, path: &str, length: u64) -> Vec<u8> {
        self.head("PUT", self.files, path, &format!("Content-Length: {length}\r\n")).into_bytes()
    }

    pub(crate) fn list(&self, path: &str) -> Vec<u8> {
        self.head("PROPFIND", self.listed, path, "Depth: 1\r\nContent-Length: 0\r\n").into_bytes()
    }

    fn head(&self, method: &str, prefix: &str, path: &str, more: &str) -> String {
        let Self { process, headers, .. } = self;
        format!("{method} {prefix}{path} HTTP/1.1\r\nHost: {}\r\n{headers}{more}\r\n", process.address)
    }
}

const OUR_FILES: &str = "/v1/spaces/00000000-0000-0000-0000-0000000000b0/files/";
const OUR_LISTED: &str = "/dav/home/";

const MEMBER: &str = "apiVersion: internetdisk.dev/v1alpha1
kind: Member
metadata:
  name: bench
  uid: 00000000-0000-0000-0000-0000000000b0
spec:
  clusterRef: {name: bench}
  quota: 100Gi
";

fn internet_disk(layout: &Layout, scratch: &Path, address: SocketAddr) -> anyhow::Result<Vec<String>> {
    let (volume, roster) = (scratch.join("volume"), scratch.join("roster"));
    std::fs::create_dir_all(&volume)?;
    std::fs::create_dir_all(&roster)?;
    std::fs::write(roster.join("member.yaml"), MEMBER)?;
    std::fs::write(roster.join("passwords"), "bench:bench\n")?;
    Ok(words(&[
        &text(&layout.disk_pod)?,
        "serve",
        "--volume",
        &text(&volume)?,
        "--roster",
        &text(&roster)?,
        "--listen",
        &address.to_string(),
        "--internal-listen",
        &SocketAddr::new(address.ip(), address.port() + 1).to_string(),
        "--admin-listen",
        &SocketAddr::new(address.ip(), address.port() + 2).to_string(),
    ]))
}

fn nginx(layout: &Layout, scratch: &Path, address: SocketAddr) -> anyhow::Result<Vec<String>> {
    let [tree, here] = [text(&layout.tree)?, text(scratch)?];
    let configuration = format!(
        "daemon off; user root; worker_processes 1; pid {here}/pid; error_log {here}/error;
load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
events {{ worker_connections 30000; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 300;
  client_max_body_size 0; client_body_temp_path {tree}/.temporary;
  server {{
    listen {address}; root {tree};
    dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS; create_full_put_path on;
  }}
}}
"
    );
    let file = scratch.join("nginx.conf");
    std::fs::write(&file, configuration)?;
    Ok(words(&["/usr/sbin/nginx", "-c", &text(&file)?]))
}

fn apache(layout: &Layout, scratch: &Path, address: SocketAddr) -> anyhow::Result<Vec<String>> {
    let [tree, here] = [text(&layout.tree)?, text(scratch)?];
    let mut configuration = String::new();
    for module in ["mpm_event", "authz_core", "dav", "dav_fs", "dav_lock"] {
        configuration += &format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n");
    }
    configuration += &format!(
        "ServerName localhost\nListen {address}\nPidFile {here}/pid\nErrorLog {here}/error\nUser www-data\n\
         Group www-data\nDocumentRoot {tree}\nDavLockDB {here}/locks\nEnableSendfile On\nMaxKeepAliveRequests 0\n\
         KeepAliveTimeout 300\nServerLimit 16\nAsyncRequestWorkerFactor 32\n\
         <Directory {tree}>\n  Dav On\n  Require all granted\n</Directory>\n"
    );
    let file = scratch.join("apache.conf");
    std::fs::write(&file, configuration)?;
    Ok(words(&["/usr/sbin/apache2", "-f", &text(&file)?, "-DFOREGROUND"]))
}

/// Apache serves as a user of its own and must get at what it serves.
pub(crate) fn open_to_all(directory: &Path) -> anyhow::Result<()> {
    Ok(std::fs::set_permissions(directory, Permissions::from_mode(0o777))?)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn text(path: &Path) -> anyhow::Result<String> {
    Ok(path.to_str().with_context(|| format!("{} is no text", path.display()))?.to_owned())
}
