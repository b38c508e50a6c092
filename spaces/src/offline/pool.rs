//! The other volumes of a pool, on which data files of a space may lie.

use std::path::Path;
use std::sync::Arc;

use super::{OfflineError, OfflineVolume};
use crate::extent::{VolumeIndex, VolumeUid};
use crate::state::State;
use crate::state::upload::HOME;
use crate::volume::Volume;

/// Another volume, known by what it says of itself, not by where it is.
pub(super) struct Other {
    uid: VolumeUid,
    pub(super) volume: Arc<Volume>,
}

impl OfflineVolume {
    /// Data files are looked for on this volume of the pool, too.
    ///
    /// # Errors
    /// When it can not be read, or does not say which volume it is.
    pub async fn beside(mut self, directory: &Path) -> Result<Self, OfflineError> {
        let other = Self::open(directory).await?;
        let uid = match other.owner() {
            Ok(owner) => VolumeUid(owner.volume),
            Err(reason) => {
                return Err(OfflineError::Volume(format!("{}: {reason}", directory.display())));
            }
        };
        let same = self.owner().is_ok_and(|owner| owner.volume == uid.0);
        if !same && self.others.iter().all(|known| known.uid != uid) {
            self.others.push(Other { uid, volume: other.volume });
        }
        Ok(self)
    }
}

/// The volumes of a space.
#[derive(Clone, Copy)]
pub(super) struct Volumes<'v> {
    pub(super) home: &'v Arc<Volume>,
    pub(super) others: &'v [Other],
    pub(super) state: &'v State,
}

impl<'v> Volumes<'v> {
    /// The volume with a number; `None` when it was not named to this tool.
    pub(super) fn of(&self, index: VolumeIndex) -> Option<&'v Arc<Volume>> {
        if index == HOME {
            return Some(self.home);
        }
        let uid = self.state.volumes.get(index)?;
        self.others.iter().find(|other| other.uid == uid).map(|other| &other.volume)
    }

    /// All that were named, each with its number if the space has one for it.
    pub(super) fn all(&self) -> impl Iterator<Item = (Option<VolumeIndex>, &'v Arc<Volume>)> {
        let state = self.state;
        let others = self.others.iter().map(|other| (state.volumes.index_of(other.uid), &other.volume));
        std::iter::once((Some(HOME), self.home)).chain(others)
    }

    /// A path, with the volume that it is on when that is not the home volume.
    pub(super) fn told(&self, index: VolumeIndex, path: &str) -> String {
        match self.state.volumes.get(index) {
            Some(uid) => format!("volume {uid}, {path}"),
            None => path.to_owned(),
        }
    }
}
