//! Reads the bytes of files.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::Error;
use crate::file_system::OpenFile;

/// Gives the bytes of a file in chunks of at most a MiB. What it began to read it reads to its end, whatever becomes
/// of the name.
pub struct Reader {}

/// Bytes of an open file, for those who send them without looking at them.
#[derive(Clone)]
pub struct Segment {
    /// The file.
    pub file: Arc<dyn OpenFile>,
    /// Where the bytes begin in it.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
}

impl Reader {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the volume fails.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        Ok(None)
    }

    /// Opens all files that the rest lies in, in order.
    ///
    /// # Errors
    /// When the volume fails.
    pub async fn segments(self) -> Result<Vec<Segment>, Error> {
        Ok(Vec::new())
    }
}
