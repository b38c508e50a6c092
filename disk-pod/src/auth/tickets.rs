//! Tickets that were verified once: a signature takes as long to check as a small file takes to send.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use api::generation::RosterGeneration;
use api::ids::ClusterUid;
use api::ticket::{Ticket, TicketError};
use jiff::Timestamp;
use roster::Roster;

/// So many are remembered, which is some 2 MB.
const MOST: usize = 8192;

/// Verified tickets, by the hash of their token, as long as the same keys are trusted.
#[derive(Debug, Default)]
pub struct Tickets {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// The roster that says which keys are trusted.
    roster: RosterGeneration,
    /// Until one of them is not any more.
    until: Option<Timestamp>,
    verified: HashMap<blake3::Hash, Ticket>,
}

impl Tickets {
    /// The claims of a token that is good here and now.
    ///
    /// # Errors
    /// Says why it is not.
    pub(super) fn verify(
        &self,
        token: &str,
        roster: &Roster,
        cluster: ClusterUid,
        now: Timestamp,
    ) -> Result<Ticket, TicketError> {
        let key = blake3::hash(token.as_bytes());
        {
            let mut held = self.lock();
            held.keep_up(roster, now);
            if let Some(ticket) = held.verified.get(&key) {
                ticket.check_time(now)?;
                return Ok(ticket.clone());
            }
        }
        let ticket = Ticket::verify(token, &roster.settings().ticket_trust(now), cluster, now)?;
        let mut held = self.lock();
        // Verified by the keys of this roster, which may be the one before.
        if held.roster == roster.generation() {
            if held.verified.len() >= MOST {
                held.verified.retain(|_, ticket| ticket.check_time(now).is_ok());
            }
            if held.verified.len() >= MOST {
                held.verified.clear();
            }
            held.verified.insert(key, ticket.clone());
        }
        Ok(ticket)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Forgets everything when other keys may be trusted than before.
    fn keep_up(&mut self, roster: &Roster, now: Timestamp) {
        if self.roster == roster.generation() && self.until.is_none_or(|until| now <= until) {
            return;
        }
        let ends = roster.settings().ticket_keys.iter().filter_map(|key| key.not_after);
        self.until = ends.filter(|end| *end >= now).min();
        self.roster = roster.generation();
        self.verified.clear();
    }
}
