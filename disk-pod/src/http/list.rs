//! `GET` of a directory's entries, page by page in the order of their names.

use std::time::Instant;

use api::generation::Generation;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spaces::{Kind, Name, Node};

use super::place::Place;
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
}

#[derive(Serialize)]
struct Listing {
    generation: Generation,
    path: String,
    entries: Vec<Entry>,
    /// What to send as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<Timestamp>,
    etag: String,
}

/// Answers with a page of entries.
pub(crate) async fn list(app: &App, head: &Parts) -> Result<Response, Error> {
    let begun = Instant::now();
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Read)?;
    let path = grant.node_path(&place.path)?;
    let Parameters { after, limit } = parameters(&head.uri)?;
    let after = after
        .map(|name| name.parse::<Name>())
        .transpose()
        .map_err(|error| Error::BadRequest(format!("after: {error}")))?;
    let limit = limit.unwrap_or(DEFAULT_PAGE).clamp(1, LARGEST_PAGE);
    let snapshot = generation::snapshot(app, &app.space(&grant), &head.headers).await?;
    let directory = snapshot.lookup(&path).ok_or(Error::NotFound)?;
    if !directory.is_directory() {
        return Err(Error::Engine(spaces::Error::NotADirectory));
    }
    // One more than wanted tells whether there is a next page.
    let mut found = snapshot.list(&path, after.as_ref(), limit + 1);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(name, _)| name.to_string());
    let entries = found.iter().map(|(name, node)| Entry::of(name, node)).collect();
    let generation = snapshot.generation();
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, generation);
    app.load.took(Work::Metadata, begun.elapsed());
    Ok((headers, Json(Listing { generation, path: place.path, entries, next })).into_response())
}

impl Entry {
    fn of(name: &Name, node: &Node) -> Self {
        let (kind, size, modified) = match &node.kind {
            Kind::File { size, modified, .. } => ("file", Some(size.0), *modified),
            Kind::Directory { modified, .. } => ("directory", None, *modified),
        };
        let modified = Timestamp::from_millisecond(modified).ok();
        Self { name: name.to_string(), kind, size, modified, etag: node.etag() }
    }
}
