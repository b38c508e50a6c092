//! The simulated volume: what everybody sees, and what would be left of it without power.

use std::collections::BTreeMap;

use api::ids::SpaceId;
use bytes::Bytes;

use super::coverage::{Met, Tally};
use super::place::{PathId, Paths, Purpose, ROOT};
use super::world::Owner;
use crate::file_system::FsError;

/// A file, whatever its names.
pub(super) type Ino = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    File(Ino),
    Directory,
}

struct File {
    content: Bytes,
    /// So much of it is durable.
    synced: usize,
    writer: u32,
}

/// What is at a path.
#[derive(Default)]
struct Place {
    now: Option<Thing>,
    durable: Option<Thing>,
    /// Whether the directory above knows it.
    known: bool,
    /// What is or was in this directory.
    inside: Vec<PathId>,
    /// The clients that know of the last change, as [`bit`]s.
    seen: u64,
    /// What was changed in it since its last sync, in order.
    changes: Vec<(PathId, Option<Thing>)>,
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

/// What a client believes that is not so any more.
#[derive(Default)]
struct Belief {
    mounted: bool,
    /// Removed names, the files they had, and until when.
    ghosts: Vec<(PathId, Ino, u64)>,
    /// New names, and until when they are not seen.
    absences: Vec<(PathId, u64)>,
}

/// An entry that was linked into a log.
pub(super) struct Linked {
    pub(super) file: Bytes,
    /// When, in microseconds.
    pub(super) at: u64,
    /// Its place among all changes of the volume.
    pub(super) order: u64,
    ino: Ino,
}

/// Everything that ever had its place in a log, but for what a power loss took back.
#[derive(Default)]
pub(super) struct Chronicle {
    /// By generation.
    pub(super) entries: BTreeMap<u64, Linked>,
    /// Every state that was linked before a block.
    pub(super) starts: Vec<(u64, Bytes)>,
    /// Objects that were removed, and when among all changes of the volume.
    pub(super) removed: BTreeMap<String, u64>,
    /// Whether each of them was on the second volume, and what it was.
    pub(super) lost: BTreeMap<String, (bool, Ino)>,
}

impl Chronicle {
    pub(super) fn newest(&self) -> u64 {
        self.entries.keys().next_back().copied().unwrap_or(0)
    }
}

pub(super) struct Disk {
    pub(super) character: Character,
    pub(super) paths: Paths,
    places: Vec<Place>,
    files: Vec<File>,
    beliefs: Vec<Belief>,
    /// Counts power losses: calls under way do not outlive one.
    pub(super) boot: u64,
    pub(super) chronicles: BTreeMap<SpaceId, Chronicle>,
    /// Counts changes.
    order: u64,
}

impl Disk {
    pub(super) fn new(character: Character) -> Self {
        let root = Place { now: Some(Thing::Directory), durable: Some(Thing::Directory), ..Place::default() };
        Self {
            character,
            paths: Paths::new(),
            places: vec![root],
            files: Vec::new(),
            beliefs: Vec::new(),
            boot: 0,
            chronicles: BTreeMap::new(),
            order: 0,
        }
    }

    /// The number of a path.
    pub(super) fn path(&mut self, path: &str) -> PathId {
        let number = self.paths.number(path);
        if self.paths.len() > self.places.len() {
            self.places.resize_with(self.paths.len(), Place::default);
        }
        number
    }

    pub(super) fn newest(&self, space: SpaceId) -> u64 {
        self.chronicles.get(&space).map_or(0, Chronicle::newest)
    }

    fn belief(&mut self, owner: &Owner) -> &mut Belief {
        let number = owner.number as usize;
        if self.beliefs.len() <= number {
            self.beliefs.resize_with(number + 1, Belief::default);
        }
        &mut self.beliefs[number]
    }

    pub(super) fn mount(&mut self, owner: &Owner) {
        self.belief(owner).mounted = true;
    }

