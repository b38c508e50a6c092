//! A file or directory, as answers tell of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use spaces::{Kind, Node};

/// What is told of a node beside its name.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Entry {
    name: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    modified: Option<Timestamp>,
    etag: String,
}

impl Entry {
    pub(crate) fn of(name: &str, node: &Node) -> Self {
        let (kind, size, modified) = match &node.kind {
            Kind::File { size, modified, .. } => ("file", Some(size.0), *modified),
            Kind::Directory { modified, .. } => ("directory", None, *modified),
        };
        let modified = Timestamp::from_millisecond(modified).ok();
        Self { name: name.to_owned(), kind, size, modified, etag: node.etag() }
    }
}
