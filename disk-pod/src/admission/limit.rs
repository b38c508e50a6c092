//! How much of a kind of work is done at once: a limit that learns from how long the work takes.
//!
//! The rule is that of the gradient limiters (Netflix's concurrency-limits, Envoy's adaptive concurrency): the shortest
//! time seen lately is what the work takes without waiting. Where the usual time is far above it, work waits inside, and
//! less of it is let in; where it is not, and the limit was nearly reached, a little more is.

use std::time::{Duration, Instant};

/// A decision needs so many samples …
const SAMPLES: usize = 8;
/// … of so much time.
const WINDOW: Duration = Duration::from_millis(250);
/// Samples that are looked at in one window, which bounds its memory.
const MOST_SAMPLES: usize = 256;
/// Where fewer come than a decision needs, they say nothing together after so long.
const STALE: Duration = Duration::from_secs(2);
/// The shortest time is that of this much time, or twice as much.
const LATELY: Duration = Duration::from_secs(30);
/// So many times the shortest time is no sign of waiting.
const TOLERANCE: f64 = 2.0;
/// No window takes away more than this.
const STEEPEST: f64 = 0.5;
/// Nor less, once there is a reason.
const GENTLEST: f64 = 0.9;

/// What is compared with what: a write waits for the disk, and is no slow read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nothing is made durable.
    Read,
    /// Something is.
    Write,
}

/// Between what a limit moves, and what is never a sign of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// So much is always done at once.
    pub(crate) least: u32,
    /// Where it begins.
    pub(crate) first: u32,
    /// More is never done at once.
    pub(crate) most: u32,
    /// On top of what the shortest read allows.
    pub(crate) read_slack: Duration,
    /// On top of what the shortest write allows.
    pub(crate) write_slack: Duration,
}

/// A limit that moves.
#[derive(Debug)]
pub(crate) struct AdaptiveLimit {
    bounds: Bounds,
    limit: f64,
    read: Shortest,
    write: Shortest,
    window: Option<Window>,
}

#[derive(Debug)]
struct Window {
    begun: Instant,
    /// How many times as long as it may take each took.
    ratios: Vec<f64>,
    /// The most that was done at once.
    busiest: u32,
}

impl AdaptiveLimit {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let (read, write) = (Shortest::default(), Shortest::default());
        Self { bounds, limit: f64::from(bounds.first), read, write, window: None }
    }

    /// What may be done at once now.
    pub(crate) fn get(&self) -> u32 {
        self.limit as u32
    }

    /// Something took so long while so much was done at once.
    pub(crate) fn observe(&mut self, now: Instant, way: Way, took: Duration, busy: u32) {
        let (shortest, slack) = match way {
            Way::Read => (&mut self.read, self.bounds.read_slack),
            Way::Write => (&mut self.write, self.bounds.write_slack),
        };
        let allowed = shortest.with(now, took).as_secs_f64() * TOLERANCE + slack.as_secs_f64();
        let ratio = took.as_secs_f64() / allowed.max(f64::MIN_POSITIVE);
        let window = self.window.get_or_insert_with(|| Window { begun: now, ratios: Vec::new(), busiest: 0 });
        window.busiest = window.busiest.max(busy);
        if window.ratios.len() < MOST_SAMPLES {
            window.ratios.push(ratio);
        }
        let age = now.saturating_duration_since(window.begun);
        if age < WINDOW {
            return;
        }
        let enough = window.ratios.len() >= SAMPLES;
        if (enough || age >= STALE)
            && let Some(window) = self.window.take()
            && enough
        {
            self.decide(window);
        }
    }

    fn decide(&mut self, window: Window) {
        let Window { begun: _, mut ratios, busiest } = window;
        ratios.sort_unstable_by(f64::total_cmp);
        let Some(usual) = ratios.get(ratios.len() / 2) else { return };
        if *usual > 1.0 {
            self.limit *= (1.0 / usual).clamp(STEEPEST, GENTLEST);
        } else if f64::from(busiest) * 2.0 >= self.limit {
            self.limit += self.limit.sqrt();
        }
        self.limit = self.limit.clamp(f64::from(self.bounds.least), f64::from(self.bounds.most));
    }
}

/// The shortest time of late: of this spell and the one before, so that a disk that became slow for good is believed.
#[derive(Debug, Default)]
struct Shortest {
    begun: Option<Instant>,
    before: Option<Duration>,
    now: Option<Duration>,
}

