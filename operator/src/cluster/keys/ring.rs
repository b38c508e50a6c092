//! Keys that are exchanged in time, with overlap: a new key is announced before it signs, and an old one is believed
//! until everything it has signed has expired.

use api::keys::{KeyError, SigningKey};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// When keys are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A key signs for so long.
    pub signs_for: SignedDuration,
    /// A new key is known to everybody so long before it signs. A kubelet takes a minute or two to bring it.
    pub announced: SignedDuration,
    /// An old key is believed for so long after it signed last.
    pub believed: SignedDuration,
}

/// Keys for one purpose, the newest first.
#[derive(Debug, Default)]
pub struct Ring {
    keys: Vec<RingKey>,
}

#[derive(Debug)]
struct RingKey {
    key: SigningKey,
    signs_from: Timestamp,
}

/// A ring as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredKey {
    key: String,
    signs_from: Timestamp,
}

/// A key of a ring, as everybody may know it.
#[derive(Debug)]
pub struct Member<'a> {
    /// The key.
    pub key: &'a SigningKey,
    /// From here on it counts for nothing; absent while no other one has taken its place.
    pub not_after: Option<Timestamp>,
}

impl Ring {
    /// Reads a ring.
    ///
    /// # Errors
    /// When a key is none.
    pub fn read(stored: Vec<StoredKey>) -> Result<Self, KeyError> {
        let read =
            |StoredKey { key, signs_from }| Ok(RingKey { key: SigningKey::from_paserk(&key)?, signs_from });
        let mut keys = stored.into_iter().map(read).collect::<Result<Vec<_>, KeyError>>()?;
        keys.sort_by_key(|one| std::cmp::Reverse(one.signs_from));
        Ok(Self { keys })
    }

    /// Writes it, for a Secret and nothing else.
    ///
    /// # Errors
    /// When a key cannot be written.
    pub fn store(&self) -> Result<Vec<StoredKey>, KeyError> {
        let write = |RingKey { key, signs_from }: &RingKey| {
            Ok(StoredKey { key: key.to_paserk()?, signs_from: *signs_from })
        };
        self.keys.iter().map(write).collect()
    }

    /// Does what is due, and says whether anything was: makes the first key, announces the next, drops those whose
    /// time is over.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn turn(&mut self, now: Timestamp, policy: Policy) -> Result<bool, KeyError> {
        let before = self.keys.len();
        let superseded: Vec<bool> =
            (0..before).map(|place| self.end(place, policy).is_some_and(|end| end < now)).collect();
        let mut over = superseded.into_iter();
        self.keys.retain(|_| !over.next().unwrap_or_default());
        let mut changed = self.keys.len() != before;
        let tired = |newest: &RingKey| newest.signs_from.at_most_plus(policy.signs_for) <= now;
        if self.keys.first().is_none_or(tired) {
            self.announce(now, policy)?;
            changed = true;
        }
        Ok(changed)
    }

    /// Makes a new key, which signs after the others have had time to hear of it; the first one signs at once.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn announce(&mut self, now: Timestamp, policy: Policy) -> Result<(), KeyError> {
        let signs_from = if self.keys.is_empty() { now } else { now.at_most_plus(policy.announced) };
        self.keys.insert(0, RingKey { key: SigningKey::generate()?, signs_from });
        Ok(())
    }

    /// When something is due next.
    pub fn due(&self, policy: Policy) -> Option<Timestamp> {
        let next = self.keys.first()?.signs_from.at_most_plus(policy.signs_for);
        let ends = (0..self.keys.len()).filter_map(|place| self.end(place, policy));
        // The order of signing changes when the newest begins.
        ends.chain([next]).min()
    }

    /// When the key that signs changes next, if one is announced.
    pub fn changes_hands(&self, now: Timestamp) -> Option<Timestamp> {
        self.keys.iter().map(|one| one.signs_from).filter(|from| *from > now).min()
    }

    /// The keys, the one that signs now first.
    pub fn members(&self, now: Timestamp, policy: Policy) -> Vec<Member<'_>> {
        let member = |place: usize| {
            self.keys.get(place).map(|one| Member { key: &one.key, not_after: self.end(place, policy) })
        };
        let current = self.keys.iter().position(|one| one.signs_from <= now).unwrap_or_default();
        let others = (0..self.keys.len()).filter(|place| *place != current);
        std::iter::once(current).chain(others).filter_map(member).collect()
    }

    /// When a key counts for nothing any more: known once another has its place.
    fn end(&self, place: usize, policy: Policy) -> Option<Timestamp> {
        let newer = self.keys.get(place.checked_sub(1)?)?;
        Some(newer.signs_from.at_most_plus(policy.believed))
    }
}

/// Addition that stays at the last moment there is.
trait AtMostPlus {
    fn at_most_plus(self, duration: SignedDuration) -> Self;
}

impl AtMostPlus for Timestamp {
    fn at_most_plus(self, duration: SignedDuration) -> Self {
        self.checked_add(duration).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        signs_for: SignedDuration::from_hours(100),
        announced: SignedDuration::from_hours(1),
        believed: SignedDuration::from_hours(10),
    };

    fn hour(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    /// The keys by the order they were made in, and the hours when they end.
    fn shape(ring: &Ring, known: &mut Vec<String>, now: i64) -> Vec<(usize, Option<i64>)> {
        let members = ring.members(hour(now), POLICY);
        members
            .iter()
            .map(|member| {
                let id = member.key.verifying_key().id().to_string();
                let number = known.iter().position(|one| *one == id).unwrap_or_else(|| {
                    known.push(id);
                    known.len() - 1
                });
                (number, member.not_after.map(|end| end.duration_since(hour(0)).as_hours()))
            })
            .collect()
    }

    #[test]
    fn a_key_is_announced_before_it_signs_and_believed_after_it_did() {
        let mut ring = Ring::default();
        let mut known = Vec::new();
        for (now, changed, expected) in [
            (0, true, vec![(0, None)]),
            (99, false, vec![(0, None)]),
            (100, true, vec![(0, Some(111)), (1, None)]),
            (101, false, vec![(1, None), (0, Some(111))]),
            (111, false, vec![(1, None), (0, Some(111))]),
            (112, true, vec![(1, None)]),
            // The operator was away for long.
            (500, true, vec![(1, Some(511)), (2, None)]),
        ] {
            assert_eq!(ring.turn(hour(now), POLICY).unwrap(), changed, "at {now}");
            assert_eq!(shape(&ring, &mut known, now), expected, "at {now}");
            let stored = ring.store().unwrap();
            ring = Ring::read(stored).unwrap();
        }
        assert_eq!(ring.due(POLICY), Some(hour(511)));
        assert_eq!(ring.changes_hands(hour(500)), Some(hour(501)));
    }
}
