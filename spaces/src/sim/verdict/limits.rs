//! What all spaces together may hold, at every instant.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::ids::SpaceId;

use super::super::world::World;

/// Limits as they came into force, by their places among all changes of the volume.
#[derive(Default)]
pub(super) struct Limits(BTreeMap<u64, (SpaceId, u64)>);

impl Limits {
    pub(super) fn note(&mut self, order: u64, space: SpaceId, limit: u64) {
        self.0.insert(order, (space, limit));
    }

    /// Whether the members' quotas were ever exceeded.
    pub(super) fn hold(&self, world: &Arc<World>, quota: u64) {
        let mut now = BTreeMap::<SpaceId, u64>::new();
        for (space, limit) in self.0.values() {
            now.insert(*space, *limit);
            let sum: u64 = now.values().sum();
            if sum > quota {
                world.wrong(format!("2: the limits of all spaces are {sum} together, of a quota of {quota}"));
                return;
            }
        }
    }
}
