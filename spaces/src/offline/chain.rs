//! The log of a space from the oldest state that is left, entry by entry, and all that does not fit in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::generation::Generation;
use bytes::Bytes;
use futures::future::join_all;

use super::{OfflineError, list};
use crate::file_system::FsError;
use crate::format::entry::Entry;
use crate::log::Log;
use crate::log::layout::{BLOCK, block_of};
use crate::log::read::number;
use crate::state::State;

/// So many entries are read at once.
const AHEAD: u64 = 32;

/// What is in the directory of a block.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) number: u64,
    pub(super) entries: BTreeSet<u64>,
    pub(super) start: bool,
    pub(super) gone: bool,
    /// Names that have no meaning here.
    pub(super) strange: Vec<String>,
}

/// What comes next of a chain.
pub(super) enum Link {
    /// An entry, as it is written, and the state that it leads to.
    Entry { entry: Entry, length: usize, state: Arc<State> },
    /// A state that was written down, where entries before it remain: whether it is what they lead to.
    Start { differs: Option<String> },
    /// Something does not fit. What follows a gap is read on from the next state that was written down.
    Broken(String),
    /// A state that was written down, from which the chain goes on.
    Resumed(Arc<State>),
}

/// The log of a space.
pub(super) struct Chain<'l> {
    log: &'l Log,
    pub(super) blocks: Vec<Block>,
    state: Arc<State>,
    /// Starts that were met, so that none is met twice.
    started: u64,
    ahead: Vec<Bytes>,
    ended: bool,
}

impl<'l> Chain<'l> {
    /// Finds the oldest state that is left, and reads nothing else yet.
    pub(super) async fn open(log: &'l Log) -> Result<Self, OfflineError> {
        let mut blocks = Vec::new();
        for block in log.blocks().await? {
            blocks.push(look(log, block).await?);
        }
        let gone = blocks.iter().rposition(|block| block.gone);
        let first = gone.map_or(0, |last| blocks.get(last).map_or(0, |block| block.number) + 1);
        let state = if first == 0 { State::genesis(log.space) } else { oldest(log, &blocks, first).await? };
        let started = block_of(state.generation.next());
        Ok(Self { log, blocks, state: Arc::new(state), started, ahead: Vec::new(), ended: false })
    }

    /// The state before what comes next.
    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The next of the chain; `None` at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Link>, OfflineError> {
        if self.ended {
            return Ok(None);
        }
        let block = block_of(self.state.generation.next());
        if block > self.started {
            self.started = block;
            if self.block(block).is_some_and(|block| block.start) {
                let differs = self.compare(block).await?;
                return Ok(Some(Link::Start { differs }));
            }
        }
        if self.ahead.is_empty() {
            self.read_ahead().await?;
        }
        let next = self.state.generation.next();
        let Some(file) = self.ahead.pop() else {
            let missing =
                self.blocks.iter().flat_map(|block| block.entries.iter()).any(|entry| *entry > next.0);
            if !missing {
                self.ended = true;
                return Ok(None);
            }
            let what = "the entry is missing, and later ones are there";
            return self.broken(format!("{}: {what}", self.log.layout.entry(next))).map(Some);
        };
        match self.log.read_entry(&self.state, &file) {
            Ok((entry, state)) => {
                self.state = Arc::new(state);
                Ok(Some(Link::Entry { entry, length: file.len(), state: self.state.clone() }))
            }
            Err(what) => self.broken(format!("{}: {what}", self.log.layout.entry(next))).map(Some),
        }
    }

    /// After something that does not fit: the next state that was written down, if there is one.
    pub(super) async fn resume(&mut self) -> Result<Option<Link>, OfflineError> {
        let here = block_of(self.state.generation.next());
        let later: Vec<u64> = self
            .blocks
            .iter()
            .filter(|block| block.start && block.number > here)
            .map(|block| block.number)
            .collect();
        for block in later {
            if let Ok(state) = restored(self.log, block).await? {
                self.state = Arc::new(state);
                self.started = block;
                self.ended = false;
                return Ok(Some(Link::Resumed(self.state.clone())));
            }
        }
        Ok(None)
    }

    fn broken(&mut self, what: String) -> Result<Link, OfflineError> {
        self.ended = true;
        self.ahead.clear();
        Ok(Link::Broken(what))
    }

    fn block(&self, number: u64) -> Option<&Block> {
        self.blocks.iter().find(|block| block.number == number)
    }

    /// What is wrong with the state that was written down before a block, which the entries before it lead to.
    async fn compare(&self, block: u64) -> Result<Option<String>, OfflineError> {
        let path = self.log.layout.start(block);
        Ok(match restored(self.log, block).await? {
            Ok(state) if state == *self.state => None,
            Ok(_) => Some(format!("{path}: it is not what the entries before it lead to")),
            Err(what) => Some(format!("{path}: {what}")),
        })
    }

    /// Reads the next entries, the last one first in the list.
    async fn read_ahead(&mut self) -> Result<(), FsError> {
        let next = self.state.generation.next();
        let log = self.log;
        let asked = (0..AHEAD).map(|step| log.entry(Generation(next.0.saturating_add(step))));
        for answer in join_all(asked).await {
            let Some(file) = answer? else { break };
            self.ahead.push(file);
        }
        self.ahead.reverse();
        Ok(())
    }
}

/// The state that was written down before a block, or what is wrong with it.
async fn restored(log: &Log, block: u64) -> Result<Result<State, String>, FsError> {
    let path = log.layout.start(block);
    let length = log.volume.fs.stat(&path).await?;
    let file = log.volume.fs.read(&path, usize::try_from(length).unwrap_or(usize::MAX)).await?;
    Ok(log.restore(&file, Generation(block.saturating_mul(BLOCK))))
}

/// The oldest state that was written down and can be read, from a block on.
async fn oldest(log: &Log, blocks: &[Block], first: u64) -> Result<State, OfflineError> {
    let mut wrong = Vec::new();
    for block in blocks.iter().filter(|block| block.start && block.number >= first) {
        match restored(log, block.number).await? {
            Ok(state) => return Ok(state),
            Err(what) => wrong.push(format!("{}: {what}", log.layout.start(block.number))),
        }
    }
    let place = log.layout.log();
    Err(OfflineError::Broken(match wrong.is_empty() {
        true => format!("{place}: its beginning was truncated, and no state replaces it"),
        false => wrong.join("; "),
    }))
}

async fn look(log: &Log, number: u64) -> Result<Block, FsError> {
    let mut block = Block { number, ..Block::default() };
    for name in list(&log.volume, &log.layout.numbered_block(number)).await? {
        match (name.as_str(), self::number(&name)) {
            ("start", _) => block.start = true,
            ("gone", _) => block.gone = true,
            (_, Some(entry)) if entry > 0 && block_of(Generation(entry)) == number => {
                block.entries.insert(entry);
            }
            _ => block.strange.push(name),
        }
    }
    Ok(block)
}
