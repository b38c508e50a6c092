//! Raises the watermark, and then takes away what is not needed below it.

use std::sync::Arc;
use std::time::Duration;

use api::generation::Generation;

use super::{Reason, Upkeep};
use crate::error::Error;
use crate::file_system::FsError;
use crate::log::layout::BLOCK;
use crate::replica::{Replica, Shared};
use crate::state::State;
use crate::state::intent::Intent;
use crate::volume::Volume;

/// The watermark is raised in so many rounds once.
const ROUNDS: u32 = 60;

/// Of 256 directories so many are looked through in one round.
const DIRECTORIES: u8 = 8;

/// What is remembered of the collection.
#[derive(Default)]
pub(super) struct Sweeps {
    /// When the watermark is looked at again.
    next: Duration,
    /// Below this one everything was collected.
    collected: Generation,
    /// The pass under way: the watermark that it began with, and the next directory.
    pass: Option<(Generation, u8)>,
    /// What the passes since the last sweep found that the watermark has not passed.
    waiting: usize,
}

/// Raises the watermark when that is of use.
pub(super) async fn sweep(
    upkeep: &mut Upkeep,
    replica: &Replica,
    state: &State,
    reason: Reason,
) -> Result<(), Error> {
    let shared: &Shared = &replica.shared;
    let elapsed = shared.host.elapsed();
    if !matches!(reason, Reason::Asked | Reason::Visit) && elapsed < upkeep.sweeps.next {
        return Ok(());
    }
    upkeep.sweeps.next = elapsed.saturating_add(shared.settings.load().upkeep.saturating_mul(ROUNDS));
    let truncated = Generation(upkeep.starts.truncated().saturating_mul(BLOCK));
    let low = watermark(shared, state, truncated).await.map_err(|error| shared.log.error(error))?;
    let forgets = state.outcomes.oldest().is_some_and(|born| born < low) || upkeep.sweeps.waiting > 0;
    // However short the log is, and so not truncated: what only the past has is kept for as long as the history.
    let truncated = truncated.max(aged(shared, state).await.map_err(|error| shared.log.error(error))?);
    let drops = state.objects.oldest_dropped().is_some_and(|dropped| dropped <= truncated);
    if (forgets && low > state.low) || drops {
        replica.step(Intent::Sweep { low, truncated }).await?;
        upkeep.sweeps.waiting = 0;
    }
    Ok(())
}

/// The generation that the space had when operations are remembered since, as far as the clocks of its entries tell.
async fn watermark(shared: &Shared, state: &State, truncated: Generation) -> Result<Generation, FsError> {
    let Some(now) = shared.expiry(state) else { return Ok(state.low) };
    let remembered = i64::try_from(shared.settings.load().remembered.as_millis()).unwrap_or(i64::MAX);
    let known = at(shared, state, now.saturating_sub(remembered), state.low.max(truncated)).await?;
    Ok(known.unwrap_or(state.low))
}

/// The generation that the space had when the history began, if something was dropped before that.
async fn aged(shared: &Shared, state: &State) -> Result<Generation, FsError> {
    let history = shared.settings.load().history;
    let (Some(dropped), Some(now)) = (state.objects.oldest_dropped(), shared.expiry(state)) else {
        return Ok(Generation::ZERO);
    };
    if history.is_zero() {
        return Ok(Generation::ZERO);
    }
    let since = now.saturating_sub(i64::try_from(history.as_millis()).unwrap_or(i64::MAX));
    let before = Generation(dropped.0.saturating_sub(1));
    Ok(at(shared, state, since, before).await?.unwrap_or(Generation::ZERO))
}

/// The last generation that is at least as old as a time, if it is after `old`.
async fn at(
    shared: &Shared,
    state: &State,
    since: i64,
    mut old: Generation,
) -> Result<Option<Generation>, FsError> {
    if state.clocks.newest.is_some_and(|(_, newest)| newest <= since) {
        return Ok(Some(state.generation));
    }
    // Clocks of entries go up, but for small differences between machines. So a few entries tell.
    let mut young = state.generation;
    let mut found = None;
    while old.next() < young {
        let middle = Generation(old.0.midpoint(young.0));
        match shared.log.clock_of(middle).await? {
            // It is being truncated.
            None => break,
            Some(clock) if clock <= since => {
                old = middle;
                found = Some(middle);
            }
            Some(_) => young = middle,
        }
    }
    Ok(found)
}

/// The volumes of a space that this pod has.
async fn located(shared: &Shared, state: &State) -> Vec<Arc<Volume>> {
    let mut volumes = Vec::new();
    for index in state.volumes.indices() {
        match shared.located(state, index).await {
            Ok(volume) => volumes.push(volume),
            // It is collected by a pod that has it.
            Err(error) => {
                tracing::debug!(space = %shared.log.space, %error, "A volume is not collected now.");
            }
        }
    }
    volumes
}

impl Sweeps {
    /// Whether something was found that nothing refers to, and that the watermark has not passed.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Looks into some of the directories that there are, and takes away what the watermark has passed. Others have
    /// their turn at another visit.
    pub(super) async fn glance(&mut self, shared: &Shared, state: &State) -> Result<(), FsError> {
        self.waiting = shared.log.collect_temporaries(state).await?.waiting;
        for volume in located(shared, state).await {
            let mut directories = shared.log.object_directories(&volume).await?;
            for _ in 0..DIRECTORIES {
                let Some(most) = u64::try_from(directories.len()).ok().filter(|most| *most > 0) else {
                    break;
                };
                let chosen = usize::try_from(shared.host.random() % most).unwrap_or(0);
                let directory = directories.swap_remove(chosen);
                self.waiting += shared.log.collect_objects(&volume, state, directory).await?.waiting;
            }
        }
        Ok(())
    }

    /// Goes on taking away what the watermark has passed: a little in each round.
    pub(super) async fn collect(
        &mut self,
        shared: &Shared,
        state: &State,
        reason: Reason,
    ) -> Result<(), FsError> {
        match reason {
            Reason::BlockEnded => return Ok(()),
            Reason::Visit => return self.glance(shared, state).await,
            Reason::Time | Reason::Asked => {}
        }
        let asked = reason == Reason::Asked;
        let (low, first) = match self.pass {
            Some(pass) if !asked => pass,
            // One of the pods will do, most of the time.
            _ if asked || (state.low > self.collected && reason.takes(shared.host.as_ref(), 3)) => {
                let temporaries = shared.log.collect_temporaries(state).await?;
                self.waiting += temporaries.waiting;
                (state.low, 0)
            }
            _ => return Ok(()),
        };
        let last = if asked { u8::MAX } else { first.saturating_add(DIRECTORIES - 1) };
        let volumes = located(shared, state).await;
        for directory in first..=last {
            for volume in &volumes {
                self.waiting += shared.log.collect_objects(volume, state, directory).await?.waiting;
            }
            self.pass = directory.checked_add(1).map(|next| (low, next));
        }
        if self.pass.is_none() {
            self.collected = low;
        }
        Ok(())
    }
}
