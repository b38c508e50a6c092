//! The narrow door to a volume. The engine does no I/O of its own: it asks this.
//!
//! It is kept such that an object store's conditional put could stand behind it one day: files are written once,
//! under names nobody else uses, and the only thing that decides a race is [`FileSystem::link`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

/// What an operation on a volume comes back with.
pub type FsFuture<T> = BoxFuture<'static, Result<T, FsError>>;

/// Why an operation on a volume failed. Whatever it says, an operation that changes something may have been done, or
/// may be done later, unless it is [`FsError::NotFound`] of the source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FsError {
    /// There is no such name.
    #[error("no such file or directory")]
    NotFound,
    /// The name exists.
    #[error("the name exists")]
    Exists,
    /// No space, no inodes, or a quota of the file system itself.
    #[error("the volume is full")]
    Full,
    /// It takes no writes.
    #[error("the volume is read-only")]
    ReadOnly,
    /// It did not answer in time.
    #[error("the volume does not answer")]
    Stalled,
    /// Anything else, in the words of the system.
    #[error("{0}")]
    Other(Arc<str>),
}

/// One of several things that are done one after the other.
#[derive(Clone, Debug)]
pub enum Step {
    /// [`FileSystem::write`].
    Write {
        /// The file.
        path: String,
        /// What is in it.
        content: Bytes,
    },
    /// [`FileSystem::link`].
    Link {
        /// The name that is there.
        from: String,
        /// The new one.
        to: String,
    },
    /// [`FileSystem::sync_directory`].
    SyncDirectory {
        /// The directory.
        path: String,
    },
    /// Looks afresh that there is no such name; [`FsError::Exists`] when there is.
    Missing {
        /// The name.
        path: String,
    },
}

/// Steps that came to no end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halted {
    /// Which of them failed, from 0: those before it were done, those behind it are never begun.
    pub step: usize,
    /// How it failed.
    pub error: FsError,
}

/// What steps come back with.
pub type StepsFuture = BoxFuture<'static, Result<(), Halted>>;

/// A file that is written once, from its beginning to its end, by whoever created it.
pub trait NewFile: Send + Sync {
    /// Writes behind what was written before.
    fn append(&self, content: Bytes) -> FsFuture<()>;
    /// Makes what was written durable; not the name of the file, see [`FileSystem::sync_directory`].
    fn sync(&self) -> FsFuture<()>;
}

/// A file that is read.
pub trait OpenFile: Send + Sync {
    /// So many bytes from an offset; fewer only where the file ends.
    fn read(&self, offset: u64, length: usize) -> FsFuture<Bytes>;
    /// The descriptor of the file in this process, for `sendfile`.
    fn descriptor(&self) -> Option<std::os::fd::BorrowedFd<'_>>;
}

/// How a volume is doing, without asking it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// How long ago a canary was last written, synced, linked and removed; `None` before the first time.
    pub canary_age: Option<Duration>,
    /// What was free when last looked.
    pub free: api::bytes::Bytes,
}

/// A volume. Paths are relative to it, with slashes.
pub trait FileSystem: Send + Sync + 'static {
    /// Makes a new file to be written piece by piece. [`FsError::Exists`] when the name is taken.
    fn create(&self, path: &str) -> FsFuture<Arc<dyn NewFile>>;
    /// Creates a file with this content and makes the content durable. As one call, because on the way to a commit
    /// every switch of threads counts.
    fn write(&self, path: &str, content: Bytes) -> FsFuture<()>;
    /// A second name for a file: atomic, and [`FsError::Exists`] when the name is taken.
    fn link(&self, from: &str, to: &str) -> FsFuture<()>;
    /// Opens a file afresh.
    fn open(&self, path: &str) -> FsFuture<Arc<dyn OpenFile>>;
    /// So many bytes of a file that was [opened](FileSystem::open) lately and never changes, if they are in the memory of
    /// this machine: this waits for nothing. `None` says nothing about the file.
    fn at_hand(&self, _path: &str, _offset: u64, _length: usize) -> Option<Bytes> {
        None
    }
    /// The whole content of a file, opened afresh; at most so many bytes and one.
    fn read(&self, path: &str, most: usize) -> FsFuture<Bytes>;
    /// The names in a directory, in no order.
    fn list(&self, path: &str) -> FsFuture<Vec<String>>;
    /// Takes a name away.
    fn unlink(&self, path: &str) -> FsFuture<()>;
    /// The length of a file.
    fn stat(&self, path: &str) -> FsFuture<u64>;
    /// Makes the names in a directory durable.
    fn sync_directory(&self, path: &str) -> FsFuture<()>;
    /// Makes a directory whose parent exists. [`FsError::Exists`] when the name is taken.
    fn make_directory(&self, path: &str) -> FsFuture<()>;
    /// Does steps one after the other, up to the first that fails, without coming back to the caller in between: on the
    /// way to a commit every switch of threads counts. `None` when the steps are better asked for one by one.
    ///
    /// When all of them were done, `spent` is a name that is taken away after the answer: nobody waits for that, and what
    /// comes of it is told to nobody.
    fn steps(&self, _steps: &[Step], _spent: Option<&str>) -> Option<StepsFuture> {
        None
    }
    /// How the volume is doing. Never waits.
    fn health(&self) -> Health;
}

/// What became of the name that steps leave behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// It is being taken away.
    Goes,
    /// Whoever made it takes it away.
    Stays,
}

/// Does steps one after the other, up to the first that fails. `spent` is a name of which there is no need once all were
/// done.
pub(crate) async fn steps(
    fs: &dyn FileSystem,
    steps: Vec<Step>,
    spent: Option<&str>,
) -> Result<Spent, Halted> {
    if let Some(done) = fs.steps(&steps, spent) {
        return done.await.map(|()| Spent::Goes);
    }
    for (step, what) in steps.into_iter().enumerate() {
        let done = match what {
            Step::Write { path, content } => fs.write(&path, content).await,
            Step::Link { from, to } => fs.link(&from, &to).await,
            Step::SyncDirectory { path } => fs.sync_directory(&path).await,
            Step::Missing { path } => match fs.read(&path, 1).await {
                Ok(_) => Err(FsError::Exists),
                Err(FsError::NotFound) => Ok(()),
                Err(error) => Err(error),
            },
        };
        done.map_err(|error| Halted { step, error })?;
    }
    Ok(Spent::Stays)
}
