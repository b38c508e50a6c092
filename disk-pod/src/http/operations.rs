//! `POST` of an operation on names: make a directory, move, copy, delete.

use std::time::Instant;

use api::generation::Generation;
use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use spaces::Operation;

use super::place::Place;
use super::put::condition;
use super::{generation, path, request};
use crate::app::App;
use crate::auth::{Grant, Need, authorise};
use crate::error::Error;
use crate::load::Work;

/// Two paths of the greatest length fit, escaped.
const LONGEST: usize = 256 * 1024;

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
enum Wanted {
    Mkdir {
        path: String,
        #[serde(default)]
        parents: bool,
    },
    Move {
        from: String,
        to: String,
        #[serde(default)]
        overwrite: bool,
    },
    Copy {
        from: String,
        to: String,
        #[serde(default)]
        overwrite: bool,
    },
    Delete {
        path: String,
    },
}

#[derive(Serialize)]
struct Done {
    generation: Generation,
}

/// Commits one operation.
pub(crate) async fn operations(app: &App, head: &Parts, body: Body) -> Result<Response, Error> {
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Write)?;
    let body = axum::body::to_bytes(body, LONGEST).await.map_err(|_| {
        Error::BadRequest(format!("the operation is cut short or longer than {LONGEST} bytes"))
    })?;
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| Error::BadRequest(format!("the body is not an operation: {error}")))?;
    let space = app.space(&grant);
    let operation = match wanted {
        Wanted::Mkdir { path, parents } => Operation::MakeDirectory { path: inside(&grant, &path)?, parents },
        Wanted::Move { from, to, overwrite } => {
            Operation::Move { from: inside(&grant, &from)?, to: inside(&grant, &to)?, overwrite }
        }
        Wanted::Copy { from, to, overwrite } => {
            Operation::Copy { from: inside(&grant, &from)?, to: inside(&grant, &to)?, overwrite }
        }
        Wanted::Delete { path } => {
            let path = inside(&grant, &path)?;
            let current = generation::snapshot(app, &space, &head.headers).await?.lookup(&path);
            let condition = condition(&head.headers, current.map(|node| node.etag()).as_deref())?;
            Operation::Delete { path, condition, permanently: true }
        }
    };
    let request = request::of(&head.headers, operation)?;
    let begun = Instant::now();
    let committed = space.commit(request).await?;
    app.load.took(Work::Metadata, begun.elapsed());
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    Ok((headers, Json(Done { generation: committed.generation })).into_response())
}

fn inside(grant: &Grant, text: &str) -> Result<spaces::NodePath, Error> {
    let path = grant.node_path(&path::from_text(text)?)?;
    if path.is_root() {
        return Err(Error::BadRequest(
            "the root of a space is always there: name something in it".to_owned(),
        ));
    }
    Ok(path)
}
