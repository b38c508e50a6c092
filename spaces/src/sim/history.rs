//! What was asked and what was answered: everything the verdict is about.

use std::sync::{Arc, Mutex, MutexGuard};

use api::ids::SpaceId;

use super::mount::Server;
use super::oracle::{Content, Demand, Refusal, Wish};
use super::world::World;
use crate::error::Error;
use crate::lock::LockToken;
use crate::operation::{OperationId, UploadId};
use crate::share::ShareId;
use crate::snapshot::Snapshot;

/// Generations between which something was decided: the newest that anybody had been told of when it was asked, and
/// the newest there was when it was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) after: u64,
    pub(super) until: u64,
}

/// What a pod answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done(u64),
    Refused(Refusal),
    /// It was not done, by this attempt.
    Unchanged,
    /// Nor can it be any more: what it needs is kept no more.
    Moot,
    Unknown,
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) id: OperationId,
    pub(super) wish: Wish,
    /// The locks that were said to be held.
    pub(super) tokens: Vec<LockToken>,
    /// How often it was asked; some attempts have no answer.
    pub(super) asked: usize,
    pub(super) answers: Vec<(Window, Answer)>,
}

/// A refusal of something that has no id.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) wish: Wish,
    /// Whether only the place is in question, and not the room.
    pub(super) place_only: bool,
    pub(super) refusal: Refusal,
    pub(super) window: Window,
}

/// What a reader saw.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) generation: u64,
    pub(super) window: Window,
    pub(super) lines: Vec<(String, Option<u64>)>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) sums: [u64; 5],
}

/// An upload that a member knows of.
#[derive(Clone, Debug)]
pub(super) struct Transfer {
    pub(super) id: UploadId,
    pub(super) path: String,
    pub(super) content: Content,
    pub(super) demand: Demand,
    pub(super) parents: bool,
    /// Somebody was told that so much is durable.
    pub(super) acknowledged: u64,
    pub(super) finished: Option<u64>,
    pub(super) giving_up: bool,
}

#[derive(Default)]
pub(super) struct Told {
    pub(super) calls: Vec<Call>,
    pub(super) claims: Vec<Claim>,
    pub(super) reads: Vec<Read>,
    pub(super) transfers: Vec<Transfer>,
    /// Every share that was asked for.
    pub(super) shares: Vec<ShareId>,
    /// So much of an upload was said to be durable, and the newest generation there was then.
    pub(super) acknowledged: Vec<(UploadId, u64, u64)>,
    /// Bytes that were read: of which generation, and from where.
    pub(super) contents: Vec<(u64, String, Vec<u8>)>,
    /// The newest generation that anybody was told of.
    pub(super) known: u64,
    /// Days have passed since, and everything was collected that nothing refers to.
    pub(super) collected: bool,
    /// The space was removed in the end.
    pub(super) removed: bool,
    /// What the pods showed when nothing happened any more.
    pub(super) finals: Vec<(usize, Snapshot)>,
    /// A pod has stopped a space because of what a volume hid that must not.
    pub(super) stopped: bool,
}

/// What was asked of one space.
pub(super) struct History {
    pub(super) space: SpaceId,
    /// Whether the volume hides new names for a while, as none may: then a pod may stop, but do nothing wrong.
    pub(super) blind: bool,
    pub(super) world: Arc<World>,
    server: Arc<Server>,
    told: Mutex<Told>,
}

impl History {
    pub(super) fn new(space: SpaceId, server: Arc<Server>, blind: bool) -> Arc<Self> {
        Arc::new(Self { space, blind, world: server.world.clone(), server, told: Mutex::default() })
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }

    /// The newest generation there is.
    pub(super) fn newest(&self) -> u64 {
        self.server.disk.lock().unwrap().newest(self.space)
    }

    /// The beginning of a window.
    pub(super) fn known(&self) -> u64 {
        self.told().known
    }

    pub(super) fn window(&self, after: u64) -> Window {
        Window { after, until: self.newest() }
    }

    pub(super) fn knows(&self, generation: u64) {
        let mut told = self.told();
        told.known = told.known.max(generation);
    }

    /// What an error means for who asked.
    pub(super) fn answer(&self, error: &Error) -> Answer {
        let refused = Answer::Refused;
        match error {
            Error::NotFound => refused(Refusal::NotFound),
            Error::Exists => refused(Refusal::Exists),
            Error::NotADirectory => refused(Refusal::NotADirectory),
            Error::IsADirectory => refused(Refusal::IsADirectory),
            Error::IntoItself => refused(Refusal::IntoItself),
            Error::Root => refused(Refusal::Root),
            Error::Precondition => refused(Refusal::Precondition),
            Error::QuotaExceeded { limit, used, reserved, needed: _ } => {
                refused(Refusal::Quota { limit: limit.0, used: used.0, reserved: reserved.0 })
            }
            Error::Locked { .. } => refused(Refusal::Locked),
            Error::LockConflict { .. } => refused(Refusal::LockConflict),
            Error::LockGone => refused(Refusal::LockGone),
            Error::ShareGone => refused(Refusal::ShareGone),
            Error::ShareUsedUp { .. } => refused(Refusal::ShareUsedUp),
            Error::SpaceClosed => refused(Refusal::Closed),
            Error::ContentGone | Error::HistoryGone { .. } => Answer::Moot,
            // What a volume hides for a while is not there yet.
            Error::NotYet { .. } if self.blind => Answer::Moot,
            Error::Superseded { seen } => refused(Refusal::Superseded { seen: seen.0 }),
            Error::Stalled(_) | Error::Io(_) | Error::StorageFull(_) | Error::ReadOnly(_) => {
                Answer::Unchanged
            }
            // A volume that fails while a pod makes its acquaintance may seem to be none that can be used.
            Error::OutcomeUnknown | Error::UnknownSpace(_) => Answer::Unknown,
            Error::UploadGone | Error::Fenced | Error::OffsetConflict { .. } => Answer::Unknown,
            Error::SpaceStopped { .. } if self.blind => {
                self.told().stopped = true;
                Answer::Unknown
            }
            error => {
                self.world.wrong(format!("7: a pod answered: {error}"));
                Answer::Unknown
            }
        }
    }
}
