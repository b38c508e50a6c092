//! The judge: starts writers over several mounts, kills and stops them, harms the file system, and compares what they
//! were told with what there is in the end.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use api::bytes::Bytes as Amount;
use api::generation::{Generation, RosterGeneration};
use api::ids::{ClusterUid, SpaceId};
use fastrand::Rng;
use rustix::process::Signal;
use uuid::Uuid;

use super::super::world::volume_name;
use super::mounted::Mounted;
use super::slot::{Client, Event, Process, Told, Waits};
use super::standstill::{Noise, own};
use super::talk::{Role, Said, Work, now, recognize};
use super::walk::Walk;
use super::writer::read;
use crate::{
    Engine, Error, Freshness, Kind, LocalConfig, NodePath, Operation, OperationId, Request, Settings,
    Snapshot, Space,
};

pub(super) const WRITERS: usize = 4;
/// So many clients of a writer have a directory of their own; one more works where all work.
const OWN: usize = 2;
/// So that it is full now and then.
const LIMIT: u64 = 12 << 20;
/// However slow a file system comes back, after so long something hangs.
const PATIENCE: Duration = Duration::from_secs(150);
/// Before it is asked again.
const AGAIN: Duration = Duration::from_millis(40);
/// An operation of a healthy process never waits longer, in milliseconds.
const STANDSTILL: u64 = 1_000;

/// What is done to the writers over one space, and to the file system under them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Harm {
    pub(super) kills: u32,
    pub(super) stops: u32,
    /// Which parts of the file system are killed, too.
    pub(super) parts: &'static [&'static str],
    /// Whether nobody may wait.
    pub(super) prompt: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) kills: u32,
    pub(super) stops: u32,
    pub(super) generations: u64,
    pub(super) done: usize,
    pub(super) refused: usize,
    pub(super) retried: u64,
    pub(super) unknown: u64,
    /// The longest that an operation waited for which nothing was to blame, in milliseconds.
    pub(super) longest: u64,
}

struct Slot {
    process: Option<Process>,
    clients: Vec<Client>,
    waits: Waits,
    mount: usize,
}

pub(super) struct Judge<'m> {
    mounted: &'m Mounted,
    test: &'static str,
    seed: u64,
    random: Rng,
    cluster: ClusterUid,
    space: SpaceId,
    slots: Vec<Slot>,
    events: Receiver<Event>,
    sender: Sender<Event>,
    told: Told,
    walk: Walk,
    noise: Noise,
    outcome: Outcome,
    enough: bool,
}

/// Asks again while the file system gives no answer: it was harmed, and the machine may be busy.
async fn patiently<T>(mut ask: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
    let begun = Instant::now();
    loop {
        match ask().await {
            Err(Error::Stalled(_) | Error::OutcomeUnknown | Error::Io(_)) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(AGAIN).await;
            }
            result => return result,
        }
    }
}

