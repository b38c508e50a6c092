//! `LOCK` and `UNLOCK`. Locks are in the log of the space: every pod and every member sees them, and the HTTP API
//! keeps to them too.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use spaces::{Lock, LockDepth, LockScope, LockToken, NewLock, Operation};
use uuid::Uuid;

use super::body;
use super::condition::token;
use super::headers::{Depth, timeout};
use super::live::discovery;
use super::place::Place;
use super::refusal::{self, Refused};
use super::visit::Visit;
use super::xml::{self, Document, XmlError};
use crate::app::App;
use crate::auth::{Identity, Need};
use crate::error::Error;
use crate::http::generation;

/// The longest body, in bytes.
const LONGEST: usize = 16 * 1024;
const LOCK_TOKEN: HeaderName = HeaderName::from_static("lock-token");

/// What a body asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    scope: LockScope,
    /// The element that says who holds it; empty when there is none.
    owner: String,
}

/// Locks something, makes an empty file where nothing is, or counts the time of a lock anew.
pub(super) async fn lock(
    app: &App,
    head: &Parts,
    body: Body,
    identity: &Identity,
    place: Place,
) -> Result<Response, Refused> {
    let depth = match Depth::of(&head.headers)? {
        Depth::Zero => LockDepth::Zero,
        Depth::Infinity => LockDepth::Infinity,
        Depth::One => return Err(Error::BadRequest("the Depth of a lock is 0 or infinity".to_owned()).into()),
    };
    let body = body::read(body, LONGEST, app.silence).await?;
    let visit = Visit::begin(app, head, identity, place, Need::Write).await?;
    if body.is_empty() {
        return refresh(&visit).await;
    }
    let Wanted { scope, owner } = wanted(&body)?;
    let path = visit.spot.path.clone();
    let mut request =
        visit.request(Operation::Unlock { path: path.clone(), token: LockToken(Uuid::nil()) })?;
    // Asked again with the same id, it is the same lock, and its answer must name it.
    let token = LockToken(derived(request.id.0, identity));
    let creator = visit.creator();
    let lock = NewLock { token, scope, depth, owner, creator, timeout: timeout(&head.headers) };
    request.operation = Operation::Lock { path: path.clone(), lock: lock.clone() };
    let committed = visit
        .space
        .commit(request)
        .await
        .map_err(|error| Refused::change(error, &visit.spot, StatusCode::CONFLICT))?;
    let expires = jiff::Timestamp::now().as_millisecond().saturating_add(milliseconds(&lock));
    let status = if visit.was_there(&path).await { StatusCode::OK } else { StatusCode::CREATED };
    let mut response = told(&visit, status, &[Lock { lock, root: path, expires }]);
    generation::stamp(response.headers_mut(), committed.generation);
    if let Ok(value) = HeaderValue::try_from(format!("<{token}>")) {
        response.headers_mut().insert(LOCK_TOKEN, value);
    }
    Ok(response)
}

