//! What the operator counts.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts};

/// The numbers of the operator; clones share them.
#[derive(Clone, Debug)]
pub struct OperatorMetrics {
    reconciled: IntCounterVec,
    seconds: HistogramVec,
    waiting: IntGaugeVec,
    statuses: IntCounterVec,
    leading: IntGauge,
    limits: IntCounterVec,
    publications: HistogramVec,
}

impl OperatorMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// When others have their names.
    pub fn new(metrics: &serve::Metrics) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            metrics.register(IntCounterVec::new(Opts::new(name, help), labels)?)
        };
        let gauge = Opts::new("internet_disk_operator_queue_length", "Objects that wait to be looked at.");
        let seconds = HistogramOpts::new(
            "internet_disk_operator_reconcile_duration_seconds",
            "Time that one look at an object took.",
        )
        .buckets(vec![0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0]);
        let publications = HistogramOpts::new(
            "internet_disk_operator_publication_duration_seconds",
            "Time that the publication of a changed roster took, by outcome.",
        )
        .buckets(vec![0.005, 0.025, 0.1, 0.5, 2.5, 10.0]);
        Ok(Self {
            limits: counter(
                "internet_disk_operator_limits_total",
                "Limits of spaces that disk pods were asked to commit, by outcome.",
                &["outcome"],
            )?,
            publications: metrics.register(HistogramVec::new(publications, &["outcome"])?)?,
            reconciled: counter(
                "internet_disk_operator_reconciles_total",
                "Looks at objects, by controller and outcome.",
                &["controller", "outcome"],
            )?,
            seconds: metrics.register(HistogramVec::new(seconds, &["controller"])?)?,
            waiting: metrics.register(IntGaugeVec::new(gauge, &["controller"])?)?,
            statuses: counter(
                "internet_disk_operator_statuses_total",
                "Statuses, by kind and whether they were written or were equal to what was there.",
                &["kind", "outcome"],
            )?,
            leading: metrics.register(IntGauge::new(
                "internet_disk_operator_leading",
                "1 while this replica is the one that works.",
            )?)?,
        })
    }

    pub(crate) fn reconciled(&self, controller: &str, success: bool, took: Duration) {
        let outcome = if success { "success" } else { "failure" };
        self.reconciled.with_label_values(&[controller, outcome]).inc();
        self.seconds.with_label_values(&[controller]).observe(took.as_secs_f64());
    }

    pub(crate) fn waiting(&self, controller: &str, length: usize) {
        self.waiting.with_label_values(&[controller]).set(i64::try_from(length).unwrap_or(i64::MAX));
    }

    pub(crate) fn status(&self, kind: &str, written: bool) {
        let outcome = if written { "written" } else { "equal" };
        self.statuses.with_label_values(&[kind, outcome]).inc();
    }

    pub(crate) fn limits(&self, committed: usize, failed: usize) {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.limits.with_label_values(&["committed"]).inc_by(count(committed));
        self.limits.with_label_values(&["failed"]).inc_by(count(failed));
    }

    pub(crate) fn published(&self, success: bool, took: Duration) {
        let outcome = if success { "success" } else { "failure" };
        self.publications.with_label_values(&[outcome]).observe(took.as_secs_f64());
    }

    pub(crate) fn leading(&self, leading: bool) {
        self.leading.set(i64::from(leading));
    }
}
