//! Truncates a log. First the state that replaces the entries is there for good, then `gone` says so of a block, for
//! good, and only then its entries go. Any pod does it, several at once, and each may end or sleep at any step.

use std::sync::Arc;
use std::time::Duration;

use api::generation::Generation;
use bytes::Bytes;

use super::Log;
use super::layout::block_of;
use super::read::number;
use crate::file_system::FsError;
use crate::format::entry::{Entry, LONGEST_ENTRY};
use crate::format::frame::{self, Mark};
use crate::host::computed;
use crate::rule::{Rule, kept};
use crate::state::State;

/// A state is written and read in pieces of this size, so that no call on the volume is a long one.
const PIECE: usize = 1 << 20;

/// After so many names were taken away others have their turn for so long.
const AT_ONCE: usize = 16;
const PAUSE: Duration = Duration::from_millis(2);

/// A state that was written down, as far as one was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// None, and the block is not gone.
    Nothing,
    Start,
    Gone,
}

impl Log {
    /// Writes a state at the end of a block down, as where reading can begin. Whether that came to be is to be looked.
    pub(crate) async fn write_start(&self, state: Arc<State>, known: Generation) -> Result<(), FsError> {
        let first = state.generation.next();
        let temporary = self.temporary(known);
        // Of a large space this takes a while, and must keep nobody from being answered.
        let Some(file) = computed(self.host.as_ref(), move || Bytes::from(state.to_start().seal())).await
        else {
            return Err(FsError::Stalled);
        };
        let written = async {
            let new = self.volume.fs.create(&temporary).await?;
            let mut rest = file;
            while !rest.is_empty() {
                new.append(rest.split_to(rest.len().min(PIECE))).await?;
            }
            if kept(Rule::StartDurable) {
                new.sync().await?;
            }
            self.ensure_block(first).await?;
            self.volume.fs.link(&temporary, &self.layout.start(block_of(first))).await
        };
        let written = written.await;
        // What fails here is left to the collector.
        let _ = self.volume.fs.unlink(&temporary).await;
        if self.is_gone(first).await? {
            // This pod slept, and nobody needs that state any more.
            self.unlink(&self.layout.start(block_of(first))).await?;
        }
        match written {
            Ok(()) | Err(FsError::Exists) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What there is of a block: a state before it, or word that it is gone.
    pub(crate) async fn find_start(&self, block: u64) -> Result<Found, FsError> {
        match self.volume.fs.stat(&self.layout.start(block)).await {
            Ok(_) => Ok(Found::Start),
            Err(FsError::NotFound) if self.is_block_gone(block).await? => Ok(Found::Gone),
            Err(FsError::NotFound) => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }

    /// When an entry was written, by its committer's clock. `None` when it is not there any more.
    pub(crate) async fn clock_of(&self, generation: Generation) -> Result<Option<i64>, FsError> {
        match self.volume.fs.read(&self.layout.entry(generation), LONGEST_ENTRY).await {
            // One that can not be understood keeps everything as it is.
            Ok(file) => Ok(Some(Entry::open(&file).map_or(i64::MAX, |(entry, _)| entry.clock))),
            Err(FsError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes away all blocks before one, if the state before that one is there. Whether they are gone now.
    pub(crate) async fn truncate(&self, block: u64, known: Generation) -> Result<bool, FsError> {
        if !self.secure_start(block).await? {
            return Ok(false);
        }
        let before: Vec<u64> = self.blocks().await?.into_iter().filter(|other| *other < block).collect();
        let from = self.last_cleared(&before).await?;
        for gone in before.into_iter().skip(from) {
            if !self.mark_gone(gone, known).await? {
                return Ok(false);
            }
            self.clear(gone).await?;
        }
        Ok(true)
    }

    /// Takes a state away when a later one is there, which must be so for good.
    pub(crate) async fn drop_start(&self, block: u64, later: u64) -> Result<(), FsError> {
        if block < later && self.secure_start(later).await? {
            self.unlink(&self.layout.start(block)).await?;
        }
        Ok(())
    }

    /// Whether the state before a block can be read, and will be there whatever happens.
    async fn secure_start(&self, block: u64) -> Result<bool, FsError> {
        // To read it is to see it, and nothing is thrown away for what can not be read.
        if kept(Rule::StartSeen) {
            let Some(file) = self.whole(&self.layout.start(block)).await? else { return Ok(false) };
            let whole = computed(self.host.as_ref(), move || frame::open(Mark::Start, &file).is_ok()).await;
            if whole != Some(true) {
                let (space, start) = (self.space, self.layout.start(block));
                tracing::error!(%space, %start, "A state is damaged; nothing is truncated for it. Compare it with another copy, or remove it.");
                return Ok(false);
            }
        }
        // Whoever made the block may not have come to that.
        self.volume.ensure(&[self.layout.numbered_block(block)]).await?;
        if kept(Rule::SyncBeforeGone) {
            // Seen now, it may have landed after the last sync.
            self.volume.fs.sync_directory(&self.layout.numbered_block(block)).await?;
        }
        Ok(true)
    }

    /// The place of the last block that is gone and empty: those before it are as well. Whoever cleared it may not
    /// have been the one who cleared those before it, so some leftovers may stay there; they do no harm.
    async fn last_cleared(&self, blocks: &[u64]) -> Result<usize, FsError> {
        for (place, block) in blocks.iter().enumerate().rev() {
            if self.is_block_gone(*block).await? && self.leftovers(*block).await?.is_empty() {
                return Ok(place);
            }
        }
        Ok(0)
    }

    /// Says of a block that it is gone. Whether that is so, for good.
    pub(super) async fn mark_gone(&self, block: u64, known: Generation) -> Result<bool, FsError> {
        if !self.is_block_gone(block).await? {
            let temporary = self.temporary(known);
            self.volume.fs.write(&temporary, Bytes::new()).await?;
            let linked = self.volume.fs.link(&temporary, &self.layout.gone(block)).await;
            let _ = self.volume.fs.unlink(&temporary).await;
            if kept(Rule::GoneSeen) && !self.is_block_gone(block).await? {
                return linked.map(|()| false);
            }
        }
        if kept(Rule::GoneDurable) {
            self.volume.fs.sync_directory(&self.layout.numbered_block(block)).await?;
        }
        Ok(true)
    }

    /// Takes away what is in a block that is gone.
    pub(crate) async fn clear(&self, block: u64) -> Result<(), FsError> {
        for (number, name) in self.leftovers(block).await?.iter().enumerate() {
            if number % AT_ONCE == AT_ONCE - 1 {
                self.host.sleep(PAUSE).await;
            }
            self.unlink(name).await?;
        }
        Ok(())
    }

    /// Entries and a state in a block. What has another name is not of this program, and stays.
    async fn leftovers(&self, block: u64) -> Result<Vec<String>, FsError> {
        let directory = self.layout.numbered_block(block);
        let names = self.volume.fs.list(&directory).await?;
        let ours = names.into_iter().filter(|name| name == "start" || number(name).is_some());
        Ok(ours.map(|name| format!("{directory}/{name}")).collect())
    }

    pub(crate) async fn unlink(&self, path: &str) -> Result<(), FsError> {
        match self.volume.fs.unlink(path).await {
            Ok(()) | Err(FsError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// All of a file that never changes; `None` when it is not there.
    pub(super) async fn whole(&self, path: &str) -> Result<Option<Bytes>, FsError> {
        let read = async {
            let length = usize::try_from(self.volume.fs.stat(path).await?).unwrap_or(usize::MAX);
            let file = self.volume.fs.open(path).await?;
            let mut content = Vec::new();
            while content.len() < length {
                let piece = file.read(content.len() as u64, PIECE.min(length - content.len())).await?;
                if piece.is_empty() {
                    break;
                }
                content.extend_from_slice(&piece);
            }
            Ok(Bytes::from(content))
        };
        match read.await {
            Ok(content) => Ok(Some(content)),
            Err(FsError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
