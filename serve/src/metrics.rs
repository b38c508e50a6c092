//! Numbers for Prometheus: the registry of the program, and what is counted of every HTTP request.

use std::time::Duration;

use http::StatusCode;
use prometheus::core::Collector;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

/// The registry, with the numbers that every HTTP program has. Clones share it.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Option<RequestMetrics>,
}

#[derive(Clone, Debug)]
struct RequestMetrics {
    answered: IntCounterVec,
    seconds: HistogramVec,
    running: IntGaugeVec,
    resting: IntGaugeVec,
}

/// A method the protocols here know, or `other`: a label must not grow with what strangers send.
#[must_use]
pub fn known_method(method: &http::Method) -> &'static str {
    const KNOWN: [&str; 17] = [
        "GET",
        "HEAD",
        "PUT",
        "POST",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "REPORT",
        "SEARCH",
        "ACL",
    ];
    KNOWN.iter().find(|known| **known == method.as_str()).copied().unwrap_or("other")
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// An own registry with the request metrics in it.
    pub fn new() -> Self {
        let registry = Registry::new();
        let requests = RequestMetrics::register(&registry)
            .inspect_err(|error| tracing::error!(%error, "Requests are not measured."))
            .ok();
        Self { registry, requests }
    }

    /// Adds a collector of the program's own and hands it back, to be kept and counted with.
    ///
    /// # Errors
    /// When another collector has its name.
    pub fn register<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C, prometheus::Error> {
        self.registry.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    /// Everything, in the text format of Prometheus.
    ///
    /// # Errors
    /// When a collector is inconsistent.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    pub(crate) fn started(&self, endpoint: &str) {
        if let Some(requests) = &self.requests {
            requests.running.with_label_values(&[endpoint]).inc();
        }
    }

    pub(crate) fn ended(&self, endpoint: &str) {
        if let Some(requests) = &self.requests {
            requests.running.with_label_values(&[endpoint]).dec();
        }
    }

    /// A connection begins to rest, or ends it.
    pub(crate) fn rests(&self, endpoint: &str, rests: bool) {
        if let Some(requests) = &self.requests {
            requests.resting.with_label_values(&[endpoint]).add(if rests { 1 } else { -1 });
        }
    }

    pub(crate) fn answered(&self, method: &'static str, route: &str, status: StatusCode, took: Duration) {
        if let Some(requests) = &self.requests {
            requests.answered.with_label_values(&[method, route, status.as_str()]).inc();
            requests.seconds.with_label_values(&[method, route]).observe(took.as_secs_f64());
        }
    }
}

impl RequestMetrics {
    fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let answered = IntCounterVec::new(
            Opts::new("internet_disk_http_requests_total", "Requests answered, by route template."),
            &["method", "route", "status"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new(
                "internet_disk_http_request_duration_seconds",
                "Time from the request's head to the answer's head, by route template.",
            )
            .buckets(vec![
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
            ]),
            &["method", "route"],
        )?;
        let running = IntGaugeVec::new(
            Opts::new("internet_disk_http_requests_running", "Requests whose answer's head is not yet sent."),
            &["endpoint"],
        )?;
        let resting = IntGaugeVec::new(
            Opts::new(
                "internet_disk_http_connections_resting",
                "Connections on which nothing is said, which take little more memory than a socket.",
            ),
            &["endpoint"],
        )?;
        registry.register(Box::new(answered.clone()))?;
        registry.register(Box::new(resting.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(running.clone()))?;
        Ok(Self { answered, seconds, running, resting })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_method_is_other() {
        assert_eq!(known_method(&http::Method::GET), "GET");
        assert_eq!(known_method(&http::Method::from_bytes(b"PROPFIND").unwrap()), "PROPFIND");
        assert_eq!(known_method(&http::Method::from_bytes(b"SURPRISE").unwrap()), "other");
    }

    #[test]
    fn what_was_answered_is_in_the_text() {
        let metrics = Metrics::new();
        metrics.answered("GET", "/v1/ping", StatusCode::NO_CONTENT, Duration::from_millis(3));
        let text = metrics.text().unwrap();
        assert!(text.contains(
            "internet_disk_http_requests_total{method=\"GET\",route=\"/v1/ping\",status=\"204\"} 1"
        ));
        assert!(text.contains("internet_disk_http_request_duration_seconds_count"));
    }
}
