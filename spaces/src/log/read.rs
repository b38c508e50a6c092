//! Reads a log: everything there is, durable before it is believed, and never what is being truncated.

use std::sync::Arc;

use api::generation::Generation;
use bytes::Bytes;
use futures::future::join_all;

use super::layout::{BLOCK, block_of};
use super::{Loaded, Log, LogError};
use crate::file_system::FsError;
use crate::format::entry::{Entry, LONGEST_ENTRY};
use crate::format::start::Start;
use crate::state::State;

/// At most so many entries are asked for at once, and folded before more are read.
const MOST_AHEAD: u64 = 32;

/// A log that is truncated so often while it is read is not read to its end.
const MOST_RELOADS: usize = 60;

enum Advanced {
    /// Nothing newer was there.
    Fresh(Arc<State>),
    /// What was read is being truncated.
    Truncated,
}

impl Log {
    /// Reads on from a state, or from the beginning, until there is nothing newer.
    pub(crate) async fn refresh(&self, known: Option<Loaded>) -> Result<Loaded, LogError> {
        let mut known = known;
        for _ in 0..MOST_RELOADS {
            let Some(loaded) = known.take() else {
                match self.load().await? {
                    Some(loaded) => return Ok(loaded),
                    None => continue,
                }
            };
            if let Advanced::Fresh(state) = self.advance(loaded.state, loaded.first).await? {
                return Ok(Loaded { state, first: loaded.first });
            }
        }
        let what =
            format!("{}: it was truncated each of {MOST_RELOADS} times it was read", self.layout.log());
        Err(LogError::Broken(what))
    }

