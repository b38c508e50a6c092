//! Picks the disk servers for one client: a pure function of what is known of them, and chance.
//!
//! The rule is Prequal's (Wydrowski and others, "Load is not what you should balance", NSDI 2024): servers with
//! unusually much in flight are hot and come last; among the others the latency decides, together with what is in
//! flight, because reports are old when they are used. It is softened, because several web pods choose at once by
//! the same reports: a few servers are drawn by chance, and only among these the best is taken. A server that has
//! just started is drawn less often and counts as busier than it is, until its caches are warm; the home of a space, which is the same for all web
//! pods and likely has its state in memory, is drawn always. [Decision 0024](../../../docs/decisions/0024-selector.md)
//! says what was tried, `tests/simulation.rs` tries it.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use api::ids::{PodName, SpaceId, VolumeName};
use api::load::{LoadReport, VolumeHealth};
use jiff::Timestamp;

/// A client gets at most so many servers.
const MOST: usize = 3;

/// A canary this old means that the volume does not answer the pod.
const STALLED: Duration = Duration::from_secs(2);

/// A canary this old has missed some turns: the pod is named after others.
const DOUBTFUL: Duration = Duration::from_millis(750);

/// Servers above this part of the others are hot.
const HOT_QUANTILE: f64 = 0.84;

/// So many more requests than the quantile are noise; so are a quarter of it more.
const HOT_SLACK: f64 = 2.0;

/// So many bytes in flight weigh as one request.
const BYTES_PER_REQUEST: f64 = (8 << 20) as f64;

/// So many servers are drawn by chance. With more of them, web pods that choose by the same reports follow each other.
const DRAWN: usize = 2;

/// Latencies up to this factor of the middle one, or up to this difference from it, are equal.
const EQUAL_FACTOR: f64 = 1.1;
const EQUAL_MICROSECONDS: f64 = 2000.0;

/// What a server costs that has nothing to do, in requests: then latency and warmth still decide.
const IDLE: f64 = 0.5;

/// A new server is a server like others after this.
const WARM_AFTER: Duration = Duration::from_secs(10);

/// And from its start counts for so much.
const COLD_WEIGHT: f64 = 0.1;

/// A disk server, as a web pod sees it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its name.
    pub name: PodName,
    /// Where clients find it.
    pub url: String,
    /// Whether it answers, and what.
    pub health: Health,
    /// Clients sent there that its report cannot show yet.
    pub tickets: f64,
}

/// What is known of a disk server.
#[derive(Clone, Debug)]
pub enum Health {
    /// It does not answer.
    Gone,
    /// It does.
    Answering {
        /// What it last said.
        report: Arc<LoadReport>,
        /// How long ago.
        age: Duration,
    },
}

/// Why there is no server to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoServer {
    /// None answers, or all that do are stopping.
    NoReadyServer,
    /// All have as much to do as they can.
    AllServersFull,
    /// The volume does not answer most of them: it is the volume, and another server would not help.
    StorageUnavailable {
        /// Which volume.
        volume: VolumeName,
    },
}

/// A server that could be picked.
struct Standing<'a> {
    candidate: &'a Candidate,
    report: &'a LoadReport,
    doubtful: bool,
    in_flight: f64,
    latency: f64,
    weight: f64,
}

/// Picks up to three servers for a space on `volume`, best first. `chance` returns numbers from 0 to 1.
///
/// # Errors
/// The reason why there is none.
pub fn select<'a>(
    candidates: &'a [Candidate],
    volume: &VolumeName,
    space: SpaceId,
    now: Timestamp,
    chance: impl FnMut() -> f64,
) -> Result<Vec<&'a Candidate>, NoServer> {
    let ready: Vec<(&Candidate, &LoadReport, Canary)> = candidates
        .iter()
        .filter_map(|candidate| match &candidate.health {
            Health::Answering { report, age } if !report.draining && !is_starting(report, volume, now) => {
                Some((candidate, &**report, Canary::of(report, volume, *age)))
            }
            Health::Answering { .. } | Health::Gone => None,
        })
        .collect();
    if ready.is_empty() {
        return Err(NoServer::NoReadyServer);
    }
    let stalled = ready.iter().filter(|(.., canary)| *canary == Canary::Stalled).count();
    if 2 * stalled > ready.len() {
        return Err(NoServer::StorageUnavailable { volume: volume.clone() });
    }
    let standing: Vec<Standing<'_>> = ready
        .into_iter()
        .filter(|(.., canary)| *canary != Canary::Stalled)
        .map(|(candidate, report, canary)| Standing {
            candidate,
            report,
            doubtful: canary == Canary::Doubtful,
            in_flight: in_flight(report) + candidate.tickets,
            latency: latency(report),
            weight: warmth(report, now),
        })
        .filter(|server| !is_full(server))
        .collect();
    if standing.is_empty() {
        return Err(NoServer::AllServersFull);
    }
    let hot_above = hot_above(&standing);
    let equal_up_to = equal_up_to(&standing);
    let home = home(&standing, space);
    let mut ranked: Vec<(Rank, &Candidate)> = drawn(standing, home, chance)
        .into_iter()
        .enumerate()
        .map(|(turn, server)| {
            let cost = (server.in_flight + IDLE) / server.weight * server.latency.max(equal_up_to);
            let is_drawn = turn < DRAWN + usize::from(home.is_some());
            let rank = match () {
                () if server.doubtful => Rank { class: 3, order: server.in_flight },
                () if server.in_flight > hot_above => Rank { class: 2, order: cost },
                () if is_drawn => Rank { class: 0, order: cost },
                () => Rank { class: 1, order: turn as f64 },
            };
            (rank, server.candidate)
        })
        .collect();
    ranked.sort_by(|(a, _), (b, _)| a.compare(b));
    Ok(ranked.into_iter().take(MOST).map(|(_, candidate)| candidate).collect())
}

