//! Whether the volume can be written *now*: a small file is made, synced, linked and removed, over and over, on a
//! thread of its own. What counts is how long ago that last went well.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::directory::Directory;
use super::file;
use super::opened::Opened;
use super::pool::Pool;
use crate::file_system::{FsError, Health};

const INTERVAL: Duration = Duration::from_millis(250);
const DIRECTORY: &str = "canary";
/// Canaries of pods that died are taken away when they are so old, in seconds.
const DEAD: i64 = 24 * 60 * 60;

/// What the canary of a volume has found.
pub(super) struct Canary {
    found: Arc<Found>,
}

#[derive(Default)]
struct Found {
    succeeded: Mutex<Option<Instant>>,
    free: AtomicU64,
}

impl Canary {
    /// Starts it; it ends when nobody uses the volume any more. Between two looks it lets go of open files.
    pub(super) fn start(directory: Arc<Directory>, pool: Pool, opened: Weak<Opened>) -> io::Result<Self> {
        let found = Arc::new(Found::default());
        let shared = found.clone();
        let name = format!("{DIRECTORY}/{:016x}", fastrand::u64(..));
        pool.clone().thread("canary", move || {
            let canary = Bird { directory, name, pool: &pool };
            let mut tidied = false;
            while pool.is_used() {
                if pool.call(|| canary.breathe()).is_ok() {
                    *shared.succeeded.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    tidied = tidied || pool.call(|| canary.bury()).is_ok();
                }
                if let Ok(free) = pool.call(|| canary.directory.free()) {
                    shared.free.store(free, Ordering::Relaxed);
                }
                if let Some(opened) = opened.upgrade() {
                    opened.sweep();
                }
                std::thread::sleep(INTERVAL);
            }
        })?;
        Ok(Self { found })
    }

    pub(super) fn health(&self) -> Health {
        let succeeded = *self.found.succeeded.lock().unwrap_or_else(PoisonError::into_inner);
        Health {
            canary_age: succeeded.map(|then| then.elapsed()),
            free: api::bytes::Bytes(self.found.free.load(Ordering::Relaxed)),
        }
    }
}

struct Bird<'p> {
    directory: Arc<Directory>,
    name: String,
    pool: &'p Pool,
}

impl Bird<'_> {
    /// What a commit does.
    fn breathe(&self) -> Result<(), FsError> {
        let (name, linked) = (&self.name, format!("{}-linked", self.name));
        // A name of the last time may still be there when that failed half way.
        let _ = self.directory.unlink(name);
        let _ = self.directory.unlink(&linked);
        let done = self.commit(name, &linked);
        let removed = self.directory.unlink(name);
        match done {
            // A full volume can be read, and be made less full: it answers, and it is not the pod's fault.
            Err(FsError::Full) => Ok(()),
            Err(error) => Err(error),
            Ok(()) => removed.and_then(|()| self.directory.unlink(&linked)),
        }
    }

    fn commit(&self, name: &str, linked: &str) -> Result<(), FsError> {
        let file = match self.directory.create(name) {
            Err(FsError::NotFound) => {
                match self.directory.make(DIRECTORY) {
                    Ok(()) | Err(FsError::Exists) => {}
                    Err(error) => return Err(error),
                }
                self.directory.create(name)?
            }
            created => created?,
        };
        file::write_at(&file, b"alive", 0, name)?;
        file::sync(&file, name)?;
        // A volume that answers slowly must not be taken for one that is silent.
        self.pool.answered();
        self.directory.link(name, linked)?;
        self.pool.answered();
        self.directory.sync(DIRECTORY)
    }

    /// Takes away what pods left that died between two lines of the above.
    fn bury(&self) -> Result<(), FsError> {
        drop(self.directory.create(&self.name)?);
        for other in self.directory.list(DIRECTORY)? {
            let path = format!("{DIRECTORY}/{other}");
            if self.directory.age(&path, &self.name).is_ok_and(|age| age > DEAD) {
                let _ = self.directory.unlink(&path);
            }
        }
        self.directory.unlink(&self.name)
    }
}
