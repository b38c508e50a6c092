//! What was met in all runs together: a simulator that never meets a case proves nothing about it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! met {
    ($($name:ident => $text:literal,)*) => {
        /// Something that can happen in a run and has to happen in some.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Met { $($name),* }

        impl Met {
            const ALL: &[(Self, &str)] = &[$((Self::$name, $text)),*];
        }
    };
}

met! {
    Crash => "pods died",
    CrashAtCall => "pods died in the midst of a call",
    ClientLostCache => "files that lost what a dead client had not synced",
    PowerLost => "power losses",
    PowerSurvived => "power losses of the volume that pods lived through",
    NameLost => "names that a power loss took back",
    UnlinkLost => "removals that a power loss took back",
    ContentLost => "files that a power loss took content of",
    Paused => "pods that slept",
    PausedAtCall => "pods that slept in the midst of a call",
    DayPassed => "days that passed at once",
    Hung => "volumes that hung for a pod",
    ClockStep => "clocks that stepped",
    LateCall => "calls that were done after their caller had given up",
    LateLink => "links into the log that landed late",
    LostReply => "replies that were lost",
    LostLink => "links into the log whose reply was lost",
    FailedCall => "calls that failed",
    DeadCall => "calls of the dead that were done",
    StalePresence => "removed names that were still seen",
    StaleAbsence => "new names that were not seen yet",
    LostRace => "links that found another entry there",
    Block => "blocks that were begun",
    Visited => "visits of spaces",
    Evicted => "states that were dropped from memory",
    Dawdled => "clients that took very long to send a file",
    StartLinked => "states that were written down",
    StartRead => "logs that were read on from a state",
    GoneLinked => "blocks that were truncated",
    GoneSeen => "times that somebody met `gone`",
    IntoThePast => "links of sleepers into a past that is gone",
    EntryRemoved => "entries that were removed",
    ObjectRemoved => "objects that were removed",
    Swept => "watermarks that rose",
    Collected => "spaces where all that nothing refers to was gone in the end",
    Retried => "operations that were asked again",
    Refused => "refusals",
    QuotaRefused => "refusals for lack of room",
    TakeOver => "uploads that another pod took over",
    Expired => "uploads that expired",
    Lent => "quotas that were lent",
    TakenBack => "quotas that were taken back",
    Superseded => "limits of a leader that was replaced",
    Acknowledged => "offsets that were acknowledged",
    ReadBytes => "files that were read",
    VolumeNamed => "volumes that got a number in a space",
    Exchanged => "copies and moves to the other space that were answered",
    MovedAway => "moves to the other space whose source was said to be gone",
    SourceRemoved => "sources that were deleted after a move to the other space",
    BytesMoved => "times that bytes were moved to other objects",
    Trashed => "things that went to the trash",
    Restored => "things that came back from it",
    Purged => "things that were purged from it",
    VersionKept => "contents that became versions",
    VersionRestored => "versions that became contents again",
    VersionPurged => "versions that were purged",
    BroughtBack => "things that were brought back from a point in time",
    Closed => "spaces that were closed",
    SpaceRemoved => "spaces that were removed",
    ClosedRefused => "refusals of a closed space",
    RoomMade => "things and versions that made room",
    KeptExpired => "things and versions that were kept long enough",
    PropertiesSet => "properties and times that were set",
    LockMade => "locks",
    LockRefreshed => "locks whose time was counted anew",
    LockEnded => "locks that were ended",
    LockExpired => "locks whose time had come",
    LockRefused => "refusals for a lock",
    Shared => "shares",
    ShareUsed => "uses of shares",
    ShareUsedUp => "refusals of shares that were used up",
    ShareEnded => "shares that were ended",
    ShareExpired => "shares whose time had come",
    PastRead => "points in time that were read",
    PastGone => "points in time that were kept no more",
}

const COUNT: usize = Met::ALL.len();

/// How often each was met.
pub(super) struct Tally([AtomicU64; COUNT]);

impl Default for Tally {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; COUNT])
    }
}

impl Tally {
    pub(super) fn add(&self, met: Met) {
        let count = &self.0[met as usize];
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(super) fn add_many(&self, met: Met, times: u64) {
        let count = &self.0[met as usize];
        count.store(count.load(Ordering::Relaxed) + times, Ordering::Relaxed);
    }

    /// Takes in what another one has counted.
    pub(super) fn join(&self, other: &Self) {
        for (sum, count) in self.0.iter().zip(&other.0) {
            sum.fetch_add(count.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// What was never met.
    pub(super) fn missed(&self) -> Vec<&'static str> {
        self.lines().filter(|(_, count)| *count == 0).map(|(text, _)| text).collect()
    }

    fn lines(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Met::ALL.iter().map(|(met, text)| (*text, self.0[*met as usize].load(Ordering::Relaxed)))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().try_for_each(|(text, count)| writeln!(f, "{count:>12} {text}"))
    }
}
