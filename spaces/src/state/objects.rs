//! Which data files a space refers to.

use api::generation::Generation;

use crate::extent::{Extent, ObjectId, VolumeIndex};
use crate::map::Map;

/// What of an object is referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// How many extents and uploads refer to it.
    pub(crate) references: u64,
    /// When the last reference went, if none is left. It stays known until truncation has passed that generation, for
    /// until then an older state can be read that refers to it.
    pub(crate) dropped: Generation,
}

/// All objects that are referred to, or were until lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Objects(pub(crate) Map<(VolumeIndex, ObjectId), Use>);

impl Objects {
    pub(crate) fn refer(&mut self, volume: VolumeIndex, object: ObjectId) {
        let before = self.0.get(&(volume, object)).map_or(0, |known| known.references);
        self.0.insert((volume, object), Use { references: before + 1, dropped: Generation::ZERO });
    }

    pub(crate) fn drop_reference(&mut self, volume: VolumeIndex, object: ObjectId, now: Generation) {
        if let Some(known) = self.0.get_mut(&(volume, object)) {
            known.references = known.references.saturating_sub(1);
            if known.references == 0 {
                known.dropped = now;
            }
        }
    }

    pub(crate) fn refer_all(&mut self, extents: &[Extent]) {
        for extent in extents {
            self.refer(extent.volume, extent.object);
        }
    }

    pub(crate) fn drop_all(&mut self, extents: &[Extent], now: Generation) {
        for extent in extents {
            self.drop_reference(extent.volume, extent.object, now);
        }
    }

    pub(crate) fn knows(&self, volume: VolumeIndex, object: ObjectId) -> bool {
        self.0.contains_key(&(volume, object))
    }

    /// Whether something refers to an object.
    pub(crate) fn in_use(&self, volume: VolumeIndex, object: ObjectId) -> bool {
        self.0.get(&(volume, object)).is_some_and(|known| known.references > 0)
    }

    /// Forgets what nothing has referred to since a generation that truncation has passed.
    pub(crate) fn forget(&mut self, truncated: Generation) {
        let dead: Vec<_> = self
            .0
            .iter()
            .filter(|(_, known)| known.references == 0 && known.dropped <= truncated)
            .map(|(key, _)| *key)
            .collect();
        for key in dead {
            self.0.remove(&key);
        }
    }
}
