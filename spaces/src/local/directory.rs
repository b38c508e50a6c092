//! The calls themselves, below the directory of a volume. They block for as long as the file system likes.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use rustix::fs::{Access, AtFlags, Dir, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::Errno;

use crate::file_system::FsError;
use crate::format::identity::FILE as MARK;

/// All pods run as one user, which owns what is on the volume.
const FILE: Mode = Mode::RUSR.union(Mode::WUSR);
const DIRECTORY: Mode = Mode::RWXU;
/// How often a call begins anew when the server says that what we hold is of yesterday.
const ATTEMPTS: usize = 3;

/// The directory of a volume.
pub(crate) struct Directory {
    path: PathBuf,
    root: ArcSwapOption<OwnedFd>,
    /// Whether what says whose the volume is was seen in it. From then on a directory without that is another one.
    marked: AtomicBool,
}

/// What a failed call becomes, in words.
pub(crate) fn failed(errno: Errno, verb: &str, path: &str) -> FsError {
    match errno {
        Errno::NOENT | Errno::STALE => FsError::NotFound,
        Errno::EXIST => FsError::Exists,
        Errno::NOSPC | Errno::DQUOT => FsError::Full,
        Errno::ROFS => FsError::ReadOnly,
        Errno::TIMEDOUT => FsError::Stalled,
        other => FsError::Other(format!("cannot {verb} {path}: {}", std::io::Error::from(other)).into()),
    }
}

/// What a volume is whose server does not know it any more.
pub(super) fn stale(verb: &str, path: &str) -> FsError {
    FsError::Other(format!("cannot {verb} {path}: what is mounted is stale; mount the volume again").into())
}

