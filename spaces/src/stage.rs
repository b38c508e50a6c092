//! Content on its way into a file: durable before anything refers to it.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use crate::error::Error;
use crate::extent::Extent;
use crate::object::ObjectWriter;
use crate::operation::UploadId;
use crate::replica::Replica;
use crate::replica::garbage::Unfinished;
use crate::state::intent::Intent;

/// Up to so many bytes are kept in memory and go into one object with those of others. In tests all sizes are small, so
/// that what is large costs no time.
pub(crate) const SMALL: u64 = if cfg!(test) { 1 << 10 } else { 64 << 10 };

/// From more than this on, room is reserved before bytes are taken.
pub(crate) const UNRESERVED: u64 = if cfg!(test) { 4 << 10 } else { 1 << 20 };

/// When the length is not known, a reservation grows by as much as is there, but not by more than this.
pub(crate) const LARGEST_STEP: u64 = if cfg!(test) { 16 << 10 } else { 64 << 20 };

/// Takes the content of a file. Dropped before its end it leaves nothing under any name.
pub struct Stage {
    replica: Arc<Replica>,
    expected: Option<u64>,
    taken: u64,
    small: BytesMut,
    large: Option<Large>,
}

/// Content in an object of its own.
struct Large {
    writer: ObjectWriter,
    unfinished: Unfinished,
    /// What is reserved, under which name.
    reserved: Option<(UploadId, u64)>,
}

/// Content that is ready to be [put](crate::Operation::Put).
pub struct Staged {
    length: u64,
    /// When the content is said to be of.
    pub(crate) modified: Option<i64>,
    pub(crate) content: StagedContent,
}

pub(crate) enum StagedContent {
    /// Not written yet: the commit writes it.
    Small(Bytes),
    /// Durable.
    Large { extent: Extent, reservation: Option<UploadId>, unfinished: Unfinished },
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("expected", &self.expected)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Stage {
    pub(crate) async fn begin(replica: Arc<Replica>, expected: Option<u64>) -> Result<Self, Error> {
        let mut stage = Self { replica, expected, taken: 0, small: BytesMut::new(), large: None };
        if expected.is_some_and(|length| length > UNRESERVED) {
            stage.grow().await?;
        }
        Ok(stage)
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they are more than announced, do not fit, or the volume fails.
    pub async fn write(&mut self, content: Bytes) -> Result<(), Error> {
        let taken = self.taken.saturating_add(content.len() as u64);
        if self.expected.is_some_and(|length| taken > length) {
            return Err(Error::TooLong);
        }
        self.taken = taken;
        if self.large.is_none() {
            if taken <= SMALL {
                self.small.extend_from_slice(&content);
                return Ok(());
            }
            self.grow().await?;
        }
        self.reserve().await?;
        if let Some(large) = &mut self.large {
            // What was kept in memory up to here comes first.
            let small = self.small.split().freeze();
            large.writer.write(small).await?;
            large.writer.write(content).await?;
        }
        Ok(())
    }

    /// That was all.
    ///
    /// # Errors
    /// When the volume fails.
    pub async fn finish(self) -> Result<Staged, Error> {
        let Self { replica: _, expected: _, taken: length, small, large } = self;
        let Some(Large { mut writer, unfinished, reserved }) = large else {
            return Ok(Staged { length, modified: None, content: StagedContent::Small(small.freeze()) });
        };
        writer.seal().await?;
        let extent = writer.place.extent(writer.object, 0, length);
        let reservation = reserved.map(|(id, _)| id);
        if length == 0 {
            // It was announced as large and is empty: there is nothing to refer to.
            drop(unfinished);
            return Ok(Staged { length, modified: None, content: StagedContent::Small(Bytes::new()) });
        }
        Ok(Staged {
            length,
            modified: None,
            content: StagedContent::Large { extent, reservation, unfinished },
        })
    }

    /// Begins an object of its own, with room reserved when it may be large.
    async fn grow(&mut self) -> Result<(), Error> {
        let shared = &self.replica.shared;
        let born = self.replica.state(crate::Freshness::AtLeast(shared.known())).await?.generation;
        let object = shared.log.new_object(born);
        let place = self.replica.place(self.expected.unwrap_or(self.taken), &[]).await?;
        let mut unfinished = Unfinished::new(self.replica.clone());
        unfinished.has_object(place.volume.clone(), object);
        let mut reserved = None;
        let wanted = self.expected.unwrap_or(UNRESERVED);
        if self.expected.is_none_or(|length| length > UNRESERVED) {
            let upload = UploadId(Uuid::from_u64_pair(shared.host.random(), shared.host.random()));
            let wanted = wanted.max(self.taken);
            let length = api::bytes::Bytes(wanted);
            // Also when it fails something may have come of it.
            unfinished.has_reservation(upload);
            let volume = place.index;
            let reserve = Intent::CreateUpload { upload, length, object, volume, target: None };
            self.replica.step(reserve).await?;
            reserved = Some((upload, wanted));
        }
        let writer = ObjectWriter::new(shared.clone(), place, object);
        self.large = Some(Large { writer, unfinished, reserved });
        Ok(())
    }

    /// Raises the reservation to what was taken, and some more so that it is not raised too often.
    async fn reserve(&mut self) -> Result<(), Error> {
        let Some(Large { reserved: Some((upload, reserved)), .. }) = &mut self.large else { return Ok(()) };
        if self.taken <= *reserved {
            return Ok(());
        }
        let ample = self.taken.saturating_add(self.taken.min(LARGEST_STEP));
        for length in [ample, self.taken] {
            let wanted = Some(api::bytes::Bytes(length));
            let durable = api::bytes::Bytes::ZERO;
            let raised = Intent::Extend { upload: *upload, epoch: 1, durable, length: wanted };
            match self.replica.step(raised).await {
                Ok(_) => {
                    *reserved = length;
                    return Ok(());
                }
                Err(Error::QuotaExceeded { .. }) if length > self.taken => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Staged {
    /// The same content, said to be of a time, in milliseconds since 1970. Otherwise it is of when it is put.
    #[must_use]
    pub fn dated(self, modified: i64) -> Self {
        Self { modified: Some(modified), ..self }
    }

    /// How many bytes it has.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }
}
