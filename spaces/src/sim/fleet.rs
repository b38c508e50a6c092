//! The pods: started, stopped where they are, asleep, and asked.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::ids::{ClusterUid, SpaceId, VolumeName};
use futures::channel::oneshot;
use futures::future::{Either, select};
use uuid::Uuid;

use super::coverage::Met;
use super::mount::{Mount, Server};
use super::removal::CLOSED_FOR;
use super::second::Second;
use super::world::{Machine, Owner, World};
use crate::engine::{Engine, EngineConfig};
use crate::error::{Error, OpenError};
use crate::file_system::FileSystem;
use crate::replica::removal::Removed;
use crate::settings::Settings;
use crate::space::Space;

struct Pod {
    /// Unless it is dead.
    life: Option<Owner>,
    engine: Option<Engine>,
    clock: Arc<AtomicI64>,
}

pub(super) struct Fleet {
    world: Arc<World>,
    server: Arc<Server>,
    settings: Mutex<Settings>,
    pods: Mutex<Vec<Pod>>,
    /// Whether there is a second volume.
    pool: bool,
}

const CLUSTER: ClusterUid = ClusterUid(Uuid::from_u128(1));

/// A member's own disk and that of a group, to which the member lends.
pub(super) const SPACES: [SpaceId; 2] =
    [SpaceId(Uuid::from_u128(0x1 << 124)), SpaceId(Uuid::from_u128(0x2 << 124))];

/// The home volume of all spaces.
pub(super) fn volume() -> VolumeName {
    "main".parse().unwrap()
}

/// The other one.
pub(super) fn second() -> VolumeName {
    "second".parse().unwrap()
}

impl Fleet {
    pub(super) fn new(
        world: Arc<World>,
        server: Arc<Server>,
        settings: Settings,
        pods: usize,
        pool: bool,
    ) -> Arc<Self> {
        let dead = |_| Pod { life: None, engine: None, clock: Arc::default() };
        let settings = Mutex::new(settings);
        let fleet = Self { world, server, settings, pods: Mutex::new((0..pods).map(dead).collect()), pool };
        let fleet = Arc::new(fleet);
        (0..pods).for_each(|pod| fleet.start(pod));
        fleet
    }

    pub(super) fn size(&self) -> usize {
        self.pods.lock().unwrap().len()
    }

    pub(super) fn is_up(&self, pod: usize) -> bool {
        self.pods.lock().unwrap()[pod].engine.is_some()
    }

    /// A pod begins a new life. It does nothing when it is alive.
    pub(super) fn start(self: &Arc<Self>, pod: usize) {
        let (life, clock) = {
            let pods = &mut self.pods.lock().unwrap()[pod];
            if pods.life.is_some() {
                return;
            }
            (pods.life.insert(self.world.life()).clone(), pods.clock.clone())
        };
        self.world.note(|| format!("pod {pod} starts (life {})", life.number));
        let mount = Arc::new(Mount::new(self.server.clone(), life.clone()));
        let fleet = self.clone();
        self.world.spawn(&life.clone(), async move {
            loop {
                let mut volumes: Vec<(VolumeName, Arc<dyn FileSystem>)> = vec![(volume(), mount.clone())];
                if fleet.pool {
                    let other = Second(mount.clone());
                    if other.make().await.is_err() {
                        fleet.world.sleep(100_000).await;
                        continue;
                    }
                    volumes.push((second(), Arc::new(other)));
                }
                let config = EngineConfig {
                    volumes,
                    cluster: CLUSTER,
                    adopt: None,
                    settings: fleet.settings.lock().unwrap().clone(),
                };
                let host =
                    Arc::new(Machine::new(fleet.world.clone(), life.clone(), pod as u64, clock.clone()));
                match Engine::open(config, host).await {
                    Ok(engine) => {
                        // They may have changed while it opened its volume.
                        engine.set_settings(fleet.settings.lock().unwrap().clone());
                        let pods = &mut fleet.pods.lock().unwrap()[pod];
                        if !life.is_dead() {
                            pods.engine = Some(engine);
                        }
                        return;
                    }
                    // A file system that fails may seem to be one that can not be used; the pod begins again.
                    Err(OpenError::Unusable { .. }) => fleet.world.sleep(100_000).await,
                    Err(error) => {
                        fleet.world.wrong(format!("7: pod {pod} can not open its volume: {error}"));
                        fleet.world.sleep(100_000).await;
                    }
                }
            }
        });
    }

    /// Starts all pods anew.
    pub(super) fn restart(self: &Arc<Self>) {
        (0..self.size()).for_each(|pod| {
            self.crash(pod);
            self.start(pod);
        });
    }

    /// From now on pods do nothing by themselves.
    pub(super) fn rest(&self) {
        self.tune(|settings| settings.upkeep = Duration::ZERO);
    }

    /// Changes what is set of all pods.
    pub(super) fn tune(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings.lock().unwrap();
        change(&mut settings);
        for engine in self.pods.lock().unwrap().iter().filter_map(|pod| pod.engine.as_ref()) {
            engine.set_settings(settings.clone());
        }
    }

    /// Ends a pod at whatever step it is.
    pub(super) fn crash(&self, pod: usize) {
        let (life, engine) = {
            let pods = &mut self.pods.lock().unwrap()[pod];
            (pods.life.take(), pods.engine.take())
        };
        if let Some(life) = life {
            self.world.meet(Met::Crash);
            self.world.note(|| format!("pod {pod} dies (life {})", life.number));
            self.world.kill(&life);
            self.world.pause(&life, false);
            self.server.client_dies(&life);
        }
        if let Some(engine) = &engine {
            self.world.met.add_many(Met::Evicted, engine.memory().evictions);
        }
        self.world.bury(engine);
    }

