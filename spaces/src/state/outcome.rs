//! What became of operations, so that one that is asked again is answered with its first outcome.

use api::generation::Generation;

use crate::format::record::Identified;
use crate::map::Map;
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
    pub(crate) by_id: Map<OperationId, Outcome>,
    by_birth: Map<(Generation, OperationId), ()>,
}

impl Outcomes {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn get(&self, id: OperationId) -> Option<&Outcome> {
        self.by_id.get(&id)
    }

    /// All of these, which are in the order of their ids; `None` when they are not, or one is there twice.
    pub(crate) fn of(all: Vec<(OperationId, Outcome)>) -> Option<Self> {
        let mut by_birth: Vec<_> = all.iter().map(|(id, outcome)| ((outcome.born, *id), ())).collect();
        by_birth.sort_unstable();
        let by_birth = Map::from_sorted(by_birth.into_iter())?;
        Some(Self { by_id: Map::from_sorted(all.into_iter())?, by_birth })
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
        self.by_birth.insert((born, id), ());
        true
    }

    /// The birth of the oldest that is remembered.
    pub(crate) fn oldest(&self) -> Option<Generation> {
        self.by_birth.iter().next().map(|((born, _), ())| *born)
    }

    /// The watermark at which a part of so many is forgotten, when there are more.
    pub(crate) fn excess(&self, most: usize) -> Option<Generation> {
        let surplus = self.len().checked_sub(most).filter(|surplus| *surplus > 0)?;
        self.by_birth.iter().nth(surplus + most / 4).map(|((born, _), ())| born.next())
    }

    /// Forgets what was born before the watermark.
    pub(crate) fn forget(&mut self, low: Generation) {
        while let Some((&(born, id), ())) = self.by_birth.iter().next() {
            if born >= low {
                break;
            }
            self.by_birth.remove(&(born, id));
            self.by_id.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn of_too_many_the_oldest_are_forgotten() {
        let mut outcomes = Outcomes::default();
        for number in 1..=10 {
            let id = OperationId(Uuid::from_u128(u128::from(number)));
            outcomes.remember(Identified { id, born: Generation(number) }, Generation(number + 1), None);
        }
        assert_eq!(outcomes.excess(10), None);
        let low = outcomes.excess(8).unwrap();
        outcomes.forget(low);
        assert!(outcomes.len() <= 8 && outcomes.len() >= 5, "{} are left", outcomes.len());
        assert_eq!(outcomes.oldest(), Some(low));
    }
}
