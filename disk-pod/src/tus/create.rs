//! `POST`: begins an upload, and takes its first bytes when they come along.

use api::bytes::Bytes;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use spaces::{Condition, NewUpload};

use super::append::{Append, Appended};
use super::metadata::Metadata;
use super::resource::{note_completion, stamp_offset};
use super::{
    CHECKSUM, DEFER_LENGTH, EXPIRES, LENGTH, METADATA, RESUMABLE, VERSION, check_version, is_content, number,
    stamp_expiry,
};
use crate::app::App;
use crate::auth::{Need, authorise};
use crate::error::Error;
use crate::http::body::announced;
use crate::http::digest::Check;
use crate::http::path::from_text;
use crate::http::place::Place;
use crate::http::request;

/// Reserves the length and answers where the bytes go.
pub(crate) async fn create(app: &App, head: &Parts, body: Body) -> Result<Response, Error> {
    check_version(&head.headers)?;
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Write)?;
    if app.shutdown.is_draining() {
        return Err(Error::Draining { offset: None });
    }
    if head.headers.contains_key(DEFER_LENGTH) {
        return Err(Error::BadRequest("the length of an upload must be known when it is created".to_owned()));
    }
    let length = number(&head.headers, &LENGTH)?.ok_or(Error::LengthRequired)?;
    if let Some(most) = app.roster.current().settings().uploads.max_file_size
        && length > most.0
    {
        return Err(Error::TooLarge(most.0));
    }
    let metadata = head
        .headers
        .get(METADATA)
        .map_or(Ok(""), |value| value.to_str())
        .map_err(|_| Error::BadRequest("Upload-Metadata must be ASCII".to_owned()))?;
    let Metadata { path, replace, parents } = Metadata::parse(metadata)?;
    let path = path.ok_or_else(|| Error::BadRequest("Upload-Metadata must have a path".to_owned()))?;
    let path = grant.node_path(&from_text(&path)?)?;
    if path.is_root() {
        return Err(Error::IsADirectory);
    }
    let bytes = announced(&head.headers);
    if bytes.is_some_and(|bytes| bytes > length) {
        return Err(Error::TooLarge(length));
    }
    let check = Check::of_upload(&head.headers, &CHECKSUM)?;
    let condition = if replace { Condition::None } else { Condition::Absent };
    let space = app.space(&grant);
    let new = NewUpload { path, length: Bytes(length), condition, parents, ..NewUpload::default() };
    let named = request::named(&head.headers)?;
    let id = match named {
        Some(named) => space.create_named_upload(new, named).await?,
        None => space.create_upload(new).await?,
    };

    let mut headers = HeaderMap::new();
    headers.insert(RESUMABLE, VERSION);
    let location = format!("/v1/spaces/{}/uploads/{id}", grant.space);
    headers.insert(header::LOCATION, HeaderValue::try_from(location).map_err(|_| Error::NotFound)?);
    stamp_offset(&mut headers, 0);
    stamp_expiry(app, &mut headers);
    let with_bytes = is_content(&head.headers) && bytes != Some(0);
    if with_bytes || length == 0 {
        let writer = match space.continue_upload(id, 0).await {
            Ok(writer) => writer,
            // A repetition: something of it has come already.
            Err(spaces::Error::OffsetConflict { .. } | spaces::Error::UploadGone) if named.is_some() => {
                stamp_offset(&mut headers, space.upload_status(id).await?.offset.0);
                return Ok((StatusCode::CREATED, headers).into_response());
            }
            Err(error) => return Err(error.into()),
        };
        let (app, grant) = (app.clone(), grant.clone());
        let append = Append { app, grant, writer, offset: 0, length, announced: bytes, check };
        let body = if with_bytes { body } else { Body::empty() };
        match append.run(body).await {
            Ok(Appended::UpTo(offset)) => stamp_offset(&mut headers, offset),
            Ok(Appended::Complete(offset, committed)) => {
                stamp_offset(&mut headers, offset);
                headers.remove(EXPIRES);
                note_completion(&mut headers, &committed);
            }
            // The upload exists: the client must learn where, and asks for the offset there.
            Err(Error::Body(_) | Error::Draining { .. }) => {}
            Err(error) => {
                // Nobody learns of this upload: what it has reserved must not wait for its expiry. One that has a name
                // can be asked for again.
                if named.is_none()
                    && let Err(left) = space.abort_upload(id).await
                {
                    tracing::debug!(error = %left, "An upload that failed at its start is left to expire.");
                }
                return Err(error);
            }
        }
    }
    Ok((StatusCode::CREATED, headers).into_response())
}
