//! States of the past. Each is as large as that of the present and shares nothing with it, so a pod makes few at a
//! time, and keeps each only while somebody goes on asking for it: page after page of a listing, say.

use std::sync::{Arc, Weak};
use std::time::Duration;

use api::ids::SpaceId;
use futures::lock::Mutex;

use super::Replica;
use crate::error::Error;
use crate::host::Host;
use crate::log::at::Past;
use crate::snapshot::Freshness;
use crate::state::State;

/// So many are made at once, and so many are kept. A space has its turn where its id says.
const SLOTS: usize = 4;

/// What nobody has asked for since is kept no longer.
const KEPT: Duration = Duration::from_secs(30);

/// The states of the past that a pod holds, beside those that somebody reads from.
#[derive(Default)]
pub(crate) struct Pasts([Slot; SLOTS]);

type Slot = Arc<Mutex<Option<Known>>>;

struct Known {
    space: SpaceId,
    past: Past,
    state: Arc<State>,
    /// When it was asked for last.
    used: Duration,
}

impl Known {
    fn is(&self, space: SpaceId, past: Past) -> bool {
        let named = |generation| past == Past::Generation(generation);
        self.space == space && (self.past == past || named(self.state.generation))
    }
}

impl Pasts {
    fn slot(&self, space: SpaceId) -> &Slot {
        let [first, others @ ..] = &self.0;
        match usize::from(space.0.as_bytes()[0]) % SLOTS {
            0 => first,
            other => others.get(other - 1).unwrap_or(first),
        }
    }
}

impl Replica {
    /// The last state that is not after a moment, by a state that is `fresh` enough to tell.
    pub(crate) async fn at(&self, past: Past, fresh: Freshness) -> Result<Arc<State>, Error> {
        let newest = self.state(fresh).await?;
        match past {
            Past::Generation(generation) if newest.generation < generation => {
                return Err(Error::NotYet { newest: newest.generation });
            }
            past if past.reaches(&newest) => return Ok(newest),
            _ => {}
        }
        let (log, host) = (&self.shared.log, &self.shared.host);
        let slot = self.pasts.slot(log.space);
        let mut known = slot.lock().await;
        if let Some(known) = known.as_mut().filter(|known| known.is(log.space, past)) {
            known.used = host.elapsed();
            return Ok(known.state.clone());
        }
        // One goes before another one is made.
        *known = None;
        let state = log.at(&newest, past).await?;
        *known = Some(Known { space: log.space, past, state: state.clone(), used: host.elapsed() });
        host.spawn(Box::pin(forget(slot.clone(), Arc::downgrade(&state), host.clone())));
        Ok(state)
    }
}

/// Lets go of a state that nobody asks for any more.
async fn forget(slot: Slot, made: Weak<State>, host: Arc<dyn Host>) {
    loop {
        host.sleep(KEPT).await;
        let mut known = slot.lock().await;
        match known.as_ref() {
            Some(there) if std::ptr::eq(Arc::as_ptr(&there.state), made.as_ptr()) => {
                if host.elapsed().saturating_sub(there.used) >= KEPT {
                    *known = None;
                    return;
                }
            }
            _ => return,
        }
    }
}
