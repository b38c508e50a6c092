//! For tests alone: a volume that hangs, fails or is slow when a file says so. The thread that meets a fault suffers
//! it as it would the real one, so that everything behind it, from the pool to the readiness of the pod, is tried.

use std::path::{Path, PathBuf};
use std::time::Duration;

use api::ids::VolumeName;

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
}

impl Faults {
    pub(super) fn new(directory: PathBuf, volume: &VolumeName) -> Self {
        let file = |fault: &str| directory.join(format!("{volume}.{fault}"));
        Self { hang: file("hang"), eio: file("eio"), slow: file("slow") }
    }

    /// Around every call: before it, and after it, when it was done and the answer is on its way.
    pub(super) fn meet(&self) -> Result<(), FsError> {
        if self.slow.exists() {
            std::thread::sleep(SLOWNESS);
        }
        hang(&self.hang);
        if self.eio.exists() {
            return Err(FsError::Other("input/output error, made by a test".into()));
        }
        Ok(())
    }
}

fn hang(file: &Path) {
    while file.exists() {
        std::thread::sleep(LOOK_AGAIN);
    }
}
