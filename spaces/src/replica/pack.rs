//! Small contents of one round, packed into one object: one create and one sync for all.

use std::sync::Arc;

use api::generation::Generation;
use bytes::{Bytes, BytesMut};

use super::actor::Actor;
use super::place::Place;
use super::{Pending, Shared};
use crate::error::Error;
use crate::extent::{Extent, ObjectId};
use crate::file_system::{self, FsError, Step};
use crate::format::sums::{Summing, Sums};
use crate::state::intent::Intent;
use crate::volume::Volume;

/// An object of several contents.
pub(super) struct Pack {
    object: ObjectId,
    place: Place,
    content: Bytes,
    written: bool,
    /// Volumes that did not take it.
    avoid: Vec<Arc<Volume>>,
}

impl Pack {
    /// Says to each small content where it will be. `None` when there is none.
    fn of(round: &mut [Pending], shared: &Shared, born: Generation, place: Place) -> Option<Self> {
        let length: usize = round.iter().filter_map(|pending| pending.inline.as_ref()).map(Bytes::len).sum();
        let behind = usize::try_from(Sums::behind(length as u64)).unwrap_or_default();
        let mut buffer = BytesMut::with_capacity(length.saturating_add(behind));
        let object = shared.log.new_object(born);
        for pending in round {
            let (Some(inline), Intent::Put { content, .. }) = (pending.inline.take(), &mut pending.intent)
            else {
                continue;
            };
            if !inline.is_empty() {
                let (offset, length) = (buffer.len() as u64, inline.len() as u64);
                content.extents = vec![place.extent(object, offset, length)];
                buffer.extend_from_slice(&inline);
            }
        }
        if buffer.is_empty() {
            return None;
        }
        let mut summing = Summing::default();
        summing.add(&buffer);
        buffer.extend_from_slice(&summing.end());
        let content = buffer.freeze();
        Some(Self { object, place, content, written: false, avoid: Vec::new() })
    }

    pub(super) fn is_written(&self) -> bool {
        self.written
    }

    /// Writes it durably, once.
    pub(super) async fn write(&mut self, shared: &Shared) -> Result<(), FsError> {
        if self.written {
            return Ok(());
        }
        let (layout, volume) = (&shared.log.layout, &self.place.volume);
        shared.ensure_objects(volume, self.object).await?;
        let (path, directory) = (layout.object(self.object), layout.objects(self.object));
        let steps = vec![
            Step::Write { path, content: self.content.clone() },
            Step::SyncDirectory { path: directory },
        ];
        file_system::steps(volume.fs.as_ref(), steps, None).await.map_err(|halted| halted.error)?;
        self.written = true;
        // Nothing reads it from memory any more.
        self.content = Bytes::new();
        Ok(())
    }

    fn holds(&self, extent: &Extent) -> bool {
        (extent.volume, extent.object) == (self.place.index, self.object)
    }

    /// Whether an operation has its content here.
    fn is_of(&self, pending: &Pending) -> bool {
        matches!(&pending.intent, Intent::Put { content, .. } if content.extents.iter().any(|extent| self.holds(extent)))
    }

    /// It will be at another place. No entry can refer to it yet.
    fn go_to(&mut self, round: &mut [Pending], object: ObjectId, place: Place) {
        for pending in round {
            let Intent::Put { content, .. } = &mut pending.intent else { continue };
            for extent in content.extents.iter_mut().filter(|extent| self.holds(extent)) {
                (extent.volume, extent.object) = (place.index, object);
            }
        }
        (self.object, self.place) = (object, place);
    }
}

impl Actor {
    /// Packs the small contents of a round. Those that no volume takes are refused. Whether there were any.
    pub(super) async fn pack(
        &mut self,
        round: &mut Vec<Pending>,
        packs: &mut Vec<Pack>,
        born: Generation,
    ) -> bool {
        let length = |pending: &Pending| pending.inline.as_ref().map_or(0, |inline| inline.len() as u64);
        let size = round.iter().map(length).sum();
        if size == 0 {
            return false;
        }
        match self.find_place(size, &[]).await {
            Ok(place) => packs.extend(Pack::of(round, &self.shared, born, place)),
            Err(error) => refuse(round, &error, |pending| length(pending) > 0),
        }
        true
    }

    /// After a volume did not take a pack, another one may.
    pub(super) async fn pack_elsewhere(
        &mut self,
        round: &mut Vec<Pending>,
        packs: &mut Vec<Pack>,
        (at, error): (usize, FsError),
        born: Generation,
    ) {
        let mut pack = packs.remove(at);
        let refused = self.shared.failed_at(&pack.place.volume, error);
        tracing::warn!(space = %self.shared.log.space, error = %refused, "A volume did not take new content.");
        self.discard_object(&pack.place.volume, pack.object);
        pack.avoid.push(pack.place.volume.clone());
        match self.find_place(pack.content.len() as u64, &pack.avoid).await {
            Ok(place) => {
                pack.go_to(round, self.shared.log.new_object(born), place);
                packs.push(pack);
            }
            Err(_) => refuse(round, &refused, |pending| pack.is_of(pending)),
        }
    }

    /// A place for a pack. A volume that has no number gets one first.
    async fn find_place(&mut self, size: u64, avoid: &[Arc<Volume>]) -> Result<Place, Error> {
        let volume = self.shared.choose(size, avoid)?;
        let missing = || Error::Stalled(volume.name.clone());
        let found = |actor: &Self| actor.shared.place(actor.loaded.as_ref()?, &volume);
        if let Some(place) = found(self) {
            return Ok(place);
        }
        volume.ready().await?;
        let id = volume.uid().ok_or_else(missing)?;
        self.commit_own(Intent::NameVolume { id }).await?;
        found(self).ok_or_else(missing)
    }
}

/// Tells some of a round the same; the others are left.
fn refuse(round: &mut Vec<Pending>, error: &Error, which: impl Fn(&Pending) -> bool) {
    for pending in round.extract_if(.., |pending| which(pending)) {
        let _ = pending.reply.send(Err(error.clone()));
    }
}
