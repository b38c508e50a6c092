//! `MKCOL` and `DELETE`, and how a tree goes that is too large for one step.

use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use spaces::{Condition, Freshness, NodePath, Operation, OperationId};

use super::headers::{Depth, no_body};
use super::place::Place;
use super::refusal::Refused;
use super::visit::Visit;
use crate::app::App;
use crate::auth::{Identity, Need};
use crate::error::Error;
use crate::http::generation;

/// So many entries are looked up at once.
const PAGE: usize = 500;

/// Makes a directory.
pub(super) async fn mkcol(
    app: &App,
    head: &Parts,
    identity: &Identity,
    place: Place,
) -> Result<Response, Refused> {
    no_body(&head.headers)?;
    let exists = || Refused::Status(StatusCode::METHOD_NOT_ALLOWED, "something is here already");
    let visit = Visit::begin(app, head, identity, place, Need::Write).await?;
    let operation = Operation::MakeDirectory { path: visit.spot.path.clone(), parents: false };
    let committed = visit.space.commit(visit.request(operation)?).await.map_err(|error| match error {
        spaces::Error::Exists => exists(),
        error => Refused::change(error, &visit.spot, StatusCode::CONFLICT),
    })?;
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    Ok((StatusCode::CREATED, headers).into_response())
}

/// Deletes a file, or a directory with all in it: into the trash where there is one.
pub(super) async fn delete(
    app: &App,
    head: &Parts,
    identity: &Identity,
    place: Place,
) -> Result<Response, Refused> {
    let depth = Depth::of(&head.headers)?;
    let visit = Visit::begin(app, head, identity, place, Need::Write).await?;
    let current = visit.snapshot.lookup(&visit.spot.path);
    if depth != Depth::Infinity && current.as_ref().is_some_and(|node| node.is_directory()) {
        return Err(
            Error::BadRequest("a directory goes with all in it: Depth must be infinity".to_owned()).into()
        );
    }
    let condition = super::file::condition(&visit, current.map(|node| node.etag()).as_deref())?;
    let path = visit.spot.path.clone();
    let request = visit.request(Operation::Delete { path: path.clone(), condition, permanently: false })?;
    let repetition = request.id;
    let committed = match visit.space.commit(request).await {
        Err(spaces::Error::TooMany { .. }) => in_parts(&visit, &path, repetition).await,
        committed => committed,
    };
    let committed = committed.map_err(|error| Refused::change(error, &visit.spot, StatusCode::NOT_FOUND))?;
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Deletes a tree from its leaves on, where nothing is kept of it and it is more than one step can end. The last step
/// is the one that the request is named after.
pub(super) async fn in_parts(
    visit: &Visit<'_>,
    root: &NodePath,
    last: OperationId,
) -> Result<spaces::Committed, spaces::Error> {
    let delete = |path: &NodePath| {
        let (path, condition) = (path.clone(), Condition::None);
        visit.step(Operation::Delete { path, condition, permanently: false })
    };
    let mut open = vec![root.clone()];
    while let Some(directory) = open.last().cloned() {
        let snapshot = visit.space.snapshot(Freshness::Now).await?;
        let mut deeper = None;
        for (name, _) in snapshot.list(&directory, None, PAGE) {
            let path = directory.join(name);
            match visit.space.commit(delete(&path)).await {
                Ok(_) | Err(spaces::Error::NotFound) => {}
                Err(spaces::Error::TooMany { .. }) => {
                    deeper = Some(path);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(path) = deeper {
            open.push(path);
            continue;
        }
        // What is left fits into one step now, or somebody puts things in as fast as they go.
        let mut request = delete(&directory);
        if open.len() == 1 {
            request.id = last;
        }
        match visit.space.commit(request).await {
            Err(spaces::Error::TooMany { .. }) => {}
            Ok(committed) if open.len() == 1 => return Ok(committed),
            Ok(_) | Err(spaces::Error::NotFound) => drop(open.pop()),
            Err(error) => return Err(error),
        }
    }
    Err(spaces::Error::NotFound)
}
