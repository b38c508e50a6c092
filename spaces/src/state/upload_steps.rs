//! The steps of an entry that begin, extend and end uploads and reservations.

use std::sync::Arc;

use api::bytes::Bytes;

use super::State;
use super::apply::{Applied, Misfit, Moment};
use super::upload::{Complete, Open, Upload};
use crate::extent::Extents;
use crate::format::record;
use crate::node::NodeId;
use crate::operation::UploadId;
use crate::rule::{Rule, kept};

impl State {
    pub(super) fn create_upload(&mut self, create: &record::CreateUpload, at: Moment) -> Applied {
        let record::CreateUpload { upload, length, object, target, volume } = create;
        self.introducible(*volume, *object)?;
        self.reserved = self.reserved.checked_add(*length).ok_or(Misfit("sizes overflow"))?;
        self.objects.refer(*volume, *object);
        let open = Open {
            length: *length,
            target: target.clone().map(Arc::new),
            epoch: 1,
            object: *object,
            extents: Extents::default(),
            volume: *volume,
            base: Bytes::ZERO,
            durable: Bytes::ZERO,
            heard: at.clock,
        };
        match self.uploads.insert(*upload, Upload::Open(open)) {
            None => Ok(()),
            Some(_) => Err(Misfit("an upload was created before")),
        }
    }

    pub(super) fn open_mut(&mut self, upload: UploadId) -> Applied<&mut Open> {
        match self.uploads.get_mut(&upload) {
            Some(Upload::Open(open)) => Ok(open),
            _ => Err(Misfit("an upload is not under way")),
        }
    }

    pub(super) fn take_over(&mut self, take: &record::TakeOver, at: Moment) -> Applied {
        let record::TakeOver { upload, epoch, object, volume } = take;
        self.introducible(*volume, *object)?;
        let open = self.open_mut(*upload)?;
        if *epoch != open.epoch + 1 {
            return Err(Misfit("an upload is taken over from somebody else"));
        }
        let kept = open.durable > open.base;
        let old = (open.volume, open.object);
        open.extents = open.closed();
        open.base = open.durable;
        open.epoch = *epoch;
        open.object = *object;
        open.volume = *volume;
        open.heard = at.clock;
        self.objects.refer(*volume, *object);
        // What the old owner wrote durably is an extent now, which keeps its reference.
        if !kept {
            self.objects.drop_reference(old.0, old.1, at.generation);
        }
        Ok(())
    }

    pub(super) fn extend(&mut self, extend: &record::Extend, at: Moment) -> Applied {
        let record::Extend { upload, epoch, durable, length } = extend;
        let open = self.open_mut(*upload)?;
        if length.is_some() && open.target.is_some() {
            return Err(Misfit("the length of an upload changes"));
        }
        let before = open.length;
        open.length = length.map_or(before, Bytes);
        let another = *epoch != open.epoch && kept(Rule::OwnerExtends);
        if another || *durable < open.durable || *durable > open.length {
            return Err(Misfit("an upload is extended by somebody else"));
        }
        open.durable = *durable;
        open.heard = at.clock;
        let after = open.length;
        let without =
            self.reserved.0.checked_sub(before.0).ok_or(Misfit("more is freed than is reserved"))?;
        self.reserved = Bytes(without).checked_add(after).ok_or(Misfit("sizes overflow"))?;
        Ok(())
    }

    pub(super) fn complete(&mut self, complete: &record::Complete, at: Moment) -> Applied<NodeId> {
        let record::Complete { upload, epoch, parent, name, keep } = complete;
        let open = self.open_mut(*upload)?.clone();
        if open.epoch != *epoch || open.durable != open.length {
            return Err(Misfit("an upload is not complete"));
        }
        let target = open.target.clone().ok_or(Misfit("a reservation is no upload"))?;
        let extents = open.closed();
        self.objects.refer_all(&extents);
        self.end_upload(*upload, at)?;
        let node = self.write(*parent, name, extents, *keep, at)?;
        let complete = Complete { length: open.length, target, node, generation: at.generation };
        self.uploads.insert(*upload, Upload::Complete(complete));
        Ok(node)
    }

    /// Ends an upload or a reservation, and drops what it refers to.
    pub(super) fn end_upload(&mut self, upload: UploadId, at: Moment) -> Applied<Open> {
        let open = self.open_mut(upload)?.clone();
        self.uploads.remove(&upload);
        let left =
            self.reserved.0.checked_sub(open.length.0).ok_or(Misfit("more is freed than is reserved"))?;
        self.reserved = Bytes(left);
        self.objects.drop_all(&open.extents, at.generation);
        self.objects.drop_reference(open.volume, open.object, at.generation);
        Ok(open)
    }
}