    /// The life of a pod that lives.
    pub(super) fn life(&self, pod: usize) -> Option<Owner> {
        self.pods.lock().unwrap()[pod].life.clone()
    }

    /// A pod drops the states that it has in memory, whoever waits for them.
    pub(super) fn evict(&self, pod: usize) {
        if let Some(engine) = self.pods.lock().unwrap()[pod].engine.as_ref() {
            self.world.note(|| format!("pod {pod} drops all states"));
            let mut replicas = engine.replicas();
            replicas.sort_by_key(|replica| replica.shared.log.space);
            replicas.iter().for_each(|replica| replica.ask_to_go(true));
        }
    }

    /// Stops all tasks of a pod, or lets them go on.
    pub(super) fn pause(&self, pod: usize, paused: bool) {
        let Some(life) = self.life(pod).filter(|life| life.is_paused() != paused) else { return };
        if paused {
            self.world.meet(Met::Paused);
        }
        let does = if paused { "sleeps" } else { "wakes" };
        self.world.note(|| format!("pod {pod} {does} (life {})", life.number));
        self.world.pause(&life, paused);
    }

    pub(super) fn hang(&self, pod: usize, micros: u64) {
        let Some(life) = self.life(pod) else { return };
        self.world.meet(Met::Hung);
        self.world.note(|| format!("the volume does not answer pod {pod} for {micros} us"));
        life.hung.store(self.world.now() + micros, Ordering::Relaxed);
    }

    /// Nothing waits for a pod any more.
    pub(super) fn release(&self, pod: usize) {
        let Some(life) = self.life(pod) else { return };
        life.hung.store(0, Ordering::Relaxed);
        life.clear_trap();
    }

    pub(super) fn step_clock(&self, pod: usize, millis: i64) {
        self.world.note(|| format!("the clock of pod {pod} is off by {millis} ms"));
        self.pods.lock().unwrap()[pod].clock.store(millis, Ordering::Relaxed);
    }

    pub(super) fn calls(&self) -> u64 {
        self.server.calls.load(Ordering::Relaxed)
    }

    pub(super) fn set_calls(&self, calls: u64) {
        self.server.calls.store(calls, Ordering::Relaxed);
    }

    /// A pod visits a space, as one that nobody uses.
    pub(super) fn visit(&self, pod: usize, space: SpaceId) -> oneshot::Receiver<Result<(), Error>> {
        let (reply, replied) = oneshot::channel();
        let found = {
            let pods = &self.pods.lock().unwrap()[pod];
            pods.life.clone().zip(pods.engine.clone())
        };
        if let Some((life, engine)) = found {
            self.world.meet(Met::Visited);
            self.world.spawn(&life, async move {
                let visited = engine.visit(space, volume()).await;
                // Nobody may wait for it.
                let _ = reply.send(visited);
            });
        }
        replied
    }

    /// A pod removes a space that is closed.
    pub(super) fn remove(&self, pod: usize, space: SpaceId) -> oneshot::Receiver<Result<Removed, Error>> {
        let (reply, replied) = oneshot::channel();
        let found = {
            let pods = &self.pods.lock().unwrap()[pod];
            pods.life.clone().zip(pods.engine.clone())
        };
        if let Some((life, engine)) = found {
            self.world.spawn(&life, async move {
                let removed = engine.remove_space(space, volume(), CLOSED_FOR).await;
                // Nobody may wait for it.
                let _ = reply.send(removed);
            });
        }
        replied
    }

    /// A pod looks after a space.
    pub(super) async fn upkeep(&self, pod: usize, space: SpaceId) {
        let found = {
            let pods = &self.pods.lock().unwrap()[pod];
            pods.life.clone().zip(pods.engine.clone())
        };
        let Some((life, engine)) = found else { return };
        let (reply, replied) = oneshot::channel();
        let world = self.world.clone();
        self.world.spawn(&life, async move {
            if let Err(error) = engine.upkeep(space, volume()).await {
                world.wrong(format!("7: pod {pod} can not look after a space in the end: {error}"));
            }
            let _ = reply.send(());
        });
        let _ = replied.await;
    }

    /// Whether there is a second volume.
    pub(super) fn has_pool(&self) -> bool {
        self.pool
    }

    /// Asks a pod; `None` when it dies or the patience ends first. What was asked goes on all the same.
    pub(super) async fn ask<T, F>(
        &self,
        pod: usize,
        space: SpaceId,
        patience: u64,
        ask: impl FnOnce(Space) -> F,
    ) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        self.ask_both(pod, [space, space], patience, |space, _| ask(space)).await
    }

    /// Asks a pod about two spaces.
    pub(super) async fn ask_both<T, F>(
        &self,
        pod: usize,
        [one, other]: [SpaceId; 2],
        patience: u64,
        ask: impl FnOnce(Space, Space) -> F,
    ) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let found = {
            let pods = &self.pods.lock().unwrap()[pod];
            pods.life.clone().zip(pods.engine.clone())
        };
        let Some((life, engine)) = found else {
            self.world.sleep(20_000).await;
            return None;
        };
        let (reply, replied) = oneshot::channel();
        let asked = ask(engine.space(one, volume()), engine.space(other, volume()));
        // Nobody but its pod keeps an engine.
        drop(engine);
        self.world.spawn(&life, async move {
            let _ = reply.send(asked.await);
        });
        let patience = self.world.sleep(patience);
        match select(replied, patience).await {
            Either::Left((reply, _)) => reply.ok(),
            Either::Right(_) => None,
        }
    }
}
