//! How long to wait before an object is tried again.

use std::time::Duration;

/// Pauses that double from the first to the longest, with some spread so that objects that failed together do not
/// come back together.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// After many.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(250), longest: Duration::from_secs(60) }
    }
}

impl Backoff {
    /// The pause after so many failures in a row; `spread` is a random number from 0 to 255 and adds up to a quarter.
    #[must_use]
    pub fn pause(self, failures: u32, spread: u8) -> Duration {
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1));
        let pause = self.first.saturating_mul(doubled).min(self.longest);
        pause + pause.mul_f64(f64::from(spread) / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff::default();
        for (failures, milliseconds) in
            [(0, 250), (1, 250), (2, 500), (3, 1000), (8, 32_000), (9, 60_000), (4_000_000, 60_000)]
        {
            assert_eq!(backoff.pause(failures, 0), Duration::from_millis(milliseconds), "{failures}");
        }
        assert!(backoff.pause(1, 255) < Duration::from_millis(313));
    }
}
