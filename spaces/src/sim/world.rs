//! Time, chance and order: everything in a run happens because this lets it, and a seed says in which order.

use std::cmp::Ordering as Order;
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;

use super::coverage::{Met, Tally};
use crate::host::Host;

/// Whose task something is: the world around the pods, or one life of a pod.
pub(super) type Owner = Arc<Life>;

/// What happens to a life at one of its next calls.
type Trap = Box<dyn FnOnce() + Send>;

/// The life of a pod, from its start to its death; number 0 is the world around them.
pub(super) struct Life {
    pub(super) number: u32,
    paused: AtomicBool,
    dead: AtomicBool,
    /// Until when the volume does not answer it.
    pub(super) hung: AtomicU64,
    /// What happens when so many more calls have begun.
    trap: Mutex<Option<(u32, Trap)>>,
    trapped: AtomicBool,
}

impl Life {
    fn new(number: u32) -> Owner {
        Arc::new(Self {
            number,
            paused: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            hung: AtomicU64::new(0),
            trap: Mutex::default(),
            trapped: AtomicBool::new(false),
        })
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// Something happens to it when so many more calls have begun.
    pub(super) fn set_trap(&self, calls: u32, trap: impl FnOnce() + Send + 'static) {
        *self.trap.lock().unwrap() = Some((calls, Box::new(trap)));
        self.trapped.store(true, Ordering::Relaxed);
    }

    pub(super) fn clear_trap(&self) {
        *self.trap.lock().unwrap() = None;
        self.trapped.store(false, Ordering::Relaxed);
    }

    /// A call begins.
    pub(super) fn calls(&self, world: &World) {
        if !self.trapped.load(Ordering::Relaxed) {
            return;
        }
        let mut trap = self.trap.lock().unwrap();
        match trap.take() {
            Some((0, sprung)) => {
                self.trapped.store(false, Ordering::Relaxed);
                // Some of them when the call was done and its answer is on its way.
                world.after(world.below(4) * 700, sprung);
            }
            Some((left, waits)) => *trap = Some((left - 1, waits)),
            None => {}
        }
    }
}

/// What happens at a moment.
pub(super) enum Event {
    Wake(Waker),
    /// A call is at the server, or its answer is at the client.
    Call(Arc<dyn Happening>),
    Run(Box<dyn FnOnce() + Send>),
}

/// Something that goes on by itself when its time has come.
pub(super) trait Happening: Send + Sync {
    fn happen(self: Arc<Self>);
}

struct Timed {
    at: u64,
    sequence: u64,
    event: Event,
}

impl PartialEq for Timed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Order::Equal
    }
}

impl Eq for Timed {}

