//! Moves the bytes of files to other objects: off a volume that is to be emptied, or out of objects that are mostly dead.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use api::bytes::Bytes;
use api::ids::VolumeName;

use crate::error::Error;
use crate::extent::{ObjectId, VolumeIndex};
use crate::file_system::FsError;
use crate::format::pool::{Piece, Relocate};
use crate::object::ObjectWriter;
use crate::replica::Replica;
use crate::replica::garbage::Unfinished;
use crate::replica::place::Place;
use crate::snapshot::Freshness;
use crate::state::State;
use crate::state::intent::Intent;
use crate::state::relocate::Held;
use crate::volume::Volume;

/// So many objects are looked at in one step.
const MOST_OBJECTS: usize = 1024;

/// Small objects are put together until they have so many bytes.
const TOGETHER: u64 = if cfg!(test) { 16 << 10 } else { 8 << 20 };

/// So many files are changed with one entry, so that it does not keep others waiting.
const MOST_FILES: usize = 2_000;

/// What is read at once.
const PIECE: usize = 1 << 20;

/// Why bytes are moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelocationGoal {
    /// A volume is to hold none of them. Mark it as [drained](crate::Settings::drained) before, or new ones come.
    Drain(VolumeName),
    /// Objects of which more than half is dead are written anew.
    Compact,
}

/// Moves bytes step by step. It can be dropped after any step; a new one finds what is left to do.
pub struct Relocation {
    replica: Arc<Replica>,
    goal: RelocationGoal,
    avoid: Vec<Arc<Volume>>,
    ahead: VecDeque<(VolumeIndex, ObjectId)>,
}

/// What a step did.
#[derive(Clone, Debug, Default)]
pub struct Relocated {
    /// How many objects lost all or some of their bytes to others.
    pub objects: usize,
    /// How many bytes were copied.
    pub bytes: Bytes,
    /// Objects that could not be read, each with the reason. Nothing of them was changed.
    pub unreadable: Vec<(ObjectId, Error)>,
}

type Work = ((VolumeIndex, ObjectId), Held);

impl Relocation {
    pub(crate) async fn begin(replica: Arc<Replica>, goal: RelocationGoal) -> Result<Self, Error> {
        let state = replica.state(Freshness::Now).await?;
        let mut avoid = Vec::new();
        let mut from = None;
        if let RelocationGoal::Drain(name) = &goal {
            let volume = replica.shared.pool.volumes.iter().find(|volume| volume.name == *name).cloned();
            let missing = || Error::UnknownSpace(format!("this pod does not have the volume {name}"));
            let volume = volume.ok_or_else(missing)?;
            volume.ready().await?;
            from = replica.shared.place(&state, &volume).map(|place| place.index);
            avoid.push(volume);
            if from.is_none() {
                // The space never had anything there.
                return Ok(Self { replica, goal, avoid, ahead: VecDeque::new() });
            }
        }
        let ahead =
            state.objects.0.iter().filter(|((volume, _), known)| {
                known.references > 0 && from.is_none_or(|from| *volume == from)
            });
        let ahead = ahead.map(|(object, _)| *object).collect();
        Ok(Self { replica, goal, avoid, ahead })
    }

    /// How many objects are still to be looked at.
    #[must_use]
    pub fn left(&self) -> usize {
        self.ahead.len()
    }

    /// Moves some more, up to about so many bytes; `None` when nothing is left.
    ///
    /// # Errors
    /// When a volume fails, or none takes the bytes.
    pub async fn step(&mut self, most: Bytes) -> Result<Option<Relocated>, Error> {
        if self.ahead.is_empty() {
            return Ok(None);
        }
        let state = self.replica.state(Freshness::Now).await?;
        let some: HashSet<_> = self.ahead.iter().take(MOST_OBJECTS).copied().collect();
        let mut held = state.holders(|volume, object| some.contains(&(volume, object)));
        let mut done = Relocated::default();
        let (mut together, mut bytes) = (Vec::<Work>::new(), 0);
        for _ in 0..some.len() {
            if done.bytes.0 + bytes >= most.0 && (done.bytes.0 > 0 || bytes > 0) {
                break;
            }
            let Some(object) = self.ahead.pop_front() else { break };
            let Some(held) = held.remove(&object) else { continue };
            match self.is_to_move(&state, object, &held).await {
                Ok(false) => {}
                Ok(true) => {
                    bytes += held.bytes();
                    together.push((object, held));
                }
                Err(error @ Error::Stalled(_)) => return Err(error),
                Err(error) => done.unreadable.push((object.1, error)),
            }
            if bytes >= TOGETHER {
                self.copy(&state, std::mem::take(&mut together), &mut done).await?;
                bytes = 0;
            }
        }
        self.copy(&state, together, &mut done).await?;
        Ok(Some(done))
    }

