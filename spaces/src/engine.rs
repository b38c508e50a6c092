//! The engine of one pod: its volumes, and the spaces it has in use.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::ids::{ClusterUid, SpaceId, VolumeName};

use arc_swap::ArcSwap;
use futures::future::join_all;

use crate::error::{Error, OpenError};
use crate::file_system::{FileSystem, Health};
use crate::format::FORMAT;
use crate::format::entry::Committer;
use crate::format::identity::Identity;
use crate::host::{Host, TokioHost};
use crate::local::LocalVolume;
use crate::memory::{Memory, MemoryUse};
use crate::pool::Pool;
use crate::replica::removal::Removed;
use crate::replica::{Pod, Replica};
use crate::settings::Settings;
use crate::space::Space;
use crate::volume::{NotReady, Volume};

/// The engine over real directories.
pub type Local = Engine;

/// What an engine is made of.
pub struct EngineConfig {
    /// The pool.
    pub volumes: Vec<(VolumeName, Arc<dyn FileSystem>)>,
    /// The DiskCluster.
    pub cluster: ClusterUid,
    /// Another DiskCluster whose volumes are taken over.
    pub adopt: Option<ClusterUid>,
    /// What can be tuned.
    pub settings: Settings,
}

/// What the engine over real directories is made of.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// The pool: names and where they are mounted.
    pub volumes: Vec<(VolumeName, PathBuf)>,
    /// The DiskCluster.
    pub cluster: ClusterUid,
    /// Another DiskCluster whose volumes are taken over.
    pub adopt: Option<ClusterUid>,
    /// For tests alone: a directory, not on any volume, whose files `<volume>.hang`, `.eio`, `.slow`, `.enospc` (what
    /// needs room fails) and `.estale` make a volume seem so. A file `.nth` that says `12 enospc` makes the twelfth
    /// call from then on fail, and no other; `eio` and `estale` can be said as well.
    pub faults: Option<PathBuf>,
    /// What can be tuned.
    pub settings: Settings,
}

/// The engine of one pod. Clones share it.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Arc<Pool>,
    pod: Pod,
    spaces: Mutex<Spaces>,
}

/// The spaces that were asked for.
#[derive(Default)]
struct Spaces {
    known: HashMap<(SpaceId, VolumeName), Arc<Replica>>,
    /// When there are so many, those are forgotten that nobody holds.
    enough: usize,
}

/// Fewer spaces than this are not worth looking through for those that nobody holds.
const FEW: usize = if cfg!(test) { 1 } else { 256 };

impl Engine {
    /// An engine over these volumes.
    ///
    /// # Errors
    /// When a volume belongs to another cluster or was written by a newer version. A volume that does not answer is
    /// no error: it is looked at again when it is needed.
    pub async fn open(config: EngineConfig, host: Arc<dyn Host>) -> Result<Self, OpenError> {
        Self::open_reading(FORMAT, config, host).await
    }