impl PartialOrd for Timed {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl Ord for Timed {
    /// The earliest is the greatest, for a heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Order {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

pub(super) type Spawned = (Owner, BoxFuture<'static, ()>);

pub(super) struct World {
    /// Microseconds.
    now: AtomicU64,
    random: AtomicU64,
    /// When the next event is, so that nobody asks in vain.
    next: AtomicU64,
    lives: AtomicU64,
    pub(super) outside: Owner,
    events: Mutex<Events>,
    spawned: Mutex<Vec<Spawned>>,
    /// Tasks that can go on.
    pub(super) woken: Mutex<Vec<u32>>,
    pub(super) someone_died: AtomicBool,
    pub(super) someone_woke: AtomicBool,
    /// What the dead leave, which goes after their tasks: by then nobody hears of the order in which it does.
    remains: Mutex<Vec<Box<dyn Send>>>,
    pub(super) met: Tally,
    traced: bool,
    trace: Mutex<Vec<String>>,
    wrong: Mutex<Vec<String>>,
    is_wrong: AtomicBool,
}

#[derive(Default)]
struct Events {
    sequence: u64,
    heap: BinaryHeap<Timed>,
}

impl World {
    pub(super) fn new(seed: u64, traced: bool) -> Arc<Self> {
        Arc::new(Self {
            now: AtomicU64::new(0),
            random: AtomicU64::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            next: AtomicU64::new(u64::MAX),
            lives: AtomicU64::new(0),
            outside: Life::new(0),
            events: Mutex::default(),
            spawned: Mutex::default(),
            woken: Mutex::default(),
            someone_died: AtomicBool::new(false),
            someone_woke: AtomicBool::new(false),
            remains: Mutex::default(),
            met: Tally::default(),
            traced,
            trace: Mutex::default(),
            wrong: Mutex::default(),
            is_wrong: AtomicBool::new(false),
        })
    }

    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// 64 random bits, by the generator that is called wyrand. One thread runs a world: nothing is lost between the
    /// load and the store.
    pub(super) fn random(&self) -> u64 {
        let state = self.random.load(Ordering::Relaxed).wrapping_add(0x2d35_8dcc_aa6c_78a5);
        self.random.store(state, Ordering::Relaxed);
        let mixed = u128::from(state) * u128::from(state ^ 0x8bb8_4b93_962e_acc9);
        (mixed as u64) ^ ((mixed >> 64) as u64)
    }

    /// A number below another one.
    pub(super) fn below(&self, end: u64) -> u64 {
        ((u128::from(self.random()) * u128::from(end.max(1))) >> 64) as u64
    }

    /// Whether something happens that happens so often of a thousand times.
    pub(super) fn chance(&self, of_thousand: u64) -> bool {
        of_thousand > 0 && self.below(1000) < of_thousand
    }

    pub(super) fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    /// Something that could happen has.
    pub(super) fn meet(&self, met: Met) {
        self.met.add(met);
    }

    fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap()
    }

    /// Something happens after so many microseconds.
    pub(super) fn schedule(&self, wait: u64, event: Event) {
        let mut events = self.events();
        let at = self.now() + wait;
        let sequence = events.sequence;
        events.sequence += 1;
        events.heap.push(Timed { at, sequence, event });
        self.next.fetch_min(at, Ordering::Relaxed);
    }

    /// Does something after so many microseconds.
    pub(super) fn after(&self, wait: u64, event: impl FnOnce() + Send + 'static) {
        self.schedule(wait, Event::Run(Box::new(event)));
    }

    pub(super) fn sleep(self: &Arc<Self>, micros: u64) -> Sleep {
        Sleep { world: self.clone(), micros, until: None }
    }

    pub(super) fn spawn(&self, owner: &Owner, future: impl Future<Output = ()> + Send + 'static) {
        self.spawn_boxed(owner, Box::pin(future));
    }

    fn spawn_boxed(&self, owner: &Owner, future: BoxFuture<'static, ()>) {
        if !owner.is_dead() {
            self.spawned.lock().unwrap().push((owner.clone(), future));
        }
    }

    pub(super) fn spawned(&self) -> Vec<Spawned> {
        std::mem::take(&mut self.spawned.lock().unwrap())
    }

    /// The next life of something.
    pub(super) fn life(&self) -> Owner {
        let before = self.lives.fetch_add(1, Ordering::Relaxed);
        Life::new(u32::try_from(before + 1).unwrap())
    }

    pub(super) fn pause(&self, owner: &Owner, paused: bool) {
        owner.paused.store(paused, Ordering::Relaxed);
        if !paused {
            self.someone_woke.store(true, Ordering::Relaxed);
        }
    }

    /// Ends all tasks of an owner, each where it is.
    pub(super) fn kill(&self, owner: &Owner) {
        owner.dead.store(true, Ordering::Relaxed);
        self.someone_died.store(true, Ordering::Relaxed);
    }

    pub(super) fn bury(&self, remains: impl Send + 'static) {
        self.remains.lock().unwrap().push(Box::new(remains));
    }

    pub(super) fn buried(&self) -> Vec<Box<dyn Send>> {
        std::mem::take(&mut self.remains.lock().unwrap())
    }

    /// Time passes for everybody at once.
    pub(super) fn jump(&self, micros: u64) {
        self.now.store(self.now() + micros, Ordering::Relaxed);
    }

    /// A line of the trace; it is only made when somebody will read it.
    pub(super) fn note(&self, text: impl FnOnce() -> String) {
        if self.traced {
            let now = self.now();
            let (seconds, micros) = (now / 1_000_000, now % 1_000_000);
            let line = format!("{seconds:>6}.{micros:06} {}", text());
            self.trace.lock().unwrap().push(line);
        }
    }

    pub(super) fn wrong(&self, text: String) {
        self.note(|| format!("WRONG {text}"));
        self.is_wrong.store(true, Ordering::Relaxed);
        self.wrong.lock().unwrap().push(text);
    }

    pub(super) fn verdict(&self) -> (Vec<String>, Vec<String>) {
        let wrong = std::mem::take(&mut *self.wrong.lock().unwrap());
        (wrong, std::mem::take(&mut *self.trace.lock().unwrap()))
    }

    /// Nothing happens any more: what waits for it holds the world.
    pub(super) fn end(&self) {
        let (events, spawned) = (std::mem::take(&mut *self.events()), self.spawned());
        drop((events, spawned, self.buried()));
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.is_wrong.load(Ordering::Relaxed)
    }

    /// Lets the next event happen, if it is to be so soon; false when there is none.
    pub(super) fn happen(&self, within: u64) -> bool {
        let now = self.now();
        let until = now.saturating_add(within);
        if self.next.load(Ordering::Relaxed) > until {
            return false;
        }
        let first = {
            let mut events = self.events();
            let first = events.heap.pop();
            self.next.store(events.heap.peek().map_or(u64::MAX, |next| next.at), Ordering::Relaxed);
            first
        };
        let Some(Timed { at, event, .. }) = first else { return false };
        self.now.store(now.max(at), Ordering::Relaxed);
        match event {
            Event::Wake(waker) => waker.wake(),
            Event::Call(call) => call.happen(),
            Event::Run(run) => run(),
        }
        true
    }
}

/// Comes back after a while.
pub(super) struct Sleep {
    world: Arc<World>,
    micros: u64,
    /// Until when, and who is to be woken then.
    until: Option<(u64, Waker)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let now = self.world.now();
        let until = self.until.as_ref().map_or_else(|| now + self.micros, |(until, _)| *until);
        if until <= now && self.until.is_some() {
            return Poll::Ready(());
        }
        if self.until.as_ref().is_none_or(|(_, waker)| !waker.will_wake(context.waker())) {
            self.world.schedule(until - now, Event::Wake(context.waker().clone()));
            self.until = Some((until, context.waker().clone()));
        }
        Poll::Pending
    }
}

/// What a pod has for a machine: a clock of its own, which can be wrong and jump.
pub(super) struct Machine {
    world: Arc<World>,
    owner: Owner,
    number: u64,
    /// How far its clock is off, in milliseconds.
    clock: Arc<AtomicI64>,
}

impl Machine {
    pub(super) fn new(world: Arc<World>, owner: Owner, number: u64, clock: Arc<AtomicI64>) -> Self {
        Self { world, owner, number, clock }
    }
}

/// A Wednesday in 2026, when every run begins, in milliseconds since 1970.
pub(super) const EPOCH: i64 = 1_795_600_000_000;

impl Host for Machine {
    fn now(&self) -> i64 {
        EPOCH + i64::try_from(self.world.now() / 1000).unwrap() + self.clock.load(Ordering::Relaxed)
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
        self.world.spawn_boxed(&self.owner, future);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 4);
        Box::pin(self.world.sleep(micros))
    }
}
