//! The commit: an operation is in the log, or refused by a state that was the newest after it came.

use std::sync::Arc;
use std::time::Duration;

use api::generation::Generation;
use bytes::Bytes;
use futures::channel::oneshot;
use futures::future::{BoxFuture, join_all};
use uuid::Uuid;

use super::actor::Actor;
use super::draft::{Draft, Verdict};
use super::expiry::{Expiry, ended};
use super::garbage::Unfinished;
use super::pack::Pack;
use super::{Pending, Tick};
use crate::error::Error;
use crate::extent::ObjectId;
use crate::file_system::FsError;
use crate::format::entry::EntryId;
use crate::format::record::{Action, Sweep};
use crate::log::layout::is_block_end;
use crate::log::{Appended, Candidate};
use crate::operation::Committed;
use crate::rule::{Rule, kept};
use crate::state::State;
use crate::state::intent::{Intent, Witness};
use crate::volume::Volume;

/// Who lost so many races in a row waits no longer with each.
const MOST_LOSSES: u32 = 3;

/// A race that took longer says nothing of how long others need.
const LONGEST_RACE: Duration = Duration::from_millis(20);

/// The most operations that are remembered; of more the oldest quarter is forgotten, also before its time.
const MOST_REMEMBERED: usize = 200_000;

/// What became of a draft.
enum Written {
    Won(Arc<State>),
    /// Another entry is there, this file: everything is to be decided again.
    Lost(Bytes),
    /// The log was truncated under it: it is to be read again.
    Truncated,
    /// The volume did not take the pack at this place.
    Unpacked(usize, FsError),
    /// Nothing came of it, and nothing will.
    Failed(FsError),
    /// Something may come of it.
    Unknown(FsError),
}

impl Actor {
    /// Commits operations, or says why not.
    pub(super) async fn commit(&mut self, mut round: Vec<Pending>) {
        let mut packs = Vec::new();
        let mut losses = 0;
        // Whether the last entry may be in the log though this pod does not see it.
        let mut truncated = false;
        loop {
            round.retain(|pending| !pending.reply.is_canceled());
            let Some(arrived) = round.iter().map(|pending| pending.arrived).max() else { return };
            let state = match self.loaded.clone() {
                Some(state) => state,
                None => match self.refresh().await {
                    Ok(state) => state,
                    // It may have been there before its block went.
                    Err(_) if truncated && self.shared.stopped().is_none() => {
                        return refuse(round, &Error::OutcomeUnknown);
                    }
                    Err(error) => return refuse(round, &error),
                },
            };
            truncated = false;
            let fresh = self.is_fresh(arrived);
            let ahead = round.iter().any(|pending| pending.born.is_some_and(|born| born > state.generation));
            if self.pack(&mut round, &mut packs, state.generation).await {
                continue;
            }
            let (draft, verdicts) = self.draft(&state, &round);
            // Nobody is refused by what may be old.
            if !fresh && kept(Rule::FreshRefusals) && (ahead || verdicts.iter().any(Verdict::needs_freshness))
            {
                if let Err(error) = self.refresh().await {
                    return refuse(round, &error);
                }
                // What is due was looked for, and nothing came of it.
                self.expiry = Expiry::default();
                continue;
            }
            if draft.is_empty() {
                round = answer(round, verdicts, &state);
                continue;
            }
            let begun = self.shared.begin();
            match self.write(&state, draft, &mut round, &verdicts, &mut packs).await {
                Written::Won(state) => {
                    self.shared.publish(state.clone(), begun, None);
                    self.loaded = Some(state.clone());
                    if is_block_end(state.generation) {
                        self.shared.keeping.block_ended(state.clone());
                    }
                    round = answer(round, verdicts, &state);
                }
                Written::Lost(winner) => {
                    // The clocks of others are known only now.
                    self.expiry = Expiry::default();
                    losses += 1;
                    // First wait and then read on: who waits with what it has read loses again.
                    self.wait(losses, begun).await;
                    match self.shared.log.follow(&state, winner).await {
                        Some(state) => self.follow(state),
                        None => {
                            if let Err(error) = self.refresh().await {
                                return refuse(round, &error);
                            }
                        }
                    }
                }
                Written::Truncated => (self.loaded, truncated) = (None, true),
                Written::Unpacked(at, error) => {
                    let born = state.generation;
                    self.pack_elsewhere(&mut round, &mut packs, (at, error), born).await;
                }
                Written::Failed(error) => return refuse(round, &self.shared.log.error(error)),
                Written::Unknown(error) => {
                    tracing::warn!(space = %self.shared.log.space, %error, "Whether an entry was written is not known.");
                    return refuse(round, &Error::OutcomeUnknown);
                }
            }
        }
    }