impl Shortest {
    /// Takes one more into account.
    fn with(&mut self, now: Instant, took: Duration) -> Duration {
        let begun = *self.begun.get_or_insert(now);
        if now.saturating_duration_since(begun) >= LATELY {
            self.before = self.now.take();
            self.begun = Some(now);
        }
        let shortest = self.now.map_or(took, |known| known.min(took));
        self.now = Some(shortest);
        self.before.map_or(shortest, |before| before.min(shortest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        least: 16,
        first: 256,
        most: 1024,
        read_slack: Duration::from_millis(1),
        write_slack: Duration::from_millis(20),
    };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A window of samples, all alike, of as much as the limit allows.
    fn window(limit: &mut AdaptiveLimit, now: &mut Instant, way: Way, took: Duration, busy: u32) {
        for _ in 0..32 {
            limit.observe(*now, way, took, busy);
            *now += ms(10);
        }
    }

    #[test]
    fn a_limit_moves_for_a_reason_alone() {
        for (what, took, busy, then) in [
            ("as ever, and little of it", ms(2), 3, 256),
            ("as ever, and nearly too much", ms(2), 200, 272),
            ("a little slower", ms(5), 200, 272),
            ("twice too slow", ms(10), 200, 128),
            ("a thousand times too slow", ms(5000), 200, 128),
            ("slow, though little is done", ms(6), 3, 213),
        ] {
            let (mut limit, mut now) = (AdaptiveLimit::new(BOUNDS), Instant::now());
            // The shortest time is 2 ms, so up to 5 ms nothing waits.
            for _ in 0..SAMPLES - 1 {
                limit.observe(now, Way::Read, ms(2), 1);
            }
            now += STALE;
            limit.observe(now, Way::Read, ms(2), 1);
            limit.window = None;
            limit.limit = 256.0;
            window(&mut limit, &mut now, Way::Read, took, busy);
            assert_eq!(limit.get(), then, "{what}");
        }
    }

    #[test]
    fn a_write_is_no_slow_read() {
        let (mut limit, mut now) = (AdaptiveLimit::new(BOUNDS), Instant::now());
        for _ in 0..20 {
            window(&mut limit, &mut now, Way::Read, ms(1), 10);
            window(&mut limit, &mut now, Way::Write, ms(15), 10);
        }
        assert_eq!(limit.get(), 256);
    }

    #[test]
    fn it_stays_between_its_bounds_and_few_samples_decide_nothing() {
        let (mut limit, mut now) = (AdaptiveLimit::new(BOUNDS), Instant::now());
        limit.observe(now, Way::Read, ms(1), 1);
        for _ in 0..40 {
            window(&mut limit, &mut now, Way::Read, ms(900), 300);
        }
        assert_eq!(limit.get(), BOUNDS.least);
        for _ in 0..600 {
            window(&mut limit, &mut now, Way::Read, ms(1), 2000);
        }
        assert_eq!(limit.get(), BOUNDS.most);
        for _ in 0..1000 {
            now += ms(500);
            limit.observe(now, Way::Read, ms(5000), 1);
        }
        assert_eq!(limit.get(), BOUNDS.most);
    }

    /// A server that does so much at once, each in 4 ms; what is beyond waits. A crowd keeps as much under way as the limit
    /// lets in.
    fn crowd(limit: &mut AdaptiveLimit, now: &mut Instant, capacity: f64, seconds: u64) -> (u32, u32) {
        let (mut lowest, mut highest) = (u32::MAX, 0);
        for _ in 0..seconds * 20 {
            let busy = limit.get();
            let took = Duration::from_secs_f64(0.004 * (f64::from(busy) / capacity).max(1.0));
            for at in 0..50_u32 {
                limit.observe(*now + ms(u64::from(at)), Way::Read, took, busy);
            }
            *now += ms(50);
            // What it settles at, not how it gets there.
            if lowest == u32::MAX {
                lowest = busy;
            }
            (lowest, highest) = (lowest.min(busy), highest.max(busy));
        }
        (lowest, highest)
    }

    #[test]
    fn in_a_crowd_it_finds_what_the_server_can_do_and_follows_it() {
        let (mut limit, mut now) = (AdaptiveLimit::new(BOUNDS), Instant::now());
        // One that is alone shows how long it takes without waiting.
        limit.observe(now, Way::Read, ms(4), 1);
        crowd(&mut limit, &mut now, 50.0, 10);
        let (lowest, highest) = crowd(&mut limit, &mut now, 50.0, 10);
        assert!(lowest >= 50 && highest <= 150, "of 50 at once: {lowest} to {highest}");
        crowd(&mut limit, &mut now, 200.0, 10);
        let (lowest, highest) = crowd(&mut limit, &mut now, 200.0, 10);
        assert!(lowest >= 200 && highest <= 600, "of 200 at once: {lowest} to {highest}");
        // And a server that got slow for good is not starved for ever.
        crowd(&mut limit, &mut now, 5.0, 90);
        assert!(limit.get() >= BOUNDS.least);
    }
}
