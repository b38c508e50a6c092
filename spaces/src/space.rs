//! One space, as the rest of a pod uses it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use api::bytes::Bytes;
use api::generation::Generation;
use api::ids::{SpaceId, VolumeName};

use crate::between::{self, Transfer, Transferred};
use crate::error::Error;
use crate::log::at::Past;
use crate::node::Node;
use crate::operation::{Committed, Named, NewUpload, Operation, Request, UploadId, UploadStatus};
use crate::read::Reader;
use crate::relocation::{Relocation, RelocationGoal};
use crate::replica::Replica;
use crate::snapshot::{Freshness, Snapshot};
use crate::stage::{Stage, StagedContent};
use crate::state::intent::{Content, Intent};
use crate::upload::{self, UploadWriter};

/// A handle on a space; clones are cheap.
#[derive(Clone)]
pub struct Space {
    id: SpaceId,
    home: VolumeName,
    /// `None` when this pod does not have the volume.
    replica: Option<Arc<Replica>>,
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space").field("id", &self.id).field("home", &self.home).finish_non_exhaustive()
    }
}

impl Space {
    pub(crate) fn new(id: SpaceId, home: VolumeName, replica: Option<Arc<Replica>>) -> Self {
        Self { id, home, replica }
    }

    pub(crate) fn replica(&self) -> Result<&Arc<Replica>, Error> {
        let missing = || Error::UnknownSpace(format!("this pod does not have the volume {}", self.home));
        self.replica.as_ref().ok_or_else(missing)
    }

    /// Which space this is.
    #[must_use]
    pub fn id(&self) -> SpaceId {
        self.id
    }

    /// Whether its state is in memory.
    #[cfg(test)]
    pub(crate) fn is_loaded(&self) -> bool {
        self.replica().is_ok_and(|replica| replica.shared.is_loaded())
    }

    pub(crate) async fn visit(&self) -> Result<(), Error> {
        self.replica()?.visit().await
    }

    pub(crate) async fn upkeep(&self) -> Result<(), Error> {
        self.replica()?.upkeep().await
    }

    /// The space as it is, as new as wanted.
    ///
    /// # Errors
    /// When the volume does not answer or the space is stopped.
    pub async fn snapshot(&self, freshness: Freshness) -> Result<Snapshot, Error> {
        let state = self.replica()?.state(freshness).await?;
        if state.is_removed() {
            return Err(Error::SpaceRemoved);
        }
        Ok(Snapshot::of(state))
    }

    /// The space as it was at a generation, to list and to read from, for as long as history is kept
    /// ([`Settings::history`](crate::Settings::history)). Entries are folded for it from the last state that was
    /// written down before it, beside everything else; hold what comes back no longer than it is needed, for it takes
    /// as much memory as the space.
    ///
    /// # Errors
    /// [`Error::HistoryGone`] when that was truncated, [`Error::NotYet`] when the space has not come so far.
    pub async fn at(&self, generation: Generation) -> Result<Snapshot, Error> {
        let fresh = Freshness::AtLeast(generation);
        self.replica()?.at(Past::Generation(generation), fresh).await.map(Snapshot::of)
    }

    /// The space as it was at a time, in milliseconds since 1970: before the first entry with a later clock. Clocks are
    /// those of pods. One that was behind changes nothing; one that was ahead hides what followed until its time
    /// comes, but not from [`Space::at`].
    ///
    /// # Errors
    /// [`Error::HistoryGone`] when that was truncated.
    pub async fn as_of(&self, time: i64) -> Result<Snapshot, Error> {
        self.replica()?.at(Past::Time(time), Freshness::Now).await.map(Snapshot::of)
    }

    /// The oldest generation that can be read as it was.
    ///
    /// # Errors
    /// When the volume does not answer or the space is stopped.
    pub async fn oldest(&self) -> Result<Generation, Error> {
        let replica = self.replica()?;
        let newest = replica.state(Freshness::Now).await?.generation;
        let log = &replica.shared.log;
        log.oldest(newest).await.map_err(|error| log.error(error))
    }

