//! The end of a log: what is left of a space that was removed.

use api::generation::Generation;
use bytes::Bytes;

use super::Log;
use super::layout::block_of;
use crate::file_system::FsError;
use crate::format::start::Start;
use crate::state::State;

impl Log {
    /// Takes a log away whose last entry removes the space. First the state after that is there for good, as `removed`;
    /// then each block is gone, for good, and only then its entries go. Whoever slept and links into a block finds `gone`
    /// there, and whoever reads anew finds no block, and `removed`.
    pub(crate) async fn bury(&self, state: &State) -> Result<(), FsError> {
        // What it writes on the way is below the watermark, as all there is: it is taken away with the rest.
        let known = Generation(state.generation.0.saturating_sub(1));
        if self.removed().await?.is_none() {
            let temporary = self.temporary(known);
            self.volume.fs.write(&temporary, Bytes::from(state.to_start().seal())).await?;
            let linked = self.volume.fs.link(&temporary, &self.layout.removed()).await;
            let _ = self.volume.fs.unlink(&temporary).await;
            if self.removed().await?.is_none() {
                return Err(linked.err().unwrap_or(FsError::Stalled));
            }
        }
        // Seen now, it may have landed after any sync before.
        self.volume.fs.sync_directory(self.layout.root()).await?;
        // Whoever writes the state at the end of a block down makes the next one.
        let next = block_of(state.generation.next());
        self.volume.ensure(&[self.layout.numbered_block(next)]).await?;
        for block in self.blocks().await? {
            if !self.mark_gone(block, known).await? {
                return Err(FsError::Stalled);
            }
            self.clear(block).await?;
        }
        Ok(())
    }

    /// The last state of a space that was removed; `None` of one that was not.
    pub(super) async fn removed(&self) -> Result<Option<State>, FsError> {
        let Some(file) = self.whole(&self.layout.removed()).await? else { return Ok(None) };
        let state = Start::open(&file).ok().and_then(|start| State::restore(start).ok());
        Ok(state.filter(|state| state.space == self.space && state.is_removed()))
    }
}
