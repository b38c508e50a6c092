//! Locks as WebDAV has them (RFC 4918, sections 6 and 7): who holds one says so with each change, and whoever does not
//! is refused.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use uuid::Uuid;

use crate::path::NodePath;

/// The longest text that says who holds a lock, in bytes.
pub const LONGEST_OWNER: usize = 1024;

/// The longest that a lock lives without being refreshed.
pub const LONGEST_LOCK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Names a lock; who knows it and sends it holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockToken(pub Uuid);

impl fmt::Display for LockToken {
    /// As a URI (RFC 4918, section 6.5).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:uuid:{}", self.0.as_hyphenated())
    }
}

impl FromStr for LockToken {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

/// Whether others can lock the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockScope {
    /// Nobody else can.
    Exclusive,
    /// Others can, when they share it as well.
    Shared,
}

/// How far a lock of a directory reaches. That of a file is the same with both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockDepth {
    /// The directory and which names are in it.
    Zero,
    /// That and all in it, also what comes into it later.
    Infinity,
}

/// A lock that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLock {
    /// Made by whoever asks, by chance.
    pub token: LockToken,
    /// Whether others can lock the same.
    pub scope: LockScope,
    /// How far it reaches.
    pub depth: LockDepth,
    /// Who holds it, in the words of the client.
    pub owner: String,
    /// Who made it: an id that means nothing to the engine. Whether a client may use the token is asked of this one
    /// by whoever knows members.
    pub creator: String,
    /// How long it lives unless it is refreshed; [`LONGEST_LOCK`] at most.
    pub timeout: Duration,
}

/// A lock that protects something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// What is said of it.
    pub lock: NewLock,
    /// Where it was made: what it protects is this, or inside of it.
    pub root: NodePath,
    /// When it ends unless it is refreshed, in milliseconds since 1970.
    pub expires: i64,
}
