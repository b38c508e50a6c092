//! What was written or reserved for a file that may never be: it is taken away when nothing comes of it.

use std::sync::Arc;

use super::Replica;
use crate::extent::ObjectId;
use crate::operation::UploadId;
use crate::state::intent::Intent;
use crate::volume::Volume;

/// Objects and a reservation that no file has yet.
pub(crate) struct Unfinished {
    replica: Arc<Replica>,
    objects: Vec<(Arc<Volume>, ObjectId)>,
    reservation: Option<UploadId>,
}

impl Unfinished {
    pub(crate) fn new(replica: Arc<Replica>) -> Self {
        Self { replica, objects: Vec::new(), reservation: None }
    }

    pub(crate) fn has_object(&mut self, volume: Arc<Volume>, object: ObjectId) {
        self.objects.push((volume, object));
    }

    pub(crate) fn has_reservation(&mut self, reservation: UploadId) {
        self.reservation = Some(reservation);
    }

    /// From now on an entry that refers to the objects may come to be, whatever is answered.
    pub(crate) fn keep_objects(&mut self) {
        self.objects.clear();
    }

    /// The objects belong to files, and the reservation has ended with that.
    pub(crate) fn settle(mut self) {
        self.objects.clear();
        self.reservation = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let (objects, reservation) = (std::mem::take(&mut self.objects), self.reservation.take());
        if objects.is_empty() && reservation.is_none() {
            return;
        }
        let replica = self.replica.clone();
        self.replica.shared.host.spawn(Box::pin(async move {
            // What fails here is left to the collector, and to the expiry of the reservation.
            if let Some(upload) = reservation {
                let _ = replica.step(Intent::Abort { upload }).await;
            }
            for (volume, object) in objects {
                let _ = volume.fs.unlink(&replica.shared.log.layout.object(object)).await;
            }
        }));
    }
}