    pub(super) fn unmount(&mut self, owner: &Owner) {
        *self.belief(owner) = Belief::default();
    }

    fn place(&self, path: PathId) -> &Place {
        &self.places[path as usize]
    }

    fn directory(&self, path: PathId) -> Result<(), FsError> {
        match self.place(path).now {
            Some(Thing::Directory) => Ok(()),
            Some(Thing::File(_)) => Err(FsError::Other("not a directory".into())),
            None => Err(FsError::NotFound),
        }
    }

    /// Whether a new name can be made.
    fn free(&self, path: PathId) -> Result<(), FsError> {
        self.directory(self.paths.above(path))?;
        if self.place(path).now.is_some() { Err(FsError::Exists) } else { Ok(()) }
    }

    /// A client knows what is at a path, and that may not be taken back while it lives.
    pub(super) fn see(&mut self, owner: &Owner, path: PathId) {
        self.places[path as usize].seen |= bit(owner.number);
    }

    fn change(&mut self, owner: &Owner, path: PathId, thing: Option<Thing>) {
        let durable = self.character.names_durable;
        let above = self.paths.above(path);
        let place = &mut self.places[path as usize];
        (place.now, place.seen) = (thing, bit(owner.number));
        if durable {
            place.durable = thing;
        }
        let known = std::mem::replace(&mut place.known, true);
        let directory = &mut self.places[above as usize];
        if !known {
            directory.inside.push(path);
        }
        if !durable {
            directory.changes.push((path, thing));
        }
        // Who changes a directory looks at it afresh.
        if let Some(belief) = self.beliefs.get_mut(owner.number as usize) {
            let paths = &self.paths;
            belief.ghosts.retain(|(path, ..)| paths.above(*path) != above);
            belief.absences.retain(|(path, _)| paths.above(*path) != above);
        }
    }

    pub(super) fn create(&mut self, owner: &Owner, path: PathId, content: Bytes) -> Result<Ino, FsError> {
        self.free(path)?;
        let ino = Ino::try_from(self.files.len()).unwrap();
        self.files.push(File { content, synced: 0, writer: owner.number });
        self.change(owner, path, Some(Thing::File(ino)));
        Ok(ino)
    }

    pub(super) fn append(&mut self, ino: Ino, content: Bytes) {
        let file = &mut self.files[ino as usize];
        file.content = if file.content.is_empty() {
            content
        } else {
            [file.content.as_ref(), content.as_ref()].concat().into()
        };
    }

    pub(super) fn sync(&mut self, ino: Ino) {
        let file = &mut self.files[ino as usize];
        file.synced = file.content.len();
    }

    pub(super) fn content(&self, ino: Ino) -> &Bytes {
        &self.files[ino as usize].content
    }

    pub(super) fn link(
        &mut self,
        owner: &Owner,
        from: PathId,
        to: PathId,
        now: u64,
        met: &Tally,
    ) -> Result<(), FsError> {
        self.directory(self.paths.above(from))?;
        let Some(thing) = self.place(from).now else { return Err(FsError::NotFound) };
        self.free(to)?;
        self.order += 1;
        let order = self.order;
        if let Thing::File(ino) = thing {
            let file = self.content(ino).clone();
            match self.paths.purpose(to) {
                Purpose::Entry { space, generation } => {
                    // What is linked into a past that was truncated is no part of it.
                    let entries = &mut self.chronicles.entry(space).or_default().entries;
                    if entries.contains_key(&generation) {
                        met.add(Met::IntoThePast);
                    }
                    entries.entry(generation).or_insert(Linked { file, at: now, order, ino });
                }
                Purpose::Start { space, block } => {
                    met.add(Met::StartLinked);
                    self.chronicles.entry(space).or_default().starts.push((block, file));
                }
                Purpose::Gone => met.add(Met::GoneLinked),
                _ => {}
            }
        }
        self.change(owner, to, Some(thing));
        Ok(())
    }

