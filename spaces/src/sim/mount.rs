//! The simulated volume as one pod sees it: with answers that are late, lost, false or stale.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::channel::oneshot;

use super::disk::{Disk, Ino};
use super::world::{Owner, World};
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
    /// Until when the volume does not answer to a pod.
    pub(super) hung: Mutex<BTreeMap<Owner, u64>>,
}

impl Server {
    pub(super) fn new(world: Arc<World>, disk: Disk, weather: Weather) -> Arc<Self> {
        let (disk, weather) = (Mutex::new(disk), Mutex::new(weather));
        Arc::new(Self { world, disk, weather, hung: Mutex::default() })
    }

    fn latency(&self) -> u64 {
        let weather = *self.weather.lock().unwrap();
        if self.world.chance(weather.slow) {
            self.world.below(3_000_000)
        } else {
            100 + self.world.below(1500)
        }
    }

    fn chance(&self) -> impl Fn(u64) -> u64 {
        |end| self.world.below(end)
    }

    pub(super) fn lose_power(&self) {
        self.disk.lock().unwrap().lose_power(self.chance());
    }

    pub(super) fn client_dies(&self, owner: Owner) {
        self.disk.lock().unwrap().client_dies(owner, self.chance());
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

/// One pod's mount. Clones are the same mount.
#[derive(Clone)]
pub(super) struct Mount {
    server: Arc<Server>,
    owner: Owner,
}

impl Mount {
    pub(super) fn new(server: Arc<Server>, owner: Owner) -> Self {
        server.disk.lock().unwrap().mount(owner);
        Self { server, owner }
    }

    fn fate(&self) -> Fate {
        let Server { world, weather, hung, .. } = &*self.server;
        let until = hung.lock().unwrap().get(&self.owner).copied().unwrap_or(0);
        let left = until.saturating_sub(world.now());
        if left > 0 {
            return Fate::Late { done_after: world.chance(500).then_some(left) };
        }
        let Weather { lost, late, failed, slow: _ } = *weather.lock().unwrap();
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

    /// Does a call at the server: begun when first polled, done some time, answered some time after.
    /// `falsely` is what a client is told that asks again because the answer was lost.
    fn call<T: Send + 'static>(
        &self,
        what: String,
        falsely: Option<FsError>,
        act: impl FnOnce(&mut Disk, &Self) -> Result<T, FsError> + Send + 'static,
    ) -> FsFuture<T> {
        let mount = self.clone();
        Box::pin(async move {
            let Server { world, disk, .. } = &*mount.server;
            if world.is_dead(mount.owner) {
                return std::future::pending().await;
            }
            let fate = mount.fate();
            let (answer, answered) = oneshot::channel();
            let boot = disk.lock().unwrap().boot;
            let (forth, back) = (mount.server.latency(), mount.server.latency());
            let lost_answer = falsely
                .filter(|_| world.chance(500))
                .unwrap_or_else(|| if world.chance(500) { FsError::Stalled } else { error("it broke") });
            let (done_after, told) = match fate {
                Fate::Well => (Some(forth), None),
                Fate::Lost => (Some(forth), Some((forth + back, lost_answer))),
                Fate::Late { done_after } => (done_after, Some((PATIENCE, FsError::Stalled))),
                Fate::Failed => (None, Some((forth + back, error("it failed")))),
            };
            let answer = match told {
                None => Some(answer),
                Some((when, told)) => {
                    world.after(when, move || {
                        let _ = answer.send(Err(told));
                    });
                    None
                }
            };
            if let Some(done_after) = done_after {
                let doer = mount.clone();
                world.after(done_after, move || {
                    let Server { world, disk, .. } = &*doer.server;
                    let mut disk = disk.lock().unwrap();
                    // A call of a dead pod may be on its way; not beyond the end of the server.
                    if disk.boot != boot || world.is_dead(doer.owner) && world.chance(500) {
                        return;
                    }
                    let result = act(&mut disk, &doer);
                    drop(disk);
                    world.note(|| {
                        let result =
                            result.as_ref().map_or_else(|error| error.to_string(), |_| "done".to_owned());
                        let lost = if answer.is_none() { " (the answer is lost)" } else { "" };
                        format!("  life {}: {what}: {result}{lost}", doer.owner.0)
                    });
                    if let Some(answer) = answer {
                        world.after(back, move || {
                            let _ = answer.send(result);
                        });
                    }
                });
            }
            match answered.await {
                Ok(result) => result,
                // The server ended with the call under way.
                Err(_) => Err(FsError::Stalled),
            }
        })
    }

    fn find(&self, disk: &mut Disk, path: &str) -> Result<Ino, FsError> {
        let world = &self.server.world;
        let now = world.now();
        let blind = world.chance(500).then(|| now + world.below(3_000_000));
        disk.find(self.owner, path, now, blind)
    }
}

fn error(text: &str) -> FsError {
    FsError::Other(text.into())
}

/// A path without what is the same in all.
fn short(path: &str) -> &str {
    path.strip_prefix("spaces/").and_then(|rest| rest.get(40..)).unwrap_or(path)
}

impl FileSystem for Mount {
    fn create(&self, path: &str) -> FsFuture<Arc<dyn NewFile>> {
        let path = path.to_owned();
        self.call(format!("create {}", short(&path)), Some(FsError::Exists), move |disk, mount| {
            let ino = disk.create(mount.owner, &path, b"")?;
            let file = Writing { mount: mount.clone(), ino, path, spoilt: Arc::default() };
            Ok(Arc::new(file) as Arc<dyn NewFile>)
        })
    }

    fn write(&self, path: &str, content: Bytes) -> FsFuture<()> {
        let path = path.to_owned();
        let what = format!("write {} bytes to {} and sync", content.len(), short(&path));
        self.call(what, Some(FsError::Exists), move |disk, mount| {
            let ino = disk.create(mount.owner, &path, &content)?;
            if kept(Rule::EntryDurable) || !path.contains("/tmp/") {
                disk.sync(ino);
            }
            Ok(())
        })
    }

    fn link(&self, from: &str, to: &str) -> FsFuture<()> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let what = format!("link {} to {}", short(&from), short(&to));
        self.call(what, Some(FsError::Exists), move |disk, mount| {
            disk.link(mount.owner, &from, &to, mount.server.world.now())
        })
    }

    fn open(&self, path: &str) -> FsFuture<Arc<dyn OpenFile>> {
        let path = path.to_owned();
        self.call(format!("open {}", short(&path)), None, move |disk, mount| {
            let ino = mount.find(disk, &path)?;
            Ok(Arc::new(Reading { mount: mount.clone(), ino }) as Arc<dyn OpenFile>)
        })
    }

    fn read(&self, path: &str, most: usize) -> FsFuture<Bytes> {
        let path = path.to_owned();
        self.call(format!("read {}", short(&path)), None, move |disk, mount| {
            let ino = mount.find(disk, &path)?;
            let content = disk.content(ino);
            Ok(Bytes::copy_from_slice(&content[..content.len().min(most + 1)]))
        })
    }

    fn list(&self, path: &str) -> FsFuture<Vec<String>> {
        let path = path.to_owned();
        self.call(format!("list {}", short(&path)), None, move |disk, mount| {
            let mut names = disk.list(&path)?;
            let length = names.len() as u64;
            for place in 0..names.len() {
                names.swap(place, usize::try_from(mount.server.world.below(length)).unwrap());
            }
            Ok(names)
        })
    }

    fn unlink(&self, path: &str) -> FsFuture<()> {
        let path = path.to_owned();
        self.call(format!("remove {}", short(&path)), Some(FsError::NotFound), move |disk, mount| {
            let world = &mount.server.world;
            let seen = || world.chance(500).then(|| world.now() + world.below(3_000_000));
            disk.unlink(mount.owner, &path, seen)
        })
    }

    fn stat(&self, path: &str) -> FsFuture<u64> {
        let path = path.to_owned();
        self.call(format!("look at {}", short(&path)), None, move |disk, mount| {
            let ino = mount.find(disk, &path)?;
            Ok(disk.content(ino).len() as u64)
        })
    }

    fn sync_directory(&self, path: &str) -> FsFuture<()> {
        let path = path.to_owned();
        self.call(format!("sync directory {}", short(&path)), None, move |disk, _| {
            let object = path.contains("/objects/");
            if object && !kept(Rule::ObjectNameDurable) {
                disk.list(&path).map(|_| ())
            } else {
                disk.sync_directory(&path)
            }
        })
    }

    fn make_directory(&self, path: &str) -> FsFuture<()> {
        let path = path.to_owned();
        self.call(format!("make directory {}", short(&path)), Some(FsError::Exists), move |disk, mount| {
            disk.make_directory(mount.owner, &path)
        })
    }

    fn health(&self) -> Health {
        Health { canary_age: Some(std::time::Duration::ZERO), free: api::bytes::Bytes(1 << 40) }
    }
}

struct Writing {
    mount: Mount,
    ino: Ino,
    path: String,
    /// A write failed: nobody knows what is in the file.
    spoilt: Arc<AtomicBool>,
}

impl Writing {
    fn step(&self, what: String, act: impl FnOnce(&mut Disk) + Send + 'static) -> FsFuture<()> {
        let spoilt = self.spoilt.clone();
        let call = self.mount.call(what, None, move |disk, _| {
            act(disk);
            Ok(())
        });
        Box::pin(async move {
            if spoilt.swap(true, Ordering::Relaxed) {
                return Err(error("an earlier write failed"));
            }
            call.await?;
            spoilt.store(false, Ordering::Relaxed);
            Ok(())
        })
    }
}

impl NewFile for Writing {
    fn append(&self, content: Bytes) -> FsFuture<()> {
        let ino = self.ino;
        let what = format!("append {} bytes to {}", content.len(), short(&self.path));
        self.step(what, move |disk| disk.append(ino, &content))
    }

    fn sync(&self) -> FsFuture<()> {
        let ino = self.ino;
        let synced = self.step(format!("sync {}", short(&self.path)), move |disk| {
            if kept(Rule::ContentDurable) {
                disk.sync(ino);
            }
        });
        let server = self.mount.server.clone();
        Box::pin(async move {
            let result = synced.await;
            if result.is_err() && server.world.chance(500) {
                let kept = usize::try_from(server.world.below(1 << 20)).unwrap();
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
        let ino = self.ino;
        self.mount.call(format!("read {length} bytes from {offset} on"), None, move |disk, _| {
            let content = disk.content(ino);
            let begin = usize::try_from(offset).unwrap().min(content.len());
            let end = begin.saturating_add(length).min(content.len());
            Ok(Bytes::copy_from_slice(&content[begin..end]))
        })
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
