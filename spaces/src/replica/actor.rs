//! The loop of a space's actor: takes everything that waits, and does it at once.

use std::sync::Arc;

use futures::StreamExt;
use futures::channel::mpsc;

use super::expiry::Expiry;
use super::{Message, Pending, Refresh, Shared, Tick};
use crate::error::Error;
use crate::log::Loaded;
use crate::log::layout::is_block_end;
use crate::state::State;

/// The most operations of one round; more wait for the next.
const MOST_AT_ONCE: usize = 512;

/// The most bytes of small contents of one round.
const MOST_INLINE: usize = 8 << 20;

pub(super) struct Actor {
    pub(super) shared: Arc<Shared>,
    pub(super) loaded: Option<Arc<State>>,
    pub(super) expiry: Expiry,
    queue: mpsc::UnboundedReceiver<Message>,
}

impl Actor {
    pub(super) fn new(shared: Arc<Shared>, queue: mpsc::UnboundedReceiver<Message>) -> Self {
        Self { shared, loaded: None, expiry: Expiry::default(), queue }
    }

    /// Runs until nobody is left who could ask.
    pub(super) async fn run(mut self) {
        while let Some(first) = self.queue.next().await {
            let mut round = Round::default();
            round.take(first);
            while !round.is_full() {
                let Ok(message) = self.queue.try_recv() else { break };
                round.take(message);
            }
            let (waited, goes) = (round.commits.len() + round.refreshes.len(), round.goes);
            if waited > 0 {
                self.serve(round).await;
                self.shared.tenant.answered(waited);
            }
            match goes {
                Some(also_busy) if also_busy || !self.shared.tenant.is_busy() => {
                    self.shared.evict(self.loaded.take()).await;
                }
                Some(_) => self.shared.tenant.stays(),
                None => {}
            }
        }
    }

    async fn serve(&mut self, round: Round) {
        let Round { commits, mut refreshes, inline: _, goes: _ } = round;
        let usable = match self.shared.stopped() {
            Some(error) => Err(error),
            None => self.shared.log.volume.ready().await,
        };
        if let Err(error) = usable {
            for pending in commits {
                let _ = pending.reply.send(Err(error.clone()));
            }
            for refresh in refreshes {
                let _ = refresh.reply.send(Err(error.clone()));
            }
            return;
        }
        if !commits.is_empty() {
            self.commit(commits).await;
        }
        refreshes.retain(|refresh| !refresh.reply.is_canceled());
        let Some(arrived) = refreshes.iter().map(|refresh| refresh.arrived).max() else { return };
        let answer = if self.is_fresh(arrived) { self.known() } else { self.refresh().await };
        for refresh in refreshes {
            let _ = refresh.reply.send(match &answer {
                Ok(state) => Ok(state.clone()),
                Err(error) => Err(error.clone()),
            });
        }
    }

    /// Whether the state was the newest at some moment after this one.
    pub(super) fn is_fresh(&self, since: Tick) -> bool {
        self.loaded.is_some() && self.shared.published().is_some_and(|published| published.tick > since)
    }

    fn known(&self) -> Result<Arc<State>, Error> {
        self.loaded.clone().ok_or(Error::OutcomeUnknown)
    }

    /// Goes on with a newer state, of which it is not known whether it is the newest.
    pub(super) fn follow(&mut self, state: Arc<State>) {
        if let Some(published) = self.shared.published() {
            self.shared.publish(state.clone(), (published.fresh, published.tick), None);
        }
        if is_block_end(state.generation) {
            self.shared.keeping.block_passed(state.clone());
        }
        self.loaded = Some(state);
    }

    /// Reads the log on.
    pub(super) async fn refresh(&mut self) -> Result<Arc<State>, Error> {
        if let Some(error) = self.shared.stopped() {
            return Err(error);
        }
        let coming = self.shared.room().await.map_err(|error| self.shared.failed(error))?;
        let begun = self.shared.begin();
        match self.shared.log.refresh(self.loaded.clone()).await {
            Ok(Loaded { state, block_end }) => {
                if let Some(block_end) = block_end {
                    self.shared.keeping.block_passed(block_end);
                }
                self.shared.publish(state.clone(), begun, coming);
                self.loaded = Some(state.clone());
                Ok(state)
            }
            Err(error) => Err(self.shared.failed(error)),
        }
    }
}

/// What is done at once.
#[derive(Default)]
struct Round {
    commits: Vec<Pending>,
    refreshes: Vec<Refresh>,
    inline: usize,
    /// Whether the state goes after it, and also when others wait by then.
    goes: Option<bool>,
}

impl Round {
    fn take(&mut self, message: Message) {
        match message {
            Message::Commit(pending) => {
                self.inline += pending.inline.as_ref().map_or(0, bytes::Bytes::len);
                self.commits.push(*pending);
            }
            Message::Refresh(refresh) => self.refreshes.push(refresh),
            Message::Evict { also_busy } => self.goes = Some(also_busy),
        }
    }

    fn is_full(&self) -> bool {
        self.commits.len() >= MOST_AT_ONCE || self.inline >= MOST_INLINE || self.goes.is_some()
    }
}
