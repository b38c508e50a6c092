//! Whether every state that was written down is the fold of the entries before it.

use super::Judge;
use crate::format::start::Start;
use crate::log::layout::BLOCK;
use crate::state::State;

impl Judge<'_> {
    pub(super) fn hold_starts(&self, state: &State) {
        let generation = state.generation.0;
        if !generation.is_multiple_of(BLOCK) {
            return;
        }
        let block = generation / BLOCK;
        for (_, file) in self.chronicle.starts.iter().filter(|(before, _)| *before == block) {
            let told = Start::open(file).map_err(|error| error.to_string());
            let told = told.and_then(|start| State::restore(start).map_err(|misfit| misfit.to_string()));
            match told {
                Ok(told) if told == *state => {}
                Ok(_) => self.wrong(format!("5: the state before block {block} is not that of the log")),
                Err(error) => self.wrong(format!("5: the state before block {block} is none: {error}")),
            }
        }
    }
}
