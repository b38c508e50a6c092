//! Writes an object: its bytes in large pieces, and everything durable when asked.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::channel::oneshot;

use crate::error::Error;
use crate::extent::ObjectId;
use crate::file_system::{FsError, NewFile};
use crate::format::sums::{Summing, Sums};
use crate::replica::Shared;
use crate::replica::place::Place;
use crate::volume::Volume;

/// Bytes are handed to the volume in pieces of this size, one of them being written while the next is filled. Small enough
/// for the cache of a processor, and for hundreds of uploads at once.
const PIECE: usize = if cfg!(test) { 4 << 10 } else { 256 << 10 };

/// How many bytes of content are in the file of an object, at least: what may be checksums is not counted.
pub(crate) async fn content_length(volume: &Volume, path: &str) -> Result<u64, FsError> {
    let length = volume.fs.stat(path).await?;
    Ok(length.saturating_sub(Sums::behind(length)))
}

/// An object that is being written. It is made with its first piece.
pub(crate) struct ObjectWriter {
    shared: Arc<Shared>,
    pub(crate) place: Place,
    pub(crate) object: ObjectId,
    file: Option<Arc<dyn NewFile>>,
    /// Whether the name of the file is durable.
    named: bool,
    buffer: BytesMut,
    writing: Option<oneshot::Receiver<Result<(), FsError>>>,
    /// Sums up what was handed over; nothing once that stands behind it. Boxed, for it is large.
    summing: Option<Box<Summing>>,
    /// How many bytes were taken.
    taken: u64,
    /// How many of them are durable.
    durable: u64,
    /// Once a piece has failed nothing that follows has its right place.
    failed: Option<FsError>,
}

impl ObjectWriter {
    pub(crate) fn new(shared: Arc<Shared>, place: Place, object: ObjectId) -> Self {
        Self {
            shared,
            place,
            object,
            file: None,
            named: false,
            buffer: BytesMut::new(),
            writing: None,
            summing: Some(Box::default()),
            taken: 0,
            durable: 0,
            failed: None,
        }
    }

    /// How many bytes were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether all that was taken is durable, so that another writer can go on behind it.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_durable() && self.summing.is_some()
    }

    fn is_durable(&self) -> bool {
        self.failed.is_none() && self.taken == self.durable
    }

    /// Whether its volume takes so many bytes more; as long as it has no file, it need not be there.
    pub(crate) fn is_welcome(&self, more: u64) -> bool {
        let pool = &self.shared.pool;
        pool.volumes.len() == 1 || pool.takes(&self.place.volume, more)
    }

    pub(crate) async fn write(&mut self, mut content: Bytes) -> Result<(), Error> {
        while !content.is_empty() {
            self.buffer.reserve(PIECE - self.buffer.len());
            let piece = content.split_to(content.len().min(PIECE - self.buffer.len()));
            self.taken += piece.len() as u64;
            self.buffer.extend_from_slice(&piece);
            if self.buffer.len() == PIECE {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Makes durable what was taken, and the name of the object.
    pub(crate) async fn sync(&mut self) -> Result<(), Error> {
        if self.is_durable() {
            return Ok(());
        }
        self.flush().await?;
        let result = self.settle().await;
        self.done(result)
    }

    /// Makes all of it durable, with its checksums behind it; nothing more is written to it.
    pub(crate) async fn seal(&mut self) -> Result<(), Error> {
        if self.taken == 0 || self.summing.is_none() {
            return self.sync().await;
        }
        self.flush().await?;
        let result = self.end().await;
        self.done(result)
    }

    async fn end(&mut self) -> Result<(), FsError> {
        self.written().await?;
        if let (Some(file), Some(summing)) = (&self.file, self.summing.take()) {
            file.append(summing.end().into()).await?;
        }
        self.settle().await
    }

    async fn settle(&mut self) -> Result<(), FsError> {
        self.written().await?;
        if let Some(file) = &self.file {
            file.sync().await?;
        }
        if !self.named {
            let directory = self.shared.log.layout.objects(self.object);
            self.place.volume.fs.sync_directory(&directory).await?;
            self.named = true;
        }
        self.durable = self.taken;
        Ok(())
    }

    /// Hands the buffer to the volume, when what was handed over before is written.
    async fn flush(&mut self) -> Result<(), Error> {
        if let Some(error) = &self.failed {
            return Err(self.shared.failed_at(&self.place.volume, error.clone()));
        }
        let result = self.hand_over().await;
        self.done(result)
    }

    async fn hand_over(&mut self) -> Result<(), FsError> {
        self.written().await?;
        if self.buffer.is_empty() {
            return Ok(());
        }
        let file = match &self.file {
            Some(file) => file.clone(),
            None => {
                let volume = &self.place.volume;
                self.shared.ensure_objects(volume, self.object).await?;
                let path = self.shared.log.layout.object(self.object);
                self.file.insert(volume.fs.create(&path).await?).clone()
            }
        };
        let content = self.buffer.split().freeze();
        if let Some(summing) = &mut self.summing {
            summing.add(&content);
        }
        let (reply, writing) = oneshot::channel();
        self.writing = Some(writing);
        self.shared.host.spawn(Box::pin(async move {
            let _ = reply.send(file.append(content).await);
        }));
        Ok(())
    }

    /// Waits for the piece that is being written.
    async fn written(&mut self) -> Result<(), FsError> {
        match self.writing.as_mut() {
            None => Ok(()),
            Some(writing) => {
                let result = writing.await.unwrap_or(Err(FsError::Stalled));
                self.writing = None;
                result
            }
        }
    }

    fn done(&mut self, result: Result<(), FsError>) -> Result<(), Error> {
        result.map_err(|error| {
            self.failed = Some(error.clone());
            self.shared.failed_at(&self.place.volume, error)
        })
    }
}
