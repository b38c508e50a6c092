//! What was answered about a name and a password, kept for a short while: a client that mounts a disk sends them with
//! every request. Neither is kept itself, but a hash under a key that this process alone has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::generation::RosterGeneration;

use super::Identity;

/// So many answers are remembered, which is some 700 kB.
const MOST: usize = 4096;

/// Names a pair of name and password to this process, and tells nobody else anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remembered {
    /// They are a member's.
    Right(Identity),
    /// They are nobody's.
    Wrong,
    /// Nobody looks at them before this moment.
    Limited(Instant),
}

struct Entry {
    remembered: Remembered,
    until: Instant,
    /// Of the credentials that were looked at; newer ones make this answer worthless.
    generation: RosterGeneration,
}

/// Answers, and the questions under way.
pub(crate) struct Memory {
    key: [u8; 32],
    answers: Mutex<HashMap<Fingerprint, Entry>>,
    asking: Mutex<HashMap<Fingerprint, Arc<tokio::sync::Mutex<()>>>>,
}

impl Memory {
    /// With a key by chance.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key, answers: Mutex::default(), asking: Mutex::default() })
    }

    pub(crate) fn fingerprint(&self, name: &str, password: &str) -> Fingerprint {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        // The length tells ("ab", "c") from ("a", "bc").
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes()).update(password.as_bytes());
        Fingerprint(*hasher.finalize().as_bytes())
    }

    /// What is known, if credentials of this generation are the newest that there are.
    pub(crate) fn recall(
        &self,
        of: Fingerprint,
        newest: RosterGeneration,
        now: Instant,
    ) -> Option<Remembered> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = answers.get(&of)?;
        if entry.until <= now || entry.generation < newest {
            answers.remove(&of);
            return None;
        }
        Some(entry.remembered.clone())
    }

    pub(crate) fn remember(
        &self,
        of: Fingerprint,
        remembered: Remembered,
        generation: RosterGeneration,
        now: Instant,
        lasts: Duration,
    ) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST {
            answers.retain(|_, entry| entry.until > now);
        }
        if answers.len() >= MOST {
            // Guesses are forgotten before members are: those who are refused are not to cost the others anything.
            answers.retain(|_, entry| matches!(entry.remembered, Remembered::Right(_)));
        }
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(of, Entry { remembered, until: now + lasts, generation });
    }

    /// Of many requests with the same name and password one asks; the others wait here, and find the answer.
    pub(crate) async fn turn(&self, of: Fingerprint) -> Turn<'_> {
        let one = {
            let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(asking.entry(of).or_default())
        };
        let held = Arc::clone(&one).lock_owned().await;
        Turn { memory: self, of, _held: held }
    }
}

/// The right to ask; given up when dropped.
pub(crate) struct Turn<'a> {
    memory: &'a Memory,
    of: Fingerprint,
    _held: tokio::sync::OwnedMutexGuard<()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut asking = self.memory.asking.lock().unwrap_or_else(PoisonError::into_inner);
        // Two hold it when nobody waits: the map and this turn.
        if asking.get(&self.of).is_some_and(|one| Arc::strong_count(one) <= 2) {
            asking.remove(&self.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_forgotten_in_time_and_when_credentials_change() {
        let memory = Memory::new().unwrap();
        let (now, minute) = (Instant::now(), Duration::from_secs(60));
        let alice = memory.fingerprint("alice", "secret");
        let generation = RosterGeneration(7);
        memory.remember(alice, Remembered::Wrong, generation, now, minute);
        for (of, newest, at, known) in [
            (alice, 7, now, true),
            (alice, 6, now, true),
            (memory.fingerprint("alic", "esecret"), 7, now, false),
            (Memory::new().unwrap().fingerprint("alice", "secret"), 7, now, false),
            (alice, 7, now + minute, false),
        ] {
            assert_eq!(memory.recall(of, RosterGeneration(newest), at).is_some(), known);
        }
        memory.remember(alice, Remembered::Wrong, generation, now, minute);
        assert!(memory.recall(alice, RosterGeneration(8), now).is_none());
        assert!(memory.recall(alice, generation, now).is_none(), "it is gone for good");
    }

    #[test]
    fn guesses_push_no_member_out() {
        let memory = Memory::new().unwrap();
        let (now, minute) = (Instant::now(), Duration::from_secs(60));
        let alice = memory.fingerprint("alice", "secret");
        let right = Remembered::Right(Identity::of_member(api::ids::MemberUid(uuid::Uuid::nil())));
        memory.remember(alice, right, RosterGeneration(1), now, minute);
        for guess in 0..3 * MOST {
            let of = memory.fingerprint("alice", &guess.to_string());
            memory.remember(of, Remembered::Wrong, RosterGeneration(1), now, minute);
        }
        assert!(memory.recall(alice, RosterGeneration(1), now).is_some());
        assert!(memory.answers.lock().unwrap().len() <= MOST);
    }

    #[tokio::test]
    async fn one_asks_at_a_time_and_nothing_is_left_of_it() {
        let memory = Memory::new().unwrap();
        let of = memory.fingerprint("alice", "secret");
        let first = memory.turn(of).await;
        let mut second = Box::pin(memory.turn(of));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
        assert!(memory.asking.lock().unwrap().is_empty());
    }
}
