//! `PUT` of a file: its bytes are made durable first, then it appears under its name at once and whole.

use std::time::Instant;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use spaces::{Condition, Operation, Staged};

use super::body::{Incoming, announced};
use super::etag::Tags;
use super::place::Place;
use super::{generation, parameters, request};
use crate::app::App;
use crate::auth::{Need, authorise};
use crate::error::Error;
use crate::load::Work;

#[derive(Deserialize)]
struct Parameters {
    #[serde(default)]
    parents: bool,
}

/// Stores a body as a file.
pub(crate) async fn put(app: &App, head: &Parts, body: Body) -> Result<Response, Error> {
    let place = Place::of(&head.uri, false)?;
    let grant = authorise(app, head, &place.space, Need::Write)?;
    let path = grant.node_path(&place.path)?;
    if path.is_root() {
        return Err(Error::IsADirectory);
    }
    let Parameters { parents } = parameters(&head.uri)?;
    if head.headers.contains_key(header::CONTENT_RANGE) {
        return Err(Error::BadRequest("a PUT is a whole file; parts go up as a resumable upload".to_owned()));
    }
    let space = app.space(&grant);
    let current = generation::snapshot(app, &space, &head.headers).await?.lookup(&path);
    let condition = condition(&head.headers, current.as_ref().map(|node| node.etag()).as_deref())?;

    let content = receive(app, &space, head, body).await?;
    grant.still_holds(app)?;
    let operation = Operation::Put { path, content, condition, parents };
    let committed = space.commit(request::of(&head.headers, operation)?).await?;
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    if let Some(node) = &committed.node
        && let Ok(etag) = HeaderValue::try_from(node.etag())
    {
        headers.insert(header::ETAG, etag);
    }
    let status = if current.is_none() { StatusCode::CREATED } else { StatusCode::NO_CONTENT };
    Ok((status, headers).into_response())
}

/// The condition that the commit checks, from the headers and the tag of what is there now.
///
/// Only the tag is looked at before: whether it still is the current one is decided by the commit.
pub(crate) fn condition(headers: &HeaderMap, current: Option<&str>) -> Result<Condition, Error> {
    let wanted = Tags::of(headers, header::IF_MATCH)?;
    let unwanted = Tags::of(headers, header::IF_NONE_MATCH)?;
    match (wanted, unwanted) {
        (None, None) => Ok(Condition::None),
        (None, Some(Tags::Any)) => Ok(Condition::Absent),
        (Some(tags), None) => match current {
            Some(current) if tags.match_strongly(current) => Ok(Condition::Matches(current.to_owned())),
            _ => Err(Error::Precondition("the file is another version than the one you know, or is gone")),
        },
        _ => Err(Error::BadRequest(
            "on a write, send If-Match with the tags you know, or If-None-Match: *, and not both".to_owned(),
        )),
    }
}

async fn receive(app: &App, space: &spaces::Space, head: &Parts, body: Body) -> Result<Staged, Error> {
    let announced = announced(&head.headers);
    let most = app.roster.current().settings().uploads.max_file_size.map_or(u64::MAX, |size| size.0);
    if announced.is_some_and(|length| length > most) {
        return Err(Error::TooLarge(most));
    }
    let mut transfer = app.load.transfer(announced.unwrap_or(0));
    let mut stage = space.stage(announced.map(api::bytes::Bytes)).await?;
    let mut incoming = Incoming::new(body, app.silence);
    let mut received = 0_u64;
    while let Some(chunk) = incoming.next().await? {
        let length = chunk.len() as u64;
        received += length;
        if received > most {
            return Err(Error::TooLarge(most));
        }
        let begun = Instant::now();
        stage.write(chunk).await?;
        if received == length && Work::of_transfer(announced.unwrap_or(u64::MAX)) == Work::Bulk {
            app.load.took(Work::Bulk, begun.elapsed());
        }
        transfer.moved(length);
    }
    let begun = Instant::now();
    let staged = stage.finish().await?;
    if Work::of_transfer(received) == Work::Small {
        app.load.took(Work::Small, begun.elapsed());
    }
    Ok(staged)
}
