//! Time, chance and order: everything in a run happens because this lets it, and a seed says in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::BoxFuture;

use crate::host::Host;

/// Whose task something is: 0 is the world around the pods, and every life of a pod has a number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner(pub(super) u32);

impl Owner {
    pub(super) const WORLD: Self = Self(0);
}

type Event = Box<dyn FnOnce() + Send>;

pub(super) struct World {
    inner: Mutex<Inner>,
}

struct Inner {
    /// Microseconds.
    now: u64,
    sequence: u64,
    events: BTreeMap<(u64, u64), Event>,
    random: fastrand::Rng,
    spawned: Vec<(Owner, BoxFuture<'static, ()>)>,
    owners: u32,
    paused: BTreeSet<Owner>,
    dead: BTreeSet<Owner>,
    trace: Option<Vec<String>>,
    wrong: Vec<String>,
}

impl World {
    pub(super) fn new(seed: u64, traced: bool) -> Arc<Self> {
        let inner = Inner {
            now: 0,
            sequence: 0,
            events: BTreeMap::new(),
            random: fastrand::Rng::with_seed(seed),
            spawned: Vec::new(),
            owners: 0,
            paused: BTreeSet::new(),
            dead: BTreeSet::new(),
            trace: traced.then(Vec::new),
            wrong: Vec::new(),
        };
        Arc::new(Self { inner: Mutex::new(inner) })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(super) fn now(&self) -> u64 {
        self.inner().now
    }

    /// A number below another one.
    pub(super) fn below(&self, end: u64) -> u64 {
        self.inner().random.u64(0..end.max(1))
    }

    /// Whether something happens that happens so often of a thousand times.
    pub(super) fn chance(&self, of_thousand: u64) -> bool {
        self.below(1000) < of_thousand
    }

    pub(super) fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    pub(super) fn random(&self) -> u64 {
        self.inner().random.u64(..)
    }

    /// Does something after so many microseconds.
    pub(super) fn after(&self, wait: u64, event: impl FnOnce() + Send + 'static) {
        let mut inner = self.inner();
        let at = (inner.now + wait, inner.sequence);
        inner.sequence += 1;
        inner.events.insert(at, Box::new(event));
    }

    pub(super) async fn sleep(&self, micros: u64) {
        let (wake, woken) = oneshot::channel::<()>();
        self.after(micros, move || {
            let _ = wake.send(());
        });
        let _ = woken.await;
    }

    pub(super) fn spawn(&self, owner: Owner, future: impl Future<Output = ()> + Send + 'static) {
        let mut inner = self.inner();
        if !inner.dead.contains(&owner) {
            inner.spawned.push((owner, Box::pin(future)));
        }
    }

    /// The next life of something.
    pub(super) fn owner(&self) -> Owner {
        let mut inner = self.inner();
        inner.owners += 1;
        Owner(inner.owners)
    }

    pub(super) fn pause(&self, owner: Owner, paused: bool) {
        let mut inner = self.inner();
        if paused {
            inner.paused.insert(owner);
        } else {
            inner.paused.remove(&owner);
        }
    }

    pub(super) fn is_paused(&self, owner: Owner) -> bool {
        self.inner().paused.contains(&owner)
    }

    /// Ends all tasks of an owner, each where it is.
    pub(super) fn kill(&self, owner: Owner) {
        self.inner().dead.insert(owner);
    }

    pub(super) fn is_dead(&self, owner: Owner) -> bool {
        self.inner().dead.contains(&owner)
    }

    /// Time passes for everybody at once.
    pub(super) fn jump(&self, micros: u64) {
        self.inner().now += micros;
    }

    /// A line of the trace; it is only made when somebody will read it.
    pub(super) fn note(&self, text: impl FnOnce() -> String) {
        let mut inner = self.inner();
        let now = inner.now;
        if let Some(trace) = &mut inner.trace {
            let (seconds, micros) = (now / 1_000_000, now % 1_000_000);
            trace.push(format!("{seconds:>6}.{micros:06} {}", text()));
        }
    }

    pub(super) fn wrong(&self, text: String) {
        self.note(|| format!("WRONG {text}"));
        self.inner().wrong.push(text);
    }

    pub(super) fn verdict(&self) -> (Vec<String>, Vec<String>) {
        let mut inner = self.inner();
        (std::mem::take(&mut inner.wrong), inner.trace.take().unwrap_or_default())
    }

    pub(super) fn is_wrong(&self) -> bool {
        !self.inner().wrong.is_empty()
    }

    /// Lets the next event happen, if it is to be so soon; false when there is none.
    fn happen(&self, within: u64) -> bool {
        let mut inner = self.inner();
        let now = inner.now;
        match inner.events.first_entry() {
            Some(first) if first.key().0 <= now.saturating_add(within) => {
                let ((at, _), event) = first.remove_entry();
                inner.now = now.max(at);
                drop(inner);
                event();
                true
            }
            _ => false,
        }
    }
}

/// The longest that something waits though it could go on, in microseconds, if its pod does not sleep.
const BUSY: u64 = 2_000_000;

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Task {
    owner: Owner,
    future: BoxFuture<'static, ()>,
    flag: Arc<Flag>,
    waker: Waker,
}

/// Polls one task after another, in an order that the seed picks.
pub(super) struct Runner {
    world: Arc<World>,
    tasks: Vec<Task>,
    pub(super) polls: u64,
}

impl Runner {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self { world, tasks: Vec::new(), polls: 0 }
    }

