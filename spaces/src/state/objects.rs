//! Which data files a space refers to.

use api::generation::Generation;
use imbl::OrdSet;

use super::weight::tree;
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
pub(crate) struct Objects(
    pub(crate) Map<(VolumeIndex, ObjectId), Use>,
    /// Those that nothing refers to, in the order in which they were dropped.
    OrdSet<(Generation, VolumeIndex, ObjectId)>,
);

impl Objects {
    /// What those take in memory beside the others that nothing refers to.
    pub(super) fn weight_of_dropped(&self) -> usize {
        tree(self.1.len(), size_of::<(Generation, VolumeIndex, ObjectId)>())
    }

    pub(crate) fn refer(&mut self, volume: VolumeIndex, object: ObjectId) {
        let before = self.0.get(&(volume, object)).copied();
        if let Some(Use { references: 0, dropped }) = before {
            self.1.remove(&(dropped, volume, object));
        }
        let references = before.map_or(0, |known| known.references) + 1;
        self.0.insert((volume, object), Use { references, dropped: Generation::ZERO });
    }

    pub(crate) fn drop_reference(&mut self, volume: VolumeIndex, object: ObjectId, now: Generation) {
        if let Some(known) = self.0.get_mut(&(volume, object)) {
            // One that nothing refers to was dropped before.
            let Some(references) = known.references.checked_sub(1) else { return };
            known.references = references;
            if references == 0 {
                known.dropped = now;
                self.1.insert((now, volume, object));
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

    /// One that was dropped, as it is written of a state; false when it is there.
    pub(crate) fn was_dropped(&mut self, volume: VolumeIndex, object: ObjectId, dropped: Generation) -> bool {
        self.1.insert((dropped, volume, object));
        self.0.insert((volume, object), Use { references: 0, dropped }).is_none()
    }

    /// When the first of those was dropped that nothing refers to any more.
    pub(crate) fn oldest_dropped(&self) -> Option<Generation> {
        self.1.get_min().map(|(dropped, ..)| *dropped)
    }

    /// Forgets what nothing has referred to since a generation that truncation has passed.
    pub(crate) fn forget(&mut self, truncated: Generation) {
        while let Some((dropped, volume, object)) = self.1.get_min().copied() {
            if dropped > truncated {
                break;
            }
            self.1.remove(&(dropped, volume, object));
            self.0.remove(&(volume, object));
        }
    }
}
