//! A volume of the pool: whose it is, and which of its directories are durable.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use api::ids::{ClusterUid, VolumeName};
use bytes::Bytes;
use uuid::Uuid;

use crate::error::{Error, OpenError};
use crate::extent::VolumeUid;
use crate::file_system::{FileSystem, FsError};
use crate::format::LAYOUT;
use crate::format::identity::{FILE, Identity, IdentityError, LONGEST};
use crate::host::Host;

/// So often it is tried to say whose a new volume is.
const MOST_TRIES: u32 = 8;

/// So many directories at most are remembered as durable.
const MOST_DURABLE: usize = 65_536;

/// A volume that was full is not written to for so long, while another one can be.
const FULL_FOR: Duration = Duration::from_secs(10);

/// A volume, and what this pod knows of it.
pub(crate) struct Volume {
    pub(crate) name: VolumeName,
    pub(crate) fs: Arc<dyn FileSystem>,
    host: Arc<dyn Host>,
    cluster: ClusterUid,
    adopt: Option<ClusterUid>,
    identity: futures::lock::Mutex<Option<Identity>>,
    uid: OnceLock<VolumeUid>,
    /// Since when it was full, when it last was.
    full: Mutex<Option<Duration>>,
    durable: Mutex<HashSet<Box<str>>>,
}

impl Volume {
    pub(crate) fn new(
        name: VolumeName,
        fs: Arc<dyn FileSystem>,
        host: Arc<dyn Host>,
        cluster: ClusterUid,
        adopt: Option<ClusterUid>,
    ) -> Self {
        Self {
            name,
            fs,
            host,
            cluster,
            adopt,
            identity: futures::lock::Mutex::new(None),
            uid: OnceLock::new(),
            full: Mutex::default(),
            durable: Mutex::default(),
        }
    }

