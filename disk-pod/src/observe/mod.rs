//! What is seen from outside: numbers of requests and commits, the access log, the audit log.
//! docs/reference/metrics.md and docs/reference/logs.md say what each holds.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod exchange;
mod outcome;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use api::ids::VolumeName;
use serve::Metrics;
use serve::lines::Lines;

use self::outcome::Outcome;
use self::requests::RequestMetrics;
use crate::admission::{Asked, Protocol};

/// Where it goes; clones share it. By default nowhere.
#[derive(Clone, Debug, Default)]
pub struct Observed(Arc<Streams>);

#[derive(Debug, Default)]
struct Streams {
    metrics: Option<RequestMetrics>,
    access: Lines,
    audit: Lines,
}

impl Observed {
    /// With numbers in this registry, and the two logs.
    ///
    /// # Errors
    /// When the name of a number is taken.
    pub fn new(metrics: &Metrics, access: Lines, audit: Lines) -> Result<Self, prometheus::Error> {
        let metrics = Some(RequestMetrics::register(metrics)?);
        Ok(Self(Arc::new(Streams { metrics, access, audit })))
    }

    pub(crate) fn access(&self) -> &Lines {
        &self.0.access
    }

    pub(crate) fn audit(&self) -> &Lines {
        &self.0.audit
    }

    fn answered(&self, asked: Asked, status: u16, took: Duration) {
        if let Some(metrics) = &self.0.metrics {
            metrics.answered(asked, status, took);
        }
    }

    fn moved(&self, protocol: Protocol, received: u64, sent: u64) {
        if let Some(metrics) = &self.0.metrics {
            metrics.moved(protocol, received, sent);
        }
    }

    fn committed(&self, volume: &VolumeName, outcome: Outcome, took: Duration) {
        if let Some(metrics) = &self.0.metrics {
            metrics.committed(volume, outcome, took);
        }
    }

    /// How long a transfer takes says more about what is moved than about the volume.
    fn moved_between(&self, outcome: Outcome, volume: &VolumeName) {
        if outcome != Outcome::Done {
            self.committed(volume, outcome, Duration::ZERO);
        }
    }
}
