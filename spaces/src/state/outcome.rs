//! What became of operations, so that one that is asked again is answered with its first outcome.

use api::generation::Generation;
use imbl::{OrdMap, OrdSet};

use crate::format::record::Identified;
use crate::node::NodeId;
use crate::operation::OperationId;

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) born: Generation,
    /// The generation that has it.
    pub(crate) generation: Generation,
    /// What it made or changed.
    pub(crate) node: Option<NodeId>,
}

/// Every operation born at or after the watermark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub(crate) by_id: OrdMap<OperationId, Outcome>,
    by_birth: OrdSet<(Generation, OperationId)>,
}

impl Outcomes {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn get(&self, id: OperationId) -> Option<&Outcome> {
        self.by_id.get(&id)
    }

    /// Remembers one; false when its id is known already.
    pub(crate) fn remember(
        &mut self,
        operation: Identified,
        generation: Generation,
        node: Option<NodeId>,
    ) -> bool {
        let Identified { id, born } = operation;
        if self.by_id.contains_key(&id) {
            return false;
        }
        self.by_id.insert(id, Outcome { born, generation, node });
        self.by_birth.insert((born, id));
        true
    }

    /// Forgets what was born before the watermark.
    pub(crate) fn forget(&mut self, low: Generation) {
        while let Some((born, id)) = self.by_birth.get_min().copied() {
            if born >= low {
                break;
            }
            self.by_birth.remove(&(born, id));
            self.by_id.remove(&id);
        }
    }
}
