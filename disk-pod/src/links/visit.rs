//! Whoever came by a share link has a ticket for one file or directory. It is bound to the node: what has taken its
//! place is not shown, and a share that was taken back opens nothing more.

use api::link::LinkAccess;
use api::ticket::Link;
use http::request::Parts;
use http::{HeaderValue, Method, header};
use jiff::Timestamp;
use spaces::{NodeId, NodePath, ShareId};

use crate::app::App;
use crate::auth::{Identity, Need};
use crate::error::Error;
use crate::http::generation;

/// Looks whether a visitor may make this request now. Says the path that the visit is limited to.
pub(crate) async fn visit(
    app: &App,
    head: &mut Parts,
    identity: &Identity,
    link: &Link,
) -> Result<NodePath, Error> {
    let need = wanted(head, link.access)?;
    let Some(scope) = identity.scope() else {
        return Err(Error::Forbidden("a link is for one space"));
    };
    let grant = identity.grant(app, scope.space, need)?;
    let snapshot = generation::snapshot(app, &app.space(&grant), &head.headers).await?;
    let share = snapshot.share(ShareId(link.share)).ok_or(spaces::Error::ShareGone)?;
    let over = share.share.expires.is_some_and(|at| at < Timestamp::now().as_millisecond());
    if over || share.node != NodeId(link.node) {
        return Err(spaces::Error::ShareGone.into());
    }
    let path = snapshot.path_of(share.node).ok_or(spaces::Error::ShareGone)?;
    if need == Need::Write {
        // Nothing that is there can be replaced.
        head.headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        head.headers.remove(header::IF_MATCH);
    }
    Ok(path)
}

/// Whether the node was at its path until the answer was begun: only then the answer is of it.
pub(crate) async fn still(
    app: &App,
    head: &Parts,
    identity: &Identity,
    link: &Link,
    path: &NodePath,
) -> Result<(), Error> {
    let Some(scope) = identity.scope() else { return Err(Error::NotFound) };
    let grant = identity.grant(app, scope.space, Need::Read)?;
    let snapshot = generation::snapshot(app, &app.space(&grant), &head.headers).await?;
    if snapshot.path_of(NodeId(link.node)).as_ref() == Some(path) {
        Ok(())
    } else {
        Err(spaces::Error::ShareGone.into())
    }
}

/// What a visitor may say in a query: nothing that leads to earlier contents, or to a space as it was.
const PARAMETERS: [&str; 8] = ["ticket", "inline", "after", "limit", "sort", "order", "parents", "path"];

/// What a request needs, if it is one that a link can allow.
fn wanted(head: &Parts, access: LinkAccess) -> Result<Need, Error> {
    let query = head.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let strange =
        query.map(|pair| pair.split('=').next().unwrap_or_default()).any(|key| !PARAMETERS.contains(&key));
    if strange {
        return Err(Error::Forbidden("the link does not allow this"));
    }
    let resource = head.uri.path().split('/').nth(4).unwrap_or_default();
    match (&head.method, resource) {
        (&Method::GET | &Method::HEAD, "files" | "zip") | (&Method::GET, "list") if access.reads() => {
            Ok(Need::Read)
        }
        (&Method::PUT, "files") if access.uploads() => Ok(Need::Write),
        _ => Err(Error::Forbidden("the link does not allow this")),
    }
}
