//! The engine of one pod: its volumes, and the spaces it has in use.

use std::path::PathBuf;
use std::sync::Arc;

use api::ids::{ClusterUid, SpaceId, VolumeName};

use crate::error::OpenError;
use crate::file_system::{FileSystem, Health};
use crate::host::{Host, TokioHost};
use crate::space::Space;

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
    /// For tests alone: a directory, not on any volume, whose files `<volume>.hang`, `.eio` and `.slow` make a volume
    /// seem so.
    pub faults: Option<PathBuf>,
    /// What can be tuned.
    pub settings: Settings,
}

/// What can be tuned of an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {}

/// The engine of one pod. Clones share it.
#[derive(Clone)]
pub struct Engine {
    volumes: Arc<[(VolumeName, Arc<dyn FileSystem>)]>,
}

impl Engine {
    /// An engine over these volumes.
    ///
    /// # Errors
    /// When a volume belongs to another cluster or was written by a newer version. A volume that does not answer is
    /// no error: it is looked at again when it is needed.
    pub async fn open(config: EngineConfig, host: Arc<dyn Host>) -> Result<Self, OpenError> {
        let _ = host;
        Ok(Self { volumes: config.volumes.into() })
    }

    /// An engine over directories of this machine, within a tokio runtime.
    ///
    /// # Errors
    /// Those of [`Engine::open`], and a directory that is none.
    pub async fn open_local(config: LocalConfig) -> Result<Local, OpenError> {
        let LocalConfig { volumes: _, cluster, adopt, faults: _, settings } = config;
        Self::open(EngineConfig { volumes: Vec::new(), cluster, adopt, settings }, Arc::new(TokioHost::current())).await
    }

    /// A space whose log is on this volume. Nothing is read until it is used.
    #[must_use]
    pub fn space(&self, id: SpaceId, home: VolumeName) -> Space {
        Space::new(id, home)
    }

    /// How a volume is doing, without asking it.
    #[must_use]
    pub fn health(&self, volume: &VolumeName) -> Health {
        let found = self.volumes.iter().find(|(name, _)| name == volume);
        found.map_or_else(Health::default, |(_, volume)| volume.health())
    }

    /// How many spaces are held in memory.
    #[must_use]
    pub fn spaces_loaded(&self) -> usize {
        0
    }
}