/// A space in a fresh engine over a mount.
pub(super) async fn space(mount: &std::path::Path, cluster: ClusterUid, space: SpaceId) -> Space {
    let begun = Instant::now();
    loop {
        let volumes = vec![(volume_name(), mount.to_owned())];
        // It only looks.
        let settings = Settings { history: Duration::MAX, ..Settings::default() };
        let config = LocalConfig { volumes, cluster, adopt: None, faults: None, settings };
        match Engine::open_local(config).await {
            Ok(engine) => return engine.space(space, volume_name()),
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{}: {error}", mount.display()),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Gives a space its limit.
pub(super) async fn limit(space: &Space, bytes: u64) {
    let (id, bytes) = (OperationId(Uuid::new_v4()), Amount(bytes));
    let ask = async || {
        let operation =
            Operation::Limit { roster_generation: RosterGeneration(1), target: bytes, ceiling: bytes };
        space.commit(Request { id, born: Some(Generation::ZERO), locks: Vec::new(), operation }).await
    };
    patiently(ask).await.unwrap();
}

/// What there is now.
pub(super) async fn look(space: &Space) -> Snapshot {
    patiently(async || space.snapshot(Freshness::Now).await).await.unwrap()
}

impl<'m> Judge<'m> {
    /// The last mount is the judge's own, and is left alone.
    pub(super) async fn new(
        mounted: &'m Mounted,
        cluster: ClusterUid,
        test: &'static str,
        seed: u64,
    ) -> Self {
        let (id, own) = (SpaceId(Uuid::new_v4()), mounted.mounts.last().unwrap());
        limit(&space(own, cluster, id).await, LIMIT).await;
        let slots = (0..WRITERS).map(|writer| Slot {
            process: None,
            clients: (0..=OWN)
                .map(|client| match client {
                    OWN => Client::new("shared".to_owned(), true),
                    _ => Client::new(format!("w{writer}c{client}"), false),
                })
                .collect(),
            waits: Waits::default(),
            mount: writer,
        });
        let (sender, events) = channel();
        Self {
            mounted,
            test,
            seed,
            random: Rng::with_seed(seed),
            cluster,
            space: id,
            slots: slots.collect(),
            events,
            sender,
            told: Told::default(),
            walk: Walk::begin(own, id),
            noise: Noise::listen(own),
            outcome: Outcome::default(),
            enough: false,
        }
    }

    /// Does all the harm, and then looks what there is. What is wrong comes back as text.
    pub(super) async fn run(mut self, harm: Harm) -> Result<Outcome, String> {
        for slot in 0..WRITERS {
            self.start(slot);
        }
        let mut next = Instant::now() + Duration::from_millis(500);
        let every = (harm.kills / harm.stops.max(1)).max(1);
        let mut harms = VecDeque::new();
        for (number, verb) in (1..).zip(harm.parts) {
            harms.push_back((harm.kills / 4 * number, *verb));
        }
        let mut harming: Option<JoinHandle<Result<(), String>>> = None;
        loop {
            self.listen(Duration::from_millis(20))?;
            if let Some(harmed) = harming.take_if(|harming| harming.is_finished()) {
                harmed.join().unwrap()?;
            }
            // One harm after the other: what is brought back must not be killed meanwhile.
            if harming.is_none()
                && let Some((_, verb)) = harms.pop_front_if(|(kills, _)| *kills <= self.outcome.kills)
            {
                harming = Some(self.harm_servers(verb));
            }
            let is_stopped = |place: &Slot| place.process.as_ref().is_some_and(|one| one.stopped.is_some());
            let is_done = self.outcome.kills >= harm.kills && self.outcome.stops >= harm.stops;
            if is_done && harming.is_none() && !self.slots.iter().any(is_stopped) {
                break;
            }
            if Instant::now() >= next {
                next = Instant::now() + Duration::from_millis(self.random.u64(100..600));
                self.strike(harm, every);
            }
        }
        self.end()?;
        self.look().await
    }

    /// Kills or stops one of those that run.
    fn strike(&mut self, harm: Harm, every: u32) {
        let is_whole = |one: &Process| one.stopped.is_none() && !one.killed;
        let runs = |slot: &usize| self.slots[*slot].process.as_ref().is_some_and(is_whole);
        let running: Vec<usize> = (0..WRITERS).filter(runs).collect();
        if running.is_empty() {
            return;
        }
        let victim = running[self.random.usize(..running.len())];
        if self.outcome.stops < harm.stops && self.outcome.kills >= self.outcome.stops * every {
            self.stop(victim);
        } else if self.outcome.kills < harm.kills {
            self.kill(victim);
        }
    }

    /// Kills a part of the file system and brings it back a while later, beside everything else.
    fn harm_servers(&mut self, verb: &'static str) -> JoinHandle<Result<(), String>> {
        let (ask, mount) = (self.mounted.asker(), self.random.usize(1..self.mounted.mounts.len()));
        std::thread::spawn(move || {
            ask(verb, &mount.to_string())?;
            std::thread::sleep(Duration::from_secs(2));
            ask("bring-back", "")
        })
    }

    fn start(&mut self, slot: usize) {
        let asks_again = self.random.u32(..10) < 6;
        let log = self.log(slot);
        let place = &mut self.slots[slot];
        let clients =
            place.clients.iter_mut().map(|client| client.take_up(asks_again, &mut self.told)).collect();
        // The next one is somewhere else; the judge's mount is not for others.
        place.mount += 1;
        let number = place.mount as u64;
        let role = Role {
            mount: self.mounted.mounts[place.mount % (self.mounted.mounts.len() - 1)].clone(),
            cluster: self.cluster.0,
            space: self.space.0,
            seed: self.seed.wrapping_mul(31).wrapping_add(number * 1_000 + slot as u64 * 100),
            work: Work::Everything { clients },
        };
        place.process = Some(Process::start(slot, number, self.test, &role, &log, &self.sender));
    }

    fn log(&self, slot: usize) -> PathBuf {
        let base = self.mounted.mounts[0].parent().unwrap();
        base.join("log").join(format!("writer{slot}.log"))
    }

    fn kill(&mut self, slot: usize) {
        self.slots[slot].process.as_mut().unwrap().kill();
        self.outcome.kills += 1;
    }

    fn stop(&mut self, slot: usize) {
        let until = Instant::now() + Duration::from_millis(self.random.u64(2_000..4_500));
        let dies = self.random.u32(..3) == 0;
        let place = &mut self.slots[slot];
        let process = place.process.as_mut().unwrap();
        process.signal(Signal::STOP);
        process.stopped = Some((until, dies));
        place.waits.stopped.push((now(), u64::MAX));
        self.outcome.stops += 1;
    }

    /// Hears what the writers say, and wakes those that were stopped long enough.
    fn listen(&mut self, patience: Duration) -> Result<(), String> {
        let until = Instant::now() + patience;
        loop {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(event) => self.hear(event),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err("nobody is left to be heard".to_owned()),
            }
        }
        for place in &mut self.slots {
            let Some(process) = &mut place.process else { continue };
            if let Some((until, dies)) = process.stopped
                && Instant::now() >= until
            {
                process.stopped = None;
                // One that is killed is not woken first.
                if dies {
                    process.kill()
                } else {
                    process.signal(Signal::CONT)
                }
                self.outcome.kills += u32::from(dies);
                place.waits.stopped.last_mut().unwrap().1 = now();
            }
        }
        self.walk.go_on();
        let wrong: Vec<_> = self.told.wrong.iter().chain(&self.walk.wrong).cloned().collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    fn hear(&mut self, (slot, number, said): Event) {
        let place = &mut self.slots[slot];
        let Some(said) = said else {
            let process = place.process.take_if(|process| process.number == number).unwrap();
            let ended_well = process.ended_well();
            if !self.enough {
                self.start(slot);
            } else if !ended_well {
                self.told
                    .wrong
                    .push(format!("writer {slot} did not end well; see {}", self.log(slot).display()));
            }
            return;
        };
        match said {
            Said::Wrong { what } => self.told.wrong.push(what),
            Said::Slept { from, to } => place.waits.stopped.push((from, to)),
            Said::Waited { from, to, what } => place.waits.waited.push(((from, to), what)),
            Said::Begun { client, .. }
            | Said::Done { client, .. }
            | Said::Refused { client, .. }
            | Said::Uploading { client, .. }
            | Said::Seen { client, .. } => place.clients[client].hear(said, &mut self.told),
            Said::Filled { .. } => self.told.wrong.push("nobody was to fill the space".to_owned()),
        }
    }

    /// Lets everybody finish what was begun.
    fn end(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        // Whoever was killed last has a successor that takes up what is left.
        while self.slots.iter().any(|place| place.process.as_ref().is_none_or(|one| one.killed)) {
            self.listen(Duration::from_millis(20))?;
            if begun.elapsed() > PATIENCE {
                return Err(format!("after {PATIENCE:?} not all have died that were killed"));
            }
        }
        self.enough = true;
        let begun = Instant::now();
        for place in &mut self.slots {
            if let Some(process) = &mut place.process {
                process.enough();
            }
        }
        while self.slots.iter().any(|place| place.process.is_some()) {
            self.listen(Duration::from_millis(20))?;
            if begun.elapsed() > PATIENCE {
                return Err(format!("after {PATIENCE:?} not all have finished what they had begun"));
            }
        }
        Ok(())
    }

    async fn look(mut self) -> Result<Outcome, String> {
        let own = space(self.mounted.mounts.last().unwrap(), self.cluster, self.space).await;
        let newest = look(&own).await.generation();
        self.walk.go_on();
        if self.walk.state.generation < newest {
            let seen = self.walk.state.generation;
            return Err(format!("of {newest} generations {seen} were seen: the next was truncated unseen"));
        }
        self.compare()?;
        let mut first = None;
        for mount in &self.mounted.mounts {
            let space = space(mount, self.cluster, self.space).await;
            let snapshot = look(&space).await;
            self.walk.go_on();
            if **snapshot.state() != self.walk.state {
                return Err(format!("{}: the state is not what the log says", mount.display()));
            }
            if !first.get_or_insert_with(|| snapshot.clone()).same(&snapshot) {
                return Err(format!("{}: the state is another than through other mounts", mount.display()));
            }
            self.read_all(&space, &snapshot).await?;
        }
        self.outcome.longest = self.longest();
        self.outcome.generations = self.walk.state.generation.0;
        let Told { done, refused, unknown, retried, .. } = &self.told;
        (self.outcome.done, self.outcome.refused) = (done.len(), refused.len());
        (self.outcome.retried, self.outcome.unknown) = (*retried, *unknown);
        Ok(self.outcome)
    }

    /// Every file has, to its last byte, what one operation put there.
    async fn read_all(&mut self, space: &Space, snapshot: &Snapshot) -> Result<(), String> {
        for (directory, _) in snapshot.list(&NodePath::root(), None, usize::MAX) {
            let mut files = std::collections::BTreeMap::new();
            for (name, node) in snapshot.list(&NodePath::root().join(directory.clone()), None, usize::MAX) {
                let Kind::File { .. } = node.kind else { continue };
                let at = format!("{directory}/{name}");
                let found = patiently(async || read(space, &node).await).await;
                let found = found.map_err(|error| format!("{at}: {error}"))?;
                let content = recognize(&found).map_err(|what| format!("{at}: {what}"))?;
                if !self.told.begun.contains_key(&content.id) {
                    return Err(format!("{at}: {content:?} is there, and nobody began it"));
                }
                files.insert(name.to_string(), content);
            }
            let clients = self.slots.iter_mut().flat_map(|place| &mut place.clients);
            for client in clients.filter(|client| client.directory == directory.as_str()) {
                if let Some(worlds) = &mut client.worlds {
                    worlds.seen(&files).map_err(|what| format!("{directory} in the end: {what}"))?;
                }
            }
        }
        Ok(())
    }

    /// What was acknowledged is in the log once, where it was said to be; what was refused is not.
    fn compare(&self) -> Result<(), String> {
        let operations = &self.walk.operations;
        for (id, generation) in &self.told.done {
            let found = operations.get(id).map(|found| found.0);
            if found.is_none() || generation.is_some_and(|generation| Some(generation) != found) {
                let asked = &self.told.begun[id];
                return Err(format!("{asked:?} was acknowledged in {generation:?} and is in {found:?}"));
            }
        }
        for (id, why) in &self.told.refused {
            if let Some(generation) = operations.get(id) {
                let asked = &self.told.begun[id];
                return Err(format!("{asked:?} was refused ({why:?}) and is in generation {generation}"));
            }
        }
        Ok(())
    }

    fn longest(&self) -> u64 {
        let noise = self.noise.times();
        let mut longest = 0;
        for place in &self.slots {
            let excused: Vec<_> = noise.iter().chain(&place.waits.stopped).copied().collect();
            for (wait, what) in &place.waits.waited {
                let own = own(*wait, &excused);
                if own > STANDSTILL {
                    println!("{own} ms of {} ms from {} on: {what}", wait.1 - wait.0, wait.0);
                }
                longest = longest.max(own);
            }
        }
        longest
    }
}

/// Checks what no run may come to.
pub(super) fn check(harm: Harm, outcome: &Outcome) -> Result<(), String> {
    if outcome.done == 0 || outcome.kills < harm.kills || outcome.stops < harm.stops {
        return Err(format!("too little happened: {outcome:?}"));
    }
    if harm.prompt && outcome.longest > STANDSTILL {
        return Err(format!("an operation of a healthy process waited for {} ms", outcome.longest));
    }
    Ok(())
}
