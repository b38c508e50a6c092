//! Writers that go on whatever happens: each puts file after file, through whichever disk pod takes it, remembers what
//! was acknowledged, and reads some of it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use http::{Method, StatusCode};
use tokio::task::JoinHandle;

use crate::disk::{self, Disk};
use crate::http::{Answer, Http};
use crate::noise::noise;
use crate::web::Session;

/// A pod that says nothing for so long is left for the next one.
const SILENCE: Duration = Duration::from_secs(5);
/// So long is tried to find a pod that takes a file.
const PATIENCE: Duration = Duration::from_secs(120);
/// Those of a few bytes share an object; the others have their own.
const LENGTHS: [usize; 6] = [700, 12_000, 60_000, 200_000, 4_000, 1_200_000];

/// A file that was acknowledged.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Where it is.
    pub path: String,
    /// What its content follows from.
    pub seed: u64,
    /// Its length.
    pub length: usize,
    /// The generation that has it.
    pub generation: u64,
    /// The pod that acknowledged it.
    pub pod: String,
}

impl Stored {
    /// Whether a pod serves what was acknowledged. An error is a file that is lost or another; a pod that fails is none.
    ///
    /// # Errors
    /// When the pod says that the file is not there, or serves other bytes.
    pub async fn is_served_by(&self, disk: &Disk) -> Result<bool> {
        let generation = self.generation.to_string();
        let headers = [("x-generation", generation.as_str())];
        let Ok(answer) = disk.send(Method::GET, &disk.file(&self.path), &headers, "".into()).await else {
            return Ok(false);
        };
        match answer.status {
            StatusCode::OK if answer.body == noise(self.seed, self.length) => Ok(true),
            StatusCode::OK => {
                bail!("{}: {} bytes through {}, of other content", self.path, answer.body.len(), disk.pod)
            }
            status if status.is_client_error() => bail!("{} through {}: {answer:?}", self.path, disk.pod),
            _ => Ok(false),
        }
    }
}

/// What writers have done.
#[derive(Debug, Default)]
pub struct Done {
    /// What was acknowledged.
    pub files: Vec<Stored>,
    /// How often a file found no pod at the first try.
    pub tries: usize,
    /// The longest that a file took until it was acknowledged.
    pub longest: Duration,
}

/// Some that write.
pub struct Writers {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    running: Vec<JoinHandle<Result<Done>>>,
}

impl Writers {
    /// Starts so many in one space.
    pub fn start(session: &Session, space: &str, count: u64) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let running = (0..count).map(|me| {
            let writer = Writer { session: session.clone(), space: space.to_owned(), me };
            tokio::spawn(writer.work(stop.clone(), acknowledged.clone()))
        });
        let running = running.collect();
        Self { stop, acknowledged, running }
    }

    /// How many files are acknowledged by now.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Lets everybody finish what was begun.
    ///
    /// # Errors
    /// When a file found no pod in the end, or was lost.
    pub async fn end(self) -> Result<Done> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Done::default();
        for one in self.running {
            let Done { files, tries, longest } = one.await??;
            all.files.extend(files);
            all.tries += tries;
            all.longest = all.longest.max(longest);
        }
        Ok(all)
    }
}

struct Writer {
    session: Session,
    space: String,
    me: u64,
}

impl Writer {
    async fn work(self, stop: Arc<AtomicBool>, acknowledged: Arc<AtomicUsize>) -> Result<Done> {
        let mut done = Done::default();
        for number in 0_usize.. {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            let began = Instant::now();
            let (stored, tries) = self.store(number).await?;
            done.longest = done.longest.max(began.elapsed());
            done.tries += tries;
            done.files.push(stored);
            acknowledged.fetch_add(1, Ordering::SeqCst);
            // Any of them, and so from one that took no part in it.
            if let Some(earlier) = done.files.get(number * 7 / 11)
                && let Ok(disks) = self.disks().await
                && let Some(disk) = disks.get(number % disks.len().max(1))
            {
                earlier.is_served_by(disk).await?;
            }
        }
        Ok(done)
    }

    /// Puts a file as the page does: through the next pod when one fails, and fresh ones are asked for when all have. What
    /// is put again where the answer was lost is the same.
    async fn store(&self, number: usize) -> Result<(Stored, usize)> {
        let (path, length) = (format!("w{}/{number}", self.me), LENGTHS[number % LENGTHS.len()]);
        let seed = self.me * 1_000_000 + number as u64;
        let content = noise(seed, length);
        let (began, mut tries, mut last) = (Instant::now(), 0, anyhow!("no pod is named"));
        while began.elapsed() < PATIENCE {
            for disk in self.disks().await.unwrap_or_default() {
                match disk.put(&path, content.clone()).await {
                    Ok(answer) if answer.status.is_success() => {
                        let generation = disk::generation(&answer)?;
                        return Ok((Stored { path, seed, length, generation, pod: disk.pod }, tries));
                    }
                    // What may have been done or not is put again, as docs/reference/http.md says.
                    Ok(answer) if answer.status.is_client_error() && !outcome_unknown(&answer) => {
                        bail!("{path}: {answer:?}")
                    }
                    Ok(answer) => last = anyhow!("{}: {answer:?}", disk.pod),
                    Err(error) => last = error,
                }
                tries += 1;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(last).with_context(|| format!("{path} found no pod in {PATIENCE:?}"))
    }

    async fn disks(&self) -> Result<Vec<Disk>> {
        let http = Http::new(SILENCE);
        let disks = self.session.disks(&self.space).await?;
        Ok(disks.into_iter().map(|disk| Disk { http: http.clone(), ..disk }).collect())
    }
}

fn outcome_unknown(answer: &Answer) -> bool {
    answer.json().is_ok_and(|problem| problem["code"] == "outcome-unknown")
}
