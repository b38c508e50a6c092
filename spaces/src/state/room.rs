//! Makes room: the oldest of what was deleted or replaced goes when its time has come, when there is too much of it,
//! or when an operation would not fit otherwise.

use api::bytes::Bytes;

use super::State;
use super::apply::Moment;
use super::intent::Intent;
use super::plan::{MOST_NODES, Plan, Planned};
use super::retention::Retention;
use super::trash_plan::purge_item;
use super::versions::Version;
use crate::error::Error;
use crate::format::record::{self, Action};
use crate::node::NodeId;
use crate::settings::Settings;

/// So many nodes at most end with one entry because their time has come.
pub(crate) const MOST_EXPIRED: usize = 1_000;

impl State {
    /// Plans an operation. What comes out fits this state. What would not fit into the space makes room first.
    pub(crate) fn plan(&self, intent: &Intent, retention: Retention) -> Plan {
        let planned = self.plan_in_room(intent, self.retained(retention))?;
        if let Planned::Steps { actions, nodes } = &planned {
            self.may_have(actions, *nodes)?;
        }
        Ok(planned)
    }

    fn plan_in_room(&self, intent: &Intent, retention: Retention) -> Plan {
        let full = match self.plan_within(intent, retention) {
            Err(full @ Error::QuotaExceeded { .. }) => full,
            planned => return planned,
        };
        // What is replaced is kept at the cost of what is older; when not even that is enough it is not kept.
        for retention in [retention, Retention::default()] {
            if let Some(planned) = self.plan_with_room(intent, retention)? {
                return Ok(planned);
            }
        }
        Err(full)
    }

    /// Plans an operation with the purges that it needs, as many as that and no more. `None` when no purge is enough.
    fn plan_with_room(&self, intent: &Intent, retention: Retention) -> Result<Option<Planned>, Error> {
        let mut state = self.clone();
        let (mut purges, mut touched) = (Vec::new(), 0);
        loop {
            let needed = match state.plan_within(intent, retention) {
                Err(Error::QuotaExceeded { needed, .. }) => needed,
                Err(error) => return Err(error),
                Ok(Planned::Steps { actions, nodes }) if touched + nodes <= MOST_NODES => {
                    purges.extend(actions);
                    return Ok(Some(Planned::Steps { actions: purges, nodes: touched + nodes }));
                }
                Ok(Planned::Steps { .. }) => {
                    return Ok(Some(Planned::First { actions: purges, nodes: touched }));
                }
                Ok(planned) => return Ok(Some(planned)),
            };
            let goal = state.limit.bytes.saturating_sub(needed);
            if state.purgeable() < state.taken().saturating_sub(goal) || needed > state.limit.bytes {
                return Ok(None);
            }
            let nodes = state.purge_oldest(goal, MOST_NODES - touched, &mut purges)?;
            touched += nodes;
            if state.taken() > goal {
                // More goes than one entry may touch: a part of it first, if all of it will do.
                let mut roomy = state.clone();
                roomy.limit.bytes = state.taken().saturating_add(needed);
                roomy.plan_within(intent, retention)?;
                return Ok(Some(Planned::First { actions: purges, nodes: touched }));
            }
        }
    }

    /// What is taken of the limit.
    pub(super) fn taken(&self) -> Bytes {
        self.used.saturating_add(self.reserved)
    }

    fn purgeable(&self) -> Bytes {
        self.trash.bytes.saturating_add(self.versions.bytes)
    }

    /// Purges the oldest until no more than this is taken: first the trash, then versions. How many nodes it touched.
    fn purge_oldest(&mut self, goal: Bytes, most: usize, purges: &mut Vec<Action>) -> Result<usize, Error> {
        // Nothing asks a state that is only planned on when something in it happened.
        let at = Moment { generation: self.generation.next(), clock: 0 };
        let mut touched = 0;
        while self.taken() > goal && touched < most {
            let (purge, nodes) = if let Some((node, item)) = self.trash.oldest() {
                let needed = self.taken().saturating_sub(goal);
                let (action, nodes, _) = match purge_item(node, item.nodes, most - touched) {
                    (_, most, false) => purge_item(node, item.nodes, self.part(node, needed, most)),
                    whole => whole,
                };
                (action, nodes)
            } else if let Some((node, version)) = self.versions.oldest() {
                let version = Some(version.number);
                (Action::Purge(record::Purge { node, version, nodes: None }), 1)
            } else {
                break;
            };
            self.act(&purge, at).map_err(|misfit| {
                tracing::error!(%misfit, "A purge was planned wrongly.");
                Error::Io("the room that is needed could not be made".to_owned())
            })?;
            touched += nodes;
            purges.push(purge);
        }
        Ok(touched)
    }

