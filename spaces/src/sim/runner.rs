//! Polls one task after another, in an order that the seed picks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::BoxFuture;

use super::world::{Owner, World};

/// The longest that something waits though it could go on, in microseconds, if its pod does not sleep.
const BUSY: u64 = 2_000_000;

/// Says that the task of a place can go on.
struct Bell {
    world: Arc<World>,
    place: u32,
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::Relaxed) {
            self.world.woken.lock().unwrap().push(self.place);
        }
    }
}

struct Task {
    owner: Owner,
    future: BoxFuture<'static, ()>,
}

/// A place for tasks, one after another. A bell that is rung late wakes whoever has the place then, for nothing.
struct Place {
    task: Option<Task>,
    bell: Arc<Bell>,
    waker: Waker,
}

pub(super) struct Runner {
    world: Arc<World>,
    places: Vec<Place>,
    free: Vec<u32>,
    ready: Vec<u32>,
    /// Those that could go on if their pod did not sleep.
    asleep: Vec<u32>,
    pub(super) polls: u64,
}

impl Runner {
    pub(super) fn new(world: Arc<World>) -> Self {
        let (places, free) = (Vec::new(), Vec::new());
        Self { world, places, free, ready: Vec::new(), asleep: Vec::new(), polls: 0 }
    }

    fn gather(&mut self) {
        if self.world.someone_died.swap(false, Ordering::Relaxed) {
            for (number, place) in (0_u32..).zip(&mut self.places) {
                if place.task.as_ref().is_some_and(|task| task.owner.is_dead()) {
                    // What a task does while it is dropped is ignored, because its owner is dead.
                    drop(place.task.take());
                    self.free.push(number);
                }
            }
            self.ready.append(&mut self.world.woken.lock().unwrap());
            drop(self.world.buried());
            // An engine drops its spaces in no order. What is rung for those who died with them is heard by nobody.
            let mut rung = std::mem::take(&mut *self.world.woken.lock().unwrap());
            rung.sort_unstable();
            for number in rung {
                let place = &self.places[number as usize];
                place.bell.rung.store(place.task.is_some(), Ordering::Relaxed);
                self.ready.extend(place.task.is_some().then_some(number));
            }
        }
        for (owner, future) in self.world.spawned() {
            if owner.is_dead() {
                continue;
            }
            let number = self.free.pop().unwrap_or_else(|| {
                let number = u32::try_from(self.places.len()).unwrap();
                let (world, rung) = (self.world.clone(), AtomicBool::new(false));
                let bell = Arc::new(Bell { world, place: number, rung });
                self.places.push(Place { task: None, waker: bell.clone().into(), bell });
                number
            });
            let place = &mut self.places[number as usize];
            place.task = Some(Task { owner, future });
            place.bell.rung.store(true, Ordering::Relaxed);
            self.ready.push(number);
        }
        self.ready.append(&mut self.world.woken.lock().unwrap());
        if self.world.someone_woke.swap(false, Ordering::Relaxed) {
            self.ready.append(&mut self.asleep);
        }
    }

    /// Runs until a condition holds, or nothing can happen any more, or so many polls are done.
    pub(super) fn run_until(&mut self, most: u64, mut done: impl FnMut() -> bool) -> bool {
        let end = self.polls + most;
        loop {
            while self.world.happen(0) {}
            self.gather();
            if done() {
                return true;
            }
            if self.polls >= end {
                return false;
            }
            if self.ready.is_empty() {
                if !self.world.happen(u64::MAX) {
                    return done();
                }
                continue;
            }
            // Now and then what is ready has to wait for what is not, as threads do on a busy machine.
            if self.world.chance(100) && self.world.happen(BUSY) {
                continue;
            }
            let chosen = usize::try_from(self.world.below(self.ready.len() as u64)).unwrap();
            let number = self.ready.swap_remove(chosen);
            let place = &mut self.places[number as usize];
            let Some(task) = &mut place.task else {
                place.bell.rung.store(false, Ordering::Relaxed);
                continue;
            };
            if task.owner.is_paused() && !task.owner.is_dead() {
                self.asleep.push(number);
                continue;
            }
            place.bell.rung.store(false, Ordering::Relaxed);
            self.polls += 1;
            self.world.jump(5);
            if let Poll::Ready(()) = task.future.as_mut().poll(&mut Context::from_waker(&place.waker)) {
                drop(place.task.take());
                self.free.push(number);
            }
        }
    }
}
