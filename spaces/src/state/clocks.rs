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

    /// The newest clocks of others.
    pub(crate) fn others(&self, committer: Committer) -> impl Iterator<Item = (Committer, i64)> {
        self.newest.into_iter().chain(self.other).filter(move |(who, _)| *who != committer)
    }

    /// The time by which this committer may let things expire: the lesser of its own clock and the newest of any
    /// other committer, each `carried` on to now. `None` when its clock is too far behind the others'.
    pub(crate) fn expiry(
        &self,
        committer: Committer,
        clock: i64,
        carried: impl Fn(Committer, i64) -> i64,
    ) -> Option<i64> {
        let (_, newest) = self.newest?;
        if newest.abs_diff(clock) > LARGEST_DIFFERENCE_MS.unsigned_abs() && newest > clock {
            return None;
        }
        let others = self.others(committer).map(|(who, when)| carried(who, when)).max();
        Some(others.map_or(clock, |others| others.min(clock)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn expiry(clocks: &Clocks, committer: Committer, clock: i64) -> Option<i64> {
        clocks.expiry(committer, clock, |_, when| when)
    }

    #[test]
    fn one_wrong_clock_lets_nothing_expire() {
        let (right, wrong) = (Committer(1), Committer(2));
        let mut clocks = Clocks::default();
        clocks.note(right, 1_000);
        assert_eq!(expiry(&clocks, wrong, 90_000_000), Some(1_000), "ahead: the other's clock counts");
        clocks.note(wrong, 90_000_000);
        assert_eq!(expiry(&clocks, right, 2_000), None, "the other one is a day ahead");
        assert_eq!(expiry(&clocks, wrong, 90_000_001), Some(1_000));
    }

    #[test]
    fn the_clocks_of_others_go_on() {
        let (gone, alone) = (Committer(1), Committer(2));
        let mut clocks = Clocks::default();
        clocks.note(gone, 1_000);
        clocks.note(alone, 5_000);
        let after = |passed: i64| move |_: Committer, when: i64| when + passed;
        for (own, passed, expected) in [
            (5_000, 0, Some(1_000)),
            (6_000, 1_000, Some(2_000)),
            // Never past the own clock.
            (6_000, 9_000, Some(6_000)),
            // Nor by the own one alone, whatever it says.
            (90_000_000, 2_000, Some(3_000)),
            // One that went back says nothing, as ever.
            (-90_000, 2_000, None),
        ] {
            assert_eq!(clocks.expiry(alone, own, after(passed)), expected, "own {own}, passed {passed}");
        }
        // Who is the only one so far goes by its own.
        let mut clocks = Clocks::default();
        clocks.note(alone, 5_000);
        assert_eq!(clocks.expiry(alone, 7_000, after(9_000)), Some(7_000));
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
                prop_assert_eq!(expiry(&clocks, Committer(who), 50), Some(expected));
            }
        }
    }
}
