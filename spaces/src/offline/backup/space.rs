//! One space at one generation: its log first, then every data file that the state at its end refers to. Nobody is
//! stopped for it. Files on a volume never change, so what goes wrong is that one was taken away meanwhile: then the
//! log has gone on, and is looked at again.

use std::path::Path;
use std::sync::Arc;

use api::generation::Generation;
use api::ids::SpaceId;
use futures::stream::{self, StreamExt, TryStreamExt};
use uuid::Uuid;

use super::point::{SpaceImage, VOLUMES};
use super::store::Store;
use crate::extent::{ObjectId, VolumeIndex};
use crate::file_system::{FsError, OpenFile};
use crate::format::entry::LONGEST_ENTRY;
use crate::local::read_only::ReadOnly;
use crate::log::layout::block_of;
use crate::log::read::number;
use crate::log::{Log, LogError};
use crate::offline::pool::Volumes;
use crate::offline::{OfflineError, OfflineVolume, files, list};
use crate::state::State;
use crate::volume::Volume;

/// So often a space is looked at that is truncated and collected while it is copied.
const TRIES: usize = 10;
/// So many data files are copied at once.
const AT_ONCE: usize = 8;

/// Copies a space whose log is on a volume.
pub(super) async fn copy(
    store: &Arc<Store>,
    home: &OfflineVolume,
    image: Uuid,
    space: SpaceId,
) -> Result<SpaceImage, OfflineError> {
    let log = home.space(space).await?;
    let copy = Copy { store, home, image, log: &log };
    let mut last = OfflineError::Broken(String::new());
    for _ in 0..TRIES {
        copy.log().await?;
        match copy.objects().await {
            Ok(state) => {
                let (generation, used) = (state.generation, state.used);
                let nodes = state.nodes.len() as u64;
                return Ok(SpaceImage { space, volume: image, generation, nodes, used });
            }
            // What is broken or missing may be so because it was taken away.
            Err(error @ OfflineError::Broken(_)) => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

struct Copy<'c> {
    store: &'c Arc<Store>,
    home: &'c OfflineVolume,
    image: Uuid,
    log: &'c Log,
}

impl Copy<'_> {
    async fn log(&self) -> Result<(), OfflineError> {
        let layout = &self.log.layout;
        let mut whole = Vec::new();
        for block in self.log.blocks().await? {
            let directory = layout.numbered_block(block);
            let names = list(&self.home.volume, &directory).await?;
            if names.iter().any(|name| name == "gone") {
                self.gone(block).await?;
                continue;
            }
            whole.push(block);
            let known = names.iter().filter(|name| {
                let entry = number(name).filter(|entry| block_of(Generation(*entry)) == block);
                entry.is_some() || *name == "start"
            });
            for name in known {
                self.file(&format!("{directory}/{name}")).await?;
            }
        }
        for block in whole {
            // What was taken away of it while it was copied is not missed.
            if self.read(&layout.gone(block)).await?.is_some() {
                self.gone(block).await?;
            }
        }
        self.file(&layout.removed()).await?;
        Ok(())
    }

    /// A block that is gone has `gone`, and nothing else.
    async fn gone(&self, block: u64) -> Result<(), OfflineError> {
        let gone = self.log.layout.gone(block);
        for path in self.store.below(&self.at(&self.log.layout.numbered_block(block))) {
            if path != self.at(&gone) {
                self.store.forget(&path)?;
            }
        }
        self.file(&gone).await
    }

    async fn file(&self, path: &str) -> Result<(), OfflineError> {
        match self.read(path).await? {
            Some(content) => self.store.keep(&self.at(path), &content),
            None => Ok(()),
        }
    }

    async fn read(&self, path: &str) -> Result<Option<bytes::Bytes>, OfflineError> {
        let fs = &self.home.volume.fs;
        let length = match fs.stat(path).await {
            Ok(length) => usize::try_from(length).unwrap_or(usize::MAX),
            Err(FsError::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match fs.read(path, length.max(LONGEST_ENTRY)).await {
            Ok(content) => Ok(Some(content)),
            Err(FsError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Copies every data file that the state at the end of the copied log refers to, and those that older states which
    /// can be read refer to.
    async fn objects(&self) -> Result<Arc<State>, OfflineError> {
        let state = self.state().await?;
        if state.is_removed() {
            return Ok(state);
        }
        let needed = files::ends(&state);
        let all = state
            .objects
            .0
            .iter()
            .map(|((volume, object), _)| (*volume, *object, needed.get(&(*volume, *object)).copied()));
        let all: Vec<_> = all.collect();
        let copies = all.into_iter().map(|(volume, object, end)| self.object(&state, volume, object, end));
        stream::iter(copies).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(state)
    }

    async fn object(
        &self,
        state: &State,
        index: VolumeIndex,
        object: ObjectId,
        end: Option<u64>,
    ) -> Result<(), OfflineError> {
        let volumes = Volumes { home: &self.home.volume, others: &self.home.others, state };
        let path = self.log.layout.object(object);
        let told = || volumes.told(index, &path);
        let (Some(volume), image) = (volumes.of(index), state.volumes.get(index)) else {
            let Some(_) = end else { return Ok(()) };
            return Err(OfflineError::Target(format!("{}: that volume was not named", told())));
        };
        let image = image.map_or(self.image, |uid| uid.0);
        match (opened(volume, &path).await?, end) {
            (Some((_, length)), Some(end)) if length < end => Err(OfflineError::Broken(format!(
                "{}: it is {length} bytes long, and files refer to its first {end}",
                told()
            ))),
            (Some((file, length)), _) => self.store.copy(&at(image, &path), file, length).await,
            (None, None) => Ok(()),
            (None, Some(_)) => {
                Err(OfflineError::Broken(format!("{}: it is missing, and a file refers to it", told())))
            }
        }
    }

    /// The state at the end of the log as it was copied.
    async fn state(&self) -> Result<Arc<State>, OfflineError> {
        let place = self.store.place(&at(self.image, ""));
        let log = image(&place, self.log)?;
        match log.refresh(None).await {
            Ok(loaded) => Ok(loaded.state),
            Err(LogError::Fs(error)) => Err(error.into()),
            Err(LogError::Broken(what)) => Err(OfflineError::Broken(what)),
        }
    }

    fn at(&self, path: &str) -> String {
        at(self.image, path)
    }
}

/// Where a file of a volume is in a backup.
pub(super) fn at(image: Uuid, path: &str) -> String {
    format!("{VOLUMES}/{image}/{path}")
}

/// The same log on a copy of its volume.
fn image(place: &Path, log: &Log) -> Result<Log, OfflineError> {
    let nobody = api::ids::ClusterUid(Uuid::nil());
    let (name, host) = (log.volume.name.clone(), log.host.clone());
    let volume = Arc::new(Volume::new(name, ReadOnly::open(place)?, host.clone(), nobody, None));
    Ok(Log::new(log.space, volume, host, crate::format::FORMAT))
}

async fn opened(volume: &Volume, path: &str) -> Result<Option<(Arc<dyn OpenFile>, u64)>, OfflineError> {
    let found = async { Ok((volume.fs.open(path).await?, volume.fs.stat(path).await?)) };
    match found.await {
        Ok(found) => Ok(Some(found)),
        Err(FsError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
