//! A disk server without a cluster: for benchmarks, for development, and for a volume that outlived its cluster. The
//! members come from the same Member and Group YAML, their passwords from a file beside it.
//!
//! It is its own operator: it compiles the roster by the same code, signs it with a key that lives as long as the
//! program, and commits the limits.

mod limits;
mod manifests;
mod password_file;
mod wanted;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use api::generation::RosterGeneration;
use api::ids::{ClusterUid, VolumeName};
use api::keys::{SigningKey, Trust};
use roster::compile::{Compiled, compile};
use roster::{Head, Index, SHARDS, Settings, publish};
use uuid::Uuid;

pub use password_file::PasswordFile;

use crate::app::App;
use manifests::Manifests;
use wanted::Wanted;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// The name of the file with the passwords, beside the manifests.
const PASSWORDS: &str = "passwords";

/// The members of a disk server without a cluster.
#[derive(Debug)]
pub(crate) struct Standalone {
    /// Whose volume it is.
    pub(crate) cluster: ClusterUid,
    /// What the pod reads of members.
    pub(crate) store: roster::Store,
    /// What their passwords are checked against.
    pub(crate) passwords: PasswordFile,
    place: PathBuf,
    volumes: Vec<VolumeName>,
    passwords_without_tls: bool,
    key: SigningKey,
    published: Option<Index>,
    compiled: Compiled,
    seen: Vec<(PathBuf, Option<SystemTime>)>,
    /// Of the last change of the passwords.
    credentials: RosterGeneration,
}

impl Standalone {
    /// Reads everything, and publishes it to a store of its own.
    ///
    /// # Errors
    /// What is wrong with a file, and in which.
    pub(crate) fn read(
        cluster: ClusterUid,
        place: PathBuf,
        volumes: Vec<VolumeName>,
        passwords_without_tls: bool,
    ) -> anyhow::Result<Self> {
        let key = SigningKey::generate()?;
        let store = roster::Store::empty(cluster, Trust::new([key.verifying_key().clone()]));
        let mut read = Self {
            cluster,
            store,
            passwords: PasswordFile::default(),
            place,
            volumes,
            passwords_without_tls,
            key,
            published: None,
            compiled: Compiled::default(),
            seen: Vec::new(),
            credentials: RosterGeneration::ZERO,
        };
        read.seen = read.stamps()?;
        read.take()?;
        if read.compiled.members.is_empty() {
            bail!(
                "there is no Member in {}: give a directory of YAML files, or one file",
                read.place.display()
            );
        }
        Ok(read)
    }

    fn passwords_file(&self) -> PathBuf {
        let directory = if self.place.is_dir() { Some(self.place.as_path()) } else { self.place.parent() };
        directory.unwrap_or(Path::new(".")).join(PASSWORDS)
    }

    fn stamps(&self) -> anyhow::Result<Vec<(PathBuf, Option<SystemTime>)>> {
        let mut files = manifests::files(&self.place)?;
        files.push(self.passwords_file());
        let stamp = |file: PathBuf| {
            let modified = std::fs::metadata(&file).and_then(|metadata| metadata.modified()).ok();
            (file, modified)
        };
        Ok(files.into_iter().map(stamp).collect())
    }

    /// Reads the files and publishes what they say.
    fn take(&mut self) -> anyhow::Result<()> {
        let manifests = Manifests::read(&manifests::files(&self.place)?)?;
        let Wanted { members, groups } = Wanted::of(&manifests, &self.volumes)?;
        let compiled = compile(&members, &groups);
        let generation = RosterGeneration(self.store.current().generation().0 + 1);
        if self.passwords.read(&self.passwords_file())? {
            self.credentials = generation;
        }
        let settings = Settings {
            volumes: self.volumes.clone(),
            passwords_without_tls: self.passwords_without_tls,
            ..Settings::default()
        };
        let head = Head {
            cluster: self.cluster,
            cluster_name: "standalone".to_owned(),
            namespace: String::new(),
            credentials: vec![self.credentials; usize::from(SHARDS)],
            settings,
        };
        let publication = publish(&self.key, generation, head, compiled.clone(), self.published.as_ref())?;
        if let Some(publication) = publication {
            let shards = publication.shards.iter().map(|(shard, sealed)| (*shard, sealed));
            let missing = self.store.take(&publication.sealed, shards)?;
            if !missing.is_empty() {
                bail!("the roster was not taken as a whole");
            }
            self.published = Some(publication.index);
        }
        self.compiled = compiled;
        Ok(())
    }

    /// Commits the limits, and does so again, with all else, whenever a file changes; runs until dropped.
    pub(crate) async fn keep(mut self, app: App) {
        limits::commit(&app, &self.compiled).await;
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let looked = tokio::task::spawn_blocking(move || {
                let changed = self.look();
                (self, changed)
            });
            let Ok((back, changed)) = looked.await else { return };
            self = back;
            match changed {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!(members = self.compiled.members.len(), "Read the members anew.");
                    limits::commit(&app, &self.compiled).await;
                }
                Err(error) => {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "The members cannot be read anew; what was read before stays in force."
                    );
                }
            }
        }
    }

    fn look(&mut self) -> anyhow::Result<bool> {
        let stamps = self.stamps()?;
        if stamps == self.seen {
            return Ok(false);
        }
        // Looked at once: what is wrong is said once, and again after the next change.
        self.seen = stamps;
        self.take()?;
        Ok(true)
    }
}

/// The DiskCluster that a volume belongs to; a new volume gets one of its own.
///
/// # Errors
/// When the directory cannot be read, or says in a way that is not understood whose it is.
pub(crate) async fn owner(directory: &Path) -> anyhow::Result<ClusterUid> {
    match spaces::offline::OfflineVolume::open(directory).await {
        Ok(volume) => match volume.owner() {
            Ok(owner) => Ok(owner.cluster),
            Err(reason) => bail!("{}: {reason}", directory.display()),
        },
        // Nothing is on it yet. Were it not so, the engine would say so when it opens it.
        Err(_) if directory.is_dir() => Ok(ClusterUid(Uuid::new_v4())),
        Err(error) => Err(error).with_context(|| format!("cannot use the volume {}", directory.display())),
    }
}
