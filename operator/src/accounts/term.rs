//! The term of a leadership: what the statuses of Members are fenced with. An earlier leader may have sent a status that is
//! not written yet; it names the version that it was made from. Once this leader has written a Member, that version is no
//! more, and the rule of the custom resource lets no earlier term write afterwards.

use std::collections::HashSet;

use api::generation::RosterGeneration;
use api::ids::MemberUid;

use crate::members::MemberAccount;

/// The term, and who was written in it.
#[derive(Debug, Default)]
pub(super) struct Term {
    number: Option<i64>,
    /// Those that nobody has written before: what holds them was written by this leader.
    held: HashSet<MemberUid>,
}

/// A later term has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a later leadership has written a Member; everything is read anew")]
pub(crate) struct Superseded;

impl Term {
    /// Begins, once it is reserved which roster generations are this leader's: no other has the same. A roster that was
    /// lost must not let the statuses be written by nobody any more, so what they say counts, too.
    ///
    /// # Errors
    /// When a later one has begun.
    pub(super) fn begin(&mut self, reserved: RosterGeneration, seen: i64) -> Result<i64, Superseded> {
        let first = || i64::try_from(reserved.0).unwrap_or(i64::MAX).max(seen.saturating_add(1));
        let number = *self.number.get_or_insert_with(first);
        if seen > number { Err(Superseded) } else { Ok(number) }
    }

    /// Which it is, once it has begun.
    pub(super) fn number(&self) -> Option<i64> {
        self.number
    }

    /// This leader was the first to write a Member.
    pub(super) fn held(&mut self, member: MemberUid) {
        self.held.insert(member);
    }

    /// Whether nothing that an earlier leader has sent can be written any more.
    pub(super) fn claims(&self, account: &MemberAccount) -> bool {
        self.number.is_some_and(|number| account.term() == Some(number)) || self.held.contains(&account.uid)
    }

    /// Forgets Members that are gone.
    pub(super) fn retain(&mut self, keep: impl Fn(MemberUid) -> bool) {
        self.held.retain(|member| keep(*member));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_above_all_that_were_before_and_gives_way_to_a_later_one() {
        let mut term = Term::default();
        assert_eq!(term.begin(RosterGeneration(5_000), 4_000), Ok(5_000));
        assert_eq!(term.begin(RosterGeneration(9_000), 5_000), Ok(5_000), "it stays what it is");
        assert_eq!(term.begin(RosterGeneration(9_000), 5_001), Err(Superseded));
        let mut lost = Term::default();
        assert_eq!(lost.begin(RosterGeneration(1_000), 5_000), Ok(5_001), "the roster was lost");
    }
}
