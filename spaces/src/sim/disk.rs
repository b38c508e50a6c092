//! The simulated volume: what everybody sees, and what would be left of it without power.

use std::collections::{BTreeMap, BTreeSet};

use super::world::Owner;
use crate::file_system::FsError;

/// A file, whatever its names.
pub(super) type Ino = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    File(Ino),
    Directory(usize),
}

struct File {
    content: Vec<u8>,
    /// So much of it is durable.
    synced: usize,
    writer: Owner,
}

#[derive(Default)]
struct Directory {
    names: BTreeMap<String, Thing>,
    durable: BTreeMap<String, Thing>,
    /// What was changed since the last sync, in order.
    changes: Vec<(String, Option<Thing>)>,
}

/// What kind of volume it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Character {
    /// Names are durable when the call comes back, as of an NFS server.
    pub(super) names_durable: bool,
    /// What a client wrote and did not sync is lost with the client.
    pub(super) client_caches: bool,
    /// A client sees a removed name for a while.
    pub(super) stale_presence: bool,
    /// A client does not see a new name for a while, as NFS with the wrong mount options.
    pub(super) stale_absence: bool,
}

pub(super) struct Disk {
    pub(super) character: Character,
    files: Vec<File>,
    directories: Vec<Directory>,
    mounts: BTreeSet<Owner>,
    ghosts: BTreeMap<(Owner, String), (Ino, u64)>,
    absences: BTreeMap<(Owner, String), u64>,
    /// Counts power losses: calls under way do not outlive one.
    pub(super) boot: u64,
    /// Entries as they were linked, by generation, and when.
    pub(super) history: BTreeMap<u64, (Vec<u8>, u64)>,
}

