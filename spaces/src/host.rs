//! What the engine needs of the process it lives in: time, chance, and something that runs its futures.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;

/// The process around the engine.
pub trait Host: Send + Sync + 'static {
    /// Milliseconds since 1970 by the wall clock, which may jump. Nothing is ordered by it.
    fn now(&self) -> i64;
    /// Time since some moment, which never goes back.
    fn elapsed(&self) -> Duration;
    /// 64 random bits.
    fn random(&self) -> u64;
    /// Runs a future to its end, beside everything else.
    fn spawn(&self, future: BoxFuture<'static, ()>);
    /// Comes back after a while.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The host of a real pod: a tokio runtime, the system's clocks and its random numbers.
#[derive(Debug)]
pub struct TokioHost {
    started: std::time::Instant,
    runtime: tokio::runtime::Handle,
}

impl TokioHost {
    /// The host around the runtime that this is called in.
    #[must_use]
    pub fn current() -> Self {
        Self { started: std::time::Instant::now(), runtime: tokio::runtime::Handle::current() }
    }
}

impl Host for TokioHost {
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
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
}
