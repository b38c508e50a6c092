//! The place of a writer: one process after the other, and what the judge knows of its clients.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Sender;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;

use super::standstill::Times;
use super::talk::{Asked, Going, ROLE, Refusal, Role, Said, Task};
use super::worlds::Worlds;

/// What comes from the process in a place; which of them says its number.
pub(super) type Event = (usize, u64, Option<Said>);

/// A process and how to speak with it.
pub(super) struct Process {
    pub(super) number: u64,
    child: Child,
    socket: UnixStream,
    /// Until when it is stopped, and whether it is killed then.
    pub(super) stopped: Option<(Instant, bool)>,
    /// It ends when the call is answered that it is in, which can take a while.
    pub(super) killed: bool,
}

impl Process {
    /// Starts one. `test` is the test that this process runs: there the new one finds what it is.
    pub(super) fn start(
        slot: usize,
        number: u64,
        test: &str,
        role: &Role,
        log: &Path,
        events: &Sender<Event>,
    ) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--include-ignored", "--nocapture"])
            .env(ROLE, serde_json::to_string(role).unwrap())
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(File::try_clone(&log).unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let (reading, events) = (BufReader::new(ours.try_clone().unwrap()), events.clone());
        std::thread::spawn(move || {
            for line in reading.lines() {
                // A line may be cut where the process was killed.
                let Ok(said) =
                    line.map_err(|_| ()).and_then(|line| serde_json::from_str(&line).map_err(|_| ()))
                else {
                    break;
                };
                if events.send((slot, number, Some(said))).is_err() {
                    return;
                }
            }
            let _ = events.send((slot, number, None));
        });
        Self { number, child, socket: ours, stopped: None, killed: false }
    }

    pub(super) fn kill(&mut self) {
        self.killed = true;
        self.child.kill().unwrap();
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        // It is not reaped before its end was heard, so the id is still its own.
        kill_process(pid, signal).unwrap();
    }

    /// Tells it to end when all that it has begun is done.
    pub(super) fn enough(&mut self) {
        let _ = self.socket.write_all(b".");
    }

    /// After its end: whether it ended by itself and well.
    pub(super) fn ended_well(mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended can not be killed, and a test that failed leaves none.
        let _ = self.child.kill();
    }
}

/// A client, one process after the other.
pub(super) struct Client {
    pub(super) directory: String,
    /// What may be in its directory; not of the one that all share.
    pub(super) worlds: Option<Worlds>,
    asked: Option<Asked>,
    upload: Option<Going>,
}

/// What was said of operations by all clients, to be compared with the log.
#[derive(Default)]
pub(super) struct Told {
    pub(super) begun: HashMap<Uuid, Asked>,
    pub(super) done: HashMap<Uuid, Option<u64>>,
    pub(super) refused: HashMap<Uuid, Refusal>,
    pub(super) wrong: Vec<String>,
    pub(super) unknown: u64,
    pub(super) retried: u64,
}

impl Client {
    pub(super) fn new(directory: String, shared: bool) -> Self {
        let worlds = (!shared).then(Worlds::default);
        Self { directory, worlds, asked: None, upload: None }
    }

    pub(super) fn hear(&mut self, said: Said, told: &mut Told) {
        let fits = match said {
            Said::Begun { client: _, asked } => {
                told.begun.insert(asked.id, asked.clone());
                self.asked = Some(asked);
                Ok(())
            }
            Said::Done { client: _, id, generation } => {
                told.done.insert(id, generation);
                self.upload = self.upload.take().filter(|going| going.id != id);
                let asked = self.asked.take().filter(|asked| asked.id == id);
                let asked = asked.or_else(|| told.begun.get(&id).cloned()).unwrap();
                self.worlds.as_mut().map_or(Ok(()), |worlds| worlds.acknowledged(&asked))
            }
            Said::Refused { client: _, id, why } => {
                told.refused.insert(id, why);
                let asked = self.asked.take().unwrap();
                self.worlds.as_mut().map_or(Ok(()), |worlds| worlds.refused(&asked, why))
            }
            Said::Uploading { client: _, going } => {
                let further = self
                    .upload
                    .as_ref()
                    .is_some_and(|known| known.id == going.id && known.offset > going.offset);
                // One who goes on after a kill may first say less.
                if !further {
                    self.upload = Some(going);
                }
                Ok(())
            }
            Said::Seen { client: _, files } => {
                self.worlds.as_mut().map_or(Ok(()), |worlds| worlds.seen(&files))
            }
            other => Err(format!("{other:?} is not said by a client")),
        };
        if let Err(what) = fits {
            told.wrong.push(format!("{}: {what}", self.directory));
        }
    }

    /// Its process is dead: what the next one takes up. When it does not ask again, what came of the last operation is
    /// not known.
    pub(super) fn take_up(&mut self, asks_again: bool, told: &mut Told) -> Task {
        let asked = self.asked.take();
        let upload = self.upload.clone();
        // An upload is always gone on with: that tells whether it was completed.
        let retry = asked.filter(|asked| upload.as_ref().is_none_or(|going| going.id != asked.id));
        let (retry, unknown) = if asks_again { (retry, None) } else { (None, retry) };
        told.retried += u64::from(retry.is_some());
        // The next one may be killed before it has asked.
        self.asked.clone_from(&retry);
        if let Some(asked) = unknown {
            told.unknown += 1;
            if let Some(worlds) = &mut self.worlds {
                worlds.unknown(&asked);
            }
        }
        Task { directory: self.directory.clone(), retry, upload, look: !asks_again }
    }
}

/// When the process in a place was stopped, and what its operations waited.
#[derive(Default)]
pub(super) struct Waits {
    pub(super) stopped: Times,
    pub(super) waited: Vec<((u64, u64), String)>,
}
