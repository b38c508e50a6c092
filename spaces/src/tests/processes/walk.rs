//! Walks the log of a space entry by entry while others write it, and looks at each generation.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use api::generation::Generation;
use api::ids::SpaceId;
use uuid::Uuid;

use crate::format::entry::Entry;
use crate::log::layout::Layout;
use crate::state::State;

/// How far one has come.
pub(super) struct Walk {
    volume: PathBuf,
    layout: Layout,
    pub(super) state: State,
    /// Which generation has which operation.
    pub(super) operations: HashMap<Uuid, Generation>,
    pub(super) wrong: Vec<String>,
}

impl Walk {
    pub(super) fn begin(volume: &Path, space: SpaceId) -> Self {
        Self {
            volume: volume.to_owned(),
            layout: Layout::of(space),
            state: State::genesis(space),
            operations: HashMap::new(),
            wrong: Vec::new(),
        }
    }

    /// Goes on as far as there is something. It must be called often enough that nothing is truncated unseen.
    pub(super) fn go_on(&mut self) {
        while self.wrong.is_empty() {
            let next = self.state.generation.next();
            let Ok(file) = fs::read(self.volume.join(self.layout.entry(next))) else { return };
            if let Err(what) = self.fold(next, &file) {
                self.wrong.push(format!("generation {next}: {what}"));
            }
        }
    }

    fn fold(&mut self, next: Generation, file: &[u8]) -> Result<(), String> {
        let (entry, hash) = Entry::open(file).map_err(|error| error.to_string())?;
        for record in &entry.records {
            if let Some(operation) = record.operation
                && let Some(before) = self.operations.insert(operation.id.0, next)
            {
                return Err(format!("{operation:?} was done in generation {before} already"));
            }
        }
        self.state = self.state.fold(&entry, hash).map_err(|misfit| misfit.to_string())?;
        let State { used, reserved, limit, .. } = &self.state;
        // Nobody lowers the limit in these tests, so it holds from the entry on that sets it.
        if used.0 + reserved.0 > limit.bytes.0 {
            return Err(format!("{used} are used and {reserved} reserved of {}", limit.bytes));
        }
        match self.state.audit().as_slice() {
            [] => Ok(()),
            wrong => Err(wrong.join("; ")),
        }
    }
}
