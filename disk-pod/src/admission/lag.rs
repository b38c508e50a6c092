//! How long what could go on waits for its turn at a processor: a request that is answered out of memory is under way for a
//! moment only, and a thousand of them wait all the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(10);
/// Timers are no more exact than this.
const EXACT: Duration = Duration::from_millis(2);

/// The lag of late, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Lag(AtomicU64);

impl Lag {
    pub(super) fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }

    /// Looks how late a timer is woken, again and again.
    pub(super) async fn feel(&self) {
        loop {
            let due = Instant::now() + INTERVAL;
            tokio::time::sleep_until(due).await;
            // Behind all that is ready now.
            tokio::task::yield_now().await;
            self.note(due.elapsed());
        }
    }

    fn note(&self, late: Duration) {
        let lag = if late < EXACT { Duration::ZERO } else { late };
        self.0.store(u64::try_from(lag.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_timer_can_not_tell_is_none() {
        let (lag, ms) = (Lag::default(), Duration::from_millis);
        for (late, felt) in [(ms(1), ms(0)), (ms(16), ms(16)), (ms(1), ms(0))] {
            lag.note(late);
            assert_eq!(lag.now(), felt);
        }
    }
}
