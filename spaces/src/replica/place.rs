//! Where the objects of a space are, and where a new one goes.

use std::sync::{Arc, PoisonError};

use super::{Replica, Shared};
use crate::error::Error;
use crate::extent::{Extent, ObjectId, VolumeIndex};
use crate::file_system::FsError;
use crate::log::Log;
use crate::snapshot::Freshness;
use crate::state::State;
use crate::state::intent::Intent;
use crate::state::upload::HOME;
use crate::volume::Volume;

/// A volume, and its number in a space.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) index: VolumeIndex,
    pub(crate) volume: Arc<Volume>,
}

impl Place {
    /// Where some bytes of an object there are.
    pub(crate) fn extent(&self, object: ObjectId, offset: u64, length: u64) -> Extent {
        Extent { volume: self.index, object, offset, length }
    }
}

impl Shared {
    /// The volume that the log is on.
    pub(crate) fn home(&self) -> Place {
        Place { index: HOME, volume: self.log.volume.clone() }
    }

    /// Which volume a new object goes to, whether the space has a number for it or not.
    pub(crate) fn choose(&self, size: u64, avoid: &[Arc<Volume>]) -> Result<Arc<Volume>, Error> {
        let mut habit = self.habit.lock().unwrap_or_else(PoisonError::into_inner);
        self.pool
            .choose(&self.log.volume, size, avoid, &mut habit)
            .ok_or_else(|| Error::StorageFull(self.log.volume.name.clone()))
    }

    /// The place that a volume is to a state; `None` when it has no number yet.
    pub(crate) fn place(&self, state: &State, volume: &Arc<Volume>) -> Option<Place> {
        if Arc::ptr_eq(volume, &self.log.volume) {
            return Some(self.home());
        }
        let index = state.volumes.index_of(volume.uid()?)?;
        Some(Place { index, volume: volume.clone() })
    }

    /// The volume with a number.
    pub(crate) async fn located(&self, state: &State, index: VolumeIndex) -> Result<Arc<Volume>, Error> {
        if index == HOME {
            return Ok(self.log.volume.clone());
        }
        let missing = || Error::Io(format!("the space has no volume number {}", index.0));
        self.pool.find(state.volumes.get(index).ok_or_else(missing)?).await
    }

    /// Makes the directory of an object, durably.
    pub(crate) async fn ensure_objects(&self, volume: &Volume, object: ObjectId) -> Result<(), FsError> {
        let Log { volume: home, layout, .. } = &*self.log;
        if std::ptr::eq(volume, home.as_ref()) {
            self.log.ensure_space(object.born).await?;
            return volume.ensure(&[layout.objects(object)]).await;
        }
        volume.ensure(&layout.object_directories(object)).await
    }

    /// An error of a volume, which takes no more for a while when it is full.
    pub(crate) fn failed_at(&self, volume: &Volume, error: FsError) -> Error {
        if error == FsError::Full {
            volume.is_full(self.host.elapsed());
        }
        Error::of(error, &volume.name)
    }
}

impl Replica {
    /// The place for a new object of about this size. A volume gets its number in an entry before any refers to it.
    pub(crate) async fn place(&self, size: u64, avoid: &[Arc<Volume>]) -> Result<Place, Error> {
        let shared = &self.shared;
        let volume = shared.choose(size, avoid)?;
        if Arc::ptr_eq(&volume, &shared.log.volume) {
            return Ok(shared.home());
        }
        self.named(&volume).await
    }

    /// A volume with the number that it has or gets.
    pub(crate) async fn named(&self, volume: &Arc<Volume>) -> Result<Place, Error> {
        volume.ready().await?;
        let shared = &self.shared;
        let state = self.state(Freshness::AtLeast(shared.known())).await?;
        if let Some(place) = shared.place(&state, volume) {
            return Ok(place);
        }
        let id = volume.uid().ok_or_else(|| Error::Stalled(volume.name.clone()))?;
        let named = self.step(Intent::NameVolume { id }).await?;
        let state = self.state(Freshness::AtLeast(named.generation)).await?;
        shared.place(&state, volume).ok_or_else(|| Error::Stalled(volume.name.clone()))
    }

    /// The volume with a number.
    pub(crate) async fn volume(&self, index: VolumeIndex) -> Result<Arc<Volume>, Error> {
        if index == HOME {
            return Ok(self.shared.log.volume.clone());
        }
        let state = self.state(Freshness::AtLeast(self.shared.known())).await?;
        self.shared.located(&state, index).await
    }
}