    async fn is_to_move(
        &self,
        state: &State,
        (volume, object): (VolumeIndex, ObjectId),
        held: &Held,
    ) -> Result<bool, Error> {
        if let RelocationGoal::Drain(_) = self.goal {
            return Ok(true);
        }
        let shared = &self.replica.shared;
        let volume = shared.located(state, volume).await?;
        let length = crate::object::content_length(&volume, &shared.log.layout.object(object)).await;
        let length = length.map_err(|error| Error::of(error, &volume.name))?;
        Ok(held.bytes() < length / 2)
    }

    /// Copies what is alive of some objects into a new one, and says so in the log.
    async fn copy(&self, state: &State, work: Vec<Work>, done: &mut Relocated) -> Result<(), Error> {
        let size = work.iter().map(|(_, held)| held.bytes()).sum();
        if size == 0 {
            return Ok(());
        }
        let place = self.replica.place(size, &self.avoid).await?;
        let shared = &self.replica.shared;
        let object = shared.log.new_object(state.generation);
        let mut unfinished = Unfinished::new(self.replica.clone());
        unfinished.has_object(place.volume.clone(), object);
        let mut writer = ObjectWriter::new(shared.clone(), place.clone(), object);
        let mut steps = Vec::new();
        for ((volume, old), held) in work {
            match self.append(state, (volume, old), &held, &mut writer, &place).await {
                Ok(pieces) => {
                    done.objects += 1;
                    steps.extend(parts((volume, old), &pieces, &held));
                }
                Err(Failed::Reading(error)) => done.unreadable.push((old, error)),
                Err(Failed::Writing(error)) => return Err(error),
            }
        }
        if steps.is_empty() {
            return Ok(());
        }
        writer.seal().await?;
        done.bytes.0 += writer.taken();
        let mut unfinished = Some(unfinished);
        let mut steps = steps.into_iter().peekable();
        while let Some(first) = steps.next() {
            let mut files = holders(&first);
            let mut some = vec![first];
            while let Some(step) = steps.next_if(|step| files + holders(step) <= MOST_FILES) {
                files += holders(&step);
                some.push(step);
            }
            let intent = Intent::Relocate { steps: some.into() };
            self.replica.commit(None, None, Vec::new(), intent, None, unfinished.take()).await?;
        }
        Ok(())
    }

    async fn append(
        &self,
        state: &State,
        (volume, old): (VolumeIndex, ObjectId),
        held: &Held,
        writer: &mut ObjectWriter,
        place: &Place,
    ) -> Result<Vec<Piece>, Failed> {
        let shared = &self.replica.shared;
        let volume = shared.located(state, volume).await.map_err(Failed::Reading)?;
        let failed = |error: FsError| Failed::Reading(Error::of(error, &volume.name));
        let file = volume.fs.open(&shared.log.layout.object(old)).await.map_err(failed)?;
        let mut pieces = Vec::with_capacity(held.ranges.len());
        for (begin, end) in held.ranges.iter().copied() {
            let piece = Piece { offset: begin, to: place.extent(writer.object, writer.taken(), end - begin) };
            let mut at = begin;
            while at < end {
                let wanted = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
                let content = file.read(at, wanted).await.map_err(failed)?;
                if content.len() != wanted {
                    return Err(Failed::Reading(Error::Io(format!("{old}: the file ends too early"))));
                }
                writer.write(content).await.map_err(Failed::Writing)?;
                at += wanted as u64;
            }
            pieces.push(piece);
        }
        Ok(pieces)
    }
}

/// How much a step changes.
fn holders(step: &Relocate) -> usize {
    step.nodes.len() + step.uploads.len()
}

/// Which side of a copy failed.
enum Failed {
    Reading(Error),
    Writing(Error),
}

/// The steps that say where the bytes of an object are now; several when very many files hold them.
fn parts((volume, object): (VolumeIndex, ObjectId), pieces: &[Piece], held: &Held) -> Vec<Relocate> {
    let step = |nodes, uploads| Relocate { volume, object, pieces: pieces.to_vec(), nodes, uploads };
    let nodes: Vec<_> = held.nodes.iter().copied().collect();
    let uploads: Vec<_> = held.uploads.iter().copied().collect();
    let nodes = nodes.chunks(MOST_FILES).map(|some| step(some.to_vec(), Vec::new()));
    nodes.chain(uploads.chunks(MOST_FILES).map(|some| step(Vec::new(), some.to_vec()))).collect()
}