    /// How many nodes of an item too large for one entry are enough to give back so much; at most so many.
    fn part(&self, item: NodeId, needed: Bytes, most: usize) -> usize {
        let mut freed = Bytes::ZERO;
        for (nodes, id) in (1..most).zip(self.leaves_first(item)) {
            let file = self.nodes.get(&id).and_then(|inode| inode.file());
            freed = freed.saturating_add(file.map_or(Bytes::ZERO, |file| file.size));
            if freed >= needed {
                return nodes;
            }
        }
        most
    }

    /// Sets a limit. What was deleted or replaced does not hold up what is to be given away: it is purged down to the
    /// target, if the limit becomes lower by that.
    pub(super) fn plan_limit_with_room(&self, wish: record::Limit) -> Plan {
        let least = self.taken().saturating_sub(self.purgeable());
        let gains = wish.target < self.taken() && wish.target < wish.ceiling && least < wish.ceiling;
        let (mut state, mut actions) = (self.clone(), Vec::new());
        // One node is kept for the limit itself.
        let most = MOST_NODES - 1;
        let nodes = if gains { state.purge_oldest(wish.target, most, &mut actions)? } else { 0 };
        if nodes >= most && state.taken() > wish.target && state.purgeable() > Bytes::ZERO {
            return Ok(Planned::First { actions, nodes });
        }
        actions.push(Action::Limit(wish));
        Ok(Planned::Steps { actions, nodes: nodes + 1 })
    }

    /// The purges that are due, and how many nodes each touches: what is older than it is kept by this time, and what
    /// is too much. The second part tells whether that is all.
    pub(crate) fn expired(&self, now: i64, settings: &Settings) -> (Vec<(Action, usize)>, bool) {
        let (mut due, mut left) = (Vec::new(), MOST_EXPIRED);
        let age = |keep: std::time::Duration| i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        // Whether it goes, stays, or says nothing: a clock that is ahead of all others holds nothing up.
        let look = |clock: i64, keep| (clock <= now).then(|| clock.saturating_add(age(keep)) < now);
        let (keep, over) = (settings.versions.keep, self.versions_over());
        for (place, (_, number, node)) in self.versions.by_age.iter().enumerate() {
            let too_many = place < over;
            let kept = |_: &&Version| !keep.is_zero() || too_many;
            let Some(version) = self.versions.get(*node, *number).filter(kept) else { break };
            match look(version.clock, keep) {
                None if !too_many => {}
                Some(false) if !too_many => break,
                Some(_) | None if left == 0 => return (due, false),
                Some(_) | None => {
                    let version = Some(*number);
                    due.push((Action::Purge(record::Purge { node: *node, version, nodes: None }), 1));
                    left -= 1;
                }
            }
        }
        let percent = u64::from(settings.trash.most_percent.min(100));
        let most = Bytes(self.limit.bytes.0 / 100 * percent);
        let newest = self.trash.by_age.get_max();
        let mut bytes = self.trash.bytes;
        let keep = settings.trash.keep;
        for place in &self.trash.by_age {
            let Some(item) = self.trash.items.get(&place.1).filter(|_| !keep.is_zero()) else { break };
            let too_much = bytes > most && percent < 100 && newest != Some(place);
            match look(item.clock, keep) {
                Some(false) if !too_much => break,
                None if !too_much => {}
                Some(_) | None if left == 0 => return (due, false),
                Some(_) | None => {
                    let (action, nodes, whole) = purge_item(place.1, item.nodes, left);
                    due.push((action, nodes));
                    left -= nodes;
                    bytes = bytes.saturating_sub(item.bytes);
                    if !whole {
                        return (due, false);
                    }
                }
            }
        }
        (due, true)
    }
}
