//! What the committers' clocks have said. Nothing is ordered by them; they let things expire.

use crate::format::entry::Committer;

/// The newest clock of all, and the newest of anybody else: enough to know for each committer what the others say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clocks {
    pub(crate) newest: Option<(Committer, i64)>,
    pub(crate) other: Option<(Committer, i64)>,
}

/// A committer whose clock is further than this from the newest entry's lets nothing expire.
pub(crate) const LARGEST_DIFFERENCE_MS: i64 = 30_000;

impl Clocks {
    /// Takes in what a committer's clock says.
    pub(crate) fn note(&mut self, committer: Committer, clock: i64) {
        match self.newest {
            None => self.newest = Some((committer, clock)),
            Some((who, when)) if who == committer => self.newest = Some((who, when.max(clock))),
            Some((_, when)) if clock > when => {
                self.other = self.newest;
                self.newest = Some((committer, clock));
            }
            Some(_) => {
                if self.other.is_none_or(|(_, when)| clock > when) {
                    self.other = Some((committer, clock));
                }
            }
        }
    }

    /// The time by which this committer may let things expire: the lesser of its own clock and the newest of any
    /// other committer. `None` when its clock is too far from the others'.
    pub(crate) fn expiry(&self, committer: Committer, clock: i64) -> Option<i64> {
        let (_, newest) = self.newest?;
        if newest.abs_diff(clock) > LARGEST_DIFFERENCE_MS.unsigned_abs() && newest > clock {
            return None;
        }
        let others = match self.newest {
            Some((who, when)) if who != committer => Some(when),
            _ => self.other.map(|(_, when)| when),
        };
        Some(others.map_or(clock, |others| others.min(clock)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_wrong_clock_lets_nothing_expire() {
        let (right, wrong) = (Committer(1), Committer(2));
        let mut clocks = Clocks::default();
        clocks.note(right, 1_000);
        assert_eq!(clocks.expiry(wrong, 90_000_000), Some(1_000), "ahead: the other's clock counts");
        clocks.note(wrong, 90_000_000);
        assert_eq!(clocks.expiry(right, 2_000), None, "the other one is a day ahead");
        assert_eq!(clocks.expiry(wrong, 90_000_001), Some(1_000));
    }

    proptest! {
        #[test]
        fn two_are_enough(notes in prop::collection::vec((0_u64..4, 0_i64..50), 1..40)) {
            let mut clocks = Clocks::default();
            let mut all = BTreeMap::<u64, i64>::new();
            for (who, when) in notes {
                clocks.note(Committer(who), when);
                let newest = all.entry(who).or_insert(when);
                *newest = when.max(*newest);
            }
            for who in 0..4 {
                let others = all.iter().filter(|(other, _)| **other != who).map(|(_, when)| *when).max();
                let expected = others.map_or(50, |others| others.min(50));
                prop_assert_eq!(clocks.expiry(Committer(who), 50), Some(expected));
            }
        }
    }
}
