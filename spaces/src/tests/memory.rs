//! A volume in memory that never fails, for tests that need very many volumes.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures::future::ready;

use crate::{FileSystem, FsError, FsFuture, Health, NewFile, OpenFile};

#[derive(Clone)]
enum Thing {
    File(Arc<Mutex<Vec<u8>>>),
    Directory,
}

#[derive(Default)]
pub(super) struct Memory {
    things: Mutex<BTreeMap<String, Thing>>,
}

struct Open(Arc<Mutex<Vec<u8>>>);

impl Memory {
    /// The same volume once more.
    pub(super) fn again(&self) -> Arc<Self> {
        let copied = |thing: &Thing| match thing {
            Thing::File(content) => Thing::File(Arc::new(Mutex::new(content.lock().unwrap().clone()))),
            Thing::Directory => Thing::Directory,
        };
        let things = self.things().iter().map(|(path, thing)| (path.clone(), copied(thing))).collect();
        Arc::new(Self { things: Mutex::new(things) })
    }

    fn things(&self) -> MutexGuard<'_, BTreeMap<String, Thing>> {
        self.things.lock().unwrap()
    }

    fn make(&self, path: &str, thing: Thing) -> Result<(), FsError> {
        let mut things = self.things();
        let above = path.rsplit_once('/').map(|(above, _)| above);
        if above.is_some_and(|above| !matches!(things.get(above), Some(Thing::Directory))) {
            return Err(FsError::NotFound);
        }
        if things.contains_key(path) {
            return Err(FsError::Exists);
        }
        things.insert(path.to_owned(), thing);
        Ok(())
    }

    fn file(&self, path: &str) -> Result<Arc<Mutex<Vec<u8>>>, FsError> {
        match self.things().get(path) {
            Some(Thing::File(content)) => Ok(content.clone()),
            Some(Thing::Directory) => Err(FsError::Other("it is a directory".into())),
            None => Err(FsError::NotFound),
        }
    }

    /// The names in a directory, in order.
    pub(super) fn names(&self, directory: &str) -> Vec<String> {
        let below = format!("{directory}/");
        let things = self.things();
        let names = things.range(below.clone()..).map_while(|(path, _)| path.strip_prefix(&below));
        names.filter(|name| !name.contains('/')).map(str::to_owned).collect()
    }
}

fn done<T: Send + 'static>(result: Result<T, FsError>) -> FsFuture<T> {
    Box::pin(ready(result))
}

impl FileSystem for Memory {
    fn create(&self, path: &str) -> FsFuture<Arc<dyn NewFile>> {
        let content = Arc::new(Mutex::new(Vec::new()));
        let made = self.make(path, Thing::File(content.clone()));
        done(made.map(|()| Arc::new(Open(content)) as Arc<dyn NewFile>))
    }

    fn write(&self, path: &str, content: Bytes) -> FsFuture<()> {
        done(self.make(path, Thing::File(Arc::new(Mutex::new(content.to_vec())))))
    }

    fn link(&self, from: &str, to: &str) -> FsFuture<()> {
        done(self.file(from).and_then(|content| self.make(to, Thing::File(content))))
    }

    fn open(&self, path: &str) -> FsFuture<Arc<dyn OpenFile>> {
        done(self.file(path).map(|content| Arc::new(Open(content)) as Arc<dyn OpenFile>))
    }

    fn read(&self, path: &str, most: usize) -> FsFuture<Bytes> {
        done(self.file(path).map(|content| {
            let content = content.lock().unwrap();
            Bytes::copy_from_slice(&content[..content.len().min(most + 1)])
        }))
    }

    fn list(&self, path: &str) -> FsFuture<Vec<String>> {
        match self.things().get(path) {
            Some(Thing::Directory) => {}
            _ => return done(Err(FsError::NotFound)),
        }
        done(Ok(self.names(path)))
    }

    fn unlink(&self, path: &str) -> FsFuture<()> {
        done(self.things().remove(path).map(|_| ()).ok_or(FsError::NotFound))
    }

    fn stat(&self, path: &str) -> FsFuture<u64> {
        done(self.file(path).map(|content| content.lock().unwrap().len() as u64))
    }

    fn sync_directory(&self, _: &str) -> FsFuture<()> {
        done(Ok(()))
    }

    fn make_directory(&self, path: &str) -> FsFuture<()> {
        done(self.make(path, Thing::Directory))
    }

    fn health(&self) -> Health {
        Health { canary_age: Some(std::time::Duration::ZERO), free: api::bytes::Bytes(1 << 40) }
    }
}

impl NewFile for Open {
    fn append(&self, content: Bytes) -> FsFuture<()> {
        self.0.lock().unwrap().extend_from_slice(&content);
        done(Ok(()))
    }

    fn sync(&self) -> FsFuture<()> {
        done(Ok(()))
    }
}

impl OpenFile for Open {
    fn read(&self, offset: u64, length: usize) -> FsFuture<Bytes> {
        let content = self.0.lock().unwrap();
        let from = usize::try_from(offset).unwrap().min(content.len());
        done(Ok(Bytes::copy_from_slice(&content[from..content.len().min(from + length)])))
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
