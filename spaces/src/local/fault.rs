//! For tests alone: a volume that hangs, fails, is full, stale or slow when a file says so. The thread that meets a fault suffers
//! it as it would the real one, so that everything behind it, from the pool to the readiness of the pod, is tried.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::ids::VolumeName;

use super::directory::stale;
use crate::file_system::FsError;

/// How soon a hang that was taken away ends.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// What a slow volume adds to each call.
const SLOWNESS: Duration = Duration::from_millis(200);

/// Where the faults of one volume are switched.
pub(super) struct Faults {
    hang: PathBuf,
    eio: PathBuf,
    slow: PathBuf,
    enospc: PathBuf,
    estale: PathBuf,
    nth: PathBuf,
    /// How many calls there were since it was said which one fails.
    calls: AtomicU64,
}

impl Faults {
    pub(super) fn new(directory: PathBuf, volume: &VolumeName) -> Self {
        let file = |fault: &str| directory.join(format!("{volume}.{fault}"));
        Self {
            hang: file("hang"),
            eio: file("eio"),
            slow: file("slow"),
            enospc: file("enospc"),
            estale: file("estale"),
            nth: file("nth"),
            calls: AtomicU64::new(0),
        }
    }

    /// Around every call: before it, and after it, when it was done and the answer is on its way.
    pub(super) fn meet(&self) -> Result<(), FsError> {
        if self.slow.exists() {
            std::thread::sleep(SLOWNESS);
        }
        hang(&self.hang);
        if self.eio.exists() {
            return Err(broken());
        }
        if self.estale.exists() {
            return Err(stale("use", "the volume"));
        }
        Ok(())
    }

    /// Before what needs room.
    pub(super) fn meet_full(&self) -> Result<(), FsError> {
        if self.enospc.exists() { Err(FsError::Full) } else { Ok(()) }
    }

    /// Before a call that somebody asked for. Which one fails is a number in the file, from 1 on, and behind it how:
    /// `eio`, `enospc` or `estale`. Calls are counted from the first one on that finds the file.
    pub(super) fn count(&self) -> Result<(), FsError> {
        let Ok(text) = std::fs::read_to_string(&self.nth) else {
            self.calls.store(0, Ordering::Relaxed);
            return Ok(());
        };
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let mut words = text.split_whitespace();
        if words.next().and_then(|number| number.parse().ok()) != Some(call) {
            return Ok(());
        }
        Err(match words.next() {
            Some("enospc") => FsError::Full,
            Some("estale") => stale("use", "the volume"),
            _ => broken(),
        })
    }
}

fn broken() -> FsError {
    FsError::Other("input/output error, made by a test".into())
}

fn hang(file: &Path) {
    while file.exists() {
        std::thread::sleep(LOOK_AGAIN);
    }
}
