//! The simulated volume as one pod sees it: with answers that are late, lost, false or stale.

use std::marker::PhantomData;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::coverage::Met;
use super::disk::{Disk, Ino};
use super::place::{PathId, Paths, Purpose};
use super::world::{Event, Happening, Owner, World};
use crate::file_system::{FileSystem, FsError, FsFuture, Health, NewFile, OpenFile};
use crate::rule::{Rule, kept};

/// How often, of a thousand calls, something goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weather {
    /// It is done and an error is answered.
    pub(super) lost: u64,
    /// No answer in time; it is done later, or never.
    pub(super) late: u64,
    /// It is not done, and that is said.
    pub(super) failed: u64,
    /// The call takes very long.
    pub(super) slow: u64,
}

/// What all mounts share.
pub(super) struct Server {
    pub(super) world: Arc<World>,
    pub(super) disk: Mutex<Disk>,
    pub(super) weather: Mutex<Weather>,
    pub(super) calls: AtomicU64,
}

impl Server {
    pub(super) fn new(world: Arc<World>, disk: Disk, weather: Weather) -> Arc<Self> {
        let (disk, weather) = (Mutex::new(disk), Mutex::new(weather));
        Arc::new(Self { world, disk, weather, calls: AtomicU64::new(0) })
    }

    fn latency(&self, weather: &Weather) -> u64 {
        if self.world.chance(weather.slow) {
            self.world.below(3_000_000)
        } else {
            100 + self.world.below(1500)
        }
    }

    fn chance(&self) -> impl Fn(u64) -> u64 {
        |end| self.world.below(end)
    }

    /// The volume loses its power, and clients live on that have these numbers.
    pub(super) fn lose_power(&self, living: &[u32]) {
        self.world.meet(if living.is_empty() { Met::PowerLost } else { Met::PowerSurvived });
        self.disk.lock().unwrap().lose_power(living, self.chance(), &self.world.met);
    }

    pub(super) fn client_dies(&self, owner: &Owner) {
        self.disk.lock().unwrap().client_dies(owner, self.chance(), &self.world.met);
    }
}

/// How long a caller waits for a volume that does not answer.
const PATIENCE: u64 = 750_000;

/// What becomes of a call.
enum Fate {
    Well,
    Lost,
    Late { done_after: Option<u64> },
    Failed,
}

/// What is asked of the volume.
#[derive(Clone)]
enum Ask {
    Create(PathId),
    Write(PathId, Bytes),
    Link(PathId, PathId),
    Open(PathId),
    Read(PathId, usize),
    List(PathId),
    Unlink(PathId),
    Stat(PathId),
    SyncDirectory(PathId),
    MakeDirectory(PathId),
    Append(PathId, Ino, Bytes),
    Sync(PathId, Ino),
    ReadAt(Ino, u64, usize),
}

impl Ask {
    /// What a client may be told that asks again because the answer was lost.
    fn falsely(&self) -> Option<FsError> {
        match self {
            Self::Create(_) | Self::Write(..) | Self::Link(..) | Self::MakeDirectory(_) => {
                Some(FsError::Exists)
            }
            Self::Unlink(_) => Some(FsError::NotFound),
            _ => None,
        }
    }

    /// What its caller knows of from now on.
    fn places(&self) -> [Option<PathId>; 2] {
        match self {
            Self::Link(from, to) => [Some(*from), Some(*to)],
            Self::Create(path)
            | Self::Write(path, _)
            | Self::Open(path)
            | Self::Read(path, _)
            | Self::List(path)
            | Self::Unlink(path)
            | Self::Stat(path)
            | Self::SyncDirectory(path)
            | Self::MakeDirectory(path) => [Some(*path), None],
            Self::Append(..) | Self::Sync(..) | Self::ReadAt(..) => [None, None],
        }
    }

    fn is_link(&self) -> bool {
        matches!(self, Self::Link(..))
    }

