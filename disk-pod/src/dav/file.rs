//! `GET`, `HEAD` and `PUT`, answered as the HTTP API does: the same bytes, tags and ranges.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use spaces::{Condition, Operation, Staged};

use super::place::Place;
use super::refusal::Refused;
use super::visit::Visit;
use crate::app::App;
use crate::auth::{Identity, Need};
use crate::error::Error;
use crate::http::body::announced;
use crate::http::digest::Check;
use crate::http::etag::Tags;
use crate::http::{generation, get as download, put as upload, request};

/// What a browser is told that looks at a directory.
const DIRECTORY: &str =
    "This is a directory of an internet disk. Mount it with a WebDAV client to see what is in it.\n";

/// How many bytes Finder is going to send, in chunks.
const EXPECTED: &str = "x-expected-entity-length";
/// When the content is of, in seconds since 1970: rclone, and the clients of ownCloud and Nextcloud.
const MODIFIED: HeaderName = HeaderName::from_static("x-oc-mtime");

/// Answers with the bytes of a file; for a directory with a sentence, since some clients ask whether it is there so.
pub(super) async fn get(
    app: &App,
    head: &Parts,
    identity: &Identity,
    place: Place,
) -> Result<Response, Refused> {
    if matches!(place, Place::Hall(_)) {
        return Ok(directory(head));
    }
    let visit = Visit::begin(app, head, identity, place, Need::Read).await?;
    let node = visit.node()?;
    if node.is_directory() {
        return Ok(directory(head));
    }
    let Visit { spot, snapshot, .. } = visit;
    let name = spot.path.name().map_or_else(String::new, ToString::to_string);
    let generation = snapshot.generation();
    drop(snapshot);
    Ok(download::file(app, head, spot.grant, generation, (&node, &name), false).await?)
}

fn directory(head: &Parts) -> Response {
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    let headers =
        [(header::CONTENT_TYPE, text), (header::CONTENT_LENGTH, HeaderValue::from(DIRECTORY.len()))];
    let body = if head.method == Method::HEAD { Body::empty() } else { Body::from(DIRECTORY) };
    (StatusCode::OK, HeaderMap::from_iter(headers), body).into_response()
}

/// Stores a body as a file.
pub(super) async fn put(
    app: &App,
    head: &Parts,
    body: Body,
    identity: &Identity,
    place: Place,
) -> Result<Response, Refused> {
    let headers = &head.headers;
    if headers.contains_key(header::CONTENT_RANGE) {
        return Err(Error::BadRequest("a PUT is a whole file".to_owned()).into());
    }
    let visit = Visit::begin(app, head, identity, place, Need::Write).await?;
    let current = visit.snapshot.lookup(&visit.spot.path);
    if visit.spot.path.is_root() || current.as_ref().is_some_and(|node| node.is_directory()) {
        return Err(Refused::Status(
            StatusCode::METHOD_NOT_ALLOWED,
            "a directory is here, and a file is needed",
        ));
    }
    let tag = current.as_ref().map(|node| node.etag());
    let condition = condition(&visit, tag.as_deref())?;
    let modified = seconds(headers);
    let received = receive(app, &visit, body).await;
    visit.spot.grant.still_holds(app)?;
    let committed = match received {
        Ok(content) => {
            let content = match modified {
                Some(seconds) => content.dated(seconds.saturating_mul(1000)),
                None => content,
            };
            let path = visit.spot.path.clone();
            let request = visit.request(Operation::Put { path, content, condition, parents: false })?;
            visit.space.commit(request).await.map_err(|error| match error {
                spaces::Error::IsADirectory => Refused::Status(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "a directory is here, and a file is needed",
                ),
                error => Refused::change(error, &visit.spot, StatusCode::CONFLICT),
            })?
        }
        Err(Refused::Plain(refusal)) => request::done_before(&visit.space, headers, refusal).await?,
        Err(refusal) => return Err(refusal),
    };
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    if let Some(etag) = committed.node.and_then(|node| HeaderValue::try_from(node.etag()).ok()) {
        headers.insert(header::ETAG, etag);
    }
    if modified.is_some() {
        headers.insert(MODIFIED, HeaderValue::from_static("accepted"));
    }
    let replaced = visit.was_there(&visit.spot.path).await;
    let status = if replaced { StatusCode::NO_CONTENT } else { StatusCode::CREATED };
    Ok((status, headers).into_response())
}

/// What the commit checks: the file must still be the one that the headers speak of.
pub(super) fn condition(visit: &Visit<'_>, tag: Option<&str>) -> Result<Condition, Refused> {
    if visit.repeats.is_some() {
        return Ok(Condition::None);
    }
    let headers = &visit.head.headers;
    let same = || tag.map_or(Condition::Absent, |tag| Condition::Matches(tag.to_owned()));
    let wanted = Tags::of(headers, header::IF_MATCH).map_err(Error::from)?;
    let unwanted = Tags::of(headers, header::IF_NONE_MATCH).map_err(Error::from)?;
    let wanted_fails = wanted.as_ref().is_some_and(|tags| !tag.is_some_and(|tag| tags.match_strongly(tag)));
    let unwanted_fails = unwanted.as_ref().is_some_and(|tags| tag.is_some_and(|tag| tags.match_weakly(tag)));
    if wanted_fails || unwanted_fails {
        return Err(Error::Precondition("the file is another version than the one you know").into());
    }
    let bound = wanted.is_some() || unwanted.is_some() || visit.conditions.binds_the_tag();
    Ok(if bound { same() } else { Condition::None })
}

/// Takes the body. Some proxies send nothing where a client sends chunks: what is shorter than the client said is no
/// file.
async fn receive(app: &App, visit: &Visit<'_>, body: Body) -> Result<Staged, Refused> {
    let headers = &visit.head.headers;
    let expected = headers.get(EXPECTED).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    let length = announced(headers);
    let content =
        upload::receive(app, &visit.space, length.or(expected), body, Check::of_digests(headers)?).await?;
    if length.is_none() && expected.is_some_and(|expected| content.length() < expected) {
        return Err(
            Error::BadRequest("fewer bytes came than X-Expected-Entity-Length says".to_owned()).into()
        );
    }
    Ok(content)
}

/// The time that the client says the content is of.
pub(super) fn seconds(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(MODIFIED)?.to_str().ok()?.trim();
    // Some write parts of a second behind a dot.
    text.split('.').next()?.parse().ok().filter(|seconds: &i64| seconds.unsigned_abs() < 1 << 36)
}
