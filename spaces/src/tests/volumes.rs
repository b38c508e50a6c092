//! Several volumes in directories, each of which can be made full, or not to link or to seem silent.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use api::bytes::Bytes as Amount;
use api::ids::{ClusterUid, SpaceId, VolumeName};
use bytes::Bytes;
use tempfile::TempDir;
use uuid::Uuid;

use super::world::Short;
use crate::file_system::{FileSystem, FsError, FsFuture, Health, NewFile, OpenFile};
use crate::{Engine, EngineConfig, LocalVolume, Settings, Space, TokioHost};

/// What is wrong with a volume, for all pods.
#[derive(Default)]
pub(super) struct Faults {
    /// It takes no content any more.
    pub(super) full: AtomicBool,
    /// It makes no second name for an object.
    pub(super) linkless: AtomicBool,
    /// How much it says is free.
    pub(super) free: AtomicU64,
}

pub(super) struct Volumes {
    cluster: ClusterUid,
    directories: Vec<(VolumeName, TempDir, Arc<Faults>)>,
}

struct Faulty {
    inner: Arc<dyn FileSystem>,
    faults: Arc<Faults>,
}

struct Writing {
    inner: Arc<dyn NewFile>,
    faults: Arc<Faults>,
}

impl Volumes {
    pub(super) fn new(names: &[&str]) -> Self {
        let directory = |name: &&str| {
            let faults = Faults { free: AtomicU64::new(1 << 40), ..Faults::default() };
            (name.parse().unwrap(), tempfile::tempdir().unwrap(), Arc::new(faults))
        };
        let directories = names.iter().map(directory).collect();
        Self { cluster: ClusterUid(Uuid::new_v4()), directories }
    }

    /// One more pod, with these volumes.
    pub(super) async fn pod(&self, names: &[&str]) -> Engine {
        self.pod_with(names, Settings::default()).await
    }

    pub(super) async fn pod_with(&self, names: &[&str], settings: Settings) -> Engine {
        let known = self.directories.iter().filter(|(name, _, _)| names.contains(&name.as_str()));
        let volumes = known.map(|(name, directory, faults)| {
            let inner = LocalVolume::open(name, directory.path().to_owned(), None).unwrap();
            let volume: Arc<dyn FileSystem> = Arc::new(Faulty { inner, faults: faults.clone() });
            (name.clone(), volume)
        });
        let (volumes, cluster) = (volumes.collect(), self.cluster);
        let config = EngineConfig { volumes, cluster, adopt: None, settings };
        Engine::open(config, Arc::new(TokioHost::current())).await.unwrap()
    }

    pub(super) fn faults(&self, name: &str) -> &Faults {
        &self.directories.iter().find(|(known, _, _)| known.as_str() == name).unwrap().2
    }

    pub(super) fn directory(&self, name: &str) -> &Path {
        self.directories.iter().find(|(known, _, _)| known.as_str() == name).unwrap().1.path()
    }

    /// The data files of a space on a volume.
    pub(super) fn objects(&self, name: &str, space: SpaceId) -> BTreeSet<String> {
        let text = space.to_string();
        let objects = self.directory(name).join("spaces").join(&text[..2]).join(&text).join("objects");
        let Ok(shards) = std::fs::read_dir(objects) else { return BTreeSet::new() };
        let files = shards.flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap());
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// Volumes that get no new content.
pub(super) fn draining(names: &[&str]) -> Settings {
    Settings { drained: names.iter().map(|name| name.parse().unwrap()).collect(), ..Settings::default() }
}

/// A new space with room.
pub(super) async fn space(pod: &Engine, home: &str) -> Space {
    let space = pod.space(SpaceId(Uuid::new_v4()), home.parse().unwrap());
    space.limit(1, 1 << 30, 1 << 30).await.unwrap();
    space
}

impl Faulty {
    fn takes(&self, path: &str) -> Result<(), FsError> {
        let full = path.contains("/objects/") && self.faults.full.load(Ordering::SeqCst);
        if full { Err(FsError::Full) } else { Ok(()) }
    }
}

impl NewFile for Writing {
    fn append(&self, content: Bytes) -> FsFuture<()> {
        if self.faults.full.load(Ordering::SeqCst) {
            return Box::pin(async { Err(FsError::Full) });
        }
        self.inner.append(content)
    }

    fn sync(&self) -> FsFuture<()> {
        self.inner.sync()
    }
}

impl FileSystem for Faulty {
    fn create(&self, path: &str) -> FsFuture<Arc<dyn NewFile>> {
        let (created, takes, faults) = (self.inner.create(path), self.takes(path), self.faults.clone());
        Box::pin(async move {
            takes?;
            Ok(Arc::new(Writing { inner: created.await?, faults }) as Arc<dyn NewFile>)
        })
    }

    fn write(&self, path: &str, content: Bytes) -> FsFuture<()> {
        let takes = self.takes(path);
        let written = self.inner.write(path, content);
        Box::pin(async move {
            takes?;
            written.await
        })
    }

    fn link(&self, from: &str, to: &str) -> FsFuture<()> {
        if to.contains("/objects/") && self.faults.linkless.load(Ordering::SeqCst) {
            return Box::pin(async { Err(FsError::Other("too many links".into())) });
        }
        self.inner.link(from, to)
    }

    fn open(&self, path: &str) -> FsFuture<Arc<dyn OpenFile>> {
        self.inner.open(path)
    }

    fn read(&self, path: &str, most: usize) -> FsFuture<Bytes> {
        self.inner.read(path, most)
    }

    fn list(&self, path: &str) -> FsFuture<Vec<String>> {
        self.inner.list(path)
    }

    fn unlink(&self, path: &str) -> FsFuture<()> {
        self.inner.unlink(path)
    }

    fn stat(&self, path: &str) -> FsFuture<u64> {
        self.inner.stat(path)
    }

    fn sync_directory(&self, path: &str) -> FsFuture<()> {
        self.inner.sync_directory(path)
    }

    fn make_directory(&self, path: &str) -> FsFuture<()> {
        self.inner.make_directory(path)
    }

    fn health(&self) -> Health {
        let free = Amount(self.faults.free.load(Ordering::SeqCst));
        Health { canary_age: Some(std::time::Duration::ZERO), free }
    }
}
