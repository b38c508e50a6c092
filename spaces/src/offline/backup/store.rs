//! Where a backup is written: what is there already is not copied again.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use api::bytes::Bytes;
use blake3::Hasher;
use rustix::fs::{FlockOperation, flock, syncfs};

use super::list::{self, List, Sum};
use super::point::{BackupManifest, BackupPoint, LIST, MANIFEST, backups, is_name};
use crate::file_system::{FsError, OpenFile};
use crate::local::file::write_at;
use crate::offline::OfflineError;

/// What is not whole yet. Its name is that of no backup.
const PARTIAL: &str = ".partial";
/// The files in it that are durable, each line written after that.
const JOURNAL: &str = "journal";
/// So much may have to be copied again after a crash.
const UNSAFE_BYTES: u64 = 1 << 30;
const UNSAFE_FILES: usize = 4096;
/// What is copied at once.
const PIECE: usize = 1 << 20;

/// A backup under way.
pub(super) struct Store {
    target: PathBuf,
    partial: PathBuf,
    name: String,
    /// The newest backup that is whole.
    before: Option<BackupPoint>,
    progress: Mutex<Progress>,
    /// Held as long as this lives: two at once would write the same files.
    _lock: OwnedFd,
}

#[derive(Default)]
struct Progress {
    list: List,
    /// Those of them that were asked for in this run: one that was broken off may have kept what is gone since.
    asked: BTreeSet<String>,
    journal: Option<File>,
    waiting: String,
    waiting_files: usize,
    waiting_bytes: u64,
    copied: Copied,
}

/// What was not there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) files: u64,
    pub(super) bytes: Bytes,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> OfflineError + use<> {
    let path = path.display().to_string();
    move |error| OfflineError::Target(format!("{path}: {error}"))
}

