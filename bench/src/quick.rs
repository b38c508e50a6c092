//! A volume that makes a large space quickly: names and entries go to a directory, and nothing is synced; contents go
//! nowhere. What it leaves is read again by the engine over the real file system.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::future::ready;
use spaces::{FileSystem, FsError, FsFuture, Health, NewFile, OpenFile};

pub(crate) struct Quick {
    directory: PathBuf,
    /// What has no place yet.
    temporary: Mutex<HashMap<String, Bytes>>,
}

/// A file whose content nobody needs.
struct Nothing;

impl NewFile for Nothing {
    fn append(&self, _: Bytes) -> FsFuture<()> {
        Box::pin(ready(Ok(())))
    }

    fn sync(&self) -> FsFuture<()> {
        Box::pin(ready(Ok(())))
    }
}

impl Quick {
    pub(crate) fn over(directory: PathBuf) -> Arc<dyn FileSystem> {
        Arc::new(Self { directory, temporary: Mutex::default() })
    }

    fn temporary(&self) -> std::sync::MutexGuard<'_, HashMap<String, Bytes>> {
        self.temporary.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, from: &str, to: &str) -> Result<(), FsError> {
        let content = self.temporary().get(from).cloned().ok_or(FsError::NotFound)?;
        let to = self.directory.join(to);
        if to.exists() {
            return Err(FsError::Exists);
        }
        fs::write(to, content).map_err(failed)
    }

    fn names(&self, path: &str) -> Result<Vec<String>, FsError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.directory.join(path)).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped with")]
fn failed(error: std::io::Error) -> FsError {
    match error.kind() {
        ErrorKind::NotFound => FsError::NotFound,
        ErrorKind::AlreadyExists => FsError::Exists,
        ErrorKind::StorageFull => FsError::Full,
        _ => FsError::Other(error.to_string().into()),
    }
}

fn done<T: Send + 'static>(result: Result<T, FsError>) -> FsFuture<T> {
    Box::pin(ready(result))
}

impl FileSystem for Quick {
    fn create(&self, _: &str) -> FsFuture<Arc<dyn NewFile>> {
        done(Ok(Arc::new(Nothing)))
    }

    fn write(&self, path: &str, content: Bytes) -> FsFuture<()> {
        if !path.contains("/objects/") {
            self.temporary().insert(path.to_owned(), content);
        }
        done(Ok(()))
    }

    fn link(&self, from: &str, to: &str) -> FsFuture<()> {
        done(self.place(from, to))
    }

    fn open(&self, _: &str) -> FsFuture<Arc<dyn OpenFile>> {
        done(Err(FsError::NotFound))
    }

    fn read(&self, path: &str, _: usize) -> FsFuture<Bytes> {
        done(fs::read(self.directory.join(path)).map(Bytes::from).map_err(failed))
    }

    fn list(&self, path: &str) -> FsFuture<Vec<String>> {
        done(self.names(path))
    }

    fn unlink(&self, path: &str) -> FsFuture<()> {
        let gone = self.temporary().remove(path).is_some();
        done(if gone { Ok(()) } else { fs::remove_file(self.directory.join(path)).map_err(failed) })
    }

    fn stat(&self, path: &str) -> FsFuture<u64> {
        done(fs::metadata(self.directory.join(path)).map(|found| found.len()).map_err(failed))
    }

    fn sync_directory(&self, _: &str) -> FsFuture<()> {
        done(Ok(()))
    }

    fn make_directory(&self, path: &str) -> FsFuture<()> {
        done(fs::create_dir(self.directory.join(path)).map_err(failed))
    }

    fn health(&self) -> Health {
        Health::default()
    }
}
