//! A writer: a process with an engine of its own, over a mount of its own, whose clients do what members do.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::bytes::Bytes as Amount;
use api::generation::Generation;
use api::ids::{ClusterUid, SpaceId};
use bytes::Bytes;
use fastrand::Rng;
use uuid::Uuid;

use super::super::world::{path, volume_name};
use super::talk::{Act, Asked, Content, Going, ROLE, Refusal, Role, SHORTEST, Said, Task, Work};
use super::talk::{bytes, notice_sleep, now, recognize};
use crate::{
    Committed, Condition, Engine, Error, Freshness, Kind, LocalConfig, NewUpload, Operation, OperationId,
    Request, Space, UploadId,
};

/// An operation that takes longer is told of.
const LONG: u64 = 400;
/// Before something is asked again.
const AGAIN: Duration = Duration::from_millis(40);
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Whether this process is a writer; then it has done its work when this comes back.
pub(super) fn was_one() -> bool {
    let Ok(role) = std::env::var(ROLE) else { return false };
    let role: Role = serde_json::from_str(&role).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(role));
    true
}

/// How a writer speaks with the judge.
#[derive(Clone)]
struct Judge {
    socket: Arc<Mutex<UnixStream>>,
    enough: Arc<AtomicBool>,
}

impl Judge {
    /// The socket is where others have their standard input.
    fn listen() -> Self {
        let socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
        let (mut reading, enough) = (socket.try_clone().unwrap(), Arc::new(AtomicBool::new(false)));
        let told = enough.clone();
        std::thread::spawn(move || {
            // A word, or the end of the judge.
            let _ = reading.read(&mut [0]);
            told.store(true, Ordering::SeqCst);
        });
        Self { socket: Arc::new(Mutex::new(socket)), enough }
    }

    fn say(&self, said: &Said) {
        let mut line = serde_json::to_vec(said).unwrap();
        line.push(b'\n');
        // A judge who is gone needs to hear nothing.
        let _ = self.socket.lock().unwrap().write_all(&line);
    }

    fn is_enough(&self) -> bool {
        self.enough.load(Ordering::SeqCst)
    }
}

async fn run(role: Role) {
    let Role { mount, cluster, space, seed, work } = role;
    let judge = Judge::listen();
    let telling = judge.clone();
    notice_sleep(move |from, to| telling.say(&Said::Slept { from, to }));
    let engine = loop {
        let config = LocalConfig {
            volumes: vec![(volume_name(), mount.clone())],
            cluster: ClusterUid(cluster),
            adopt: None,
            faults: None,
            settings: work.settings(),
        };
        match Engine::open_local(config).await {
            Ok(engine) => break engine,
            // The client of the mount may just have been killed.
            Err(error) if judge.is_enough() => return eprintln!("{error}"),
            Err(error) => eprintln!("{error}"),
        }
        tokio::time::sleep(AGAIN).await;
    };
    let space = engine.space(SpaceId(space), volume_name());
    let client = |number: usize, directory: String| Client {
        judge: judge.clone(),
        space: space.clone(),
        number,
        directory,
        random: Rng::with_seed(seed.wrapping_add(number as u64)),
        born: Generation::ZERO,
    };
    match work {
        Work::Everything { clients } => {
            let clients = clients
                .into_iter()
                .enumerate()
                .map(|(number, task)| tokio::spawn(client(number, task.directory.clone()).work(task)));
            for ended in futures::future::join_all(clients).await {
                ended.unwrap();
            }
        }
        Work::Fill { name } => client(0, String::new()).fill(&name).await,
    }
}

struct Client {
    judge: Judge,
    space: Space,
    number: usize,
    directory: String,
    random: Rng,
    /// The newest generation it has seen.
    born: Generation,
}

impl Client {
    fn path(&self, name: &str) -> crate::NodePath {
        if self.directory.is_empty() { path(name) } else { path(&format!("{}/{name}", self.directory)) }
    }

    /// After a failure that is no fault of ours. The log of the process tells of it.
    async fn rest(&self, what: &impl std::fmt::Debug, error: &Error) {
        eprintln!("{} {}: {what:?}: {error}", now(), self.directory);
        tokio::time::sleep(AGAIN).await;
    }

