//! Reads a log: everything there is, durable before it is believed, and never what is being truncated.

use std::sync::Arc;
use std::time::Duration;

use api::generation::Generation;
use bytes::Bytes;
use futures::future::join_all;

use super::layout::{BLOCK, block_of, is_block_end};
use super::{Loaded, Log, LogError};
use crate::file_system::{self, FsError, Step};
use crate::format::entry::{Entry, LONGEST_ENTRY};
use crate::format::start::Start;
use crate::rule::{Rule, kept};
use crate::state::State;

/// At most so many entries are asked for at once, and folded before more are read.
const MOST_AHEAD: u64 = 32;

/// So many entries are asked for at once by who lost a race.
const AHEAD_OF_A_RACE: u64 = 4;

/// So often who lost a race looks for more before it tries again: it need not have the newest state to win.
const MOST_FOLLOWED: usize = 8;

/// A log that is truncated so often while it is read is not read to its end.
const MOST_RELOADS: usize = 60;

/// Before what seems to be missing is looked for again, the volume has so long to show it.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// So often in a row an entry must be missing to be believed so.
const MISSING: u32 = 3;

enum Advanced {
    /// Nothing newer was there.
    Fresh(Loaded),
    /// What was read is being truncated.
    Truncated,
}

/// What came of reading everything.
enum Read {
    Whole(Loaded),
    /// Something of it was taken away meanwhile.
    Truncated,
    /// The entry is listed and can not be opened yet.
    Unseen(Generation),
    /// The entry is not there, and later ones are.
    Missing(Generation),
}

impl Log {
    /// Reads on from a state, or from the beginning, until there is nothing newer.
    pub(crate) async fn refresh(&self, known: Option<Arc<State>>) -> Result<Loaded, LogError> {
        let mut known = known;
        let mut missing = 0;
        let mut last = Read::Truncated;
        for _ in 0..MOST_RELOADS {
            if let Some(state) = known.take()
                && let Advanced::Fresh(loaded) = self.advance(state).await?
            {
                return Ok(loaded);
            }
            last = self.load().await?;
            match last {
                Read::Whole(loaded) => return Ok(loaded),
                Read::Truncated => {
                    // Whoever removed the space may have ended before all of it was gone.
                    if let Some(loaded) = self.buried().await? {
                        return Ok(loaded);
                    }
                    missing = 0;
                }
                Read::Unseen(_) => self.host.sleep(LOOK_AGAIN).await,
                Read::Missing(_) if missing + 1 == MISSING => break,
                Read::Missing(_) => {
                    missing += 1;
                    self.host.sleep(LOOK_AGAIN).await;
                }
            }
        }
        Err(match last {
            Read::Missing(generation) => {
                let what = "the entry is missing, and later ones are there";
                LogError::Broken(format!("{}: {what}", self.layout.entry(generation)))
            }
            // No reason to stop the space: this pod sees old names, as a mount without `lookupcache=positive` does.
            Read::Unseen(generation) => {
                let what = "it is listed, and can not be opened";
                LogError::Fs(FsError::Other(format!("{}: {what}", self.layout.entry(generation)).into()))
            }
            Read::Truncated | Read::Whole(_) => {
                let what = format!("it was truncated each of {MOST_RELOADS} times it was read");
                LogError::Broken(format!("{}: {what}", self.layout.log()))
            }
        })
    }

    /// Whether the block of an entry is being truncated.
    pub(crate) async fn is_gone(&self, generation: Generation) -> Result<bool, FsError> {
        self.is_block_gone(block_of(generation)).await
    }

