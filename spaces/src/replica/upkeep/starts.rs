//! When the state is written down, and which blocks are truncated.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::generation::Generation;

use super::Reason;
use crate::file_system::FsError;
use crate::format::FORMAT;
use crate::log::layout::{BLOCK, block_of};
use crate::log::truncate::Found;
use crate::replica::Shared;
use crate::state::State;

/// Reading an entry costs as much as so many bytes of a state. When reading the entries since the last state that was
/// written down costs as much as reading another one, that one is worth writing: so what is written for it is at most
/// as much as what is written for entries, and opening a space takes at most twice as long as reading its state.
const ENTRY: u64 = 16 << 10;

/// About so many bytes of a written state are for one node, and for one operation that is remembered.
const NODE: u64 = 96;
const OUTCOME: u64 = 48;

/// Within the time that entries are kept, so many states are kept to read on from.
const STATES: u32 = 8;

/// Reading a point in time begins with one of them, so they are no further apart than so many blocks of entries.
const MOST_BETWEEN: u64 = 64;

/// What is known of the states that were written down.
#[derive(Default)]
pub(super) struct Starts {
    /// Blocks before which there is one, with the clock of the log there once that was looked at.
    found: BTreeMap<u64, Option<i64>>,
    /// Up to which block it was looked.
    looked: u64,
    /// Blocks before this one are gone, durably.
    truncated: u64,
}

impl Starts {
    /// Blocks before this one are gone, durably.
    pub(super) fn truncated(&self) -> u64 {
        self.truncated
    }

    pub(super) async fn round(
        &mut self,
        shared: &Shared,
        state: &State,
        reason: Reason,
    ) -> Result<(), FsError> {
        // A pod of an older version could not read what is written here, and would lack what that replaces.
        if shared.settings.load().format < FORMAT {
            return Ok(());
        }
        self.look(shared, state).await?;
        self.write(shared, state, reason).await?;
        self.truncate(shared, state, reason).await?;
        self.thin(shared).await
    }

    /// Looks for what other pods have written.
    async fn look(&mut self, shared: &Shared, state: &State) -> Result<(), FsError> {
        let newest = block_of(state.generation.next());
        // One that was late may have come since.
        for block in (self.looked.saturating_sub(2).max(1)..=newest).rev() {
            match shared.log.find_start(block).await? {
                Found::Start => drop(self.found.entry(block).or_default()),
                Found::Nothing => drop(self.found.remove(&block)),
                Found::Gone => {
                    self.found.retain(|other, _| *other > block);
                    break;
                }
            }
        }
        self.looked = newest;
        Ok(())
    }

    /// Writes the state at the end of the last block down, when it is worth it.
    async fn write(&mut self, shared: &Shared, state: &State, reason: Reason) -> Result<(), FsError> {
        let Some(end) = shared.keeping.block_end() else { return Ok(()) };
        let block = block_of(end.generation.next());
        let last = self.found.last_key_value().map_or(0, |(last, _)| *last);
        if block <= last || !is_worth_it(&end, (block - last).saturating_mul(BLOCK)) {
            shared.keeping.settle(&end);
            return Ok(());
        }
        // Whoever wrote the block's last entry does it; others only if that does not come to be.
        if !reason.takes(shared.host.as_ref(), 3) {
            return Ok(());
        }
        let clock = end.clocks.newest.map(|(_, clock)| clock);
        shared.log.write_start(end.clone(), state.generation.max(end.generation)).await?;
        shared.keeping.settle(&end);
        self.found.insert(block, clock);
        Ok(())
    }

    /// Takes away what is older than it has to be.
    async fn truncate(&mut self, shared: &Shared, state: &State, reason: Reason) -> Result<(), FsError> {
        let candidates: Vec<u64> =
            self.found.keys().rev().copied().filter(|block| *block > self.truncated).collect();
        for block in candidates {
            if !self.is_old(shared, state, block).await? {
                continue;
            }
            if !reason.takes(shared.host.as_ref(), 2) {
                return Ok(());
            }
            if shared.log.truncate(block, state.generation).await? {
                self.truncated = block;
                self.found.retain(|other, _| *other >= block);
            } else {
                // What is not there is looked for again.
                self.found.remove(&block);
            }
            return Ok(());
        }
        Ok(())
    }

    /// Whether all entries before a block are so old that nobody wants to read them.
    async fn is_old(&mut self, shared: &Shared, state: &State, block: u64) -> Result<bool, FsError> {
        let history = shared.settings.load().history;
        if history.is_zero() {
            return Ok(true);
        }
        // Those who are a little behind shall not have to begin anew.
        if block.saturating_add(1).saturating_mul(BLOCK) > state.generation.0 {
            return Ok(false);
        }
        let Some(now) = shared.expiry(state) else { return Ok(false) };
        let history = i64::try_from(history.as_millis()).unwrap_or(i64::MAX);
        Ok(self.clock(shared, block).await?.saturating_add(history) <= now)
    }

    /// When a state was written down, by the clock of the log.
    async fn clock(&mut self, shared: &Shared, block: u64) -> Result<i64, FsError> {
        if let Some(Some(clock)) = self.found.get(&block) {
            return Ok(*clock);
        }
        // What was before is gone: it was old.
        let clock = shared.log.clock_of(Generation(block.saturating_mul(BLOCK))).await?.unwrap_or(i64::MIN);
        self.found.insert(block, Some(clock));
        Ok(clock)
    }

    /// Of the states that are kept with the entries, most need not be: reading can begin with another one.
    async fn thin(&mut self, shared: &Shared) -> Result<(), FsError> {
        let spacing =
            i64::try_from((shared.settings.load().history / STATES).as_millis()).unwrap_or(i64::MAX);
        let blocks: Vec<u64> = self.found.keys().copied().collect();
        for three in blocks.windows(3) {
            let [before, block, after] = three else { continue };
            if after - before > MOST_BETWEEN {
                continue;
            }
            let Some(newest) = blocks.last() else { continue };
            let (earlier, clock) = (self.clock(shared, *before).await?, self.clock(shared, *block).await?);
            if clock.saturating_sub(earlier) < spacing {
                shared.log.drop_start(*block, *newest).await?;
                self.found.remove(block);
                // One in a round; the next one is judged by what is left then.
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Whether a state is worth writing down after so many entries.
fn is_worth_it(state: &Arc<State>, entries: u64) -> bool {
    let (nodes, outcomes) = (state.nodes.len() as u64, state.outcomes.len() as u64);
    let size = nodes.saturating_mul(NODE).saturating_add(outcomes.saturating_mul(OUTCOME));
    entries.saturating_mul(ENTRY) >= size
}