    fn wrong(&self, what: String) {
        self.judge.say(&Said::Wrong { what: format!("{}: {what}", self.directory) });
    }

    async fn work(mut self, task: Task) {
        self.make_directory().await;
        let Task { directory: _, retry, upload, look } = task;
        if let Some(asked) = retry {
            self.ask(asked, true).await;
        }
        if let Some(going) = upload {
            self.go_on(going).await;
        }
        if look {
            // What came of an operation is certain once another one of this log came after it.
            self.act(Act::Put { name: "fence".to_owned(), length: SHORTEST, absent: false }).await;
            self.look().await;
        }
        while !self.judge.is_enough() {
            let begun = now();
            let what = self.something().await;
            let to = now();
            if to > begun + LONG {
                self.judge.say(&Said::Waited { from: begun, to, what });
            }
            tokio::time::sleep(Duration::from_millis(self.random.u64(0..40))).await;
        }
    }

    async fn make_directory(&mut self) {
        let directory = path(&self.directory);
        while !self.judge.is_enough() {
            let operation = Operation::MakeDirectory { path: directory.clone(), parents: true };
            let request =
                Request { id: OperationId(Uuid::new_v4()), born: None, locks: Vec::new(), operation };
            match self.space.commit(request).await {
                Ok(done) => {
                    self.born = done.generation;
                    return;
                }
                Err(error) => self.rest(&"the directory", &error).await,
            }
        }
    }

    fn name(&mut self) -> String {
        NAMES[self.random.usize(..NAMES.len())].to_owned()
    }

    async fn something(&mut self) -> String {
        let (name, other) = (self.name(), self.name());
        let act = match self.random.u32(..20) {
            0..8 => {
                // Small ones share an object, larger ones have their own, the largest reserve first.
                let most = [4_000, 60_000, 60_000, 400_000, 1_500_000][self.random.usize(..5)];
                let length = self.random.u64(SHORTEST..most);
                Act::Put { name, length, absent: self.random.u32(..3) == 0 }
            }
            8..11 if name != other => Act::Move { from: name, to: other },
            11..13 if name != other => Act::Copy { from: name, to: other },
            8..16 => Act::Delete { name },
            16..18 => {
                let length = self.random.u64(SHORTEST..2_000_000);
                self.upload(name, length).await;
                return "an upload".to_owned();
            }
            _ => {
                self.look().await;
                return "a look".to_owned();
            }
        };
        let what = format!("{act:?}");
        self.act(act).await;
        what
    }

    async fn act(&mut self, act: Act) {
        self.ask(Asked { id: Uuid::new_v4(), born: self.born.0, act }, false).await;
    }

    /// Asks until it is certain what came of it. `unknown`: it may have been done already, by a process that is dead.
    async fn ask(&mut self, asked: Asked, mut unknown: bool) {
        let Asked { id, born: _, act } = asked.clone();
        if let Act::Finish { name, length } = act {
            return self.go_on(Going { id, name, length, offset: 0 }).await;
        }
        self.judge.say(&Said::Begun { client: self.number, asked: asked.clone() });
        let client = self.number;
        loop {
            let why = match self.once(&asked).await {
                Ok(done) => {
                    self.born = done.generation;
                    let generation = Some(done.generation.0);
                    return self.judge.say(&Said::Done { client, id, generation });
                }
                Err(Error::NotFound) => Refusal::NotFound,
                Err(Error::Exists | Error::Precondition) => Refusal::Exists,
                // Its content may find no room because it is there already.
                Err(error @ Error::QuotaExceeded { .. }) if unknown => match self.outcome(&asked).await {
                    Ok(Some(done)) => {
                        self.born = done.generation;
                        let generation = Some(done.generation.0);
                        return self.judge.say(&Said::Done { client, id, generation });
                    }
                    Ok(None) => Refusal::Quota,
                    Err(_) => {
                        self.rest(&asked, &error).await;
                        continue;
                    }
                },
                Err(Error::QuotaExceeded { .. }) => Refusal::Quota,
                Err(error @ Error::OutcomeUnknown) => {
                    unknown = true;
                    self.rest(&asked, &error).await;
                    continue;
                }
                Err(error @ (Error::Stalled(_) | Error::Io(_) | Error::StorageFull(_))) => {
                    self.rest(&asked, &error).await;
                    if unknown {
                        // Of this attempt nothing came; of an earlier one something may have.
                        continue;
                    }
                    Refusal::NotDone
                }
                Err(error) => return self.wrong(format!("{asked:?}: {error}")),
            };
            return self.judge.say(&Said::Refused { client, id, why });
        }
    }

