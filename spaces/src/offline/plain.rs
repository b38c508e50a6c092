//! The plain side of an export: directories and files of any file system, with names that it can hold.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Timespec, Timestamps};
use rustix::io::{Errno, retry_on_intr};

use super::OfflineError;
use crate::extent::Extent;
use crate::file_system::OpenFile;

/// The longest name that file systems hold, in bytes.
const LONGEST: usize = 255;
/// What is kept of a name that can not be, and of its ending.
const KEPT: usize = 180;
const ENDING: usize = 16;
/// What is copied at once where the kernel can not do it.
const PIECE: usize = 1 << 20;

/// A directory of the target. All that is made is made below it: names never hold a slash, and links are not followed.
pub(super) struct Directory(OwnedFd);

fn failed(place: &str) -> impl Fn(Errno) -> OfflineError + use<> {
    let place = place.to_owned();
    move |errno| OfflineError::Target(format!("{place}: {}", std::io::Error::from(errno)))
}

impl Directory {
    /// A directory that is new or empty.
    pub(super) fn empty(path: &Path) -> Result<Self, OfflineError> {
        let failed = failed(&path.display().to_string());
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(errno)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(&failed)?;
        for entry in Dir::read_from(&opened).map_err(&failed)? {
            if !matches!(entry.map_err(&failed)?.file_name().to_bytes(), b"." | b"..") {
                let what =
                    "it is not empty; name a new directory, so that nothing is mixed up or written over";
                return Err(OfflineError::Target(format!("{}: {what}", path.display())));
            }
        }
        Ok(Self(opened))
    }

    /// A directory of ours with just this name.
    pub(super) fn make(&self, name: &str, place: &str) -> Result<Self, OfflineError> {
        rustix::fs::mkdirat(&self.0, name, Mode::RWXU).map_err(failed(place))?;
        self.open(name).map_err(failed(place))
    }

    fn open(&self, name: &str) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        rustix::fs::openat(&self.0, name, flags, Mode::empty()).map(Self)
    }

    /// Makes a directory; what it is called.
    pub(super) fn make_directory(&self, name: &str) -> Result<(String, Self), std::io::Error> {
        let (name, ()) = with_some_name(name, |name| rustix::fs::mkdirat(&self.0, name, Mode::RWXU))?;
        let directory = self.open(&name)?;
        Ok((name, directory))
    }

    /// Makes a file; what it is called.
    pub(super) fn create(&self, name: &str) -> Result<(String, OwnedFd), std::io::Error> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(with_some_name(name, |name| rustix::fs::openat(&self.0, name, flags, mode))?)
    }

    /// Takes a file away that could not be written.
    pub(super) fn remove(&self, name: &str) {
        let _ = rustix::fs::unlinkat(&self.0, name, AtFlags::empty());
    }

    pub(super) fn set_modified(&self, modified: i64) -> Result<(), String> {
        set_modified(&self.0, modified)
    }

    /// Makes everything durable, and then says so by a file.
    pub(super) fn finish(&self, name: &str, content: &[u8]) -> Result<(), OfflineError> {
        let failed = failed(name);
        rustix::fs::syncfs(&self.0).map_err(&failed)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR).map_err(&failed)?;
        crate::local::file::write_at(&file, content, 0, name)?;
        rustix::fs::fsync(&file).map_err(&failed)?;
        rustix::fs::fsync(&self.0).map_err(&failed)
    }
}

/// Gives something its name, or where that can not be (too long, taken because case counts for nothing, letters that
/// are not allowed) another one that can be told apart.
fn with_some_name<T>(name: &str, make: impl Fn(&str) -> Result<T, Errno>) -> Result<(String, T), Errno> {
    let mut last = Errno::NAMETOOLONG;
    for candidate in candidates(name) {
        match make(&candidate) {
            Ok(made) => return Ok((candidate, made)),
            Err(errno @ (Errno::EXIST | Errno::NAMETOOLONG | Errno::INVAL | Errno::ILSEQ)) => last = errno,
            Err(errno) => return Err(errno),
        }
    }
    Err(last)
}