    /// Whether the block of an entry is being truncated.
    pub(crate) async fn is_gone(&self, generation: Generation) -> Result<bool, FsError> {
        match self.volume.fs.read(&self.layout.gone(generation), 1).await {
            Ok(_) => Ok(true),
            Err(FsError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads everything; `None` when it was truncated meanwhile.
    async fn load(&self) -> Result<Option<Loaded>, LogError> {
        let blocks = self.blocks().await?;
        if blocks.is_empty() {
            // A space is empty when its volume says so, not when the volume is not there.
            self.volume.verify().await?;
        }
        let Some(base) = self.base(&blocks).await? else { return Ok(None) };
        let first = base.generation.next();
        let Advanced::Fresh(state) = self.advance(Arc::new(base), first).await? else { return Ok(None) };
        if let Some(missing) = self.gap(&blocks, &state).await? {
            if self.is_gone(missing).await? || self.is_gone(first).await? {
                return Ok(None);
            }
            let what = "the entry is missing, and later ones are there";
            return Err(LogError::Broken(format!("{}: {what}", self.layout.entry(missing))));
        }
        // Was the beginning taken away while the rest was read? Of the last block that is known already.
        if block_of(first) != block_of(state.generation.next()) && self.is_gone(first).await? {
            return Ok(None);
        }
        Ok(Some(Loaded { state, first }))
    }

    /// The blocks that are there, in order.
    async fn blocks(&self) -> Result<Vec<u64>, LogError> {
        let names = match self.volume.fs.list(&self.layout.log()).await {
            Ok(names) => names,
            Err(FsError::NotFound) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let mut blocks: Vec<u64> = names.iter().filter_map(|name| number(name)).collect();
        blocks.sort_unstable();
        Ok(blocks)
    }

    /// The state to read on from: the newest that was written down, or that of an empty space. `None` when it was
    /// taken away meanwhile.
    async fn base(&self, blocks: &[u64]) -> Result<Option<State>, LogError> {
        for block in blocks.iter().rev() {
            let path = self.layout.start(*block);
            let length = match self.volume.fs.stat(&path).await {
                Ok(length) => usize::try_from(length).unwrap_or(usize::MAX),
                Err(FsError::NotFound) => continue,
                Err(error) => return Err(error.into()),
            };
            let file = match self.volume.fs.read(&path, length).await {
                Ok(file) => file,
                Err(FsError::NotFound) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let before = Generation(block.saturating_mul(BLOCK));
            match self.restore(&file, before) {
                Ok(state) => return Ok(Some(state)),
                Err(_) if self.is_gone(before.next()).await? => return Ok(None),
                Err(what) => return Err(LogError::Broken(format!("{path}: {what}"))),
            }
        }
        Ok(Some(State::genesis(self.space)))
    }

    fn restore(&self, file: &[u8], before: Generation) -> Result<State, String> {
        let state = Start::open(file).map_err(|error| error.to_string())?;
        let state = State::restore(state).map_err(|misfit| misfit.to_string())?;
        if state.space != self.space || state.generation != before {
            return Err("it is the state of another space or block".to_owned());
        }
        Ok(state)
    }

    /// The entry after a state, when later ones are there without it.
    async fn gap(&self, blocks: &[u64], state: &State) -> Result<Option<Generation>, LogError> {
        let next = state.generation.next();
        let mut beyond = false;
        for block in blocks.iter().filter(|block| **block >= block_of(next)) {
            let directory = self.layout.numbered_block(*block);
            let names = self.volume.fs.list(&directory).await?;
            beyond |= names.iter().filter_map(|name| number(name)).any(|found| found > next.0);
        }
        // A listing is no picture of one moment: it may show what was linked after an entry that it does not show.
        if !beyond || self.entry(next).await?.is_some() {
            return Ok(None);
        }
        Ok(Some(next))
    }

    async fn entry(&self, generation: Generation) -> Result<Option<Bytes>, FsError> {
        match self.volume.fs.read(&self.layout.entry(generation), LONGEST_ENTRY).await {
            Ok(file) => Ok(Some(file)),
            Err(FsError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Folds what is newer than a state until there is nothing.
    async fn advance(&self, mut state: Arc<State>, first: Generation) -> Result<Advanced, LogError> {
        let mut ahead = 1;
        loop {
            let next = state.generation.next();
            let asked = (0..ahead).map(|step| self.entry(Generation(next.0.saturating_add(step))));
            let mut found = Vec::new();
            for answer in join_all(asked).await {
                match answer? {
                    Some(file) => found.push(file),
                    None => break,
                }
            }
            let last = Generation(state.generation.0.saturating_add(found.len() as u64));
            if found.is_empty() {
                // Absent, because it was not written yet or because it was taken away?
                return Ok(if self.is_gone(next).await? {
                    Advanced::Truncated
                } else {
                    Advanced::Fresh(state)
                });
            }
            // Nobody builds on what a power loss could take back.
            for block in block_of(next)..=block_of(last) {
                self.volume.fs.sync_directory(&self.layout.numbered_block(block)).await?;
            }
            // An entry of a truncated block may have been linked by somebody who slept.
            if self.is_gone(next).await? || (block_of(last) != block_of(next) && self.is_gone(last).await?) {
                return Ok(Advanced::Truncated);
            }
            for file in &found {
                match fold(&state, file) {
                    Ok(folded) => state = Arc::new(folded),
                    Err(what) => {
                        let wrong = state.generation.next();
                        if self.is_gone(wrong).await? || self.is_gone(first).await? {
                            return Ok(Advanced::Truncated);
                        }
                        return Err(LogError::Broken(format!("{}: {what}", self.layout.entry(wrong))));
                    }
                }
            }
            ahead = (ahead * 2).min(MOST_AHEAD);
        }
    }
}

fn fold(state: &State, file: &Bytes) -> Result<State, String> {
    if file.len() > LONGEST_ENTRY {
        return Err(format!("it is longer than {LONGEST_ENTRY} bytes"));
    }
    let (entry, hash) = Entry::open(file).map_err(|error| error.to_string())?;
    state.fold(&entry, hash).map_err(|misfit| misfit.to_string())
}

/// A number as it is written in a path, which is in one way.
fn number(name: &str) -> Option<u64> {
    let number: u64 = name.parse().ok()?;
    (number.to_string() == name).then_some(number)
}
