//! A directory of this machine as a volume: where the shared file system is mounted.

mod canary;
pub(crate) mod directory;
mod fault;
pub(crate) mod file;
mod opened;
mod pool;
pub(crate) mod read_only;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use api::ids::VolumeName;
use bytes::Bytes;

use crate::error::OpenError;
use crate::file_system::{FileSystem, FsError, FsFuture, Health, NewFile, OpenFile, Step, StepsFuture};
use canary::Canary;
use directory::Directory;
use fault::Faults;
use file::{Reading, Writing};
use opened::Opened;
use pool::{Afterwards, Pool, Size};

/// How long opening waits for a volume. One that does not answer is opened all the same: it may answer later.
const OPENING: Duration = Duration::from_secs(1);

/// What is read whole and is longer is not small.
const LONGEST_SMALL: usize = 1 << 20;

/// A directory as a volume. Whatever hangs in it hangs a thread of its own, never the caller.
pub struct LocalVolume {
    directory: Arc<Directory>,
    pool: Pool,
    canary: Canary,
    opened: Arc<Opened>,
}

impl LocalVolume {
    /// The volume mounted at `path`. `faults` is for tests: see [`LocalConfig`](crate::LocalConfig). Its futures need
    /// a tokio runtime with a clock.
    ///
    /// # Errors
    /// When the directory can not be opened; that it does not answer is none.
    pub fn open(
        name: &VolumeName,
        path: PathBuf,
        faults: Option<PathBuf>,
    ) -> Result<Arc<dyn FileSystem>, OpenError> {
        let unusable = |reason: String| OpenError::Unusable { volume: name.clone(), reason };
        let faults = faults.map(|directory| Faults::new(directory, name));
        let directory = Arc::new(Directory::new(path));
        let pool = Pool::new(name, faults);
        let (opened, answer) = sync_channel(1);
        let opening = directory.clone();
        pool.thread("open", move || {
            let _ = opened.send(opening.reopen());
        })
        .map_err(|error| unusable(format!("no thread can be started: {error}")))?;
        match answer.recv_timeout(OPENING) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(unusable(error.to_string())),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                tracing::warn!(volume = %name, "The volume does not answer; it is looked at again when it is needed.");
            }
        }
        let opened = Arc::new(Opened::default());
        let canary = Canary::start(directory.clone(), pool.clone(), Arc::downgrade(&opened))
            .map_err(|error| unusable(format!("no thread can be started: {error}")))?;
        Ok(Arc::new(Self { directory, pool, canary, opened }))
    }

    fn run<T: Send + 'static>(
        &self,
        size: Size,
        call: impl FnOnce(&Directory) -> Result<T, FsError> + Send + 'static,
    ) -> FsFuture<T> {
        let directory = self.directory.clone();
        self.pool.run(size, move || call(&directory))
    }
}

/// Creates a file with this content and makes the content durable.
fn write(directory: &Directory, pool: &Pool, path: &str, content: &[u8]) -> Result<(), FsError> {
    let file = directory.create(path)?;
    // A volume may have room for a name and none for what is in the file.
    pool.room()?;
    file::write_at(&file, content, 0, path)?;
    file::sync(&file, path)
}

impl FileSystem for LocalVolume {
    fn create(&self, path: &str) -> FsFuture<Arc<dyn NewFile>> {
        let (path, pool) = (path.to_owned(), self.pool.clone());
        self.run(Size::Small, move |directory| {
            pool.room()?;
            Ok(Arc::new(Writing::new(directory.create(&path)?, path, pool)) as Arc<dyn NewFile>)
        })
    }

    fn write(&self, path: &str, content: Bytes) -> FsFuture<()> {
        let (path, pool) = (path.to_owned(), self.pool.clone());
        self.run(Size::Small, move |directory| write(directory, &pool, &path, &content))
    }

    fn link(&self, from: &str, to: &str) -> FsFuture<()> {
        let (from, to, pool) = (from.to_owned(), to.to_owned(), self.pool.clone());
        self.run(Size::Small, move |directory| pool.room().and_then(|()| directory.link(&from, &to)))
    }

    fn open(&self, path: &str) -> FsFuture<Arc<dyn OpenFile>> {
        let (path, pool, opened) = (path.to_owned(), self.pool.clone(), self.opened.clone());
        self.run(Size::Small, move |directory| {
            let reading = Reading::new(directory.open(&path)?, path.clone(), pool);
            opened.keep(&path, reading.shared());
            Ok(Arc::new(reading) as Arc<dyn OpenFile>)
        })
    }

    fn at_hand(&self, path: &str, offset: u64, length: usize) -> Option<Bytes> {
        // What goes past the pool would go past the faults.
        if self.pool.is_faulty() { None } else { self.opened.read(path, offset, length) }
    }

    fn read(&self, path: &str, most: usize) -> FsFuture<Bytes> {
        let path = path.to_owned();
        // A state of millions of files takes a while.
        let size = if most > LONGEST_SMALL { Size::Large } else { Size::Small };
        self.run(size, move |directory| {
            file::read_at(&directory.open(&path)?, 0, most.saturating_add(1), &path)
        })
    }

    fn list(&self, path: &str) -> FsFuture<Vec<String>> {
        let path = path.to_owned();
        self.run(Size::Large, move |directory| directory.list(&path))
    }

    fn unlink(&self, path: &str) -> FsFuture<()> {
        let (path, opened) = (path.to_owned(), self.opened.clone());
        self.run(Size::Small, move |directory| {
            opened.forget(&path);
            directory.unlink(&path)
        })
    }

    fn stat(&self, path: &str) -> FsFuture<u64> {
        let path = path.to_owned();
        self.run(Size::Small, move |directory| directory.length(&path))
    }

    fn sync_directory(&self, path: &str) -> FsFuture<()> {
        let path = path.to_owned();
        self.run(Size::Small, move |directory| directory.sync(&path))
    }

    fn make_directory(&self, path: &str) -> FsFuture<()> {
        let (path, pool) = (path.to_owned(), self.pool.clone());
        self.run(Size::Small, move |directory| pool.room().and_then(|()| directory.make(&path)))
    }

    fn steps(&self, steps: &[Step], spent: Option<&str>) -> Option<StepsFuture> {
        let (count, steps, directory) = (steps.len(), steps.to_vec(), self.directory.clone());
        let pool = self.pool.clone();
        let spent = spent.map(|path| {
            let (path, directory) = (path.to_owned(), self.directory.clone());
            Box::new(move || directory.unlink(&path)) as Afterwards
        });
        let call = move |step: usize| match steps.get(step) {
            Some(Step::Write { path, content }) => write(&directory, &pool, path, content),
            Some(Step::Link { from, to }) => pool.room().and_then(|()| directory.link(from, to)),
            Some(Step::SyncDirectory { path }) => directory.sync(path),
            Some(Step::Missing { path }) => match directory.open(path) {
                Ok(_) => Err(FsError::Exists),
                Err(FsError::NotFound) => Ok(()),
                Err(error) => Err(error),
            },
            None => Ok(()),
        };
        Some(self.pool.steps(count, call, spent))
    }

    fn health(&self) -> Health {
        self.canary.health()
    }
}
