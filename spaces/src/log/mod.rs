//! The log of a space on its home volume.

mod append;
pub(crate) mod at;
mod bury;
mod collect;
mod expected;
pub(crate) mod layout;
pub(crate) mod read;
pub(crate) mod truncate;

use std::sync::{Arc, Mutex, PoisonError};

use api::generation::Generation;
use api::ids::SpaceId;

use self::layout::Layout;
use crate::error::Error;
use crate::extent::ObjectId;
use crate::file_system::FsError;
use crate::host::Host;
use crate::state::State;
use crate::volume::Volume;

pub(crate) use self::append::{Appended, Candidate};

/// So many objects go into one directory before another is chosen: making directories costs more than files.
const OBJECTS_A_DIRECTORY: u32 = 256;

/// The files of a space.
pub(crate) struct Log {
    pub(crate) space: SpaceId,
    pub(crate) volume: Arc<Volume>,
    pub(crate) layout: Layout,
    pub(crate) host: Arc<dyn Host>,
    /// The newest format that is read here.
    reads: u32,
    objects: Mutex<Shard>,
}

/// Which directory new objects go to, and how many more.
#[derive(Default)]
struct Shard {
    directory: u8,
    left: u32,
}

/// What was read of a log.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) state: Arc<State>,
    /// The last state on the way that was one at the end of a block.
    pub(crate) block_end: Option<Arc<State>>,
}

/// Why a log can not be read.
#[derive(Debug)]
pub(crate) enum LogError {
    /// The volume failed.
    Fs(FsError),
    /// What is there does not fit together: what was found, and where.
    Broken(String),
}

impl From<FsError> for LogError {
    fn from(error: FsError) -> Self {
        Self::Fs(error)
    }
}

impl Log {
    pub(crate) fn new(space: SpaceId, volume: Arc<Volume>, host: Arc<dyn Host>, reads: u32) -> Self {
        Self { space, volume, layout: Layout::of(space), host, reads, objects: Mutex::default() }
    }

    /// A name that nobody else uses, for what is made by a generation.
    pub(crate) fn temporary(&self, known: Generation) -> String {
        self.layout.temporary(known, self.host.random(), self.host.random())
    }

    /// Names a new object.
    pub(crate) fn new_object(&self, born: Generation) -> ObjectId {
        let random = self.host.random();
        let mut shard = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.left == 0 {
            *shard = Shard { directory: random.to_be_bytes()[0], left: OBJECTS_A_DIRECTORY };
        }
        shard.left -= 1;
        ObjectId { born, random: (u64::from(shard.directory) << 56) | (random >> 8) }
    }

    /// Makes what every space has. Where there is an entry all of it was made, and is durable.
    pub(crate) async fn ensure_space(&self, known: Generation) -> Result<(), FsError> {
        if known > Generation::ZERO {
            return Ok(());
        }
        self.volume.ensure(&self.layout.directories()).await
    }

    /// Makes the directory of the block that an entry goes to.
    pub(crate) async fn ensure_block(&self, generation: Generation) -> Result<(), FsError> {
        self.volume.ensure(&[self.layout.block(generation)]).await
    }

    /// An error of the home volume.
    pub(crate) fn error(&self, error: FsError) -> Error {
        Error::of(error, &self.volume.name)
    }
}
