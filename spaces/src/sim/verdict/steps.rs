//! The steps of the log, done to the oracle.

use super::super::coverage::Met;
use super::super::history::Call;
use super::super::oracle::{Demand, Did, Open};
use super::Judge;
use crate::format::record::{Action, Expected, Record, Target};
use crate::operation::UploadId;
use crate::path::NodePath;

impl Judge<'_> {
    /// One step of the log, done to the oracle.
    pub(super) fn step(&mut self, record: &Record, generation: u64) {
        let known = record.operation.and_then(|operation| self.calls.get(&operation.id).copied());
        if let (Some(call), Action::Import(import)) = (known, &record.action) {
            return self.import(import, &call.wish, generation);
        }
        if let Some(call @ Call { wish, .. }) = known {
            if let Action::Delete(_) = &record.action {
                self.moved_away(call, generation);
            }
            let held = match &record.action {
                Action::Put(put) => put.reservation.and_then(|id| self.oracle.uploads.remove(&id)),
                _ => None,
            };
            let wish = wish.clone();
            let granted = self.oracle.grant(&wish, held.map_or(0, |open| open.length));
            if granted != Ok(Did::Something) {
                self.wrong(format!(
                    "1: generation {generation} has {wish:?}, which ends in {granted:?} there"
                ));
            }
            return;
        }
        match &record.action {
            Action::CreateUpload(create) => {
                let target = create.target.as_ref().map(demanded);
                let length = create.length.0;
                let allowed = match &target {
                    Some((path, demand, parents)) => self.oracle.target(path, demand, *parents),
                    None => Ok(()),
                };
                if let Err(refusal) = allowed.and_then(|()| self.oracle.room(length, 0)) {
                    self.wrong(format!(
                        "2: generation {generation} begins an upload; it should be {refusal:?}"
                    ));
                }
                self.oracle.uploads.insert(create.upload, Open { length, target });
            }
            Action::Extend(extend) => {
                let Some(open) = self.oracle.uploads.get(&extend.upload).cloned() else {
                    return self.wrong(format!("1: generation {generation} extends an upload that is none"));
                };
                let length = extend.length.unwrap_or(open.length);
                if let Err(refusal) = self.oracle.room(length, open.length) {
                    self.wrong(format!("2: generation {generation} reserves more; it should be {refusal:?}"));
                }
                self.oracle.uploads.insert(extend.upload, Open { length, ..open });
            }
            Action::Abort(abort) => {
                if self.oracle.uploads.remove(&abort.upload).is_none() {
                    self.wrong(format!("1: generation {generation} ends an upload that is none"));
                }
            }
            Action::Complete(complete) => self.complete(complete.upload, generation),
            // Directories above a file come before it, and are made with it.
            Action::MakeDirectory(_) if record.operation.is_none() => {}
            Action::TakeOver(_) => self.world.meet(Met::TakeOver),
            Action::Sweep(_) => self.world.meet(Met::Swept),
            Action::Format(_) => {}
            // Where bytes lie is nothing to members; see `hold_tags` and `hold_bytes`.
            Action::NameVolume(_) => self.world.meet(Met::VolumeNamed),
            Action::Relocate(_) => {}
            other => {
                self.wrong(format!("1: generation {generation} has something nobody asked for: {other:?}"))
            }
        }
    }

    fn complete(&mut self, upload: UploadId, generation: u64) {
        let (open, transfer) =
            (self.oracle.uploads.remove(&upload), self.uploads.transfers.get(&upload).copied());
        let (Some(Open { length, target: Some((path, demand, parents)) }), Some(transfer)) = (open, transfer)
        else {
            return self.wrong(format!("1: generation {generation} completes an upload that is none"));
        };
        if transfer.content.length != length || transfer.path != path {
            self.wrong(format!("1: generation {generation} completes another upload than was begun"));
        }
        if let Err(refusal) = self.oracle.target(&path, &demand, parents) {
            self.wrong(format!("1: generation {generation} completes an upload; it should be {refusal:?}"));
        }
        self.oracle.write(&path, transfer.content);
    }
}

fn demanded(target: &Target) -> (String, Demand, bool) {
    let Target { path, expected, parents, locks: _, modified: _ } = target;
    let demand = match expected {
        Expected::Anything => Demand::Anything,
        Expected::Nothing => Demand::Nothing,
        Expected::Tag(tag) => Demand::Tag(tag.clone()),
    };
    (NodePath::from(path.clone()).to_string(), demand, *parents)
}
