//! A space that takes no changes, because nobody owns it for now.

use api::generation::{Generation, RosterGeneration};

use super::State;
use super::apply::{Applied, Misfit, Moment};
use super::intent::Intent;
use super::plan::{Plan, Planned};
use crate::error::Error;
use crate::format::pool::Close;
use crate::format::record::Action;

/// Since when a space is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) generation: Generation,
    /// The committer's clock.
    pub(crate) clock: i64,
    /// It was removed, and nothing will ever be in it again.
    pub(crate) removed: bool,
}

impl State {
    /// Whether a closed space takes this all the same.
    pub(super) fn takes(&self, intent: &Intent) -> Result<(), Error> {
        match (self.closed, intent) {
            (None, Intent::Remove) => Err(Error::SpaceKept { reason: "it is not closed" }),
            (None, _) | (Some(_), Intent::Remove) => Ok(()),
            (Some(Closed { removed: true, .. }), _) => Err(Error::SpaceRemoved),
            // A limit opens it again; and what it holds can be moved to other volumes.
            (Some(_), Intent::Limit { .. } | Intent::Close { .. }) => Ok(()),
            (Some(_), Intent::NameVolume { .. } | Intent::Relocate { .. } | Intent::Abort { .. }) => Ok(()),
            // What was deleted before can be deleted for good, and what nothing refers to is collected.
            (Some(_), Intent::Purge(_) | Intent::Expire | Intent::Sweep { .. } | Intent::Witness(_)) => {
                Ok(())
            }
            (Some(_), _) => Err(Error::SpaceClosed),
        }
    }

    pub(super) fn plan_close(&self, roster_generation: RosterGeneration) -> Plan {
        let seen = self.limit.roster_generation;
        if self.closed.is_some() && roster_generation == seen {
            return Ok(Planned::Nothing { node: None });
        }
        // A later roster that wants the same is written down, too: a limit of one in between must not open the space.
        if roster_generation <= seen {
            return Err(Error::Superseded { seen });
        }
        Ok(Planned::one(Action::Close(Close { roster_generation, removed: false })))
    }

    pub(super) fn plan_remove(&self) -> Plan {
        if self.is_removed() {
            return Ok(Planned::Nothing { node: None });
        }
        let roster_generation = self.limit.roster_generation;
        Ok(Planned::one(Action::Close(Close { roster_generation, removed: true })))
    }

    /// Whether it is no more.
    pub(crate) fn is_removed(&self) -> bool {
        self.closed.is_some_and(|closed| closed.removed)
    }

    pub(super) fn close_space(&mut self, close: &Close, at: Moment) -> Applied {
        let Close { roster_generation, removed } = close;
        if *removed {
            return self.remove(*roster_generation, at);
        }
        if self.is_removed() {
            return Err(Misfit("a space that was removed is closed"));
        }
        if *roster_generation <= self.limit.roster_generation {
            return Err(Misfit("a space is closed by a roster that is not newer"));
        }
        self.limit.roster_generation = *roster_generation;
        let Moment { generation, clock } = at;
        // It is closed since it first was.
        self.closed.get_or_insert(Closed { generation, clock, removed: false });
        Ok(())
    }

