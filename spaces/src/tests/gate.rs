//! A volume that stops one of its callers at a given call: for ever, as if it had died there, or until it is let on.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::watch;

use crate::{FileSystem, FsFuture, Health, NewFile, OpenFile};

/// Where a caller is stopped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    /// At which of its calls.
    pub(super) at: usize,
    /// Whether the call is done by then.
    pub(super) done: bool,
}

pub(super) struct Gate {
    inner: Arc<dyn FileSystem>,
    stop: Arc<Shared>,
}

struct Shared {
    stop: Stop,
    calls: AtomicUsize,
    reached: watch::Sender<bool>,
    open: watch::Sender<bool>,
}

/// Tells when the caller was stopped, and lets it go on.
pub(super) struct Keeper(Arc<Shared>);

impl Keeper {
    pub(super) async fn reached(&self) {
        let mut reached = self.0.reached.subscribe();
        reached.wait_for(|reached| *reached).await.unwrap();
    }

    pub(super) fn open(&self) {
        self.0.open.send_replace(true);
    }
}

impl Shared {
    async fn wait(&self) {
        self.reached.send_replace(true);
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
    }

    fn pass<T: Send + 'static>(self: &Arc<Self>, call: FsFuture<T>) -> FsFuture<T> {
        let stop = self.clone();
        Box::pin(async move {
            let here = stop.calls.fetch_add(1, Ordering::Relaxed) == stop.stop.at;
            if here && !stop.stop.done {
                stop.wait().await;
            }
            let result = call.await;
            if here && stop.stop.done {
                stop.wait().await;
            }
            result
        })
    }
}

impl Gate {
    pub(super) fn new(inner: Arc<dyn FileSystem>, stop: Stop) -> (Arc<Self>, Keeper) {
        let (reached, open) = (watch::Sender::new(false), watch::Sender::new(false));
        let stop = Arc::new(Shared { stop, calls: AtomicUsize::new(0), reached, open });
        (Arc::new(Self { inner, stop: stop.clone() }), Keeper(stop))
    }
}

impl FileSystem for Gate {
    fn create(&self, path: &str) -> FsFuture<Arc<dyn NewFile>> {
        let (call, stop) = (self.inner.create(path), self.stop.clone());
        self.stop.pass(Box::pin(async move {
            let inner = call.await?;
            Ok(Arc::new(Writing { inner, stop }) as Arc<dyn NewFile>)
        }))
    }

    fn write(&self, path: &str, content: Bytes) -> FsFuture<()> {
        self.stop.pass(later(&self.inner, path, move |fs, path| fs.write(path, content)))
    }

    fn link(&self, from: &str, to: &str) -> FsFuture<()> {
        let to = to.to_owned();
        self.stop.pass(later(&self.inner, from, move |fs, from| fs.link(from, &to)))
    }

    fn open(&self, path: &str) -> FsFuture<Arc<dyn OpenFile>> {
        let (call, stop) = (self.inner.open(path), self.stop.clone());
        self.stop.pass(Box::pin(async move {
            let inner = call.await?;
            Ok(Arc::new(Reading { inner, stop }) as Arc<dyn OpenFile>)
        }))
    }

    fn read(&self, path: &str, most: usize) -> FsFuture<Bytes> {
        self.stop.pass(later(&self.inner, path, move |fs, path| fs.read(path, most)))
    }

    fn list(&self, path: &str) -> FsFuture<Vec<String>> {
        self.stop.pass(later(&self.inner, path, |fs, path| fs.list(path)))
    }

    fn unlink(&self, path: &str) -> FsFuture<()> {
        self.stop.pass(later(&self.inner, path, |fs, path| fs.unlink(path)))
    }

    fn stat(&self, path: &str) -> FsFuture<u64> {
        self.stop.pass(later(&self.inner, path, |fs, path| fs.stat(path)))
    }

    fn sync_directory(&self, path: &str) -> FsFuture<()> {
        self.stop.pass(later(&self.inner, path, |fs, path| fs.sync_directory(path)))
    }

    fn make_directory(&self, path: &str) -> FsFuture<()> {
        self.stop.pass(later(&self.inner, path, |fs, path| fs.make_directory(path)))
    }

    fn health(&self) -> Health {
        self.inner.health()
    }
}

/// A call that begins when it is polled first: a volume may begin with one as soon as it is asked.
fn later<T: Send + 'static>(
    fs: &Arc<dyn FileSystem>,
    path: &str,
    call: impl FnOnce(&dyn FileSystem, &str) -> FsFuture<T> + Send + 'static,
) -> FsFuture<T> {
    let (fs, path) = (fs.clone(), path.to_owned());
    Box::pin(async move { call(fs.as_ref(), &path).await })
}

struct Writing {
    inner: Arc<dyn NewFile>,
    stop: Arc<Shared>,
}

impl NewFile for Writing {
    fn append(&self, content: Bytes) -> FsFuture<()> {
        let inner = self.inner.clone();
        self.stop.pass(Box::pin(async move { inner.append(content).await }))
    }

    fn sync(&self) -> FsFuture<()> {
        let inner = self.inner.clone();
        self.stop.pass(Box::pin(async move { inner.sync().await }))
    }
}

struct Reading {
    inner: Arc<dyn OpenFile>,
    stop: Arc<Shared>,
}

impl OpenFile for Reading {
    fn read(&self, offset: u64, length: usize) -> FsFuture<Bytes> {
        let inner = self.inner.clone();
        self.stop.pass(Box::pin(async move { inner.read(offset, length).await }))
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.inner.descriptor()
    }
}
