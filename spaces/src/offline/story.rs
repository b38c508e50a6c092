//! What was done in a space, entry by entry, in words.

use api::generation::Generation;
use api::ids::SpaceId;
use serde::Serialize;
use uuid::Uuid;

use super::chain::{Chain, Link};
use super::sentence::sentence;
use super::{OfflineError, OfflineVolume};
use crate::format::entry::Entry;
use crate::format::record::Identified;
use crate::state::State;
use crate::state::apply::Moment;

/// One entry of a log.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedEntry {
    /// Its number.
    pub generation: Generation,
    /// The committer's wall clock, in milliseconds since 1970.
    pub clock: i64,
    /// The machine that clock is of.
    pub committer: String,
    /// Its own id.
    pub id: Uuid,
    /// How many bytes its file has.
    pub length: usize,
    /// What was done, in order.
    pub operations: Vec<LoggedOperation>,
}

/// One step of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedOperation {
    /// The operation that ends with this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Uuid>,
    /// What was done, in words.
    pub what: String,
}

impl OfflineVolume {
    /// Tells what was done in a space, for as long as `tell` goes on, from a generation to another, both included.
    ///
    /// # Errors
    /// When the volume can not be read, or the log is broken; what comes before that was told.
    pub async fn log(
        &self,
        space: SpaceId,
        from: Option<Generation>,
        to: Option<Generation>,
        mut tell: impl FnMut(LoggedEntry) -> std::ops::ControlFlow<()>,
    ) -> Result<(), OfflineError> {
        let log = self.space(space).await?;
        let mut chain = Chain::open(&log).await?;
        loop {
            let before = chain.state().clone();
            if to.is_some_and(|to| before.generation >= to) {
                return Ok(());
            }
            match chain.next().await? {
                None => return Ok(()),
                Some(Link::Entry { entry, length, state }) => {
                    if from.is_some_and(|from| entry.generation < from) {
                        continue;
                    }
                    if tell(told(&before, &state, &entry, length)).is_break() {
                        return Ok(());
                    }
                }
                Some(Link::Broken(what) | Link::Start { differs: Some(what) }) => {
                    return Err(OfflineError::Broken(what));
                }
                Some(Link::Start { differs: None } | Link::Resumed(_)) => {}
            }
        }
    }
}

/// An entry in words: what it names is called as it was just before each step.
fn told(before: &State, after: &State, entry: &Entry, length: usize) -> LoggedEntry {
    let Entry { format: _, space: _, generation, id, previous: _, clock, committer, records } = entry;
    let moment = Moment { generation: *generation, clock: *clock };
    let mut state = before.clone();
    let mut operations = Vec::with_capacity(records.len());
    for record in records {
        let operation = record.operation.map(|Identified { id, born: _ }| id.0);
        operations.push(LoggedOperation { operation, what: sentence(&state, &record.action) });
        // It was folded before: it fits.
        if state.apply(record, moment).is_err() {
            state = after.clone();
        }
    }
    LoggedEntry {
        generation: *generation,
        clock: *clock,
        committer: format!("{committer:?}"),
        id: id.0,
        length,
        operations,
    }
}
