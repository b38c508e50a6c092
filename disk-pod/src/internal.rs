//! The private port: what web pods and the operator ask. It is reached from inside the cluster alone.

use api::limits::LimitsAnswer;
use api::load::{Latency, LoadReport, VolumeHealth};
use axum::body::Bytes as Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::HeaderMap;

use crate::app::App;
use crate::error::Error;
use crate::limits;
use crate::links;
use crate::load::Medians;

/// Requests that one pod answers well at once, for each core.
const REQUESTS_PER_CORE: usize = 64;
/// A batch of limits is a few hundred lines of JSON.
const LARGEST_BATCH: usize = 1024 * 1024;

/// Everything that is served to the other programs.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/load", get(load))
        .route("/v1/links", post(links::ask))
        .route("/v1/limits", post(set_limits).layer(DefaultBodyLimit::max(LARGEST_BATCH)))
        .fallback(serve::problem::not_found)
        .method_not_allowed_fallback(serve::problem::method_not_allowed)
        .with_state(app)
}

/// From memory alone: it is asked many times a second, and must answer when storage does not.
async fn load(State(app): State<App>) -> Json<LoadReport> {
    let Medians { metadata, small, bulk } = app.load.medians();
    let volumes = app.volumes.iter().map(|name| {
        let health = app.engine.health(name);
        VolumeHealth {
            name: name.clone(),
            canary_age_ms: health.canary_age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            free: health.free,
        }
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Json(LoadReport {
        pod: app.pod.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: app.started,
        draining: app.shutdown.is_draining(),
        in_flight: app.load.requests(),
        bytes_in_flight: app.load.bytes(),
        capacity_hint: u32::try_from(cores * REQUESTS_PER_CORE).unwrap_or(u32::MAX),
        latency: Latency { metadata_us: metadata, small_us: small, bulk_us: bulk },
        volumes: volumes.collect(),
        spaces_loaded: u32::try_from(app.engine.spaces_loaded()).unwrap_or(u32::MAX),
    })
}

async fn set_limits(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<LimitsAnswer>, Error> {
    let request = limits::verified(&app, &headers, &body)?;
    Ok(Json(limits::commit(&app, request).await))
}
