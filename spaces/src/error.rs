//! Why the engine did not do what it was asked.

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};
use api::ids::VolumeName;

use crate::file_system::FsError;
use crate::name::NameError;
use crate::path::{NodePath, PathError};

/// Why an operation on a space was refused or failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is at the path.
    #[error("there is nothing at this path")]
    NotFound,
    /// Something is at the path already.
    #[error("there is something at this path already")]
    Exists,
    /// A part of the path is a file.
    #[error("a part of the path is a file, not a directory")]
    NotADirectory,
    /// A directory is where a file is needed.
    #[error("this is a directory")]
    IsADirectory,
    /// A directory would have to go into itself.
    #[error("a directory can not be put into itself")]
    IntoItself,
    /// The root can be neither moved nor replaced nor deleted.
    #[error("the root of a space stays where it is")]
    Root,
    /// The [condition](crate::Condition) does not hold.
    #[error("the file is not the version that was expected")]
    Precondition,
    /// The space would hold more than its limit.
    #[error("the space is full: {used} used and {reserved} reserved of {limit}, {needed} more needed")]
    QuotaExceeded {
        /// What the space may hold.
        limit: Bytes,
        /// What it holds.
        used: Bytes,
        /// What uploads under way have reserved.
        reserved: Bytes,
        /// How much more it would have to hold.
        needed: Bytes,
    },
    /// A text is no name.
    #[error(transparent)]
    NameInvalid(#[from] NameError),
    /// It would be nested too deep.
    #[error("directories can be nested {} deep at most", crate::path::DEEPEST)]
    TooDeep,
    /// The operation touches more nodes than fit in one entry.
    #[error("this touches more than {most} files and directories at once; do it in parts")]
    TooMany {
        /// The most that do fit.
        most: usize,
    },
    /// A lock protects it, and its token was not sent.
    #[error("it is locked; send the token of the lock, or wait until it ends")]
    Locked {
        /// Where the lock was made.
        root: NodePath,
    },
    /// It can not be locked beside a lock that there is.
    #[error("somebody else has locked it; wait until that lock ends")]
    LockConflict {
        /// Where that lock was made.
        root: NodePath,
    },
    /// No such lock protects what is at the path, not any more or never.
    #[error("there is no such lock here")]
    LockGone,
    /// There is no such share, or not at the moment.
    #[error("there is no such share")]
    ShareGone,
    /// The share was used as often as it can be.
    #[error("the share was used {most} times, and can not be used again")]
    ShareUsedUp {
        /// How often that is.
        most: u64,
    },
    /// There would be more of something than there can be.
    #[error("there can be no more than {most} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much there can be.
        most: usize,
    },
    /// What was asked for is older than what is kept of the past.
    #[error("this is kept no more; the oldest generation that can be read is {oldest}")]
    HistoryGone {
        /// The oldest that can be read.
        oldest: Generation,
    },
    /// The space has not come so far.
    #[error("the space has not come so far; it is at generation {newest}")]
    NotYet {
        /// How far it has come.
        newest: Generation,
    },
    /// The bytes of a file of the past are not kept any more.
    #[error("the content of this is kept no more")]
    ContentGone,
    /// The space would have more files and directories than one can have.
    #[error(
        "a space can have {most} files and directories, those in the trash included; delete some, or use another space"
    )]
    TooManyFiles {
        /// How many it can have.
        most: usize,
    },
    /// It may have been done or not. Asking again with the same operation id is safe; so is looking.
    #[error("whether it was done is not known; look again")]
    OutcomeUnknown,
    /// There is no such upload, not any more or never.
    #[error("there is no such upload")]
    UploadGone,
    /// The bytes given do not begin where the durable ones end.
    #[error("the upload goes on at offset {durable}")]
    OffsetConflict {
        /// Where they end.
        durable: u64,
    },
    /// Another request or another pod goes on with the upload.
    #[error("the upload goes on elsewhere")]
    Fenced,
    /// More bytes than announced.
    #[error("there are more bytes than were announced")]
    TooLong,
    /// A limit of an older roster than the space has seen.
    #[error("the space has seen the limits of roster generation {seen}")]
    Superseded {
        /// The latest it has seen.
        seen: RosterGeneration,
    },
    /// The log of the space would need a newer format than every pod reads.
    #[error(
        "not yet: this needs format {needed} of the log, and pods of an older version run that read up to {allowed}; it \
         works once all disk pods of the DiskCluster have been updated"
    )]
    FormatTooOld {
        /// The format that it needs.
        needed: u32,
        /// What every pod reads.
        allowed: u32,
    },
    /// The volume does not answer. Nothing was changed.
    #[error("the volume {0} does not answer")]
    Stalled(VolumeName),
    /// The volume is full. It can be read.
    #[error(
        "the volume {0} is full: make room on it or make it larger; all that is on it can be read meanwhile"
    )]
    StorageFull(VolumeName),
    /// The volume takes no writes. It can be read.
    #[error(
        "the volume {0} is read-only: mount it so that it can be written; all that is on it can be read meanwhile"
    )]
    ReadOnly(VolumeName),
    /// What is on the volume does not fit together; the space is not touched any more by this pod.
    #[error("the space was stopped: {reason}")]
    SpaceStopped {
        /// What was found, and where.
        reason: String,
    },
    /// Nobody owns the space for now: it can be read, and takes no changes.
    #[error("the space is closed; it can be read, and takes changes again when it gets a limit")]
    SpaceClosed,
    /// The space was removed, with all that was in it.
    #[error("the space was removed; nothing of it is left")]
    SpaceRemoved,
    /// The space is not to be removed, or not yet.
    #[error("the space is not removed: {reason}")]
    SpaceKept {
        /// Why not.
        reason: &'static str,
    },
    /// Some of the bytes are on a volume that this pod does not have.
    #[error("this pod does not have the volume with the id {0}, on which some of the content is")]
    VolumeMissing(crate::extent::VolumeUid),
    /// The space is on a volume that this pod does not have, or that belongs to another cluster.
    #[error("{0}")]
    UnknownSpace(String),
    /// The file system failed.
    #[error("the file system failed: {0}")]
    Io(String),
}

