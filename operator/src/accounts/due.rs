//! Which limits are to be committed now, and which later.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use api::ids::SpaceId;

use crate::lending::{Books, InForce, LimitStep, Purpose};

/// What is used is asked for so often, where nothing else is to be committed.
pub(super) const REFRESHED_EVERY: Duration = Duration::from_secs(300);
/// But of few spaces at once.
const MOST_REFRESHED: usize = 64;

/// Every space, with a step that changes nothing.
pub(super) type Spaces = BTreeMap<SpaceId, LimitStep>;

/// Every space with the limit it has, to be asked for again.
pub(super) fn books_spaces(books: &Books) -> Spaces {
    let members = books.members.values().filter_map(|book| Some((book.space, &book.volume, book.own?)));
    let groups = books.groups.values().filter_map(|book| Some((book.space, &book.volume, book.disk?)));
    members
        .chain(groups)
        .map(|(space, volume, known)| {
            let (target, ceiling) = (known.limit, known.limit);
            let step = LimitStep { space, volume: volume.clone(), target, ceiling, purpose: Purpose::Learn };
            (space, step)
        })
        .collect()
}

/// The steps to take now, those first that people wait for; then spaces that were not asked about for long. And when
/// the next will be due.
pub(super) fn due(
    steps: Vec<LimitStep>,
    in_force: &InForce,
    all: &Spaces,
) -> (Vec<LimitStep>, Option<Instant>) {
    let now = Instant::now();
    let planned: HashSet<SpaceId> = steps.iter().map(|step| step.space).collect();
    let (mut steps, later): (Vec<_>, Vec<_>) = steps
        .into_iter()
        .partition(|step| in_force.due(step.space, step.target, step.ceiling).is_none_or(|due| due <= now));
    steps.sort_by_key(|step| step.purpose);
    let next = later.iter().filter_map(|step| in_force.due(step.space, step.target, step.ceiling)).min();
    let mut stale: Vec<(Instant, &LimitStep)> = all
        .values()
        .filter(|step| !planned.contains(&step.space))
        .filter_map(|step| Some((in_force.asked(step.space)? + REFRESHED_EVERY, step)))
        .collect();
    stale.sort_by_key(|(at, _)| *at);
    let refreshed = stale.iter().take_while(|(at, _)| *at <= now).take(MOST_REFRESHED);
    let refreshed: Vec<LimitStep> = refreshed.map(|(_, step)| (*step).clone()).collect();
    let next_stale = stale.get(refreshed.len()).map(|(at, _)| *at);
    steps.extend(refreshed);
    (steps, next.into_iter().chain(next_stale).min())
}

/// The spaces whose limit is not as it should be, or not known.
pub(super) fn unsettled(limits: &[LimitStep]) -> HashSet<SpaceId> {
    limits.iter().filter(|step| step.purpose != Purpose::Move).map(|step| step.space).collect()
}