    /// Does an operation: it is durable when this comes back well.
    ///
    /// # Errors
    /// Why it was refused; [`Error::OutcomeUnknown`] when it may have been done.
    pub async fn commit(&self, request: Request) -> Result<Committed, Error> {
        let Request { id, born, locks, operation } = request;
        let replica = self.replica()?;
        let (mut inline, mut unfinished) = (None, None);
        let intent = match operation {
            Operation::MakeDirectory { path, parents } => Intent::MakeDirectory { path, parents },
            Operation::Put { path, content, condition, parents } => {
                let modified = content.modified;
                let content = match content.content {
                    StagedContent::Small(content) => {
                        inline = Some(content);
                        Content { modified, ..Content::default() }
                    }
                    StagedContent::Large { extent, reservation, unfinished: own } => {
                        unfinished = Some(own);
                        Content { extents: vec![extent], reservation, modified }
                    }
                };
                Intent::Put { path, content, condition, parents }
            }
            Operation::Move { from, to, overwrite } => Intent::Move { from, to, overwrite },
            Operation::Copy { from, to, overwrite } => Intent::Copy { from, to, overwrite },
            Operation::Lock { path, lock } => Intent::Lock { path, lock: Box::new(lock) },
            Operation::RefreshLock { path, token, timeout } => Intent::RefreshLock { path, token, timeout },
            Operation::Unlock { path, token } => Intent::Unlock { path, token },
            Operation::CreateShare { path, share } => Intent::CreateShare { path, share: Box::new(share) },
            Operation::RemoveShare { id } => Intent::RemoveShare { id },
            Operation::UseShare { id } => Intent::UseShare { id },
            Operation::SetProperties { path, condition, changes } => {
                Intent::SetProperties { path, condition, changes: Box::new(changes) }
            }
            Operation::Delete { path, condition, permanently } => {
                Intent::Delete { path, condition, permanently }
            }
            Operation::Restore { item, to, overwrite } => Intent::Restore { item, to, overwrite },
            Operation::BringBack { from, path, to, overwrite } => {
                if from.state().space != self.id {
                    return Err(Error::UnknownSpace("this was read from another space".to_owned()));
                }
                Intent::BringBack { nodes: from.state().past_nodes(&path)?, to, overwrite }
            }
            Operation::Purge(purge) => Intent::Purge(purge),
            Operation::RestoreVersion { path, version, condition } => {
                Intent::RestoreVersion { path, version, condition }
            }
            Operation::Close { roster_generation } => Intent::Close { roster_generation },
            Operation::Limit { roster_generation, target, ceiling } => {
                Intent::Limit { roster_generation, target, ceiling }
            }
        };
        replica.commit(Some(id), born, locks, intent, inline, unfinished).await
    }

    /// Begins to take the content of a file. More than a MiB, or an unknown length, is reserved first.
    ///
    /// # Errors
    /// When there is no room, or as for any operation.
    pub async fn stage(&self, expected: Option<Bytes>) -> Result<Stage, Error> {
        Stage::begin(self.replica()?.clone(), expected.map(|length| length.0)).await
    }

    /// Reads some bytes of a file of a snapshot; the range is cut at its end.
    ///
    /// # Errors
    /// When it is a directory; [`Error::ContentGone`] when it was deleted since, and its bytes are kept no more.
    pub async fn read(&self, node: &Node, range: Range<u64>) -> Result<Reader, Error> {
        Reader::new(self.replica()?.clone(), node, range)
    }

    /// Copies a file or directory with all in it into another space, against the limit of that. The bytes are shared where
    /// the file system can make a second name for a file, and copied elsewhere.
    ///
    /// # Errors
    /// As of a [copy](crate::Operation::Copy) within a space; [`Error::TooMany`] for more than fits in one entry.
    pub async fn copy_to(&self, to: &Self, what: Transfer) -> Result<Transferred, Error> {
        between::transfer(self.replica()?, to.replica()?, what, false).await
    }

