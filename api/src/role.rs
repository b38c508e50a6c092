//! What somebody may do in a space.

use serde::{Deserialize, Serialize};

/// The role of a member in a space. Everybody owns the own disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "kubernetes", derive(schemars::JsonSchema))]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and writes.
    Editor,
    /// Reads, writes, and decides who takes part.
    Owner,
}

impl Role {
    /// Whether files may be changed.
    #[must_use]
    pub fn can_write(self) -> bool {
        match self {
            Self::Owner | Self::Editor => true,
            Self::Viewer => false,
        }
    }
}
