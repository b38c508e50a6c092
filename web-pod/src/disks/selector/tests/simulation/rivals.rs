//! Ways to choose a pod, all from the same reports and the same count of tickets.

use api::ids::{SpaceId, VolumeName};

use super::super::{NOW, Timestamp};
use crate::disks::selector::{Candidate, Health, select};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rival {
    Selector,
    TwoChoices,
    RoundRobin,
    Random,
}

impl Rival {
    pub(super) const ALL: [Self; 4] = [Self::Selector, Self::TwoChoices, Self::RoundRobin, Self::Random];

    /// The place of the pod that gets the request.
    pub(super) fn choose(
        self,
        candidates: &[Candidate],
        space: SpaceId,
        turn: &mut usize,
        random: &mut fastrand::Rng,
    ) -> usize {
        let count = candidates.len();
        match self {
            Self::Selector => {
                let main: VolumeName = "main".parse().unwrap();
                let now = Timestamp::from_second(NOW).unwrap();
                let picked = select(candidates, &main, space, now, || random.f64()).unwrap();
                candidates.iter().position(|one| std::ptr::eq(one, picked[0])).unwrap()
            }
            Self::TwoChoices => {
                let one = random.usize(..count);
                let other = (one + random.usize(1..count)) % count;
                if load(&candidates[other]) < load(&candidates[one]) { other } else { one }
            }
            Self::RoundRobin => {
                *turn += 1;
                *turn % count
            }
            Self::Random => random.usize(..count),
        }
    }
}

fn load(candidate: &Candidate) -> f64 {
    match &candidate.health {
        Health::Gone => f64::INFINITY,
        Health::Answering { report, .. } => f64::from(report.in_flight) + candidate.tickets,
    }
}
