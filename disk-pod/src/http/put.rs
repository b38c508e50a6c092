//! `PUT` of a file: its bytes are made durable first, then it appears under its name at once and whole.

use std::time::Instant;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use spaces::{Operation, Staged};

use super::body::{Incoming, announced};
use super::condition::{Asked, asked};
use super::digest::Check;
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
    let Asked { condition, current } = asked(app, &space, &path, &head.headers).await?;

    let check = Check::of_digests(&head.headers)?;
    let received = receive(app, &space, announced(&head.headers), body, check).await;
    grant.still_holds(app)?;
    let committed = match received {
        Ok(content) => {
            let operation = Operation::Put { path, content, condition, parents };
            space.commit(request::of(&head.headers, operation)?).await?
        }
        Err(refusal) => request::done_before(&space, &head.headers, refusal).await?,
    };
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

/// Takes a body as the content of a file, which has no name yet.
///
/// # Errors
/// When it is larger than announced or allowed, does not fit, is cut short, or is not what its digest says.
pub(crate) async fn receive(
    app: &App,
    space: &spaces::Space,
    announced: Option<u64>,
    body: Body,
    mut check: Check,
) -> Result<Staged, Error> {
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
        check.update(&chunk);
        let begun = Instant::now();
        stage.write(chunk).await?;
        if received == length && Work::of_transfer(announced.unwrap_or(u64::MAX)) == Work::Bulk {
            app.load.took(Work::Bulk, begun.elapsed());
        }
        transfer.moved(length);
    }
    if !check.holds() {
        return Err(Error::Digest);
    }
    let begun = Instant::now();
    let staged = stage.finish().await?;
    if Work::of_transfer(received) == Work::Small {
        app.load.took(Work::Small, begun.elapsed());
    }
    Ok(staged)
}
