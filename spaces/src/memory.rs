//! The memory that the states of all spaces of an engine take together. When it is more than the budget, those that
//! were not used for longest go; their next use reads them from the volume again.
//!
//! Nothing is decided here that others could see: a space whose state went is as in a pod that has just begun.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use api::bytes::Bytes;
use arc_swap::ArcSwap;
use futures::channel::oneshot;
use futures::future::{Either, select};

use crate::host::Host;
use crate::replica::Replica;
use crate::settings::Settings;

/// Who is to go and does not come to it in this time is busy with a volume that does not answer. Who waits for room
/// then goes on without: to be slow on one volume is no reason to fail on others.
const PATIENCE: Duration = Duration::from_secs(2);

/// While there is too much, it is looked so often whether somebody can go.
const AGAIN: Duration = Duration::from_millis(50);

/// What an engine holds in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// How many spaces are loaded.
    pub spaces: usize,
    /// About what their states take.
    pub states: Bytes,
    /// The most that they ever took, with what was being read.
    pub most: Bytes,
    /// How often a state was dropped to make room.
    pub evictions: u64,
}

/// The memory of one engine.
pub(crate) struct Memory {
    host: Arc<dyn Host>,
    settings: Arc<ArcSwap<Settings>>,
    ledger: Mutex<Ledger>,
    /// Of those who wait for room one is served after another.
    turn: futures::lock::Mutex<()>,
    uses: AtomicU64,
}

#[derive(Default)]
struct Ledger {
    /// What those take that are loaded.
    loaded: u64,
    /// About what those will take that are being read.
    coming: u64,
    most: u64,
    evictions: u64,
    last: u64,
    tenants: BTreeMap<u64, Arc<Standing>>,
    /// Who waits for something to go.
    waits: Option<oneshot::Sender<()>>,
    /// When it was last looked who can go.
    looked: Option<Duration>,
}

/// How a space stands in the memory of its engine.
pub(crate) struct Tenant {
    memory: Arc<Memory>,
    number: u64,
    standing: Arc<Standing>,
}

struct Standing {
    replica: Weak<Replica>,
    /// What its state takes; zero when it is not loaded.
    weight: AtomicU64,
    /// What it took when it was loaded last.
    before: AtomicU64,
    /// Its last use, by the count of all uses.
    used: AtomicU64,
    /// How many wait for an answer.
    waiting: AtomicUsize,
    /// When it was asked to go, in microseconds; zero when it is not.
    asked: AtomicU64,
}

/// Room for a state that is being read.
pub(crate) struct Coming {
    memory: Arc<Memory>,
    bytes: u64,
}

impl Standing {
    fn weight(&self) -> u64 {
        self.weight.load(Ordering::Relaxed)
    }

    fn is_busy(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }
}

impl Memory {
    pub(crate) fn new(host: Arc<dyn Host>, settings: Arc<ArcSwap<Settings>>) -> Arc<Self> {
        let (ledger, turn) = (Mutex::default(), futures::lock::Mutex::default());
        Arc::new(Self { host, settings, ledger, turn, uses: AtomicU64::new(1) })
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn budget(&self) -> u64 {
        self.settings.load().memory.0
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.host.elapsed().as_micros()).unwrap_or(u64::MAX).max(1)
    }

    /// What is held now.
    pub(crate) fn in_use(&self) -> MemoryUse {
        let Ledger { loaded, most, evictions, tenants, .. } = &*self.ledger();
        MemoryUse { spaces: tenants.len(), states: Bytes(*loaded), most: Bytes(*most), evictions: *evictions }
    }

    /// A place for a space, which takes nothing yet.
    pub(crate) fn tenant(self: &Arc<Self>, replica: Weak<Replica>) -> Tenant {
        let mut ledger = self.ledger();
        ledger.last += 1;
        let standing = Standing {
            replica,
            weight: AtomicU64::new(0),
            before: AtomicU64::new(0),
            used: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            asked: AtomicU64::new(0),
        };
        Tenant { memory: self.clone(), number: ledger.last, standing: Arc::new(standing) }
    }

    /// Takes room for a state, if there is any; otherwise says when something has changed.
    fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Coming, oneshot::Receiver<()>> {
        let budget = self.budget();
        let mut ledger = self.ledger();
        if ledger.excess(bytes, budget) > 0 {
            let (changed, waits) = oneshot::channel();
            ledger.waits = Some(changed);
            return Err(waits);
        }
        Ok(ledger.take(self, bytes))
    }

    /// Asks those to go who were not used for longest. How many are on their way then.
    fn ask(&self, needed: u64, but: u64, also_busy: bool) -> usize {
        let (budget, now) = (self.budget(), self.micros());
        let late = now.saturating_sub(u64::try_from(PATIENCE.as_micros()).unwrap_or(u64::MAX));
        let (mut excess, giant, tenants) = {
            let ledger = self.ledger();
            let excess = ledger.excess(needed, budget);
            if excess == 0 {
                return 0;
            }
            (excess, ledger.giant(0, budget), ledger.tenants.clone())
        };
        let mut leaving = 0;
        let mut others = Vec::with_capacity(tenants.len());
        for (number, standing) in tenants {
            match standing.asked.load(Ordering::Relaxed) {
                0 if number != but => others.push((standing.is_busy(), standing)),
                asked if asked > late => {
                    excess = excess.saturating_sub(standing.weight());
                    leaving += 1;
                }
                _ => {}
            }
        }
        others.sort_by_key(|(busy, standing)| (*busy, standing.used.load(Ordering::Relaxed)));
        // Somewhat more than is needed, so that it is not looked for each.
        let mut ample = excess.saturating_add(if leaving == 0 { budget / 8 } else { 0 });
        for (busy, standing) in others {
            // Whoever is busy goes only when nobody else can.
            let enough = if busy { !also_busy || leaving > 0 || excess == 0 } else { ample == 0 };
            if enough {
                break;
            }
            let Some(replica) = standing.replica.upgrade() else { continue };
            standing.asked.store(now, Ordering::Relaxed);
            replica.ask_to_go(busy);
            // One that is larger than everything does not count, and so gives nothing.
            let given = if standing.weight() == giant { 0 } else { standing.weight() };
            (excess, ample) = (excess.saturating_sub(given), ample.saturating_sub(given));
            leaving += 1;
        }
        leaving
    }

