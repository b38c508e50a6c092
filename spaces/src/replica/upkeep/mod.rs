//! Looks after a space beside its actor: nobody waits for it, and whatever it does may end at any step.

mod starts;
mod sweep;
mod visit;

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use api::bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc;
use futures::future::{Either, select};

use self::starts::Starts;
use self::sweep::Sweeps;
use super::{Replica, Shared};
use crate::error::Error;
use crate::host::Host;
use crate::snapshot::Freshness;
use crate::state::State;

/// An entry changes about so much of a state, which two have from then on.
const CHANGED: u64 = 32 << 10;

/// What the actor leaves for the upkeep.
pub(super) struct Keeping {
    /// The newest state at the end of a block, until it was written down or need not be.
    block_end: Mutex<Option<Arc<State>>>,
    wake: Mutex<mpsc::Sender<()>>,
}

/// What is remembered from one round to the next.
#[derive(Default)]
pub(crate) struct Upkeep {
    starts: Starts,
    sweeps: Sweeps,
}

/// Why a round is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// This pod wrote the last entry of a block.
    BlockEnded,
    /// It is time to. Other pods do the same, so by chance some of it is left to them.
    Time,
    /// Nobody uses the space, and it has been a while.
    Visit,
    /// Somebody asked for everything that can be done.
    Asked,
}

impl Keeping {
    pub(super) fn new() -> (Self, mpsc::Receiver<()>) {
        let (wake, woken) = mpsc::channel(1);
        (Self { block_end: Mutex::default(), wake: Mutex::new(wake) }, woken)
    }

    /// This pod wrote the last entry of a block, and so is the first who can write the state down.
    pub(super) fn block_ended(&self, state: Arc<State>) {
        self.block_passed(state);
        // When it is full the upkeep will be woken anyway.
        let _ = self.wake.lock().unwrap_or_else(PoisonError::into_inner).try_send(());
    }

    /// Another pod did.
    pub(super) fn block_passed(&self, state: Arc<State>) {
        *self.block_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// What the state takes that is kept to be written down: it shares with the newest what was not changed since.
    pub(super) fn weight(&self, newest: &State) -> Bytes {
        match self.block_end() {
            Some(end) if end.generation < newest.generation => {
                let since = newest.generation.0.saturating_sub(end.generation.0);
                Bytes(since.saturating_mul(CHANGED)).min(end.weight())
            }
            _ => Bytes::ZERO,
        }
    }

    /// It is not kept any more; what a pod does not write down another one does, or this one after the next block.
    pub(super) fn clear(&self) -> Option<Arc<State>> {
        self.block_end.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn block_end(&self) -> Option<Arc<State>> {
        self.block_end.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// There is nothing more to be done with a state.
    fn settle(&self, done: &Arc<State>) {
        let mut block_end = self.block_end.lock().unwrap_or_else(PoisonError::into_inner);
        if block_end.as_ref().is_some_and(|state| Arc::ptr_eq(state, done)) {
            *block_end = None;
        }
    }
}

impl Reason {
    /// Whether this pod does its part, when one of so many would do.
    fn takes(self, host: &dyn Host, of: u64) -> bool {
        self != Self::Time || host.random().is_multiple_of(of)
    }
}

/// Looks after a space for as long as it is in use.
pub(super) async fn look_after(
    replica: Weak<Replica>,
    host: Arc<dyn Host>,
    interval: Duration,
    mut woken: mpsc::Receiver<()>,
) {
    let most = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX).max(1);
    loop {
        let wait = interval / 2 + Duration::from_micros(host.random() % most);
        let reason = match select(woken.next(), host.sleep(wait)).await {
            Either::Left((None, _)) => return,
            Either::Left((Some(()), _)) => Reason::BlockEnded,
            Either::Right(_) => Reason::Time,
        };
        let Some(replica) = replica.upgrade() else { return };
        // It may have been turned off meanwhile.
        if replica.shared.settings.load().upkeep.is_zero() {
            continue;
        }
        if let Err(error) = replica.round(reason).await {
            tracing::debug!(space = %replica.shared.log.space, %error, "A space could not be looked after; it is tried again.");
        }
    }
}

impl Replica {
    /// Does everything that can be done for the space.
    pub(crate) async fn upkeep(&self) -> Result<(), Error> {
        self.state(Freshness::Now).await?;
        self.round(Reason::Asked).await
    }

    async fn round(&self, reason: Reason) -> Result<(), Error> {
        let shared: &Shared = &self.shared;
        if let Some(error) = shared.stopped() {
            return Err(error);
        }
        let Some(published) = shared.published() else { return Ok(()) };
        let state = published.state.clone();
        drop(published);
        if state.is_removed() {
            return Ok(());
        }
        let mut upkeep = self.upkeep.lock().await;
        upkeep.starts.round(shared, &state, reason).await.map_err(|error| shared.log.error(error))?;
        if reason == Reason::Visit {
            upkeep.sweeps.glance(shared, &state).await.map_err(|error| shared.log.error(error))?;
        }
        sweep::sweep(&mut upkeep, self, &state, reason).await?;
        self.owned.keep_open(&state);
        // What was swept just now can go.
        let state = shared.published().map_or(state, |published| published.state.clone());
        upkeep.sweeps.collect(shared, &state, reason).await.map_err(|error| shared.log.error(error))
    }
}
