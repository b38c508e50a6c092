//! Refusals as `application/problem+json` (RFC 9457).
//!
//! What a client is told and what the log is told are kept apart: a refusal that is our fault has the same
//! words each time and the id of the request; its cause goes to the log, once, where that id is found again.

use std::fmt::Display;

use api::problem::{Problem, ProblemCode};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::observe::current_request_id;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An answer that is no success.
#[derive(Debug)]
pub struct Refusal(Box<Parts>);

/// Kept behind a box, since handlers pass refusals on as errors.
#[derive(Debug)]
struct Parts {
    problem: Problem,
    cause: Option<String>,
    headers: HeaderMap,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(flatten)]
    problem: Problem,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Refusal {
    /// Refuses for this reason; the detail says what happened and what to do. For a status of 500 and above,
    /// pass the same words each time.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self::from(Problem::new(code, detail))
    }

    /// A mistake of this program or something it cannot explain to the client; the cause is for the log.
    pub fn internal(cause: impl Display) -> Self {
        Self::from(Problem::from(ProblemCode::Internal)).because(cause)
    }

    /// Adds the cause, for the log alone.
    #[must_use]
    pub fn because(mut self, cause: impl Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Adds a header, such as `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Parts { problem, cause: None, headers: HeaderMap::new() }))
    }
}

impl From<ProblemCode> for Refusal {
    fn from(code: ProblemCode) -> Self {
        Self::from(Problem::from(code))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Parts { problem, cause, mut headers } = *self.0;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let code = problem.code.as_str();
        match cause {
            Some(cause) if status.is_server_error() => {
                tracing::error!(code, cause, "A request failed.");
            }
            Some(cause) => tracing::debug!(code, cause, "A request was refused."),
            None => tracing::debug!(code, "A request was refused."),
        }
        let request_id = current_request_id().filter(|_| status.is_server_error());
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        // What is refused now may be granted in a moment.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let body = serde_json::to_vec(&Body { problem, request_id }).unwrap_or_default();
        (status, headers, body).into_response()
    }
}

/// For `Router::fallback`: nothing is at this address.
pub async fn not_found() -> Refusal {
    Refusal::new(ProblemCode::NotFound, "there is nothing at this address")
}

/// For `Router::method_not_allowed_fallback`: something is, but not for this method.
pub async fn method_not_allowed() -> Refusal {
    Refusal::new(ProblemCode::MethodNotAllowed, "this address does not know the method")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(response: Response) -> serde_json::Value {
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn a_refusal_tells_the_client_what_to_do() {
        let refusal = Refusal::new(ProblemCode::QuotaExceeded, "free 3 MiB, or ask for more")
            .header(header::RETRY_AFTER, HeaderValue::from_static("1"));
        let response = refusal.into_response();
        assert_eq!(response.status(), 507);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        let body = body(response).await;
        assert_eq!(body["code"], "quota-exceeded");
        assert_eq!(body["detail"], "free 3 MiB, or ask for more");
    }

    #[tokio::test]
    async fn our_fault_tells_nothing_but_that() {
        let response = Refusal::internal("the secret is in row 7").into_response();
        assert_eq!(response.status(), 500);
        let body = body(response).await;
        assert_eq!(body["code"], "internal");
        assert!(!body.to_string().contains("row 7"));
    }
}
