//! What becomes of what is deleted or replaced, as the committer is set: it decides, and writes what follows.

use crate::settings::Settings;

/// The first format that can tell what is kept.
const KEEPING_FORMAT: u32 = 2;

/// What is kept of what goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Whether what is deleted goes to the trash.
    pub(crate) trash: bool,
    /// So many old contents of a file are kept at most.
    pub(crate) versions: u32,
}

impl Retention {
    /// That of a log which may have this format: an older one has no words for it, and goes on as it always did.
    pub(crate) fn of(settings: &Settings, format: u32) -> Self {
        if format < KEEPING_FORMAT {
            return Self::default();
        }
        let Settings { trash, versions, .. } = settings;
        let versions = if versions.keep.is_zero() { 0 } else { versions.most_per_file };
        Self { trash: !trash.keep.is_zero(), versions }
    }
}
