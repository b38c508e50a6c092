//! Resumable uploads: written by one pod at a time, and by any pod after another.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use api::bytes::Bytes as Amount;
use bytes::Bytes;
use uuid::Uuid;

use crate::error::Error;
use crate::format::record::Target;
use crate::object::ObjectWriter;
use crate::operation::{Committed, Named, NewUpload, OperationId, UploadId, UploadStatus};
use crate::replica::Replica;
use crate::snapshot::Freshness;
use crate::state::State;
use crate::state::intent::Intent;
use crate::state::upload::{Open, Upload};

/// Uploads that this pod owns and nobody writes to at the moment.
#[derive(Default)]
pub(crate) struct Owned(Mutex<HashMap<UploadId, Owner>>);

/// What an owner needs to go on.
struct Owner {
    epoch: u64,
    /// Where its object begins in the upload.
    base: u64,
    writer: ObjectWriter,
}

/// At most so many are kept; of more, the next writer makes itself a new object.
const MOST_OWNED: usize = 1024;

impl Owned {
    fn take(&self, id: UploadId) -> Option<Owner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Forgets those that have ended or have another owner by now.
    pub(crate) fn keep_open(&self, state: &State) {
        let mut owned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owned.retain(|id, owner| {
            let open = state.uploads.get(id).and_then(Upload::open);
            open.is_some_and(|open| open.epoch <= owner.epoch)
        });
    }

    fn put(&self, id: UploadId, owner: Owner) {
        let mut owned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if owned.len() < MOST_OWNED {
            owned.insert(id, owner);
        }
    }
}

/// Takes the bytes of an upload, from where it was continued. Whoever continues it next fences this one.
pub struct UploadWriter {
    replica: Arc<Replica>,
    id: UploadId,
    length: u64,
    /// Up to where it is acknowledged.
    acknowledged: u64,
    /// `None` once it has been given back.
    owner: Option<Owner>,
}

impl fmt::Debug for UploadWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadWriter")
            .field("id", &self.id)
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}

/// Begins an upload and reserves its length.
pub(crate) async fn create(
    replica: &Arc<Replica>,
    new: NewUpload,
    named: Option<Named>,
) -> Result<UploadId, Error> {
    let NewUpload { path, length, condition, parents, locks, modified } = new;
    if path.is_root() {
        return Err(Error::Root);
    }
    let shared = &replica.shared;
    let born = replica.state(Freshness::AtLeast(shared.known())).await?.generation;
    let object = shared.log.new_object(born);
    let place = replica.place(length.0, &[]).await?;
    let volume = place.index;
    let random = || UploadId(Uuid::from_u64_pair(shared.host.random(), shared.host.random()));
    let upload = named.map_or_else(random, Named::upload);
    let (path, expected) = (path.names().to_vec(), condition.into());
    let target = Target { path, expected, parents, locks, modified };
    let target = Some(Arc::new(target));
    let intent = Intent::CreateUpload { upload, length, object, volume, target };
    if let Some(Named { id, born }) = named {
        let committed = replica.commit(Some(id), born, Vec::new(), intent, None, None).await?;
        let state = replica.state(Freshness::AtLeast(committed.generation)).await?;
        let open = state.uploads.get(&upload).and_then(Upload::open);
        if open.is_none_or(|open| open.object != object) {
            // It was asked for before, and has another object.
            return Ok(upload);
        }
    } else {
        replica.step(intent).await?;
    }
    let writer = ObjectWriter::new(shared.clone(), place, object);
    replica.owned.put(upload, Owner { epoch: 1, base: 0, writer });
    Ok(upload)
}

/// How far an upload is.
pub(crate) async fn status(replica: &Arc<Replica>, id: UploadId) -> Result<UploadStatus, Error> {
    let state = replica.state(Freshness::Now).await?;
    state.uploads.get(&id).and_then(Upload::status).ok_or(Error::UploadGone)
}

/// Goes on with an upload at its durable end.
pub(crate) async fn resume(replica: &Arc<Replica>, id: UploadId, offset: u64) -> Result<UploadWriter, Error> {
    let state = replica.state(Freshness::Now).await?;
    let status = state.uploads.get(&id).and_then(Upload::status).ok_or(Error::UploadGone)?;
    if status.offset.0 != offset {
        return Err(Error::OffsetConflict { durable: status.offset.0 });
    }
    let open = state.uploads.get(&id).and_then(Upload::open).ok_or(Error::UploadGone)?;
    let continued = replica.owned.take(id).filter(|owner| {
        let goes_on = owner.writer.is_settled() && owner.base + owner.writer.taken() == offset;
        // What is full or drained by now does not get the rest.
        let left = open.length.0.saturating_sub(offset);
        owner.epoch == open.epoch && goes_on && owner.writer.is_welcome(left)
    });
    let owner = match continued {
        Some(owner) => owner,
        None => take_over(replica, id, open, state.generation, offset).await?,
    };
    Ok(UploadWriter {
        replica: replica.clone(),
        id,
        length: open.length.0,
        acknowledged: offset,
        owner: Some(owner),
    })
}