    /// Moves a file or directory with all in it into another space: it is copied, and then the source is deleted if it is
    /// as it was when it was copied. When this fails between the two it is in both spaces, and asking again with the same
    /// id does the rest.
    ///
    /// # Errors
    /// As of [`Space::copy_to`].
    pub async fn move_to(&self, to: &Self, what: Transfer) -> Result<Transferred, Error> {
        between::transfer(self.replica()?, to.replica()?, what, true).await
    }

    /// Begins to move bytes of files to other objects, step by step.
    ///
    /// # Errors
    /// When the space can not be read or this pod does not have the volume.
    pub async fn relocate(&self, goal: RelocationGoal) -> Result<Relocation, Error> {
        Relocation::begin(self.replica()?.clone(), goal).await
    }

    /// How many data files the space has on a volume: those in use, and those that only what was before refers to. The
    /// volume can go when both are none for every space, and it is no home of one.
    ///
    /// # Errors
    /// When the space can not be read or this pod does not have the volume.
    pub async fn objects_on(&self, volume: &VolumeName) -> Result<(usize, usize), Error> {
        let replica = self.replica()?;
        let state = replica.state(Freshness::Now).await?;
        let found = replica.shared.pool.volumes.iter().find(|known| known.name == *volume);
        let missing = || Error::UnknownSpace(format!("this pod does not have the volume {volume}"));
        let found = found.ok_or_else(missing)?;
        found.ready().await?;
        Ok(replica.shared.place(&state, found).map_or((0, 0), |place| state.objects_on(place.index)))
    }

    /// Begins an upload and reserves its length.
    ///
    /// # Errors
    /// When there is no room or the path will not do.
    pub async fn create_upload(&self, new: NewUpload) -> Result<UploadId, Error> {
        upload::create(self.replica()?, new, None).await
    }

    /// The same with a name: asked again it tells of the same upload, and reserves nothing more.
    ///
    /// # Errors
    /// Those of [`Space::create_upload`], and [`Error::OutcomeUnknown`] when it may have been done.
    pub async fn create_named_upload(&self, new: NewUpload, named: Named) -> Result<UploadId, Error> {
        upload::create(self.replica()?, new, Some(named)).await
    }

    /// How far an upload is, whichever pod had it.
    ///
    /// # Errors
    /// [`Error::UploadGone`] when there is none.
    pub async fn upload_status(&self, id: UploadId) -> Result<UploadStatus, Error> {
        upload::status(self.replica()?, id).await
    }

    /// Goes on with an upload at its durable end. When another pod had it, that pod can acknowledge nothing more from
    /// now on; an earlier writer of this pod is fenced, too.
    ///
    /// # Errors
    /// [`Error::OffsetConflict`] when it does not go on there, [`Error::UploadGone`] when there is none.
    pub async fn continue_upload(&self, id: UploadId, offset: u64) -> Result<UploadWriter, Error> {
        upload::resume(self.replica()?, id, offset).await
    }

    /// Ends what is due: uploads that nobody goes on with, and what was deleted or replaced long ago. It rides on what
    /// is written anyway; this is for a space to which nobody writes.
    ///
    /// # Errors
    /// When the volume does not answer or the space is stopped.
    pub async fn expire(&self) -> Result<(), Error> {
        self.replica()?.expire().await
    }

    /// Gives up an upload and gives back what it reserved. One that is complete stays as it is.
    ///
    /// # Errors
    /// [`Error::UploadGone`] when there is none.
    pub async fn abort_upload(&self, id: UploadId) -> Result<(), Error> {
        self.replica()?.step(Intent::Abort { upload: id }).await.map(|_| ())
    }

    /// The same with a name: asked again it is no error that the upload is gone.
    ///
    /// # Errors
    /// Those of [`Space::abort_upload`], and [`Error::OutcomeUnknown`] when it may have been done.
    pub async fn abort_upload_named(&self, id: UploadId, named: Named) -> Result<(), Error> {
        let Named { id: name, born } = named;
        let abort = Intent::Abort { upload: id };
        self.replica()?.commit(Some(name), born, Vec::new(), abort, None, None).await.map(|_| ())
    }
}
