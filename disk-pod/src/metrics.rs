//! What a disk pod measures beyond its requests.

use std::time::Duration;

use api::bytes::Bytes;
use prometheus::{GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts};
use serve::Metrics;

use crate::admission::{Refused, Standing};
use crate::app::App;

/// How often what is measured is brought up to date.
const INTERVAL: Duration = Duration::from_secs(1);

/// Gauges of a disk pod.
#[derive(Clone, Debug)]
pub(crate) struct DiskMetrics {
    canary_age: GaugeVec,
    free: GaugeVec,
    bytes: IntGauge,
    loaded: IntGauge,
    states: IntGauge,
    budget: IntGauge,
    evictions: IntCounter,
    stopped: IntGauge,
    roster_generation: IntGauge,
    limit: IntGaugeVec,
    under_way: IntGaugeVec,
    refused: IntCounterVec,
    lost: IntCounterVec,
}

impl DiskMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// When one of the names is taken.
    pub(crate) fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let by_volume = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &["volume"]);
        let one = |name: &str, help: &str| IntGauge::new(name, help);
        Ok(Self {
            canary_age: metrics.register(by_volume(
                "internet_disk_volume_canary_age_seconds",
                "Time since a file was last created, synced, linked and removed on the volume.",
            )?)?,
            free: metrics
                .register(by_volume("internet_disk_volume_free_bytes", "Free space of the volume.")?)?,
            bytes: metrics.register(one(
                "internet_disk_transfer_bytes_in_flight",
                "Bytes that requests under way have announced and not yet moved.",
            )?)?,
            loaded: metrics.register(one("internet_disk_spaces_loaded", "Spaces held in memory.")?)?,
            states: metrics.register(one(
                "internet_disk_spaces_memory_bytes",
                "About what the spaces held in memory take.",
            )?)?,
            budget: metrics.register(one(
                "internet_disk_spaces_memory_budget_bytes",
                "What they may take together; a single larger one may take more.",
            )?)?,
            evictions: metrics.register(IntCounter::new(
                "internet_disk_spaces_evictions_total",
                "Spaces that were dropped from memory to make room for others.",
            )?)?,
            stopped: metrics.register(one(
                "internet_disk_spaces_stopped",
                "Spaces that are not touched any more until somebody has looked at them; the log says why.",
            )?)?,
            roster_generation: metrics
                .register(one("internet_disk_roster_generation", "Generation of the roster in force.")?)?,
            limit: metrics.register(IntGaugeVec::new(
                Opts::new("internet_disk_admission_limit", "Requests that may be under way at once now."),
                &["volume", "work"],
            )?)?,
            under_way: metrics.register(IntGaugeVec::new(
                Opts::new("internet_disk_admission_under_way", "Requests that are under way."),
                &["volume", "work"],
            )?)?,
            lost: metrics.register(IntCounterVec::new(
                Opts::new(
                    "internet_disk_log_lines_lost_total",
                    "Lines of the access log and the audit log that could not be written.",
                ),
                &["log"],
            )?)?,
            refused: metrics.register(IntCounterVec::new(
                Opts::new(
                    "internet_disk_admission_refused_total",
                    "Requests that were told to come back: their member had too much under way, or all had.",
                ),
                &["volume", "work", "reason"],
            )?)?,
        })
    }

    /// Keeps them up to date; runs until dropped.
    pub(crate) async fn follow(self, app: App) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look(&app);
        }
    }

    fn look(&self, app: &App) {
        let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        for volume in &app.volumes {
            let health = app.engine.health(volume);
            // Before the first canary there is no age; for an alarm that is the same as for ever.
            let age = health.canary_age.map_or(f64::INFINITY, |age| age.as_secs_f64());
            self.canary_age.with_label_values(&[volume.as_str()]).set(age);
            self.free.with_label_values(&[volume.as_str()]).set(health.free.0 as f64);
            for (work, standing) in app.admission.standing(volume) {
                let Standing { limit, under_way, refused: Refused { to_member, to_all } } = standing;
                let labels = [volume.as_str(), work.as_str()];
                self.limit.with_label_values(&labels).set(limit.into());
                self.under_way.with_label_values(&labels).set(under_way.into());
                for (reason, total) in [("member", to_member), ("all", to_all)] {
                    let counter = self.refused.with_label_values(&[labels[0], labels[1], reason]);
                    counter.inc_by(total.saturating_sub(counter.get()));
                }
            }
        }
        for (log, lines) in [("access", app.observed.access()), ("audit", app.observed.audit())] {
            let counter = self.lost.with_label_values(&[log]);
            counter.inc_by(lines.lost().saturating_sub(counter.get()));
        }
        self.bytes.set(i64::try_from(app.load.bytes()).unwrap_or(i64::MAX));
        let spaces::MemoryUse { spaces, states, evictions, .. } = app.engine.memory();
        let amount = |bytes: Bytes| i64::try_from(bytes.0).unwrap_or(i64::MAX);
        self.loaded.set(whole(spaces));
        self.states.set(amount(states));
        self.budget.set(amount(app.engine.settings().memory));
        self.evictions.inc_by(evictions.saturating_sub(self.evictions.get()));
        self.stopped.set(whole(app.engine.stopped_spaces().len()));
        let generation = app.roster.current().generation().0;
        self.roster_generation.set(i64::try_from(generation).unwrap_or(i64::MAX));
    }
}
