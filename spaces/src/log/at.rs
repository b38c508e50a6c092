//! Reads a space as it was, at any generation that truncation has not passed. The actor of the space knows nothing of
//! it: entries and states that were written down are read beside it, and folded on a thread of their own.

use std::sync::Arc;
use std::time::Duration;

use api::generation::Generation;
use bytes::Bytes;
use futures::future::join_all;

use super::layout::BLOCK;
use super::truncate::Found;
use super::{Log, LogError};
use crate::error::Error;
use crate::file_system::FsError;
use crate::host::computed;
use crate::rule::{Rule, kept};
use crate::state::State;

/// So many entries are read at once, and folded before more are read: few enough that commits find a thread of the
/// volume.
const AT_ONCE: u64 = 8;

/// A log that is truncated so often while it is read is not read to its end.
const MOST_TRIES: usize = 10;

/// What seems to be wrong so often in a row is wrong.
const MOST_WRONG: usize = 3;

/// Before it is tried again others have so long to go on.
const PAUSE: Duration = Duration::from_millis(20);

/// Which moment is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    Generation(Generation),
    /// Before the first entry that a later clock was written into, in milliseconds since 1970.
    Time(i64),
}

/// Where folding begins.
enum Base {
    State(Arc<State>),
    /// What is left begins later.
    Gone,
    /// It was taken away meanwhile.
    Again,
}

/// What folding came to.
enum Folded {
    State(Arc<State>),
    /// Something of it was taken away meanwhile.
    Again,
    Wrong(String),
}

/// Why a piece of the log was not folded on.
enum Stop {
    /// All of it was.
    End,
    /// The moment is reached.
    Reached,
    Misfit(String),
}

impl Past {
    /// Whether a state is not after this moment. Once one is after it, all that follow are.
    pub(crate) fn reaches(self, state: &State) -> bool {
        match self {
            Self::Generation(generation) => state.generation <= generation,
            Self::Time(time) => state.clocks.newest.is_none_or(|(_, clock)| clock <= time),
        }
    }

    /// The last generation that it can be.
    fn last(self, newest: Generation) -> Generation {
        match self {
            Self::Generation(generation) => generation.min(newest),
            Self::Time(_) => newest,
        }
    }
}

impl Log {
    /// The last state that is not after a moment. What is newer than `newest` is not looked at: up to there everything
    /// is known to be durable.
    pub(crate) async fn at(self: &Arc<Self>, newest: &Arc<State>, past: Past) -> Result<Arc<State>, Error> {
        if past.reaches(newest) {
            return Ok(newest.clone());
        }
        let mut wrong = 0;
        for _ in 0..MOST_TRIES {
            let blocks = self.blocks().await.map_err(|error| self.error(error))?;
            match self
                .base_before(&blocks, newest.generation, past)
                .await
                .map_err(|error| self.told(error))?
            {
                Base::Gone => break,
                Base::Again => {}
                Base::State(base) => match self.fold_until(base, newest.generation, past).await {
                    Ok(Folded::State(state)) => return Ok(state),
                    Ok(Folded::Again) => wrong = 0,
                    Ok(Folded::Wrong(what)) => {
                        wrong += 1;
                        if wrong == MOST_WRONG {
                            return Err(self.told(LogError::Broken(what)));
                        }
                    }
                    Err(error) => return Err(self.error(error)),
                },
            }
            self.host.sleep(PAUSE).await;
        }
        let oldest = self.oldest(newest.generation).await.map_err(|error| self.error(error))?;
        Err(Error::HistoryGone { oldest })
    }

    /// What is wrong with the past stops no space: the present goes on.
    fn told(&self, error: LogError) -> Error {
        match error {
            LogError::Fs(error) => self.error(error),
            LogError::Broken(what) => Error::Io(format!("volume {}, {what}", self.volume.name)),
        }
    }

