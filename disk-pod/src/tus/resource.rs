//! One upload: `HEAD` asks how far it is, `PATCH` goes on, `DELETE` gives it up.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use spaces::{Committed, UploadId};

use super::append::{Append, Appended};
use super::{
    CHECKSUM, CONTENT, LENGTH, OFFSET, RESUMABLE, VERSION, check_version, is_content, number, stamp_expiry,
};
use crate::app::App;
use crate::auth::{Grant, Need, authorise};
use crate::error::Error;
use crate::http::body::announced;
use crate::http::digest::Check;
use crate::http::place::Place;
use crate::http::{generation, request};

/// Answers with the durable offset: what a client may rely on when it goes on anywhere.
pub(crate) async fn head(app: &App, head: &Parts) -> Result<Response, Error> {
    check_version(&head.headers)?;
    let (grant, id) = upload(app, head)?;
    let status = app.space(&grant).upload_status(id).await?;
    grant.covers(&status.path)?;
    let mut headers = HeaderMap::new();
    headers.insert(RESUMABLE, VERSION);
    stamp_offset(&mut headers, status.offset.0);
    headers.insert(LENGTH, HeaderValue::from(status.length.0));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((StatusCode::OK, headers).into_response())
}

/// Takes bytes from the offset on; with the last of them the file appears under its name.
pub(crate) async fn patch(app: &App, head: &Parts, body: Body) -> Result<Response, Error> {
    check_version(&head.headers)?;
    let (grant, id) = upload(app, head)?;
    if !is_content(&head.headers) {
        return Err(Error::MediaType(CONTENT));
    }
    let offset = number(&head.headers, &OFFSET)?
        .ok_or_else(|| Error::BadRequest("Upload-Offset must say where the bytes begin".to_owned()))?;
    if app.shutdown.is_draining() {
        return Err(Error::Draining { offset: None });
    }
    let space = app.space(&grant);
    let status = space.upload_status(id).await?;
    grant.covers(&status.path)?;
    let length = status.length.0;
    let mut headers = HeaderMap::new();
    headers.insert(RESUMABLE, VERSION);
    if status.complete && offset == length && announced(&head.headers) == Some(0) {
        // The answer to the last request was lost: the client asks whether it was the last.
        stamp_offset(&mut headers, offset);
        return Ok((StatusCode::NO_CONTENT, headers).into_response());
    }
    let check = Check::of_upload(&head.headers, &CHECKSUM)?;
    let writer = space.continue_upload(id, offset).await?;
    let announced = announced(&head.headers);
    let append = Append { app: app.clone(), grant, writer, offset, length, announced, check };
    match append.run(body).await? {
        Appended::UpTo(offset) => {
            stamp_offset(&mut headers, offset);
            stamp_expiry(app, &mut headers);
        }
        Appended::Complete(offset, committed) => {
            stamp_offset(&mut headers, offset);
            note_completion(&mut headers, &committed);
        }
    }
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Drops the upload and gives back what it has reserved.
pub(crate) async fn delete(app: &App, head: &Parts) -> Result<Response, Error> {
    check_version(&head.headers)?;
    let (grant, id) = upload(app, head)?;
    let space = app.space(&grant);
    let named = request::named(&head.headers)?;
    match (space.upload_status(id).await, named) {
        (Ok(status), _) => grant.covers(&status.path)?,
        // It may be a repetition of what gave it up: the commit knows, and refuses what is none.
        (Err(spaces::Error::UploadGone), Some(_)) if grant.subtree.is_none() => {}
        (Err(error), _) => return Err(error.into()),
    }
    match named {
        Some(named) => space.abort_upload_named(id, named).await?,
        None => space.abort_upload(id).await?,
    }
    let headers = HeaderMap::from_iter([(RESUMABLE, VERSION)]);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

fn upload(app: &App, head: &Parts) -> Result<(Grant, UploadId), Error> {
    let place = Place::of(&head.uri, false)?;
    // Looking at the offset of an upload is a part of writing, too.
    let grant = authorise(app, head, &place.space, Need::Write)?;
    let id = place.path.parse().map_err(|_| Error::Engine(spaces::Error::UploadGone))?;
    Ok((grant, id))
}

pub(super) fn stamp_offset(headers: &mut HeaderMap, offset: u64) {
    headers.insert(OFFSET, HeaderValue::from(offset));
}

pub(super) fn note_completion(headers: &mut HeaderMap, committed: &Committed) {
    generation::stamp(headers, committed.generation);
    let etag = committed.node.as_ref().and_then(|node| HeaderValue::try_from(node.etag()).ok());
    if let Some(etag) = etag {
        headers.insert(header::ETAG, etag);
    }
}
