//! A disk pod that shares its cores among all requests that are under way.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Cores of a pod: so many requests run at full speed.
pub(super) const CORES: f64 = 4.0;

/// Latencies are of so many requests, as a disk pod keeps them.
const SAMPLES: usize = 64;

/// A number that is ordered; there are no others here.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Ordered(pub(super) f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// A request in a pod: when it came, and whether it is a small one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    pub(super) came: Ordered,
    pub(super) small: bool,
}

pub(super) struct Pod {
    speed: f64,
    /// Work that each request has got since the beginning, had it been there.
    got: f64,
    at: f64,
    requests: BinaryHeap<Reverse<(Ordered, Request)>>,
    latencies: VecDeque<f64>,
    /// Changes whenever the moment of the next end does.
    pub(super) version: u64,
}

impl Pod {
    pub(super) fn new(speed: f64) -> Self {
        Self { speed, got: 0.0, at: 0.0, requests: BinaryHeap::new(), latencies: VecDeque::new(), version: 0 }
    }

    fn pace(&self) -> f64 {
        self.speed * (CORES / self.requests.len() as f64).min(1.0)
    }

    fn forward(&mut self, now: f64) {
        if !self.requests.is_empty() {
            self.got += (now - self.at) * self.pace();
        }
        self.at = now;
    }

    pub(super) fn take(&mut self, request: Request, work: f64, now: f64) {
        self.forward(now);
        self.requests.push(Reverse((Ordered(self.got + work), request)));
        self.version += 1;
    }

    /// When the next request ends, if nothing else happens.
    pub(super) fn next_end(&self) -> Option<f64> {
        let Reverse((Ordered(end), _)) = self.requests.peek()?;
        Some(self.at + (end - self.got).max(0.0) / self.pace())
    }

    /// Ends that request and tells how long it took.
    pub(super) fn end(&mut self, now: f64) -> Option<f64> {
        self.forward(now);
        let Reverse((_, request)) = self.requests.pop()?;
        self.version += 1;
        let took = now - request.came.0;
        if request.small {
            if self.latencies.len() == SAMPLES {
                self.latencies.pop_front();
            }
            self.latencies.push_back(took);
        }
        Some(took)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn median(&self) -> Option<f64> {
        let mut all: Vec<f64> = self.latencies.iter().copied().collect();
        let middle = all.len() / 2;
        (!all.is_empty()).then(|| *all.select_nth_unstable_by(middle, f64::total_cmp).1)
    }
}
