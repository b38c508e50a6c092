//! `GET` of a directory, or of some things in it, as one zip file. All of it is of one generation of the space.

mod content;
pub mod records;
mod walk;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use spaces::{NodePath, Snapshot};

use self::content::{Content, Selection};
use self::walk::{Chosen, written};
use super::moment::{self, Moment};
use super::place::Place;
use super::{content as file, generation, parameters, path};
use crate::app::App;
use crate::auth::{Grant, Need, authorise};
use crate::error::Error;

/// So many paths can be chosen at once.
const MOST_CHOSEN: usize = 1000;

/// Answers with a zip file.
pub(crate) async fn get(app: &App, head: &Parts) -> Result<Response, Error> {
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Read)?;
    let base = grant.node_path(&place.path)?;
    let wanted: Vec<(String, String)> = parameters(&head.uri)?;
    let at = wanted.iter().find(|(key, _)| key == "at").map(|(_, moment)| moment.parse::<Moment>());
    let at = at.transpose().map_err(|error| Error::BadRequest(error.to_owned()))?;
    let snapshot = moment::snapshot(app, &app.space(&grant), &head.headers, at).await?;
    if !snapshot.lookup(&base).ok_or(Error::NotFound)?.is_directory() {
        return Err(Error::Engine(spaces::Error::NotADirectory));
    }
    let wanted = wanted.into_iter().filter(|(key, _)| key == "path").map(|(_, path)| path);
    let (chosen, name) = choose(&snapshot, &grant, &base, wanted.collect())?;
    let generation = snapshot.generation();
    let selection = Selection { snapshot, chosen };
    let counted = selection.clone();
    // A large tree takes a while to go through, and nothing in it waits.
    let length = tokio::task::spawn_blocking(move || counted.length())
        .await
        .map_err(|_| Error::Draining { offset: None })?;

    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, generation);
    file::guard(&mut headers, &format!("{name}.zip"), false);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if head.method == Method::HEAD {
        return Ok((StatusCode::OK, headers).into_response());
    }
    // The first bytes are made before the head is sent, so that storage which fails is an error with a status.
    let content = Content::new(app, grant, selection, length);
    let Some((first, content)) = Box::pin(content.next()).await? else {
        return Ok((StatusCode::OK, headers).into_response());
    };
    let rest = stream::try_unfold(content, |content| Box::pin(content.next()));
    let body = stream::iter([Ok::<Bytes, Error>(first)]).chain(rest);
    Ok((StatusCode::OK, headers, Body::from_stream(body)).into_response())
}

/// What goes into the file, and what that is called: the whole directory, or some paths in it.
fn choose(
    snapshot: &Snapshot,
    grant: &Grant,
    base: &NodePath,
    wanted: Vec<String>,
) -> Result<(Vec<Chosen>, String), Error> {
    let own = |path: &NodePath| path.name().map_or_else(|| "files".to_owned(), written);
    if wanted.is_empty() {
        let name = base.name().map_or_else(String::new, written);
        return Ok((vec![Chosen { path: base.clone(), name }], own(base)));
    }
    if wanted.len() > MOST_CHOSEN {
        return Err(Error::BadRequest(format!("at most {MOST_CHOSEN} paths can be chosen at once")));
    }
    let mut paths = Vec::new();
    for text in wanted {
        let relative: NodePath = path::from_text(&text)?.parse().map_err(spaces::Error::from)?;
        if relative.is_root() {
            return Err(Error::BadRequest("a path must name something in the directory".to_owned()));
        }
        let path = relative.names().iter().fold(base.clone(), |path, name| path.join(name.clone()));
        grant.covers(&path)?;
        snapshot.lookup(&path).ok_or(Error::NotFound)?;
        paths.push((path, relative));
    }
    // What is in a directory that was chosen is there already.
    paths.sort_by(|(one, _), (other, _)| one.names().cmp(other.names()));
    paths.dedup_by(|(next, _), (kept, _)| next.starts_with(kept));
    let name = match paths.as_slice() {
        [(path, _)] => own(path),
        _ => own(base),
    };
    let chosen = paths.into_iter().map(|(path, relative)| {
        let names: Vec<String> = relative.names().iter().map(written).collect();
        Chosen { path, name: names.join("/") }
    });
    Ok((chosen.collect(), name))
}