    /// Asks those to go who are not in use, when there is too much.
    pub(crate) fn trim(&self) {
        self.ask(0, 0, false);
    }
}

impl Ledger {
    /// By how much too much there would be with so much more. A single space that is larger than the budget does not count:
    /// nothing would be gained by reading it again and again.
    fn excess(&self, more: u64, budget: u64) -> u64 {
        let all = self.loaded.saturating_add(self.coming).saturating_add(more);
        if all <= budget {
            return 0;
        }
        all.saturating_sub(self.giant(more, budget)).saturating_sub(budget)
    }

    /// The weight of the largest space, when it is larger than the budget.
    fn giant(&self, more: u64, budget: u64) -> u64 {
        let weights = self.tenants.values().map(|standing| standing.weight());
        weights.chain([more]).max().filter(|most| *most > budget).unwrap_or(0)
    }

    fn take(&mut self, memory: &Arc<Memory>, bytes: u64) -> Coming {
        self.coming = self.coming.saturating_add(bytes);
        self.note();
        Coming { memory: memory.clone(), bytes }
    }

    fn note(&mut self) {
        self.most = self.most.max(self.loaded.saturating_add(self.coming));
    }

    fn changed(&mut self) {
        if let Some(waits) = self.waits.take() {
            let _ = waits.send(());
        }
    }
}

impl Tenant {
    /// Somebody uses it.
    pub(crate) fn used(&self) {
        self.standing.used.store(self.memory.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// One more waits for an answer.
    pub(crate) fn asked(&self) {
        self.standing.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// So many got theirs.
    pub(crate) fn answered(&self, count: usize) {
        self.standing.waiting.fetch_sub(count, Ordering::Relaxed);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.standing.is_busy()
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.standing.weight() > 0
    }

    /// What it took when it was loaded last, if it ever was.
    pub(crate) fn before(&self) -> Option<u64> {
        Some(self.standing.before.load(Ordering::Relaxed)).filter(|before| *before > 0)
    }

    /// Waits until there is room for a state that is about to be read.
    pub(crate) async fn admit(&self, expected: u64) -> Coming {
        let memory = &self.memory;
        let _turn = memory.turn.lock().await;
        let until = memory.host.elapsed().saturating_add(PATIENCE);
        loop {
            let changed = match memory.reserve(expected) {
                Ok(coming) => return coming,
                Err(changed) => changed,
            };
            let leaving = memory.ask(expected, self.number, true);
            let left = until.saturating_sub(memory.host.elapsed());
            if left.is_zero() || leaving == 0 && memory.ledger().coming == 0 {
                break;
            }
            if let Either::Right(_) = select(changed, memory.host.sleep(left)).await {
                break;
            }
        }
        memory.ledger().take(memory, expected)
    }

    /// Its state takes so much from now on.
    pub(crate) fn weigh(&self, weight: Bytes, coming: Option<Coming>) {
        let (memory, budget) = (&self.memory, self.memory.budget());
        let weight = weight.0.max(1);
        self.standing.before.store(weight, Ordering::Relaxed);
        let is_too_much = {
            let mut ledger = memory.ledger();
            if let Some(mut coming) = coming {
                // At once, so that nobody else takes the room in between.
                ledger.coming = ledger.coming.saturating_sub(std::mem::take(&mut coming.bytes));
            }
            let before = self.standing.weight.swap(weight, Ordering::Relaxed);
            ledger.loaded = ledger.loaded.saturating_add(weight).saturating_sub(before);
            if before == 0 {
                ledger.tenants.insert(self.number, self.standing.clone());
                ledger.changed();
            }
            ledger.note();
            ledger.loaded > budget && ledger.is_time(memory.host.elapsed())
        };
        if is_too_much {
            memory.ask(0, self.number, false);
        }
    }

    /// Its state is dropped.
    pub(crate) fn gone(&self) {
        let mut ledger = self.memory.ledger();
        self.standing.asked.store(0, Ordering::Relaxed);
        if self.leave(&mut ledger) {
            ledger.evictions += 1;
        }
    }

    /// It was asked to go, and is in use again.
    pub(crate) fn stays(&self) {
        self.standing.asked.store(0, Ordering::Relaxed);
        self.memory.ledger().changed();
    }

    fn leave(&self, ledger: &mut Ledger) -> bool {
        let weight = self.standing.weight.swap(0, Ordering::Relaxed);
        ledger.loaded = ledger.loaded.saturating_sub(weight);
        ledger.changed();
        ledger.tenants.remove(&self.number).is_some()
    }
}

impl Ledger {
    /// Whether it is time to look again who can go.
    fn is_time(&mut self, now: Duration) -> bool {
        let is_time = self.looked.is_none_or(|looked| looked.saturating_add(AGAIN) <= now);
        if is_time {
            self.looked = Some(now);
        }
        is_time
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.leave(&mut self.memory.ledger());
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        if self.bytes > 0 {
            let mut ledger = self.memory.ledger();
            ledger.coming = ledger.coming.saturating_sub(self.bytes);
            ledger.changed();
        }
    }
}
