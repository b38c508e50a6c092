//! What happens around every request: it gets an id and a span, and is counted and timed.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use tracing::Instrument;
use uuid::Uuid;

use crate::metrics::{Metrics, known_method};

/// The header that carries the id of a request, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request this task answers, if it answers one.
pub fn current_request_id() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

#[derive(Clone)]
pub(crate) struct Observer {
    pub(crate) endpoint: &'static str,
    pub(crate) metrics: Metrics,
}

/// Counts a request as running until its answer's head is there, or until nobody waits for it any more.
struct Running<'a>(&'a Observer);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.metrics.ended(self.0.endpoint);
    }
}

pub(crate) async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request.headers().get(REQUEST_ID).and_then(acceptable).unwrap_or_else(new_id);
    let method = known_method(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!("request", request_id = %id, method, route);
    observer.metrics.started(observer.endpoint);
    let running = Running(&observer);
    let mut response = CURRENT.scope(id.clone(), next.run(request).instrument(span.clone())).await;
    drop(running);
    let status = response.status().as_u16();
    let took = begun.elapsed();
    observer.metrics.answered(method, route, response.status(), took);
    span.in_scope(|| tracing::debug!(status, took_us = took.as_micros(), "Answered a request."));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// An id that no other request has: by chance for this process, which asks the system for that once, and numbered in it.
fn new_id() -> String {
    static OF_PROCESS: LazyLock<(u64, u64)> = LazyLock::new(|| Uuid::new_v4().as_u64_pair());
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let (high, low) = *OF_PROCESS;
    Uuid::from_u64_pair(high, low ^ NUMBER.fetch_add(1, Ordering::Relaxed)).to_string()
}

/// An id given from outside is kept only when it cannot upset a log.
fn acceptable(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?;
    let plain = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    plain.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_has_an_id_of_its_own() {
        let ids: std::collections::HashSet<String> = (0..1000).map(|_| new_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| Uuid::try_parse(id).is_ok_and(|id| id.get_version_num() == 4)));
    }

    #[test]
    fn only_a_plain_id_is_kept() {
        for (given, kept) in [("abc-1_2", true), ("", false), ("a b", false), ("a\"b", false)] {
            assert_eq!(acceptable(&HeaderValue::from_str(given).unwrap()).is_some(), kept, "{given:?}");
        }
        assert!(acceptable(&HeaderValue::from_str(&"a".repeat(65)).unwrap()).is_none());
    }
}
