//! A space in use: its newest known state, and the one actor that reads its log on and adds to it.

mod actor;
mod commit;
mod draft;
mod expiry;
pub(crate) mod garbage;
mod pack;
pub(crate) mod past;
pub(crate) mod place;
pub(crate) mod removal;
mod upkeep;
pub(crate) mod witness;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use api::generation::Generation;
use api::ids::SpaceId;
use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use futures::channel::{mpsc, oneshot};

use self::actor::Actor;
use self::garbage::Unfinished;
use self::past::Pasts;
use self::upkeep::{Keeping, Upkeep};
use self::witness::Witnesses;
use crate::error::Error;
use crate::format::entry::Committer;
use crate::host::{Host, computed};
use crate::lock::LockToken;
use crate::log::{Log, LogError};
use crate::memory::{Coming, Memory, Tenant};
use crate::operation::{Committed, OperationId};
use crate::pool::{Habit, Pool};
use crate::settings::Settings;
use crate::snapshot::Freshness;
use crate::state::State;
use crate::state::intent::Intent;
use crate::upload::Owned;
use crate::volume::Volume;

/// A space in use.
pub(crate) struct Replica {
    pub(crate) shared: Arc<Shared>,
    pub(crate) owned: Owned,
    queue: mpsc::UnboundedSender<Message>,
    /// What the actor and the upkeep are started with, until they are.
    waiting: Mutex<Option<Waiting>>,
    upkeep: futures::lock::Mutex<Upkeep>,
    pasts: Arc<Pasts>,
    /// This one, for the upkeep, which must not keep it.
    me: Weak<Self>,
}

/// The other ends of what a replica and its actor send to.
struct Waiting {
    messages: mpsc::UnboundedReceiver<Message>,
    woken: mpsc::Receiver<()>,
}

/// What the actor of a space and those who use it share.
pub(crate) struct Shared {
    pub(crate) log: Arc<Log>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) settings: Arc<ArcSwap<Settings>>,
    pub(crate) pool: Arc<Pool>,
    habit: Mutex<Habit>,
    committer: Committer,
    witnesses: Arc<Witnesses>,
    published: ArcSwapOption<Published>,
    stopped: OnceLock<String>,
    ticks: AtomicU64,
    keeping: Keeping,
    /// Its part of the memory of the engine.
    tenant: Tenant,
}

/// Orders what is asked and when looking began, for no clock is fine enough to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

/// A state, and since when it is known that there was nothing newer.
pub(crate) struct Published {
    pub(crate) state: Arc<State>,
    pub(crate) fresh: Duration,
    /// The same; who came later needs another look.
    pub(crate) tick: Tick,
}

/// What the spaces of a pod have in common.
#[derive(Clone)]
pub(crate) struct Pod {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) settings: Arc<ArcSwap<Settings>>,
    /// Whose clock this pod writes by.
    pub(crate) committer: Committer,
    /// What it has heard of other clocks.
    pub(crate) witnesses: Arc<Witnesses>,
    /// The newest format of a log that is read here.
    pub(crate) reads: u32,
    pub(crate) memory: Arc<Memory>,
    pub(crate) pasts: Arc<Pasts>,
    pub(crate) pool: Arc<Pool>,
}

/// What an actor is asked.
enum Message {
    Commit(Box<Pending>),
    Refresh(Refresh),
    /// The state is to go, to make room: at once, or if nobody waits for it.
    Evict {
        also_busy: bool,
    },
}

/// Somebody who wants to see the newest state.
struct Refresh {
    arrived: Tick,
    reply: oneshot::Sender<Result<Arc<State>, Error>>,
}

/// An operation on its way into the log.
pub(crate) struct Pending {
    /// `None` for what can be told from its effect whether it was done.
    pub(crate) id: Option<OperationId>,
    /// What its sender knew; `None` when nobody else can ask for the same.
    pub(crate) born: Option<Generation>,
    /// The locks that its sender holds.
    pub(crate) locks: Vec<LockToken>,
    /// What this pod knew when it first tried to write it. From then on it is as old as that.
    tried: Option<Generation>,
    pub(crate) intent: Intent,
    /// Content that goes into an object with that of others.
    pub(crate) inline: Option<Bytes>,
    /// What was written for it, which is taken away when it does not get into the log.
    pub(crate) unfinished: Option<Unfinished>,
    arrived: Tick,
    reply: oneshot::Sender<Result<Committed, Error>>,
}

impl Replica {
    pub(crate) fn new(id: SpaceId, volume: Arc<Volume>, pod: Pod) -> Arc<Self> {
        let Pod { host, settings, committer, witnesses, reads, memory, pasts, pool } = pod;
        let (queue, messages) = mpsc::unbounded();
        let (keeping, woken) = Keeping::new();
        let shared = |me: &Weak<Self>| Shared {
            log: Arc::new(Log::new(id, volume, host.clone(), reads)),
            host,
            settings,
            pool,
            habit: Mutex::default(),
            committer,
            witnesses,
            published: ArcSwapOption::empty(),
            stopped: OnceLock::new(),
            ticks: AtomicU64::new(0),
            keeping,
            tenant: memory.tenant(me.clone()),
        };
        Arc::new_cyclic(|me| Self {
            shared: Arc::new(shared(me)),
            owned: Owned::default(),
            queue,
            waiting: Mutex::new(Some(Waiting { messages, woken })),
            upkeep: futures::lock::Mutex::default(),
            pasts,
            me: me.clone(),
        })
    }

