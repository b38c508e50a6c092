//! Removes a space that was closed: all its files, on all volumes, for good.

use std::time::Duration;

use super::Replica;
use super::place::Place;
use crate::error::Error;
use crate::snapshot::Freshness;
use crate::state::State;
use crate::state::intent::Intent;

/// What was taken away of a space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many data files. What a pod writes that has slept since comes later; asking again takes it away.
    pub objects: usize,
}

impl Replica {
    /// Removes the space if it has been closed for so long, or goes on with that.
    pub(crate) async fn remove(&self, closed_for: Duration) -> Result<Removed, Error> {
        let mut state = self.state(Freshness::Now).await?;
        if !state.is_removed() {
            self.may_be_removed(&state, closed_for)?;
            // The last entry there will ever be: who does not have it yet has to fold it before writing anything.
            let removed = self.step(Intent::Remove).await?;
            state = self.state(Freshness::AtLeast(removed.generation)).await?;
        }
        if !state.is_removed() {
            return Err(Error::OutcomeUnknown);
        }
        let shared = &self.shared;
        shared.log.bury(&state).await.map_err(|error| shared.log.error(error))?;
        self.take_away(&state).await
    }

    fn may_be_removed(&self, state: &State, closed_for: Duration) -> Result<(), Error> {
        let closed = state.closed.ok_or(Error::SpaceKept { reason: "it is not closed" })?;
        let closed_for = i64::try_from(closed_for.as_millis()).unwrap_or(i64::MAX);
        if closed.clock.saturating_add(closed_for) > self.shared.host.now() {
            return Err(Error::SpaceKept { reason: "it was closed too short a while ago" });
        }
        Ok(())
    }

    /// Takes away what nothing can refer to any more, which is everything.
    async fn take_away(&self, state: &State) -> Result<Removed, Error> {
        let shared = &self.shared;
        let mut removed = Removed::default();
        let mut missing = None;
        for index in state.volumes.indices() {
            let volume = match shared.located(state, index).await {
                Ok(volume) => volume,
                Err(error) => {
                    missing = Some(error);
                    continue;
                }
            };
            let place = Place { index, volume };
            for directory in 0..=u8::MAX {
                let collected = shared.log.collect_objects(&place.volume, state, directory).await;
                removed.objects += collected.map_err(|error| shared.failed_at(&place.volume, error))?.removed;
            }
        }
        shared.log.collect_temporaries(state).await.map_err(|error| shared.log.error(error))?;
        // A pod that has all volumes does the rest.
        missing.map_or(Ok(removed), Err)
    }
}
