//! Content on its way into a file: durable before anything refers to it.

use bytes::Bytes;

use crate::error::Error;

/// Takes the content of a file. Dropped before its end it leaves nothing under any name.
#[derive(Debug)]
pub struct Stage {}

/// Content that is ready to be [put](crate::Operation::Put).
#[derive(Debug)]
pub struct Staged {}

impl Stage {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they are more than announced, do not fit, or the volume fails.
    pub async fn write(&mut self, content: Bytes) -> Result<(), Error> {
        let _ = content;
        Err(Error::OutcomeUnknown)
    }

    /// That was all.
    ///
    /// # Errors
    /// When the volume fails.
    pub async fn finish(self) -> Result<Staged, Error> {
        Err(Error::OutcomeUnknown)
    }
}

impl Staged {
    /// How many bytes it has.
    #[must_use]
    pub fn length(&self) -> u64 {
        0
    }
}