    pub(super) async fn is_block_gone(&self, block: u64) -> Result<bool, FsError> {
        match self.volume.fs.read(&self.layout.gone(block), 1).await {
            Ok(_) => Ok(true),
            Err(FsError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads everything.
    async fn load(&self) -> Result<Read, LogError> {
        let blocks = self.blocks().await?;
        if blocks.is_empty() {
            // A space is empty when its volume says so, not when the volume is not there.
            self.volume.verify().await?;
        }
        let Some(base) = self.base(&blocks).await? else { return Ok(Read::Truncated) };
        if base.generation == Generation::ZERO
            && let Some(first) = blocks.first()
            && self.is_block_gone(*first).await?
            && let Some(removed) = self.buried().await?
        {
            return Ok(Read::Whole(removed));
        }
        let Advanced::Fresh(loaded) = self.advance(Arc::new(base)).await? else {
            return Ok(Read::Truncated);
        };
        let next = loaded.state.generation.next();
        let listed = self.listed(&blocks, next).await?;
        // A listing is no picture of one moment: it may show what was linked after an entry that it does not show.
        if !listed.is_empty() && self.entry(next).await?.is_none() {
            if kept(Rule::GoneOnMisfit) && self.is_gone(next).await? {
                return Ok(Read::Truncated);
            }
            return Ok(if listed.contains(&next) { Read::Unseen(next) } else { Read::Missing(next) });
        }
        Ok(Read::Whole(loaded))
    }

    /// The end of a space that was removed; `None` of one that was not.
    async fn buried(&self) -> Result<Option<Loaded>, FsError> {
        let removed = self.removed().await?;
        Ok(removed.map(|state| Loaded { state: Arc::new(state), block_end: None }))
    }

    /// The blocks that are there, in order.
    pub(crate) async fn blocks(&self) -> Result<Vec<u64>, FsError> {
        let names = match self.volume.fs.list(&self.layout.log()).await {
            Ok(names) => names,
            Err(FsError::NotFound) => Vec::new(),
            Err(error) => return Err(error),
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

    /// The state in a file.
    pub(crate) fn restore(&self, file: &[u8], before: Generation) -> Result<State, String> {
        let state = Start::open(file).map_err(|error| error.to_string())?;
        self.reads(state.format.max(state.log_format))?;
        let state = State::restore(state).map_err(|misfit| misfit.to_string())?;
        if state.space != self.space || state.generation != before {
            return Err("it is the state of another space or block".to_owned());
        }
        Ok(state)
    }

    /// The entries that a listing shows from a generation on.
    async fn listed(&self, blocks: &[u64], from: Generation) -> Result<Vec<Generation>, FsError> {
        let mut listed = Vec::new();
        for block in blocks.iter().filter(|block| **block >= block_of(from)) {
            let names = match self.volume.fs.list(&self.layout.numbered_block(*block)).await {
                Ok(names) => names,
                Err(FsError::NotFound) => continue,
                Err(error) => return Err(error),
            };
            let found = names.iter().filter_map(|name| number(name)).map(Generation);
            listed.extend(found.filter(|generation| *generation >= from));
        }
        Ok(listed)
    }

    pub(crate) async fn entry(&self, generation: Generation) -> Result<Option<Bytes>, FsError> {
        match self.volume.fs.read(&self.layout.entry(generation), LONGEST_ENTRY).await {
            Ok(file) => Ok(Some(file)),
            Err(FsError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Folds the entry that won a race, which was read just now, and what came after it. `None` when that is not all
    /// there is to it, and the log is to be read on. What comes of it need not be the newest.
    pub(crate) async fn follow(&self, known: &Arc<State>, winner: Bytes) -> Option<Arc<State>> {
        let mut state = known.clone();
        let mut found = vec![winner];
        for _ in 0..MOST_FOLLOWED {
            if found.is_empty() {
                break;
            }
            // As for any entry: durable before it is built on, and not in a block that is being truncated.
            let block = block_of(state.generation.next());
            let sync = kept(Rule::DurableBeforeFolding)
                .then(|| Step::SyncDirectory { path: self.layout.numbered_block(block) });
            let steps = sync.into_iter().chain([Step::Missing { path: self.layout.gone(block) }]).collect();
            file_system::steps(self.volume.fs.as_ref(), steps, None).await.ok()?;
            for file in &found {
                state = Arc::new(self.fold(&state, file).ok()?);
                // What comes next is in another block; and this state may be wanted as the start of it.
                if is_block_end(state.generation) {
                    return Some(state);
                }
            }
            let last = state.generation.0;
            let ahead = (1..=AHEAD_OF_A_RACE).map(|step| self.entry(Generation(last.saturating_add(step))));
            found = join_all(ahead).await.into_iter().map_while(|answer| answer.ok().flatten()).collect();
        }
        Some(state)
    }

    /// Folds what is newer than a state until there is nothing.
    ///
    /// A pod that slept may have linked entries into a block that is gone. Blocks go in their order, each durably
    /// before the next: when the one that reading began with is not gone at the end, everything read was real.
    async fn advance(&self, mut state: Arc<State>) -> Result<Advanced, LogError> {
        let first = state.generation.next();
        let mut block_end = None;
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
                let begun = if kept(Rule::OpenLooksForGone) { first } else { next };
                let truncated = kept(Rule::ReadLooksForGone) && self.is_gone(begun).await?;
                return Ok(match truncated {
                    true => Advanced::Truncated,
                    false => Advanced::Fresh(Loaded { state, block_end }),
                });
            }
            // Nobody builds on what a power loss could take back.
            for block in block_of(next)..=block_of(last) {
                if !kept(Rule::DurableBeforeFolding) {
                    break;
                }
                self.volume.fs.sync_directory(&self.layout.numbered_block(block)).await?;
            }
            for file in &found {
                match self.fold(&state, file) {
                    Ok(folded) => state = Arc::new(folded),
                    Err(what) => {
                        let wrong = state.generation.next();
                        if kept(Rule::GoneOnMisfit)
                            && (self.is_gone(wrong).await? || self.is_gone(first).await?)
                        {
                            return Ok(Advanced::Truncated);
                        }
                        return Err(LogError::Broken(format!("{}: {what}", self.layout.entry(wrong))));
                    }
                }
                if is_block_end(state.generation) {
                    block_end = Some(state.clone());
                }
            }
            ahead = (ahead * 2).min(MOST_AHEAD);
        }
    }

    fn fold(&self, state: &State, file: &Bytes) -> Result<State, String> {
        self.read_entry(state, file).map(|(_, folded)| folded)
    }

    /// The entry in a file and the state after it, or what does not fit.
    pub(crate) fn read_entry(&self, state: &State, file: &Bytes) -> Result<(Entry, State), String> {
        if file.len() > LONGEST_ENTRY {
            return Err(format!("it is longer than {LONGEST_ENTRY} bytes"));
        }
        let (entry, hash) = Entry::open(file).map_err(|error| error.to_string())?;
        self.reads(entry.format)?;
        let folded = state.fold(&entry, hash).map_err(|misfit| misfit.to_string());
        // Whoever does not know what follows must not write behind it either.
        self.reads(entry.leads_to())?;
        folded.map(|folded| (entry, folded))
    }

    /// Whether a format is known here.
    fn reads(&self, format: u32) -> Result<(), String> {
        if format <= self.reads {
            return Ok(());
        }
        let reads = self.reads;
        Err(format!(
            "from here on the log has format {format}, and this version reads up to {reads}: use a newer version"
        ))
    }
}

/// A number as it is written in a path, which is in one way.
pub(crate) fn number(name: &str) -> Option<u64> {
    let number: u64 = name.parse().ok()?;
    (number.to_string() == name).then_some(number)
}
