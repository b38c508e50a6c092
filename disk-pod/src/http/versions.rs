//! `GET` of what a file held before.

use api::bytes::Bytes;
use api::generation::Generation;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use spaces::{FileVersion, Kind, Node, NodePath, Snapshot};

use super::generation;
use super::place::Place;
use crate::app::App;
use crate::auth::{Need, authorise};
use crate::error::Error;

#[derive(Serialize, JsonSchema)]
pub(crate) struct Versions {
    #[schemars(with = "u64")]
    generation: Generation,
    path: String,
    /// What it holds now.
    current: Version,
    /// What it held before, what was replaced last first.
    versions: Vec<Version>,
}

#[derive(Serialize, JsonSchema)]
struct Version {
    version: u64,
    #[schemars(with = "u64")]
    size: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    modified: Option<Timestamp>,
    /// When another content took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    replaced: Option<Timestamp>,
    etag: String,
}

/// Answers with all contents of a file that are there.
pub(crate) async fn list(app: &App, head: &Parts) -> Result<Response, Error> {
    let place = Place::of(&head.uri, false)?;
    let grant = authorise(app, head, &place.space, Need::Read)?;
    let path = grant.node_path(&place.path)?;
    let snapshot = generation::snapshot(app, &app.space(&grant), &head.headers).await?;
    let node = snapshot.lookup(&path).ok_or(Error::NotFound)?;
    let current = Version::of(&node, None).ok_or(Error::IsADirectory)?;
    let old = |old: &FileVersion| Version::of(&old.node, Some(old.replaced));
    let versions = snapshot.versions(&path).iter().filter_map(old).collect();
    let generation = snapshot.generation();
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, generation);
    Ok((headers, Json(Versions { generation, path: place.path, current, versions })).into_response())
}

/// A file with the content of this number, whether it holds that now or held it before.
pub(crate) fn find(snapshot: &Snapshot, path: &NodePath, wanted: u64) -> Option<Node> {
    let is_wanted = |node: &Node| matches!(node.kind, Kind::File { version, .. } if version == wanted);
    let before = || snapshot.versions(path).into_iter().map(|old| old.node).find(is_wanted);
    snapshot.lookup(path).filter(is_wanted).or_else(before)
}

impl Version {
    fn of(node: &Node, replaced: Option<i64>) -> Option<Self> {
        let Kind::File { size, version, modified, .. } = node.kind else { return None };
        let time = |millis| Timestamp::from_millisecond(millis).ok();
        let (modified, replaced) = (time(modified), replaced.and_then(time));
        Some(Self { version, size, modified, replaced, etag: node.etag() })
    }
}
