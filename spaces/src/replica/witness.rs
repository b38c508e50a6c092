//! The clocks of other machines, carried on. What a machine wrote into an entry its clock has said, and from the moment on
//! at which a pod saw that, the pod's own count of time, which never jumps, tells what that clock says at least. So a
//! machine that writes no more is as good a witness as one that does, and nobody need know which of the two it is.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Shared;
use crate::format::entry::Committer;
use crate::state::State;

/// So many machines are remembered; of more, all are seen for the first time again, which lets nothing expire too soon.
const MOST: usize = 1024;

/// What pods have heard of each other's clocks, over all spaces.
#[derive(Debug, Default)]
pub(crate) struct Witnesses(Mutex<HashMap<Committer, Seen>>);

/// What a clock said, and when that was seen by this pod's count of time.
#[derive(Clone, Copy, Debug)]
struct Seen {
    clock: i64,
    at: Duration,
}

impl Seen {
    fn carried(self, elapsed: Duration) -> i64 {
        let passed = elapsed.saturating_sub(self.at).as_millis();
        self.clock.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

impl Witnesses {
    /// What the clock of a machine says by now at least, of which an entry has `clock`. One that is ahead of the own clock
    /// is not carried on: one of the two is wrong, and whichever it is, time will tell.
    pub(crate) fn carried(&self, who: Committer, clock: i64, own: i64, elapsed: Duration) -> i64 {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(&who).map(|seen| seen.carried(elapsed)).filter(|carried| *carried >= clock) {
            Some(carried) => carried,
            None if clock > own => clock,
            None => {
                if seen.len() >= MOST {
                    seen.clear();
                }
                seen.insert(who, Seen { clock, at: elapsed });
                clock
            }
        }
    }
}

impl Shared {
    /// The time by which this pod may let things expire that are in a state.
    pub(crate) fn expiry(&self, state: &State) -> Option<i64> {
        let (own, elapsed) = (self.host.now(), self.host.elapsed());
        let carried = |who, clock| self.witnesses.carried(who, clock, own, elapsed);
        state.clocks.expiry(self.committer, own, carried)
    }

    /// The clock of another machine that has gone on for so long since it was last written into an entry, furthest.
    pub(crate) fn carried_beyond(&self, state: &State, least: Duration) -> Option<(Committer, i64)> {
        let (own, elapsed) = (self.host.now(), self.host.elapsed());
        let least = i64::try_from(least.as_millis()).unwrap_or(i64::MAX);
        state
            .clocks
            .others(self.committer)
            .map(|(who, clock)| (who, clock, self.witnesses.carried(who, clock, own, elapsed).min(own)))
            .filter(|(_, clock, carried)| carried.saturating_sub(*clock) >= least)
            .map(|(who, _, carried)| (who, carried))
            .max_by_key(|(_, carried)| *carried)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line: what passed since the one before, what an entry of the machine has, the own clock, what comes of it.
    fn tell(lines: &[(u64, i64, i64, i64)]) {
        let witnesses = Witnesses::default();
        let mut elapsed = Duration::from_secs(1_000_000);
        for (place, (passed, clock, own, expected)) in lines.iter().copied().enumerate() {
            elapsed += Duration::from_millis(passed);
            assert_eq!(witnesses.carried(Committer(1), clock, own, elapsed), expected, "line {place}");
        }
    }

    #[test]
    fn a_clock_goes_on_by_what_passes_here() {
        tell(&[(0, 100, 100, 100), (50, 100, 150, 150), (25, 100, 175, 175)]);
        // It is heard of again: behind what is known, and ahead of it.
        tell(&[(0, 100, 100, 100), (50, 120, 150, 150), (50, 300, 300, 300), (7, 300, 307, 307)]);
    }

    #[test]
    fn a_wrong_own_clock_carries_nothing_further() {
        // A year ahead, ten minutes ahead, ten minutes behind: what is carried is what the other one says.
        for own in [31_536_000_000, 600_100] {
            tell(&[(0, 100, own, 100), (60_000, 100, own, 60_100)]);
        }
        // A mark that is ahead is not carried until the own clock has reached it.
        tell(&[(0, 600_000, 0, 600_000), (300_000, 600_000, 300_000, 600_000)]);
        tell(&[
            (0, 600_000, 0, 600_000),
            (600_000, 600_000, 600_000, 600_000),
            (5, 600_000, 600_005, 600_005),
        ]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let witnesses = Witnesses::default();
        for who in 0..5 * MOST as u64 {
            witnesses.carried(Committer(who), 5, 9, Duration::from_secs(who));
            assert!(witnesses.0.lock().unwrap().len() <= MOST);
        }
    }
}
