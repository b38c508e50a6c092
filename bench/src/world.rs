//! The directory that is measured in, and pods over it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use api::bytes::Bytes as Amount;
use api::generation::RosterGeneration;
use api::ids::{ClusterUid, SpaceId, VolumeName};
use bytes::Bytes;
use spaces::{
    Committed, Condition, Engine, EngineConfig, FileSystem, LocalVolume, NodePath, Operation, OperationId,
    Request, Settings, Space, TokioHost,
};
use uuid::Uuid;

/// Where it is measured; what was made there is taken away at the end.
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
}

impl Place {
    pub(crate) fn new(directory: Option<PathBuf>) -> anyhow::Result<Self> {
        let above = match directory {
            Some(directory) => directory,
            None => std::env::current_exe()?.parent().context("the program is in no directory")?.to_owned(),
        };
        let directory = above.join(format!("bench-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        Ok(Self { directory })
    }

    /// A directory in it.
    pub(crate) fn below(&self, name: &str) -> anyhow::Result<PathBuf> {
        let directory = self.directory.join(name);
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        Ok(directory)
    }

    /// What a figure must be read with.
    pub(crate) fn describe(&self) -> anyhow::Result<String> {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load: Vec<&str> = load.split_whitespace().take(2).collect();
        let processors = std::thread::available_parallelism()?;
        Ok(format!("{processors} processors, load {} at the end", load.join(" ")))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// The name that the only volume has.
pub(crate) fn volume() -> anyhow::Result<VolumeName> {
    Ok("bench".parse()?)
}

const CLUSTER: ClusterUid = ClusterUid(Uuid::from_u128(1));

/// One more pod over a volume.
pub(crate) async fn engine(fs: Arc<dyn FileSystem>, settings: Settings) -> anyhow::Result<Engine> {
    let volumes = vec![(volume()?, fs)];
    let config = EngineConfig { volumes, cluster: CLUSTER, adopt: None, settings };
    Ok(Engine::open(config, Arc::new(TokioHost::current())).await?)
}

/// One more pod over a directory, as real ones are.
pub(crate) async fn pod(directory: &Path) -> anyhow::Result<Engine> {
    engine(LocalVolume::open(&volume()?, directory.to_owned(), None)?, Settings::default()).await
}

/// A space with room for everything.
pub(crate) async fn space(engine: &Engine, id: u128) -> anyhow::Result<Space> {
    let space = engine.space(SpaceId(Uuid::from_u128(id)), volume()?);
    let most = Amount(1 << 60);
    let limit = Operation::Limit { roster_generation: RosterGeneration(1), target: most, ceiling: most };
    act(&space, limit).await?;
    Ok(space)
}

pub(crate) fn path(text: &str) -> anyhow::Result<NodePath> {
    text.parse().with_context(|| format!("{text} is no path"))
}

pub(crate) async fn act(space: &Space, operation: Operation) -> anyhow::Result<Committed> {
    Ok(space
        .commit(Request { id: OperationId(Uuid::new_v4()), born: None, operation, locks: Vec::new() })
        .await?)
}

pub(crate) async fn make_directory(space: &Space, at: &str) -> anyhow::Result<Committed> {
    act(space, Operation::MakeDirectory { path: path(at)?, parents: true }).await
}

pub(crate) async fn put(space: &Space, at: &str, content: Bytes) -> anyhow::Result<Committed> {
    let mut stage = space.stage(Some(Amount(content.len() as u64))).await?;
    stage.write(content).await?;
    let content = stage.finish().await?;
    act(space, Operation::Put { path: path(at)?, content, condition: Condition::None, parents: false }).await
}
