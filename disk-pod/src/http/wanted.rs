//! What the body of `POST operations` asks for, as an operation of the engine.

use http::HeaderMap;
use schemars::JsonSchema;
use serde::Deserialize;
use spaces::{Freshness, NodePath, Operation, Purge, Space};

use super::condition::asked;
use super::moment::{Moment, past};
use super::trash::{ItemId, find};
use super::{generation, path, request};
use crate::app::App;
use crate::auth::Grant;
use crate::error::Error;

/// One operation on names.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Operation")]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Wanted {
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
        #[serde(default)]
        permanently: bool,
    },
    Restore {
        item: String,
        to: Option<String>,
        #[serde(default)]
        overwrite: bool,
    },
    RestoreVersion {
        path: String,
        version: u64,
    },
    BringBack {
        path: String,
        #[schemars(with = "String")]
        at: Moment,
        to: Option<String>,
        #[serde(default)]
        overwrite: bool,
    },
    /// Exactly one of `item`, `everything` and `path`.
    Purge {
        item: Option<String>,
        #[serde(default)]
        everything: bool,
        path: Option<String>,
        version: Option<u64>,
    },
}

/// Where an operation is asked for, and by what right.
pub(crate) struct Asking<'a> {
    pub(crate) app: &'a App,
    pub(crate) grant: &'a Grant,
    pub(crate) space: &'a Space,
    pub(crate) headers: &'a HeaderMap,
}

impl Asking<'_> {
    /// The operation of the engine.
    ///
    /// # Errors
    /// When it is not of the right form, reaches too far, or a condition of it does not hold.
    pub(crate) async fn operation(&self, wanted: Wanted) -> Result<Operation, Error> {
        let Self { app, grant, space, headers } = *self;
        Ok(match wanted {
            Wanted::Mkdir { path, parents } => {
                Operation::MakeDirectory { path: inside(grant, &path)?, parents }
            }
            Wanted::Move { from, to, overwrite } => {
                Operation::Move { from: inside(grant, &from)?, to: inside(grant, &to)?, overwrite }
            }
            Wanted::Copy { from, to, overwrite } => {
                Operation::Copy { from: inside(grant, &from)?, to: inside(grant, &to)?, overwrite }
            }
            Wanted::Delete { path, permanently } => {
                let path = inside(grant, &path)?;
                let condition = asked(app, space, &path, headers).await?.condition;
                Operation::Delete { path, condition, permanently }
            }
            Wanted::Restore { item, to, overwrite } => {
                let to = to.map(|to| inside(grant, &to)).transpose()?;
                let item = self.item(&item).await?.0.item;
                Operation::Restore { item, to, overwrite }
            }
            Wanted::RestoreVersion { path, version } => {
                let path = inside(grant, &path)?;
                let condition = asked(app, space, &path, headers).await?.condition;
                Operation::RestoreVersion { path, version, condition }
            }
            Wanted::BringBack { path, at, to, overwrite } => {
                let path = inside(grant, &path)?;
                let to = to.map(|to| inside(grant, &to)).transpose()?.unwrap_or_else(|| path.clone());
                let from = past(space, at).await?;
                Operation::BringBack { from, path, to, overwrite }
            }
            Wanted::Purge { item: Some(item), everything: false, path: None, version: None } => {
                Operation::Purge(Purge::Item(self.item(&item).await?.0.item))
            }
            Wanted::Purge { item: None, everything: true, path: None, version: None } => {
                grant.covers(&NodePath::default())?;
                Operation::Purge(Purge::Everything)
            }
            Wanted::Purge { item: None, everything: false, path: Some(path), version } => {
                let path = inside(grant, &path)?;
                Operation::Purge(match version {
                    Some(version) => Purge::Version { path, version },
                    None => Purge::Versions { path },
                })
            }
            Wanted::Purge { .. } => {
                return Err(Error::BadRequest(
                    "purge needs an item of the trash, everything: true for all of it, or the path of a file whose \
                     versions go (version: one of them)"
                        .to_owned(),
                ));
            }
        })
    }

    /// Something in the trash that the grant reaches.
    async fn item(&self, id: &str) -> Result<ItemId, Error> {
        let Self { app, grant, space, headers } = *self;
        let id: ItemId = id.parse()?;
        let mut found = find(&generation::snapshot(app, space, headers).await?, id);
        if found.is_none() {
            // Nobody is refused by what may be old.
            found = find(&space.snapshot(Freshness::Now).await?, id);
        }
        match found {
            Some(item) if grant.covers(&item.path).is_ok() => Ok(id),
            // It may be a repetition of what took it out of the trash: the commit knows, and refuses what is none.
            None if grant.subtree.is_none() && request::is_named(headers) => Ok(id),
            _ => Err(Error::NotFound),
        }
    }
}

/// Something in the space that the grant reaches.
///
/// # Errors
/// When the path is none, or is the root.
pub(crate) fn inside(grant: &Grant, text: &str) -> Result<NodePath, Error> {
    let path = grant.node_path(&path::from_text(text)?)?;
    if path.is_root() {
        return Err(Error::BadRequest(
            "the root of a space is always there: name something in it".to_owned(),
        ));
    }
    Ok(path)
}
