//! Links by which others reach a file or directory of a space without being its member.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::node::NodeId;

/// The longest that a password verifier, or the id of who made a share, can be, in bytes.
pub const LONGEST_SHARE_TEXT: usize = 512;

/// Names a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareId(pub Uuid);

impl fmt::Display for ShareId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl FromStr for ShareId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

/// A hash of the secret in a link. The secret itself never reaches the engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareTokenHash(pub [u8; 32]);

impl fmt::Debug for ShareTokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What a link lets its holder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareAccess {
    /// See and read.
    Read,
    /// Add new files, and see none.
    Upload,
    /// Read, and add new files.
    ReadAndUpload,
    /// All that a member can do there.
    Write,
}

/// A share that is wanted.
#[derive(Clone, PartialEq, Eq)]
pub struct NewShare {
    /// Made by whoever asks, by chance.
    pub id: ShareId,
    /// How it is found.
    pub token_hash: ShareTokenHash,
    /// What it lets its holder do.
    pub access: ShareAccess,
    /// What a password is verified by, when one is needed. The bytes mean nothing to the engine.
    pub password: Option<Vec<u8>>,
    /// When it ends, in milliseconds since 1970.
    pub expires: Option<i64>,
    /// How often it can be used.
    pub most_uses: Option<u64>,
    /// Who made it: an id that means nothing to the engine.
    pub creator: String,
}

/// A share of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// What was wanted.
    pub share: NewShare,
    /// What it is a share of, for ever: another file that gets its name is not shared.
    pub node: NodeId,
    /// When it was made, in milliseconds since 1970.
    pub created: i64,
    /// How often it was used.
    pub uses: u64,
    /// Whether its node is in the trash: then it can not be used until that is restored.
    pub inert: bool,
}

impl fmt::Debug for NewShare {
    /// Without what a secret could be guessed from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewShare").field("id", &self.id).field("access", &self.access).finish_non_exhaustive()
    }
}
