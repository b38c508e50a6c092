//! Applies the steps of an entry. What an entry says was decided by its committer; here it is only asked whether it
//! fits, for if it does not, this is not the state that the entry was written for.

use api::generation::Generation;

use super::State;
use super::inode::{Children, Content, Directory};
use super::limit::Limit;
use super::upload::Upload;
use crate::format::FORMAT;
use crate::format::entry::{Committer, Entry};
use crate::format::frame::Hash;
use crate::format::pool::Import;
use crate::format::record::{self, Action, Record};
use crate::node::NodeId;
use crate::rule::{Rule, kept};

/// How an entry does not fit its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not fit what came before it: {0}")]
pub(crate) struct Misfit(pub(crate) &'static str);

/// When and where a step happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) generation: Generation,
    pub(crate) clock: i64,
}

pub(super) type Applied<T = ()> = Result<T, Misfit>;

impl State {
    /// The state after one more entry.
    pub(crate) fn fold(&self, entry: &Entry, hash: Hash) -> Applied<Self> {
        let Entry { format, space, generation, id: _, previous, clock, committer, records } = entry;
        let mut next = self.clone();
        if *space != self.space {
            return Err(Misfit("it is of another space"));
        }
        if *generation != self.generation.next() {
            return Err(Misfit("it is of another generation"));
        }
        if *previous != self.head {
            return Err(Misfit("its predecessor is another entry"));
        }
        if *format > self.format {
            return Err(Misfit("its format was not announced"));
        }
        let moment = Moment { generation: *generation, clock: *clock };
        for record in records {
            if record.action.format() > *format {
                return Err(Misfit("a step is of a newer format than its entry"));
            }
            next.apply(record, moment)?;
        }
        if next.format > FORMAT {
            return Err(Misfit("from here on the log has a newer format; use a newer version"));
        }
        next.close(moment, *committer, hash);
        Ok(next)
    }

    /// Ends an entry.
    pub(crate) fn close(&mut self, at: Moment, committer: Committer, hash: Hash) {
        self.clocks.note(committer, at.clock);
        self.generation = at.generation;
        self.head = hash;
    }

    /// Does one step. When it does not fit, the state is of no more use.
    pub(crate) fn apply(&mut self, record: &Record, at: Moment) -> Applied {
        let Record { operation, action } = record;
        let node = self.act(action, at)?;
        if let (Some(operation), Action::Import(Import { source: Some(source), .. })) = (operation, action) {
            self.moves.insert(operation.id, *source);
        }
        match operation {
            Some(operation) if operation.born < self.low && kept(Rule::LowForOperations) => {
                Err(Misfit("an operation is older than the watermark"))
            }
            Some(operation) if operation.born >= at.generation => {
                Err(Misfit("an operation is of the future"))
            }
            Some(operation)
                if !self.outcomes.remember(*operation, at.generation, node) && kept(Rule::OnceByItsId) =>
            {
                Err(Misfit("an operation was done before"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn act(&mut self, action: &Action, at: Moment) -> Applied<Option<NodeId>> {
        match action {
            Action::MakeDirectory(record::MakeDirectory { parent, name }) => {
                let version = self.next;
                let content = Directory { version, modified: at.clock, children: Children::new() };
                self.make(*parent, name, Content::Directory(content)).map(Some)
            }
            Action::Put(put) => self.put(put, at).map(Some),
            Action::Move(to) => self.relocate(to, at).map(Some),
            Action::Copy(copy) => self.copy(copy, at).map(Some),
            Action::Delete(record::Delete { node }) => self.delete(*node, at).map(|()| None),
            Action::Limit(wish) => {
                if wish.roster_generation <= self.limit.roster_generation && kept(Rule::NewerRoster) {
                    return Err(Misfit("a limit is older than the one before"));
                }
                if self.is_removed() {
                    return Err(Misfit("a space that was removed gets a limit"));
                }
                let taken = self.used.checked_add(self.reserved).ok_or(Misfit("sizes overflow"))?;
                self.limit = Limit::clamped(wish, taken);
                // Whoever gives room to a closed space has it opened.
                self.closed = None;
                Ok(None)
            }
            Action::CreateUpload(create) => self.create_upload(create, at).map(|()| None),
            Action::TakeOver(take) => self.take_over(take, at).map(|()| None),
            Action::Extend(extend) => self.extend(extend, at).map(|()| None),
            Action::Complete(complete) => self.complete(complete, at).map(Some),
            Action::Abort(record::Abort { upload }) => self.end_upload(*upload, at).map(|_| None),
            Action::Trash(trash) => self.trash(trash, at).map(|()| None),
            Action::Restore(restore) => self.restore_trashed(restore).map(Some),
            Action::Purge(purge) => self.purge(purge, at).map(|()| None),
            Action::RestoreVersion(restore) => self.restore_version(restore, at).map(Some),
            Action::Sweep(record::Sweep { low, truncated }) => {
                if *low < self.low || *low > self.generation || *truncated > self.generation {
                    return Err(Misfit("a watermark goes back or is of the future"));
                }
                self.sweep(*low, *truncated);
                Ok(None)
            }
            Action::Lock(lock) => self.lock(lock, at).map(Some),
            Action::Unlock(unlock) => self.unlock(unlock).map(|()| None),
            Action::NameVolume(name) => self.name_volume(name).map(|()| None),
            Action::Relocate(step) => self.relocate_object(step, at).map(|()| None),
            Action::Close(close) => self.close_space(close, at).map(|()| None),
            Action::Import(import) => self.import(import, at).map(Some),
            Action::SetProperties(changes) => self.set_properties(changes).map(Some),
            Action::CreateShare(share) => self.create_share(share, at).map(Some),
            Action::RemoveShare(share) => self.remove_share(share).map(|()| None),
            Action::UseShare(share) => self.use_share(share).map(Some),
            Action::Format(record::Format { format }) => {
                if *format <= self.format {
                    return Err(Misfit("a format goes back"));
                }
                self.format = *format;
                Ok(None)
            }
        }
    }

    fn sweep(&mut self, low: Generation, truncated: Generation) {
        self.low = low;
        self.outcomes.forget(low);
        let forgotten = self.moves.keys().filter(|id| self.outcomes.get(**id).is_none());
        for id in forgotten.copied().collect::<Vec<_>>() {
            self.moves.remove(&id);
        }
        self.objects.forget(truncated);
        let passed = |upload: &Upload| matches!(upload, Upload::Complete(done) if done.generation < low);
        let dead: Vec<_> =
            self.uploads.iter().filter(|(_, upload)| passed(upload)).map(|(id, _)| *id).collect();
        for id in dead {
            self.uploads.remove(&id);
        }
    }
}