impl Store {
    /// Begins a backup, or goes on with one that did not come to its end.
    pub(super) fn open(target: &Path, name: &str) -> Result<Self, OfflineError> {
        fs::create_dir_all(target).map_err(failed(target))?;
        let lock = OwnedFd::from(File::open(target).map_err(failed(target))?);
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            OfflineError::Target(format!("{}: another backup is being written to it", target.display()))
        })?;
        let whole = backups(target)?;
        if !is_name(name) || whole.last().is_some_and(|last| last.as_str() >= name) {
            let what = "a backup is named by its time, and must be later than those that are there";
            return Err(OfflineError::Target(format!("{name}: {what}")));
        }
        let before = whole.last().and_then(|last| match BackupPoint::open(&target.join(last)) {
            Ok(point) => Some(point),
            Err(error) => {
                tracing::warn!(%error, "The newest backup is damaged; everything is copied anew.");
                None
            }
        });
        let partial = target.join(PARTIAL);
        fs::create_dir_all(&partial).map_err(failed(&partial))?;
        let journal = partial.join(JOURNAL);
        let list = match fs::read(&journal) {
            Ok(text) => list::read(&text).unwrap_or_default(),
            Err(_) => List::new(),
        };
        // Written anew, for its last line may be half a one.
        fs::write(&journal, list::write(&list)).map_err(failed(&journal))?;
        let journal = fs::OpenOptions::new().append(true).open(&journal).map_err(failed(&journal))?;
        let progress = Progress { list, journal: Some(journal), ..Progress::default() };
        let (target, name) = (target.to_owned(), name.to_owned());
        Ok(Self { target, partial, name, before, progress: Mutex::new(progress), _lock: lock })
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the files are as long as it is not whole.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.partial.join(path)
    }

    /// Keeps a small file whose content is here.
    pub(super) fn keep(&self, path: &str, content: &[u8]) -> Result<(), OfflineError> {
        let sum = Sum { hash: blake3::hash(content), length: content.len() as u64 };
        if self.has(path, |known| known == sum)? {
            return Ok(());
        }
        let file = self.create(path)?;
        write_at(&file, content, 0, path).map_err(|error| OfflineError::Target(error.to_string()))?;
        self.note(path, sum, true)
    }

    /// Keeps a data file, which never changes but at its end.
    pub(super) async fn copy(
        self: &Arc<Self>,
        path: &str,
        from: Arc<dyn OpenFile>,
        length: u64,
    ) -> Result<(), OfflineError> {
        if self.has(path, |known| known.length == length)? {
            return Ok(());
        }
        let file = self.create(path)?;
        let mut hasher = Hasher::new();
        let mut offset = 0;
        while offset < length {
            let wanted = usize::try_from(length - offset).unwrap_or(PIECE).min(PIECE);
            let piece = from.read(offset, wanted).await?;
            if piece.is_empty() {
                return Err(FsError::Other(format!("{path} has become shorter").into()).into());
            }
            hasher.update(&piece);
            write_at(&file, &piece, offset, path).map_err(|error| OfflineError::Target(error.to_string()))?;
            offset += piece.len() as u64;
        }
        self.note(path, Sum { hash: hasher.finalize(), length }, true)
    }

    /// Takes a file out that is there no more.
    pub(super) fn forget(&self, path: &str) -> Result<(), OfflineError> {
        let known = {
            let mut progress = self.progress();
            progress.asked.remove(path);
            progress.list.remove(path)
        };
        if known.is_none() {
            return Ok(());
        }
        let place = self.place(path);
        fs::remove_file(&place).map_err(failed(&place))
    }

    /// Paths that were kept, below a directory.
    pub(super) fn below(&self, directory: &str) -> Vec<String> {
        let below = format!("{directory}/");
        let progress = self.progress();
        let kept = progress.list.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below));
        kept.map(|(path, _)| path.clone()).collect()
    }

    /// Takes out what was kept by a run that was broken off, and is not asked for any more.
    fn forget_the_rest(&self) -> Result<(), OfflineError> {
        let rest: Vec<String> = {
            let Progress { list, asked, .. } = &*self.progress();
            list.keys().filter(|path| !asked.contains(*path)).cloned().collect()
        };
        rest.iter().try_for_each(|path| self.forget(path))
    }

    /// Whether a file is there already, in this backup or the one before.
    fn has(&self, path: &str, fits: impl Fn(Sum) -> bool) -> Result<bool, OfflineError> {
        {
            let mut progress = self.progress();
            progress.asked.insert(path.to_owned());
            if progress.list.get(path).is_some_and(|known| fits(*known)) {
                return Ok(true);
            }
        }
        let Some(before) = &self.before else { return Ok(false) };
        let Some(sum) = before.list.get(path).filter(|known| fits(**known)) else { return Ok(false) };
        let place = self.prepare(path)?;
        // What can not be linked (a file system without links, too many of them) is copied.
        if fs::hard_link(before.path.join(path), &place).is_err() {
            return Ok(false);
        }
        self.note(path, *sum, false)?;
        Ok(true)
    }

    /// A place where nothing is.
    fn prepare(&self, path: &str) -> Result<PathBuf, OfflineError> {
        let place = self.place(path);
        if let Some(above) = place.parent() {
            fs::create_dir_all(above).map_err(failed(above))?;
        }
        match fs::remove_file(&place) {
            Ok(()) => Ok(place),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(place),
            Err(error) => Err(failed(&place)(error)),
        }
    }

    fn create(&self, path: &str) -> Result<OwnedFd, OfflineError> {
        let place = self.prepare(path)?;
        // Never written over: it may be a link to a file of the backup before.
        Ok(File::create_new(&place).map_err(failed(&place))?.into())
    }

    fn note(&self, path: &str, sum: Sum, new: bool) -> Result<(), OfflineError> {
        let mut progress = self.progress();
        progress.waiting.push_str(&list::line(path, &sum));
        progress.waiting_files += 1;
        progress.list.insert(path.to_owned(), sum);
        if new {
            progress.waiting_bytes += sum.length;
            progress.copied.files += 1;
            progress.copied.bytes.0 += sum.length;
        }
        if progress.waiting_files >= UNSAFE_FILES || progress.waiting_bytes >= UNSAFE_BYTES {
            self.secure(&mut progress)?;
        }
        Ok(())
    }

    /// Makes what was written durable, and then says so.
    fn secure(&self, progress: &mut Progress) -> Result<(), OfflineError> {
        self.sync()?;
        let lines = std::mem::take(&mut progress.waiting);
        (progress.waiting_files, progress.waiting_bytes) = (0, 0);
        if let Some(journal) = &mut progress.journal {
            let done = journal.write_all(lines.as_bytes()).and_then(|()| journal.sync_data());
            done.map_err(failed(&self.place(JOURNAL)))?;
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), OfflineError> {
        let directory = File::open(&self.partial).map_err(failed(&self.partial))?;
        syncfs(directory.as_fd()).map_err(|errno| failed(&self.partial)(errno.into()))
    }

    /// Makes it whole, and gives it its name. What was kept, and what of it is new.
    pub(super) fn finish(
        &self,
        mut manifest: BackupManifest,
    ) -> Result<(BackupManifest, Copied), OfflineError> {
        self.forget_the_rest()?;
        let (text, copied) = {
            let mut progress = self.progress();
            progress.journal = None;
            (list::write(&progress.list), progress.copied)
        };
        manifest.list = blake3::hash(&text).to_hex().to_string();
        let told = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| OfflineError::Target(format!("{MANIFEST}: {error}")))?;
        for (name, content) in [(LIST, &text), (MANIFEST, &told)] {
            fs::write(self.place(name), content).map_err(failed(&self.place(name)))?;
        }
        fs::remove_file(self.place(JOURNAL)).map_err(failed(&self.place(JOURNAL)))?;
        self.sync()?;
        let whole = self.target.join(&self.name);
        fs::rename(&self.partial, &whole).map_err(failed(&whole))?;
        let target = File::open(&self.target).map_err(failed(&self.target))?;
        target.sync_all().map_err(failed(&self.target))?;
        Ok((manifest, copied))
    }

    /// How many files there are below a directory, and their length.
    pub(super) fn measure(&self, directory: &str) -> (u64, Bytes) {
        let below = format!("{directory}/");
        let progress = self.progress();
        let kept = progress.list.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below));
        let (mut files, mut bytes) = (0, 0);
        for (_, sum) in kept {
            (files, bytes) = (files + 1, bytes + sum.length);
        }
        (files, Bytes(bytes))
    }
}
