//! Reads the bytes of files.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::channel::oneshot;

use crate::error::Error;
use crate::extent::{Extent, ObjectId, VolumeIndex};
use crate::file_system::{FsError, OpenFile};
use crate::node::{Kind, Node, NodeId};
use crate::replica::Replica;
use crate::snapshot::Freshness;
use crate::volume::Volume;

/// The most bytes of one chunk. Fewer in tests, so that files have several.
const CHUNK: u64 = if cfg!(test) { 8 << 10 } else { 1 << 20 };

/// So many bytes take no longer to copy than others may have to wait.
const FEW: u64 = if cfg!(test) { 4 << 10 } else { 128 << 10 };

/// Gives the bytes of a file in chunks of at most a MiB. What it began to read it reads to its end, whatever becomes
/// of the name.
pub struct Reader {
    replica: Arc<Replica>,
    /// Which content of which node is read.
    of: (NodeId, u64),
    /// The bytes of it that are not given yet.
    range: Range<u64>,
    ahead: VecDeque<Extent>,
    /// The object that was read last, for the next extent may be in it too.
    opened: Option<((VolumeIndex, ObjectId), Arc<dyn OpenFile>)>,
    /// The next piece, when it is being read already, and how long it must be.
    reading: Option<(usize, oneshot::Receiver<Result<Bytes, FsError>>)>,
}

/// Bytes of an open file, for those who send them without looking at them.
#[derive(Clone)]
pub struct Segment {
    /// The file.
    pub file: Arc<dyn OpenFile>,
    /// Where the bytes begin in it.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
}

impl Reader {
    pub(crate) fn new(replica: Arc<Replica>, node: &Node, range: Range<u64>) -> Result<Self, Error> {
        let Kind::File { extents, version, size, .. } = &node.kind else { return Err(Error::IsADirectory) };
        let range = range.start.min(size.0)..range.end.min(size.0);
        let (of, ahead) = ((node.id, *version), cut(extents, range.clone()));
        Ok(Self { replica, of, range, ahead, opened: None, reading: None })
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the volume fails; [`Error::ContentGone`] when the file was deleted since, and its bytes are kept no more.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(chunk) = self.at_hand().await? {
            return Ok(Some(chunk));
        }
        let Some((extent, file)) = self.open().await? else { return Ok(None) };
        let (length, read) = match self.reading.take() {
            Some((length, reading)) => (length, reading.await.unwrap_or(Err(FsError::Stalled))),
            None => {
                let length = piece(&extent);
                (length, file.read(extent.offset, length).await)
            }
        };
        let volume = self.replica.volume(extent.volume).await?;
        let chunk = read.map_err(|error| match error {
            // It was deleted since, and is not even kept any more.
            FsError::NotFound => Error::ContentGone,
            error => Error::of(error, &volume.name),
        })?;
        if chunk.len() != length {
            // What is referred to is durable and never changes: the volume lost something.
            let place = self.replica.shared.log.layout.object(extent.object);
            let what = "the file ends too early; restore it from a backup";
            return Err(Error::Io(format!("volume {}, {place}: {what}", volume.name)));
        }
        self.advance(length as u64);
        self.read_ahead(&extent, file);
        Ok(Some(chunk))
    }

    /// The next bytes, if they are few and in memory.
    async fn at_hand(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(extent) = self.ahead.front().copied().filter(|extent| extent.length <= FEW) else {
            return Ok(None);
        };
        if self.reading.is_some() {
            return Ok(None);
        }
        let volume = self.replica.volume(extent.volume).await?;
        let path = self.replica.shared.log.layout.object(extent.object);
        let chunk = volume.fs.at_hand(&path, extent.offset, piece(&extent));
        if chunk.is_some() {
            self.advance(extent.length);
        }
        Ok(chunk)
    }

    fn advance(&mut self, length: u64) {
        self.range.start = self.range.start.saturating_add(length);
        match self.ahead.front_mut() {
            Some(extent) if extent.length > length => {
                extent.offset += length;
                extent.length -= length;
            }
            _ => drop(self.ahead.pop_front()),
        }
    }

    /// Begins with the next piece of the same object while the one before is on its way to the client.
    fn read_ahead(&mut self, last: &Extent, file: Arc<dyn OpenFile>) {
        let Some(next) = self.ahead.front().filter(|next| place(next) == place(last)) else { return };
        let (offset, length) = (next.offset, piece(next));
        let (reply, reading) = oneshot::channel();
        self.replica.shared.host.spawn(Box::pin(async move {
            // Nobody may want it any more.
            let _ = reply.send(file.read(offset, length).await);
        }));
        self.reading = Some((length, reading));
    }

