//! The simulator: several pods over one volume, in one thread, in an order that a seed picks, with everything going
//! wrong that can. `SPACES_SEED=7 cargo nextest run -p internet-disk-spaces sim::` runs one seed and tells its story.

mod chaos;
mod disk;
mod fleet;
mod history;
mod member;
mod mount;
mod oracle;
mod rules;
mod transfer;
mod verdict;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use self::chaos::{Chaos, Plan};
use self::disk::{Character, Disk};
use self::fleet::Fleet;
use self::history::{History, Window};
use self::member::{Member, contents, describe, files};
use self::mount::{Server, Weather};
use self::verdict::Judge;
use self::world::{Owner, Runner, World};
use crate::settings::Settings;
use crate::snapshot::Freshness;
use crate::space::Space;

/// What a run came to.
struct Report {
    wrong: Vec<String>,
    trace: Vec<String>,
    generations: u64,
    calls: usize,
}

/// After all is well again, nothing takes so many steps.
const PROGRESS: u64 = 400_000;

fn plan(world: &World) -> (Character, Plan) {
    let character = Character {
        names_durable: world.chance(300),
        client_caches: world.chance(500),
        stale_presence: world.chance(500),
        stale_absence: world.chance(100),
    };
    let weather = match world.below(10) {
        0..2 => Weather::default(),
        2..7 => Weather { lost: 10, late: 10, failed: 10, slow: 20 },
        _ => Weather { lost: 50, late: 40, failed: 40, slow: 50 },
    };
    let plan = Plan {
        crashes: world.chance(800),
        pauses: world.chance(700),
        power: world.chance(500),
        hangs: world.chance(400),
        clocks: world.chance(500),
        weather,
    };
    (character, plan)
}

fn run(seed: u64, traced: bool) -> Report {
    let world = World::new(seed, traced);
    let (character, plan) = plan(&world);
    world.note(|| format!("{character:?} {plan:?}"));
    let server = Server::new(world.clone(), Disk::new(character), plan.weather);
    let blind = character.stale_absence;
    let newest = {
        let server = server.clone();
        move || server.disk.lock().unwrap().history.keys().next_back().copied().unwrap_or(0)
    };
    let history = History::new(world.clone(), blind, newest);
    let pods = usize::try_from(2 + world.below(3)).unwrap();
    let fleet = Fleet::new(world.clone(), server.clone(), Settings::default(), pods);
    if blind {
        world.spawn(Owner::WORLD, nurse(world.clone(), fleet.clone(), history.clone()));
    }
    let busy = Arc::new(AtomicUsize::new(0));
    let (enough, well) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    for number in 0..=usize::try_from(2 + world.below(4)).unwrap() {
        let member = Member {
            number,
            world: world.clone(),
            fleet: fleet.clone(),
            history: history.clone(),
            well: well.clone(),
            token: 0,
            seen: None,
        };
        let things = 3 + world.below(15);
        let busy = busy.clone();
        busy.fetch_add(1, Ordering::Relaxed);
        world.spawn(Owner::WORLD, async move {
            if number == 0 {
                member.rule(2 + things / 3).await;
            } else {
                member.run(things).await;
            }
            busy.fetch_sub(1, Ordering::Relaxed);
        });
    }
    let chaos = Chaos {
        world: world.clone(),
        fleet: fleet.clone(),
        server: server.clone(),
        plan,
        enough: enough.clone(),
    };
    let over = well.clone();
    world.spawn(Owner::WORLD, async move {
        chaos.reign().await;
        over.store(true, Ordering::Relaxed);
    });

    let mut runner = Runner::new(world.clone());
    let storm = runner.run_until(5_000_000, || {
        let idle = busy.load(Ordering::Relaxed) == 0;
        enough.store(idle, Ordering::Relaxed);
        well.load(Ordering::Relaxed) || world.is_wrong()
    });
    if !storm {
        world.wrong("7: the storm does not end".to_owned());
    }
    if !world.is_wrong()
        && !runner.run_until(PROGRESS, || busy.load(Ordering::Relaxed) == 0 || world.is_wrong())
    {
        world.wrong("7: no progress: a member waits for ever".to_owned());
    }
    if !world.is_wrong() {
        look_at_the_end(&world, &fleet, &history, &mut runner);
    }
    if !world.is_wrong() {
        let (told, disk) = (history.told(), server.disk.lock().unwrap());
        Judge::new(&world, &told, blind).judge(&disk);
    }
    let calls = history.told().calls.len();
    (0..fleet.size()).for_each(|pod| fleet.crash(pod));
    let (wrong, trace) = world.verdict();
    Report { wrong, trace, generations: history.newest(), calls }
}

