//! Copies and moves files and directories from one space to another.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::generation::Generation;

use crate::error::Error;
use crate::extent::{Extent, ObjectId, VolumeIndex};
use crate::file_system::FsError;
use crate::format::pool::{Fingerprint, Imported};
use crate::lock::LockToken;
use crate::object::ObjectWriter;
use crate::operation::{Committed, OperationId};
use crate::path::NodePath;
use crate::replica::Replica;
use crate::replica::garbage::Unfinished;
use crate::replica::place::Place;
use crate::snapshot::Freshness;
use crate::state::State;
use crate::state::import::bytes_of;
use crate::state::intent::Intent;
use crate::state::plan::Planned;
use crate::state::retention::Retention;
use crate::volume::Volume;

/// So often it is looked anew where the bytes are, when they have come to lie elsewhere meanwhile.
const MOST_TRIES: u32 = 4;

/// What is read at once when bytes are copied.
const PIECE: usize = 1 << 20;

/// A copy or a move from one space to another.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Which file or directory.
    pub from: NodePath,
    /// Its path in the other space.
    pub to: NodePath,
    /// Whether something may be there already.
    pub overwrite: bool,
    /// The locks that its sender holds, in either space.
    pub locks: Vec<LockToken>,
    /// Names it in both spaces: asking again with the same id does what is left to do.
    pub id: OperationId,
    /// The newest generation of the destination that the sender knew when it first asked; see
    /// [`Request::born`](crate::Request::born).
    pub born: Option<Generation>,
}

/// What became of a transfer.
#[derive(Clone, Debug)]
pub struct Transferred {
    /// What the destination has.
    pub committed: Committed,
    /// What became of the source.
    pub source: Source,
}

/// What became of the source of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was to be kept.
    Copied,
    /// It is gone.
    Removed,
    /// It was changed after it was copied, and so was not deleted: the content is in both spaces.
    Changed,
}

/// Where the bytes of an object of the source are for the destination.
type Places = BTreeMap<(VolumeIndex, ObjectId), Vec<(u64, Extent)>>;

/// Copies, and with `removes` deletes the source when it is as it was.
pub(crate) async fn transfer(
    from: &Arc<Replica>,
    to: &Arc<Replica>,
    what: Transfer,
    removes: bool,
) -> Result<Transferred, Error> {
    let (path, id) = (what.from.clone(), what.id);
    if from.shared.log.space == to.shared.log.space {
        return within(to, what, removes).await;
    }
    let known = to.state(Freshness::Now).await?;
    let (committed, copied) = match known.outcomes.get(id) {
        // The first half was done.
        Some(outcome) => {
            let node = outcome.node.and_then(|node| known.node(node));
            let committed = Committed { generation: outcome.generation, node };
            (committed, known.moves.get(&id).copied())
        }
        None => {
            if path.is_root() {
                return Err(Error::Root);
            }
            let done = tried(from, to, &what, removes).await?;
            // Another one with this id may have been first, and have copied something else.
            let known = to.state(Freshness::AtLeast(done.generation)).await?;
            (done, known.moves.get(&id).copied())
        }
    };
    let source = if removes { remove(from, what, copied).await? } else { Source::Copied };
    Ok(Transferred { committed, source })
}

/// The first half, of what is there now.
async fn tried(
    from: &Arc<Replica>,
    to: &Arc<Replica>,
    what: &Transfer,
    removes: bool,
) -> Result<Committed, Error> {
    let mut tries = 1;
    loop {
        let state = from.state(Freshness::Now).await?;
        let node = state.find(&what.from).ok_or(Error::NotFound)?;
        let copied = removes.then(|| state.fingerprint(node));
        if let Some(copied) = copied {
            // What could not leave its place then is not copied first.
            let intent = Intent::RemoveCopied { path: what.from.clone(), copied };
            if let Planned::Steps { actions, .. } = state.plan(&intent, Retention::default())? {
                state.unlocked(&actions, &what.locks)?;
            }
        }
        match first_half(from, to, &state, what, copied).await {
            // Its bytes were moved or replaced, and what was there is collected.
            Err(Lost::Bytes) if tries < MOST_TRIES => tries += 1,
            Err(Lost::Bytes) => {
                let what = "a data file of the source is missing; restore it from a backup";
                return Err(Error::Io(what.to_owned()));
            }
            Err(Lost::Refused(error)) => return Err(error),
            Ok(done) => return Ok(done),
        }
    }
}

