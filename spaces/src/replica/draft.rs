//! Puts an entry together: which of the operations that wait are in it, and what the others are told.

use std::sync::Arc;

use super::Pending;
use crate::error::Error;
use crate::format::FORMAT;
use crate::format::entry::{Committer, Entry, EntryId, LONGEST_ENTRY, encoded_length};
use crate::format::frame::{Hash, OVERHEAD};
use crate::format::record::{self, Action, Identified, Record};
use crate::node::NodeId;
use crate::operation::Committed;
use crate::rule::{Rule, kept};
use crate::settings::Settings;
use crate::state::State;
use crate::state::apply::Moment;
use crate::state::outcome::Outcome;
use crate::state::plan::{MOST_NODES, Planned};
use crate::state::retention::Retention;

/// What an entry says of itself, at most.
const HEAD: usize = 512;

/// What becomes of an operation if the draft becomes an entry.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// It is in the draft.
    Done {
        node: Option<NodeId>,
    },
    /// It was done before, as this id tells.
    Before(Outcome),
    /// It is as wanted already.
    Holds {
        node: Option<NodeId>,
    },
    Refused(Error),
    /// There is no room for it in this entry, or this entry makes it possible.
    Later,
}

/// An entry that is not in the log yet.
pub(super) struct Draft {
    before: State,
    state: State,
    moment: Moment,
    committer: Committer,
    previous: Hash,
    format: u32,
    /// The newest format that every pod reads.
    allowed: u32,
    records: Vec<Record>,
    bytes: usize,
    nodes: usize,
    full: bool,
    retention: Retention,
}

impl Draft {
    pub(super) fn new(state: &State, committer: Committer, clock: i64, settings: &Settings) -> Self {
        let moment = Moment { generation: state.generation.next(), clock };
        let (previous, format) = (state.head, state.format);
        let (records, bytes, nodes) = (Vec::new(), HEAD + OVERHEAD, 0);
        let (before, state, allowed) = (state.clone(), state.clone(), settings.format.min(FORMAT));
        let retention = Retention::of(settings, state.format.max(allowed));
        Self {
            before,
            state,
            moment,
            committer,
            previous,
            format,
            allowed,
            records,
            bytes,
            nodes,
            full: false,
            retention,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Takes in an operation, if it goes with those before it.
    pub(super) fn add(&mut self, pending: &Pending) -> Verdict {
        let known = self.state.generation;
        let born = pending.born.or(pending.tried).unwrap_or(known).min(known);
        let identified = pending.id.map(|id| Identified { id, born });
        if let Some(Identified { id, born }) = identified {
            if let Some(outcome) = self.state.outcomes.get(id).filter(|_| kept(Rule::OnceByItsId)) {
                return Verdict::Before(*outcome);
            }
            if born < self.state.low && kept(Rule::LowForOperations) {
                return Verdict::Refused(Error::OutcomeUnknown);
            }
        }
        match self.state.plan(&pending.intent, self.retention) {
            Err(error) => Verdict::Refused(error),
            Ok(Planned::Nothing { node }) => Verdict::Holds { node },
            Ok(Planned::Steps { actions, nodes }) => {
                if let Err(error) = self.state.unlocked(&actions, &pending.locks) {
                    return Verdict::Refused(error);
                }
                let needed = actions.iter().map(Action::format).fold(0, u32::max);
                if needed > self.format {
                    self.raise(needed)
                } else {
                    self.include(identified, actions, nodes)
                }
            }
            Ok(Planned::First { actions, nodes }) => match self.include(None, actions, nodes) {
                Verdict::Done { .. } => {
                    self.full = true;
                    Verdict::Later
                }
                verdict => verdict,
            },
        }
    }

    /// What needs a newer format goes into the next entry, and this one raises it.
    fn raise(&mut self, needed: u32) -> Verdict {
        if needed > self.allowed {
            return Verdict::Refused(Error::FormatTooOld { needed, allowed: self.allowed });
        }
        if !self.full && self.state.format < needed {
            // When there is no room for it, it comes first in the next entry.
            let _ = self.include(None, vec![Action::Format(record::Format { format: needed })], 1);
        }
        self.full = true;
        Verdict::Later
    }

    /// Takes in a step that no operation asked for.
    pub(super) fn add_own(&mut self, action: Action, nodes: usize) {
        if let Verdict::Refused(error) = self.include(None, vec![action], nodes) {
            tracing::error!(%error, "A step of the engine's own does not fit.");
        }
    }

    fn include(&mut self, operation: Option<Identified>, actions: Vec<Action>, nodes: usize) -> Verdict {
        let last = actions.len().saturating_sub(1);
        let with_id = |place: usize| operation.filter(|_| place == last);
        let records: Vec<Record> = actions
            .into_iter()
            .enumerate()
            .map(|(place, action)| Record { operation: with_id(place), action })
            .collect();
        let bytes = encoded_length(&records);
        if self.full || self.bytes + bytes > LONGEST_ENTRY || self.nodes + nodes > MOST_NODES {
            if self.is_empty() {
                return Verdict::Refused(Error::TooMany { most: MOST_NODES });
            }
            // What comes after it waits as well: the order in which operations came is kept.
            self.full = true;
            return Verdict::Later;
        }
        // In place: to keep the state before each operation would be most of the work.
        for record in &records {
            if let Err(misfit) = self.state.apply(record, self.moment) {
                tracing::error!(%misfit, "An operation was planned wrongly and is not done.");
                self.begin_again();
                return Verdict::Refused(Error::Io("the operation could not be planned".to_owned()));
            }
        }
        self.bytes += bytes;
        self.nodes += nodes;
        self.records.extend(records);
        let node =
            operation.and_then(|operation| self.state.outcomes.get(operation.id)).and_then(|done| done.node);
        Verdict::Done { node }
    }

    /// Leads from the state before the entry to the one after its records again.
    fn begin_again(&mut self) {
        self.state = self.before.clone();
        for record in &self.records {
            // They fitted before.
            let _ = self.state.apply(record, self.moment);
        }
    }

    /// The file of the entry, and the state after it.
    pub(super) fn seal(self, id: EntryId) -> (Vec<u8>, Arc<State>) {
        let Self { mut state, moment, committer, previous, format, records, .. } = self;
        let entry = Entry {
            format,
            space: state.space,
            generation: moment.generation,
            id,
            previous,
            clock: moment.clock,
            committer,
            records,
        };
        let (file, hash) = entry.seal();
        state.close(moment, committer, hash);
        (file, Arc::new(state))
    }
}

impl Verdict {
    /// Whether it counts only if the state was the newest after the operation had come.
    pub(super) fn needs_freshness(&self) -> bool {
        match self {
            Self::Before(_) | Self::Holds { .. } | Self::Refused(_) => true,
            Self::Done { .. } | Self::Later => false,
        }
    }

    /// What the caller is told, by the state that has the operation.
    pub(super) fn answer(&self, state: &State) -> Result<Committed, Error> {
        let (generation, node) = match self {
            Self::Done { node } | Self::Holds { node } => (state.generation, *node),
            Self::Before(Outcome { born: _, generation, node }) => (*generation, *node),
            Self::Refused(error) => return Err(error.clone()),
            Self::Later => return Err(Error::OutcomeUnknown),
        };
        Ok(Committed { generation, node: node.and_then(|id| state.node(id)) })
    }
}