    /// Commits a step that the engine needs itself before it goes on.
    pub(super) fn commit_own(&mut self, intent: Intent) -> BoxFuture<'_, Result<Committed, Error>> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            let arrived = self.shared.tick();
            let (id, born, tried, inline, unfinished) = (None, None, None, None, None);
            let locks = Vec::new();
            let pending = Pending { id, locks, born, tried, intent, inline, unfinished, arrived, reply };
            self.commit(vec![pending]).await;
            answer.await.unwrap_or(Err(Error::OutcomeUnknown))
        })
    }

    fn draft(&mut self, state: &State, round: &[Pending]) -> (Draft, Vec<Verdict>) {
        // An entry that carries the clock of another machine on has nothing else in it that has a time.
        let (committer, clock) = match round {
            [Pending { intent: Intent::Witness(Witness::Carried(committer, clock)), .. }] => {
                (*committer, *clock)
            }
            _ => (self.shared.committer, self.shared.host.now()),
        };
        let expiry = self.shared.expiry(state);
        let settings = self.shared.settings.load_full();
        let mut draft = Draft::new(state, committer, clock, &settings);
        let elapsed = self.shared.host.elapsed();
        // Of a space that is closed nothing goes by itself.
        let open = state.closed.is_none();
        if open {
            for (action, nodes) in self.expiry.due(state, expiry, elapsed, &settings) {
                draft.add_own(action, nodes);
            }
        }
        // However fast a space is written, the memory for it is bounded.
        if let Some(low) = state.outcomes.excess(MOST_REMEMBERED) {
            let low = low.clamp(state.low, state.generation.max(state.low));
            draft.add_own(Action::Sweep(Sweep { low, truncated: Generation::ZERO }), 1);
        }
        // What has ended hinders no operation that comes after.
        if open {
            for action in ended(state, expiry) {
                draft.add_own(action, 1);
            }
        }
        let verdicts = round.iter().map(|pending| draft.add(pending)).collect();
        (draft, verdicts)
    }

    /// Writes what the entry refers to and the entry itself, and then tries to give it its place.
    async fn write(
        &self,
        state: &State,
        draft: Draft,
        round: &mut [Pending],
        verdicts: &[Verdict],
        packs: &mut [Pack],
    ) -> Written {
        let log = &self.shared.log;
        let (generation, host) = (state.generation.next(), &self.shared.host);
        let id = EntryId(Uuid::from_u64_pair(host.random(), host.random()));
        let (file, after) = draft.seal(id);
        let temporary = log.temporary(state.generation);
        let file = Bytes::from(file);
        // When nothing but the entry is to be written, all of it is one way to the volume and back.
        let at_once =
            packs.iter().all(Pack::is_written) && !round.iter().any(|pending| pending.unfinished.is_some());
        let prepared = async {
            log.ensure_space(state.generation).await?;
            if at_once {
                return log.ensure_block(generation).await.map(|()| Vec::new());
            }
            // Both are durable before the entry has its place; which is first does not matter.
            let objects = join_all(packs.iter_mut().map(|pack| pack.write(&self.shared)));
            let entry = async {
                log.ensure_block(generation).await?;
                log.volume.fs.write(&temporary, file.clone()).await
            };
            let (objects, entry) = futures::future::join(objects, entry).await;
            entry.map(|()| objects)
        };
        let objects = match prepared.await {
            Ok(objects) => objects,
            Err(error) => {
                log.discard(temporary);
                return Written::Failed(error);
            }
        };
        for (at, written) in objects.into_iter().enumerate() {
            if let Err(error) = written {
                log.discard(temporary);
                return Written::Unpacked(at, error);
            }
        }
        for (pending, verdict) in round.iter_mut().zip(verdicts) {
            if let Verdict::Done { .. } = verdict {
                pending.tried.get_or_insert(state.generation);
                pending.unfinished.iter_mut().for_each(Unfinished::keep_objects);
            }
        }
        let candidate = Candidate { file: at_once.then_some(file), temporary, generation, id };
        match log.append(&candidate).await {
            Appended::Won => Written::Won(after),
            Appended::Lost(winner) => Written::Lost(winner),
            Appended::Unwritten(error) => Written::Failed(error),
            Appended::Truncated => {
                // All of that block goes; an entry that nobody reads need not stay.
                log.discard(log.layout.entry(generation));
                Written::Truncated
            }
            Appended::Unknown(error) => Written::Unknown(error),
        }
    }

    /// Takes an object away that nothing can refer to.
    pub(super) fn discard_object(&self, volume: &Arc<Volume>, object: ObjectId) {
        let (volume, path) = (volume.clone(), self.shared.log.layout.object(object));
        self.shared.host.spawn(Box::pin(async move {
            let _ = volume.fs.unlink(&path).await;
        }));
    }

    /// Waits after a race that was lost, for chance to separate those who race. How long goes by how long the race took,
    /// for that is what others need.
    async fn wait(&self, losses: u32, (begun, _): (Duration, Tick)) {
        let took = self.shared.host.elapsed().saturating_sub(begun).min(LONGEST_RACE);
        let most = took.saturating_mul(losses.min(MOST_LOSSES)).as_micros();
        let most = u64::try_from(most).unwrap_or(u64::MAX).max(1);
        self.shared.host.sleep(Duration::from_micros(self.shared.host.random() % most)).await;
    }
}

/// Tells everybody the same.
fn refuse(round: Vec<Pending>, error: &Error) {
    for pending in round {
        let _ = pending.reply.send(Err(error.clone()));
    }
}

/// Tells everybody what became of their operation by a state that has it; what is left waits for the next entry.
fn answer(round: Vec<Pending>, verdicts: Vec<Verdict>, state: &State) -> Vec<Pending> {
    let mut later = Vec::new();
    for (mut pending, verdict) in round.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Later => later.push(pending),
            verdict => {
                if let (Verdict::Done { .. }, Some(unfinished)) = (&verdict, pending.unfinished.take()) {
                    unfinished.settle();
                }
                let _ = pending.reply.send(verdict.answer(state));
            }
        }
    }
    later
}
