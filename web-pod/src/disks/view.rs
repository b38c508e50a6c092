//! How each disk pod was when it last answered, as this web pod sees it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use api::ids::PodName;
use api::load::LoadReport;
use roster::DiskPodAddress;
use tokio::sync::watch;

use super::selector::{Candidate, Health};
use super::tickets::Tickets;

/// When a pod counts as gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Silence {
    /// Nothing was heard from it for so long…
    pub(crate) since_answer: Duration,
    /// …while a question was open for so long: when this program was held up, nobody else was silent.
    pub(crate) since_question: Duration,
}

/// A handle to what is known of the disk pods; clones share it.
#[derive(Clone, Debug)]
pub struct View {
    pods: Arc<RwLock<HashMap<PodName, Seen>>>,
    changes: Arc<watch::Sender<()>>,
    silence: Silence,
}

#[derive(Debug)]
struct Seen {
    address: DiskPodAddress,
    /// The last answer, unless something worse than silence came after it.
    answer: Option<Answer>,
    /// Since when a question is open.
    asked: Option<Instant>,
    tickets: Tickets,
}

#[derive(Debug)]
struct Answer {
    at: Instant,
    report: Arc<LoadReport>,
}

impl View {
    pub(crate) fn new(silence: Silence) -> Self {
        Self { pods: Arc::default(), changes: Arc::new(watch::Sender::new(())), silence }
    }

    /// Keeps these pods and forgets all others.
    pub(crate) fn know(&self, addresses: &[DiskPodAddress], now: Instant) {
        let mut pods = self.pods.write().unwrap_or_else(PoisonError::into_inner);
        pods.retain(|_, seen| addresses.contains(&seen.address));
        for address in addresses {
            pods.entry(address.name.clone()).or_insert_with(|| Seen {
                address: address.clone(),
                answer: None,
                asked: None,
                tickets: Tickets::none(now),
            });
        }
        drop(pods);
        self.changes.send_replace(());
    }

    fn change(&self, pod: &PodName, change: impl FnOnce(&mut Seen)) {
        let mut pods = self.pods.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = pods.get_mut(pod) {
            change(seen);
        }
    }

    pub(crate) fn asked(&self, pod: &PodName, now: Instant) {
        self.change(pod, |seen| {
            seen.asked.get_or_insert(now);
        });
    }

    pub(crate) fn answered(&self, pod: &PodName, report: LoadReport, now: Instant) {
        self.change(pod, |seen| {
            seen.asked = None;
            seen.answer = Some(Answer { at: now, report: Arc::new(report) });
        });
        self.changes.send_replace(());
    }

    /// The pod has refused, broken off, or answered nonsense: nobody is to be sent there.
    pub(crate) fn failed(&self, pod: &PodName) {
        self.change(pod, |seen| {
            seen.asked = None;
            seen.answer = None;
        });
        self.changes.send_replace(());
    }

    /// A ticket was issued that names this pod first.
    pub(crate) fn sent_somebody_to(&self, pod: &PodName, now: Instant) {
        self.change(pod, |seen| seen.tickets.add(now));
    }

    /// Tells of every answer and failure.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// All disk pods as the selector wants them, in order of their names.
    pub(crate) fn candidates(&self, now: Instant) -> Vec<Candidate> {
        let pods = self.pods.read().unwrap_or_else(PoisonError::into_inner);
        let mut candidates: Vec<Candidate> = pods
            .values()
            .map(|seen| Candidate {
                name: seen.address.name.clone(),
                url: seen.address.url.clone(),
                health: self.health(seen, now),
                tickets: seen.tickets.now(now),
            })
            .collect();
        candidates.sort_by(|a, b| a.name.cmp(&b.name));
        candidates
    }

    fn health(&self, seen: &Seen, now: Instant) -> Health {
        let Some(Answer { at, report }) = &seen.answer else { return Health::Gone };
        let age = now.saturating_duration_since(*at);
        let open = seen.asked.map_or(Duration::ZERO, |asked| now.saturating_duration_since(asked));
        if age > self.silence.since_answer && open > self.silence.since_question {
            return Health::Gone;
        }
        Health::Answering { report: Arc::clone(report), age }
    }

    /// How many disk pods answer.
    pub(crate) fn answering(&self, now: Instant) -> usize {
        let pods = self.pods.read().unwrap_or_else(PoisonError::into_inner);
        pods.values().filter(|seen| matches!(self.health(seen, now), Health::Answering { .. })).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disks::selector::report;

    fn view() -> View {
        View::new(Silence {
            since_answer: Duration::from_millis(250),
            since_question: Duration::from_millis(150),
        })
    }

    fn address(name: &str) -> DiskPodAddress {
        DiskPodAddress {
            name: name.parse().unwrap(),
            url: format!("https://{name}.example"),
            internal: format!("{name}:8081"),
        }
    }

    #[test]
    fn a_pod_is_gone_when_it_leaves_a_question_open_and_not_when_nobody_asked() {
        let view = view();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let pod = address("disk-0").name;
        view.know(&[address("disk-0")], start);
        assert_eq!(view.answering(start), 0, "nothing was heard of it yet");
        view.asked(&pod, at(0));
        view.answered(&pod, report("disk-0"), at(1));
        assert_eq!(view.answering(at(900)), 1, "this program was held up, the pod was not asked");
        view.asked(&pod, at(901));
        assert_eq!(view.answering(at(1000)), 1);
        view.asked(&pod, at(1001));
        assert_eq!(view.answering(at(1052)), 0, "the first open question counts");
        view.answered(&pod, report("disk-0"), at(1100));
        assert_eq!(view.answering(at(1101)), 1);
        view.failed(&pod);
        assert_eq!(view.answering(at(1102)), 0, "refusing is worse than silence");
    }

    #[test]
    fn only_pods_of_the_roster_are_known() {
        let view = view();
        let now = Instant::now();
        view.know(&[address("disk-0"), address("disk-1")], now);
        view.answered(&address("disk-1").name, report("disk-1"), now);
        view.know(&[address("disk-1"), address("disk-2")], now);
        let names: Vec<_> = view.candidates(now).iter().map(|pod| pod.name.to_string()).collect();
        assert_eq!(names, ["disk-1", "disk-2"]);
        assert_eq!(view.answering(now), 1, "what is known of the one that stays is kept");
    }

    #[test]
    fn tickets_fade() {
        let view = view();
        let now = Instant::now();
        view.know(&[address("disk-0")], now);
        view.sent_somebody_to(&address("disk-0").name, now);
        view.sent_somebody_to(&address("disk-0").name, now);
        let tickets = |at| view.candidates(at)[0].tickets;
        assert!((tickets(now) - 2.0).abs() < 0.01);
        assert!(tickets(now + Duration::from_secs(3)) < 0.05);
    }
}
