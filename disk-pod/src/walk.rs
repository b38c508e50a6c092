//! Walks slowly over all spaces that the roster knows, also those that nobody uses: what has expired there ends, and
//! what nobody needs is taken away. The pods share the work without asking each other: in each round of some hours one of
//! them has its turn at a space, as a hash of the round, the space and the pod says. A pod that is away is missed for one
//! round; two that know different pods may visit a space twice, which is harmless.

use std::collections::VecDeque;
use std::time::Duration;

use api::ids::{PodName, SpaceId, VolumeName};
use jiff::Timestamp;
use roster::Roster;

use crate::app::App;

/// Between two visits there is at least so much time, so that the walk is nobody's rival.
const LEAST: Duration = Duration::from_millis(250);

/// And at most so much, for a round that has few.
const MOST: Duration = Duration::from_secs(60);

/// Visits space after space, round after round; runs until dropped.
pub(crate) async fn walk(app: App) {
    loop {
        // A pod that has just begun has other things to do, and may not know the roster yet.
        tokio::time::sleep(MOST).await;
        let Some(round) = round(&app) else { continue };
        let spaces = turns(&app.roster.current(), &app.pod, round);
        let spaces = spaces.into_iter().filter(|(_, volume)| app.volumes.contains(volume)).collect();
        walk_round(&app, round, spaces).await;
        while self::round(&app) == Some(round) {
            tokio::time::sleep(MOST).await;
        }
    }
}

/// The number of the round that it is now; `None` when spaces are not to be visited.
fn round(app: &App) -> Option<u64> {
    let every = app.engine.settings().visits;
    let now = u64::try_from(Timestamp::now().as_second()).ok()?;
    now.checked_div(every.as_secs())
}

async fn walk_round(app: &App, round: u64, mut spaces: VecDeque<(SpaceId, VolumeName)>) {
    let all = u32::try_from(spaces.len()).unwrap_or(u32::MAX).max(1);
    let pause = (app.engine.settings().visits / 2 / all).clamp(LEAST, MOST);
    let mut visited = 0_u32;
    while let Some((space, volume)) = spaces.pop_front() {
        tokio::time::sleep(pause).await;
        if self::round(app) != Some(round) {
            break;
        }
        if app.answers(&volume).is_err() {
            // It has its turn once the volume answers again.
            spaces.push_back((space, volume));
            continue;
        }
        match app.engine.visit(space, volume).await {
            Ok(()) => visited += 1,
            Err(error) => {
                tracing::debug!(%space, %error, "A space could not be looked after; another round will.");
            }
        }
    }
    tracing::debug!(visited, "Spaces were looked after, whether somebody uses them or not.");
}

/// The spaces at which this pod has its turn in a round, in an order that is another one each time.
fn turns(roster: &Roster, pod: &PodName, round: u64) -> VecDeque<(SpaceId, VolumeName)> {
    let pods: Vec<&PodName> = roster.settings().disk_pods.iter().map(|known| &known.name).collect();
    let members = roster.members().map(|member| (member.space, &member.volume));
    let groups = roster.groups().map(|group| (group.space, &group.volume));
    let mut turns: Vec<_> = members
        .chain(groups)
        .filter(|(space, _)| {
            let own = weight(round, *space, pod);
            pods.iter().all(|other| *other == pod || weight(round, *space, other) < own)
        })
        .map(|(space, volume)| (weight(round, space, pod), space, volume.clone()))
        .collect();
    turns.sort_unstable();
    turns.into_iter().map(|(_, space, volume)| (space, volume)).collect()
}

/// The pod with the largest has its turn (rendezvous hashing).
fn weight(round: u64, space: SpaceId, pod: &PodName) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&round.to_be_bytes()).update(space.0.as_bytes()).update(pod.as_str().as_bytes());
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn in_each_round_one_pod_has_its_turn_and_in_many_all_have() {
        let pods: Vec<PodName> = (0..3).map(|pod| format!("disk-{pod}").parse().unwrap()).collect();
        let mut turns = BTreeMap::new();
        for space in 0..100 {
            let space = SpaceId(Uuid::from_u128(space));
            let first = |round| pods.iter().max_by_key(|pod| weight(round, space, pod)).unwrap();
            for round in 0..30 {
                *turns.entry((space, first(round).clone())).or_insert(0) += 1;
            }
        }
        assert_eq!(turns.values().sum::<u32>(), 3_000);
        assert_eq!(turns.len(), 300, "some pod never visits some space");
    }
}
