//! What the engine needs of the process it lives in: time, chance, and something that runs its futures.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::channel::oneshot;
use futures::future::BoxFuture;

/// The process around the engine.
pub trait Host: Send + Sync + 'static {
    /// Milliseconds since 1970 by the wall clock, which may jump. Nothing is ordered by it.
    fn now(&self) -> i64;
    /// Names the machine whose wall clock that is; the same for all processes there. `None` when it is not known: then
    /// the clock counts as this process's own.
    fn machine(&self) -> Option<u64> {
        None
    }
    /// Time since some moment, which never goes back.
    fn elapsed(&self) -> Duration;
    /// 64 random bits.
    fn random(&self) -> u64;
    /// Runs a future to its end, beside everything else.
    fn spawn(&self, future: BoxFuture<'static, ()>);
    /// Comes back after a while.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// Does some work that takes a while and waits for nothing, where it keeps no future from running.
    fn compute(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }
}

/// What some work comes to that takes a while. `None` when the process is about to end.
pub(crate) async fn computed<T: Send + 'static>(
    host: &dyn Host,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (reply, answer) = oneshot::channel();
    host.compute(Box::new(move || {
        let _ = reply.send(work());
    }));
    answer.await.ok()
}

/// The host of a real pod: a tokio runtime, the system's clocks and its random numbers.
#[derive(Debug)]
pub struct TokioHost {
    started: std::time::Instant,
    machine: Option<u64>,
    runtime: tokio::runtime::Handle,
}

impl TokioHost {
    /// The host around the runtime that this is called in.
    #[must_use]
    pub fn current() -> Self {
        // One id for each start of a kernel, also in a container. Two processes there have one clock.
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        let machine =
            boot.ok().and_then(|text| uuid::Uuid::try_parse(text.trim()).ok()).map(|id| id.as_u64_pair().0);
        let started = std::time::Instant::now();
        Self { started, machine, runtime: tokio::runtime::Handle::current() }
    }
}

impl Host for TokioHost {
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn machine(&self) -> Option<u64> {
        self.machine
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        // Ids must not repeat among pods. The system's source does not fail on Linux once it is seeded; if it did,
        // the generator of this process, seeded at its start, is what is left.
        match getrandom::fill(&mut bytes) {
            Ok(()) => u64::from_ne_bytes(bytes),
            Err(_) => fastrand::u64(..),
        }
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.runtime.spawn(future);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn compute(&self, work: Box<dyn FnOnce() + Send>) {
        self.runtime.spawn_blocking(work);
    }
}