    pub(super) fn unlink(
        &mut self,
        owner: &Owner,
        path: PathId,
        seen_until: impl Fn() -> Option<u64>,
    ) -> Result<(), FsError> {
        self.directory(self.paths.above(path))?;
        let Some(Thing::File(ino)) = self.place(path).now else { return Err(FsError::NotFound) };
        self.order += 1;
        if let Purpose::Object { space } = self.paths.purpose(path) {
            let name = self.paths.name(path).to_owned();
            let second = self.paths.is_second(path);
            let chronicle = self.chronicles.entry(space).or_default();
            chronicle.removed.insert(name.clone(), self.order);
            chronicle.lost.insert(name, (second, ino));
        }
        self.change(owner, path, None);
        if self.character.stale_presence {
            for (number, belief) in (0_u32..).zip(&mut self.beliefs) {
                if belief.mounted
                    && number != owner.number
                    && let Some(until) = seen_until()
                {
                    belief.ghosts.push((path, ino, until));
                }
            }
        }
        Ok(())
    }

    pub(super) fn make_directory(&mut self, owner: &Owner, path: PathId) -> Result<(), FsError> {
        self.free(path)?;
        self.change(owner, path, Some(Thing::Directory));
        Ok(())
    }

    pub(super) fn sync_directory(&mut self, path: PathId) -> Result<(), FsError> {
        self.directory(path)?;
        for (changed, _) in std::mem::take(&mut self.places[path as usize].changes) {
            let changed = &mut self.places[changed as usize];
            changed.durable = changed.now;
        }
        Ok(())
    }

    /// Finds a file for a client that may remember how it was.
    pub(super) fn find(
        &mut self,
        owner: &Owner,
        path: PathId,
        now: u64,
        blind_until: impl Fn() -> Option<u64>,
        met: &Tally,
    ) -> Result<Ino, FsError> {
        let blind = self.character.stale_absence;
        if blind && self.belief(owner).absences.iter().any(|(absent, until)| *absent == path && *until > now)
        {
            if self.place(path).now.is_some() {
                met.add(Met::StaleAbsence);
            }
            return Err(FsError::NotFound);
        }
        match self.place(path).now {
            Some(Thing::File(ino)) => Ok(ino),
            Some(Thing::Directory) => Err(FsError::Other("is a directory".into())),
            None => {
                let belief = self.belief(owner);
                if let Some((_, ino, _)) =
                    belief.ghosts.iter().rev().find(|(ghost, _, until)| *ghost == path && *until > now)
                {
                    met.add(Met::StalePresence);
                    return Ok(*ino);
                }
                if blind && let Some(until) = blind_until() {
                    belief.absences.push((path, until));
                }
                Err(FsError::NotFound)
            }
        }
    }

    pub(super) fn list(&mut self, owner: &Owner, path: PathId) -> Result<Vec<String>, FsError> {
        self.directory(path)?;
        for place in 0..self.place(path).inside.len() {
            self.see(owner, self.place(path).inside[place]);
        }
        let there = self.place(path).inside.iter().filter(|inside| self.place(**inside).now.is_some());
        Ok(there.map(|inside| self.paths.name(*inside).to_owned()).collect())
    }

    /// A client dies with what it had not written back.
    pub(super) fn client_dies(&mut self, owner: &Owner, keep: impl Fn(u64) -> u64, met: &Tally) {
        self.unmount(owner);
        if self.character.client_caches {
            self.forget(|file| file.writer == owner.number, keep, met, Met::ClientLostCache);
        }
    }

