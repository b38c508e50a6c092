//! The simulator: several pods over one volume, in one thread, in an order that a seed picks, with everything going
//! wrong that can. `SPACES_SEED=7 cargo nextest run -p internet-disk-spaces sim::` runs one seed and tells its story.

mod chaos;
mod collected;
mod coverage;
mod disk;
mod exchange;
mod fleet;
mod history;
mod member;
mod mount;
mod mover;
mod operator;
mod oracle;
mod place;
mod removal;
mod rules;
mod runner;
mod search;
mod second;
mod transfer;
mod verdict;
mod wishes;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use api::bytes::Bytes as Size;
use futures::future::BoxFuture;

use self::chaos::{Chaos, Plan};
use self::coverage::Tally;
use self::disk::{Character, Disk};
use self::fleet::{Fleet, SPACES};
use self::history::{History, Window};
use self::member::{Member, contents, describe, files};
use self::mount::{Server, Weather};
use self::mover::Mover;
use self::operator::{Cluster, Leader};
use self::oracle::Keeping;
use self::runner::Runner;
use self::verdict::{KEPT, judge};
use self::world::World;
use crate::rule::which_is_broken;
use crate::settings::{Settings, TrashSettings, VersionSettings};
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
    let mut character = Character {
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
    let mut plan = Plan {
        crashes: world.chance(800),
        pauses: world.chance(700),
        power: world.chance(500),
        survivors: *world.pick(&[0, 0, 300, 600]),
        hangs: world.chance(400),
        clocks: world.chance(500),
        evictions: world.chance(300),
        weather,
        things: *world.pick(&[6, 20, 40, 60, 80]),
        dawdlers: *world.pick(&[0, 20, 100]),
        pool: world.chance(350),
        more: world.chance(500),
    };
    if let Some(rule) = which_is_broken() {
        rules::lead_to(rule, &mut character, &mut plan);
    }
    (character, plan)
}

/// What pods do by themselves they do often, and nothing is kept longer than it is needed. But no promise is made where
/// a mount does not show what is new: there `gone` is not seen either, and nothing may be truncated.
fn settings(blind: bool, evictions: bool, keeping: Keeping) -> Settings {
    let history = if blind { Duration::MAX } else { Duration::ZERO };
    let (remembered, upkeep) = (Duration::from_secs(5), Duration::from_millis(500));
    let memory = if evictions { Size(1) } else { Settings::default().memory };
    let (keep, none) = (Duration::from_millis(KEPT.unsigned_abs()), Duration::ZERO);
    let trash = TrashSettings { keep: if keeping.trash { keep } else { none }, most_percent: 50 };
    let versions = VersionSettings { keep, most_per_file: u32::try_from(keeping.versions).unwrap() };
    Settings { remembered, history, upkeep, memory, trash, versions, ..Settings::default() }
}

/// What pods keep of what is deleted and replaced.
fn keeping(world: &World, plan: &Plan) -> Keeping {
    match plan.more {
        true => Keeping { trash: world.chance(700), versions: *world.pick(&[0, 1, 2, 2]) },
        false => Keeping::default(),
    }
}