    /// An engine that reads logs up to a format: tests make themselves one of an older version.
    pub(crate) async fn open_reading(
        reads: u32,
        config: EngineConfig,
        host: Arc<dyn Host>,
    ) -> Result<Self, OpenError> {
        let EngineConfig { volumes, cluster, adopt, settings } = config;
        let volumes: Vec<_> = volumes
            .into_iter()
            .map(|(name, fs)| Arc::new(Volume::new(name, fs, host.clone(), cluster, adopt)))
            .collect();
        let mut known = HashMap::new();
        for (volume, identified) in join_all(volumes.iter().map(identify)).await {
            let Some(identity) = identified? else { continue };
            if let Some(other) = known.insert(identity.volume, volume.name.clone()) {
                let reason =
                    format!("it is the same as the volume {other}; mount another one, or name one alone");
                return Err(OpenError::Unusable { volume: volume.name.clone(), reason });
            }
        }
        let committer = Committer(host.machine().unwrap_or_else(|| host.random()));
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let memory = Memory::new(host.clone(), settings.clone());
        let pool = Arc::new(Pool::new(volumes, host.clone(), settings.clone()));
        let (pasts, witnesses) = (Arc::default(), Arc::default());
        let pod = Pod { host, settings, committer, witnesses, reads, memory, pasts, pool: pool.clone() };
        let inner = Inner { pool, pod, spaces: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// An engine over directories of this machine, within a tokio runtime.
    ///
    /// # Errors
    /// Those of [`Engine::open`], and a directory that is none.
    pub async fn open_local(config: LocalConfig) -> Result<Local, OpenError> {
        let LocalConfig { volumes, cluster, adopt, faults, settings } = config;
        let volumes: Result<Vec<_>, OpenError> = volumes
            .into_iter()
            .map(|(name, path)| {
                let volume = LocalVolume::open(&name, path, faults.clone())?;
                Ok((name, volume))
            })
            .collect();
        let config = EngineConfig { volumes: volumes?, cluster, adopt, settings };
        Self::open(config, Arc::new(TokioHost::current())).await
    }

    /// A space whose log is on this volume. Nothing is read until it is used.
    #[must_use]
    pub fn space(&self, id: SpaceId, home: VolumeName) -> Space {
        let Inner { pool, pod, spaces } = self.inner.as_ref();
        let replica = pool.volumes.iter().find(|volume| volume.name == home).map(|volume| {
            let place = (id, home.clone());
            let mut spaces = spaces.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = spaces.known.get(&place) {
                return known.clone();
            }
            let forgotten = spaces.forget();
            let new = Replica::new(id, volume.clone(), pod.clone());
            spaces.known.insert(place, new.clone());
            drop(spaces);
            drop(forgotten);
            new
        });
        Space::new(id, home, replica)
    }

    /// Other settings, which count for all that is done from now on.
    pub fn set_settings(&self, settings: Settings) {
        self.inner.pod.settings.store(Arc::new(settings));
        self.inner.pod.memory.trim();
    }

    /// The settings that count.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.inner.pod.settings.load_full()
    }

    /// Looks after a space, whether it is in use or not: writes its state down where that makes opening it quicker,
    /// and takes away what nobody needs any more. It does so beside everything else; any pod may, at any time.
    ///
    /// # Errors
    /// When the volume fails or the space is stopped; another time it goes on where it ended.
    pub async fn upkeep(&self, id: SpaceId, home: VolumeName) -> Result<(), Error> {
        self.space(id, home).upkeep().await
    }

    /// Looks after a space that nobody may be using, as should be done [now and then](Settings::visits): ends what has
    /// expired there and takes away what nobody needs, a little of it. It leaves the space in memory only if it was
    /// there. Any pod may, at any time, also several at once; in a space to which nobody writes it takes visits of pods on
    /// two machines until something has expired, for one clock alone may be wrong.
    ///
    /// # Errors
    /// When the volume fails or the space is stopped; another time it goes on where it ended.
    pub async fn visit(&self, id: SpaceId, home: VolumeName) -> Result<(), Error> {
        self.space(id, home).visit().await
    }

    /// Removes a space that was [closed](crate::Operation::Close) so long ago by the clock of this pod: all its files on
    /// all volumes, but for a small one that says so. It can not be undone, and nobody can use its id again. Whoever asks
    /// goes by a clock of its own, so that a wrong one alone removes nothing early. Asking again is safe, and goes on
    /// where it ended.
    ///
    /// # Errors
    /// [`Error::SpaceKept`] of one that is not closed, or not for so long; when a volume fails or this pod does not have it.
    pub async fn remove_space(
        &self,
        id: SpaceId,
        home: VolumeName,
        closed_for: Duration,
    ) -> Result<Removed, Error> {
        self.space(id, home).replica()?.remove(closed_for).await
    }

    /// How a volume is doing, without asking it.
    #[must_use]
    pub fn health(&self, volume: &VolumeName) -> Health {
        let found = self.inner.pool.volumes.iter().find(|known| known.name == *volume);
        found.map_or_else(Health::default, |volume| volume.fs.health())
    }

    /// How many spaces are held in memory.
    #[must_use]
    pub fn spaces_loaded(&self) -> usize {
        self.memory().spaces
    }

    /// What is held in memory, against the [budget](Settings::memory).
    #[must_use]
    pub fn memory(&self) -> MemoryUse {
        self.inner.pod.memory.in_use()
    }

    /// The spaces that this pod does not touch any more, and why.
    #[must_use]
    pub fn stopped_spaces(&self) -> Vec<(SpaceId, Error)> {
        let replicas = self.replicas();
        replicas
            .iter()
            .filter_map(|replica| Some((replica.shared.log.space, replica.shared.stopped()?)))
            .collect()
    }

    pub(crate) fn replicas(&self) -> Vec<Arc<Replica>> {
        let spaces = self.inner.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        spaces.known.values().cloned().collect()
    }
}

impl Spaces {
    /// Takes out what nobody holds and nothing is known of, when there is much.
    fn forget(&mut self) -> Vec<Arc<Replica>> {
        if self.known.len() < self.enough.max(FEW) {
            return Vec::new();
        }
        // Nobody gets another hold of one while the map is locked.
        let is_left = |replica: &Arc<Replica>| Arc::strong_count(replica) == 1 && replica.is_forgettable();
        let mut left: Vec<_> = self.known.extract_if(|_, replica| is_left(replica)).collect();
        self.enough = self.known.len().saturating_mul(2);
        left.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        left.into_iter().map(|(_, replica)| replica).collect()
    }
}

/// Whose a volume is; `None` when it does not answer now.
async fn identify(volume: &Arc<Volume>) -> (&Arc<Volume>, Result<Option<Identity>, OpenError>) {
    let identified = match volume.identify().await {
        Ok(identity) => Ok(Some(identity)),
        Err(NotReady::Refused(error)) => Err(error),
        Err(NotReady::Fs(error)) => {
            tracing::warn!(volume = %volume.name, %error, "The volume does not answer; it is looked at again when it is needed.");
            Ok(None)
        }
    };
    (volume, identified)
}
