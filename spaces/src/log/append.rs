//! Adds an entry to a log: the one moment at which pods compete.

use std::time::Duration;

use api::generation::Generation;
use bytes::Bytes;

use super::Log;
use super::layout::block_of;
use crate::file_system::{self, FsError, Halted, Spent, Step};
use crate::format::entry::{Entry, EntryId, LONGEST_ENTRY};
use crate::rule::{Rule, kept};

/// So often the same entry is linked again, when it neither landed nor found another one there.
const MOST_TRIES: u32 = 8;

/// So many of the looks at what is there may fail.
const MOST_BLIND: u32 = 2;

/// An entry that is to get its place.
pub(crate) struct Candidate {
    /// Its file, when that is not in `tmp/` yet, durable.
    pub(crate) file: Option<Bytes>,
    pub(crate) temporary: String,
    pub(crate) generation: Generation,
    pub(crate) id: EntryId,
}

/// What became of an entry whose link was tried.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is in the log, durably.
    Won,
    /// Another entry is there: its file.
    Lost(Bytes),
    /// Nothing came of it, for it could not be written.
    Unwritten(FsError),
    /// It is in a block that is being truncated, and so perhaps in no log at all.
    Truncated,
    /// It may be in the log or may come to be.
    Unknown(FsError),
}

impl Log {
    /// Links an entry into the log. Its name in `tmp/` goes, whatever came of it.
    pub(crate) async fn append(&self, candidate: &Candidate) -> Appended {
        let Candidate { file, temporary, generation, id: _ } = candidate;
        let write = file.clone().map(|content| Step::Write { path: temporary.clone(), content });
        let link = Step::Link { from: temporary.clone(), to: self.layout.entry(*generation) };
        let linked = usize::from(write.is_some());
        let steps = write.into_iter().chain([link]).chain(self.settling(*generation)).collect();
        let appended = match file_system::steps(self.volume.fs.as_ref(), steps, Some(temporary)).await {
            Ok(Spent::Goes) => return Appended::Won,
            Ok(Spent::Stays) => Appended::Won,
            Err(Halted { step, error }) if step < linked => Appended::Unwritten(error),
            Err(Halted { step, error }) if step == linked => self.look(candidate, error).await,
            Err(halted) => settled(Err(halted)),
        };
        self.discard(temporary.clone());
        appended
    }

    /// Takes a name away; nobody waits for it.
    pub(crate) fn discard(&self, name: String) {
        let volume = self.volume.clone();
        self.host.spawn(Box::pin(async move {
            // What is left is garbage, and known as such.
            let _ = volume.fs.unlink(&name).await;
        }));
    }

    /// What is done once an entry has its place.
    fn settling(&self, generation: Generation) -> Vec<Step> {
        let sync =
            kept(Rule::PlaceDurable).then(|| Step::SyncDirectory { path: self.layout.block(generation) });
        // A pod that slept since it read the log may have linked into a past that is no more.
        let gone =
            kept(Rule::LookForGone).then(|| Step::Missing { path: self.layout.gone(block_of(generation)) });
        sync.into_iter().chain(gone).collect()
    }

    /// Looks what became of a link that failed. A reply can be lost, and a link can land late: what is there decides,
    /// not what was answered.
    async fn look(&self, candidate: &Candidate, answer: FsError) -> Appended {
        let Candidate { file: _, temporary, generation, id } = candidate;
        let place = self.layout.entry(*generation);
        let (mut blind, mut answer) = (0, answer);
        for attempt in 0..MOST_TRIES {
            match self.volume.fs.read(&place, LONGEST_ENTRY).await {
                // One that can not be understood is somebody else's; whoever folds it will say what is wrong.
                Ok(file)
                    if kept(Rule::WinnerById)
                        && Entry::open(&file).is_ok_and(|(entry, _)| entry.id == *id) =>
                {
                    return self.settle(*generation).await;
                }
                Ok(file) => return Appended::Lost(file),
                Err(FsError::NotFound) => {}
                // Whoever waits is better served elsewhere.
                Err(FsError::Stalled) => return Appended::Unknown(FsError::Stalled),
                Err(error) => {
                    blind += 1;
                    if blind == MOST_BLIND {
                        return Appended::Unknown(error);
                    }
                }
            }
            self.host.sleep(Duration::from_millis(1 << attempt.min(6))).await;
            if attempt + 1 < MOST_TRIES {
                match self.volume.fs.link(temporary, &place).await {
                    Ok(()) => return self.settle(*generation).await,
                    Err(error) => answer = error,
                }
            }
        }
        // After a long sleep even the name in `tmp/` may be gone, for nothing can come of it. Whether an earlier try had
        // landed, the ids of the operations tell.
        if answer == FsError::NotFound && self.is_gone(*generation).await == Ok(true) {
            return Appended::Truncated;
        }
        Appended::Unknown(answer)
    }

    async fn settle(&self, generation: Generation) -> Appended {
        settled(file_system::steps(self.volume.fs.as_ref(), self.settling(generation), None).await)
    }
}

/// What became of an entry that has its place.
fn settled(done: Result<Spent, Halted>) -> Appended {
    match done {
        Ok(_) => Appended::Won,
        // Of these steps only one can find a name.
        Err(Halted { error: FsError::Exists, .. }) => Appended::Truncated,
        Err(Halted { error, .. }) => Appended::Unknown(error),
    }
}
