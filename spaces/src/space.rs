//! One space, as the rest of a pod uses it.

use std::ops::Range;

use api::bytes::Bytes;
use api::ids::{SpaceId, VolumeName};

use crate::error::Error;
use crate::node::Node;
use crate::operation::{Committed, NewUpload, Request, UploadId, UploadStatus};
use crate::read::Reader;
use crate::snapshot::{Freshness, Snapshot};
use crate::stage::Stage;
use crate::upload::UploadWriter;

/// A handle on a space; clones are cheap.
#[derive(Clone, Debug)]
pub struct Space {
    id: SpaceId,
    home: VolumeName,
}

impl Space {
    pub(crate) fn new(id: SpaceId, home: VolumeName) -> Self {
        Self { id, home }
    }

    /// Which space this is.
    #[must_use]
    pub fn id(&self) -> SpaceId {
        self.id
    }

    /// The space as it is, as new as wanted.
    ///
    /// # Errors
    /// When the volume does not answer or the space is stopped.
    pub async fn snapshot(&self, freshness: Freshness) -> Result<Snapshot, Error> {
        let _ = freshness;
        Err(Error::Stalled(self.home.clone()))
    }

    /// Does an operation: it is durable when this comes back well.
    ///
    /// # Errors
    /// Why it was refused; [`Error::OutcomeUnknown`] when it may have been done.
    pub async fn commit(&self, request: Request) -> Result<Committed, Error> {
        let _ = request;
        Err(Error::Stalled(self.home.clone()))
    }

    /// Begins to take the content of a file. More than a MiB, or an unknown length, is reserved first.
    ///
    /// # Errors
    /// When there is no room, or as for any operation.
    pub async fn stage(&self, expected: Option<Bytes>) -> Result<Stage, Error> {
        let _ = expected;
        Err(Error::Stalled(self.home.clone()))
    }

    /// Reads some bytes of a file of a snapshot; the range is cut at its end.
    ///
    /// # Errors
    /// When it is a directory, or its bytes are gone because it was deleted since.
    pub async fn read(&self, node: &Node, range: Range<u64>) -> Result<Reader, Error> {
        let _ = (node, range);
        Err(Error::Stalled(self.home.clone()))
    }

    /// Begins an upload and reserves its length.
    ///
    /// # Errors
    /// When there is no room or the path will not do.
    pub async fn create_upload(&self, upload: NewUpload) -> Result<UploadId, Error> {
        let _ = upload;
        Err(Error::Stalled(self.home.clone()))
    }

    /// How far an upload is, whichever pod had it.
    ///
    /// # Errors
    /// [`Error::UploadGone`] when there is none.
    pub async fn upload_status(&self, id: UploadId) -> Result<UploadStatus, Error> {
        let _ = id;
        Err(Error::Stalled(self.home.clone()))
    }

    /// Goes on with an upload at its durable end. When another pod had it, that pod can acknowledge nothing more from
    /// now on; an earlier writer of this pod is fenced, too.
    ///
    /// # Errors
    /// [`Error::OffsetConflict`] when it does not go on there, [`Error::UploadGone`] when there is none.
    pub async fn continue_upload(&self, id: UploadId, offset: u64) -> Result<UploadWriter, Error> {
        let _ = (id, offset);
        Err(Error::Stalled(self.home.clone()))
    }

    /// Gives up an upload and gives back what it reserved. One that is complete stays as it is.
    ///
    /// # Errors
    /// [`Error::UploadGone`] when there is none.
    pub async fn abort_upload(&self, id: UploadId) -> Result<(), Error> {
        let _ = id;
        Err(Error::Stalled(self.home.clone()))
    }
}
