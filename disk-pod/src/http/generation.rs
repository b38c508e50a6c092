//! `X-Generation`: how new the state must be that answers, and how new the one was that did.
//!
//! A client sends back the highest it has seen, and so reads its own writes on whichever pod it lands.

use std::time::Duration;

use api::generation::Generation;
use http::{HeaderMap, HeaderName, HeaderValue};
use spaces::{Freshness, Snapshot, Space};

use crate::app::App;
use crate::error::Error;

/// The header, both ways.
pub(crate) const GENERATION: HeaderName = HeaderName::from_static("x-generation");

/// The generation that a request names.
///
/// # Errors
/// When it is no number.
pub(crate) fn known(headers: &HeaderMap) -> Result<Option<Generation>, Error> {
    headers
        .get(GENERATION)
        .map(|value| {
            value
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| Error::BadRequest("X-Generation must be a number".to_owned()))
        })
        .transpose()
}

/// Notes on an answer which state it came from.
pub(crate) fn stamp(headers: &mut HeaderMap, generation: Generation) {
    headers.insert(GENERATION, HeaderValue::from(generation.0));
}

/// The state of a space, as new as the settings say and at least as new as the request asks for.
///
/// # Errors
/// Those of the engine, and a header that is no number.
pub(crate) async fn snapshot(app: &App, space: &Space, headers: &HeaderMap) -> Result<Snapshot, Error> {
    let window = Duration::from_millis(app.roster.current().settings().freshness_ms.into());
    let snapshot = space.snapshot(Freshness::Within(window)).await?;
    match known(headers)? {
        Some(wanted) if snapshot.generation() < wanted => {
            Ok(space.snapshot(Freshness::AtLeast(wanted)).await?)
        }
        _ => Ok(snapshot),
    }
}