/// When both spaces are one it is an ordinary operation.
async fn within(space: &Arc<Replica>, what: Transfer, removes: bool) -> Result<Transferred, Error> {
    let Transfer { from, to, overwrite, locks, id, born } = what;
    let (intent, source) = if removes {
        (Intent::Move { from, to, overwrite }, Source::Removed)
    } else {
        (Intent::Copy { from, to, overwrite }, Source::Copied)
    };
    let committed = space.commit(Some(id), born, locks, intent, None, None).await?;
    Ok(Transferred { committed, source })
}

/// Why nothing was brought over.
#[derive(Debug)]
pub(crate) enum Lost {
    /// An object of the source is not there.
    Bytes,
    Refused(Error),
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Brings what is at a path of a state into another space.
pub(crate) async fn first_half(
    from: &Arc<Replica>,
    to: &Arc<Replica>,
    state: &State,
    what: &Transfer,
    source: Option<Fingerprint>,
) -> Result<Committed, Lost> {
    let Transfer { from: path, to: target, overwrite, locks, id, born } = what;
    let tree = state.export(state.find(path).ok_or(Error::NotFound)?)?;
    let intent = |tree: Vec<Imported>| {
        let (path, tree, overwrite) = (target.clone(), tree.into(), *overwrite);
        Intent::Import { path, tree, overwrite, source }
    };
    // What can not be is not copied first.
    let known = to.state(Freshness::AtLeast(to.shared.known())).await?;
    known.plan(&intent(placeless(tree.clone())), Retention::default()).and_then(|_| known.has_room(&tree))?;
    let mut unfinished = Unfinished::new(to.clone());
    let places = Copying { from, to, state, unfinished: &mut unfinished }.all(&tree).await?;
    let locks = locks.clone();
    let intent = intent(placed(tree, &places)?);
    Ok(to.commit(Some(*id), *born, locks, intent, None, Some(unfinished)).await?)
}

/// The second half of a move.
async fn remove(from: &Arc<Replica>, what: Transfer, copied: Option<Fingerprint>) -> Result<Source, Error> {
    // Of what was forgotten nothing is deleted.
    let Some(copied) = copied else { return Ok(Source::Changed) };
    let Transfer { from: path, id, locks, .. } = what;
    let intent = Intent::RemoveCopied { path, copied };
    match from.commit(Some(id), None, locks, intent, None, None).await {
        Ok(_) => Ok(Source::Removed),
        Err(Error::Precondition | Error::NotFound) => Ok(Source::Changed),
        Err(error) => Err(error),
    }
}

/// A tree as it is asked about before its bytes have a place.
fn placeless(tree: Vec<Imported>) -> Vec<Imported> {
    tree.into_iter().map(|node| Imported { extents: node.extents.map(|_| Vec::new()), ..node }).collect()
}

/// A tree with its bytes where they are in the destination.
fn placed(tree: Vec<Imported>, places: &Places) -> Result<Vec<Imported>, Error> {
    let place = |extent: Extent| {
        let places = places.get(&(extent.volume, extent.object)).into_iter().flatten();
        let mut found = places.filter_map(|(offset, to)| {
            let within = extent.offset.checked_sub(*offset)?;
            let covered = within.checked_add(extent.length)? <= to.length;
            covered.then_some(Extent { offset: to.offset + within, length: extent.length, ..*to })
        });
        found.next().ok_or_else(|| Error::Io("some bytes were not copied".to_owned()))
    };
    let node = |node: Imported| {
        let extents = node.extents.map(|extents| extents.into_iter().map(place).collect()).transpose()?;
        Ok(Imported { extents, ..node })
    };
    tree.into_iter().map(node).collect()
}

/// Brings objects into another space.
struct Copying<'a> {
    from: &'a Arc<Replica>,
    to: &'a Arc<Replica>,
    state: &'a State,
    unfinished: &'a mut Unfinished,
}

