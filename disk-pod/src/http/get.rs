//! `GET` and `HEAD` of a file: whole or a range, conditionally.

use std::ops::Range;
use std::time::Instant;

use api::generation::Generation;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use spaces::{Kind, Node, Reader};

use super::date::http_date;
use super::etag::{is_known, range_applies};
use super::moment::{self, Moment};
use super::multipart::Parts as Multipart;
use super::place::Place;
use super::range::{Ranged, ranged};
use super::{content, generation, parameters, versions};
use crate::app::App;
use crate::auth::{Grant, Need, authorise};
use crate::error::Error;
use crate::load::{Transfer, Work};

#[derive(Deserialize)]
struct Parameters {
    inline: Option<String>,
    /// The number of a content that the file had before.
    version: Option<u64>,
    at: Option<Moment>,
}

/// Answers with the bytes of a file.
pub(crate) async fn get(app: &App, head: &Parts) -> Result<Response, Error> {
    let place = Place::of(&head.uri, false)?;
    let grant = authorise(app, head, &place.space, Need::Read)?;
    let path = grant.node_path(&place.path)?;
    let Parameters { inline, version, at } = parameters(&head.uri)?;
    let space = app.space(&grant);
    let snapshot = moment::snapshot(app, &space, &head.headers, at).await?;
    let node = match version {
        Some(version) => versions::find(&snapshot, &path, version),
        None => snapshot.lookup(&path),
    };
    let node = node.ok_or(Error::NotFound)?;
    let name = path.name().map_or("file", |name| name.as_str());
    file(app, head, grant, snapshot.generation(), (&node, name), inline.is_some()).await
}

/// Answers with the bytes of a file of a generation: whole or a range, if the conditions of the request hold.
///
/// # Errors
/// When they do not, or it is no file.
pub(crate) async fn file(
    app: &App,
    head: &Parts,
    grant: Grant,
    generation: Generation,
    (node, name): (&Node, &str),
    inline: bool,
) -> Result<Response, Error> {
    let Kind::File { size, modified, .. } = node.kind else { return Err(Error::IsADirectory) };
    let (size, etag) = (size.0, node.etag());

    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, value(&etag));
    generation::stamp(&mut headers, generation);
    if is_known(&head.headers, &etag, modified)? {
        headers.insert(header::CACHE_CONTROL, content::CACHED);
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    content::guard(&mut headers, name, inline);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(modified) = http_date(modified) {
        headers.insert(header::LAST_MODIFIED, modified);
    }

    let wanted = head.headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let wanted = wanted.filter(|_| head.method == Method::GET && range_applies(&head.headers, &etag));
    let (status, range) = match ranged(wanted, size) {
        Ranged::Parts(ranges) => {
            let parts = Multipart::new(&ranges, size, content::media_type(name));
            headers.insert(header::CONTENT_TYPE, parts.content_type());
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(parts.length()));
            let body = parts.body(app, grant, node, (name, generation)).await?;
            return Ok((StatusCode::PARTIAL_CONTENT, headers, body).into_response());
        }
        Ranged::Whole => (StatusCode::OK, 0..size),
        Ranged::Part(range) => {
            let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            headers.insert(header::CONTENT_RANGE, value(&text));
            (StatusCode::PARTIAL_CONTENT, range)
        }
        Ranged::Unsatisfiable => return Err(Error::Range { size }),
    };
    // Set here for HEAD too, whose body is empty.
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    let body = if head.method == Method::HEAD || range.is_empty() {
        Body::empty()
    } else {
        let space = app.space(&grant);
        let reader = space.read(node, range.clone()).await?;
        space.was_read(node, name, generation);
        stream(app, grant, reader, range).await?
    };
    Ok((status, headers, body).into_response())
}

/// The bytes as a body. The first are read before the head is sent, so that storage which fails is an error
/// with a status and not a broken connection.
pub(super) async fn stream(
    app: &App,
    grant: Grant,
    mut reader: Reader,
    range: Range<u64>,
) -> Result<Body, Error> {
    let length = range.end - range.start;
    let mut transfer = app.load.transfer(length);
    let begun = Instant::now();
    let first = reader.next().await?;
    app.load.took(Work::of_transfer(length), begun.elapsed());
    transfer.moved(first.as_ref().map_or(0, |chunk| chunk.len() as u64));
    if let Some(all) = first.as_ref().filter(|chunk| chunk.len() as u64 == length) {
        // In one piece it goes out together with the head.
        return Ok(Body::from(all.clone()));
    }
    let download = Download { app: app.clone(), grant, reader, transfer };
    let rest = stream::try_unfold(download, Download::next);
    Ok(Body::from_stream(stream::iter(first.map(Ok)).chain(rest)))
}

/// A download on its way.
struct Download {
    app: App,
    grant: Grant,
    reader: Reader,
    transfer: Transfer,
}

impl Download {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        self.grant.still_holds(&self.app)?;
        let chunk = self.reader.next().await.inspect_err(|error| {
            tracing::error!(%error, "A download broke off: storage failed in the middle of it.");
        })?;
        Ok(chunk.map(|chunk| {
            self.transfer.moved(chunk.len() as u64);
            (chunk, self)
        }))
    }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
