//! The threads of one volume. A thread that calls into a hung file system may never come back, so each volume has its
//! own, and a bounded number of them; callers wait for a thread no longer than makes sense.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::ids::VolumeName;
use tokio::sync::oneshot;

use super::fault::Faults;
use crate::file_system::{FsError, FsFuture, Halted, StepsFuture};

/// The most threads of a volume. They are started when they are needed; what they do is mostly to wait.
const THREADS: usize = 32;
const STACK: usize = 256 << 10;
/// A volume that gives no answer to anybody for so long does not answer: who waits goes elsewhere, in time for a
/// client to stand still for less than a second. One call that is slow while others are answered may go on.
const PATIENCE: Duration = Duration::from_millis(750);
/// When nobody had an answer for so long, nobody needs to ask.
const HOPELESS: Duration = Duration::from_secs(2);

/// How much a call has to do, which says how long it may take on a volume that answers others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Size {
    /// A name or a small file.
    Small,
    /// Bytes of a large file, or very many names.
    Large,
}

impl Size {
    const fn limit(self) -> Duration {
        match self {
            Self::Small => Duration::from_secs(5),
            Self::Large => Duration::from_secs(30),
        }
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// What is done when somebody has his answer.
pub(super) type Afterwards = Box<dyn FnOnce() -> Result<(), FsError> + Send>;

/// How many of several calls were begun. When whoever asked for them gives up, no more are.
#[derive(Default)]
struct Turn {
    begun: Arc<AtomicUsize>,
}

impl Turn {
    /// From now on none is begun. Which one is the last that was.
    fn end(&self) -> usize {
        self.begun.swap(usize::MAX, Ordering::SeqCst).saturating_sub(1)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.end();
    }
}

/// The threads of a volume; clones share them.
#[derive(Clone)]
pub(super) struct Pool {
    shared: Arc<Shared>,
    /// The threads hold no [`Pool`], only what is shared, so that they end with the last of these.
    _open: Arc<Open>,
}

struct Shared {
    volume: VolumeName,
    queue: Mutex<Queue>,
    work: Condvar,
    started: Instant,
    /// When the volume last answered anything, in milliseconds since `started`.
    answered: AtomicU64,
    faults: Option<Faults>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.queue().closed = true;
        self.0.work.notify_all();
    }
}

impl Pool {
    pub(super) fn new(volume: &VolumeName, faults: Option<Faults>) -> Self {
        let shared = Arc::new(Shared {
            volume: volume.clone(),
            queue: Mutex::default(),
            work: Condvar::new(),
            started: Instant::now(),
            answered: AtomicU64::new(0),
            faults,
        });
        Self { _open: Arc::new(Open(shared.clone())), shared }
    }

    /// A thread for this volume, beside those of the pool.
    pub(super) fn thread(&self, what: &str, main: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.shared.thread(what, main)
    }

    /// Does a call on one of the threads. It is begun when the future is first asked; a future that is dropped before
    /// its turn is not begun at all.
    pub(super) fn run<T: Send + 'static>(
        &self,
        size: Size,
        call: impl FnOnce() -> Result<T, FsError> + Send + 'static,
    ) -> FsFuture<T> {
        let pool = self.clone();
        Box::pin(async move {
            let worker = pool.shared.clone();
            pool.wait(size.limit(), move |tell| tell(worker.counted(call))).await?
        })
    }

    /// Does so many calls on one of the threads, one after the other, up to the first that fails. None is begun when
    /// nobody waits for it any more. When all were done there is one more to do once that has been said.
    pub(super) fn steps(
        &self,
        count: usize,
        call: impl Fn(usize) -> Result<(), FsError> + Send + 'static,
        afterwards: Option<Afterwards>,
    ) -> StepsFuture {
        let pool = self.clone();
        Box::pin(async move {
            let (worker, turn) = (pool.shared.clone(), Turn::default());
            let begun = turn.begun.clone();
            let work = move |tell: &mut dyn FnMut(Result<(), Halted>)| {
                for step in 0..count {
                    if begun.compare_exchange(step, step + 1, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                        return;
                    }
                    if let Err(error) = worker.counted(|| call(step)) {
                        return tell(Err(Halted { step, error }));
                    }
                }
                tell(Ok(()));
                if let Some(afterwards) = afterwards {
                    // What is left is garbage, and known as such.
                    let _ = worker.counted(afterwards);
                }
            };
            let limit = Size::Small.limit().saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
            match pool.wait(limit, work).await {
                Ok(done) => done,
                Err(error) => Err(Halted { step: turn.end(), error }),
            }
        })
    }

