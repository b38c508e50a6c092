//! What is counted of requests by the RED method: rate, errors, duration, by protocol and kind of work.

use std::time::Duration;

use api::ids::VolumeName;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts};
use serve::Metrics;

use super::outcome::Outcome;
use crate::admission::{Asked, Protocol};
use crate::load::Work;

/// Seconds: from a listing out of memory to a disk that hangs.
const BUCKETS: [f64; 14] =
    [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The series, each looked up once.
#[derive(Debug)]
pub(super) struct RequestMetrics {
    /// By protocol and kind of work.
    requests: [[Series; 3]; 3],
    /// By protocol: in, out.
    bytes: [(IntCounter, IntCounter); 3],
    commits: HistogramVec,
    failed_commits: IntCounterVec,
}

#[derive(Debug)]
struct Series {
    /// Answered as asked, refused, failed.
    answered: [IntCounter; 3],
    seconds: Histogram,
}

impl RequestMetrics {
    pub(super) fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let answered = metrics.register(IntCounterVec::new(
            Opts::new(
                "internet_disk_requests_total",
                "Requests of members: answered as asked (ok), refused (4xx), failed (5xx).",
            ),
            &["protocol", "work", "outcome"],
        )?)?;
        let seconds = metrics.register(HistogramVec::new(
            HistogramOpts::new(
                "internet_disk_request_duration_seconds",
                "From the last byte of a request to the head of its answer: the time of the server, not of the client.",
            )
            .buckets(BUCKETS.to_vec()),
            &["protocol", "work"],
        )?)?;
        let bytes = metrics.register(IntCounterVec::new(
            Opts::new(
                "internet_disk_transfer_bytes_total",
                "Bytes of bodies, of requests (in) and answers (out).",
            ),
            &["protocol", "direction"],
        )?)?;
        let commits = metrics.register(HistogramVec::new(
            HistogramOpts::new(
                "internet_disk_commit_duration_seconds",
                "Until a change was durable in the log of its space, by the volume of the log.",
            )
            .buckets(BUCKETS.to_vec()),
            &["volume"],
        )?)?;
        let failed_commits = metrics.register(IntCounterVec::new(
            Opts::new(
                "internet_disk_commit_failures_total",
                "Changes that the volume did not take: failed, or nobody knows whether (unknown).",
            ),
            &["volume", "outcome"],
        )?)?;
        let series = |protocol: Protocol, work: Work| {
            let labels = [protocol.as_str(), work.as_str()];
            Series {
                answered: ["ok", "refused", "failed"]
                    .map(|outcome| answered.with_label_values(&[labels[0], labels[1], outcome])),
                seconds: seconds.with_label_values(&labels),
            }
        };
        Ok(Self {
            requests: Protocol::ALL.map(|protocol| Work::ALL.map(|work| series(protocol, work))),
            bytes: Protocol::ALL.map(|protocol| {
                let one = |direction| bytes.with_label_values(&[protocol.as_str(), direction]);
                (one("in"), one("out"))
            }),
            commits,
            failed_commits,
        })
    }

    /// The head of an answer is there.
    pub(super) fn answered(&self, asked: Asked, status: u16, took: Duration) {
        let [.., series] = &self.requests;
        let series = self.requests.get(asked.protocol as usize).unwrap_or(series);
        let [.., one] = series;
        let Series { answered: [ok, refused, failed], seconds } =
            series.get(asked.work as usize).unwrap_or(one);
        match status {
            ..400 => ok.inc(),
            400..500 => refused.inc(),
            500.. => failed.inc(),
        }
        seconds.observe(took.as_secs_f64());
    }

    /// So many bytes came and went.
    pub(super) fn moved(&self, protocol: Protocol, received: u64, sent: u64) {
        if let Some((inwards, outwards)) = self.bytes.get(protocol as usize) {
            inwards.inc_by(received);
            outwards.inc_by(sent);
        }
    }

    /// A change was asked of a volume.
    pub(super) fn committed(&self, volume: &VolumeName, outcome: Outcome, took: Duration) {
        match outcome {
            Outcome::Done => {
                self.commits.with_label_values(&[volume.as_str()]).observe(took.as_secs_f64());
            }
            // The request was wrong: that says nothing about the volume.
            Outcome::Refused => {}
            Outcome::Failed | Outcome::Unknown => {
                self.failed_commits.with_label_values(&[volume.as_str(), outcome.as_str()]).inc();
            }
        }
    }
}
