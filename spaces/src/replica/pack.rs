//! Small contents of one round, packed into one object: one create and one sync for all.

use api::generation::Generation;
use bytes::{Bytes, BytesMut};

use super::Pending;
use crate::extent::{Extent, ObjectId};
use crate::file_system::{self, FsError, Step};
use crate::log::Log;
use crate::state::intent::Intent;
use crate::state::upload::HOME;

/// An object of several contents.
pub(super) struct Pack {
    object: ObjectId,
    content: Bytes,
    written: bool,
}

impl Pack {
    /// Says to each small content where it will be. `None` when there is none.
    pub(super) fn of(round: &mut [Pending], log: &Log, born: Generation) -> Option<Self> {
        let length = round.iter().filter_map(|pending| pending.inline.as_ref()).map(Bytes::len).sum();
        let mut buffer = BytesMut::with_capacity(length);
        let object = log.new_object(born);
        for pending in round {
            let (Some(inline), Intent::Put { content, .. }) = (pending.inline.take(), &mut pending.intent)
            else {
                continue;
            };
            if !inline.is_empty() {
                let (offset, length) = (buffer.len() as u64, inline.len() as u64);
                content.extents = vec![Extent { volume: HOME, object, offset, length }];
                buffer.extend_from_slice(&inline);
            }
        }
        let content = buffer.freeze();
        (!content.is_empty()).then_some(Self { object, content, written: false })
    }

    pub(super) fn is_written(&self) -> bool {
        self.written
    }

    /// Writes it durably, once.
    pub(super) async fn write(&mut self, log: &Log) -> Result<(), FsError> {
        if self.written {
            return Ok(());
        }
        let directory = log.layout.objects(self.object);
        log.volume.ensure(std::slice::from_ref(&directory)).await?;
        let path = log.layout.object(self.object);
        let steps = vec![
            Step::Write { path, content: self.content.clone() },
            Step::SyncDirectory { path: directory },
        ];
        file_system::steps(log.volume.fs.as_ref(), steps).await.map_err(|halted| halted.error)?;
        self.written = true;
        // Nothing reads it from memory any more.
        self.content = Bytes::new();
        Ok(())
    }
}
