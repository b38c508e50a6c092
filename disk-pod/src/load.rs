//! What this pod is busy with, kept in memory so that a load report costs no more than a few reads.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Samples kept of each kind of work.
const SAMPLES: usize = 64;
/// Older samples say nothing about now.
const RECENT: Duration = Duration::from_secs(30);

/// What kind of work a duration was measured of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Names, listings, usage: no file content.
    Metadata,
    /// A transfer of at most [`SMALL`] bytes, until storage had taken or given all of them.
    Small,
    /// A larger one, until storage had taken or given the first of them.
    Bulk,
}

/// The largest transfer that is small, in bytes.
pub const SMALL: u64 = 64 * 1024;

impl Work {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Metadata, Self::Small, Self::Bulk];

    /// As metrics and logs call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Small => "small",
            Self::Bulk => "bulk",
        }
    }

    /// The kind of a transfer of so many bytes.
    pub fn of_transfer(bytes: u64) -> Self {
        if bytes <= SMALL { Self::Small } else { Self::Bulk }
    }
}

/// The numbers; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Load {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    requests: AtomicU32,
    bytes: AtomicU64,
    metadata: Mutex<Recent>,
    small: Mutex<Recent>,
    bulk: Mutex<Recent>,
}

/// Recent medians, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Medians {
    /// Of [`Work::Metadata`].
    pub metadata: Option<u32>,
    /// Of [`Work::Small`].
    pub small: Option<u32>,
    /// Of [`Work::Bulk`].
    pub bulk: Option<u32>,
}

impl Load {
    /// Counts one request until the guard is dropped.
    pub fn request(&self) -> Running {
        self.inner.requests.fetch_add(1, Ordering::Relaxed);
        Running { load: self.clone() }
    }

    /// Counts `bytes` as on their way until they are moved or the guard is dropped.
    pub fn transfer(&self, bytes: u64) -> Transfer {
        self.inner.bytes.fetch_add(bytes, Ordering::Relaxed);
        Transfer { load: self.clone(), left: bytes }
    }

    /// Requests being answered now.
    pub fn requests(&self) -> u32 {
        self.inner.requests.load(Ordering::Relaxed)
    }

    /// Announced bytes not moved yet.
    pub fn bytes(&self) -> u64 {
        self.inner.bytes.load(Ordering::Relaxed)
    }

    /// Notes how long something took.
    pub fn took(&self, work: Work, duration: Duration) {
        let samples = match work {
            Work::Metadata => &self.inner.metadata,
            Work::Small => &self.inner.small,
            Work::Bulk => &self.inner.bulk,
        };
        let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        samples.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now(), micros);
    }

    /// The medians of what was noted lately.
    pub fn medians(&self) -> Medians {
        let now = Instant::now();
        let median =
            |samples: &Mutex<Recent>| samples.lock().unwrap_or_else(PoisonError::into_inner).median(now);
        Medians {
            metadata: median(&self.inner.metadata),
            small: median(&self.inner.small),
            bulk: median(&self.inner.bulk),
        }
    }
}

/// A ring of the last samples.
#[derive(Debug, Default)]
struct Recent {
    samples: Vec<(Instant, u32)>,
    next: usize,
}

impl Recent {
    fn push(&mut self, at: Instant, micros: u32) {
        if self.samples.len() < SAMPLES {
            self.samples.push((at, micros));
        } else if let Some(oldest) = self.samples.get_mut(self.next) {
            *oldest = (at, micros);
            self.next = (self.next + 1) % SAMPLES;
        }
    }

    fn median(&self, now: Instant) -> Option<u32> {
        let mut recent: Vec<u32> = self
            .samples
            .iter()
            .filter(|(at, _)| now.saturating_duration_since(*at) < RECENT)
            .map(|(_, micros)| *micros)
            .collect();
        recent.sort_unstable();
        recent.get(recent.len() / 2).copied()
    }
}

/// One request that is being answered.
#[derive(Debug)]
pub struct Running {
    load: Load,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.load.inner.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes on their way.
#[derive(Debug)]
pub struct Transfer {
    load: Load,
    left: u64,
}

impl Transfer {
    /// So many of them have moved.
    pub fn moved(&mut self, bytes: u64) {
        let moved = bytes.min(self.left);
        self.left -= moved;
        self.load.inner.bytes.fetch_sub(moved, Ordering::Relaxed);
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.moved(self.left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_no_longer_counted() {
        let load = Load::default();
        let running = load.request();
        let mut transfer = load.transfer(100);
        transfer.moved(30);
        assert_eq!((load.requests(), load.bytes()), (1, 70));
        transfer.moved(1000);
        assert_eq!(load.bytes(), 0);
        drop((running, transfer, load.transfer(5)));
        assert_eq!((load.requests(), load.bytes()), (0, 0));
    }

    #[test]
    fn the_median_is_of_recent_samples_only() {
        let mut recent = Recent::default();
        let then = Instant::now();
        assert_eq!(recent.median(then), None);
        for micros in 1..=200 {
            recent.push(then, micros);
        }
        assert_eq!(recent.median(then), Some(169));
        assert_eq!(recent.median(then + RECENT), None);
    }

    #[test]
    fn each_kind_has_its_own_median() {
        let load = Load::default();
        load.took(Work::of_transfer(SMALL), Duration::from_millis(1));
        load.took(Work::of_transfer(SMALL + 1), Duration::from_millis(20));
        assert_eq!(load.medians(), Medians { metadata: None, small: Some(1000), bulk: Some(20_000) });
    }
}
