//! All bytes that a state refers to.

use super::State;
use super::inode::Content;
use super::upload::{Open, Upload};
use crate::extent::Extent;

impl State {
    /// The bytes of all files, of their old versions and of what is durable of all uploads.
    pub(crate) fn extents(&self) -> impl Iterator<Item = Extent> {
        let files = self.nodes.values().filter_map(|inode| match &inode.content {
            Content::File(file) => Some(file.extents.iter().copied()),
            Content::Directory(_) => None,
        });
        let uploads = self.uploads.values().filter_map(Upload::open).map(Open::closed);
        let versions = self.versions.of.values().flat_map(|versions| versions.iter());
        let versions = versions.flat_map(|version| version.extents.to_vec());
        files.flatten().chain(versions).chain(uploads.flat_map(|extents| extents.to_vec()))
    }
}
