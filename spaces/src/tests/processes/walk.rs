//! Walks the log of a space entry by entry while others write it, and looks at each generation.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use api::generation::Generation;
use api::ids::SpaceId;
use uuid::Uuid;

use crate::format::entry::Entry;
use crate::log::layout::Layout;
use crate::state::State;

/// How far one has come.
pub(super) struct Walk {
    reading: Arc<Mutex<Reading>>,
    pub(super) state: State,
    /// Which generation has which operation.
    pub(super) operations: HashMap<Uuid, Generation>,
    pub(super) wrong: Vec<String>,
}

/// What was read of the log and not yet looked at. It is read in a thread of its own, so that nothing is truncated unseen
/// while something else is looked at.
struct Reading {
    volume: PathBuf,
    layout: Layout,
    next: Generation,
    files: VecDeque<Vec<u8>>,
}

impl Reading {
    /// Reads as far as there is something.
    fn go_on(&mut self) {
        while let Ok(file) = fs::read(self.volume.join(self.layout.entry(self.next))) {
            self.files.push_back(file);
            self.next = self.next.next();
        }
    }
}

fn keep_reading(reading: &Weak<Mutex<Reading>>) {
    while let Some(reading) = reading.upgrade() {
        reading.lock().unwrap().go_on();
        drop(reading);
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Walk {
    pub(super) fn begin(volume: &Path, space: SpaceId) -> Self {
        let (volume, layout, next) = (volume.to_owned(), Layout::of(space), Generation::ZERO.next());
        let reading = Arc::new(Mutex::new(Reading { volume, layout, next, files: VecDeque::new() }));
        let weak = Arc::downgrade(&reading);
        std::thread::spawn(move || keep_reading(&weak));
        Self { reading, state: State::genesis(space), operations: HashMap::new(), wrong: Vec::new() }
    }

    /// Looks at all that there is.
    pub(super) fn go_on(&mut self) {
        let files = {
            let mut reading = self.reading.lock().unwrap();
            reading.go_on();
            std::mem::take(&mut reading.files)
        };
        for file in files {
            let next = self.state.generation.next();
            if self.wrong.is_empty()
                && let Err(what) = self.fold(next, &file)
            {
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
