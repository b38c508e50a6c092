//! The volumes of a pod, and which of them takes new content.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::error::Error;
use crate::extent::VolumeUid;
use crate::host::Host;
use crate::settings::Settings;
use crate::volume::Volume;

/// A volume whose canary is older than this takes no new content while another one can.
const STALLED: Duration = Duration::from_secs(5);

/// What must be left of a volume after new content. The home volume of a space needs room for its log.
const HEADROOM: u64 = if cfg!(test) { 0 } else { 64 << 20 };

/// So many objects go to one volume before it is chosen anew, so that a batch does not scatter.
const AT_ONE_PLACE: u32 = 256;

/// All volumes of this pod.
pub(crate) struct Pool {
    pub(crate) volumes: Vec<Arc<Volume>>,
    host: Arc<dyn Host>,
    settings: Arc<ArcSwap<Settings>>,
}

/// The volume besides the home volume that was chosen last for a space.
#[derive(Default)]
pub(crate) struct Habit {
    volume: Option<Arc<Volume>>,
    left: u32,
}

impl Pool {
    pub(crate) fn new(
        volumes: Vec<Arc<Volume>>,
        host: Arc<dyn Host>,
        settings: Arc<ArcSwap<Settings>>,
    ) -> Self {
        Self { volumes, host, settings }
    }

    /// The volume with an id.
    pub(crate) async fn find(&self, id: VolumeUid) -> Result<Arc<Volume>, Error> {
        let mut silent = None;
        for volume in &self.volumes {
            let found = match volume.uid() {
                Some(found) => found,
                // It did not answer when this pod started.
                None => match volume.ready().await {
                    Ok(()) => volume.uid().unwrap_or(id),
                    Err(error) => {
                        silent = Some(error);
                        continue;
                    }
                },
            };
            if found == id {
                return Ok(volume.clone());
            }
        }
        // It may be the one that does not answer.
        Err(silent.unwrap_or(Error::VolumeMissing(id)))
    }

    /// Which volume takes so many new bytes of a space: its home volume as long as that can, else another one by what is
    /// free there. `None` when none may.
    pub(crate) fn choose(
        &self,
        home: &Arc<Volume>,
        size: u64,
        avoid: &[Arc<Volume>],
        habit: &mut Habit,
    ) -> Option<Arc<Volume>> {
        let avoided = |volume: &Arc<Volume>| avoid.iter().any(|avoid| Arc::ptr_eq(avoid, volume));
        let takes = |volume: &Arc<Volume>| !avoided(volume) && self.takes(volume, size);
        if takes(home) {
            return Some(home.clone());
        }
        if let Some(volume) = habit.volume.clone().filter(|volume| habit.left > 0 && takes(volume)) {
            habit.left -= 1;
            return Some(volume);
        }
        let others = self.volumes.iter().filter(|volume| !Arc::ptr_eq(volume, home) && takes(volume));
        let others: Vec<_> = others.map(|volume| (volume, volume.fs.health().free.0)).collect();
        let free: Vec<u64> = others.iter().map(|(_, free)| *free).collect();
        let chosen = weighted(&free, || self.host.random()).and_then(|place| others.get(place));
        match chosen {
            Some((volume, _)) => {
                *habit = Habit { volume: Some((*volume).clone()), left: AT_ONE_PLACE };
                Some((*volume).clone())
            }
            // The file system itself says what is wrong with it.
            None => Some(home.clone()).filter(|home| !avoided(home) && !self.is_drained(home)),
        }
    }

    /// Whether a volume can take so many more bytes, as far as is known without asking it.
    pub(crate) fn takes(&self, volume: &Arc<Volume>, size: u64) -> bool {
        let health = volume.fs.health();
        // Before the first canary nothing is known.
        let answers = health.canary_age.is_none_or(|age| age < STALLED);
        let room = health.canary_age.is_none() || health.free.0 >= size.saturating_add(HEADROOM);
        answers && room && !self.is_drained(volume) && !volume.was_full(self.host.elapsed())
    }

    fn is_drained(&self, volume: &Volume) -> bool {
        self.settings.load().drained.contains(&volume.name)
    }
}

/// One of several by what is free: two are drawn, each with a chance that grows with what it has free, and the one of
/// them with more is taken. So the emptier fill first, and no single one gets everything.
fn weighted(free: &[u64], mut random: impl FnMut() -> u64) -> Option<usize> {
    // In KiB, and one more each, so that what says nothing can be drawn.
    let weight = |free: u64| u128::from(free >> 10) + 1;
    let sum: u128 = free.iter().copied().map(weight).sum();
    if sum == 0 {
        return None;
    }
    let mut draw = || {
        let mut at = (u128::from(random()) * sum) >> 64;
        free.iter().position(|free| match at.checked_sub(weight(*free)) {
            Some(rest) => {
                at = rest;
                false
            }
            None => true,
        })
    };
    let (one, other) = (draw()?, draw()?);
    Some(if free.get(one) >= free.get(other) { one } else { other })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nobody_is_drawn_from_nothing() {
        assert_eq!(weighted(&[], || 0), None);
        assert_eq!(weighted(&[0], || u64::MAX), Some(0));
    }

    #[test]
    fn the_emptier_fill_first_and_no_single_one_gets_everything() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut drawn = [0; 3];
        for _ in 0..10_000 {
            drawn[weighted(&[100 << 20, 300 << 20, 600 << 20], || random.u64(..)).unwrap()] += 1;
        }
        assert!(drawn[0] > 50 && drawn[0] < drawn[1] && drawn[1] < drawn[2] && drawn[2] < 9_000, "{drawn:?}");
    }

    proptest! {
        #[test]
        fn somebody_is_always_drawn(free in prop::collection::vec(any::<u64>(), 1..9), draws in any::<[u64; 2]>()) {
            let mut draws = draws.into_iter();
            let drawn = weighted(&free, || draws.next().unwrap()).unwrap();
            prop_assert!(drawn < free.len());
        }
    }
}
