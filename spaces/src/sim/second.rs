//! A second volume of the pool. It is a directory of the one simulated disk, so that what becomes of one in a crash or
//! a power loss becomes of both.

use std::sync::Arc;

use bytes::Bytes;

use super::mount::Mount;
use crate::file_system::{FileSystem, FsError, FsFuture, Health, NewFile, OpenFile};

/// Where it is on the disk.
pub(super) const DIRECTORY: &str = "second";

/// The second volume as one pod sees it.
pub(super) struct Second(pub(super) Arc<Mount>);

impl Second {
    fn path(path: &str) -> String {
        match path {
            "" => DIRECTORY.to_owned(),
            path => format!("{DIRECTORY}/{path}"),
        }
    }

    /// Makes the directory that it is, as whoever sets up a cluster makes volumes.
    pub(super) async fn make(&self) -> Result<(), FsError> {
        match self.0.make_directory(DIRECTORY).await {
            Ok(()) | Err(FsError::Exists) => self.0.sync_directory("").await,
            Err(error) => Err(error),
        }
    }
}

impl FileSystem for Second {
    fn create(&self, path: &str) -> FsFuture<Arc<dyn NewFile>> {
        self.0.create(&Self::path(path))
    }

    fn write(&self, path: &str, content: Bytes) -> FsFuture<()> {
        self.0.write(&Self::path(path), content)
    }

    fn link(&self, from: &str, to: &str) -> FsFuture<()> {
        self.0.link(&Self::path(from), &Self::path(to))
    }

    fn open(&self, path: &str) -> FsFuture<Arc<dyn OpenFile>> {
        self.0.open(&Self::path(path))
    }

    fn read(&self, path: &str, most: usize) -> FsFuture<Bytes> {
        self.0.read(&Self::path(path), most)
    }

    fn list(&self, path: &str) -> FsFuture<Vec<String>> {
        self.0.list(&Self::path(path))
    }

    fn unlink(&self, path: &str) -> FsFuture<()> {
        self.0.unlink(&Self::path(path))
    }

    fn stat(&self, path: &str) -> FsFuture<u64> {
        self.0.stat(&Self::path(path))
    }

    fn sync_directory(&self, path: &str) -> FsFuture<()> {
        self.0.sync_directory(&Self::path(path))
    }

    fn make_directory(&self, path: &str) -> FsFuture<()> {
        self.0.make_directory(&Self::path(path))
    }

    fn health(&self) -> Health {
        self.0.health()
    }
}
