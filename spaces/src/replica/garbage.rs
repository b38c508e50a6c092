//! What was written or reserved for a file that may never be: it is taken away when nothing comes of it.

use std::sync::Arc;

use super::Replica;
use crate::extent::ObjectId;
use crate::operation::UploadId;
use crate::state::intent::Intent;

/// An object and a reservation that no file has yet.
pub(crate) struct Unfinished {
    replica: Arc<Replica>,
    object: Option<ObjectId>,
    reservation: Option<UploadId>,
}

impl Unfinished {
    pub(crate) fn new(replica: Arc<Replica>) -> Self {
        Self { replica, object: None, reservation: None }
    }

    pub(crate) fn has_object(&mut self, object: ObjectId) {
        self.object = Some(object);
    }

    pub(crate) fn has_reservation(&mut self, reservation: UploadId) {
        self.reservation = Some(reservation);
    }

    /// From now on an entry that refers to the object may come to be, whatever is answered.
    pub(crate) fn keep_object(&mut self) {
        self.object = None;
    }

    /// The object belongs to a file, and the reservation has ended with it.
    pub(crate) fn settle(mut self) {
        self.object = None;
        self.reservation = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let (object, reservation) = (self.object.take(), self.reservation.take());
        if object.is_none() && reservation.is_none() {
            return;
        }
        let replica = self.replica.clone();
        self.replica.shared.host.spawn(Box::pin(async move {
            // What fails here is left to the collector, and to the expiry of the reservation.
            if let Some(upload) = reservation {
                let _ = replica.step(Intent::Abort { upload }).await;
            }
            if let Some(object) = object {
                let log = &replica.shared.log;
                let _ = log.volume.fs.unlink(&log.layout.object(object)).await;
            }
        }));
    }
}
