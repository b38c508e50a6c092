//! What can be tuned of an engine.

use std::collections::BTreeSet;
use std::time::Duration;

use api::bytes::Bytes;
use api::ids::VolumeName;

use crate::format::FORMAT;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What can be tuned of an engine, also while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// An upload that nobody goes on with for so long is given up.
    pub upload_expiry: Duration,
    /// About what is deleted.
    pub trash: TrashSettings,
    /// About what is replaced.
    pub versions: VersionSettings,
    /// Operations are remembered for so long: asking again until then is answered with the first outcome. What was
    /// written for operations and is older is taken away when nothing refers to it.
    pub remembered: Duration,
    /// What is younger than this stays readable as it was: entries of that age are not truncated.
    pub history: Duration,
    /// A space in use is looked after about so often. Zero: only when [asked](crate::Engine::upkeep).
    pub upkeep: Duration,
    /// A space that nobody uses is to be [visited](crate::Engine::visit) about so often. Zero: never.
    pub visits: Duration,
    /// About so much memory the states of all spaces take together; a single one may take more. The least recently used
    /// go first. Not counted is what reading one takes besides, nor states that readers still hold.
    pub memory: Bytes,
    /// The newest format of a log that every pod of the DiskCluster reads. No space is brought beyond it, so that pods
    /// of an older version can work beside this one; what needs a newer format is refused until then.
    pub format: u32,
    /// Volumes that get no new content, so that they can be emptied and taken away.
    pub drained: BTreeSet<VolumeName>,
}

/// About what is deleted. Turned off, nothing more gets into the trash, and what is there stays until it is purged or
/// room is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrashSettings {
    /// How long it is kept; not at all when this is zero.
    pub keep: Duration,
    /// Beyond this part of the limit of a space the oldest goes, but never what was deleted last.
    pub most_percent: u8,
}

/// About old contents of files. Turned off, none is added, and those that are there stay until they are purged or
/// room is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionSettings {
    /// How long one is kept; not at all when this is zero.
    pub keep: Duration,
    /// How many of one file are kept; none when this is zero.
    pub most_per_file: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            upload_expiry: DAY,
            trash: TrashSettings { keep: Duration::ZERO, most_percent: 50 },
            versions: VersionSettings { keep: Duration::ZERO, most_per_file: 0 },
            remembered: DAY,
            history: DAY.saturating_mul(7),
            upkeep: Duration::from_secs(60),
            visits: Duration::from_secs(6 * 60 * 60),
            memory: Bytes(512 << 20),
            format: FORMAT,
            drained: BTreeSet::new(),
        }
    }
}