/// The servers in the order of a draw in which the warm ones have better chances; the home is drawn first.
fn drawn<'a>(
    standing: Vec<Standing<'a>>,
    home: Option<&PodName>,
    mut chance: impl FnMut() -> f64,
) -> Vec<Standing<'a>> {
    let mut drawn: Vec<(f64, Standing<'a>)> = standing
        .into_iter()
        .map(|server| {
            // The least of these falls on each server in proportion to its weight.
            let lot = -chance().clamp(f64::MIN_POSITIVE, 1.0).ln() / server.weight;
            (if Some(&server.candidate.name) == home { 0.0 } else { lot }, server)
        })
        .collect();
    drawn.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    drawn.into_iter().map(|(_, server)| server).collect()
}

/// The server that all web pods find for a space: the highest of a hash of both, so that one server more or less
/// moves few spaces. One that is cold is no home yet.
fn home<'a>(standing: &[Standing<'a>], space: SpaceId) -> Option<&'a PodName> {
    let names = standing.iter().filter(|server| server.weight >= 1.0).map(|server| &server.candidate.name);
    names.max_by_key(|name| {
        // FNV-1a with a last stir: nothing here is kept from anybody, it has only to be even.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in name.as_str().bytes().chain(*space.0.as_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^ (hash >> 29)
    })
}

/// The lower, the better: classes first, then the order within them.
struct Rank {
    class: u8,
    order: f64,
}

impl Rank {
    fn compare(&self, other: &Self) -> Ordering {
        self.class.cmp(&other.class).then(self.order.total_cmp(&other.order))
    }
}

/// What a pod's canary says of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Canary {
    Fine,
    Doubtful,
    Stalled,
}

impl Canary {
    /// The canary has aged since the report was made, unless it sang meanwhile: that is not held against the pod
    /// for longer than reports usually take.
    fn of(report: &LoadReport, volume: &VolumeName, age: Duration) -> Self {
        let health: Option<&VolumeHealth> = report.volumes.iter().find(|health| health.name == *volume);
        let Some(millis) = health.and_then(|health| health.canary_age_ms) else { return Self::Stalled };
        match Duration::from_millis(millis).saturating_add(age) {
            sum if sum > STALLED => Self::Stalled,
            sum if sum > DOUBTFUL => Self::Doubtful,
            _ => Self::Fine,
        }
    }
}

/// A pod that has just started and has not written to the volume yet says nothing about the volume.
fn is_starting(report: &LoadReport, volume: &VolumeName, now: Timestamp) -> bool {
    let health = report.volumes.iter().find(|health| health.name == *volume);
    let never = health.is_none_or(|health| health.canary_age_ms.is_none());
    never && now.duration_since(report.started).unsigned_abs() < WARM_AFTER
}

fn in_flight(report: &LoadReport) -> f64 {
    // A u64 of bytes is exact enough in a double for this.
    f64::from(report.in_flight) + report.bytes_in_flight as f64 / BYTES_PER_REQUEST
}

/// What nothing is known of is taken to be good: else a new server would never be tried.
fn latency(report: &LoadReport) -> f64 {
    let latency = report.latency;
    latency.small_us.or(latency.metadata_us).or(latency.bulk_us).map_or(0.0, f64::from)
}

fn warmth(report: &LoadReport, now: Timestamp) -> f64 {
    let up = now.duration_since(report.started).as_secs_f64() / WARM_AFTER.as_secs_f64();
    up.clamp(COLD_WEIGHT, 1.0)
}

/// A hint of 0 is none.
fn is_full(server: &Standing<'_>) -> bool {
    let most = server.report.capacity_hint;
    most > 0 && f64::from(server.report.in_flight) + server.candidate.tickets >= f64::from(most)
}

fn hot_above(standing: &[Standing<'_>]) -> f64 {
    let mut loads: Vec<f64> = standing.iter().map(|server| server.in_flight).collect();
    loads.sort_by(f64::total_cmp);
    // Rounded down, so that with few servers the busiest can be hot at all.
    let place = ((loads.len().saturating_sub(1)) as f64 * HOT_QUANTILE).floor();
    let quantile = loads.get(place as usize).copied().unwrap_or_default();
    quantile + HOT_SLACK.max(quantile / 4.0)
}

/// Up to which latency servers are taken to be equally fast.
fn equal_up_to(standing: &[Standing<'_>]) -> f64 {
    let mut latencies: Vec<f64> = standing.iter().map(|server| server.latency).collect();
    latencies.sort_by(f64::total_cmp);
    let middle = latencies.get(latencies.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    (middle * EQUAL_FACTOR).max(middle + EQUAL_MICROSECONDS)
}

#[cfg(test)]
pub(crate) fn report(pod: &str) -> LoadReport {
    tests::report(pod)
}
