//! One gate: who comes in, by the [limit](super::limit) and by what each member has under way already.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::ids::MemberUid;

use super::limit::{AdaptiveLimit, Bounds, Way};

/// Why nobody comes in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// This member has more than a fair share under way while the server has much to do.
    ToMember,
    /// All of it is taken by others.
    ToAll,
}

/// What is under way, and what may be.
#[derive(Debug)]
pub(crate) struct Gate(Mutex<Under>);

#[derive(Debug)]
struct Under {
    limit: AdaptiveLimit,
    way: Underway,
    refused: Refused,
    leaving: Leaving,
}

/// Who is done and counts for a while yet, by connection: until it brings the next request, for it has but one at a time.
#[derive(Debug, Default)]
struct Leaving {
    until: VecDeque<(Instant, SocketAddr)>,
    members: HashMap<SocketAddr, (Instant, MemberUid)>,
}

/// What is under way: of all, and of each member who has something.
#[derive(Debug, Default)]
struct Underway {
    all: u32,
    members: HashMap<MemberUid, u32>,
}

/// How often nobody came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    /// [`Closed::ToMember`].
    pub(crate) to_member: u64,
    /// [`Closed::ToAll`].
    pub(crate) to_all: u64,
}

/// How a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What may be under way.
    pub(crate) limit: u32,
    /// What is.
    pub(crate) under_way: u32,
    /// Who did not come in.
    pub(crate) refused: Refused,
}

impl Underway {
    /// Whether one more of this member comes in. While less than half is taken everybody does. From there on a member may
    /// have a share as large as if one more member came than are there, so that whoever comes finds room; one who is alone
    /// may have three quarters.
    fn admits(&self, limit: u32, member: MemberUid) -> Result<(), Closed> {
        let held = self.members.get(&member).copied().unwrap_or(0);
        let members = self.members.len() as u32 + u32::from(held == 0);
        let alone = members == 1;
        let share = (limit / (members + 1)).max(1);
        if self.all < limit / 2 || (alone && self.all < limit - limit / 4) {
            return Ok(());
        }
        match (held < share, self.all < limit) {
            (true, true) => Ok(()),
            (true, false) => Err(Closed::ToAll),
            (false, _) => Err(Closed::ToMember),
        }
    }

    fn enter(&mut self, member: MemberUid) {
        self.all += 1;
        *self.members.entry(member).or_default() += 1;
    }

    fn leave(&mut self, member: MemberUid) {
        self.all = self.all.saturating_sub(1);
        if let Some(held) = self.members.get_mut(&member) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.members.remove(&member);
            }
        }
    }
}

impl Under {
    /// Who was done so long ago counts no more, nor what came before on the same connection.
    fn let_go(&mut self, now: Instant, peer: Option<SocketAddr>) {
        let Leaving { until, members } = &mut self.leaving;
        if let Some((_, member)) = peer.and_then(|peer| members.remove(&peer)) {
            self.way.leave(member);
        }
        while let Some((at, peer)) = until.front()
            && *at <= now
        {
            if members.get(peer).is_some_and(|(its, _)| its == at)
                && let Some((_, member)) = members.remove(peer)
            {
                self.way.leave(member);
            }
            until.pop_front();
        }
    }
}