/// A token that follows from the id of the operation, and that nobody else can be given.
fn derived(id: Uuid, identity: &Identity) -> Uuid {
    let text = format!("lock {id} {}", identity.member());
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().zip(blake3::hash(text.as_bytes()).as_bytes()) {
        *place = *byte;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn milliseconds(lock: &NewLock) -> i64 {
    i64::try_from(lock.timeout.as_millis()).unwrap_or(i64::MAX)
}

async fn refresh(visit: &Visit<'_>) -> Result<Response, Refused> {
    if visit.conditions.is_absent() {
        return Err(Error::BadRequest(
            "a LOCK without a body refreshes a lock: name it in the If header".to_owned(),
        )
        .into());
    }
    let gone =
        || Refused::Condition(StatusCode::PRECONDITION_FAILED, "lock-token-matches-request-uri", Vec::new());
    let here = visit.snapshot.locks(&visit.spot.path);
    let held = visit.held();
    let Some(mut lock) = here.into_iter().find(|lock| held.contains(&lock.lock.token)) else {
        return Err(gone());
    };
    lock.lock.timeout = timeout(&visit.head.headers);
    let (path, token, time) = (visit.spot.path.clone(), lock.lock.token, lock.lock.timeout);
    let request = visit.request(Operation::RefreshLock { path, token, timeout: time })?;
    visit.space.commit(request).await.map_err(|error| match error {
        spaces::Error::LockGone => gone(),
        error => Refused::change(error, &visit.spot, StatusCode::NOT_FOUND),
    })?;
    lock.expires = jiff::Timestamp::now().as_millisecond().saturating_add(milliseconds(&lock.lock));
    Ok(told(visit, StatusCode::OK, &[lock]))
}

/// An answer that tells of locks.
fn told(visit: &Visit<'_>, status: StatusCode, locks: &[Lock]) -> Response {
    let mut text = refusal::declaration();
    text.push_str("<D:prop xmlns:D=\"DAV:\">");
    discovery(&mut text, &visit.spot, locks);
    text.push_str("</D:prop>");
    (status, [(header::CONTENT_TYPE, refusal::XML)], text).into_response()
}

/// Ends a lock.
pub(super) async fn unlock(
    app: &App,
    head: &Parts,
    identity: &Identity,
    place: Place,
) -> Result<Response, Refused> {
    let wrong = || Error::BadRequest("Lock-Token must name the lock that shall end".to_owned());
    let text = head.headers.get(LOCK_TOKEN).and_then(|value| value.to_str().ok()).ok_or_else(wrong)?.trim();
    // Windows leaves the brackets out at times.
    let uri = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    let elsewhere = || Refused::Condition(StatusCode::CONFLICT, "lock-token-matches-request-uri", Vec::new());
    let token = token(uri).ok_or_else(elsewhere)?;
    let visit = Visit::begin(app, head, identity, place, Need::Write).await?;
    if visit.snapshot.lock(token).is_some_and(|lock| !visit.made(&lock)) {
        return Err(Refused::Status(StatusCode::FORBIDDEN, "only the member who made a lock can end it"));
    }
    let request = visit.request(Operation::Unlock { path: visit.spot.path.clone(), token })?;
    let committed = visit.space.commit(request).await.map_err(|error| match error {
        spaces::Error::LockGone => elsewhere(),
        error => Refused::change(error, &visit.spot, StatusCode::NOT_FOUND),
    })?;
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

fn wanted(body: &[u8]) -> Result<Wanted, XmlError> {
    let text = xml::decoded(body)?;
    let mut document = Document::new(&text)?;
    document.root("lockinfo")?;
    let (mut scope, mut write, mut owner) = (None, false, String::new());
    while let Some(element) = document.child()? {
        if element.is("lockscope") {
            while let Some(kind) = document.child()? {
                scope = match scope {
                    None if kind.is("exclusive") => Some(LockScope::Exclusive),
                    None if kind.is("shared") => Some(LockScope::Shared),
                    _ => return Err(XmlError::Unexpected("the lockscope must be exclusive or shared")),
                };
                document.content()?;
            }
        } else if element.is("locktype") {
            while let Some(kind) = document.child()? {
                write |= kind.is("write");
                document.content()?;
            }
        } else if element.is("owner") {
            owner = document.verbatim(&element)?;
        } else {
            document.content()?;
        }
    }
    document.end()?;
    match scope {
        Some(scope) if write => Ok(Wanted { scope, owner }),
        _ => Err(XmlError::Unexpected("the lockinfo must have a lockscope, and the locktype write")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let read =
            |inside: &str| wanted(format!("<D:lockinfo xmlns:D=\"DAV:\">{inside}</D:lockinfo>").as_bytes());
        let write = "<D:locktype><D:write/></D:locktype>";
        assert_eq!(
            read(&format!("<D:lockscope><D:exclusive/></D:lockscope>{write}<D:owner>me <b/></D:owner>")),
            Ok(Wanted {
                scope: LockScope::Exclusive,
                owner: "<D:owner xmlns:D=\"DAV:\">me <b></b></D:owner>".to_owned(),
            })
        );
        assert_eq!(
            read(&format!("<D:lockscope><D:shared/></D:lockscope>{write}")),
            Ok(Wanted { scope: LockScope::Shared, owner: String::new() })
        );
        for inside in [
            "",
            write,
            "<D:lockscope><D:exclusive/></D:lockscope>",
            "<D:lockscope><D:exclusive/><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype>",
            "<D:lockscope><D:other/></D:lockscope><D:locktype><D:write/></D:locktype>",
            "<lockscope><exclusive/></lockscope><locktype><write/></locktype>",
        ] {
            assert!(matches!(read(inside), Err(XmlError::Unexpected(_))), "{inside}");
        }
    }
}
