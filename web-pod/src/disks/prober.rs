//! Asks every disk pod of the roster how it does, many times a second. A pod that does not answer is out.

use std::time::{Duration, Instant};

use api::load::LoadReport;
use roster::DiskPodAddress;
use serve::client::{Client, ClientError};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::view::{Silence, View};

/// How often to ask, and how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From one question to the next.
    pub interval: Duration,
    /// For an answer.
    pub timeout: Duration,
    /// Without an answer for so long, a pod is out.
    pub silence: Duration,
}

impl Pace {
    /// Asks every `interval`: a pod is out when it has left one question open for longer than another would
    /// have been due.
    pub fn every(interval: Duration) -> Self {
        Self { interval, timeout: interval * 2, silence: interval * 5 / 2 }
    }

    /// What of this the view needs.
    pub fn view(self) -> View {
        View::new(Silence {
            since_answer: self.silence,
            since_question: self.silence.saturating_sub(self.interval),
        })
    }
}

/// Asks all disk pods of the roster for ever, and tells the view.
pub async fn probe(roster: roster::Store, view: View, pace: Pace) {
    let client = Client::new(pace.timeout);
    let mut changed = roster.changed();
    let mut asked: Vec<(DiskPodAddress, Asking)> = Vec::new();
    loop {
        let now = roster.current();
        let pods = &now.settings().disk_pods;
        view.know(pods, Instant::now());
        asked.retain(|(address, _)| pods.contains(address));
        for pod in pods {
            if !asked.iter().any(|(address, _)| address == pod) {
                let asking = tokio::spawn(ask(client.clone(), view.clone(), pod.clone(), pace));
                asked.push((pod.clone(), Asking(asking)));
            }
        }
        drop(now);
        if changed.changed().await.is_err() {
            return;
        }
    }
}

/// Ends with the pod's place in the roster.
struct Asking(JoinHandle<()>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn ask(client: Client, view: View, pod: DiskPodAddress, pace: Pace) {
    let url = format!("http://{}/v1/load", pod.internal);
    let mut ticks = tokio::time::interval(pace.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut in_before = None;
    loop {
        ticks.tick().await;
        view.asked(&pod.name, Instant::now());
        let answer = client.get_json::<LoadReport>(&url, pace.timeout).await;
        let in_now = match answer {
            Ok(report) if report.pod == pod.name => {
                view.answered(&pod.name, report, Instant::now());
                Ok(())
            }
            Ok(report) => {
                view.failed(&pod.name);
                Err(format!("another pod answers at its address: {}", report.pod))
            }
            // Silence has a measure of its own: one late answer is no death.
            Err(error @ ClientError::TimedOut { .. }) => Err(error.to_string()),
            Err(error) => {
                view.failed(&pod.name);
                Err(error.to_string())
            }
        };
        if in_before != Some(in_now.is_ok()) {
            match &in_now {
                Ok(()) => tracing::info!(pod = %pod.name, "A disk pod answers."),
                Err(reason) => tracing::warn!(pod = %pod.name, reason, "A disk pod does not answer."),
            }
            in_before = Some(in_now.is_ok());
        }
    }
}
