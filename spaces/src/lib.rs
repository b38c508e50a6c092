//! The engine: a log per space on a shared volume, extended by compare-and-swap.
//!
//! The protocol is `docs/reference/volume.md`. Start at [`Engine`], which gives out a [`Space`] for each id; a space
//! gives out a [`Snapshot`] to read from and takes an [`Operation`] to commit.

mod between;
pub mod check;
mod engine;
mod error;
mod extent;
mod file_system;
mod format;
mod host;
mod local;
mod lock;
mod log;
mod map;
mod memory;
mod name;
mod node;
mod object;
pub mod offline;
mod operation;
mod path;
mod pool;
mod property;
mod read;
mod relocation;
mod replica;
mod rule;
mod settings;
mod share;
#[cfg(test)]
mod sim;
mod snapshot;
mod space;
mod stage;
mod state;
#[cfg(test)]
mod tests;
mod upload;
mod volume;

pub use between::{Source, Transfer, Transferred};
pub use engine::{Engine, EngineConfig, Local, LocalConfig};
pub use error::{Error, OpenError};
pub use extent::{Extent, Extents, ObjectId, VolumeIndex, VolumeUid};
pub use file_system::{FileSystem, FsError, FsFuture, Halted, Health, NewFile, OpenFile, Step, StepsFuture};
pub use host::{Host, TokioHost};
pub use local::LocalVolume;
pub use lock::{LONGEST_LOCK, LONGEST_OWNER, Lock, LockDepth, LockScope, LockToken, NewLock};
pub use memory::MemoryUse;
pub use name::{LONGEST_NAME, Name, NameError};
pub use node::{Kind, Node, NodeId};
pub use operation::{
    Committed, Condition, Named, NewUpload, Operation, OperationId, Purge, Request, UploadId, UploadStatus,
};
pub use path::{DEEPEST, NodePath, PathError};
pub use property::{LONGEST_PROPERTY_NAME, Property, PropertyChanges, PropertyName};
pub use read::{Reader, Segment};
pub use relocation::{Relocated, Relocation, RelocationGoal};
pub use replica::removal::Removed;
pub use settings::{Settings, TrashSettings, VersionSettings};
pub use share::{LONGEST_SHARE_TEXT, NewShare, Share, ShareAccess, ShareId, ShareTokenHash};
pub use snapshot::{FileVersion, Freshness, Snapshot, TrashItem, TrashPlace, Usage};
pub use space::Space;
pub use stage::{Stage, Staged};
pub use upload::UploadWriter;
