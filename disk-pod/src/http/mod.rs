//! The resources under `/v1/spaces/{space}` that speak plain HTTP, and what they read out of requests.

pub mod body;
pub(crate) mod condition;
pub mod content;
pub(crate) mod cors;
pub(crate) mod date;
pub(crate) mod delete;
pub(crate) mod digest;
pub(crate) mod entry;
pub mod etag;
pub(crate) mod generation;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod moment;
mod multipart;
pub mod openapi;
pub(crate) mod operations;
mod pace;
pub mod path;
pub(crate) mod place;
pub(crate) mod put;
pub mod range;
pub(crate) mod request;
pub(crate) mod routes;
pub(crate) mod search;
pub(crate) mod sort;
pub(crate) mod trash;
pub(crate) mod usage;
pub(crate) mod versions;
pub(crate) mod walk;
pub(crate) mod wanted;
pub mod zip;

use http::Uri;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// The query of a URL.
///
/// # Errors
/// When a parameter is not of its type.
pub(crate) fn parameters<T: DeserializeOwned>(uri: &Uri) -> Result<T, Error> {
    axum::extract::Query::try_from_uri(uri)
        .map(|query| query.0)
        .map_err(|rejection| Error::BadRequest(rejection.body_text()))
}
