//! The limits in force, as far as they are known for certain.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use api::bytes::Bytes;
use api::ids::SpaceId;

/// The same wish is committed again after so long, then after twice as long, and so on: what is in use changes without
/// notice.
const FIRST_AGAIN: Duration = Duration::from_secs(1);
const LAST_AGAIN: Duration = Duration::from_secs(8);

/// A limit that was committed by the latest request for its space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The limit in force.
    pub limit: Bytes,
    /// What was in use then, with what uploads had reserved.
    pub used: Bytes,
}

/// What was asked of spaces, and what came of it. A limit is certain while no request for the space is open or lost:
/// each request has a higher roster generation than all before it, so an answered one keeps all before it, lost or late,
/// from being done any more.
#[derive(Debug, Default)]
pub struct InForce {
    spaces: HashMap<SpaceId, Known>,
}

#[derive(Debug)]
struct Known {
    committed: Option<Committed>,
    target: Bytes,
    ceiling: Bytes,
    asked: Instant,
    /// How often in a row just this was asked.
    times: u32,
}

impl InForce {
    /// The limit of a space, if it is certain.
    pub fn get(&self, space: SpaceId) -> Option<Committed> {
        self.spaces.get(&space)?.committed
    }

    /// A request for this space is about to be sent. Until it is answered, nothing is certain.
    pub fn sent(&mut self, space: SpaceId, target: Bytes, ceiling: Bytes, now: Instant) {
        match self.spaces.get_mut(&space) {
            Some(known) => {
                let again = known.target == target && known.ceiling == ceiling;
                let times = if again { known.times.saturating_add(1) } else { 1 };
                *known = Known { committed: None, target, ceiling, asked: now, times };
            }
            None => {
                self.spaces.insert(space, Known { committed: None, target, ceiling, asked: now, times: 1 });
            }
        }
    }

    /// The request was answered: this is in force.
    pub fn committed(&mut self, space: SpaceId, committed: Committed) {
        if let Some(known) = self.spaces.get_mut(&space) {
            known.committed = Some(committed);
        }
    }

    /// Whether the request was done is not known.
    pub fn lost(&mut self, space: SpaceId) {
        if let Some(known) = self.spaces.get_mut(&space) {
            known.committed = None;
        }
    }

    /// When it makes sense to ask for this: now, or some time after it was last asked for in vain.
    pub fn due(&self, space: SpaceId, target: Bytes, ceiling: Bytes) -> Option<Instant> {
        let known = self.spaces.get(&space)?;
        if known.target != target || known.ceiling != ceiling {
            return None;
        }
        let pause = FIRST_AGAIN.saturating_mul(2u32.saturating_pow(known.times.saturating_sub(1)));
        Some(known.asked + pause.min(LAST_AGAIN))
    }

    /// When the space was last asked about.
    pub fn asked(&self, space: SpaceId) -> Option<Instant> {
        self.spaces.get(&space).map(|known| known.asked)
    }

    /// Forgets the spaces that are nobody's any more.
    pub fn retain(&mut self, keep: impl Fn(SpaceId) -> bool) {
        self.spaces.retain(|space, _| keep(*space));
    }
}
