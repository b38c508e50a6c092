//! What a web pod counts beyond its requests.

use prometheus::{IntCounterVec, IntGauge, Opts};
use serve::Metrics;

/// Counters of a web pod.
#[derive(Clone, Debug)]
pub struct WebMetrics {
    sign_ins: IntCounterVec,
    selections: IntCounterVec,
    disk_pods_in: IntGauge,
    roster_generation: IntGauge,
}

impl WebMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// When one of the names is taken.
    pub fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let counters = |name: &str, help: &str| IntCounterVec::new(Opts::new(name, help), &["outcome"]);
        Ok(Self {
            sign_ins: metrics.register(counters(
                "internet_disk_sign_ins_total",
                "Attempts to sign in, by what became of them.",
            )?)?,
            selections: metrics.register(counters(
                "internet_disk_server_selections_total",
                "Requests for disk servers, by what became of them.",
            )?)?,
            disk_pods_in: metrics.register(IntGauge::new(
                "internet_disk_disk_pods_answering",
                "Disk pods that answer load probes.",
            )?)?,
            roster_generation: metrics.register(IntGauge::new(
                "internet_disk_roster_generation",
                "Generation of the roster in force.",
            )?)?,
        })
    }

    pub(crate) fn sign_in(&self, outcome: &'static str) {
        self.sign_ins.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn selection(&self, outcome: &'static str) {
        self.selections.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn gauge(&self, disk_pods_in: usize, roster_generation: u64) {
        self.disk_pods_in.set(i64::try_from(disk_pods_in).unwrap_or(i64::MAX));
        self.roster_generation.set(i64::try_from(roster_generation).unwrap_or(i64::MAX));
    }
}