fn run(seed: u64, traced: bool) -> Report {
    let world = World::new(seed, traced);
    let (character, plan) = plan(&world);
    let keeping = keeping(&world, &plan);
    world.note(|| format!("{character:?} {plan:?} {keeping:?}"));
    let server = Server::new(world.clone(), Disk::new(character), plan.weather);
    let blind = character.stale_absence;
    let histories = SPACES.map(|space| History::new(space, server.clone(), blind));
    let pods = usize::try_from(2 + world.below(3)).unwrap();
    let settings = settings(blind, plan.evictions, keeping);
    let fleet = Fleet::new(world.clone(), server.clone(), settings, pods, plan.pool);
    if blind {
        world.spawn(&world.outside, nurse(world.clone(), fleet.clone(), histories.clone()));
    }
    let busy = Arc::new(AtomicUsize::new(0));
    let (enough, well) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let cluster = Cluster::new(40_000 + world.below(80_000));
    let leaders = 1 + usize::from(world.chance(500));
    for number in 0..leaders + usize::try_from(2 + world.below(4)).unwrap() {
        let (fleet, histories) = (fleet.clone(), histories.clone());
        let hand = Member::new(number, world.clone(), fleet, histories, well.clone(), plan);
        let things = 3 + world.below(plan.things);
        let (busy, cluster) = (busy.clone(), cluster.clone());
        busy.fetch_add(1, Ordering::Relaxed);
        world.spawn(&world.outside, async move {
            if number < leaders {
                Leader { hand, cluster }.lead(2 + things / 8).await;
            } else {
                hand.run(things).await;
            }
            busy.fetch_sub(1, Ordering::Relaxed);
        });
    }
    if plan.pool {
        let mover = Mover { world: world.clone(), fleet: fleet.clone(), histories: histories.clone() };
        let (busy, times) = (busy.clone(), 4 + world.below(plan.things));
        busy.fetch_add(1, Ordering::Relaxed);
        world.spawn(&world.outside, async move {
            mover.run(times).await;
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
        look_at_the_end(&world, &fleet, &server, &histories, &mut runner);
    }
    if !world.is_wrong() {
        judge(&world, &histories, &server.disk.lock().unwrap(), cluster.quota, keeping);
    }
    let operations = histories.iter().map(|history| history.told().calls.len() as u64).sum();
    (0..fleet.size()).for_each(|pod| fleet.crash(pod));
    drop(runner);
    world.end();
    let (wrong, trace) = world.verdict();
    let calls = server.calls.load(Ordering::Relaxed);
    let generations = histories.iter().map(|history| history.newest()).sum();
    Report { wrong, trace, generations, operations, calls, met: world }
}

/// Starts pods anew that have stopped a space, as a person would.
async fn nurse(world: Arc<World>, fleet: Arc<Fleet>, histories: [Arc<History>; 2]) {
    loop {
        world.sleep(50_000).await;
        if histories.iter().any(|history| std::mem::take(&mut history.told().stopped)) {
            fleet.restart();
        }
    }
}

/// Asks every pod what there is, when nothing happens any more: all must say the same.
fn look_at_the_end(
    world: &Arc<World>,
    fleet: &Arc<Fleet>,
    server: &Arc<Server>,
    histories: &[Arc<History>; 2],
    runner: &mut Runner,
) {
    let done = Arc::new(AtomicBool::new(false));
    let (told, fleet, histories, teller) = (done.clone(), fleet.clone(), histories.clone(), world.clone());
    let server = server.clone();
    world.spawn(&world.outside, async move {
        // What was late has landed, slow clients are done, and what was stale is forgotten. Nothing is written any more.
        fleet.rest();
        teller.sleep(45_000_000).await;
        if histories[0].blind {
            fleet.restart();
            teller.sleep(1_000_000).await;
            fleet.rest();
        }
        for pod in 0..fleet.size() {
            while !fleet.is_up(pod) {
                teller.sleep(100_000).await;
            }
        }
        // In some runs days pass before the end: uploads expire in them, and what is left of others is collected.
        if teller.chance(200) {
            collected::collect(&fleet, &histories).await;
        } else if !histories[0].blind && teller.chance(60) {
            // In a few one of the spaces is closed for good and removed.
            removal::remove(&fleet, &server, teller.pick(&histories)).await;
        }
        for pod in 0..fleet.size() {
            for history in histories.iter().filter(|history| !history.told().removed) {
                let asked = show_all(history.clone(), pod);
                if fleet.ask(pod, history.space, 60_000_000, asked).await.is_none() {
                    teller.wrong(format!("7: pod {pod} does not answer in the end"));
                }
            }
        }
        told.store(true, Ordering::Relaxed);
    });
    if !runner.run_until(PROGRESS, || done.load(Ordering::Relaxed)) {
        world.wrong("7: no progress: the pods do not come to an end".to_owned());
    }
}

/// Looks at everything in a space at a pod.
fn show_all(history: Arc<History>, pod: usize) -> impl FnOnce(Space) -> BoxFuture<'static, ()> {
    move |space| {
        Box::pin(async move {
            let after = history.newest();
            let snapshot = match space.snapshot(Freshness::Now).await {
                Ok(snapshot) => snapshot,
                Err(error) => {
                    history.world.wrong(format!("7: pod {pod} does not answer in the end: {error}"));
                    return;
                }
            };
            let generation = snapshot.generation().0;
            let window = Window { after, until: history.newest() };
            history.told().reads.push(describe(&snapshot, generation, window));
            // What one pod can read another one can.
            for (path, node) in files(&snapshot).into_iter().filter(|_| pod == 0) {
                match contents(&space, &node).await {
                    Ok(content) => history.told().contents.push((generation, path, content)),
                    Err(error) => {
                        history.world.wrong(format!("4: {path} can not be read in the end: {error}"));
                    }
                }
            }
            history.told().finals.push((pod, snapshot));
        })
    }
}
