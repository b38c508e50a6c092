//! What can be asked of a space, and what comes back.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};
use uuid::Uuid;

use crate::lock::{LockToken, NewLock};
use crate::node::{Node, NodeId};
use crate::path::NodePath;
use crate::property::PropertyChanges;
use crate::share::{NewShare, ShareId};
use crate::snapshot::Snapshot;
use crate::stage::Staged;

/// Names an operation, so that a retry of it is answered with the first outcome instead of being done twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub Uuid);

/// Names an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(pub Uuid);

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl FromStr for UploadId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

/// An operation with the id that makes it safe to ask again.
#[derive(Debug)]
pub struct Request {
    /// Its id.
    pub id: OperationId,
    /// The newest generation the sender knew when it first asked. Needed of a sender that may ask again elsewhere: an
    /// operation older than what the space remembers is refused, not done twice. `None` when this call is the only
    /// one with this id.
    pub born: Option<Generation>,
    /// The locks that its sender holds.
    pub locks: Vec<LockToken>,
    /// What shall be done.
    pub operation: Operation,
}

/// What must hold of what is at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Anything.
    #[default]
    None,
    /// Nothing is there.
    Absent,
    /// The node there has this [`Node::etag`].
    Matches(String),
}

/// What can be done to a space. Each is done as a whole or not at all.
#[derive(Debug)]
pub enum Operation {
    /// Makes a directory. With `parents`, also those above it; and one that is there already is no error.
    MakeDirectory {
        /// Where.
        path: NodePath,
        /// Whether to make what is missing above.
        parents: bool,
    },
    /// Makes a file, or gives a file new content.
    Put {
        /// Where.
        path: NodePath,
        /// The content.
        content: Staged,
        /// What must hold of the file there.
        condition: Condition,
        /// Whether to make the directories above that are missing.
        parents: bool,
    },
    /// Gives a file or directory another place. What it replaces is gone.
    Move {
        /// Which.
        from: NodePath,
        /// Its new path.
        to: NodePath,
        /// Whether something may be there already.
        overwrite: bool,
    },
    /// Copies a file, or a directory with all in it. No byte of content is moved for it, but every copy counts.
    Copy {
        /// Which.
        from: NodePath,
        /// The path of the copy.
        to: NodePath,
        /// Whether something may be there already.
        overwrite: bool,
    },
    /// Deletes a file, or a directory with all in it. Where the trash is turned on, it goes there.
    Delete {
        /// Which.
        path: NodePath,
        /// What must hold of it.
        condition: Condition,
        /// Whether it goes for good, past the trash.
        permanently: bool,
    },
    /// Brings something back from the trash, with all in it.
    Restore {
        /// Which, as [`Snapshot::trash`](crate::Snapshot::trash) tells.
        item: NodeId,
        /// Where to; otherwise to where it was. Directories above that are missing are made.
        to: Option<NodePath>,
        /// Whether something may be there already.
        overwrite: bool,
    },
    /// Ends for good what was deleted or replaced. What is more than fits in one entry is done in parts.
    Purge(Purge),
    /// Brings back a file, or a directory with all in it, as it was at an earlier generation: names, contents, times and
    /// properties, as new files and directories that count. What is there already is replaced; a file in the place of a
    /// file is new content of that. No byte is moved for it: when one is [kept](Snapshot::keeps) no more, nothing is
    /// done.
    BringBack {
        /// The space at that generation: [`Space::at`](crate::Space::at), [`Space::as_of`](crate::Space::as_of).
        from: Snapshot,
        /// Its path then.
        path: NodePath,
        /// Its path from now on. Directories above that are missing are made.
        to: NodePath,
        /// Whether something may be there already.
        overwrite: bool,
    },
    /// Gives a file a content back that it had. The one it has now becomes a version.
    RestoreVersion {
        /// The file.
        path: NodePath,
        /// The number of the content, as [`Snapshot::versions`](crate::Snapshot::versions) tells.
        version: u64,
        /// What must hold of the file as it is.
        condition: Condition,
    },
    /// Locks a file or directory; where nothing is it makes an empty file.
    Lock {
        /// What.
        path: NodePath,
        /// How.
        lock: NewLock,
    },
    /// Counts the time of a lock anew.
    RefreshLock {
        /// Something that it protects.
        path: NodePath,
        /// Which.
        token: LockToken,
        /// How long it lives from now on; [`LONGEST_LOCK`](crate::LONGEST_LOCK) at most.
        timeout: Duration,
    },
    /// Ends a lock.
    Unlock {
        /// Something that it protects.
        path: NodePath,
        /// Which.
        token: LockToken,
    },
    /// Makes a link to a file or directory.
    CreateShare {
        /// To which.
        path: NodePath,
        /// The link.
        share: NewShare,
    },
    /// Ends a share.
    RemoveShare {
        /// Which.
        id: ShareId,
    },
    /// Counts one more use of a share, if it can be used once more.
    UseShare {
        /// Which.
        id: ShareId,
    },
    /// Changes what a client keeps with a file or directory: all of it or nothing. The content stays the same.
    SetProperties {
        /// Of which.
        path: NodePath,
        /// What must hold of it.
        condition: Condition,
        /// What changes.
        changes: PropertyChanges,
    },
    /// No change is taken any more, until a limit of a later roster opens the space again. What is in it stays and can be
    /// read.
    Close {
        /// The roster that wants it; only a later one than the space has seen counts.
        roster_generation: RosterGeneration,
    },
    /// Sets the limit to `used + reserved`, but at least to the target and at most to the ceiling.
    Limit {
        /// The roster that wants it; only a later one than the space has seen counts.
        roster_generation: RosterGeneration,
        /// What is wished for.
        target: Bytes,
        /// What it may not pass, whatever is in use.
        ceiling: Bytes,
    },
}

/// What is purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purge {
    /// All of the trash.
    Everything,
    /// Something in the trash, with all in it.
    Item(NodeId),
    /// An old content of a file.
    Version {
        /// The file.
        path: NodePath,
        /// The number of the content.
        version: u64,
    },
    /// All old contents of a file.
    Versions {
        /// The file.
        path: NodePath,
    },
}

/// What a committed operation did.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The generation of the space that has it.
    pub generation: Generation,
    /// The file or directory that was made or changed; `None` for what has none, or when it is gone since.
    pub node: Option<Node>,
}

/// What names an operation that is no [`Request`], as that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: OperationId,
    /// The newest generation the sender knew when it first asked.
    pub born: Option<Generation>,
}

impl Named {
    /// The upload that an operation of this name begins. Its own name is that of the operation that completes it.
    pub(crate) fn upload(self) -> UploadId {
        UploadId(Uuid::from_u128(!self.id.0.as_u128()))
    }
}

/// A new upload.
#[derive(Clone, Debug, Default)]
pub struct NewUpload {
    /// What it becomes.
    pub path: NodePath,
    /// How many bytes it will have; they are reserved at once.
    pub length: Bytes,
    /// What must hold of the file there, now and when the upload is complete.
    pub condition: Condition,
    /// Whether to make the directories above that are missing, when it is complete.
    pub parents: bool,
    /// The locks that its sender holds, now and when the upload is complete.
    pub locks: Vec<LockToken>,
    /// When the content is said to be of, in milliseconds since 1970; when it is complete if `None`.
    pub modified: Option<i64>,
}

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadStatus {
    /// How many bytes are durable: where to go on.
    pub offset: Bytes,
    /// How many there will be.
    pub length: Bytes,
    /// What it becomes.
    pub path: NodePath,
    /// Whether it is the file already.
    pub complete: bool,
}
