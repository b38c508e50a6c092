//! Looks after a space that nobody uses: what has expired there ends, and what nobody needs goes. Several pods may do
//! so at once, for everything it does may be done by anybody at any time; who comes second finds it done.

use std::time::Duration;

use api::generation::Generation;

use super::Reason;
use crate::error::Error;
use crate::replica::Replica;
use crate::replica::expiry::{SOON, is_due};
use crate::snapshot::Freshness;
use crate::state::State;
use crate::state::intent::{Intent, Witness};

/// So many entries at most end what is due; the next visit goes on.
const MOST_ENTRIES: usize = 100;

/// The clock of another machine that has gone on by less is not written down.
const CARRIED: Duration = Duration::from_secs(60 * 60);

impl Replica {
    /// Does what is due in the space, and leaves it in memory only if it was there.
    pub(crate) async fn visit(&self) -> Result<(), Error> {
        let was_loaded = self.shared.is_loaded();
        let done = self.look_around().await;
        if !was_loaded {
            // Unless somebody has come meanwhile.
            self.ask_to_go(false);
        }
        done
    }

    async fn look_around(&self) -> Result<(), Error> {
        if self.state(Freshness::Now).await?.generation == Generation::ZERO {
            return Ok(());
        }
        self.expire().await?;
        self.round(Reason::Visit).await?;
        let waiting = self.upkeep.lock().await.sweeps.is_waiting();
        let state = self.state(Freshness::AtLeast(self.shared.known())).await?;
        if let Some(witness) = self.is_to_witness(&state, waiting) {
            self.step(Intent::Witness(witness)).await?;
        }
        Ok(())
    }

    /// Ends what is due: uploads that nobody goes on with, locks, shares, and what was deleted or replaced long ago.
    pub(crate) async fn expire(&self) -> Result<(), Error> {
        let mut state = self.state(Freshness::Now).await?;
        for _ in 0..MOST_ENTRIES {
            if !self.is_due(&state) || self.step(Intent::Expire).await?.generation <= state.generation {
                break;
            }
            state = self.state(Freshness::AtLeast(self.shared.known())).await?;
            if self.is_due(&state) {
                // Others have their turn in between.
                self.shared.host.sleep(SOON).await;
            }
        }
        Ok(())
    }

    /// Whether something has expired by the clocks of two machines.
    fn is_due(&self, state: &State) -> bool {
        let now = self.shared.expiry(state);
        now.is_some_and(|now| is_due(state, now, &self.shared.settings.load()))
    }

    /// Whether something is due by the clock of this machine that no other one has confirmed. In a space to which nobody
    /// writes no clock goes on: then this one is written down, once, and a pod on another machine can go by it. If none
    /// comes, the clock of the other one is: how far it has gone on while this pod ran, which ends with it.
    fn is_to_witness(&self, state: &State, waiting: bool) -> Option<Witness> {
        let (committer, now) = (self.shared.committer, self.shared.host.now());
        let settings = self.shared.settings.load();
        let common = self.shared.expiry(state);
        let said = state.clocks.newest.filter(|(who, _)| *who == committer).map(|(_, when)| when);
        // What was done, what waits, and what only the past has may be forgotten when nothing was written for so long.
        let remembered = i64::try_from(settings.remembered.as_millis()).unwrap_or(i64::MAX);
        let newest = state.clocks.newest.map_or(i64::MAX, |(_, when)| when);
        let history = i64::try_from(settings.history.as_millis()).unwrap_or(i64::MAX);
        let forgets = |now: i64| {
            (state.outcomes.oldest().is_some() || waiting) && newest <= now.saturating_sub(remembered)
                || state.objects.oldest_dropped().is_some() && newest <= now.saturating_sub(history)
        };
        let is_due = |now| is_due(state, now, &settings) || forgets(now);
        // One whose clock is wrong says nothing.
        if !common.is_some_and(|common| is_due(now) && !is_due(common)) {
            return None;
        }
        if !said.is_some_and(is_due) {
            return Some(Witness::Own);
        }
        self.shared.carried_beyond(state, CARRIED).map(|(who, clock)| Witness::Carried(who, clock))
    }
}
