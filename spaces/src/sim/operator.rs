//! The operator: lends a member's quota to a group and takes it back, as `docs/decisions/0003-limits-as-a-clamp.md` has
//! it. Several may lead for a while without knowing of each other; what is written in the cluster is versioned.

use std::sync::{Arc, Mutex};

use super::coverage::Met;
use super::history::Answer;
use super::member::Member;
use super::oracle::{Refusal, Wish};
use crate::rule::{Rule, kept};
use crate::snapshot::Freshness;
use crate::space::Space;

/// What is written in the cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    version: u64,
    /// Of the limits that are set next.
    roster: u64,
    /// So much is lent.
    granted: u64,
}

/// The cluster, as far as limits are concerned.
pub(super) struct Cluster {
    pub(super) quota: u64,
    grant: Mutex<Grant>,
}

impl Cluster {
    pub(super) fn new(quota: u64) -> Arc<Self> {
        Arc::new(Self { quota, grant: Mutex::new(Grant { version: 0, roster: 1, granted: 0 }) })
    }

    fn read(&self) -> Grant {
        *self.grant.lock().unwrap()
    }

    /// Writes what is granted, and takes the next roster generation; `None` when somebody else wrote meanwhile.
    fn write(&self, seen: Grant, granted: u64) -> Option<Grant> {
        let mut grant = self.grant.lock().unwrap();
        if grant.version != seen.version {
            return None;
        }
        *grant = Grant { version: seen.version + 1, roster: seen.roster + 1, granted };
        Some(*grant)
    }
}

/// Whose limit is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Own,
    Group,
}

/// One who leads, or believes so.
pub(super) struct Leader {
    /// Asks pods as a member does; it is busy with the member's own disk.
    pub(super) hand: Member,
    pub(super) cluster: Arc<Cluster>,
}

impl Leader {
    /// Moves quota so many times.
    pub(super) async fn lead(mut self, times: u64) {
        self.refresh().await;
        for _ in 0..times {
            self.pause().await;
            match self.hand.world.below(10) {
                0..5 => self.lend().await,
                5..8 => self.take_back().await,
                8 if self.hand.plan.more => self.close().await,
                _ => self.refresh().await,
            };
        }
        self.refresh().await;
    }

    /// A leader may be slow at any step, or replaced by one that begins anew.
    async fn pause(&self) {
        let world = &self.hand.world;
        let longest = *world.pick(&[10_000, 10_000, 300_000, 5_000_000]);
        world.sleep(world.below(longest)).await;
    }

    async fn lend(&mut self) -> Option<()> {
        let (quota, seen) = (self.cluster.quota, self.cluster.read());
        let amount = self.hand.world.below(quota / 2);
        let wanted = (seen.granted + amount).min(quota);
        let step = self.cluster.write(seen, seen.granted)?;
        if !kept(Rule::GiverFirst) {
            self.set(Side::Group, step.roster, wanted, wanted).await?;
        }
        let left = self.set(Side::Own, step.roster, quota - wanted, quota - seen.granted).await?;
        self.pause().await;
        let granted = (quota - left).max(seen.granted);
        let step = self.cluster.write(step, granted)?;
        self.pause().await;
        self.set(Side::Group, step.roster, granted, granted).await?;
        self.hand.world.meet(Met::Lent);
        Some(())
    }

    async fn take_back(&mut self) -> Option<()> {
        let (quota, seen) = (self.cluster.quota, self.cluster.read());
        let amount = self.hand.world.below(quota / 2);
        let wanted = seen.granted.saturating_sub(amount);
        let step = self.cluster.write(seen, seen.granted)?;
        if !kept(Rule::GiverFirst) {
            self.set(Side::Own, step.roster, quota - wanted, quota - wanted).await?;
        }
        let left = self.set(Side::Group, step.roster, wanted, seen.granted).await?;
        self.pause().await;
        let step = self.cluster.write(step, left.min(seen.granted))?;
        self.pause().await;
        self.set(Side::Own, step.roster, quota - step.granted, quota - step.granted).await?;
        self.hand.world.meet(Met::TakenBack);
        Some(())
    }

    /// Closes the group's space for a while. Whoever does so opens it again, however often that has to be tried.
    async fn close(&mut self) -> Option<()> {
        let seen = self.cluster.read();
        let step = self.cluster.write(seen, seen.granted)?;
        self.hand.turn();
        self.hand.fulfil(Wish::Close { roster: step.roster }).await;
        self.hand.turn();
        self.pause().await;
        while self.refresh().await.is_none() {
            self.pause().await;
        }
        Some(())
    }

    /// Sets both limits to what is written; whoever begins anew does.
    async fn refresh(&mut self) -> Option<()> {
        let (quota, seen) = (self.cluster.quota, self.cluster.read());
        let step = self.cluster.write(seen, seen.granted)?;
        self.set(Side::Own, step.roster, quota - step.granted, quota - step.granted).await?;
        self.pause().await;
        self.set(Side::Group, step.roster, step.granted, step.granted).await?;
        Some(())
    }

    /// Sets a limit, and says what it came to; `None` when that is not known, or not this one's to say any more.
    async fn set(&mut self, side: Side, roster: u64, target: u64, ceiling: u64) -> Option<u64> {
        if side == Side::Group {
            self.hand.turn();
        }
        let outcome = self.set_here(roster, target, ceiling).await;
        if side == Side::Group {
            self.hand.turn();
        }
        outcome
    }

    async fn set_here(&mut self, roster: u64, target: u64, ceiling: u64) -> Option<u64> {
        let generation = match self.hand.fulfil(Wish::Limit { roster, target, ceiling }).await? {
            Answer::Done(generation) => generation,
            Answer::Refused(Refusal::Superseded { .. }) => {
                self.hand.world.meet(Met::Superseded);
                return None;
            }
            _ => return None,
        };
        let freshness = Freshness::AtLeast(api::generation::Generation(generation));
        for _ in 0..20 {
            let asked = move |space: Space| async move { space.snapshot(freshness).await.ok() };
            let (pod, space) = (self.hand.pod(), self.hand.history.space);
            if let Some(Some(snapshot)) = self.hand.fleet.ask(pod, space, 1_000_000, asked).await {
                let usage = snapshot.usage();
                return (usage.roster_generation.0 == roster).then_some(usage.limit.0);
            }
        }
        None
    }
}
