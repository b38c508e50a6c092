//! A mounted copy of the credentials: `credentials-<i>.json`, kept up to date by a kubelet, slowly.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::CredentialStore;
use crate::shard::SHARDS;
use crate::source::{Complaints, Follower};

const NAME: &str = "credentials directory";
const INTERVAL: Duration = Duration::from_millis(500);

/// Reads the directory now and after each change.
pub fn follow(store: CredentialStore, directory: PathBuf) -> Follower {
    Follower::spawn(async move {
        let mut reader = Reader {
            directory,
            seen: (0..SHARDS).map(|_| None).collect(),
            complaints: Complaints::default(),
        };
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let store = store.clone();
            let look = move || {
                reader.look(&store);
                reader
            };
            match tokio::task::spawn_blocking(look).await {
                Ok(back) => reader = back,
                Err(_) => return,
            }
        }
    })
}

struct Reader {
    directory: PathBuf,
    seen: Vec<Option<Stamp>>,
    complaints: Complaints,
}

#[derive(PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    length: u64,
}

impl Stamp {
    /// Follows the links that a kubelet makes, so a swapped link is a new stamp.
    fn of(file: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(file).ok()?;
        Some(Self { modified: metadata.modified().ok()?, length: metadata.len() })
    }
}

impl Reader {
    fn look(&mut self, store: &CredentialStore) {
        for (shard, seen) in (0u8..).zip(&mut self.seen) {
            let part = format!("credentials-{shard}");
            let file = self.directory.join(format!("{part}.json"));
            // A shard in which nobody has a password need not exist.
            let Some(stamp) = Stamp::of(&file) else { continue };
            if seen.as_ref() == Some(&stamp) {
                continue;
            }
            let taken = std::fs::read(&file)
                .map_err(|error| error.to_string())
                .and_then(|body| store.offer(shard, &body).map_err(|error| error.to_string()));
            match taken {
                Ok(()) => {
                    self.complaints.settled(&part);
                    *seen = Some(stamp);
                }
                Err(reason) => self.complaints.complain(NAME, &part, reason),
            }
        }
    }
}
