//! The loop of a controller.

use std::sync::Arc;

use serve::Shutdown;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::{Backoff, Key, Next, Queue, Reconciler};
use crate::metrics::OperatorMetrics;

/// Works on what is in the queue until told to end; then finishes what is under way.
pub async fn work<R: Reconciler>(
    reconciler: Arc<R>,
    queue: Queue,
    metrics: OperatorMetrics,
    shutdown: Shutdown,
) {
    let mut running = JoinSet::new();
    loop {
        while running.len() >= R::AT_ONCE {
            running.join_next().await;
        }
        let key = tokio::select! {
            key = queue.next() => key,
            () = shutdown.draining() => break,
            Some(_) = running.join_next() => continue,
        };
        metrics.waiting(R::NAME, queue.len());
        let (reconciler, queue, metrics) = (Arc::clone(&reconciler), queue.clone(), metrics.clone());
        running.spawn(async move { one(&*reconciler, &queue, &metrics, key).await });
    }
    while running.join_next().await.is_some() {}
}

async fn one<R: Reconciler>(reconciler: &R, queue: &Queue, metrics: &OperatorMetrics, key: Key) {
    let span = tracing::info_span!("reconcile", controller = R::NAME, object = %key);
    // A task of its own would be the only way to outlive a panic; the guard puts the key back then.
    let guard = InWork { queue, key: &key, ended: false };
    let began = std::time::Instant::now();
    let outcome = reconciler.reconcile(&key).instrument(span.clone()).await;
    metrics.reconciled(R::NAME, outcome.is_ok(), began.elapsed());
    let _entered = span.enter();
    match outcome {
        Ok(next) => guard.done(next),
        Err(error) => {
            let pause = guard.failed();
            tracing::warn!(error = %chain(&error), retry_ms = pause.as_millis(), "This object could not be reconciled.");
        }
    }
}

/// An error with its causes, as one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

struct InWork<'a> {
    queue: &'a Queue,
    key: &'a Key,
    ended: bool,
}

impl InWork<'_> {
    fn done(mut self, next: Next) {
        self.ended = true;
        self.queue.done(
            self.key,
            match next {
                Next::AtChange => None,
                Next::After(pause) => Some(pause),
            },
        );
    }

    fn failed(mut self) -> std::time::Duration {
        self.ended = true;
        self.put_back()
    }

    fn put_back(&self) -> std::time::Duration {
        let mut spread = [0];
        // Without random numbers there is no spread, which is no harm.
        let _ = getrandom::fill(&mut spread);
        self.queue.failed(self.key, Backoff::default(), spread[0])
    }
}

impl Drop for InWork<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.put_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// Fails the first time, panics the second, and then succeeds.
    struct Third {
        seen: Mutex<Vec<Key>>,
        at_once: AtomicUsize,
        most: AtomicUsize,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("not yet")]
    struct NotYet;

    impl Reconciler for Third {
        const NAME: &'static str = "third";
        const AT_ONCE: usize = 2;
        type Error = NotYet;

        async fn reconcile(&self, key: &Key) -> Result<Next, NotYet> {
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            seen.push(key.clone());
            match seen.iter().filter(|one| *one == key).count() {
                1 => Err(NotYet),
                2 => panic!("a mistake, made on purpose"),
                _ => Ok(Next::AtChange),
            }
        }
    }

    #[tokio::test]
    async fn every_key_succeeds_in_the_end_and_few_run_at_once() {
        let third = Arc::new(Third {
            seen: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let (queue, shutdown) = (Queue::new(), Shutdown::new());
        for number in 0..5 {
            queue.push(Key::new("disk", number.to_string()));
        }
        let metrics = OperatorMetrics::new(&serve::Metrics::new()).unwrap();
        let working = tokio::spawn(work(Arc::clone(&third), queue, metrics, shutdown.clone()));
        tokio::time::timeout(Duration::from_secs(60), async {
            while third.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len() < 15 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
        shutdown.drain();
        working.await.unwrap();
        assert_eq!(third.most.load(Ordering::SeqCst), 2);
    }
}