/// Starts pods anew that have stopped a space, as a person would.
async fn nurse(world: Arc<World>, fleet: Arc<Fleet>, history: Arc<History>) {
    loop {
        world.sleep(50_000).await;
        if std::mem::take(&mut history.told().stopped) {
            fleet.restart();
        }
    }
}

/// Asks every pod what there is, when nothing happens any more: all must say the same.
fn look_at_the_end(world: &Arc<World>, fleet: &Arc<Fleet>, history: &Arc<History>, runner: &mut Runner) {
    // What was late has landed, and what was stale is forgotten.
    let calm = Arc::new(AtomicUsize::new(0));
    let (done, fleet, history) = (calm.clone(), fleet.clone(), history.clone());
    let teller = world.clone();
    world.spawn(Owner::WORLD, async move {
        teller.sleep(30_000_000).await;
        if history.blind {
            fleet.restart();
            teller.sleep(1_000_000).await;
        }
        let mut first: Option<crate::snapshot::Snapshot> = None;
        for pod in 0..fleet.size() {
            let (history, world) = (history.clone(), teller.clone());
            let asked = move |space: Space| async move {
                let after = history.newest();
                let snapshot = match space.snapshot(Freshness::Now).await {
                    Ok(snapshot) => snapshot,
                    Err(error) => {
                        world.wrong(format!("7: pod {pod} does not answer in the end: {error}"));
                        return None;
                    }
                };
                let generation = snapshot.generation().0;
                let window = Window { after, until: history.newest() };
                history.told().reads.push(describe(&snapshot, generation, window));
                for (path, node) in files(&snapshot) {
                    match contents(&space, &node).await {
                        Ok(content) => history.told().contents.push((generation, path, content)),
                        Err(error) => world.wrong(format!("4: {path} can not be read in the end: {error}")),
                    }
                }
                Some(snapshot)
            };
            while !fleet.is_up(pod) {
                teller.sleep(100_000).await;
            }
            match (fleet.ask(pod, 60_000_000, asked).await.flatten(), &first) {
                (None, _) => teller.wrong(format!("7: pod {pod} does not answer in the end")),
                (Some(snapshot), None) => first = Some(snapshot),
                (Some(snapshot), Some(first)) if snapshot.same(first) => {}
                (Some(_), Some(_)) => {
                    teller.wrong(format!("5: pod {pod} has another state than the first one"))
                }
            }
        }
        done.store(1, Ordering::Relaxed);
    });
    if !runner.run_until(PROGRESS, || calm.load(Ordering::Relaxed) == 1) {
        world.wrong("7: no progress: the pods do not come to an end".to_owned());
    }
}

/// Runs a seed, and tells its story when something is wrong.
fn try_seed(seed: u64) -> Report {
    let report = run(seed, false);
    if report.wrong.is_empty() {
        return report;
    }
    let Report { wrong, trace, .. } = run(seed, true);
    let lines = std::env::var("SPACES_LINES").ok().and_then(|lines| lines.parse().ok()).unwrap_or(200);
    let story = trace[trace.len().saturating_sub(lines)..].join("\n");
    let wrong = if wrong.is_empty() {
        vec!["it went well the second time: the run is not deterministic".to_owned()]
    } else {
        wrong
    };
    panic!(
        "{story}\n\nSeed {seed} breaks an invariant:\n  {}\nThe last {lines} lines of {} are above (SPACES_LINES shows more). Again:\n  \
         SPACES_SEED={seed} cargo nextest run -p internet-disk-spaces sim::",
        wrong.join("\n  "),
        trace.len(),
    );
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// Runs seeds until there are enough or time is over, and says what that was.
fn try_seeds(seeds: impl Iterator<Item = u64>, time: Duration) {
    let begun = Instant::now();
    let (mut runs, mut generations, mut calls) = (0, 0, 0);
    for seed in seeds {
        if begun.elapsed() > time {
            break;
        }
        let report = try_seed(seed);
        runs += 1;
        generations += report.generations;
        calls += report.calls;
    }
    println!("{runs} runs, {calls} operations, {generations} generations, {:?}", begun.elapsed());
    assert!(generations > 0, "nothing was committed");
}

#[test]
fn every_seed_keeps_the_invariants() {
    const HOUR: Duration = Duration::from_secs(3600);
    match variable("SPACES_SEED") {
        Some(seed) => try_seeds(std::iter::once(seed), HOUR),
        None => try_seeds(0..variable("SPACES_SEEDS").unwrap_or(4000), HOUR),
    }
}

/// `make soak`: other seeds every time.
#[test]
#[ignore = "it runs for as long as SPACES_MINUTES says"]
fn soak() {
    let minutes = variable("SPACES_MINUTES").unwrap_or(1);
    let first = fastrand::u64(1 << 32..1 << 62);
    try_seeds(first.., Duration::from_secs(60 * minutes));
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
