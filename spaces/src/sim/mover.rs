//! Whoever looks after volumes: says which are to be emptied, and has bytes moved while members go on.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::bytes::Bytes as Size;

use super::coverage::Met;
use super::fleet::{Fleet, second, volume};
use super::history::History;
use super::world::World;
use crate::relocation::RelocationGoal;
use crate::space::Space;

pub(super) struct Mover {
    pub(super) world: Arc<World>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) histories: [Arc<History>; 2],
}

impl Mover {
    /// Moves bytes so many times.
    pub(super) async fn run(self, times: u64) {
        for _ in 0..times {
            self.pause().await;
            let drained = match self.world.below(5) {
                0 => BTreeSet::new(),
                1 | 2 => BTreeSet::from([volume()]),
                _ => BTreeSet::from([second()]),
            };
            self.world.note(|| format!("no new content on {drained:?}"));
            self.fleet.tune(|settings| settings.drained = drained);
            self.pause().await;
            let goal = match self.world.below(5) {
                0 => RelocationGoal::Compact,
                1 | 2 => RelocationGoal::Drain(volume()),
                _ => RelocationGoal::Drain(second()),
            };
            let history = self.world.pick(&self.histories).clone();
            self.relocate(history, goal).await;
        }
        self.fleet.tune(|settings| settings.drained = BTreeSet::new());
    }

    async fn pause(&self) {
        let longest = *self.world.pick(&[10_000, 300_000, 3_000_000]);
        self.world.sleep(self.world.below(longest)).await;
    }

    /// Has a pod move bytes for a while.
    async fn relocate(&self, history: Arc<History>, goal: RelocationGoal) {
        let (world, fleet) = (self.world.clone(), self.fleet.clone());
        let pod = usize::try_from(world.below(fleet.size() as u64)).unwrap();
        world.note(|| format!("pod {pod} is to move bytes: {goal:?}"));
        let space = history.space;
        let asked = move |space: Space| async move {
            let mut relocation = match space.relocate(goal).await {
                Ok(relocation) => relocation,
                Err(error) => {
                    history.answer(&error);
                    return;
                }
            };
            loop {
                world.sleep(world.below(50_000)).await;
                match relocation.step(Size(1 + world.below(4_000))).await {
                    Ok(None) => return,
                    Ok(Some(done)) if done.objects > 0 => world.meet(Met::BytesMoved),
                    Ok(Some(_)) => {}
                    Err(error) => {
                        history.answer(&error);
                        return;
                    }
                }
            }
        };
        let patience = *self.world.pick(&[300_000, 5_000_000, 30_000_000]);
        fleet.ask(pod, space, patience, asked).await;
    }
}
