//! `GET` of how full a space is.

use api::bytes::Bytes;
use api::generation::Generation;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;
use schemars::JsonSchema;
use serde::Serialize;

use super::generation;
use super::place::Place;
use crate::app::App;
use crate::auth::{Need, authorise};
use crate::error::Error;

#[derive(Serialize, JsonSchema)]
pub(crate) struct Usage {
    #[schemars(with = "u64")]
    generation: Generation,
    /// What may be used.
    #[schemars(with = "u64")]
    limit: Bytes,
    /// What is taken of that, with what is in the trash and with old versions.
    #[schemars(with = "u64")]
    used: Bytes,
    /// How much of that is in the trash.
    #[schemars(with = "u64")]
    trash: Bytes,
    /// How much of it is old versions.
    #[schemars(with = "u64")]
    versions: Bytes,
    /// What uploads under way have set aside.
    #[schemars(with = "u64")]
    reserved: Bytes,
}

/// Answers with the numbers of a space.
pub(crate) async fn usage(app: &App, head: &Parts) -> Result<Response, Error> {
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Read)?;
    let snapshot = generation::snapshot(app, &app.space(&grant), &head.headers).await?;
    let spaces::Usage { limit, used, trash, versions, reserved, roster_generation: _ } = snapshot.usage();
    let generation = snapshot.generation();
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, generation);
    Ok((headers, Json(Usage { generation, limit, used, trash, versions, reserved })).into_response())
}
