//! A directory as a volume that nobody changes: for tools that read a volume without a cluster. Nothing here writes,
//! so the copy may be mounted read-only; and nothing loses patience, for nobody else waits for an answer.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::directory::Directory;
use super::file;
use crate::file_system::{FileSystem, FsError, FsFuture, Health, NewFile, OpenFile};

/// A volume that can be read alone.
pub(crate) struct ReadOnly {
    directory: Arc<Directory>,
}

impl ReadOnly {
    /// The volume at `path`.
    pub(crate) fn open(path: &Path) -> Result<Arc<dyn FileSystem>, FsError> {
        let directory = Directory::new(path.to_owned());
        directory.reopen()?;
        Ok(Arc::new(Self { directory: Arc::new(directory) }))
    }

    fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Directory) -> Result<T, FsError> + Send + 'static,
    ) -> FsFuture<T> {
        let directory = self.directory.clone();
        blocking(move || call(&directory))
    }
}

/// Does a call on a thread that may wait.
fn blocking<T: Send + 'static>(call: impl FnOnce() -> Result<T, FsError> + Send + 'static) -> FsFuture<T> {
    Box::pin(async move {
        let done = tokio::task::spawn_blocking(call).await;
        done.unwrap_or_else(|_| Err(FsError::Other("a thread that read the volume ended".into())))
    })
}

fn refused<T: Send + 'static>(path: &str) -> FsFuture<T> {
    let error = FsError::Other(format!("{path} would be changed, and this volume is only read").into());
    Box::pin(async move { Err(error) })
}

struct Opened {
    file: Arc<OwnedFd>,
    path: Arc<str>,
}

impl OpenFile for Opened {
    fn read(&self, offset: u64, length: usize) -> FsFuture<Bytes> {
        let (file, path) = (self.file.clone(), self.path.clone());
        blocking(move || file::read_at(&file, offset, length, &path))
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }
}

impl FileSystem for ReadOnly {
    fn create(&self, path: &str) -> FsFuture<Arc<dyn NewFile>> {
        refused(path)
    }

    fn write(&self, path: &str, _: Bytes) -> FsFuture<()> {
        refused(path)
    }

    fn link(&self, _: &str, to: &str) -> FsFuture<()> {
        refused(to)
    }

    fn open(&self, path: &str) -> FsFuture<Arc<dyn OpenFile>> {
        let path: Arc<str> = path.into();
        self.run(move |directory| {
            let file = Arc::new(directory.open(&path)?);
            Ok(Arc::new(Opened { file, path }) as Arc<dyn OpenFile>)
        })
    }

    fn read(&self, path: &str, most: usize) -> FsFuture<Bytes> {
        let path = path.to_owned();
        self.run(move |directory| file::read_at(&directory.open(&path)?, 0, most.saturating_add(1), &path))
    }

    fn list(&self, path: &str) -> FsFuture<Vec<String>> {
        let path = path.to_owned();
        self.run(move |directory| directory.list(&path))
    }

    fn unlink(&self, path: &str) -> FsFuture<()> {
        refused(path)
    }

    fn stat(&self, path: &str) -> FsFuture<u64> {
        let path = path.to_owned();
        self.run(move |directory| directory.length(&path))
    }

    fn sync_directory(&self, _: &str) -> FsFuture<()> {
        // Nothing is built on what is read here.
        Box::pin(async { Ok(()) })
    }

    fn make_directory(&self, path: &str) -> FsFuture<()> {
        refused(path)
    }

    fn health(&self) -> Health {
        Health::default()
    }
}