impl Copying<'_> {
    async fn all(mut self, tree: &[Imported]) -> Result<Places, Lost> {
        let mut ranges = BTreeMap::<_, Vec<(u64, u64)>>::new();
        for extent in tree.iter().flat_map(|node| node.extents.iter().flatten()) {
            let end = extent.offset.saturating_add(extent.length);
            ranges.entry((extent.volume, extent.object)).or_default().push((extent.offset, end));
        }
        let mut places = Places::new();
        for ((volume, object), ranges) in ranges {
            let place = self.one((volume, object), ranges, bytes_of(tree).0).await?;
            places.insert((volume, object), place);
        }
        Ok(places)
    }

    async fn one(
        &mut self,
        (index, object): (VolumeIndex, ObjectId),
        ranges: Vec<(u64, u64)>,
        size: u64,
    ) -> Result<Vec<(u64, Extent)>, Lost> {
        let volume = self.from.shared.located(self.state, index).await?;
        if self.to.shared.pool.takes(&volume, 0)
            && let Some(place) = self.linked(&volume, object).await?
        {
            let end = ranges.iter().map(|(_, end)| *end).max().unwrap_or(0);
            return Ok(vec![(0, place.0.extent(place.1, 0, end))]);
        }
        self.copied(&volume, object, ranges, size).await
    }

    /// A second name for an object. `None` when the file system makes none there.
    async fn linked(
        &mut self,
        volume: &Arc<Volume>,
        object: ObjectId,
    ) -> Result<Option<(Place, ObjectId)>, Error> {
        let place = match self.to.named(volume).await {
            Ok(place) => place,
            // Pods of an older version do not know other volumes.
            Err(Error::FormatTooOld { .. } | Error::TooMuch { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let shared = &self.to.shared;
        let new = shared.log.new_object(shared.known());
        let failed = |error: FsError| shared.failed_at(volume, error);
        shared.ensure_objects(volume, new).await.map_err(failed)?;
        self.unfinished.has_object(volume.clone(), new);
        let (old, path) = (self.from.shared.log.layout.object(object), shared.log.layout.object(new));
        match volume.fs.link(&old, &path).await {
            // Nobody else makes this name: a reply was lost.
            Ok(()) | Err(FsError::Exists) => {}
            Err(FsError::Stalled) => return Err(failed(FsError::Stalled)),
            // It is copied, and when it is gone that is told then.
            Err(_) if volume.fs.stat(&path).await.is_err() => return Ok(None),
            Err(_) => {}
        }
        volume.fs.sync_directory(&shared.log.layout.objects(new)).await.map_err(failed)?;
        Ok(Some((place, new)))
    }

    async fn copied(
        &mut self,
        volume: &Arc<Volume>,
        object: ObjectId,
        mut ranges: Vec<(u64, u64)>,
        size: u64,
    ) -> Result<Vec<(u64, Extent)>, Lost> {
        let place = self.to.place(size, &[]).await?;
        let shared = &self.to.shared;
        let new = shared.log.new_object(shared.known());
        self.unfinished.has_object(place.volume.clone(), new);
        let failed = |error: FsError| match error {
            FsError::NotFound => Lost::Bytes,
            error => Lost::Refused(Error::of(error, &volume.name)),
        };
        let file = volume.fs.open(&self.from.shared.log.layout.object(object)).await.map_err(failed)?;
        let mut writer = ObjectWriter::new(shared.clone(), place.clone(), new);
        let mut places = Vec::with_capacity(ranges.len());
        ranges.sort_unstable();
        ranges.dedup();
        for (begin, end) in ranges {
            places.push((begin, place.extent(new, writer.taken(), end - begin)));
            let mut at = begin;
            while at < end {
                let wanted = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
                let content = file.read(at, wanted).await.map_err(failed)?;
                if content.len() != wanted {
                    return Err(Error::Io(format!("{object}: the file ends too early")).into());
                }
                writer.write(content).await?;
                at += wanted as u64;
            }
        }
        writer.seal().await?;
        Ok(places)
    }
}