    /// Forgets all that is in it. The watermark passes everything that anybody has ever begun: all objects are garbage,
    /// also those that somebody writes who does not know yet.
    fn remove(&mut self, roster_generation: RosterGeneration, at: Moment) -> Applied {
        let closed = self.closed.filter(|closed| !closed.removed);
        let closed = closed.ok_or(Misfit("a space is removed that is not closed"))?;
        if roster_generation != self.limit.roster_generation {
            return Err(Misfit("a space is removed that another roster closed"));
        }
        let Self { generation, head, format, next, clocks, limit, .. } = self;
        *self = Self {
            generation: *generation,
            head: *head,
            format: *format,
            next: *next,
            clocks: *clocks,
            limit: *limit,
            volumes: self.volumes.clone(),
            low: at.generation,
            closed: Some(Closed { removed: true, ..closed }),
            ..Self::genesis(self.space)
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use api::bytes::Bytes;

    use super::*;
    use crate::operation::{Condition, Purge};
    use crate::state::retention::Retention;
    use crate::state::tests::World;

    fn close(roster: u64) -> Intent {
        Intent::Close { roster_generation: RosterGeneration(roster) }
    }

    fn limit(roster: u64) -> Intent {
        let roster_generation = RosterGeneration(roster);
        Intent::Limit { roster_generation, target: Bytes(9), ceiling: Bytes(9) }
    }

    #[test]
    fn a_closed_space_is_left_as_it_is_until_a_later_roster_gives_it_room() {
        let make = |at: &str| Intent::MakeDirectory { path: at.parse().unwrap(), parents: false };
        let mut world = World::new();
        world.retention.trash = true;
        world.commit(&make("a")).unwrap();
        let (path, condition) = ("a".parse().unwrap(), Condition::None);
        world.commit(&Intent::Delete { path, condition, permanently: false }).unwrap();
        world.commit(&make("a")).unwrap();
        let seen = world.state.limit.roster_generation.0;
        let refused = world.state.plan(&close(seen), Retention::default()).unwrap_err();
        assert!(matches!(refused, Error::Superseded { .. }), "{refused}");
        world.commit(&close(seen + 2)).unwrap();
        let closed = world.state.closed;
        let (path, condition) = ("a".parse().unwrap(), Condition::None);
        for change in [make("b"), Intent::Delete { path, condition, permanently: true }] {
            assert!(
                matches!(world.state.plan(&change, Retention::default()), Err(Error::SpaceClosed)),
                "{change:?}"
            );
        }
        assert!(world.state.find(&"a".parse().unwrap()).is_some());
        world.commit(&Intent::Purge(Purge::Everything)).unwrap();
        assert!(world.state.trash.items.is_empty());
        assert!(matches!(
            world.state.plan(&close(seen + 2), Retention::default()),
            Ok(Planned::Nothing { .. })
        ));
        world.commit(&close(seen + 4)).unwrap();
        assert_eq!(world.state.closed, closed, "since it first was");
        for old in [limit(seen + 1), limit(seen + 3)] {
            assert!(
                matches!(world.state.plan(&old, Retention::default()), Err(Error::Superseded { .. })),
                "{old:?}"
            );
        }
        world.commit(&limit(seen + 5)).unwrap();
        assert_eq!(world.state.closed, None);
        world.commit(&make("b")).unwrap();
        assert_eq!(world.state.audit(), Vec::<String>::new());
    }

    #[test]
    fn what_is_removed_is_empty_for_ever() {
        let mut world = World::new();
        let make = Intent::MakeDirectory { path: "a".parse().unwrap(), parents: false };
        world.commit(&make).unwrap();
        let refused = world.state.plan(&Intent::Remove, Retention::default()).unwrap_err();
        assert!(matches!(refused, Error::SpaceKept { .. }), "{refused}");
        let seen = world.state.limit.roster_generation.0;
        world.commit(&close(seen + 1)).unwrap();
        let remove =
            |roster| Action::Close(Close { roster_generation: RosterGeneration(roster), removed: true });
        assert!(world.write(vec![remove(seen)]).is_err(), "another roster closed it");
        world.write_alone(remove(seen + 1)).unwrap();
        assert!(world.state.is_removed() && world.state.find(&"a".parse().unwrap()).is_none());
        assert_eq!((world.state.low, world.state.used), (world.state.generation, Bytes::ZERO));
        for intent in [make, limit(seen + 9), close(seen + 9), Intent::Purge(Purge::Everything)] {
            let refused = world.state.plan(&intent, Retention::default()).unwrap_err();
            assert!(matches!(refused, Error::SpaceRemoved), "{intent:?}: {refused}");
        }
        assert!(matches!(
            world.state.plan(&Intent::Remove, Retention::default()),
            Ok(Planned::Nothing { .. })
        ));
        assert!(world.write_alone(remove(seen + 1)).is_err());
        assert_eq!(State::restore(world.state.to_start()).unwrap(), world.state);
        assert_eq!(world.state.audit(), Vec::<String>::new());
    }
}
