//! How fast a body must come. A client that sends a byte a second would keep what it holds for ever; one on a bad line
//! is silent for a while and then sends again.

use std::time::{Duration, Instant};

/// Bytes a second. The worst of the lines that phones have bring several times as much.
const LEAST: u32 = 512;

/// The time for which may still be waited: waiting takes from it, and each byte gives some of it back.
#[derive(Debug)]
pub(crate) struct Pace {
    most: Duration,
    left: Duration,
    waits_since: Option<Instant>,
}

impl Pace {
    /// One that waits for so long at most, on a client that was fast enough before.
    pub(crate) fn new(most: Duration) -> Self {
        Self { most, left: most, waits_since: None }
    }

    /// Until when may be waited for what comes next. Asked again before something came it says the same.
    pub(crate) fn deadline(&mut self, now: Instant) -> Instant {
        *self.waits_since.get_or_insert(now) + self.left
    }

    /// So many bytes came.
    pub(crate) fn came(&mut self, now: Instant, bytes: usize) {
        if let Some(since) = self.waits_since.take() {
            self.left = self.left.saturating_sub(now.saturating_duration_since(since));
        }
        let worth = Duration::from_secs_f64(bytes as f64 / f64::from(LEAST));
        self.left = self.left.saturating_add(worth).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a client is listened to that sends so many bytes each time, so many seconds apart; an hour at most.
    fn lasts(bytes: usize, apart: f64) -> u64 {
        let begun = Instant::now();
        let (mut pace, mut now) = (Pace::new(Duration::from_secs(30)), begun);
        while now - begun < Duration::from_secs(3600) {
            let next = now + Duration::from_secs_f64(apart);
            let deadline = pace.deadline(now);
            assert_eq!(deadline, pace.deadline(now + Duration::from_millis(1)), "asked again");
            if next > deadline {
                return (deadline - begun).as_secs();
            }
            now = next;
            pace.came(now, bytes);
        }
        3600
    }

    #[test]
    fn a_byte_a_second_is_cut_and_a_bad_line_is_not() {
        for (what, bytes, apart, seconds) in [
            ("silence", 0, 1e9, 30),
            ("a byte a second", 1, 1.0, 30),
            ("a byte ten times a second", 1, 0.1, 30),
            ("400 bytes a second", 400, 1.0, 133),
            ("600 bytes a second", 600, 1.0, 3600),
            ("a packet each two seconds", 1400, 2.0, 3600),
            ("16 KiB, and silence while the network changes", 16 << 10, 29.0, 3600),
            ("fast", 64 << 10, 0.01, 3600),
        ] {
            assert_eq!(lasts(bytes, apart), seconds, "{what}");
        }
    }
}
