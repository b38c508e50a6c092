//! A volume in a directory, and pods over it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::bytes::Bytes as Amount;
use api::generation::RosterGeneration;
use api::ids::{ClusterUid, SpaceId, VolumeName};
use bytes::Bytes;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    Committed, Condition, Engine, Error, Freshness, LocalConfig, NodePath, OpenError, Operation, OperationId,
    Request, Settings, Snapshot, Space, Staged,
};

/// No test waits longer than this for anything.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
pub(super) const MIB: u64 = 1 << 20;

pub(super) struct World {
    pub(super) cluster: ClusterUid,
    pub(super) volume: TempDir,
    pub(super) space: SpaceId,
    /// The directory as each pod in turn sees it. See `mounts`.
    seen: Vec<PathBuf>,
    pods: AtomicUsize,
}

/// Where one shared file system is mounted, when these tests are to run on one: `e2e/filesystems/run.sh` sets it.
fn mounts() -> Vec<PathBuf> {
    std::env::var_os("SPACES_MOUNTS").map_or_else(Vec::new, |mounts| std::env::split_paths(&mounts).collect())
}

pub(super) fn volume_name() -> VolumeName {
    "a".parse().unwrap()
}

impl World {
    pub(super) fn new() -> Self {
        let (cluster, space, mounts) = (ClusterUid(Uuid::new_v4()), SpaceId(Uuid::new_v4()), mounts());
        let volume = match mounts.first() {
            Some(mount) => tempfile::tempdir_in(mount).unwrap(),
            None => tempfile::tempdir().unwrap(),
        };
        let name = volume.path().file_name().unwrap();
        let seen = mounts.iter().map(|mount| mount.join(name));
        let seen = if mounts.is_empty() { vec![volume.path().to_owned()] } else { seen.collect() };
        Self { cluster, volume, space, seen, pods: AtomicUsize::new(0) }
    }

    pub(super) async fn open(
        &self,
        cluster: ClusterUid,
        adopt: Option<ClusterUid>,
    ) -> Result<Engine, OpenError> {
        let pod = self.pods.fetch_add(1, Ordering::Relaxed);
        let volumes = vec![(volume_name(), self.seen[pod % self.seen.len()].clone())];
        // What happens is what a test does.
        let settings = Settings { upkeep: Duration::ZERO, ..Settings::default() };
        Engine::open_local(LocalConfig { volumes, cluster, adopt, faults: None, settings }).await
    }

    /// One more pod.
    pub(super) async fn engine(&self) -> Engine {
        self.open(self.cluster, None).await.unwrap()
    }

    /// The space, in one more pod.
    pub(super) async fn pod(&self) -> Space {
        self.engine().await.space(self.space, volume_name())
    }

    /// The space with so much room, in the first pod.
    pub(super) async fn roomy(&self, bytes: u64) -> Space {
        let space = self.pod().await;
        space.limit(1, bytes, bytes).await.unwrap();
        space
    }

    /// The directory of the space.
    pub(super) fn directory(&self) -> PathBuf {
        let text = self.space.to_string();
        self.volume.path().join("spaces").join(&text[..2]).join(&text)
    }
}

pub(super) fn path(text: &str) -> NodePath {
    text.parse().unwrap()
}

/// What tests ask of a space again and again.
pub(super) trait Short {
    async fn act(&self, operation: Operation) -> Result<Committed, Error>;
    async fn limit(&self, generation: u64, target: u64, ceiling: u64) -> Result<Committed, Error>;
    async fn staged(&self, content: &[u8]) -> Result<Staged, Error>;
    async fn put(&self, at: &str, content: &[u8]) -> Result<Committed, Error>;
    async fn put_if(&self, at: &str, content: &[u8], condition: Condition) -> Result<Committed, Error>;
    async fn get(&self, at: &str) -> Option<Vec<u8>>;
    async fn names(&self, at: &str) -> Vec<String>;
    async fn now(&self) -> Snapshot;
}

impl Short for Space {
    async fn act(&self, operation: Operation) -> Result<Committed, Error> {
        self.commit(Request { id: OperationId(Uuid::new_v4()), born: None, locks: Vec::new(), operation })
            .await
    }

    async fn limit(&self, generation: u64, target: u64, ceiling: u64) -> Result<Committed, Error> {
        let roster_generation = RosterGeneration(generation);
        self.act(Operation::Limit { roster_generation, target: Amount(target), ceiling: Amount(ceiling) })
            .await
    }

    async fn staged(&self, content: &[u8]) -> Result<Staged, Error> {
        let mut stage = self.stage(Some(Amount(content.len() as u64))).await?;
        for piece in content.chunks(100_000) {
            stage.write(Bytes::copy_from_slice(piece)).await?;
        }
        stage.finish().await
    }

    async fn put(&self, at: &str, content: &[u8]) -> Result<Committed, Error> {
        self.put_if(at, content, Condition::None).await
    }

    async fn put_if(&self, at: &str, content: &[u8], condition: Condition) -> Result<Committed, Error> {
        let content = self.staged(content).await?;
        self.act(Operation::Put { path: path(at), content, condition, parents: false }).await
    }

    async fn get(&self, at: &str) -> Option<Vec<u8>> {
        let node = self.now().await.lookup(&path(at))?;
        let mut reader = self.read(&node, 0..u64::MAX).await.unwrap();
        let mut content = Vec::new();
        while let Some(chunk) = reader.next().await.unwrap() {
            content.extend_from_slice(&chunk);
        }
        Some(content)
    }

    async fn names(&self, at: &str) -> Vec<String> {
        let listed = self.now().await.list(&path(at), None, usize::MAX);
        listed.into_iter().map(|(name, _)| name.to_string()).collect()
    }

    async fn now(&self) -> Snapshot {
        let snapshot = self.snapshot(Freshness::Now).await.unwrap();
        assert!(snapshot.audit().is_empty(), "{:?}", snapshot.audit());
        snapshot
    }
}