/// The generation of a log that a path is.
fn generation(path: &str) -> Option<u64> {
    let mut parts = path.rsplit('/');
    let (name, _block, log) = (parts.next()?, parts.next()?, parts.next()?);
    if log == "log" { name.parse().ok() } else { None }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl Disk {
    pub(super) fn new(character: Character) -> Self {
        Self {
            character,
            files: Vec::new(),
            directories: vec![Directory::default()],
            mounts: BTreeSet::new(),
            ghosts: BTreeMap::new(),
            absences: BTreeMap::new(),
            boot: 0,
            history: BTreeMap::new(),
        }
    }

    pub(super) fn mount(&mut self, owner: Owner) {
        self.mounts.insert(owner);
    }

    pub(super) fn unmount(&mut self, owner: Owner) {
        self.mounts.remove(&owner);
        self.ghosts.retain(|(who, _), _| *who != owner);
        self.absences.retain(|(who, _), _| *who != owner);
    }

    fn directory(&self, path: &str) -> Result<usize, FsError> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(0, |directory, name| {
            match self.directories[directory].names.get(name) {
                Some(Thing::Directory(next)) => Ok(*next),
                Some(Thing::File(_)) => Err(FsError::Other("not a directory".into())),
                None => Err(FsError::NotFound),
            }
        })
    }

    fn change(&mut self, owner: Owner, directory: usize, path: &str, thing: Option<Thing>) {
        let name = split(path).1.to_owned();
        let durable = self.character.names_durable;
        let directory = &mut self.directories[directory];
        for names in std::iter::once(&mut directory.names).chain(durable.then_some(&mut directory.durable)) {
            match thing {
                Some(thing) => names.insert(name.clone(), thing),
                None => names.remove(&name),
            };
        }
        if !durable {
            directory.changes.push((name, thing));
        }
        // Who changes a directory looks at it afresh.
        let above = split(path).0.to_owned();
        let elsewhere = |who: Owner, path: &str| who != owner || split(path).0 != above;
        self.ghosts.retain(|(who, path), _| elsewhere(*who, path));
        self.absences.retain(|(who, path), _| elsewhere(*who, path));
    }

    pub(super) fn create(&mut self, owner: Owner, path: &str, content: &[u8]) -> Result<Ino, FsError> {
        let directory = self.directory(split(path).0)?;
        if self.directories[directory].names.contains_key(split(path).1) {
            return Err(FsError::Exists);
        }
        let ino = self.files.len();
        self.files.push(File { content: content.to_vec(), synced: 0, writer: owner });
        self.change(owner, directory, path, Some(Thing::File(ino)));
        Ok(ino)
    }

    pub(super) fn append(&mut self, ino: Ino, content: &[u8]) {
        self.files[ino].content.extend_from_slice(content);
    }

    pub(super) fn sync(&mut self, ino: Ino) {
        let file = &mut self.files[ino];
        file.synced = file.content.len();
    }

    pub(super) fn content(&self, ino: Ino) -> &[u8] {
        &self.files[ino].content
    }

    pub(super) fn link(&mut self, owner: Owner, from: &str, to: &str, now: u64) -> Result<(), FsError> {
        let source = self.directory(split(from).0)?;
        let Some(thing) = self.directories[source].names.get(split(from).1).copied() else {
            return Err(FsError::NotFound);
        };
        let directory = self.directory(split(to).0)?;
        if self.directories[directory].names.contains_key(split(to).1) {
            return Err(FsError::Exists);
        }
        if let (Some(generation), Thing::File(ino)) = (generation(to), thing) {
            self.history.insert(generation, (self.files[ino].content.clone(), now));
        }
        self.change(owner, directory, to, Some(thing));
        Ok(())
    }

    pub(super) fn unlink(
        &mut self,
        owner: Owner,
        path: &str,
        seen_until: impl Fn() -> Option<u64>,
    ) -> Result<(), FsError> {
        let directory = self.directory(split(path).0)?;
        let Some(Thing::File(ino)) = self.directories[directory].names.get(split(path).1).copied() else {
            return Err(FsError::NotFound);
        };
        self.change(owner, directory, path, None);
        if self.character.stale_presence {
            for other in self.mounts.iter().filter(|other| **other != owner) {
                if let Some(until) = seen_until() {
                    self.ghosts.insert((*other, path.to_owned()), (ino, until));
                }
            }
        }
        Ok(())
    }

    pub(super) fn make_directory(&mut self, owner: Owner, path: &str) -> Result<(), FsError> {
        let directory = self.directory(split(path).0)?;
        if self.directories[directory].names.contains_key(split(path).1) {
            return Err(FsError::Exists);
        }
        let new = self.directories.len();
        self.directories.push(Directory::default());
        self.change(owner, directory, path, Some(Thing::Directory(new)));
        Ok(())
    }

    pub(super) fn sync_directory(&mut self, path: &str) -> Result<(), FsError> {
        let directory = self.directory(path)?;
        let directory = &mut self.directories[directory];
        directory.durable = directory.names.clone();
        directory.changes.clear();
        Ok(())
    }

    /// Finds a file for a client that may remember how it was.
    pub(super) fn find(
        &mut self,
        owner: Owner,
        path: &str,
        now: u64,
        blind_until: Option<u64>,
    ) -> Result<Ino, FsError> {
        let key = (owner, path.to_owned());
        if self.absences.get(&key).is_some_and(|until| *until > now) {
            return Err(FsError::NotFound);
        }
        let directory = self.directory(split(path).0);
        let thing = directory.and_then(|directory| {
            self.directories[directory].names.get(split(path).1).copied().ok_or(FsError::NotFound)
        });
        match thing {
            Ok(Thing::File(ino)) => Ok(ino),
            Ok(Thing::Directory(_)) => Err(FsError::Other("is a directory".into())),
            Err(FsError::NotFound) => match self.ghosts.get(&key) {
                Some((ino, until)) if *until > now => Ok(*ino),
                _ => {
                    if let Some(until) = blind_until.filter(|_| self.character.stale_absence) {
                        self.absences.insert(key, until);
                    }
                    Err(FsError::NotFound)
                }
            },
            Err(error) => Err(error),
        }
    }

    pub(super) fn list(&self, path: &str) -> Result<Vec<String>, FsError> {
        Ok(self.directories[self.directory(path)?].names.keys().cloned().collect())
    }

    /// A client dies with what it had not written back.
    pub(super) fn client_dies(&mut self, owner: Owner, keep: impl Fn(u64) -> u64) {
        self.unmount(owner);
        if self.character.client_caches {
            self.forget(|file| file.writer == owner, keep);
        }
    }

    /// Of every change that was not synced, and of all content, some is lost.
    pub(super) fn lose_power(&mut self, keep: impl Fn(u64) -> u64) {
        self.boot += 1;
        for directory in &mut self.directories {
            let mut lost = BTreeSet::new();
            for (name, thing) in std::mem::take(&mut directory.changes) {
                if lost.contains(&name) || keep(2) == 0 {
                    if let (Some(Thing::File(_)), Ok(generation)) = (thing, name.parse()) {
                        self.history.remove(&generation);
                    }
                    lost.insert(name);
                } else {
                    match thing {
                        Some(thing) => directory.durable.insert(name, thing),
                        None => directory.durable.remove(&name),
                    };
                }
            }
            directory.names = directory.durable.clone();
        }
        self.ghosts.clear();
        self.absences.clear();
        self.forget(|_| true, keep);
    }

    fn forget(&mut self, whose: impl Fn(&File) -> bool, keep: impl Fn(u64) -> u64) {
        for file in self.files.iter_mut().filter(|file| whose(file) && file.synced < file.content.len()) {
            let unsynced = (file.content.len() - file.synced) as u64;
            let kept = file.synced + usize::try_from(keep(unsynced + 1)).unwrap();
            if keep(2) == 0 {
                file.content.truncate(kept);
            } else {
                // The length came through and the bytes did not.
                file.content[kept..].fill(0);
            }
            file.synced = file.content.len();
        }
    }

    /// Part of a file loses what was not synced: a sync failed.
    pub(super) fn sync_fails(&mut self, ino: Ino, kept: usize) {
        let file = &mut self.files[ino];
        let kept = kept.clamp(file.synced, file.content.len());
        file.content[kept..].fill(0);
    }

    /// Every file below a directory, for the checks at the end.
    pub(super) fn paths(&self, below: &str) -> Vec<(String, Ino)> {
        let mut found = Vec::new();
        let mut ahead = vec![below.to_owned()];
        while let Some(path) = ahead.pop() {
            let Ok(directory) = self.directory(&path) else { continue };
            for (name, thing) in &self.directories[directory].names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                match thing {
                    Thing::File(ino) => found.push((path, *ino)),
                    Thing::Directory(_) => ahead.push(path),
                }
            }
        }
        found
    }
}
