//! Clients that were sent to a disk pod and that its load reports may not show yet.

use std::time::{Duration, Instant};

/// Half of the tickets are taken to be shown by the reports after this.
const HALF: Duration = Duration::from_millis(200);

/// A count that halves again and again.
#[derive(Debug)]
pub(crate) struct Tickets {
    count: f64,
    at: Instant,
}

impl Tickets {
    pub(crate) fn none(now: Instant) -> Self {
        Self { count: 0.0, at: now }
    }

    pub(crate) fn now(&self, now: Instant) -> f64 {
        let halves = now.saturating_duration_since(self.at).as_secs_f64() / HALF.as_secs_f64();
        self.count * 0.5f64.powf(halves)
    }

    pub(crate) fn add(&mut self, now: Instant) {
        self.count = self.now(now) + 1.0;
        self.at = now;
    }
}
