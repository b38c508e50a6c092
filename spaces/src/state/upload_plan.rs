//! Decides what an operation on an upload does to a state.

use api::bytes::Bytes;

use super::State;
use super::plan::{Plan, Planned};
use super::retention::Retention;
use super::upload::{Open, Upload};
use crate::error::Error;
use crate::extent::{ObjectId, VolumeIndex};
use crate::format::record::{self, Action, Target};
use crate::name::Name;
use crate::node::NodeId;
use crate::operation::{Condition, UploadId};
use crate::path::NodePath;
use crate::rule::{Rule, kept};

/// Where an upload goes.
struct Destination {
    /// The steps that make the directories above.
    actions: Vec<Action>,
    parent: NodeId,
    name: Name,
    /// The step that says when the content is of, once the file is there.
    dated: Option<Action>,
}

impl State {
    pub(super) fn plan_upload(&self, create: record::CreateUpload) -> Plan {
        if self.uploads.contains_key(&create.upload) {
            return Ok(Planned::Nothing { node: None });
        }
        if let Some(target) = &create.target {
            self.target(target)?;
        }
        self.fits(create.length, Bytes::ZERO)?;
        if !self.may_refer(create.volume, create.object) {
            return Err(Error::OutcomeUnknown);
        }
        Ok(Planned::one(Action::CreateUpload(create)))
    }

    /// Where an upload goes, when it may go there.
    fn target(&self, target: &Target) -> Result<Destination, Error> {
        let path = NodePath::from(target.path.clone());
        let slot = self.slot(&path, target.parents)?;
        let condition = Condition::from(target.expected.clone());
        if !self.holds(&condition, slot.taken) {
            return Err(if condition == Condition::Absent { Error::Exists } else { Error::Precondition });
        }
        self.replaceable(slot.taken)?;
        let (actions, parent) = self.make_missing(&slot);
        Ok(Destination {
            actions,
            parent,
            name: slot.name.clone(),
            dated: self.dated(&slot, target.modified),
        })
    }

    fn open_upload(&self, upload: UploadId) -> Result<&Open, Error> {
        match self.uploads.get(&upload) {
            None => Err(Error::UploadGone),
            Some(Upload::Complete(_)) => Err(Error::Fenced),
            Some(Upload::Open(open)) => Ok(open),
        }
    }

    pub(super) fn plan_extend(
        &self,
        upload: UploadId,
        epoch: u64,
        durable: Bytes,
        length: Option<Bytes>,
    ) -> Plan {
        let open = self.open_upload(upload)?;
        if open.epoch != epoch && kept(Rule::OwnerExtends) {
            return Err(Error::Fenced);
        }
        // How long an upload is was said when it was created.
        let length = length.filter(|_| open.target.is_none());
        let reserved = length.unwrap_or(open.length);
        self.fits(reserved, open.length)?;
        let durable = durable.max(open.durable);
        if durable > reserved {
            return Err(Error::TooLong);
        }
        if durable == open.durable && reserved == open.length {
            return Ok(Planned::Nothing { node: None });
        }
        let length = length.map(|length| length.0);
        Ok(Planned::one(Action::Extend(record::Extend { upload, epoch, durable, length })))
    }

    pub(super) fn plan_complete(&self, upload: UploadId, epoch: u64, retention: Retention) -> Plan {
        let open = self.open_upload(upload)?;
        if open.epoch != epoch {
            return Err(Error::Fenced);
        }
        let target = open.target.as_ref().ok_or(Error::UploadGone)?;
        let Destination { actions: missing, parent, name, dated } = self.target(target)?;
        let taken = self.find(&NodePath::from(target.path.clone()));
        // What it reserved becomes its own, and what it replaces grows nothing by being kept.
        let (keep, mut actions, _) = self.overwritten(taken, self.replaceable(taken)?, retention);
        actions.extend(missing);
        if open.durable < open.length {
            let (durable, length) = (open.length, None);
            actions.push(Action::Extend(record::Extend { upload, epoch, durable, length }));
        }
        actions.push(Action::Complete(record::Complete { upload, epoch, parent, name, keep }));
        actions.extend(dated);
        let nodes = actions.len();
        Ok(Planned::Steps { actions, nodes })
    }

    pub(super) fn plan_take_over(
        &self,
        upload: UploadId,
        epoch: u64,
        object: ObjectId,
        volume: VolumeIndex,
    ) -> Plan {
        let open = self.open_upload(upload)?;
        if (open.epoch, open.volume, open.object) == (epoch, volume, object) {
            return Ok(Planned::Nothing { node: None });
        }
        if open.epoch + 1 != epoch {
            return Err(Error::Fenced);
        }
        if !self.may_refer(volume, object) {
            return Err(Error::OutcomeUnknown);
        }
        Ok(Planned::one(Action::TakeOver(record::TakeOver { upload, epoch, object, volume })))
    }

    pub(super) fn plan_abort(&self, upload: UploadId) -> Plan {
        match self.uploads.get(&upload) {
            None => Err(Error::UploadGone),
            Some(Upload::Complete(_)) => Ok(Planned::Nothing { node: None }),
            Some(Upload::Open(_)) => Ok(Planned::one(Action::Abort(record::Abort { upload }))),
        }
    }
}
