//! A volume gives this pod no sign of life: is it the volume, or this pod's way to it? The other pods know.
//!
//! Where it is the volume, a pod that called itself unready would only take the answer "503, try again" away from
//! clients, and all of them together would take the service away. So such a pod stays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::ids::VolumeName;
use api::load::LoadReport;
use futures::future::join_all;
use serve::Client;

use crate::app::{App, STALLED_AFTER};

/// How often others are asked, while there is something to ask.
const INTERVAL: Duration = Duration::from_millis(500);
/// A pod that takes longer knows no better.
const PATIENCE: Duration = Duration::from_millis(400);

/// What the other pods say of volumes that do not answer this one; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    elsewhere: Arc<Mutex<HashMap<VolumeName, Elsewhere>>>,
}

/// How a volume does at the other pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// It answers one of them at least.
    Answers,
    /// It answers none of those that could be asked.
    Stalled,
    /// Nobody could be asked.
    Unknown,
}

impl Elsewhere {
    fn of(reports: &[LoadReport], volume: &VolumeName) -> Self {
        let answers = |report: &LoadReport| {
            let health = report.volumes.iter().find(|health| health.name == *volume);
            let age = health.and_then(|health| health.canary_age_ms);
            age.is_some_and(|age| Duration::from_millis(age) < STALLED_AFTER)
        };
        match reports {
            [] => Self::Unknown,
            _ if reports.iter().any(answers) => Self::Answers,
            _ => Self::Stalled,
        }
    }
}

impl Peers {
    /// How a volume that does not answer this pod does at the others, as far as it was asked.
    pub fn elsewhere(&self, volume: &VolumeName) -> Elsewhere {
        let elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        elsewhere.get(volume).copied().unwrap_or(Elsewhere::Unknown)
    }

    /// Asks whenever a volume does not answer this pod; runs until dropped.
    pub async fn ask(self, app: App) {
        let client = Client::new(PATIENCE);
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let silent: Vec<VolumeName> =
                app.volumes.iter().filter(|volume| app.answers(volume).is_err()).cloned().collect();
            let reports = if silent.is_empty() { Vec::new() } else { reports(&app, &client).await };
            let told = silent.into_iter().map(|volume| {
                let elsewhere = Elsewhere::of(&reports, &volume);
                (volume, elsewhere)
            });
            *self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner) = told.collect();
        }
    }
}

async fn reports(app: &App, client: &Client) -> Vec<LoadReport> {
    let roster = app.roster.current();
    let others = roster.settings().disk_pods.iter().filter(|other| other.name != app.pod);
    let asked = others.map(|other| {
        let url = format!("http://{}/v1/load", other.internal);
        async move { client.get_json::<LoadReport>(&url, PATIENCE).await.ok() }
    });
    join_all(asked).await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use api::bytes::Bytes;
    use api::load::{Latency, VolumeHealth};
    use jiff::Timestamp;

    use super::*;

    fn report(age: Option<u64>) -> LoadReport {
        LoadReport {
            pod: "demo-disk-1".parse().unwrap(),
            version: String::new(),
            started: Timestamp::UNIX_EPOCH,
            draining: false,
            in_flight: 0,
            bytes_in_flight: 0,
            capacity_hint: 0,
            latency: Latency { metadata_us: None, small_us: None, bulk_us: None },
            volumes: vec![VolumeHealth { name: "a".parse().unwrap(), canary_age_ms: age, free: Bytes::ZERO }],
            spaces_loaded: 0,
        }
    }

    #[test]
    fn it_is_the_volume_when_nobody_has_an_answer() {
        let volume = |name: &str| name.parse::<VolumeName>().unwrap();
        for (ages, expected) in [
            (&[][..], Elsewhere::Unknown),
            (&[Some(100)], Elsewhere::Answers),
            (&[Some(9000), Some(100)], Elsewhere::Answers),
            (&[Some(9000), None], Elsewhere::Stalled),
        ] {
            let reports: Vec<LoadReport> = ages.iter().map(|age| report(*age)).collect();
            assert_eq!(Elsewhere::of(&reports, &volume("a")), expected, "{ages:?}");
        }
        assert_eq!(Elsewhere::of(&[report(Some(1))], &volume("b")), Elsewhere::Stalled);
    }
}