    async fn once(&self, asked: &Asked) -> Result<Committed, Error> {
        let operation = match &asked.act {
            Act::Put { name, length, absent } => {
                let mut stage = self.space.stage(Some(Amount(*length))).await?;
                for piece in bytes(Content { id: asked.id, length: *length }).chunks(100_000) {
                    stage.write(Bytes::copy_from_slice(piece)).await?;
                }
                let condition = if *absent { Condition::Absent } else { Condition::None };
                let content = stage.finish().await?;
                Operation::Put { path: self.path(name), content, condition, parents: false }
            }
            Act::Move { from, to } => {
                Operation::Move { from: self.path(from), to: self.path(to), overwrite: true }
            }
            Act::Copy { from, to } => {
                Operation::Copy { from: self.path(from), to: self.path(to), overwrite: true }
            }
            Act::Delete { name } => {
                Operation::Delete { path: self.path(name), condition: Condition::None, permanently: true }
            }
            Act::Finish { .. } => unreachable!("an upload is completed by who goes on with it"),
        };
        let (id, born) = (OperationId(asked.id), Some(Generation(asked.born)));
        let request = Request { id, born, locks: Vec::new(), operation };
        self.space.commit(request).await
    }

    async fn outcome(&self, asked: &Asked) -> Result<Option<Committed>, Error> {
        let snapshot = self.space.snapshot(Freshness::Now).await?;
        snapshot.outcome(OperationId(asked.id), Generation(asked.born))
    }

    async fn upload(&mut self, name: String, length: u64) {
        let new = NewUpload { path: self.path(&name), length: Amount(length), ..NewUpload::default() };
        match self.space.create_upload(new).await {
            Ok(id) => self.go_on(Going { id: id.0, name, length, offset: 0 }).await,
            Err(Error::QuotaExceeded { .. }) => {}
            Err(error @ (Error::Stalled(_) | Error::Io(_) | Error::StorageFull(_))) => {
                self.rest(&"a new upload", &error).await;
            }
            Err(error) => self.wrong(format!("no upload can be begun: {error}")),
        }
    }

    /// Goes on with an upload until it is complete, whoever had it before.
    async fn go_on(&mut self, mut going: Going) {
        let client = self.number;
        let id = UploadId(going.id);
        loop {
            self.judge.say(&Said::Uploading { client, going: going.clone() });
            match self.space.upload_status(id).await {
                Ok(status) if status.complete => {
                    let act = Act::Finish { name: going.name.clone(), length: going.length };
                    let asked = Asked { id: going.id, born: 0, act };
                    self.judge.say(&Said::Begun { client, asked });
                    return self.judge.say(&Said::Done { client, id: going.id, generation: None });
                }
                Ok(status) if status.offset.0 < going.offset => {
                    return self.wrong(format!("{going:?} was acknowledged, and {status:?} is left"));
                }
                Ok(status) => going.offset = status.offset.0,
                Err(error @ (Error::Stalled(_) | Error::Io(_) | Error::StorageFull(_))) => {
                    self.rest(&going, &error).await;
                    continue;
                }
                Err(error) => return self.wrong(format!("{going:?}: {error}")),
            }
            match self.send(&mut going).await {
                Ok(generation) => {
                    self.born = generation;
                    let generation = Some(generation.0);
                    return self.judge.say(&Said::Done { client, id: going.id, generation });
                }
                Err(
                    error @ (Error::Stalled(_)
                    | Error::Io(_)
                    | Error::StorageFull(_)
                    | Error::OutcomeUnknown
                    | Error::Fenced
                    | Error::OffsetConflict { .. }),
                ) => self.rest(&going, &error).await,
                Err(Error::QuotaExceeded { .. }) => {
                    return self.wrong(format!("{going:?} does not fit, though it was reserved"));
                }
                Err(error) => return self.wrong(format!("{going:?}: {error}")),
            }
        }
    }