    /// The newest state that was written down and is not after a moment, or that of an empty space.
    async fn base_before(
        self: &Arc<Self>,
        blocks: &[u64],
        newest: Generation,
        past: Past,
    ) -> Result<Base, LogError> {
        let last = past.last(newest).0 / BLOCK;
        for block in blocks.iter().rev().copied().filter(|block| *block <= last) {
            match self.find_start(block).await? {
                Found::Gone => return Ok(Base::Gone),
                Found::Nothing if block == 0 => return Ok(Base::State(Arc::new(State::genesis(self.space)))),
                Found::Nothing => {}
                Found::Start => {
                    let before = Generation(block.saturating_mul(BLOCK));
                    // One small entry often tells that there is no need to read a large state.
                    if let Past::Time(time) = past
                        && self.clock_of(before).await?.is_some_and(|clock| clock > time)
                    {
                        continue;
                    }
                    let path = self.layout.start(block);
                    let Some(file) = self.whole(&path).await? else { return Ok(Base::Again) };
                    let log = self.clone();
                    let restored = computed(self.host.as_ref(), move || log.restore(&file, before)).await;
                    match restored.ok_or(FsError::Stalled)? {
                        Ok(state) if past.reaches(&state) => return Ok(Base::State(Arc::new(state))),
                        Ok(_) => {}
                        Err(_) if self.is_block_gone(block).await? => return Ok(Base::Again),
                        Err(what) => return Err(LogError::Broken(format!("{path}: {what}"))),
                    }
                }
            }
        }
        if blocks.is_empty() {
            self.volume.verify().await?;
        }
        Ok(Base::Gone)
    }

    /// Folds what follows a state up to a moment.
    async fn fold_until(
        self: &Arc<Self>,
        base: Arc<State>,
        newest: Generation,
        past: Past,
    ) -> Result<Folded, FsError> {
        let (first, last) = (base.generation.next(), past.last(newest));
        let mut state = base;
        let mut wrong = None;
        while state.generation < last && wrong.is_none() {
            let next = state.generation.next().0;
            let asked = next..=last.0.min(next.saturating_add(AT_ONCE - 1));
            let mut files = Vec::new();
            for answer in join_all(asked.map(|generation| self.entry(Generation(generation)))).await {
                let Some(file) = answer? else {
                    wrong = Some("the entry is missing, and later ones are there".to_owned());
                    break;
                };
                files.push(file);
            }
            let (log, from) = (self.clone(), state.clone());
            let folded = computed(self.host.as_ref(), move || log.fold_on(from, &files, past)).await;
            let (folded, stop) = folded.ok_or(FsError::Stalled)?;
            state = folded;
            match stop {
                Stop::End => {}
                Stop::Reached => {
                    wrong = None;
                    break;
                }
                Stop::Misfit(what) => wrong = Some(what),
            }
        }
        // Whoever slept may have linked an entry into what was truncated. Blocks go in their order: when the one that
        // reading began with is not gone now, all that was read is real.
        if state.generation >= first || wrong.is_some() {
            let begun = if kept(Rule::OpenLooksForGone) { first } else { state.generation.next() };
            if self.is_gone(begun).await? {
                return Ok(Folded::Again);
            }
        }
        Ok(match wrong {
            None => Folded::State(state),
            Some(what) => Folded::Wrong(format!("{}: {what}", self.layout.entry(state.generation.next()))),
        })
    }

    /// Folds some entries, as far as they are not after a moment.
    fn fold_on(&self, mut state: Arc<State>, files: &[Bytes], past: Past) -> (Arc<State>, Stop) {
        for file in files {
            match self.read_entry(&state, file) {
                Ok((_, next)) if !past.reaches(&next) => return (state, Stop::Reached),
                Ok((_, next)) => state = Arc::new(next),
                Err(what) => return (state, Stop::Misfit(what)),
            }
        }
        (state, Stop::End)
    }

    /// The oldest generation that can be read.
    pub(crate) async fn oldest(&self, newest: Generation) -> Result<Generation, FsError> {
        let mut oldest = newest;
        for block in self.blocks().await?.into_iter().rev() {
            match self.find_start(block).await? {
                Found::Nothing if block == 0 => oldest = Generation::ZERO,
                Found::Nothing => {}
                // It may be left over in a block that is gone; before that there is nothing.
                Found::Start if !self.is_block_gone(block).await? => {
                    oldest = Generation(block.saturating_mul(BLOCK));
                }
                Found::Start | Found::Gone => break,
            }
        }
        Ok(oldest)
    }
}