impl From<PathError> for Error {
    fn from(error: PathError) -> Self {
        match error {
            PathError::Name(error) => Self::NameInvalid(error),
            PathError::TooDeep => Self::TooDeep,
        }
    }
}

impl Error {
    /// The error of a file system as one of the engine.
    pub(crate) fn of(error: FsError, volume: &VolumeName) -> Self {
        match error {
            FsError::Stalled => Self::Stalled(volume.clone()),
            FsError::Full => Self::StorageFull(volume.clone()),
            FsError::ReadOnly => Self::ReadOnly(volume.clone()),
            error @ (FsError::NotFound | FsError::Exists | FsError::Other(_)) => {
                Self::Io(format!("volume {volume}: {error}"))
            }
        }
    }
}

/// Why an engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The volume belongs to another DiskCluster.
    #[error(
        "the volume {volume} belongs to the DiskCluster with uid {owner}, not to {cluster}; to take it over, set \
         adoptClusterUID to {owner}"
    )]
    Foreign {
        /// Which volume.
        volume: VolumeName,
        /// To whom it belongs.
        owner: api::ids::ClusterUid,
        /// Who asked.
        cluster: api::ids::ClusterUid,
    },
    /// The volume was written by a newer version.
    #[error(
        "the volume {volume} has format {found}, and this version reads up to {known}; use a newer version"
    )]
    Newer {
        /// Which volume.
        volume: VolumeName,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// What says whose the volume is can not be read.
    #[error("the file internet-disk.json of the volume {volume} can not be understood: {reason}")]
    Unreadable {
        /// Which volume.
        volume: VolumeName,
        /// Why not.
        reason: String,
    },
    /// The directory of a volume can not be used.
    #[error("the volume {volume} can not be used: {reason}")]
    Unusable {
        /// Which volume.
        volume: VolumeName,
        /// Why not.
        reason: String,
    },
}
