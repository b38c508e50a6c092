//! Files that were read lately, still open. What is in the page cache of this machine is read from them at once, on the
//! thread that asks: a switch to a thread of the volume and back costs more than a small file.

use std::collections::{HashMap, VecDeque};
use std::io::IoSliceMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::io::{ReadWriteFlags, preadv2, retry_on_intr};
use rustix::process::{Resource, getrlimit};

use super::file::Descriptor;

/// So many files at most, and one of eight that this process may have open.
const MOST: u64 = 2048;
/// A file that another pod has removed takes room on the volume as long as it is open here.
const LONGEST: Duration = Duration::from_secs(10);

/// Open files by their paths. An object never changes, so what is in one is what was in it.
#[derive(Default)]
pub(super) struct Opened {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    files: HashMap<Arc<str>, Arc<Descriptor>>,
    /// Since when each is kept, the first to go in front. One that is gone already may still be here.
    order: VecDeque<(Instant, Arc<str>)>,
}

impl Held {
    /// Takes out what goes first.
    fn pop(&mut self) -> Option<Arc<Descriptor>> {
        let (_, path) = self.order.pop_front()?;
        self.files.remove(&path)
    }
}

impl Opened {
    /// Keeps a file for a while, unless it is kept already.
    pub(super) fn keep(&self, path: &str, file: Arc<Descriptor>) {
        let most = getrlimit(Resource::Nofile).current.map_or(MOST, |open| MOST.min(open / 8));
        let most = usize::try_from(most).unwrap_or_default();
        let mut gone = Vec::new();
        let mut held = self.held();
        if held.files.contains_key(path) {
            return;
        }
        while held.order.len() >= most {
            let Some(first) = held.pop() else { break };
            gone.push(first);
        }
        let path: Arc<str> = path.into();
        held.order.push_back((Instant::now(), path.clone()));
        held.files.insert(path, file);
        // Closed when nobody is kept waiting.
        drop(held);
    }

    /// Lets go of a file that is about to be removed.
    pub(super) fn forget(&self, path: &str) {
        let gone = self.held().files.remove(path);
        drop(gone);
    }

    /// Lets go of what was kept long enough.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        let mut gone = Vec::new();
        let mut held = self.held();
        while held.order.front().is_some_and(|(since, _)| now.saturating_duration_since(*since) >= LONGEST) {
            gone.extend(held.pop());
        }
        drop(held);
    }

    /// So many bytes of a file, if it is open and they are all in memory. Waits for no file system: one that can not
    /// promise that says so (`RWF_NOWAIT` of preadv2(2)), as those of the network do.
    pub(super) fn read(&self, path: &str, offset: u64, length: usize) -> Option<Bytes> {
        let file = self.held().files.get(path).cloned()?;
        let descriptor = file.file().ok()?;
        let mut content = vec![0; length];
        let read = retry_on_intr(|| {
            let mut slices = [IoSliceMut::new(&mut content)];
            preadv2(descriptor, &mut slices, offset, ReadWriteFlags::NOWAIT)
        });
        (read == Ok(length)).then(|| content.into())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::super::pool::Pool;
    use super::*;

    #[test]
    fn what_is_kept_is_read_until_it_goes() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a"), b"content").unwrap();
        let pool = Pool::new(&"home".parse().unwrap(), None);
        let opened = Opened::default();
        let open = |name: &str| {
            let file: OwnedFd = std::fs::File::open(directory.path().join("a")).unwrap().into();
            opened.keep(name, Arc::new(Descriptor::new(file, name.to_owned(), pool.clone())));
        };
        open("a");
        // A file system that can not promise not to wait gives nothing, and then it is read as before.
        let read = opened.read("a", 3, 4);
        assert!(read.is_none() || read.as_deref() == Some(b"tent"), "{read:?}");
        for (name, offset, length) in [("b", 0, 1), ("a", 3, 5), ("a", 8, 1)] {
            assert_eq!(opened.read(name, offset, length), None, "{name} {offset} {length}");
        }
        opened.sweep();
        assert_eq!(opened.held().files.len(), 1, "it is not old");
        opened.forget("a");
        assert_eq!(opened.held().files.len(), 0);
        assert_eq!(opened.read("a", 3, 4), None);
        for number in 0..MOST + 10 {
            open(&number.to_string());
        }
        let held = opened.held();
        assert!(held.files.len() as u64 <= MOST && held.files.contains_key((MOST + 9).to_string().as_str()));
        assert!(!held.files.contains_key("0"));
    }
}
