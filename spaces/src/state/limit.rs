//! How much a space may hold: `docs/decisions/0003-limits-as-a-clamp.md`.

use api::bytes::Bytes;
use api::generation::RosterGeneration;

use crate::format::record;

/// The limit in force, and the wish it came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) bytes: Bytes,
    pub(crate) roster_generation: RosterGeneration,
    /// Kept to know the same wish when it comes again.
    pub(crate) target: Bytes,
    pub(crate) ceiling: Bytes,
}

impl Limit {
    /// The limit that a wish leads to when so much is taken.
    pub(crate) fn clamped(wish: &record::Limit, taken: Bytes) -> Self {
        let record::Limit { roster_generation, target, ceiling } = *wish;
        // A ceiling below the target is a contradiction; nothing is promised that may not be given.
        let bytes = taken.max(target).min(ceiling);
        Self { bytes, roster_generation, target, ceiling }
    }

    /// Whether this came from the same wish.
    pub(crate) fn is_of(&self, wish: &record::Limit) -> bool {
        let record::Limit { roster_generation, target, ceiling } = *wish;
        (self.roster_generation, self.target, self.ceiling) == (roster_generation, target, ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_what_is_taken_between_target_and_ceiling() {
        for (taken, target, ceiling, limit) in
            [(5, 0, 10, 5), (5, 7, 10, 7), (15, 7, 10, 10), (5, 3, 3, 3), (0, 0, 0, 0), (5, 9, 2, 2)]
        {
            let roster_generation = RosterGeneration(1);
            let wish = record::Limit { roster_generation, target: Bytes(target), ceiling: Bytes(ceiling) };
            assert_eq!(Limit::clamped(&wish, Bytes(taken)).bytes, Bytes(limit), "{taken} {target} {ceiling}");
        }
    }
}
