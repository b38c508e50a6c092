//! Uploads that nobody goes on with give back what they have reserved; locks and shares end; and what was deleted or
//! replaced goes when its time has come.

use std::time::Duration;

use crate::format::record::{Abort, Action, RemoveShare, Unlock};
use crate::operation::UploadId;
use crate::settings::Settings;
use crate::state::State;
use crate::state::upload::Upload;

/// How often it is looked whether something has expired.
const INTERVAL: Duration = Duration::from_secs(60);

/// The same, when more had expired than ends with one entry. Others get their turn in between.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// So many are given up with one entry.
const MOST_AT_ONCE: usize = 100;

/// When it was last looked.
#[derive(Default)]
pub(super) struct Expiry {
    next: Duration,
}

impl Expiry {
    /// The steps that end what has expired. They ride on an entry that is written anyway.
    pub(super) fn due(
        &mut self,
        state: &State,
        now: Option<i64>,
        elapsed: Duration,
        settings: &Settings,
    ) -> Vec<(Action, usize)> {
        if elapsed < self.next {
            return Vec::new();
        }
        self.next = elapsed.saturating_add(INTERVAL);
        let Some(now) = now else { return Vec::new() };
        let dead = dead(state, now, settings).take(MOST_AT_ONCE);
        let mut due: Vec<_> = dead.map(|upload| (Action::Abort(Abort { upload }), 1)).collect();
        let (purges, all) = state.expired(now, settings);
        if due.len() == MOST_AT_ONCE || !all {
            self.next = elapsed.saturating_add(SOON);
        }
        due.extend(purges);
        due
    }
}

/// Uploads that nobody has gone on with for too long.
fn dead(state: &State, now: i64, settings: &Settings) -> impl Iterator<Item = UploadId> {
    let age = i64::try_from(settings.upload_expiry.as_millis()).unwrap_or(i64::MAX);
    let expired =
        move |upload: &Upload| upload.open().is_some_and(|open| open.heard.saturating_add(age) < now);
    state.uploads.iter().filter(move |(_, upload)| expired(upload)).map(|(id, _)| *id)
}

/// Whether something has expired by a time. Of a space that is closed nothing goes by itself.
pub(super) fn is_due(state: &State, now: i64, settings: &Settings) -> bool {
    if state.closed.is_some() {
        return false;
    }
    let (purges, _) = state.expired(now, settings);
    dead(state, now, settings).next().is_some()
        || !purges.is_empty()
        || state.locks.expired(now).next().is_some()
        || state.shares.expired(now).next().is_some()
}

/// The steps that end locks and shares whose time has come. They come first in each entry, so that a lock which nobody
/// has taken away yet hinders nobody.
pub(super) fn ended(state: &State, now: Option<i64>) -> Vec<Action> {
    let Some(now) = now else { return Vec::new() };
    let locks = state.locks.expired(now).map(|token| Action::Unlock(Unlock { token }));
    let shares = state.shares.expired(now).take(MOST_AT_ONCE);
    locks.chain(shares.map(|id| Action::RemoveShare(RemoveShare { id }))).collect()
}