    /// Makes sure that this is a volume of this cluster, once.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        match self.identify().await {
            Ok(_) => Ok(()),
            Err(NotReady::Fs(error)) => Err(Error::of(error, &self.name)),
            Err(NotReady::Refused(error)) => Err(Error::UnknownSpace(error.to_string())),
        }
    }

    /// Its id, once it has told that.
    pub(crate) fn uid(&self) -> Option<VolumeUid> {
        self.uid.get().copied()
    }

    /// It did not take more just now.
    pub(crate) fn is_full(&self, now: Duration) {
        *self.full.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Whether it was full a short while ago.
    pub(crate) fn was_full(&self, now: Duration) -> bool {
        let full = *self.full.lock().unwrap_or_else(PoisonError::into_inner);
        full.is_some_and(|since| since.saturating_add(FULL_FOR) > now)
    }

    /// Whose the volume is. A new one becomes this cluster's.
    pub(crate) async fn identify(&self) -> Result<Identity, NotReady> {
        let mut known = self.identity.lock().await;
        if let Some(identity) = known.as_ref() {
            return Ok(identity.clone());
        }
        let identity = match self.read_identity().await? {
            Some(identity) => identity,
            None => self.claim().await?,
        };
        let Identity { format: _, volume: _, cluster } = identity;
        if cluster != self.cluster && Some(cluster) != self.adopt {
            let volume = self.name.clone();
            return Err(OpenError::Foreign { volume, owner: cluster, cluster: self.cluster }.into());
        }
        // Whoever made it may not have come to that, and nobody builds on what a power loss could take back.
        self.fs.sync_directory("").await?;
        self.uid.get_or_init(|| VolumeUid(identity.volume));
        *known = Some(identity.clone());
        Ok(identity)
    }

    /// Makes sure that what is there still is the volume which was there.
    pub(crate) async fn verify(&self) -> Result<(), FsError> {
        let known = self.identity.lock().await.clone();
        let found = self.fs.read(FILE, LONGEST).await;
        match (known, found) {
            (Some(known), Ok(found)) if Identity::read(&found).as_ref() == Ok(&known) => Ok(()),
            (_, Ok(_) | Err(FsError::NotFound)) => {
                let what = format!("{FILE} is not the one that was there before: is the volume mounted?");
                Err(FsError::Other(what.into()))
            }
            (_, Err(error)) => Err(error),
        }
    }

    /// Whose the volume says it is; `None` when it says nothing.
    pub(crate) async fn read_identity(&self) -> Result<Option<Identity>, NotReady> {
        let file = match self.fs.read(FILE, LONGEST).await {
            Ok(file) => file,
            Err(FsError::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let volume = self.name.clone();
        match Identity::read(&file) {
            Ok(identity) => Ok(Some(identity)),
            Err(IdentityError::Newer(found)) => Err(OpenError::Newer { volume, found, known: LAYOUT }.into()),
            Err(IdentityError::Unreadable(reason)) => Err(OpenError::Unreadable { volume, reason }.into()),
        }
    }

    /// Makes a new volume this cluster's. When others do the same at the same time, one of them does.
    async fn claim(&self) -> Result<Identity, NotReady> {
        let identity =
            Identity::new(Uuid::from_u64_pair(self.host.random(), self.host.random()), self.cluster);
        let temporary = format!("{FILE}.{:016x}", self.host.random());
        self.fs.write(&temporary, Bytes::from(identity.write())).await?;
        let claimed = self.link_identity(&temporary).await;
        // Left over it is a small file that nobody reads.
        let _ = self.fs.unlink(&temporary).await;
        claimed
    }

    async fn link_identity(&self, temporary: &str) -> Result<Identity, NotReady> {
        let mut answer = String::new();
        for attempt in 0..MOST_TRIES {
            let linked = self.fs.link(temporary, FILE).await;
            // As in a log, what is there decides, not what was answered.
            if let Some(identity) = self.read_identity().await? {
                return Ok(identity);
            }
            match linked {
                Err(FsError::Stalled) => return Err(FsError::Stalled.into()),
                Err(error) => answer = format!(": {error}"),
                Ok(()) => {}
            }
            self.host.sleep(Duration::from_millis(1 << attempt.min(6))).await;
        }
        // It could be written to, and nothing but this failed each time.
        let reason = format!("it does not make hard links{answer}; use a file system that does");
        Err(OpenError::Unusable { volume: self.name.clone(), reason }.into())
    }

    /// Makes directories, durably, a parent before what is in it. Whoever else made one may not have come to that.
    pub(crate) async fn ensure(&self, directories: &[String]) -> Result<(), FsError> {
        let missing: Vec<&String> = {
            let durable = self.durable();
            directories.iter().filter(|directory| !durable.contains(directory.as_str())).collect()
        };
        let mut above = Vec::new();
        for directory in &missing {
            match self.fs.make_directory(directory).await {
                Ok(()) | Err(FsError::Exists) => {}
                Err(error) => return Err(error),
            }
            let parent = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
            if !above.contains(&parent) {
                above.push(parent);
            }
        }
        for directory in above {
            self.fs.sync_directory(directory).await?;
        }
        let mut durable = self.durable();
        if durable.len() > MOST_DURABLE {
            // To make sure of one again is harmless.
            durable.clear();
        }
        durable.extend(missing.into_iter().map(|directory| directory.as_str().into()));
        Ok(())
    }

    fn durable(&self) -> std::sync::MutexGuard<'_, HashSet<Box<str>>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a volume can not be used.
#[derive(Debug)]
pub(crate) enum NotReady {
    /// It failed; another time it may not.
    Fs(FsError),
    /// It must not be touched.
    Refused(OpenError),
}

impl From<FsError> for NotReady {
    fn from(error: FsError) -> Self {
        Self::Fs(error)
    }
}

impl From<OpenError> for NotReady {
    fn from(error: OpenError) -> Self {
        Self::Refused(error)
    }
}
