//! Which volumes the objects of a space lie on.

use super::State;
use super::apply::{Applied, Misfit};
use super::plan::{Plan, Planned};
use super::upload::HOME;
use crate::error::Error;
use crate::extent::{VolumeIndex, VolumeUid};
use crate::format::pool::NameVolume;
use crate::format::record::Action;

/// So many volumes one space can use.
const MOST: usize = 1_000;

/// The volumes besides the home volume, which is the one that the log is on, in the order in which they were named. One
/// that has a number keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Volumes(imbl::Vector<VolumeUid>);

impl Volumes {
    /// The volume with a number; `None` of the home volume, and when there is none.
    pub(crate) fn get(&self, index: VolumeIndex) -> Option<VolumeUid> {
        self.0.get(usize::from(index.0).checked_sub(1)?).copied()
    }

    /// The number of a volume other than the home volume.
    pub(crate) fn index_of(&self, volume: VolumeUid) -> Option<VolumeIndex> {
        let place = self.0.iter().position(|known| *known == volume)?;
        u16::try_from(place + 1).ok().map(VolumeIndex)
    }

    /// Whether the space may refer to objects on it.
    pub(crate) fn knows(&self, index: VolumeIndex) -> bool {
        index == HOME || self.get(index).is_some()
    }

    /// All with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (VolumeIndex, VolumeUid)> {
        (1..).map(VolumeIndex).zip(self.0.iter().copied())
    }

    /// All numbers, first that of the home volume.
    pub(crate) fn indices(&self) -> impl Iterator<Item = VolumeIndex> {
        std::iter::once(HOME).chain(self.iter().map(|(index, _)| index))
    }

    fn next(&self) -> Option<VolumeIndex> {
        u16::try_from(self.0.len() + 1).ok().map(VolumeIndex).filter(|_| self.0.len() < MOST)
    }

    fn add(&mut self, index: VolumeIndex, volume: VolumeUid) -> Applied {
        if self.next() != Some(index) || self.index_of(volume).is_some() {
            return Err(Misfit("a volume gets a number that it can not have"));
        }
        self.0.push_back(volume);
        Ok(())
    }

    pub(crate) fn restore(volumes: Vec<VolumeUid>) -> Applied<Self> {
        let mut restored = Self::default();
        for volume in volumes {
            restored.add(restored.next().ok_or(Misfit("there are too many volumes"))?, volume)?;
        }
        Ok(restored)
    }

    pub(crate) fn to_start(&self) -> Vec<VolumeUid> {
        self.0.iter().copied().collect()
    }
}

impl State {
    pub(super) fn plan_volume(&self, id: VolumeUid) -> Plan {
        if self.volumes.index_of(id).is_some() {
            return Ok(Planned::Nothing { node: None });
        }
        let volume =
            self.volumes.next().ok_or(Error::TooMuch { what: "volumes of one space", most: MOST })?;
        Ok(Planned::one(Action::NameVolume(NameVolume { volume, id })))
    }

    pub(super) fn name_volume(&mut self, name: &NameVolume) -> Applied {
        let NameVolume { volume, id } = name;
        self.volumes.add(*volume, *id)
    }
}
