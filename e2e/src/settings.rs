//! Where the disk under test is: the environment, else what `make demo` wrote to `target/demo.env`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

/// The namespace of the demo.
pub const NAMESPACE: &str = "disk";
/// The name of its DiskCluster.
pub const CLUSTER: &str = "demo";
/// Where the operator runs.
pub const OPERATOR_NAMESPACE: &str = "internetdisk-system";

/// Where things are and who may use them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cluster's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The page, without a slash at the end.
    pub web_url: String,
    /// A member who is there already.
    pub member: String,
    /// That member's password.
    pub password: String,
    /// The shared file system that each node mounts by itself; none where one directory stands for it.
    pub file_system: Option<String>,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// When a setting is neither in the environment nor in the file.
    pub fn read() -> Result<Self> {
        let written = demo_env()?;
        let find = |name: &str| {
            let set = std::env::var(name).ok().filter(|value| !value.is_empty());
            set.or_else(|| written.get(name).cloned())
        };
        let get = |name: &str| {
            find(name).ok_or_else(|| {
                anyhow!("{name} is not set, and target/demo.env does not say it: run make demo first")
            })
        };
        Ok(Self {
            kubeconfig: root().join(get("KUBECONFIG")?),
            web_url: get("WEB_URL")?.trim_end_matches('/').to_owned(),
            member: get("DEMO_MEMBER")?,
            password: get("DEMO_PASSWORD")?,
            // What the demo was made with; what is asked for does not count.
            file_system: written.get("DEMO_FILE_SYSTEM").filter(|name| !name.is_empty()).cloned(),
        })
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

fn demo_env() -> Result<BTreeMap<String, String>> {
    let path = root().join("target/demo.env");
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect())
}
