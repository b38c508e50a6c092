//! `GET` of what has a text in its name, under a directory.

use std::time::Instant;

use api::generation::Generation;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spaces::{Node, NodePath, Snapshot};
use unicode_normalization::UnicodeNormalization;

use super::entry::Entry;
use super::moment::{self, Moment};
use super::place::Place;
use super::walk::Walk;
use super::{generation, parameters, path};
use crate::app::App;
use crate::auth::{Need, authorise};
use crate::error::Error;
use crate::load::Work;

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 1000;
/// The longest name has so many characters.
const LONGEST: usize = spaces::LONGEST_NAME;
/// So many names are looked at for one answer; it says where to go on.
const MOST_LOOKED_AT: usize = 100_000;

#[derive(Deserialize)]
struct Parameters {
    q: String,
    #[serde(default)]
    under: String,
    after: Option<String>,
    limit: Option<usize>,
    at: Option<Moment>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Found {
    #[schemars(with = "u64")]
    generation: Generation,
    entries: Vec<Hit>,
    /// What to send as `after` to go on; absent when all was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Hit {
    path: String,
    #[serde(flatten)]
    entry: Entry,
}

/// Answers with what was found.
pub(crate) async fn search(app: &App, head: &Parts) -> Result<Response, Error> {
    let begun = Instant::now();
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Read)?;
    let Parameters { q, under, after, limit, at } = parameters(&head.uri)?;
    let under = grant.node_path(&path::from_text(&under)?)?;
    let after = after.map(|after| grant.node_path(&path::from_text(&after)?)).transpose()?;
    if after.as_ref().is_some_and(|after| !after.starts_with(&under)) {
        return Err(Error::BadRequest("after: send what `next` was, with the same `under`".to_owned()));
    }
    let wanted = folded(&q);
    if wanted.is_empty() || q.chars().count() > LONGEST {
        return Err(Error::BadRequest(format!("q must be a text of 1 to {LONGEST} characters")));
    }
    let limit = limit.unwrap_or(DEFAULT_PAGE).clamp(1, LARGEST_PAGE);
    let snapshot = moment::snapshot(app, &app.space(&grant), &head.headers, at).await?;
    if !snapshot.lookup(&under).ok_or(Error::NotFound)?.is_directory() {
        return Err(Error::Engine(spaces::Error::NotADirectory));
    }
    let generation = snapshot.generation();
    let found = move || find(snapshot, under, after.as_ref(), &wanted, limit);
    let (found, next) =
        tokio::task::spawn_blocking(found).await.map_err(|_| Error::Draining { offset: None })?;
    let hit = |(path, node): &(NodePath, Node)| Hit {
        path: path.to_string(),
        entry: Entry::of(path.name().map_or("", |name| name.as_str()), node),
    };
    let entries = found.iter().map(hit).collect();
    let next = next.map(|path| path.to_string());
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, generation);
    app.load.took(Work::Metadata, begun.elapsed());
    Ok((headers, Json(Found { generation, entries, next })).into_response())
}

/// What has the text in its name, and up to where was looked when there may be more.
fn find(
    snapshot: Snapshot,
    under: NodePath,
    after: Option<&NodePath>,
    wanted: &str,
    limit: usize,
) -> (Vec<(NodePath, Node)>, Option<NodePath>) {
    let mut walk = match after {
        Some(after) => Walk::after(snapshot, under, after),
        None => Walk::new(snapshot, under),
    };
    let mut found = Vec::new();
    let mut last = None;
    for (path, node) in walk.by_ref().take(MOST_LOOKED_AT) {
        last = Some(path.clone());
        if path.name().is_some_and(|name| folded(name.as_str()).contains(wanted)) {
            found.push((path, node));
            if found.len() == limit {
                break;
            }
        }
    }
    let next = if walk.next().is_some() { last } else { None };
    (found, next)
}

/// A text as it is compared: neither case nor how a letter is composed counts.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // In upper case first: letters that are one there, such as both small sigmas, are to be found by each other.
    let upper = text.nfc().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_case_nor_composition_counts() {
        for (name, text) in [
            ("Urlaub.JPG", "jpg"),
            ("ÜBUNG", "übung"),
            ("u\u{308}bung", "Ü"),
            ("휴가", "휴"),
            ("\u{1112}\u{1172}가", "휴가"),
            ("STRASSE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("οδός", "ΟΔΌΣ"),
        ] {
            assert!(folded(name).contains(&folded(text)), "{name:?} {text:?}");
        }
        assert!(!folded("bungalow").contains(&folded("übung")));
    }
}
