//! `GET` of a directory's entries, page by page.

use std::time::Instant;

use api::generation::Generation;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::Entry;
use super::moment::{self, Moment};
use super::place::Place;
use super::sort::{Direction, Order, Page, Sort};
use super::{generation, parameters};
use crate::app::App;
use crate::auth::{Need, authorise};
use crate::error::Error;
use crate::load::Work;

const DEFAULT_PAGE: usize = 1000;
const LARGEST_PAGE: usize = 10_000;

#[derive(Deserialize)]
struct Parameters {
    after: Option<String>,
    limit: Option<usize>,
    at: Option<Moment>,
    #[serde(default)]
    sort: Sort,
    #[serde(default)]
    order: Direction,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Listing {
    #[schemars(with = "u64")]
    generation: Generation,
    path: String,
    entries: Vec<Entry>,
    /// What to send as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Answers with a page of entries.
pub(crate) async fn list(app: &App, head: &Parts) -> Result<Response, Error> {
    let begun = Instant::now();
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Read)?;
    let path = grant.node_path(&place.path)?;
    let Parameters { after, limit, at, sort, order } = parameters(&head.uri)?;
    let order = Order { sort, direction: order };
    let limit = limit.unwrap_or(DEFAULT_PAGE).clamp(1, LARGEST_PAGE);
    let snapshot = moment::snapshot(app, &app.space(&grant), &head.headers, at).await?;
    let directory = snapshot.lookup(&path).ok_or(Error::NotFound)?;
    if !directory.is_directory() {
        return Err(Error::Engine(spaces::Error::NotADirectory));
    }
    let generation = snapshot.generation();
    let page = move || order.page(&snapshot, &path, after.as_deref(), limit);
    let Page { entries, next } = if order == Order::default() {
        page()?
    } else {
        // It goes through all of the directory, which may be large.
        tokio::task::spawn_blocking(page).await.map_err(|_| Error::Draining { offset: None })??
    };
    let entries = entries.iter().map(|(name, node)| Entry::of(name.as_str(), node)).collect();
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, generation);
    app.load.took(Work::Metadata, begun.elapsed());
    Ok((headers, Json(Listing { generation, path: place.path, entries, next })).into_response())
}
