//! Writes to a resumable upload.

use bytes::Bytes;

use crate::error::Error;
use crate::operation::Committed;

/// Takes the bytes of an upload, from where it was continued. Whoever continues it next fences this one.
#[derive(Debug)]
pub struct UploadWriter {}

impl UploadWriter {
    /// Where the next bytes go.
    #[must_use]
    pub fn position(&self) -> u64 {
        0
    }

    /// Takes the next bytes. They are not durable yet.
    ///
    /// # Errors
    /// [`Error::TooLong`] when they go beyond the length, [`Error::Fenced`] when it goes on elsewhere.
    pub async fn write(&mut self, content: Bytes) -> Result<(), Error> {
        let _ = content;
        Err(Error::Fenced)
    }

    /// Makes durable what was written, and says up to where: the client need never send that again.
    ///
    /// # Errors
    /// [`Error::Fenced`] when it goes on elsewhere.
    pub async fn acknowledge(&mut self) -> Result<u64, Error> {
        Err(Error::Fenced)
    }

    /// Makes it a file, once all bytes were written.
    ///
    /// # Errors
    /// Those of a [put](crate::Operation::Put); [`Error::OffsetConflict`] when bytes are missing.
    pub async fn finish(self) -> Result<Committed, Error> {
        Err(Error::Fenced)
    }
}
