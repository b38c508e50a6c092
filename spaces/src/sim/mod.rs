//! The simulator: several pods over one volume, in one thread, in an order that a seed picks, with everything going
//! wrong that can. `SPACES_SEED=7 cargo nextest run -p internet-disk-spaces sim::` runs one seed and tells its story.

mod chaos;
mod coverage;
mod disk;
mod fleet;
mod history;
mod member;
mod mount;
mod oracle;
mod place;
mod rules;
mod runner;
mod search;
mod transfer;
mod verdict;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use self::chaos::{Chaos, Plan};
use self::coverage::Tally;
use self::disk::{Character, Disk};
use self::fleet::{Fleet, SPACE};
use self::history::{History, Window};
use self::member::{Member, contents, describe, files};
use self::mount::{Server, Weather};
use self::runner::Runner;
use self::verdict::Judge;
use self::world::World;
use crate::settings::Settings;
use crate::snapshot::Freshness;
use crate::space::Space;

/// What a run came to.
struct Report {
    wrong: Vec<String>,
    trace: Vec<String>,
    generations: u64,
    operations: u64,
    /// Of the file system.
    calls: u64,
    met: Arc<World>,
}

impl Report {
    fn met(&self) -> &Tally {
        &self.met.met
    }
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
        things: *world.pick(&[6, 20, 40, 60, 80]),
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
        move || server.disk.lock().unwrap().newest(SPACE)
    };
    let history = History::new(world.clone(), blind, newest);
    let pods = usize::try_from(2 + world.below(3)).unwrap();
    let fleet = Fleet::new(world.clone(), server.clone(), Settings::default(), pods);
    if blind {
        world.spawn(&world.outside, nurse(world.clone(), fleet.clone(), history.clone()));
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
        let things = 3 + world.below(plan.things);
        let busy = busy.clone();
        busy.fetch_add(1, Ordering::Relaxed);
        world.spawn(&world.outside, async move {
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
        well: well.clone(),
    };
    world.spawn(&world.outside, chaos.reign());

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
    let operations = history.told().calls.len() as u64;
    (0..fleet.size()).for_each(|pod| fleet.crash(pod));
    drop(runner);
    world.end();
    let (wrong, trace) = world.verdict();
    let calls = server.calls.load(Ordering::Relaxed);
    Report { wrong, trace, generations: history.newest(), operations, calls, met: world }
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
    world.spawn(&world.outside, async move {
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