impl Directory {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, root: ArcSwapOption::empty(), marked: AtomicBool::new(false) }
    }

    /// Opens the directory by its path, as whoever mounted it may have mounted it again. Between the two there is the
    /// empty directory below the mount, in which all that was ever written seems to be missing.
    pub(crate) fn reopen(&self) -> Result<(), FsError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&self.path, flags, Mode::empty())
            .map_err(|errno| failed(errno, "open", &self.path.display().to_string()))?;
        if self.marked.load(Ordering::Relaxed) {
            match rustix::fs::statx(&root, MARK, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE) {
                Ok(_) => {}
                Err(Errno::NOENT) => {
                    let path = self.path.display();
                    return Err(FsError::Other(
                        format!("there is no {MARK} in {path}: is the volume mounted?").into(),
                    ));
                }
                Err(errno) => return Err(failed(errno, "look at", MARK)),
            }
        }
        self.root.store(Some(Arc::new(root)));
        Ok(())
    }

    /// Does something from the root of the volume on; anew when what is held of the root or of a directory on the way
    /// is no longer what the server has.
    fn rooted<T>(
        &self,
        verb: &str,
        path: &str,
        call: impl Fn(&OwnedFd) -> Result<T, Errno>,
    ) -> Result<T, FsError> {
        check(path)?;
        let mut attempt = 1;
        loop {
            // `None` while the first opening still waits for the server.
            let root = self.root.load_full().ok_or(FsError::Stalled)?;
            match call(&root) {
                Err(Errno::STALE | Errno::NOTCONN) if attempt < ATTEMPTS => self.reopen()?,
                // Each time the way was begun anew: this is no file that somebody took away, and must not seem so.
                Err(Errno::STALE) => return Err(stale(verb, path)),
                result => return result.map_err(|errno| failed(errno, verb, path)),
            }
            attempt += 1;
        }
    }

    pub(crate) fn create(&self, path: &str) -> Result<OwnedFd, FsError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        self.rooted("create", path, |root| below(root, path, flags, FILE))
    }

    pub(crate) fn open(&self, path: &str) -> Result<OwnedFd, FsError> {
        let open = || self.rooted("open", path, |root| below(root, path, OFlags::RDONLY, Mode::empty()));
        let mut opened = open();
        if path == MARK {
            // What was opened before anything was mounted there never has it.
            if opened.as_ref().is_err_and(|error| *error == FsError::NotFound) {
                self.reopen()?;
                opened = open();
            }
            if opened.is_ok() {
                self.marked.store(true, Ordering::Relaxed);
            }
        }
        opened
    }

    pub(crate) fn link(&self, from: &str, to: &str) -> Result<(), FsError> {
        check(to)?;
        self.rooted("link", from, |root| {
            let ((from, old), (to, new)) = (parent(root, from)?, parent(root, to)?);
            rustix::fs::linkat(from, old, to, new, AtFlags::empty())
        })
    }

    pub(crate) fn list(&self, path: &str) -> Result<Vec<String>, FsError> {
        self.rooted("list", path, |root| {
            let directory = below(root, path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
            let mut names = Vec::new();
            for entry in Dir::new(directory)? {
                // Whatever has a name that is no text is not of this program.
                match entry?.file_name().to_str() {
                    Ok("." | "..") | Err(_) => {}
                    Ok(name) => names.push(name.to_owned()),
                }
            }
            Ok(names)
        })
    }

    pub(crate) fn unlink(&self, path: &str) -> Result<(), FsError> {
        self.rooted("remove", path, |root| {
            let (directory, name) = parent(root, path)?;
            rustix::fs::unlinkat(directory, name, AtFlags::empty())
        })
    }

    pub(crate) fn length(&self, path: &str) -> Result<u64, FsError> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_FORCE_SYNC;
        self.rooted("look at", path, |root| {
            let (directory, name) = parent(root, path)?;
            Ok(rustix::fs::statx(directory, name, flags, StatxFlags::SIZE)?.stx_size)
        })
    }

    /// How long ago a file was written, by the clock of the file system that wrote another just now.
    pub(crate) fn age(&self, path: &str, newest: &str) -> Result<i64, FsError> {
        let modified = |path: &str| {
            self.rooted("look at", path, |root| {
                let (directory, name) = parent(root, path)?;
                let found = rustix::fs::statx(directory, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MTIME)?;
                Ok(found.stx_mtime.tv_sec)
            })
        };
        Ok(modified(newest)?.saturating_sub(modified(path)?))
    }

    pub(crate) fn sync(&self, path: &str) -> Result<(), FsError> {
        self.rooted("sync", path, |root| {
            rustix::fs::fsync(below(root, path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?)
        })
    }

    pub(crate) fn make(&self, path: &str) -> Result<(), FsError> {
        self.rooted("make", path, |root| {
            let (directory, name) = parent(root, path)?;
            rustix::fs::mkdirat(directory, name, DIRECTORY)
        })
    }

    pub(crate) fn free(&self) -> Result<u64, FsError> {
        self.room().map(|(free, _)| free)
    }

    /// Bytes that are free, and files that can still be made where the file system counts them.
    pub(crate) fn room(&self) -> Result<(u64, Option<u64>), FsError> {
        self.rooted("look at", "", |root| {
            let found = rustix::fs::fstatvfs(root)?;
            let files = (found.f_files > 0).then_some(found.f_favail);
            Ok((found.f_bavail.saturating_mul(found.f_frsize), files))
        })
    }

    /// Removes a directory that is empty.
    pub(crate) fn remove_directory(&self, path: &str) -> Result<(), FsError> {
        self.rooted("remove", path, |root| {
            let (directory, name) = parent(root, path)?;
            rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR)
        })
    }

    /// Whether this user may make names in a directory.
    pub(crate) fn may_write(&self, path: &str) -> Result<(), FsError> {
        self.rooted("write to", path, |root| {
            let (directory, name) = parent(root, path)?;
            let access = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
            rustix::fs::accessat(directory, name, access, AtFlags::EACCESS)
        })
    }
}

/// The engine makes its paths itself; one that could lead out is a mistake in this program.
fn check(path: &str) -> Result<(), FsError> {
    let strange = |part: &str| matches!(part, "" | "." | "..") || part.contains('\0');
    if !path.is_empty() && path.split('/').any(strange) {
        return Err(FsError::Other(format!("{path:?} is no path in a volume").into()));
    }
    Ok(())
}

