//! Keys of objects to be looked at. A key waits at most once; one that is pushed while it is worked on comes again
//! afterwards, so no change is missed and no object is worked on twice at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Backoff, Key};

/// A queue; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Key>,
    queued: BTreeSet<Key>,
    /// In work; true: pushed again meanwhile.
    running: BTreeMap<Key, bool>,
    /// When a key comes by itself. Of two times the earlier one counts.
    later: HashMap<Key, Instant>,
    failures: HashMap<Key, u32>,
}

impl State {
    fn push(&mut self, key: Key) {
        if let Some(again) = self.running.get_mut(&key) {
            *again = true;
        } else if self.queued.insert(key.clone()) {
            self.later.remove(&key);
            self.waiting.push_back(key);
        }
    }

    fn push_later(&mut self, key: Key, at: Instant) {
        if !self.queued.contains(&key) {
            let known = self.later.entry(key).or_insert(at);
            *known = at.min(*known);
        }
    }

    /// Moves what is due to those that wait, and says when the next one will be.
    fn due(&mut self, now: Instant) -> Option<Instant> {
        let due: Vec<Key> =
            self.later.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        for key in due {
            self.later.remove(&key);
            self.push(key);
        }
        self.later.values().min().copied()
    }
}

impl Queue {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// This object is to be looked at.
    pub fn push(&self, key: Key) {
        self.state().push(key);
        self.inner.changed.notify_one();
    }

    /// This object is to be looked at after a while.
    pub fn push_after(&self, key: Key, pause: Duration) {
        self.state().push_later(key, Instant::now() + pause);
        self.inner.changed.notify_one();
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next key; it is in work until [`Queue::done`] or [`Queue::failed`]. Only one task may ask.
    pub(crate) async fn next(&self) -> Key {
        loop {
            let wake = {
                let mut state = self.state();
                let wake = state.due(Instant::now());
                if let Some(key) = state.waiting.pop_front() {
                    state.queued.remove(&key);
                    state.running.insert(key.clone(), false);
                    return key;
                }
                wake
            };
            let timer = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.inner.changed.notified() => {}
                () = timer => {}
            }
        }
    }

    /// Work on a key succeeded; it comes by itself after `again`, if given.
    pub(crate) fn done(&self, key: &Key, again: Option<Duration>) {
        let mut state = self.state();
        state.failures.remove(key);
        let pushed = state.running.remove(key).unwrap_or_default();
        if pushed {
            state.push(key.clone());
        } else if let Some(pause) = again {
            state.push_later(key.clone(), Instant::now() + pause);
        }
        drop(state);
        self.inner.changed.notify_one();
    }

    /// Work on a key failed: it comes again after the pause that is returned, even if it was pushed meanwhile, for
    /// an object that fails at each change must not keep everybody busy.
    pub(crate) fn failed(&self, key: &Key, backoff: Backoff, spread: u8) -> Duration {
        let mut state = self.state();
        let failures = state.failures.entry(key.clone()).or_insert(0);
        *failures = failures.saturating_add(1);
        let pause = backoff.pause(*failures, spread);
        state.running.remove(key);
        state.push_later(key.clone(), Instant::now() + pause);
        drop(state);
        self.inner.changed.notify_one();
        pause
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::new("disk", name)
    }

    #[tokio::test]
    async fn a_key_waits_once_and_comes_again_when_it_was_pushed_in_work() {
        let queue = Queue::new();
        for name in ["a", "b", "a"] {
            queue.push(key(name));
        }
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.next().await, key("a"));
        queue.push(key("a"));
        assert_eq!(queue.next().await, key("b"));
        assert!(queue.is_empty(), "a is in work");
        queue.done(&key("a"), None);
        assert_eq!(queue.next().await, key("a"));
        queue.done(&key("a"), None);
        queue.done(&key("b"), None);
        assert!(queue.is_empty());
    }

    /// The next key, and how long it took to come.
    async fn timed(queue: &Queue) -> (Key, Duration) {
        let began = Instant::now();
        let next = tokio::time::timeout(Duration::from_secs(20), queue.next()).await.unwrap();
        (next, began.elapsed())
    }

    #[tokio::test]
    async fn failures_wait_longer_each_time_and_success_forgets_them() {
        let queue = Queue::new();
        let backoff = Backoff { first: Duration::from_millis(10), longest: Duration::from_millis(40) };
        queue.push(key("a"));
        let (mut a, _) = timed(&queue).await;
        for milliseconds in [10, 20, 40, 40] {
            let pause = Duration::from_millis(milliseconds);
            assert_eq!(queue.failed(&a, backoff, 0), pause);
            let (again, took) = timed(&queue).await;
            assert!(took >= pause, "{took:?}");
            a = again;
        }
        queue.done(&a, Some(Duration::from_millis(30)));
        let (a, took) = timed(&queue).await;
        assert!(took >= Duration::from_millis(30), "{took:?}");
        assert_eq!(queue.failed(&a, backoff, 0), Duration::from_millis(10));
    }

    #[tokio::test]
    async fn a_change_comes_before_its_time() {
        let queue = Queue::new();
        let hour = Duration::from_secs(3600);
        queue.push_after(key("a"), hour);
        queue.push_after(key("a"), Duration::from_millis(5));
        let (a, _) = timed(&queue).await;
        queue.done(&a, Some(hour));
        queue.push(key("a"));
        let (a, _) = timed(&queue).await;
        queue.push_after(key("a"), Duration::from_millis(5));
        queue.done(&a, Some(hour));
        timed(&queue).await;
    }
}