    fn describe(&self, paths: &Paths) -> String {
        let short = |path: &PathId| paths.short(*path);
        match self {
            Self::Create(path) => format!("create {}", short(path)),
            Self::Write(path, content) => {
                format!("write {} bytes to {} and sync", content.len(), short(path))
            }
            Self::Link(from, to) => format!("link {} to {}", short(from), short(to)),
            Self::Open(path) => format!("open {}", short(path)),
            Self::Read(path, _) => format!("read {}", short(path)),
            Self::List(path) => format!("list {}", short(path)),
            Self::Unlink(path) => format!("remove {}", short(path)),
            Self::Stat(path) => format!("look at {}", short(path)),
            Self::SyncDirectory(path) => format!("sync directory {}", short(path)),
            Self::MakeDirectory(path) => format!("make directory {}", short(path)),
            Self::Append(path, _, content) => format!("append {} bytes to {}", content.len(), short(path)),
            Self::Sync(path, _) => format!("sync {}", short(path)),
            Self::ReadAt(ino, offset, length) => {
                format!("read {length} bytes of file {ino} from {offset} on")
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Reply {
    Done,
    File(Ino),
    Content(Bytes),
    Names(Vec<String>),
    Length(u64),
}

type Answer = Result<Reply, FsError>;

/// A call under way.
struct Call {
    mount: Mount,
    ask: Ask,
    boot: u64,
    /// How long its answer takes.
    back: u64,
    /// What the caller is told instead of what comes of it.
    told: Option<FsError>,
    state: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    done: Option<Answer>,
    /// Whether the caller may see it.
    answered: Option<Answer>,
    waker: Option<Waker>,
}

impl Happening for Call {
    /// The call is at the server, and some time after the answer is at its caller.
    fn happen(self: Arc<Self>) {
        let Server { world, disk, .. } = &*self.mount.server;
        let mut state = self.state.lock().unwrap();
        if let Some(done) = state.done.take() {
            state.answered = Some(done);
            let waker = state.waker.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
            return;
        }
        let mut disk = disk.lock().unwrap();
        // A call of a dead pod may be on its way; not beyond the end of the server.
        let dead = self.mount.owner.is_dead();
        if disk.boot != self.boot || dead && world.chance(500) {
            // The caller of a server that ended is told, if it still waits.
            if self.told.is_none() {
                state.done = Some(Err(FsError::Stalled));
                world.schedule(self.back, Event::Call(self.clone()));
            }
            return;
        }
        let result = self.mount.act(&self.ask, &mut disk);
        if dead {
            world.meet(Met::DeadCall);
        }
        if self.told == Some(FsError::Stalled) {
            world.meet(Met::LateCall);
            if self.ask.is_link() && result.is_ok() {
                world.meet(Met::LateLink);
            }
        } else if self.told.is_some() {
            world.meet(Met::LostReply);
            if self.ask.is_link() && result.is_ok() {
                world.meet(Met::LostLink);
            }
        }
        world.note(|| {
            let result = result.as_ref().map_or_else(|error| error.to_string(), |_| "done".to_owned());
            let lost = if self.told.is_some() { " (the answer is lost)" } else { "" };
            format!("  life {}: {}: {result}{lost}", self.mount.owner.number, self.ask.describe(&disk.paths))
        });
        if self.told.is_none() {
            state.done = Some(result);
            world.schedule(self.back, Event::Call(self.clone()));
        }
    }
}

/// What is told to somebody whose call has another fate.
struct Lie(Arc<Call>);

impl Happening for Lie {
    fn happen(self: Arc<Self>) {
        let mut state = self.0.state.lock().unwrap();
        state.answered = Some(Err(self.0.told.clone().unwrap_or(FsError::Stalled)));
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A call as its caller sees it: begun when it is first polled.
struct Calling<T> {
    mount: Mount,
    ask: Option<Ask>,
    call: Option<Arc<Call>>,
    /// An earlier call on the same file failed.
    spoilt: Option<Arc<AtomicBool>>,
    take: fn(&Mount, &Ask, Reply) -> Option<T>,
    kind: PhantomData<fn() -> T>,
}

impl<T> Future for Calling<T> {
    type Output = Result<T, FsError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(ask) = self.ask.take() {
            if self.mount.owner.is_dead() {
                return Poll::Pending;
            }
            if self.spoilt.as_ref().is_some_and(|spoilt| spoilt.swap(true, Ordering::Relaxed)) {
                return Poll::Ready(Err(error("an earlier write failed")));
            }
            self.call = Some(self.mount.begin(ask));
        }
        let Some(call) = &self.call else { return Poll::Pending };
        let answered = {
            let mut state = call.state.lock().unwrap();
            match state.answered.take() {
                Some(answered) => answered,
                None => {
                    if state.waker.as_ref().is_none_or(|waker| !waker.will_wake(context.waker())) {
                        state.waker = Some(context.waker().clone());
                    }
                    return Poll::Pending;
                }
            }
        };
        let result = answered.map(|reply| (self.take)(&self.mount, &call.ask, reply).unwrap());
        if let (Some(spoilt), Ok(_)) = (&self.spoilt, &result) {
            spoilt.store(false, Ordering::Relaxed);
        }
        Poll::Ready(result)
    }
}

/// One pod's mount. Clones are the same mount.
#[derive(Clone)]
pub(super) struct Mount {
    server: Arc<Server>,
    owner: Owner,
}

impl Mount {
    pub(super) fn new(server: Arc<Server>, owner: Owner) -> Self {
        server.disk.lock().unwrap().mount(&owner);
        Self { server, owner }
    }

    fn fate(&self, weather: &Weather) -> Fate {
        let world = &self.server.world;
        let left = self.owner.hung.load(Ordering::Relaxed).saturating_sub(world.now());
        if left > 0 {
            return Fate::Late { done_after: world.chance(500).then_some(left) };
        }
        let Weather { lost, late, failed, slow: _ } = *weather;
        let roll = world.below(1000);
        if roll < lost {
            Fate::Lost
        } else if roll < lost + late {
            let longest = *world.pick(&[10_000, 1_000_000, 20_000_000]);
            Fate::Late { done_after: world.chance(700).then(|| world.below(longest)) }
        } else if roll < lost + late + failed {
            Fate::Failed
        } else {
            Fate::Well
        }
    }

    /// Sends a call to the server.
    fn begin(&self, ask: Ask) -> Arc<Call> {
        let server = &*self.server;
        let world = &server.world;
        server.calls.fetch_add(1, Ordering::Relaxed);
        self.owner.calls(world);
        let weather = *server.weather.lock().unwrap();
        let fate = self.fate(&weather);
        let (forth, back) = (server.latency(&weather), server.latency(&weather));
        let (done_after, told) = match fate {
            Fate::Well => (Some(forth), None),
            Fate::Lost => {
                let lost = ask.falsely().filter(|_| world.chance(500)).unwrap_or_else(|| error("it broke"));
                (Some(forth), Some((forth + back, lost)))
            }
            Fate::Late { done_after } => (done_after, Some((PATIENCE, FsError::Stalled))),
            Fate::Failed => {
                world.meet(Met::FailedCall);
                (None, Some((forth + back, error("it failed"))))
            }
        };
        let boot = server.disk.lock().unwrap().boot;
        let (when, told) = told.unzip();
        let call = Call { mount: self.clone(), ask, boot, back, told, state: Mutex::default() };
        let call = Arc::new(call);
        if let Some(when) = when {
            world.schedule(when, Event::Call(Arc::new(Lie(call.clone()))));
        }
        if let Some(done_after) = done_after {
            world.schedule(done_after, Event::Call(call.clone()));
        }
        call
    }

    /// Does what is asked.
    fn act(&self, ask: &Ask, disk: &mut Disk) -> Answer {
        let (owner, world) = (&self.owner, &self.server.world);
        ask.places().into_iter().flatten().for_each(|path| disk.see(owner, path));
        let seen_until = || world.chance(500).then(|| world.now() + world.below(3_000_000));
        let find = |disk: &mut Disk, path| disk.find(owner, path, world.now(), seen_until, &world.met);
        match ask {
            Ask::Create(path) => disk.create(owner, *path, Bytes::new()).map(Reply::File),
            Ask::Write(path, content) => {
                let ino = disk.create(owner, *path, content.clone())?;
                let rule = match disk.paths.purpose(*path) {
                    Purpose::Temporary { .. } if content.starts_with(b"IDSENTRY") => Some(Rule::EntryDurable),
                    Purpose::Object { .. } => Some(Rule::ContentDurable),
                    _ => None,
                };
                if rule.is_none_or(kept) {
                    disk.sync(ino);
                }
                Ok(Reply::Done)
            }
            Ask::Link(from, to) => {
                let linked = disk.link(owner, *from, *to, world.now(), &world.met);
                let entry = matches!(disk.paths.purpose(*to), Purpose::Entry { .. });
                if linked == Err(FsError::Exists) && entry {
                    world.meet(Met::LostRace);
                }
                linked.map(|()| Reply::Done)
            }
            Ask::Open(path) => find(disk, *path).map(Reply::File),
            Ask::Read(path, most) => {
                let ino = find(disk, *path)?;
                match disk.paths.purpose(*path) {
                    Purpose::Gone => world.meet(Met::GoneSeen),
                    Purpose::Start { .. } => world.meet(Met::StartRead),
                    _ => {}
                }
                let content = disk.content(ino);
                Ok(Reply::Content(content.slice(..content.len().min(most.saturating_add(1)))))
            }
            Ask::List(path) => {
                let mut names = disk.list(owner, *path)?;
                for place in (1..names.len()).rev() {
                    names.swap(place, usize::try_from(world.below(place as u64 + 1)).unwrap());
                }
                Ok(Reply::Names(names))
            }
            Ask::Unlink(path) => {
                disk.unlink(owner, *path, seen_until)?;
                match disk.paths.purpose(*path) {
                    Purpose::Entry { .. } => world.meet(Met::EntryRemoved),
                    Purpose::Object { .. } => world.meet(Met::ObjectRemoved),
                    _ => {}
                }
                Ok(Reply::Done)
            }
            Ask::Stat(path) => {
                let ino = find(disk, *path)?;
                Ok(Reply::Length(disk.content(ino).len() as u64))
            }
            Ask::SyncDirectory(path) => {
                let rule = match disk.paths.purpose(*path) {
                    Purpose::Objects => Some(Rule::ObjectNameDurable),
                    Purpose::Other => Some(Rule::ParentsDurable),
                    _ => None,
                };
                if rule.is_none_or(kept) {
                    disk.sync_directory(*path).map(|()| Reply::Done)
                } else {
                    disk.list(owner, *path).map(|_| Reply::Done)
                }
            }
            Ask::MakeDirectory(path) => disk.make_directory(owner, *path).map(|()| Reply::Done),
            Ask::Append(_, ino, content) => {
                disk.append(*ino, content.clone());
                Ok(Reply::Done)
            }
            Ask::Sync(path, ino) => {
                let object = matches!(disk.paths.purpose(*path), Purpose::Object { .. });
                if !object || kept(Rule::ContentDurable) {
                    disk.sync(*ino);
                }
                Ok(Reply::Done)
            }
            Ask::ReadAt(ino, offset, length) => {
                let content = disk.content(*ino);
                let begin = usize::try_from(*offset).unwrap().min(content.len());
                let end = begin.saturating_add(*length).min(content.len());
                Ok(Reply::Content(content.slice(begin..end)))
            }
        }
    }

    fn path(&self, path: &str) -> PathId {
        self.server.disk.lock().unwrap().path(path)
    }

    fn call<T: 'static>(&self, ask: Ask, take: fn(&Self, &Ask, Reply) -> Option<T>) -> FsFuture<T> {
        self.spoilable(ask, None, take)
    }

    fn spoilable<T: 'static>(
        &self,
        ask: Ask,
        spoilt: Option<Arc<AtomicBool>>,
        take: fn(&Self, &Ask, Reply) -> Option<T>,
    ) -> FsFuture<T> {
        let mount = self.clone();
        Box::pin(Calling { mount, ask: Some(ask), call: None, spoilt, take, kind: PhantomData })
    }
}

fn error(text: &'static str) -> FsError {
    FsError::Other(text.into())
}

fn done(_: &Mount, _: &Ask, reply: Reply) -> Option<()> {
    matches!(reply, Reply::Done).then_some(())
}

fn content(_: &Mount, _: &Ask, reply: Reply) -> Option<Bytes> {
    match reply {
        Reply::Content(content) => Some(content),
        _ => None,
    }
}

impl FileSystem for Mount {
    fn create(&self, path: &str) -> FsFuture<Arc<dyn NewFile>> {
        self.call(Ask::Create(self.path(path)), |mount, ask, reply| match (ask, reply) {
            (Ask::Create(path), Reply::File(ino)) => {
                Some(Arc::new(Writing { mount: mount.clone(), ino, path: *path, spoilt: Arc::default() }))
            }
            _ => None,
        })
    }

    fn write(&self, path: &str, content: Bytes) -> FsFuture<()> {
        self.call(Ask::Write(self.path(path), content), done)
    }

    fn link(&self, from: &str, to: &str) -> FsFuture<()> {
        self.call(Ask::Link(self.path(from), self.path(to)), done)
    }

    fn open(&self, path: &str) -> FsFuture<Arc<dyn OpenFile>> {
        self.call(Ask::Open(self.path(path)), |mount, _, reply| match reply {
            Reply::File(ino) => Some(Arc::new(Reading { mount: mount.clone(), ino })),
            _ => None,
        })
    }

    fn read(&self, path: &str, most: usize) -> FsFuture<Bytes> {
        self.call(Ask::Read(self.path(path), most), content)
    }

    fn list(&self, path: &str) -> FsFuture<Vec<String>> {
        self.call(Ask::List(self.path(path)), |_, _, reply| match reply {
            Reply::Names(names) => Some(names),
            _ => None,
        })
    }

    fn unlink(&self, path: &str) -> FsFuture<()> {
        self.call(Ask::Unlink(self.path(path)), done)
    }

    fn stat(&self, path: &str) -> FsFuture<u64> {
        self.call(Ask::Stat(self.path(path)), |_, _, reply| match reply {
            Reply::Length(length) => Some(length),
            _ => None,
        })
    }

    fn sync_directory(&self, path: &str) -> FsFuture<()> {
        self.call(Ask::SyncDirectory(self.path(path)), done)
    }

    fn make_directory(&self, path: &str) -> FsFuture<()> {
        self.call(Ask::MakeDirectory(self.path(path)), done)
    }

    fn health(&self) -> Health {
        Health { canary_age: Some(std::time::Duration::ZERO), free: api::bytes::Bytes(1 << 40) }
    }
}

struct Writing {
    mount: Mount,
    ino: Ino,
    path: PathId,
    /// A write failed: nobody knows what is in the file.
    spoilt: Arc<AtomicBool>,
}

impl NewFile for Writing {
    fn append(&self, content: Bytes) -> FsFuture<()> {
        let ask = Ask::Append(self.path, self.ino, content);
        self.mount.spoilable(ask, Some(self.spoilt.clone()), done)
    }

    fn sync(&self) -> FsFuture<()> {
        let (ino, server) = (self.ino, self.mount.server.clone());
        let ask = Ask::Sync(self.path, ino);
        let synced = self.mount.spoilable(ask, Some(self.spoilt.clone()), done);
        Box::pin(async move {
            let result = synced.await;
            if result.is_err() && server.world.chance(500) {
                let kept = usize::try_from(server.world.below(1 << 13)).unwrap();
                server.disk.lock().unwrap().sync_fails(ino, kept);
            }
            result
        })
    }
}

struct Reading {
    mount: Mount,
    ino: Ino,
}

impl OpenFile for Reading {
    fn read(&self, offset: u64, length: usize) -> FsFuture<Bytes> {
        self.mount.call(Ask::ReadAt(self.ino, offset, length), content)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
