//! `GET` of what was deleted and can be brought back.

use std::fmt;
use std::str::FromStr;

use api::bytes::Bytes;
use api::generation::Generation;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spaces::{NodeId, Snapshot, TrashItem, TrashPlace};

use super::place::Place;
use super::{generation, parameters};
use crate::app::App;
use crate::auth::{Grant, Need, authorise};
use crate::error::Error;

const DEFAULT_PAGE: usize = 200;
const LARGEST_PAGE: usize = 1000;
/// So many items are looked at for one page, when most of them are none of the asker's business.
const MOST_LOOKED_AT: usize = 20_000;

/// Names something in the trash, as clients are told: the generation that deleted it, and the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ItemId(pub(crate) TrashPlace);

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrashPlace { generation, item } = self.0;
        write!(f, "{generation}-{item}")
    }
}

impl FromStr for ItemId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        let read = || {
            let (generation, item) = text.split_once('-')?;
            Some(TrashPlace { generation: Generation(number(generation)?), item: NodeId(number(item)?) })
        };
        let wrong = || Error::BadRequest("this is not the id of something in the trash".to_owned());
        read().map(Self).ok_or_else(wrong)
    }
}

/// Something in the trash of a snapshot.
pub(crate) fn find(snapshot: &Snapshot, ItemId(place): ItemId) -> Option<TrashItem> {
    // What comes next behind the place just above it.
    let above = TrashPlace { item: NodeId(place.item.0.checked_add(1)?), ..place };
    snapshot.trash(Some(above), 1).into_iter().find(|item| item.place == place)
}

#[derive(Deserialize)]
struct Parameters {
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Trash {
    #[schemars(with = "u64")]
    generation: Generation,
    /// What was deleted last first.
    items: Vec<Item>,
    /// What to send as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TrashItem")]
struct Item {
    id: String,
    name: String,
    kind: &'static str,
    /// Where it was.
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    deleted: Option<Timestamp>,
    /// Of all files in it.
    #[schemars(with = "u64")]
    size: Bytes,
    /// How many files and directories it is.
    nodes: u64,
}

/// Answers with a page of what is in the trash.
pub(crate) async fn list(app: &App, head: &Parts) -> Result<Response, Error> {
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Read)?;
    let Parameters { after, limit } = parameters(&head.uri)?;
    let after = after.map(|id| id.parse::<ItemId>()).transpose()?;
    let limit = limit.unwrap_or(DEFAULT_PAGE).clamp(1, LARGEST_PAGE);
    let snapshot = generation::snapshot(app, &app.space(&grant), &head.headers).await?;
    let (items, next) = page(&snapshot, &grant, after, limit);
    let generation = snapshot.generation();
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, generation);
    let next = next.map(|place| ItemId(place).to_string());
    Ok((headers, Json(Trash { generation, items, next })).into_response())
}

/// The items of a page that the grant reaches, and where it ends when there is more.
fn page(
    snapshot: &Snapshot,
    grant: &Grant,
    after: Option<ItemId>,
    limit: usize,
) -> (Vec<Item>, Option<TrashPlace>) {
    let (mut items, mut last, mut looked_at) = (Vec::new(), after.map(|id| id.0), 0);
    while looked_at < MOST_LOOKED_AT {
        let found = snapshot.trash(last, LARGEST_PAGE);
        if found.is_empty() {
            return (items, None);
        }
        for item in found {
            if items.len() == limit {
                return (items, last);
            }
            last = Some(item.place);
            looked_at += 1;
            if grant.covers(&item.path).is_ok() {
                items.push(Item::of(&item));
            }
        }
    }
    (items, last)
}

impl Item {
    fn of(item: &TrashItem) -> Self {
        let TrashItem { place, node, path, deleted, bytes, nodes } = item;
        Self {
            id: ItemId(*place).to_string(),
            name: path.name().map_or_else(String::new, ToString::to_string),
            kind: if node.is_directory() { "directory" } else { "file" },
            path: path.to_string(),
            deleted: Timestamp::from_millisecond(*deleted).ok(),
            size: *bytes,
            nodes: *nodes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_and_nothing_else_is_one() {
        let id = ItemId(TrashPlace { generation: Generation(17), item: NodeId(42) });
        assert_eq!(id.to_string().parse::<ItemId>().unwrap(), id);
        for text in
            ["", "-", "17", "17-", "-42", "+17-42", "17-42-3", "17-x", "17 -42", "99999999999999999999-1"]
        {
            assert!(text.parse::<ItemId>().is_err(), "{text:?}");
        }
    }
}