/// Opens what is below the root, and follows no symbolic link on the way: whoever can write to the volume besides us
/// must not lead us elsewhere.
fn below(root: &OwnedFd, path: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let path = if path.is_empty() { "." } else { path };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    loop {
        match rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW, mode, resolve) {
            // A signal, or a rename raced with the walk.
            Err(Errno::INTR | Errno::AGAIN) => {}
            result => return result,
        }
    }
}

/// The directory that a name is in, and the name.
fn parent<'p>(root: &OwnedFd, path: &'p str) -> Result<(OwnedFd, &'p str), Errno> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = if name.is_empty() { "." } else { name };
    Ok((below(root, directory, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_errno_becomes() {
        for (errno, error) in [
            (Errno::NOENT, FsError::NotFound),
            (Errno::STALE, FsError::NotFound),
            (Errno::EXIST, FsError::Exists),
            (Errno::NOSPC, FsError::Full),
            (Errno::DQUOT, FsError::Full),
            (Errno::ROFS, FsError::ReadOnly),
            (Errno::TIMEDOUT, FsError::Stalled),
        ] {
            assert_eq!(failed(errno, "open", "a"), error);
        }
        let words = failed(Errno::IO, "open", "log/0").to_string();
        assert!(words.starts_with("cannot open log/0: Input/output error"), "{words}");
    }

    #[test]
    fn no_path_leads_out() {
        for path in ["..", "a/../b", "/a", "a//b", "a/", ".", "a\0b"] {
            assert!(check(path).is_err(), "{path:?}");
        }
        assert!(check("").is_ok() && check("spaces/ab").is_ok());
    }

    #[test]
    fn a_directory_that_was_mounted_again_is_found_again() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::new(place.path().to_owned());
        assert_eq!(directory.list(""), Err(FsError::Stalled), "not open yet");
        directory.reopen().unwrap();
        // A descriptor that the server no longer knows can not be had here; one of an old directory can.
        let attempts = std::cell::Cell::new(0);
        let found = directory.rooted("look at", "a", |_| {
            attempts.set(attempts.get() + 1);
            if attempts.get() == 1 { Err(Errno::STALE) } else { Ok(()) }
        });
        assert_eq!((found, attempts.get()), (Ok(()), 2));
        let lost: Result<(), _> = directory.rooted("look at", "a", |_| Err(Errno::STALE));
        assert!(matches!(lost, Err(FsError::Other(what)) if what.contains("mount the volume again")));
    }

    #[test]
    fn an_empty_directory_is_not_the_volume_that_was_there() {
        let place = tempfile::tempdir().unwrap();
        let (path, aside) = (place.path().join("volume"), place.path().join("aside"));
        std::fs::create_dir(&path).unwrap();
        let directory = Directory::new(path.clone());
        directory.reopen().unwrap();
        assert_eq!(directory.open(MARK).err(), Some(FsError::NotFound));
        // Opened before it was mounted, it is found once it is.
        std::fs::rename(&path, &aside).unwrap();
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join(MARK), b"{}").unwrap();
        directory.open(MARK).unwrap();
        // Its client died, and what shows is what is below.
        let mounted = place.path().join("mounted");
        std::fs::rename(&path, &mounted).unwrap();
        std::fs::rename(&aside, &path).unwrap();
        let lost = |_: &OwnedFd| Err::<(), _>(Errno::NOTCONN);
        let error = directory.rooted("look at", "a", lost).unwrap_err();
        assert!(matches!(error, FsError::Other(_)), "nothing is missing: {error:?}");
        std::fs::remove_dir(&path).unwrap();
        std::fs::rename(&mounted, &path).unwrap();
        let attempts = std::cell::Cell::new(0);
        let found = directory.rooted("look at", "a", |root| {
            attempts.set(attempts.get() + 1);
            if attempts.get() == 1 {
                Err(Errno::NOTCONN)
            } else {
                below(root, MARK, OFlags::RDONLY, Mode::empty())
            }
        });
        assert!(found.is_ok(), "{found:?}");
    }
}
