//! Whether what was answered is what is in the log.

use std::collections::BTreeSet;

use super::super::coverage::Met;
use super::super::history::{Answer, Call, Read, Transfer};
use super::Judge;
use crate::format::entry::Entry;
use crate::format::frame::Hash;
use crate::format::record::{self, Action};

impl Judge<'_> {
    /// What is in the log.
    pub(super) fn count(&mut self, entries: &[(Entry, Hash)]) {
        let mut clocks = BTreeSet::new();
        for (entry, _) in entries {
            let generation = entry.generation.0;
            clocks.insert(entry.committer);
            for record in &entry.records {
                let before =
                    record.operation.and_then(|operation| self.done.insert(operation.id, generation));
                if before.is_some() {
                    self.wrong(format!("1: an operation was done twice, again in {generation}"));
                }
                if let Action::Extend(extend) = &record.action {
                    self.uploads
                        .durable
                        .entry(extend.upload)
                        .or_default()
                        .push((generation, extend.durable.0));
                }
                match &record.action {
                    Action::Complete(complete) => {
                        let before = self.uploads.completed.insert(complete.upload, generation);
                        if let Some(before) = before {
                            self.wrong(format!("1: an upload was completed in {before} and in {generation}"));
                        }
                    }
                    Action::Abort(abort) => {
                        if self
                            .uploads
                            .transfers
                            .get(&abort.upload)
                            .is_some_and(|transfer| !transfer.giving_up)
                        {
                            self.world.meet(Met::Expired);
                        }
                        self.uploads.ended.insert(abort.upload, (generation, clocks.len()));
                    }
                    Action::CreateUpload(record::CreateUpload { upload, .. })
                    | Action::TakeOver(record::TakeOver { upload, .. })
                    | Action::Extend(record::Extend { upload, .. }) => {
                        self.uploads.heard.insert(*upload, entry.clock);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whether answers fit what is in the log.
    pub(super) fn hold_answers(&self) {
        for Call { id, wish, tokens: _, asked, answers } in &self.told.calls {
            let found = self.done.get(id);
            for (_, answer) in answers {
                if let (Answer::Refused(_) | Answer::Unchanged | Answer::Moot, Some(found), 1) =
                    (answer, found, *asked)
                {
                    self.wrong(format!("1: {wish:?} was answered {answer:?}, and is in {found}"));
                }
            }
        }
        for Transfer { id, path, finished, acknowledged: _, .. } in &self.told.transfers {
            match (finished, self.uploads.completed.get(id)) {
                (Some(told), Some(found)) if told == found => {}
                (Some(told), found) => {
                    self.wrong(format!(
                        "1: the upload of {path} is a file in {found:?}, and somebody was told {told}"
                    ));
                }
                (None, _) => {}
            }
        }
        for (id, told, until) in &self.told.acknowledged {
            self.world.meet(Met::Acknowledged);
            let durable =
                self.uploads.durable.get(id).into_iter().flatten().filter(|(since, _)| since <= until);
            let durable = durable.map(|(_, durable)| *durable).max().unwrap_or(0);
            if durable < *told {
                self.wrong(format!(
                    "3: {told} bytes of the upload {id} were acknowledged, {durable} were durable"
                ));
            }
        }
        for Read { generation, window, .. } in &self.told.reads {
            let after = if self.history.blind { 0 } else { window.after };
            if *generation < after || *generation > window.until {
                self.wrong(format!("6: generation {generation} was shown, and {window:?} would be right"));
            }
        }
    }
}