    /// Does something on one of the threads and waits for what it tells, as long as the volume answers anybody.
    async fn wait<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&mut dyn FnMut(T)) + Send + 'static,
    ) -> Result<T, FsError> {
        let shared = &self.shared;
        let asked = Instant::now();
        if shared.silent() > HOPELESS {
            return Err(FsError::Stalled);
        }
        let (answer, mut answered) = oneshot::channel();
        shared.push(Box::new(move || {
            let mut answer = Some(answer).filter(|answer| !answer.is_closed());
            if answer.is_some() {
                work(&mut |told| {
                    if let Some(answer) = answer.take() {
                        let _ = answer.send(told);
                    }
                });
            }
        }));
        loop {
            let waited = asked.elapsed();
            let patience = PATIENCE.saturating_sub(waited.min(shared.silent()));
            if patience.is_zero() || waited >= limit {
                return Err(FsError::Stalled);
            }
            match tokio::time::timeout(patience.min(limit - waited), &mut answered).await {
                Ok(Ok(result)) => return Ok(result),
                Ok(Err(_)) => return Err(FsError::Other("no thread of the volume did the call".into())),
                Err(_) => {}
            }
        }
    }

    /// Does something on one of the threads, some time.
    pub(super) fn detached(&self, call: impl FnOnce() + Send + 'static) {
        self.shared.push(Box::new(call));
    }

    /// Does a call on the thread that asks, with the faults that there are.
    pub(super) fn call<T>(&self, call: impl FnOnce() -> Result<T, FsError>) -> Result<T, FsError> {
        self.shared.call(call)
    }

    /// Says that the volume answered, in the midst of a longer call.
    pub(super) fn answered(&self) {
        self.shared.answered();
    }

    /// Whether a test wants the volume to be full: asked before what needs room.
    pub(super) fn room(&self) -> Result<(), FsError> {
        self.shared.faults.as_ref().map_or(Ok(()), Faults::meet_full)
    }

    /// Whether faults can be switched on.
    pub(super) fn is_faulty(&self) -> bool {
        self.shared.faults.is_some()
    }

    /// Whether somebody besides the one who asks still uses the volume.
    pub(super) fn is_used(&self) -> bool {
        Arc::strong_count(&self._open) > 1
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long nobody had an answer.
    fn silent(&self) -> Duration {
        let answered = Duration::from_millis(self.answered.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(answered)
    }

    fn call<T>(&self, call: impl FnOnce() -> Result<T, FsError>) -> Result<T, FsError> {
        let result = match &self.faults {
            None => call(),
            Some(faults) => faults.meet().and_then(|()| call()).and_then(|done| faults.meet().map(|()| done)),
        };
        self.answered();
        result
    }

    /// A call that somebody asked for, of which a test can make the n-th fail.
    fn counted<T>(&self, call: impl FnOnce() -> Result<T, FsError>) -> Result<T, FsError> {
        self.call(|| self.faults.as_ref().map_or(Ok(()), Faults::count).and_then(|()| call()))
    }

    fn answered(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.answered.fetch_max(now, Ordering::Relaxed);
    }

    fn push(self: &Arc<Self>, job: Job) {
        let mut queue = self.queue();
        queue.jobs.push_back(job);
        if queue.idle >= queue.jobs.len() || queue.threads >= THREADS {
            drop(queue);
            self.work.notify_one();
            return;
        }
        queue.threads += 1;
        let number = queue.threads;
        drop(queue);
        let shared = self.clone();
        if let Err(error) = self.thread(&number.to_string(), move || shared.work()) {
            // Those that there are do it, or the caller's patience ends.
            tracing::error!(volume = %self.volume, %error, "No further thread can be started for a volume.");
            self.queue().threads -= 1;
            self.work.notify_one();
        }
    }

    fn work(&self) {
        let mut queue = self.queue();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                drop(queue);
                job();
                queue = self.queue();
            } else if queue.closed {
                return;
            } else {
                queue.idle += 1;
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
            }
        }
    }

    fn thread(&self, what: &str, main: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let name = format!("{what}-{}", self.volume);
        std::thread::Builder::new().name(name).stack_size(STACK).spawn(main).map(drop)
    }
}
