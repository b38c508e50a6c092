//! One combination of pods, load and age of reports, and what requests took there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::ids::SpaceId;
use uuid::Uuid;

use super::super::{Candidate, Health, report};
use super::pod::{CORES, Ordered, Pod, Request};
use super::rivals::Rival;
use crate::disks::tickets::Tickets;

/// Four of five requests are small, the others are large: seconds of one core.
const SMALL: f64 = 0.020;
const LARGE: f64 = 0.400;
const SMALL_PART: f64 = 0.8;
/// From the ticket to the first request.
const CONNECTING: f64 = 0.02;

/// How fast the pods are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speeds {
    Equal,
    /// From half to twice the middle.
    Unequal,
    /// All the same but one, which has a fifth.
    OneSlow,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) pods: usize,
    pub(super) speeds: Speeds,
    /// Part of all cores that are busy in the mean.
    pub(super) load: f64,
    /// How old a report gets before there is the next, in seconds.
    pub(super) report_age: f64,
    pub(super) web_pods: usize,
    pub(super) requests: usize,
}

/// What requests took, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Asks,
    Arrives { pod: usize, small: bool, work: Ordered },
    Ends { pod: usize, version: u64 },
    Reports { web: usize, pod: usize },
}

struct Web {
    candidates: Vec<Candidate>,
    tickets: Vec<Tickets>,
    turn: usize,
}

impl Cell {
    fn speeds(&self) -> Vec<f64> {
        let place = |pod: usize| pod as f64 / (self.pods - 1).max(1) as f64;
        match self.speeds {
            Speeds::Equal => vec![1.0; self.pods],
            Speeds::Unequal => (0..self.pods).map(|pod| 0.5 * 4f64.powf(place(pod))).collect(),
            Speeds::OneSlow => (0..self.pods).map(|pod| if pod == 0 { 0.2 } else { 1.0 }).collect(),
        }
    }

    pub(super) fn run(&self, rival: Rival) -> Found {
        let speeds = self.speeds();
        let mean_work = SMALL_PART * SMALL + (1.0 - SMALL_PART) * LARGE;
        let a_second = self.load * CORES * speeds.iter().sum::<f64>() / mean_work;
        // What is asked is the same whoever chooses; chances of choosing are of their own.
        let mut asked = fastrand::Rng::with_seed(7);
        let mut chance = fastrand::Rng::with_seed(8);
        let exponential = |random: &mut fastrand::Rng, mean: f64| -mean * (1.0 - random.f64()).ln();

        let start = Instant::now();
        let at = |now: f64| start + Duration::from_secs_f64(now);
        let mut pods: Vec<Pod> = speeds.into_iter().map(Pod::new).collect();
        let mut webs: Vec<Web> = (0..self.web_pods).map(|_| self.web(start)).collect();
        let mut events = BinaryHeap::new();
        events.push(Reverse((Ordered(0.0), Event::Asks)));
        for web in 0..self.web_pods {
            for pod in 0..self.pods {
                let first = asked.f64() * self.report_age;
                events.push(Reverse((Ordered(first), Event::Reports { web, pod })));
            }
        }
        let warm = self.requests / 10;
        let (mut asks, mut ends) = (0, 0);
        let mut took = Vec::with_capacity(self.requests);
        while ends < self.requests {
            let Some(Reverse((Ordered(now), event))) = events.pop() else { break };
            match event {
                Event::Asks => {
                    asks += 1;
                    if asks < self.requests + self.requests / 10 {
                        events.push(Reverse((
                            Ordered(now + exponential(&mut asked, 1.0 / a_second)),
                            Event::Asks,
                        )));
                    }
                    let small = asked.f64() < SMALL_PART;
                    let work = exponential(&mut asked, if small { SMALL } else { LARGE });
                    let space = SpaceId(Uuid::from_u128(u128::from(asked.u64(..20 * self.pods as u64))));
                    let web = &mut webs[asked.usize(..self.web_pods)];
                    for (candidate, tickets) in web.candidates.iter_mut().zip(&web.tickets) {
                        candidate.tickets = tickets.now(at(now));
                    }
                    let pod = rival.choose(&web.candidates, space, &mut web.turn, &mut chance);
                    web.tickets[pod].add(at(now));
                    let arrives = Event::Arrives { pod, small, work: Ordered(work) };
                    events.push(Reverse((Ordered(now + CONNECTING), arrives)));
                }
                Event::Arrives { pod, small, work } => {
                    pods[pod].take(Request { came: Ordered(now), small }, work.0, now);
                    self.expect_end(&mut events, &pods[pod], pod);
                }
                Event::Ends { pod, version } => {
                    if pods[pod].version == version {
                        let seconds = pods[pod].end(now).unwrap();
                        ends += 1;
                        if ends > warm {
                            took.push(seconds);
                        }
                        self.expect_end(&mut events, &pods[pod], pod);
                    }
                }
                Event::Reports { web, pod } => {
                    let mut report = report("p");
                    report.in_flight = pods[pod].in_flight() as u32;
                    report.capacity_hint = 0;
                    report.latency.small_us = pods[pod].median().map(|seconds| (seconds * 1e6) as u32);
                    webs[web].candidates[pod].health =
                        Health::Answering { report: Arc::new(report), age: Duration::ZERO };
                    events.push(Reverse((Ordered(now + self.report_age), event)));
                }
            }
        }
        took.sort_unstable_by(f64::total_cmp);
        let quantile = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
        Found { p50: quantile(0.5), p99: quantile(0.99), p999: quantile(0.999) }
    }

    fn expect_end(&self, events: &mut BinaryHeap<Reverse<(Ordered, Event)>>, of: &Pod, pod: usize) {
        if let Some(end) = of.next_end() {
            events.push(Reverse((Ordered(end), Event::Ends { pod, version: of.version })));
        }
    }

    fn web(&self, start: Instant) -> Web {
        let candidate = |pod: usize| Candidate {
            name: format!("disk-{pod}").parse().unwrap(),
            url: String::new(),
            health: Health::Answering { report: Arc::new(report("p")), age: Duration::ZERO },
            tickets: 0.0,
        };
        Web {
            candidates: (0..self.pods).map(candidate).collect(),
            tickets: (0..self.pods).map(|_| Tickets::none(start)).collect(),
            turn: 0,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pods, speeds, load, report_age, web_pods, requests: _ } = self;
        let speeds = match speeds {
            Speeds::Equal => "equal",
            Speeds::Unequal => "unequal",
            Speeds::OneSlow => "one slow",
        };
        write!(out, "{pods} | {speeds} | {:.0} % | {:.0} ms | {web_pods}", load * 100.0, report_age * 1000.0)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, p999 } = self;
        write!(out, "{:.0} / {:.0} / {:.0}", p50 * 1e3, p99 * 1e3, p999 * 1e3)
    }
}
