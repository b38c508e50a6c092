//! WebDAV (RFC 4918, classes 1, 2 and 3) under `/dav/`, for whoever mounts a disk.
//!
//! A request is answered in three steps: which [`place`] its URL names and who asks; the [`visit`], which looks at the
//! disk as it is and whether the `If` header holds; then the method. Nothing is kept here: locks and properties are in
//! the log of the space, where every pod finds them.

mod body;
mod condition;
mod dead;
mod file;
mod headers;
mod live;
mod lock;
mod place;
mod propfind;
mod proppatch;
mod refusal;
mod transfer;
mod tree;
mod visit;
mod xml;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use self::place::Place;
use self::refusal::Refused;
use self::transfer::Way;
use crate::admission;
use crate::app::App;
use crate::auth::{Identity, identify};
use crate::error::Error;

const METHODS: &str = "OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK";
const CLASSES: HeaderValue = HeaderValue::from_static("1, 2, 3");
/// Without it Office opens files for reading only.
const AUTHOR: (HeaderName, HeaderValue) =
    (HeaderName::from_static("ms-author-via"), HeaderValue::from_static("DAV"));

/// Answers a request under `/dav/`, or at `/` where some systems begin to walk.
pub(crate) async fn dav(State(app): State<App>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let mut response = match Box::pin(answer(&app, &head, body)).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    };
    response.headers_mut().insert(HeaderName::from_static("dav"), CLASSES);
    response
}

async fn answer(app: &App, head: &Parts, body: Body) -> Result<Response, Refused> {
    let place = Place::of(head.uri.path())?;
    // What the server can is told to anybody: clients ask before they sign in.
    if head.method == http::Method::OPTIONS {
        return Ok(options());
    }
    let identity = &identify(app, head).await?;
    let method = head.method.as_str();
    if let Some(status) = off_the_disks(&place, method) {
        return Err(Refused::Status(status, "nothing can be changed here: choose a disk"));
    }
    // What is not on a disk is answered from memory.
    let turn = match place.space(app, identity) {
        Some(space) => admission::enter(app, head, identity, space).await?,
        None => None,
    };
    let Some(turn) = turn else { return Box::pin(by_method(app, head, body, identity, place)).await };
    let response = match Box::pin(by_method(app, head, body, identity, place)).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    };
    Ok(turn.answer(response)?)
}

async fn by_method(
    app: &App,
    head: &Parts,
    body: Body,
    identity: &Identity,
    place: Place,
) -> Result<Response, Refused> {
    match head.method.as_str() {
        "GET" | "HEAD" => file::get(app, head, identity, place).await,
        "PROPFIND" => propfind::propfind(app, head, body, identity, place).await,
        "PUT" => file::put(app, head, body, identity, place).await,
        "DELETE" => tree::delete(app, head, identity, place).await,
        "MKCOL" => tree::mkcol(app, head, identity, place).await,
        "COPY" => transfer::transfer(app, head, identity, place, Way::Copy).await,
        "MOVE" => transfer::transfer(app, head, identity, place, Way::Move).await,
        "PROPPATCH" => proppatch::proppatch(app, head, body, identity, place).await,
        "LOCK" => lock::lock(app, head, body, identity, place).await,
        "UNLOCK" => lock::unlock(app, head, identity, place).await,
        _ => Err(Error::Method(METHODS).into()),
    }
}

/// The status of what can not be done where no disk is.
fn off_the_disks(place: &Place, method: &str) -> Option<StatusCode> {
    match (place, method) {
        (Place::On(..), _) => None,
        (Place::Hall(_), "PUT" | "MKCOL") => Some(StatusCode::METHOD_NOT_ALLOWED),
        (Place::Nowhere, "PUT" | "MKCOL" | "LOCK") => Some(StatusCode::FORBIDDEN),
        (Place::Hall(_), "DELETE" | "COPY" | "MOVE" | "PROPPATCH" | "LOCK" | "UNLOCK") => {
            Some(StatusCode::FORBIDDEN)
        }
        _ => None,
    }
}

fn options() -> Response {
    let headers = [
        (header::ALLOW, HeaderValue::from_static(METHODS)),
        AUTHOR,
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::CONTENT_LENGTH, HeaderValue::from_static("0")),
    ];
    (StatusCode::OK, HeaderMap::from_iter(headers)).into_response()
}
