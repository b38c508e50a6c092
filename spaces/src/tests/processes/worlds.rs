//! What may be in a client's directory, by what the client was told: several worlds where it is not certain what came
//! of an operation, and none once something was lost.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::talk::{Act, Asked, Content, Refusal};

type World = BTreeMap<String, Content>;

/// All that may be.
#[derive(Clone, Debug)]
pub(super) struct Worlds(BTreeSet<World>);

impl Default for Worlds {
    fn default() -> Self {
        Self(BTreeSet::from([World::new()]))
    }
}

fn done(world: &World, id: Uuid, act: &Act) -> Result<World, Refusal> {
    let mut world = world.clone();
    match act {
        Act::Put { name, length, absent } => {
            if *absent && world.contains_key(name) {
                return Err(Refusal::Exists);
            }
            world.insert(name.clone(), Content { id, length: *length });
        }
        Act::Finish { name, length } => {
            world.insert(name.clone(), Content { id, length: *length });
        }
        Act::Move { from, to } => {
            let content = world.remove(from).ok_or(Refusal::NotFound)?;
            world.insert(to.clone(), content);
        }
        Act::Copy { from, to } => {
            let content = *world.get(from).ok_or(Refusal::NotFound)?;
            world.insert(to.clone(), content);
        }
        Act::Delete { name } => {
            world.remove(name).ok_or(Refusal::NotFound)?;
        }
    }
    Ok(world)
}

impl Worlds {
    fn become_of(&mut self, left: BTreeSet<World>, what: &str) -> Result<(), String> {
        if left.is_empty() {
            return Err(format!("{what}, which can not be: before it was one of {:?}", self.0));
        }
        self.0 = left;
        Ok(())
    }

    /// It was acknowledged.
    pub(super) fn acknowledged(&mut self, asked: &Asked) -> Result<(), String> {
        let left = self.0.iter().filter_map(|world| done(world, asked.id, &asked.act).ok()).collect();
        self.become_of(left, &format!("{asked:?} was acknowledged"))
    }

    /// It was refused.
    pub(super) fn refused(&mut self, asked: &Asked, why: Refusal) -> Result<(), String> {
        let says = |world: &World| match why {
            Refusal::Quota | Refusal::NotDone => true,
            Refusal::NotFound | Refusal::Exists => done(world, asked.id, &asked.act) == Err(why),
        };
        let left = self.0.iter().filter(|world| says(world)).cloned().collect();
        self.become_of(left, &format!("{asked:?} was refused: {why:?}"))
    }

    /// Whoever asked it is dead, and it may be done or not.
    pub(super) fn unknown(&mut self, asked: &Asked) {
        let after: Vec<_> =
            self.0.iter().filter_map(|world| done(world, asked.id, &asked.act).ok()).collect();
        self.0.extend(after);
    }

    /// All this was there.
    pub(super) fn seen(&mut self, files: &World) -> Result<(), String> {
        let left = self.0.iter().filter(|world| *world == files).cloned().collect();
        self.become_of(left, &format!("{files:?} was seen"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(number: u128, act: Act) -> Asked {
        Asked { id: Uuid::from_u128(number), born: 0, act }
    }

    fn put(number: u128, absent: bool) -> Asked {
        asked(number, Act::Put { name: "a".to_owned(), length: 20, absent })
    }

    fn holds(number: u128) -> World {
        World::from([("a".to_owned(), Content { id: Uuid::from_u128(number), length: 20 })])
    }

    #[test]
    fn what_is_not_certain_is_one_of_two() {
        for found in [holds(1), holds(2)] {
            let mut worlds = Worlds::default();
            worlds.acknowledged(&put(1, false)).unwrap();
            worlds.unknown(&put(2, false));
            worlds.seen(&found).unwrap();
            assert!(worlds.seen(&holds(3)).is_err());
        }
    }

    #[test]
    fn what_was_lost_is_noticed() {
        let mut worlds = Worlds::default();
        worlds.acknowledged(&put(1, false)).unwrap();
        assert!(worlds.clone().seen(&World::new()).is_err(), "it was acknowledged and is not there");
        assert!(worlds.clone().acknowledged(&put(2, true)).is_err(), "it was there");
        let delete = asked(3, Act::Delete { name: "a".to_owned() });
        assert!(worlds.clone().refused(&delete, Refusal::NotFound).is_err());
        worlds.refused(&put(4, true), Refusal::Exists).unwrap();
        worlds.unknown(&delete);
        worlds.refused(&delete, Refusal::NotFound).unwrap();
        assert!(worlds.seen(&holds(1)).is_err(), "it was seen to be deleted");
    }
}
