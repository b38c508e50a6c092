//! What goes wrong around the pods, until it is enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::coverage::Met;
use super::fleet::{Fleet, SPACES};
use super::mount::{Server, Weather};
use super::world::World;

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) crashes: bool,
    pub(super) pauses: bool,
    pub(super) power: bool,
    /// So many of a thousand pods live on when the volume loses its power.
    pub(super) survivors: u64,
    pub(super) hangs: bool,
    pub(super) clocks: bool,
    /// Whether there is hardly any memory, and states are dropped at any moment besides.
    pub(super) evictions: bool,
    pub(super) weather: Weather,
    /// How much members want, at most.
    pub(super) things: u64,
    /// So many of a thousand files are sent very slowly, by clients that ask once.
    pub(super) dawdlers: u64,
    /// There is a second volume, and bytes are moved between them.
    pub(super) pool: bool,
    /// Whether members want more than files: locks, shares, properties, what was deleted or replaced.
    pub(super) more: bool,
}

pub(super) struct Chaos {
    pub(super) world: Arc<World>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) server: Arc<Server>,
    pub(super) plan: Plan,
    pub(super) enough: Arc<AtomicBool>,
    /// From then on all is well.
    pub(super) well: Arc<AtomicBool>,
}

impl Chaos {
    pub(super) async fn reign(self) {
        *self.server.weather.lock().unwrap() = self.plan.weather;
        let until = self.world.now() + 1_000_000 + self.world.below(2_000_000 * self.plan.things.max(15));
        while self.world.now() < until && !self.enough.load(Ordering::Relaxed) {
            self.world.sleep(self.world.below(200_000)).await;
            self.act().await;
        }
        self.end();
    }

    async fn act(&self) {
        let Self { world, fleet, server, plan, .. } = self;
        let pod = usize::try_from(world.below(fleet.size() as u64)).unwrap();
        match world.below(110) {
            0..15 if plan.pauses => fleet.pause(pod, true),
            15..20 if plan.pauses => self.trap(pod, Met::PausedAtCall),
            20..50 => fleet.pause(pod, false),
            50..55 if plan.crashes => {
                fleet.crash(pod);
                if world.chance(700) {
                    fleet.start(pod);
                }
            }
            55..60 if plan.crashes => self.trap(pod, Met::CrashAtCall),
            60..75 => fleet.start(pod),
            75..79 if plan.power => {
                let living: Vec<usize> = (0..fleet.size()).filter(|_| world.chance(plan.survivors)).collect();
                world.note(|| format!("the power is lost; the pods {living:?} live on"));
                (0..fleet.size()).filter(|pod| !living.contains(pod)).for_each(|pod| fleet.crash(pod));
                let living: Vec<u32> =
                    living.into_iter().filter_map(|pod| Some(fleet.life(pod)?.number)).collect();
                server.lose_power(&living);
                world.sleep(world.below(100_000)).await;
                (0..fleet.size()).for_each(|pod| fleet.start(pod));
            }
            79..85 if plan.hangs => fleet.hang(pod, world.below(5_000_000)),
            85..90 if plan.clocks => {
                // One clock may be wrong by a day; two are not, and no rule could help against it.
                let off = *world.pick(&[0, 0, 3_000, -3_000, 20_000, -20_000, 86_400_000]);
                world.meet(Met::ClockStep);
                fleet.step_clock(if off > 1_000_000 { 0 } else { pod }, off);
            }
            90..92 if plan.pauses => {
                // Everybody sleeps, as a machine does that is suspended.
                let long = *world.pick(&[1_000_000, 60_000_000, 90_000_000_000]);
                if long > 1_000_000_000 {
                    world.meet(Met::DayPassed);
                }
                world.note(|| format!("all stands still for {} s", long / 1_000_000));
                world.jump(long);
            }
            92..102 if plan.evictions => fleet.evict(pod),
            102..106 => drop(fleet.visit(pod, *world.pick(&SPACES))),
            _ => {}
        }
    }

    /// At one of its next calls a pod dies or falls asleep.
    fn trap(&self, pod: usize, what: Met) {
        let Some(life) = self.fleet.life(pod) else { return };
        let calls = u32::try_from(self.world.below(30)).unwrap();
        let (fleet, world, well, caught) =
            (self.fleet.clone(), self.world.clone(), self.well.clone(), life.number);
        life.set_trap(calls, move || {
            // It may be another life by now.
            if well.load(Ordering::Relaxed) || fleet.life(pod).is_none_or(|life| life.number != caught) {
                return;
            }
            world.meet(what);
            if what == Met::CrashAtCall {
                fleet.crash(pod);
            } else {
                fleet.pause(pod, true);
            }
        });
    }

    /// From now on all is well.
    fn end(&self) {
        let Self { world, fleet, server, well, .. } = self;
        well.store(true, Ordering::Relaxed);
        world.note(|| "from now on all is well".to_owned());
        *server.weather.lock().unwrap() = Weather::default();
        for pod in 0..fleet.size() {
            fleet.release(pod);
            fleet.pause(pod, false);
            fleet.start(pod);
            fleet.step_clock(pod, 0);
        }
    }
}
