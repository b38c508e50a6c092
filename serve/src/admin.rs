//! The port for those who look after the program: `/live`, `/ready`, `/metrics`. It is never published.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use serde::Serialize;

use crate::metrics::Metrics;
use crate::readiness::{Condition, Readiness};
use crate::shutdown::Shutdown;

/// What the admin port tells of.
#[derive(Clone, Debug, Default)]
pub struct Admin {
    /// Answers `/ready`.
    pub readiness: Readiness,
    /// Answers `/metrics`.
    pub metrics: Metrics,
}

#[derive(Clone)]
struct Asked {
    admin: Admin,
    shutdown: Shutdown,
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    conditions: Vec<Condition>,
}

/// The routes of the admin port.
pub fn router(admin: Admin, shutdown: Shutdown) -> Router {
    Router::new()
        // That this answers is the proof: the process runs and is not stuck. What it depends on is not
        // asked, because restarting this program heals none of that.
        .route("/live", get(|| async { "live\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Asked { admin, shutdown })
}

async fn ready(State(Asked { admin, shutdown }): State<Asked>) -> Response {
    let mut conditions = admin.readiness.conditions();
    conditions.push(Condition {
        name: "running".into(),
        met: !shutdown.is_draining(),
        reason: shutdown.is_draining().then(|| "draining: this program was told to end".into()),
    });
    let ready = conditions.iter().all(|condition| condition.met);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready, conditions })).into_response()
}

async fn metrics(State(Asked { admin, .. }): State<Asked>) -> Response {
    match admin.metrics.text() {
        Ok(text) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "The metrics cannot be written.");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
