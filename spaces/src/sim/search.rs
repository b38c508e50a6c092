//! Many seeds, on all cores, and the story of the first one that breaks an invariant.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::coverage::Tally;
use super::fleet::SPACES;
use super::{Report, run};

/// So many threads run seeds.
pub(super) fn threads() -> usize {
    let most = std::thread::available_parallelism().map_or(1, usize::from);
    variable("SPACES_THREADS").map_or(most, |threads| usize::try_from(threads).unwrap())
}

pub(super) fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

#[derive(Default)]
struct Sums {
    runs: AtomicU64,
    generations: AtomicU64,
    operations: AtomicU64,
    calls: AtomicU64,
    met: Tally,
}

/// When it is enough.
struct Enough {
    seeds: u64,
    calls: u64,
    time: Duration,
}

/// Runs seeds from one on until it is enough, and says what that was.
fn try_seeds(first: u64, enough: &Enough) -> Sums {
    let begun = Instant::now();
    let (next, stop) = (AtomicU64::new(first), AtomicBool::new(false));
    let failed = Mutex::new(None::<u64>);
    let sums = Sums::default();
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let calls = sums.calls.load(Ordering::Relaxed);
                    if seed - first >= enough.seeds && calls >= enough.calls || begun.elapsed() > enough.time
                    {
                        break;
                    }
                    let report = run(seed, false);
                    if !report.wrong.is_empty() {
                        stop.store(true, Ordering::Relaxed);
                        let mut failed = failed.lock().unwrap();
                        *failed = Some(failed.map_or(seed, |other: u64| other.min(seed)));
                    }
                    sums.runs.fetch_add(1, Ordering::Relaxed);
                    sums.generations.fetch_add(report.generations, Ordering::Relaxed);
                    sums.operations.fetch_add(report.operations, Ordering::Relaxed);
                    sums.calls.fetch_add(report.calls, Ordering::Relaxed);
                    sums.met.join(report.met());
                }
            });
        }
    });
    if let Some(seed) = failed.into_inner().unwrap() {
        tell(seed);
    }
    let Sums { runs, generations, operations, calls, met } = &sums;
    println!(
        "{runs:?} runs, {calls:?} calls of the file system, {operations:?} operations, {generations:?} generations, \
         {:?} on {} threads",
        begun.elapsed(),
        threads()
    );
    println!("{met}");
    sums
}

/// Tells the story of a seed that something is wrong with.
fn tell(seed: u64) -> ! {
    let Report { wrong, trace, .. } = run(seed, true);
    let trace = matter(&trace, &wrong);
    let lines = variable("SPACES_LINES").map_or(200, |lines| usize::try_from(lines).unwrap());
    let story = trace[trace.len().saturating_sub(lines)..].join("\n");
    let wrong = if wrong.is_empty() {
        vec!["it went well the second time: the run is not deterministic".to_owned()]
    } else {
        wrong
    };
    panic!(
        "{story}\n\nSeed {seed} breaks an invariant:\n  {}\nThe last {lines} lines of {} are above (SPACES_LINES shows more). Again:\n  \
         SPACES_SEED={seed} cargo nextest run -p internet-disk-spaces sim::search",
        wrong.join("\n  "),
        trace.len(),
    );
}

/// The lines of a story that are about the space that something is wrong with, if it is one.
fn matter<'a>(trace: &'a [String], wrong: &[String]) -> Vec<&'a str> {
    let space = wrong.first().and_then(|wrong| wrong.split_once("in space ")?.1.get(..4));
    let other =
        SPACES.iter().map(|id| id.to_string()[..4].to_owned()).filter(|tag| Some(tag.as_str()) != space);
    let other = other.filter(|_| space.is_some()).map(|tag| format!("{tag}:")).next();
    let lines = trace.iter().map(String::as_str);
    lines.filter(|line| other.as_ref().is_none_or(|other| !line.contains(other))).collect()
}

/// So much is run by every `make test`.
const SEEDS: u64 = 50_000;
const CALLS: u64 = 100_000_000;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn every_seed_keeps_the_invariants() {
    if let Some(seed) = variable("SPACES_SEED") {
        try_seeds(seed, &Enough { seeds: 1, calls: 0, time: HOUR });
        return;
    }
    let calls = if variable("SPACES_SEEDS").is_some() { 0 } else { CALLS };
    let seeds = variable("SPACES_SEEDS").unwrap_or(SEEDS);
    let sums = try_seeds(0, &Enough { seeds, calls, time: HOUR });
    let missed = sums.met.missed();
    assert!(seeds < SEEDS || missed.is_empty(), "this was never met: {missed:?}");
}

/// `make soak`: other seeds every time.
#[test]
#[ignore = "it runs for as long as SPACES_MINUTES says"]
fn soak() {
    let minutes = variable("SPACES_MINUTES").unwrap_or(1);
    let first = fastrand::u64(1 << 32..1 << 62);
    let time = Duration::from_secs(60 * minutes);
    let sums = try_seeds(first, &Enough { seeds: u64::MAX, calls: u64::MAX, time });
    assert!(sums.generations.into_inner() > 0, "nothing was committed");
}

#[test]
fn a_seed_always_tells_the_same_story() {
    for seed in 0..5 {
        let (one, other) = (run(seed, true).trace, run(seed, true).trace);
        assert!(one.len() > 100, "seed {seed} has no story");
        let differs = one.iter().zip(&other).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
    }
}
