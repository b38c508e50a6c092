//! `POST` of an operation on names: make a directory, move, copy, delete, and bring back what was there before.

use std::time::Instant;

use api::generation::Generation;
use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;
use schemars::JsonSchema;
use serde::Serialize;

use super::body::whole;
use super::place::Place;
use super::wanted::{Asking, Wanted};
use super::{generation, request};
use crate::app::App;
use crate::auth::{Need, authorise};
use crate::error::Error;
use crate::load::Work;

/// Two paths of the greatest length fit, escaped.
const LONGEST: usize = 256 * 1024;

#[derive(Serialize, JsonSchema)]
pub(crate) struct Done {
    #[schemars(with = "u64")]
    generation: Generation,
}

/// Commits one operation.
pub(crate) async fn operations(app: &App, head: &Parts, body: Body) -> Result<Response, Error> {
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Write)?;
    let body = whole(body, LONGEST, app.silence).await?;
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| Error::BadRequest(format!("the body is not an operation: {error}")))?;
    let space = app.space(&grant);
    let asking = Asking { app, grant: &grant, space: &space, headers: &head.headers };
    let request = request::of(&head.headers, asking.operation(wanted).await?)?;
    let begun = Instant::now();
    let committed = space.commit(request).await?;
    app.load.took(Work::Metadata, begun.elapsed());
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    Ok((headers, Json(Done { generation: committed.generation })).into_response())
}
