//! The condition that a write has: from its headers and from what is there.

use http::{HeaderMap, header};
use spaces::{Condition, Freshness, Node, NodePath, Space};

use super::etag::Tags;
use super::{generation, request};
use crate::app::App;
use crate::error::Error;

/// What a write asks of what it changes, and what that is at the moment.
pub(crate) struct Asked {
    /// What the commit checks.
    pub(crate) condition: Condition,
    /// What is at the path, as far as this pod knows.
    pub(crate) current: Option<Node>,
}

const ANOTHER: Error = Error::Precondition("the file is another version than the one you know, or is gone");

/// Reads the conditions of a write to a path. Only the tag is looked at here: whether it still is the current one is
/// decided by the commit.
///
/// # Errors
/// When the headers are none that a write can have, or what they ask for does not hold.
pub(crate) async fn asked(
    app: &App,
    space: &Space,
    path: &NodePath,
    headers: &HeaderMap,
) -> Result<Asked, Error> {
    let wanted = Tags::of(headers, header::IF_MATCH)?;
    let unwanted = Tags::of(headers, header::IF_NONE_MATCH)?;
    let current = generation::snapshot(app, space, headers).await?.lookup(path);
    match (wanted, unwanted) {
        (None, None) => Ok(Asked { condition: Condition::None, current }),
        (None, Some(Tags::Any)) => Ok(Asked { condition: Condition::Absent, current }),
        (Some(tags), None) => {
            if let Some(asked) = matching(&tags, current) {
                return Ok(asked);
            }
            // Nobody is refused by what may be old.
            let current = space.snapshot(Freshness::Now).await?.lookup(path);
            match matching(&tags, current.clone()) {
                Some(asked) => Ok(asked),
                // It may be a repetition of what changed the tag: the commit knows, and refuses what is none.
                None if request::is_named(headers) => {
                    Ok(Asked { condition: Condition::Matches(String::new()), current })
                }
                None => Err(ANOTHER),
            }
        }
        _ => Err(Error::BadRequest(
            "on a write, send If-Match with the tags you know, or If-None-Match: *, and not both".to_owned(),
        )),
    }
}

fn matching(tags: &Tags, current: Option<Node>) -> Option<Asked> {
    let node = current?;
    let etag = node.etag();
    let matches = tags.match_strongly(&etag);
    matches.then_some(Asked { condition: Condition::Matches(etag), current: Some(node) })
}
