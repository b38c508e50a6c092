//! The directory that a check works in: `check/<name>` on the volume, flat but for one chain of directories.

use std::os::fd::OwnedFd;

use crate::file_system::FsError;
use crate::local::directory::Directory;
use crate::local::file;

/// Where all checks work.
const ABOVE: &str = "check";
/// What is left of a check that died is taken away when it is so old, in seconds.
const DEAD: i64 = 60 * 60;
/// A check makes no directories deeper than this.
const DEEPEST: usize = 8;

/// The directory of one check.
pub(super) struct Yard<'d> {
    pub(super) directory: &'d Directory,
    path: String,
}

impl<'d> Yard<'d> {
    /// Makes it. Pods that check together make it together.
    pub(super) fn make(directory: &'d Directory, name: Option<&str>) -> Result<Self, FsError> {
        made(directory.make(ABOVE))?;
        let name = name.map_or_else(random, str::to_owned);
        let path = format!("{ABOVE}/{name}");
        made(directory.make(&path))?;
        let yard = Self { directory, path };
        yard.bury(&name);
        Ok(yard)
    }

    /// A directory in it that is this pod's alone.
    pub(super) fn own(&self, name: &str) -> Result<Self, FsError> {
        let path = self.path(name);
        made(self.directory.make(&path))?;
        Ok(Self { directory: self.directory, path })
    }

    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    pub(super) fn list(&self) -> Result<Vec<String>, FsError> {
        self.directory.list(&self.path)
    }

    pub(super) fn create(&self, name: &str) -> Result<OwnedFd, FsError> {
        self.directory.create(&self.path(name))
    }

    /// A file with this content, durable.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<(), FsError> {
        let path = self.path(name);
        let created = self.directory.create(&path)?;
        file::write_at(&created, content, 0, &path)?;
        file::sync(&created, &path)
    }

    /// A file that nobody sees before it is whole.
    pub(super) fn publish(&self, name: &str, content: &[u8]) -> Result<(), FsError> {
        let temporary = format!("t-{}", random());
        self.write(&temporary, content)?;
        let linked = self.directory.link(&self.path(&temporary), &self.path(name));
        self.directory.unlink(&self.path(&temporary))?;
        linked
    }

    /// What is in a file, opened afresh; `None` when there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, FsError> {
        let path = self.path(name);
        match self.directory.open(&path) {
            Ok(opened) => file::read_at(&opened, 0, 1 << 20, &path).map(|content| Some(content.to_vec())),
            Err(FsError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn link(&self, from: &str, to: &str) -> Result<(), FsError> {
        self.directory.link(&self.path(from), &self.path(to))
    }

    pub(super) fn unlink(&self, name: &str) -> Result<(), FsError> {
        self.directory.unlink(&self.path(name))
    }

    pub(super) fn sync(&self) -> Result<(), FsError> {
        self.directory.sync(&self.path)
    }

    /// Takes all of it away. What can not be is left to a later check.
    pub(super) fn clear(&self) {
        remove(self.directory, &self.path, DEEPEST);
        self.leave();
    }

    /// Leaves it to the others. The directory above goes with the last of them.
    pub(super) fn leave(&self) {
        let _ = self.directory.remove_directory(ABOVE);
    }

    /// Takes away what checks left that died.
    fn bury(&self, own: &str) {
        for other in self.directory.list(ABOVE).unwrap_or_default() {
            let path = format!("{ABOVE}/{other}");
            if other != own && self.directory.age(&path, &self.path).is_ok_and(|age| age > DEAD) {
                remove(self.directory, &path, DEEPEST);
            }
        }
    }
}

/// Removes a directory and what is in it. Links are not followed: [`Directory`] sees to that.
fn remove(directory: &Directory, path: &str, deepest: usize) {
    for name in directory.list(path).unwrap_or_default() {
        let below = format!("{path}/{name}");
        if directory.unlink(&below).is_err() && deepest > 0 {
            remove(directory, &below, deepest - 1);
        }
    }
    let _ = directory.remove_directory(path);
}

fn made(result: Result<(), FsError>) -> Result<(), FsError> {
    match result {
        Err(FsError::Exists) => Ok(()),
        result => result,
    }
}

/// A name that nobody can guess.
pub(super) fn random() -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = fastrand::u128(..).to_ne_bytes();
    }
    format!("{:032x}", u128::from_ne_bytes(bytes))
}