/// The name itself, and then names that any file system can hold.
fn candidates(name: &str) -> Vec<String> {
    let hash = blake3::hash(name.as_bytes()).to_hex();
    let plain = |c: char| if r#"<>:"\|?*"#.contains(c) { '_' } else { c };
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && (1..=ENDING).contains(&ending.len()) => {
            (stem, format!(".{ending}"))
        }
        _ => (name, String::new()),
    };
    let kept: String = cut(stem, KEPT).chars().map(plain).collect();
    let ending: String = ending.chars().map(plain).collect();
    let ending = ending.trim_end_matches([' ', '.']);
    let marked = |length: usize| format!("{kept}~{}{ending}", hash.get(..length).unwrap_or_default());
    // Letters outside ASCII may be what is not allowed.
    let bare = format!("name~{}", hash.get(..16).unwrap_or_default());
    let own = (name.len() <= LONGEST).then(|| name.to_owned());
    own.into_iter().chain([marked(8), marked(16), bare]).collect()
}

/// The beginning of a text, at most so many bytes.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

pub(super) fn length(file: &OwnedFd) -> Result<u64, String> {
    let found = rustix::fs::fstat(file).map_err(|errno| std::io::Error::from(errno).to_string())?;
    u64::try_from(found.st_size).map_err(|error| error.to_string())
}

/// When it was modified, in milliseconds since 1970.
pub(super) fn set_modified(file: &OwnedFd, modified: i64) -> Result<(), String> {
    let time = Timespec { tv_sec: modified.div_euclid(1000), tv_nsec: modified.rem_euclid(1000) * 1_000_000 };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::futimens(file, &times).map_err(|errno| std::io::Error::from(errno).to_string())
}

/// Copies the bytes of an extent: shared with the original where the file system can, by the kernel where it can.
pub(super) fn copy(from: &dyn OpenFile, extent: Extent, to: &OwnedFd, offset: u64) -> Result<(), String> {
    let Extent { offset: mut source, mut length, .. } = extent;
    let mut target = offset;
    let input = from.descriptor().ok_or("the file has no descriptor")?;
    let words = |errno: Errno| std::io::Error::from(errno).to_string();
    while length > 0 {
        let most = usize::try_from(length).unwrap_or(usize::MAX);
        match retry_on_intr(|| {
            rustix::fs::copy_file_range(input, Some(&mut source), to, Some(&mut target), most)
        }) {
            // Some file systems say so of files that they can not copy.
            Ok(0) => break,
            Ok(copied) => length -= copied as u64,
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM | Errno::IO) => {
                break;
            }
            Err(errno) => return Err(words(errno)),
        }
    }
    by_hand(input, source, length, to, target)
}

fn by_hand(
    from: impl AsFd,
    mut source: u64,
    mut length: u64,
    to: &OwnedFd,
    mut target: u64,
) -> Result<(), String> {
    let mut buffer = vec![0; usize::try_from(length).unwrap_or(PIECE).min(PIECE)];
    while length > 0 {
        let wanted = usize::try_from(length).unwrap_or(PIECE).min(PIECE);
        let piece = buffer.get_mut(..wanted).unwrap_or_default();
        let read = retry_on_intr(|| rustix::io::pread(&from, &mut *piece, source));
        let read = read.map_err(|errno| std::io::Error::from(errno).to_string())?;
        if read == 0 {
            return Err(format!("its data file ends {length} bytes too early"));
        }
        crate::local::file::write_at(to, piece.get(..read).unwrap_or_default(), target, "the copy")
            .map_err(|error| error.to_string())?;
        (source, target, length) = (source + read as u64, target + read as u64, length - read as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_file_system_can_hold() {
        let long = "ü".repeat(255);
        for name in
            ["a", "a.txt", "CON", "a:b?.txt", ".hidden", "dots...", long.as_str(), &format!("{long}.txt")]
        {
            let all = candidates(name);
            for (number, candidate) in all.iter().enumerate() {
                assert!((1..=255).contains(&candidate.len()), "{candidate}");
                assert!(!candidate.contains('/'));
                assert!(number == 0 || *candidate != all[number - 1]);
            }
            assert_eq!(all.first().map(String::as_str) == Some(name), name.len() <= 255);
        }
        let mapped = candidates("a:b?.txt").remove(1);
        assert!(mapped.starts_with("a_b_~") && mapped.ends_with(".txt"), "{mapped}");
        assert_ne!(candidates(&format!("{long}a"))[0], candidates(&format!("{long}b"))[0]);
    }

    #[test]
    fn a_name_that_is_taken_gets_another() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::empty(place.path()).unwrap();
        let (first, _) = directory.create("a.txt").unwrap();
        let (second, _) = directory.create("a.txt").unwrap();
        assert_eq!(first, "a.txt");
        assert!(second.starts_with("a~") && second.ends_with(".txt"), "{second}");
        assert!(Directory::empty(place.path()).is_err(), "it is not empty any more");
    }
}