impl Gate {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let (way, refused) = (Underway::default(), Refused::default());
        let (limit, leaving) = (AdaptiveLimit::new(bounds), Leaving::default());
        Self(Mutex::new(Under { limit, way, refused, leaving }))
    }

    /// Lets one more of a member in, until the slot is dropped.
    ///
    /// # Errors
    /// Says to whom it is closed.
    pub(crate) fn enter(
        self: &Arc<Self>,
        member: MemberUid,
        peer: Option<SocketAddr>,
    ) -> Result<Slot, Closed> {
        let mut under = self.lock();
        under.let_go(Instant::now(), peer);
        let limit = under.limit.get();
        under.way.admits(limit, member)?;
        under.way.enter(member);
        Ok(Slot { gate: Arc::clone(self), member, peer, lag: Duration::ZERO })
    }

    /// Somebody was told that it is closed.
    pub(crate) fn refused(&self, closed: Closed) {
        let mut under = self.lock();
        match closed {
            Closed::ToMember => under.refused.to_member += 1,
            Closed::ToAll => under.refused.to_all += 1,
        }
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> Standing {
        let mut under = self.lock();
        under.let_go(Instant::now(), None);
        Standing { limit: under.limit.get(), under_way: under.way.all, refused: under.refused }
    }

    fn lock(&self) -> MutexGuard<'_, Under> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that came in.
#[derive(Debug)]
pub(crate) struct Slot {
    gate: Arc<Gate>,
    member: MemberUid,
    /// The connection that it came by.
    peer: Option<SocketAddr>,
    lag: Duration,
}

impl Slot {
    /// The gate learns how long it took, of which it waited about `lag` before it came here.
    pub(crate) fn took(&mut self, way: Way, took: Duration, lag: Duration) {
        self.lag = lag;
        let mut under = self.gate.lock();
        let busy = under.way.all;
        under.limit.observe(Instant::now(), way, took + lag, busy);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut under = self.gate.lock();
        let (Some(peer), false) = (self.peer, self.lag.is_zero()) else {
            under.way.leave(self.member);
            return;
        };
        // What it waited for its turn it was under way, too, though nobody knew of it.
        let until = Instant::now() + self.lag;
        under.leaving.until.push_back((until, peer));
        if let Some((_, before)) = under.leaving.members.insert(peer, (until, self.member)) {
            under.way.leave(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn member(number: u128) -> MemberUid {
        MemberUid(Uuid::from_u128(number))
    }

    fn with(held: &[u32]) -> Underway {
        let mut way = Underway::default();
        for (number, held) in held.iter().enumerate() {
            for _ in 0..*held {
                way.enter(member(number as u128));
            }
        }
        way
    }

    #[test]
    fn who_comes_in() {
        use Closed::{ToAll, ToMember};
        for (held, asks, admitted) in [
            // Nothing is scarce below the half.
            (&[49][..], 0, Ok(())),
            (&[30, 19], 0, Ok(())),
            // One who is alone leaves a quarter.
            (&[74], 0, Ok(())),
            (&[75], 0, Err(ToMember)),
            // Which is there for whoever comes.
            (&[75], 1, Ok(())),
            (&[75, 24], 1, Ok(())),
            (&[75, 25], 1, Err(ToAll)),
            (&[75, 24], 0, Err(ToMember)),
            // Two share, and there is room for a third.
            (&[32, 33], 0, Ok(())),
            (&[33, 33], 0, Err(ToMember)),
            (&[33, 33], 2, Ok(())),
            // All is taken in small shares.
            (&[25, 25, 25, 25], 4, Err(ToAll)),
            (&[25, 25, 25, 25], 0, Err(ToMember)),
            (&[0], 0, Ok(())),
        ] {
            assert_eq!(with(held).admits(100, member(asks)), admitted, "{held:?}: {asks}");
        }
    }

    proptest! {
        #[test]
        fn never_more_than_the_limit_and_a_newcomer_is_let_in_beside_one(
            asks in prop::collection::vec((0u128..4, any::<bool>()), 1..400), limit in 16u32..100,
        ) {
            let (mut way, mut inside) = (Underway::default(), Vec::new());
            for (number, leaves) in asks {
                if leaves && let Some(gone) = inside.pop() {
                    way.leave(gone);
                } else if way.admits(limit, member(number)).is_ok() {
                    way.enter(member(number));
                    inside.push(member(number));
                }
                prop_assert_eq!(way.all as usize, inside.len());
                prop_assert!(way.all <= limit);
                if way.members.len() <= 1 {
                    prop_assert_eq!(way.admits(limit, member(9)), Ok(()));
                }
            }
        }
    }

    #[test]
    fn a_slot_that_is_dropped_is_free() {
        let bounds =
            Bounds { least: 4, first: 4, most: 4, read_slack: Duration::ZERO, write_slack: Duration::ZERO };
        let gate = Arc::new(Gate::new(bounds));
        let peer = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        let wait = |port| {
            let mut waited = gate.enter(member(1), peer(port)).unwrap();
            waited.took(Way::Read, Duration::ZERO, Duration::from_secs(3600));
            drop(waited);
            gate.standing().under_way
        };
        assert_eq!(wait(1), 1, "it counts for as long as it waited");
        assert_eq!(wait(1), 1, "but a connection once");
        assert_eq!(wait(2), 2);
        gate.lock().let_go(Instant::now() + Duration::from_secs(3600), None);
        let slots: Vec<Slot> = (0..3).map(|_| gate.enter(member(0), None).unwrap()).collect();
        assert_eq!(gate.enter(member(0), None).unwrap_err(), Closed::ToMember);
        gate.refused(Closed::ToMember);
        drop(slots);
        let refused = Refused { to_member: 1, to_all: 0 };
        assert_eq!(gate.standing(), Standing { limit: 4, under_way: 0, refused });
        let under = gate.lock();
        let empty = under.way.members.is_empty() && under.leaving.until.is_empty();
        assert!(empty && under.leaving.members.is_empty(), "who has nothing under way takes no memory");
    }
}