    fn gather(&mut self) {
        let (spawned, dead) = {
            let mut inner = self.world.inner();
            (std::mem::take(&mut inner.spawned), inner.dead.clone())
        };
        for (owner, future) in spawned {
            let flag = Arc::new(Flag(AtomicBool::new(true)));
            self.tasks.push(Task { owner, future, waker: flag.clone().into(), flag });
        }
        // What a task does while it is dropped is ignored, because its owner is dead.
        self.tasks.retain(|task| !dead.contains(&task.owner));
    }

    /// Runs until a condition holds, or nothing can happen any more, or so many polls are done.
    pub(super) fn run_until(&mut self, most: u64, mut done: impl FnMut() -> bool) -> bool {
        let end = self.polls + most;
        loop {
            self.gather();
            if done() {
                return true;
            }
            if self.polls >= end {
                return false;
            }
            while self.world.happen(0) {}
            let ready: Vec<usize> = {
                let inner = self.world.inner();
                let runs =
                    |task: &Task| task.flag.0.load(Ordering::Relaxed) && !inner.paused.contains(&task.owner);
                self.tasks.iter().enumerate().filter(|(_, task)| runs(task)).map(|(place, _)| place).collect()
            };
            if ready.is_empty() {
                if !self.world.happen(u64::MAX) {
                    return done();
                }
                continue;
            }
            // Now and then what is ready has to wait for what is not, as threads do on a busy machine.
            if self.world.chance(100) && self.world.happen(BUSY) {
                continue;
            }
            let place = *self.world.pick(&ready);
            let task = &mut self.tasks[place];
            task.flag.0.store(false, Ordering::Relaxed);
            self.polls += 1;
            self.world.jump(5);
            if let Poll::Ready(()) = task.future.as_mut().poll(&mut Context::from_waker(&task.waker)) {
                drop(self.tasks.swap_remove(place));
            }
        }
    }
}

/// What a pod has for a machine: a clock of its own, which can be wrong and jump.
pub(super) struct Machine {
    world: Arc<World>,
    owner: Owner,
    number: u64,
    /// How far its clock is off, in milliseconds.
    clock: Arc<Mutex<i64>>,
}

impl Machine {
    pub(super) fn new(world: Arc<World>, owner: Owner, number: u64, clock: Arc<Mutex<i64>>) -> Self {
        Self { world, owner, number, clock }
    }
}

/// A Wednesday in 2026, when every run begins, in milliseconds since 1970.
pub(super) const EPOCH: i64 = 1_795_600_000_000;

impl Host for Machine {
    fn now(&self) -> i64 {
        EPOCH + i64::try_from(self.world.now() / 1000).unwrap() + *self.clock.lock().unwrap()
    }

    fn machine(&self) -> Option<u64> {
        Some(self.number)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.world.now())
    }

    fn random(&self) -> u64 {
        self.world.random()
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.world.spawn(self.owner, future);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let world = self.world.clone();
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 4);
        Box::pin(async move { world.sleep(micros).await })
    }
}
