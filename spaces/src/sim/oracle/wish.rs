//! What members want, and what comes of it.

use crate::lock::LockToken;
use crate::share::ShareId;

/// The bytes of a file: known from a number and their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::sim) struct Content {
    pub(in crate::sim) seed: u64,
    pub(in crate::sim) length: u64,
}

impl Content {
    pub(in crate::sim) const EMPTY: Self = Self { seed: 0, length: 0 };

    /// The bytes of a range.
    pub(in crate::sim) fn bytes(self, from: u64, to: u64) -> Vec<u8> {
        let to = to.min(self.length);
        let words = (from / 8..to.div_ceil(8)).flat_map(|place| word(self.seed, place));
        let skipped = usize::try_from(from % 8).unwrap();
        words.skip(skipped).take(usize::try_from(to.saturating_sub(from)).unwrap()).collect()
    }
}

fn word(seed: u64, place: u64) -> [u8; 8] {
    let word = (seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (word ^ (word >> 29)).to_le_bytes()
}

/// What a condition asks for; a tag is known by what it was seen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Demand {
    Anything,
    Nothing,
    Tag(String),
}

/// What a member wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Wish {
    MakeDirectory {
        path: String,
        parents: bool,
    },
    Put {
        path: String,
        content: Content,
        demand: Demand,
        parents: bool,
    },
    Move {
        from: String,
        to: String,
        overwrite: bool,
    },
    Copy {
        from: String,
        to: String,
        overwrite: bool,
    },
    Delete {
        path: String,
        demand: Demand,
        permanently: bool,
    },
    Limit {
        roster: u64,
        target: u64,
        ceiling: u64,
    },
    /// Of the space, until it has a limit of a later roster.
    Close {
        roster: u64,
    },
    CreateUpload {
        path: String,
        length: u64,
        demand: Demand,
        parents: bool,
    },
    /// Something of the other space, which goes there when `removes`.
    Import {
        to: String,
        overwrite: bool,
        removes: bool,
    },
    Restore {
        item: u64,
        to: Option<String>,
        overwrite: bool,
    },
    PurgeAll,
    PurgeItem {
        item: u64,
    },
    PurgeVersion {
        path: String,
        number: u64,
    },
    PurgeVersions {
        path: String,
    },
    RestoreVersion {
        path: String,
        number: u64,
        demand: Demand,
    },
    /// Something as it was after a generation.
    BringBack {
        then: u64,
        path: String,
        to: String,
        overwrite: bool,
    },
    SetProperties {
        path: String,
        demand: Demand,
        set: Vec<(String, String)>,
        remove: Vec<String>,
        modified: Option<i64>,
    },
    Lock {
        path: String,
        token: LockToken,
        exclusive: bool,
        infinite: bool,
        timeout: u64,
    },
    RefreshLock {
        path: String,
        token: LockToken,
        timeout: u64,
    },
    Unlock {
        path: String,
        token: LockToken,
    },
    Share {
        path: String,
        id: ShareId,
        most: Option<u64>,
        expires: Option<i64>,
    },
    UseShare {
        id: ShareId,
    },
    RemoveShare {
        id: ShareId,
    },
}

impl Wish {
    /// The tag that it demands, and where.
    pub(in crate::sim) fn tag(&self) -> Option<(&str, &str)> {
        match self {
            Self::Put { path, demand: Demand::Tag(tag), .. }
            | Self::Delete { path, demand: Demand::Tag(tag), .. }
            | Self::CreateUpload { path, demand: Demand::Tag(tag), .. }
            | Self::RestoreVersion { path, demand: Demand::Tag(tag), .. }
            | Self::SetProperties { path, demand: Demand::Tag(tag), .. } => Some((path, tag)),
            _ => None,
        }
    }
}

/// Why a wish is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Refusal {
    NotFound,
    Exists,
    NotADirectory,
    IsADirectory,
    IntoItself,
    Root,
    Precondition,
    Quota { limit: u64, used: u64, reserved: u64 },
    Superseded { seen: u64 },
    Locked,
    LockConflict,
    LockGone,
    ShareGone,
    ShareUsedUp,
    Closed,
}

/// What came of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Did {
    Something,
    /// It was so before.
    Nothing,
}