async fn take_over(
    replica: &Arc<Replica>,
    id: UploadId,
    before: &Open,
    born: api::generation::Generation,
    offset: u64,
) -> Result<Owner, Error> {
    let epoch = before.epoch + 1;
    let object = replica.shared.log.new_object(born);
    let place = replica.place(before.length.0.saturating_sub(offset), &[]).await?;
    let volume = place.index;
    let committed = replica.step(Intent::TakeOver { upload: id, epoch, object, volume }).await?;
    let state = replica.state(Freshness::AtLeast(committed.generation)).await?;
    let open = state.uploads.get(&id).and_then(Upload::open).ok_or(Error::UploadGone)?;
    if open.epoch != epoch || (open.volume, open.object) != (volume, object) {
        return Err(Error::Fenced);
    }
    let writer = ObjectWriter::new(replica.shared.clone(), place, object);
    let owner = Owner { epoch, base: open.base.0, writer };
    if open.durable.0 == offset {
        return Ok(owner);
    }
    // The owner before got further in the meantime; whoever goes on there finds it prepared.
    replica.owned.put(id, owner);
    Err(Error::OffsetConflict { durable: open.durable.0 })
}

impl UploadWriter {
    /// Where the next bytes go.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.owner.as_ref().map_or(self.acknowledged, |owner| owner.base + owner.writer.taken())
    }

    /// Takes the next bytes. They are not durable yet.
    ///
    /// # Errors
    /// [`Error::TooLong`] when they go beyond the length, [`Error::Fenced`] when it goes on elsewhere.
    pub async fn write(&mut self, content: Bytes) -> Result<(), Error> {
        if self.position().saturating_add(content.len() as u64) > self.length {
            return Err(Error::TooLong);
        }
        let owner = self.owner.as_mut().ok_or(Error::Fenced)?;
        if let Some(published) = self.replica.shared.published() {
            let open = published.state.uploads.get(&self.id).and_then(Upload::open);
            // An older state than the one that this was begun with does not count.
            if open.is_some_and(|open| open.epoch > owner.epoch) {
                return Err(Error::Fenced);
            }
        }
        owner.writer.write(content).await
    }

    /// Makes durable what was written, and says up to where: the client need never send that again.
    ///
    /// # Errors
    /// [`Error::Fenced`] when it goes on elsewhere.
    pub async fn acknowledge(&mut self) -> Result<u64, Error> {
        let owner = self.owner.as_mut().ok_or(Error::Fenced)?;
        owner.writer.sync().await?;
        let durable = owner.base + owner.writer.taken();
        if durable > self.acknowledged {
            let (upload, epoch) = (self.id, owner.epoch);
            self.replica
                .step(Intent::Extend { upload, epoch, durable: Amount(durable), length: None })
                .await?;
            self.acknowledged = durable;
        }
        Ok(self.acknowledged)
    }

    /// Makes it a file, once all bytes were written.
    ///
    /// # Errors
    /// Those of a [put](crate::Operation::Put); [`Error::OffsetConflict`] when bytes are missing.
    pub async fn finish(mut self) -> Result<Committed, Error> {
        if self.position() < self.length {
            let durable = self.acknowledge().await?;
            return Err(Error::OffsetConflict { durable });
        }
        let owner = self.owner.as_mut().ok_or(Error::Fenced)?;
        owner.writer.seal().await?;
        let (upload, epoch) = (self.id, owner.epoch);
        // The id of the upload names the operation that completes it: whoever asks again gets the first outcome.
        let operation = Some(OperationId(upload.0));
        let complete = Intent::Complete { upload, epoch };
        match self.replica.commit(operation, None, Vec::new(), complete, None, None).await {
            Ok(committed) => {
                self.owner = None;
                Ok(committed)
            }
            Err(error @ (Error::Stalled(_) | Error::OutcomeUnknown | Error::Fenced)) => Err(error),
            Err(error) => {
                // The place will not do now, but all bytes are there and need not be sent again.
                let _ = self.acknowledge().await;
                Err(error)
            }
        }
    }
}

impl Drop for UploadWriter {
    /// What was acknowledged to its end can be gone on with in the same object.
    fn drop(&mut self) {
        let settled = |owner: &Owner| {
            owner.writer.is_settled() && owner.base + owner.writer.taken() == self.acknowledged
        };
        if let Some(owner) = self.owner.take().filter(settled) {
            self.replica.owned.put(self.id, owner);
        }
    }
}
