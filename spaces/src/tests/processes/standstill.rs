//! How long operations waited that nothing was wrong with, less what the machine itself stood still.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::talk::{notice_sleep, now};

/// Times in milliseconds since 1970.
pub(super) type Times = Vec<(u64, u64)>;

/// Watches the machine: whether a thread gets to run, and how long the disk takes for what a commit is made of.
pub(super) struct Noise {
    slow: Arc<Mutex<Times>>,
    ended: Arc<AtomicBool>,
}

impl Noise {
    pub(super) fn listen(disk: &Path) -> Self {
        let slow = Arc::new(Mutex::new(Times::new()));
        let ended = Arc::new(AtomicBool::new(false));
        let note = slow.clone();
        notice_sleep(move |from, to| note.lock().unwrap().push((from, to)));
        let directory = disk.join("noise");
        fs::create_dir_all(&directory).unwrap();
        let (note, end) = (slow.clone(), ended.clone());
        std::thread::spawn(move || {
            while !end.load(Ordering::SeqCst) {
                let from = now();
                if commit(&directory).is_err() {
                    return;
                }
                let to = now();
                if to > from + 30 {
                    note.lock().unwrap().push((from, to));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self { slow, ended }
    }

    /// When the machine stood still, up to now.
    pub(super) fn times(&self) -> Times {
        self.slow.lock().unwrap().clone()
    }
}

impl Drop for Noise {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

fn commit(directory: &Path) -> std::io::Result<()> {
    let (new, linked) = (directory.join("new"), directory.join("linked"));
    let mut file = fs::File::create(&new)?;
    file.write_all(b"noise")?;
    file.sync_data()?;
    fs::hard_link(&new, &linked)?;
    fs::File::open(directory)?.sync_all()?;
    fs::remove_file(&new)?;
    fs::remove_file(&linked)
}

/// What is left of a wait when the times are taken out in which nothing could go on.
pub(super) fn own(wait: (u64, u64), excused: &[(u64, u64)]) -> u64 {
    let mut within: Times = excused
        .iter()
        .map(|(from, to)| (*from.max(&wait.0), *to.min(&wait.1)))
        .filter(|(from, to)| from < to)
        .collect();
    within.sort_unstable();
    let (mut left, mut covered) = (wait.1 - wait.0, wait.0);
    for (from, to) in within {
        let from = from.max(covered);
        if from < to {
            left -= to - from;
            covered = to;
        }
    }
    left
}

#[test]
fn what_is_excused_counts_once() {
    for (excused, left) in [
        (vec![], 100),
        (vec![(0, 50)], 100),
        (vec![(90, 120)], 80),
        (vec![(120, 140), (130, 150)], 70),
        (vec![(120, 140), (110, 160), (190, 300)], 40),
        (vec![(0, 900)], 0),
    ] {
        assert_eq!(own((100, 200), &excused), left, "{excused:?}");
    }
}