    async fn send(&mut self, going: &mut Going) -> Result<Generation, Error> {
        let client = self.number;
        let content = bytes(Content { id: going.id, length: going.length });
        let mut writer = self.space.continue_upload(UploadId(going.id), going.offset).await?;
        while going.offset < going.length {
            let from = usize::try_from(going.offset).unwrap();
            let to = content.len().min(from + self.random.usize(1..400_000));
            for piece in content[from..to].chunks(64_000) {
                writer.write(Bytes::copy_from_slice(piece)).await?;
            }
            going.offset = writer.acknowledge().await?;
            self.judge.say(&Said::Uploading { client, going: going.clone() });
        }
        let act = Act::Finish { name: going.name.clone(), length: going.length };
        self.judge.say(&Said::Begun { client, asked: Asked { id: going.id, born: self.born.0, act } });
        writer.finish().await.map(|done| done.generation)
    }

    /// Reads everything in the directory.
    async fn look(&mut self) {
        let snapshot = match self.space.snapshot(Freshness::Now).await {
            Ok(snapshot) => snapshot,
            Err(Error::Stalled(_) | Error::Io(_) | Error::OutcomeUnknown) => return,
            Err(error) => return self.wrong(format!("a look: {error}")),
        };
        let mut files = BTreeMap::new();
        for (name, node) in snapshot.list(&path(&self.directory), None, usize::MAX) {
            if let Kind::File { .. } = node.kind {
                match read(&self.space, &node).await {
                    Ok(found) => match recognize(&found) {
                        Ok(content) => drop(files.insert(name.to_string(), content)),
                        Err(what) => return self.wrong(format!("{name}: {what}")),
                    },
                    Err(Error::Stalled(_) | Error::Io(_)) => return,
                    // Others may have replaced it where all work; here nobody does.
                    Err(Error::ContentGone) => return,
                    Err(error) => return self.wrong(format!("{name}: {error}")),
                }
            }
        }
        self.born = snapshot.generation();
        self.judge.say(&Said::Seen { client: self.number, files });
    }

    /// Puts files of all sizes, then smaller and smaller ones, until not one byte goes in.
    async fn fill(&mut self, name: &str) {
        let (mut stored, mut refused, mut most) = (0, 0, 50_000_u64);
        for number in 0_u64.. {
            let length = self.random.u64(1..=most);
            let (id, born) = (OperationId(Uuid::new_v4()), Some(self.born));
            let put = async {
                let mut stage = self.space.stage(Some(Amount(length))).await?;
                stage.write(Bytes::from(vec![b'x'; usize::try_from(length).unwrap()])).await?;
                let content = stage.finish().await?;
                let to = path(&format!("{name}-{number}"));
                let operation =
                    Operation::Put { path: to, content, condition: Condition::Absent, parents: false };
                self.space.commit(Request { id, born, locks: Vec::new(), operation }).await
            };
            match put.await {
                Ok(done) => {
                    self.born = done.generation;
                    stored += length;
                }
                Err(Error::QuotaExceeded { .. }) => {
                    refused += 1;
                    if length == 1 {
                        break;
                    }
                    most = (length / 2).max(1);
                }
                Err(error) => return self.wrong(format!("a file of {length} bytes: {error}")),
            }
        }
        self.judge.say(&Said::Filled { bytes: stored, refused });
    }
}

/// All bytes of a file.
pub(super) async fn read(space: &Space, node: &crate::Node) -> Result<Vec<u8>, Error> {
    let mut reader = space.read(node, 0..u64::MAX).await?;
    let mut content = Vec::new();
    while let Some(chunk) = reader.next().await? {
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}
