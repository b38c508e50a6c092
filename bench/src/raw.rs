//! What the bare calls of a commit cost on this disk.

use std::fs::{File, create_dir_all, hard_link, remove_dir_all};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// As much as the entry of one small operation has.
const ENTRY: usize = 320;

/// How long each of so many commits takes: create, write, fdatasync, link, fsync of the directory.
pub(crate) fn commits(directory: &Path, count: usize) -> anyhow::Result<Vec<Duration>> {
    let (tmp, log) = (directory.join("tmp"), directory.join("log"));
    create_dir_all(&tmp)?;
    create_dir_all(&log)?;
    let entry = [7_u8; ENTRY];
    let mut took = Vec::with_capacity(count);
    for number in 0..count {
        let (from, to) = (tmp.join(number.to_string()), log.join(number.to_string()));
        let begun = Instant::now();
        let mut file = File::create_new(&from)?;
        file.write_all(&entry)?;
        file.sync_data()?;
        hard_link(&from, &to)?;
        File::open(&log)?.sync_all()?;
        took.push(begun.elapsed());
    }
    remove_dir_all(directory)?;
    Ok(took)
}