    /// Of every change that was not synced, and of all content, some is lost. What a client that lives on has done or
    /// seen is not: it does the one again, and the other was only shown to it once it was there for good.
    pub(super) fn lose_power(&mut self, living: &[u32], keep: impl Fn(u64) -> u64, met: &Tally) {
        self.boot += 1;
        if !living.is_empty() {
            self.keep_what_was_seen(living);
        }
        for number in 0..self.places.len() {
            let mut lost = Vec::new();
            for (path, thing) in std::mem::take(&mut self.places[number].changes) {
                if lost.contains(&path) || keep(2) == 0 {
                    self.forget_name(path, thing, met);
                    lost.push(path);
                } else {
                    self.places[path as usize].durable = thing;
                }
            }
        }
        // What is above has a lower number, so it is known already whether it is left.
        for path in ROOT + 1..PathId::try_from(self.places.len()).unwrap() {
            let left = self.place(self.paths.above(path)).now == Some(Thing::Directory);
            let place = &mut self.places[path as usize];
            place.durable = place.durable.filter(|_| left);
            place.now = place.durable;
        }
        for belief in &mut self.beliefs {
            belief.ghosts.clear();
            belief.absences.clear();
        }
        self.forget(|_| true, keep, met, Met::ContentLost);
    }

    fn keep_what_was_seen(&mut self, by: &[u32]) {
        let them = by.iter().fold(0, |bits, number| bits | bit(*number));
        let mut seen = vec![false; self.places.len()];
        // What is above has a lower number.
        for path in (ROOT + 1..PathId::try_from(self.places.len()).unwrap()).rev() {
            let place = &mut self.places[path as usize];
            if seen[path as usize] || place.seen & them != 0 {
                seen[path as usize] = true;
                place.durable = place.now;
                if let Some(Thing::File(ino)) = place.now {
                    self.sync(ino);
                }
                seen[self.paths.above(path) as usize] = true;
            }
        }
        for place in &mut self.places {
            place.changes.retain(|(path, _)| !seen[*path as usize]);
        }
        for file in self.files.iter_mut().filter(|file| by.contains(&file.writer)) {
            file.synced = file.content.len();
        }
    }

    fn forget_name(&mut self, path: PathId, thing: Option<Thing>, met: &Tally) {
        let Some(Thing::File(lost)) = thing else { return met.add(Met::UnlinkLost) };
        met.add(Met::NameLost);
        if let Purpose::Entry { space, generation } = self.paths.purpose(path) {
            let entries = &mut self.chronicles.entry(space).or_default().entries;
            if entries.get(&generation).is_some_and(|linked| linked.ino == lost) {
                entries.remove(&generation);
            }
        }
    }

    fn forget(
        &mut self,
        whose: impl Fn(&File) -> bool,
        keep: impl Fn(u64) -> u64,
        met: &Tally,
        as_what: Met,
    ) {
        for file in self.files.iter_mut().filter(|file| file.synced < file.content.len() && whose(file)) {
            met.add(as_what);
            let unsynced = (file.content.len() - file.synced) as u64;
            let kept = file.synced + usize::try_from(keep(unsynced + 1)).unwrap();
            if keep(2) == 0 {
                file.content.truncate(kept);
            } else {
                // The length came through and the bytes did not.
                file.content = blank(&file.content, kept);
            }
            file.synced = file.content.len();
        }
    }

    /// Part of a file loses what was not synced: a sync failed.
    pub(super) fn sync_fails(&mut self, ino: Ino, kept: usize) {
        let file = &mut self.files[ino as usize];
        file.content = blank(&file.content, kept.clamp(file.synced, file.content.len()));
    }

    /// Every file there is, for the checks at the end.
    pub(super) fn files(&self) -> impl Iterator<Item = (PathId, Ino)> + '_ {
        (0_u32..).zip(&self.places).filter_map(|(path, place)| match place.now {
            Some(Thing::File(ino)) => Some((path, ino)),
            _ => None,
        })
    }
}

/// One of 64 bits for a client. Two may have the same: then less is lost.
fn bit(number: u32) -> u64 {
    1 << (number % 64)
}

/// A content with nothing but zeros from some place on.
fn blank(content: &Bytes, from: usize) -> Bytes {
    let mut content = content.to_vec();
    content[from..].fill(0);
    content.into()
}
