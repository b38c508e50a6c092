//! A mounted copy of the roster. A kubelet keeps it up to date, slowly, and it is there when the API is not.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Complaints, Follower};
use crate::seal::Part;
use crate::store::Store;

const NAME: &str = "directory";

/// A kubelet takes about a minute to bring a change here, so looking twice a second adds nothing to that.
const INTERVAL: Duration = Duration::from_millis(500);

/// Reads a directory of `index.json`, `index.sig`, `shard-<i>.json`, `shard-<i>.sig`, now and after each change.
pub fn follow(store: Store, directory: PathBuf) -> Follower {
    Follower::spawn(async move {
        let mut reader = Reader { directory, seen: None, complaints: Complaints::default() };
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let store = store.clone();
            // Files are read where blocking does no harm: this may be a slow disk of a sick node.
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

#[derive(Debug)]
struct Reader {
    directory: PathBuf,
    /// What the directory looked like when all of it was taken in.
    seen: Option<Stamp>,
    complaints: Complaints,
}

/// Tells one content of the directory from the next.
#[derive(Debug, PartialEq, Eq)]
enum Stamp {
    /// A kubelet swaps this link for each change.
    Link(PathBuf),
    Index {
        modified: SystemTime,
        length: u64,
    },
}

impl Stamp {
    fn of(directory: &Path) -> Option<Self> {
        if let Ok(target) = std::fs::read_link(directory.join("..data")) {
            return Some(Self::Link(target));
        }
        let index = std::fs::metadata(directory.join("index.json")).ok()?;
        Some(Self::Index { modified: index.modified().ok()?, length: index.len() })
    }
}

impl Reader {
    fn look(&mut self, store: &Store) {
        let stamp = Stamp::of(&self.directory);
        if stamp.is_some() && stamp == self.seen {
            return;
        }
        self.seen = if self.take(store) { stamp } else { None };
    }

    /// Whether all that there was to take was taken; what was not is looked at again.
    fn take(&mut self, store: &Store) -> bool {
        let Some((body, signature)) = self.read(Part::Index) else { return false };
        let mut draft = match store.examine(&body, &signature) {
            Ok(Some(draft)) => draft,
            Ok(None) => {
                self.complaints.settled(&Part::Index.to_string());
                return true;
            }
            Err(refused) => {
                self.complaints.complain(NAME, &Part::Index.to_string(), refused);
                return false;
            }
        };
        self.complaints.settled(&Part::Index.to_string());
        for shard in draft.wanted().to_vec() {
            let part = Part::Shard(shard);
            let Some((body, signature)) = self.read(part) else { continue };
            match store.add(&mut draft, shard, &body, &signature) {
                Ok(()) => self.complaints.settled(&part.to_string()),
                Err(refused) => self.complaints.complain(NAME, &part.to_string(), refused),
            }
        }
        let generation = draft.generation();
        let wanted = store.adopt(draft);
        tracing::debug!(%generation, ?wanted, "Took the roster from its mounted copy.");
        wanted.is_empty()
    }

    fn read(&mut self, part: Part) -> Option<(String, String)> {
        let file = |ending: &str| std::fs::read_to_string(self.directory.join(format!("{part}.{ending}")));
        match (file("json"), file("sig")) {
            (Ok(body), Ok(signature)) => Some((body, signature)),
            (Err(error), _) | (_, Err(error)) => {
                self.complaints.complain(NAME, &part.to_string(), error);
                None
            }
        }
    }
}
