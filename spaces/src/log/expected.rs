//! How large a state will be, as far as its files tell before it is read.

use super::layout::BLOCK;
use super::read::number;
use super::{Log, LogError};
use crate::file_system::FsError;

/// A byte of a state that was written down takes about so many in memory.
const START: u64 = 6;

/// What an entry adds to a state, about.
const ENTRY: u64 = 2 << 10;

impl Log {
    /// About how much memory the state takes that reading everything would lead to.
    pub(crate) async fn expected(&self) -> Result<u64, LogError> {
        let blocks = self.blocks().await?;
        let (mut expected, mut after) = (0, 0);
        for block in blocks.iter().rev() {
            match self.volume.fs.stat(&self.layout.start(*block)).await {
                Ok(length) => {
                    (expected, after) = (length.saturating_mul(START), *block);
                    break;
                }
                Err(FsError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let Some(last) = blocks.last().filter(|last| **last >= after) else { return Ok(expected) };
        let newest = match self.volume.fs.list(&self.layout.numbered_block(*last)).await {
            Ok(names) => names.iter().filter_map(|name| number(name)).max().unwrap_or(0),
            Err(FsError::NotFound) => 0,
            Err(error) => return Err(error.into()),
        };
        let entries = newest.saturating_sub(after.saturating_mul(BLOCK));
        Ok(expected.saturating_add(entries.saturating_mul(ENTRY)))
    }
}
