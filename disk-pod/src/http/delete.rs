//! `DELETE` of a file or directory, as clients do it that know no operations.

use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use spaces::Operation;

use super::condition::asked;
use super::place::Place;
use super::{generation, parameters, request};
use crate::app::App;
use crate::auth::{Need, authorise};
use crate::error::Error;

#[derive(Deserialize)]
struct Parameters {
    #[serde(default)]
    permanently: bool,
}

/// Puts it into the trash, with all in it.
pub(crate) async fn delete(app: &App, head: &Parts) -> Result<Response, Error> {
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Write)?;
    let path = grant.node_path(&place.path)?;
    let Parameters { permanently } = parameters(&head.uri)?;
    if path.is_root() {
        return Err(Error::Engine(spaces::Error::Root));
    }
    let space = app.space(&grant);
    let condition = asked(app, &space, &path, &head.headers).await?.condition;
    let operation = Operation::Delete { path, condition, permanently };
    let committed = space.commit(request::of(&head.headers, operation)?).await?;
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}
