//! Adds an entry to a log: the one moment at which pods compete.

use std::time::Duration;

use api::generation::Generation;

use super::Log;
use crate::file_system::FsError;
use crate::format::entry::{Entry, EntryId, LONGEST_ENTRY};
use crate::rule::{Rule, kept};

/// So often the same entry is linked again, when it neither landed nor found another one there.
const MOST_TRIES: u32 = 8;

/// So many of the looks at what is there may fail.
const MOST_BLIND: u32 = 2;

/// An entry in `tmp/`, durable.
pub(crate) struct Candidate {
    pub(crate) temporary: String,
    pub(crate) generation: Generation,
    pub(crate) id: EntryId,
}

/// What became of an entry whose link was tried.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is in the log, durably.
    Won,
    /// Another entry is there.
    Lost,
    /// It is in a block that is being truncated, and so perhaps in no log at all.
    Truncated,
    /// It may be in the log or may come to be.
    Unknown(FsError),
}

impl Log {
    /// Links an entry into the log.
    pub(crate) async fn append(&self, candidate: &Candidate) -> Appended {
        match self.link(candidate).await {
            Ok(true) => {}
            Ok(false) => return Appended::Lost,
            Err(error) => return Appended::Unknown(error),
        }
        let block = self.layout.block(candidate.generation);
        if kept(Rule::PlaceDurable)
            && let Err(error) = self.volume.fs.sync_directory(&block).await
        {
            return Appended::Unknown(error);
        }
        // A pod that slept since it read the log may have linked into a past that is no more.
        match self.is_gone(candidate.generation).await {
            Ok(false) => Appended::Won,
            Ok(true) => Appended::Truncated,
            Err(error) => Appended::Unknown(error),
        }
    }

    /// Whether the entry got its place, and not another one.
    async fn link(&self, candidate: &Candidate) -> Result<bool, FsError> {
        let Candidate { temporary, generation, id } = candidate;
        let place = self.layout.entry(*generation);
        let mut blind = 0;
        let mut last = FsError::Stalled;
        for attempt in 0..MOST_TRIES {
            let Err(answer) = self.volume.fs.link(temporary, &place).await else { return Ok(true) };
            // A reply can be lost, and a link can land late: what is there decides, not what was answered.
            match self.volume.fs.read(&place, LONGEST_ENTRY).await {
                // One that can not be understood is somebody else's; whoever folds it will say what is wrong.
                Ok(file) => return Ok(Entry::open(&file).is_ok_and(|(entry, _)| entry.id == *id)),
                Err(FsError::NotFound) => last = answer,
                // Whoever waits is better served elsewhere.
                Err(FsError::Stalled) => return Err(FsError::Stalled),
                Err(error) => {
                    blind += 1;
                    if blind == MOST_BLIND {
                        return Err(error);
                    }
                }
            }
            self.host.sleep(Duration::from_millis(1 << attempt.min(6))).await;
        }
        Err(last)
    }
}