    /// Does an operation.
    pub(crate) async fn commit(
        &self,
        id: Option<OperationId>,
        born: Option<Generation>,
        locks: Vec<LockToken>,
        intent: Intent,
        inline: Option<Bytes>,
        unfinished: Option<Unfinished>,
    ) -> Result<Committed, Error> {
        self.shared.tenant.used();
        let (reply, answer) = oneshot::channel();
        let arrived = self.shared.tick();
        let pending = Pending { id, born, locks, tried: None, intent, inline, unfinished, arrived, reply };
        self.send(Message::Commit(Box::new(pending)))?;
        answer.await.unwrap_or(Err(Error::OutcomeUnknown))
    }

    /// An operation that tells from its effect whether it was done before. That its outcome is not known harms
    /// nobody: asking again is always right, so to its caller the volume did not answer.
    pub(crate) async fn step(&self, intent: Intent) -> Result<Committed, Error> {
        self.commit(None, None, Vec::new(), intent, None, None).await.map_err(|error| match error {
            Error::OutcomeUnknown => Error::Stalled(self.shared.log.volume.name.clone()),
            error => error,
        })
    }

    /// A state as new as wanted.
    pub(crate) async fn state(&self, freshness: Freshness) -> Result<Arc<State>, Error> {
        if let Some(error) = self.shared.stopped() {
            return Err(error);
        }
        self.shared.tenant.used();
        let now = self.shared.host.elapsed();
        if let Some(published) = self.shared.published() {
            let good = match freshness {
                Freshness::Within(window) => {
                    !window.is_zero() && published.fresh.saturating_add(window) >= now
                }
                Freshness::Now => false,
                Freshness::AtLeast(generation) => published.state.generation >= generation,
            };
            if good {
                return Ok(published.state.clone());
            }
        }
        let (reply, answer) = oneshot::channel();
        self.send(Message::Refresh(Refresh { arrived: self.shared.tick(), reply }))?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Asks it to drop its state.
    pub(crate) fn ask_to_go(&self, also_busy: bool) {
        // Whoever has ended has none.
        let _ = self.queue.unbounded_send(Message::Evict { also_busy });
    }

    /// Whether nothing would be lost if it were made anew. One that was stopped stays so, and is told of.
    pub(crate) fn is_forgettable(&self) -> bool {
        let tenant = &self.shared.tenant;
        !tenant.is_loaded()
            && !tenant.is_busy()
            && self.shared.stopped.get().is_none()
            && self.owned.is_empty()
    }

    fn send(&self, message: Message) -> Result<(), Error> {
        self.shared.tenant.asked();
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Waiting { messages, woken }) = waiting {
            let (host, interval) = (&self.shared.host, self.shared.settings.load().upkeep);
            host.spawn(Box::pin(Actor::new(self.shared.clone(), messages).run()));
            if !interval.is_zero() {
                host.spawn(Box::pin(upkeep::look_after(self.me.clone(), host.clone(), interval, woken)));
            }
        }
        self.queue.unbounded_send(message).map_err(|_| ended())
    }
}

/// The actor ends with the engine, and never before unless something in it is wrong.
fn ended() -> Error {
    Error::SpaceStopped { reason: "the engine ended while it worked on the space".to_owned() }
}

impl Shared {
    /// The newest state that is known.
    pub(crate) fn published(&self) -> Option<Arc<Published>> {
        self.published.load_full()
    }

    /// The newest generation that is known.
    pub(crate) fn known(&self) -> Generation {
        self.published().map_or(Generation::ZERO, |published| published.state.generation)
    }

    fn publish(&self, state: Arc<State>, (fresh, tick): (Duration, Tick), coming: Option<Coming>) {
        let weight = state.weight().saturating_add(self.keeping.weight(&state));
        self.tenant.weigh(weight, coming);
        self.published.store(Some(Arc::new(Published { state, fresh, tick })));
    }

    /// Drops the state, and all that goes with it.
    async fn evict(&self, loaded: Option<Arc<State>>) {
        let dropped = (self.published.swap(None), self.keeping.clear(), loaded);
        // That takes a while for a large one.
        computed(self.host.as_ref(), move || drop(dropped)).await;
        self.tenant.gone();
    }

    /// Room for the state, when it is not loaded.
    async fn room(&self) -> Result<Option<Coming>, LogError> {
        if self.tenant.is_loaded() {
            return Ok(None);
        }
        let expected = match self.tenant.before() {
            Some(before) => before,
            None => self.log.expected().await?,
        };
        Ok(Some(self.tenant.admit(expected).await))
    }

    /// Whether it is in memory.
    pub(crate) fn is_loaded(&self) -> bool {
        self.tenant.is_loaded()
    }

    fn tick(&self) -> Tick {
        Tick(self.ticks.fetch_add(1, Ordering::SeqCst))
    }

    /// Now, for what is published later.
    fn begin(&self) -> (Duration, Tick) {
        (self.host.elapsed(), self.tick())
    }

    /// Why the space is not touched any more, when it is not.
    pub(crate) fn stopped(&self) -> Option<Error> {
        self.stopped.get().map(|reason| Error::SpaceStopped { reason: reason.clone() })
    }

    /// What went wrong with the log, as those who wait are told. What does not fit together stops the space.
    fn failed(&self, error: LogError) -> Error {
        match error {
            LogError::Fs(error) => self.log.error(error),
            LogError::Broken(what) => {
                let reason = format!("volume {}, {what}", self.log.volume.name);
                tracing::error!(space = %self.log.space, %reason, "A space was stopped to protect it.");
                let reason = self.stopped.get_or_init(|| reason).clone();
                Error::SpaceStopped { reason }
            }
        }
    }
}