    /// Opens all files that the rest lies in, in order.
    ///
    /// # Errors
    /// When the volume fails.
    pub async fn segments(mut self) -> Result<Vec<Segment>, Error> {
        let mut segments = Vec::with_capacity(self.ahead.len());
        while let Some((extent, file)) = self.open().await? {
            self.advance(extent.length);
            segments.push(Segment { file, offset: extent.offset, length: extent.length });
        }
        Ok(segments)
    }

    /// The next extent and the file that it is in; `None` at the end.
    async fn open(&mut self) -> Result<Option<(Extent, Arc<dyn OpenFile>)>, Error> {
        let mut resolved = false;
        loop {
            let Some(extent) = self.ahead.front().copied() else { return Ok(None) };
            if let Some((_, file)) = self.opened.as_ref().filter(|(opened, _)| *opened == place(&extent)) {
                return Ok(Some((extent, file.clone())));
            }
            let volume = self.replica.volume(extent.volume).await?;
            match volume.fs.open(&self.replica.shared.log.layout.object(extent.object)).await {
                Ok(file) => {
                    self.opened = Some((place(&extent), file.clone()));
                    return Ok(Some((extent, file)));
                }
                Err(FsError::NotFound) if !resolved => self.resolve().await?,
                Err(FsError::NotFound) => return Err(self.missing(&volume, &extent).await),
                Err(error) => return Err(self.replica.shared.failed_at(&volume, error)),
            }
            resolved = true;
        }
    }

    /// Looks where the rest is now: the bytes of a file may have come to lie elsewhere since.
    async fn resolve(&mut self) -> Result<(), Error> {
        let state = self.replica.state(Freshness::Now).await?;
        let (node, version) = self.of;
        let file = state.nodes.get(&node).and_then(|inode| inode.file());
        let current = file.filter(|file| file.version == version).map(|file| &file.extents);
        let old = || state.versions.get(node, version).map(|version| &version.extents);
        if let Some(extents) = current.or_else(old) {
            self.ahead = cut(extents, self.range.clone());
        }
        Ok(())
    }

    /// An object is not there: because nothing refers to it any more, or because the volume lost it.
    async fn missing(&self, volume: &Volume, extent: &Extent) -> Error {
        let state = match self.replica.state(Freshness::Now).await {
            Ok(state) => state,
            Err(error) => return error,
        };
        if !state.objects.in_use(extent.volume, extent.object) {
            // It was deleted since, and is not even kept any more.
            return Error::ContentGone;
        }
        let place = self.replica.shared.log.layout.object(extent.object);
        let what = "the file is missing, and a file of the space needs it; restore it from a backup";
        Error::Io(format!("volume {}, {place}: {what}", volume.name))
    }
}

/// Which object an extent is of.
fn place(extent: &Extent) -> (VolumeIndex, ObjectId) {
    (extent.volume, extent.object)
}

/// How much of an extent is read at once.
fn piece(extent: &Extent) -> usize {
    usize::try_from(extent.length.min(CHUNK)).unwrap_or(usize::MAX)
}

/// The extents of a range.
fn cut(extents: &[Extent], range: Range<u64>) -> VecDeque<Extent> {
    let mut cut = VecDeque::new();
    let mut begin = 0_u64;
    for extent in extents {
        let end = begin.saturating_add(extent.length);
        let (from, to) = (range.start.max(begin), range.end.min(end));
        if from < to {
            cut.push_back(Extent {
                offset: extent.offset.saturating_add(from - begin),
                length: to - from,
                ..*extent
            });
        }
        begin = end;
    }
    cut
}

#[cfg(test)]
mod tests {
    use api::generation::Generation;
    use proptest::prelude::*;

    use super::*;
    use crate::extent::VolumeIndex;

    proptest! {
        #[test]
        fn a_range_is_cut_out(lengths in prop::collection::vec(1_u64..9, 0..6), from in 0_u64..40, to in 0_u64..40) {
            let mut bytes = Vec::new();
            let mut extents = Vec::new();
            for (number, length) in (0..).zip(lengths) {
                let object = ObjectId { born: Generation(1), random: number };
                extents.push(Extent { volume: VolumeIndex(0), object, offset: 5, length });
                bytes.extend((5..5 + length).map(|at| (number, at)));
            }
            let wanted: Vec<_> =
                bytes.iter().enumerate().filter(|(at, _)| (from..to).contains(&(*at as u64))).map(|(_, byte)| *byte).collect();
            let found: Vec<_> = cut(&extents, from..to)
                .into_iter()
                .flat_map(|extent| (extent.offset..extent.offset + extent.length).map(move |at| (extent.object.random, at)))
                .collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
