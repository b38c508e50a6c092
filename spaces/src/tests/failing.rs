//! A volume that becomes full, read-only or stale at its n-th call.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::file_system::{FileSystem, FsError, FsFuture, Health, NewFile, OpenFile};

/// What fails from some call on.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// The first call that fails; those before it are as ever. Only calls are counted that need room, or all.
    pub(super) from: u64,
    pub(super) all: bool,
    pub(super) error: FsError,
}

/// A volume that can be made to fail.
pub(super) struct Failing {
    volume: Arc<dyn FileSystem>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    fault: Mutex<Option<Fault>>,
    calls: AtomicU64,
}

impl State {
    /// Counts a call, and says whether it fails.
    fn call(&self, needs_room: bool) -> Result<(), FsError> {
        let fault = self.fault.lock().unwrap();
        let Some(fault) = fault.as_ref().filter(|fault| fault.all || needs_room) else { return Ok(()) };
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if call >= fault.from { Err(fault.error.clone()) } else { Ok(()) }
    }
}

impl Failing {
    pub(super) fn over(volume: Arc<dyn FileSystem>) -> Arc<Self> {
        Arc::new(Self { volume, state: Arc::default() })
    }

    /// From now on calls are counted, and fail.
    pub(super) fn fail(&self, fault: Fault) {
        self.state.calls.store(0, Ordering::SeqCst);
        *self.state.fault.lock().unwrap() = Some(fault);
    }

    /// Nothing fails any more; whether something did.
    pub(super) fn heal(&self) -> bool {
        let fault = self.state.fault.lock().unwrap().take();
        fault.is_some_and(|fault| self.state.calls.load(Ordering::SeqCst) >= fault.from)
    }

    fn guarded<T: Send + 'static>(&self, needs_room: bool, call: FsFuture<T>) -> FsFuture<T> {
        let state = self.state.clone();
        Box::pin(async move {
            state.call(needs_room)?;
            call.await
        })
    }
}

/// A file of such a volume. What is written as the volume becomes full is there by half.
struct Half {
    file: Arc<dyn NewFile>,
    state: Arc<State>,
}

fn half(content: &Bytes) -> Bytes {
    content.slice(..content.len() / 2)
}

impl NewFile for Half {
    fn append(&self, content: Bytes) -> FsFuture<()> {
        let (file, state) = (self.file.clone(), self.state.clone());
        Box::pin(async move {
            if let Err(error) = state.call(true) {
                let _ = file.append(half(&content)).await;
                return Err(error);
            }
            file.append(content).await
        })
    }

    fn sync(&self) -> FsFuture<()> {
        let (file, state) = (self.file.clone(), self.state.clone());
        Box::pin(async move {
            state.call(true)?;
            file.sync().await
        })
    }
}

impl FileSystem for Failing {
    fn create(&self, path: &str) -> FsFuture<Arc<dyn NewFile>> {
        let (call, state) = (self.guarded(true, self.volume.create(path)), self.state.clone());
        Box::pin(async move {
            let file = call.await?;
            Ok(Arc::new(Half { file, state }) as Arc<dyn NewFile>)
        })
    }

    fn write(&self, path: &str, content: Bytes) -> FsFuture<()> {
        let (volume, path, state) = (self.volume.clone(), path.to_owned(), self.state.clone());
        Box::pin(async move {
            match state.call(true) {
                Ok(()) => volume.write(&path, content).await,
                Err(FsError::Full) => {
                    let _ = volume.write(&path, half(&content)).await;
                    Err(FsError::Full)
                }
                Err(error) => Err(error),
            }
        })
    }

    fn link(&self, from: &str, to: &str) -> FsFuture<()> {
        self.guarded(true, self.volume.link(from, to))
    }

    fn open(&self, path: &str) -> FsFuture<Arc<dyn OpenFile>> {
        self.guarded(false, self.volume.open(path))
    }

    fn read(&self, path: &str, most: usize) -> FsFuture<Bytes> {
        self.guarded(false, self.volume.read(path, most))
    }

    fn list(&self, path: &str) -> FsFuture<Vec<String>> {
        self.guarded(false, self.volume.list(path))
    }

    fn unlink(&self, path: &str) -> FsFuture<()> {
        self.guarded(false, self.volume.unlink(path))
    }

    fn stat(&self, path: &str) -> FsFuture<u64> {
        self.guarded(false, self.volume.stat(path))
    }

    fn sync_directory(&self, path: &str) -> FsFuture<()> {
        self.guarded(false, self.volume.sync_directory(path))
    }

    fn make_directory(&self, path: &str) -> FsFuture<()> {
        self.guarded(true, self.volume.make_directory(path))
    }

    fn health(&self) -> Health {
        self.volume.health()
    }
}

/// Every file below a directory that something can refer to, with a hash of it.
pub(super) fn files(directory: &Path) -> BTreeMap<PathBuf, blake3::Hash> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![directory.to_owned()];
    while let Some(at) = ahead.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let aside = path.ends_with("tmp") || path.ends_with("canary");
            if path.is_dir() && !aside {
                ahead.push(path);
            } else if path.is_file() {
                found.insert(path.clone(), blake3::hash(&std::fs::read(&path).unwrap()));
            }
        }
    }
    found
}
