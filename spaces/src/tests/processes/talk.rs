//! What the judge gives a writer to do, and what the writer says of it: one JSON text a line. What was said before a
//! process was killed has been said: it is in the socket, not in the process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Settings;

/// The variable of the environment that makes a process a writer.
pub(super) const ROLE: &str = "SPACES_WRITER";

/// No content is shorter: it begins with the id of who wrote it.
pub(super) const SHORTEST: u64 = 16;

/// What a writer is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Role {
    pub(super) mount: PathBuf,
    pub(super) cluster: Uuid,
    pub(super) space: Uuid,
    pub(super) seed: u64,
    pub(super) work: Work,
}

/// What it does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Work {
    /// All that members do, until it is told that it is enough: a task for each client.
    Everything { clients: Vec<Task> },
    /// Puts files until nothing more goes into the space.
    Fill { name: String },
}

/// What a client takes up where the one before it in this place was killed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Task {
    /// The directory it works in. One that all share is judged by the log alone.
    pub(super) directory: String,
    pub(super) retry: Option<Asked>,
    pub(super) upload: Option<Going>,
    /// Whether to look first what there is.
    pub(super) look: bool,
}

/// An operation as it was first asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) id: Uuid,
    pub(super) born: u64,
    pub(super) act: Act,
}

/// An upload under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Going {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) length: u64,
    /// What was acknowledged of it.
    pub(super) offset: u64,
}

/// An operation; names are those in the client's directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Act {
    /// Puts content that follows from the operation's id.
    Put {
        name: String,
        length: u64,
        absent: bool,
    },
    Move {
        from: String,
        to: String,
    },
    Copy {
        from: String,
        to: String,
    },
    Delete {
        name: String,
    },
    /// Completes an upload, whose id the operation has.
    Finish {
        name: String,
        length: u64,
    },
}

/// What a file holds: all of it follows from these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) id: Uuid,
    pub(super) length: u64,
}

/// Why an operation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Refusal {
    NotFound,
    Exists,
    Quota,
    /// The volume failed before anything was done: so it is promised.
    NotDone,
}

/// What a writer says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Said {
    /// An operation is asked from now on.
    Begun {
        client: usize,
        asked: Asked,
    },
    /// It is acknowledged. The generation is not known of an upload that was found complete.
    Done {
        client: usize,
        id: Uuid,
        generation: Option<u64>,
    },
    Refused {
        client: usize,
        id: Uuid,
        why: Refusal,
    },
    /// An upload was begun, or is acknowledged up to an offset.
    Uploading {
        client: usize,
        going: Going,
    },
    /// Everything in the client's directory, read to its last byte.
    Seen {
        client: usize,
        files: BTreeMap<String, Content>,
    },
    /// An operation took long; times are milliseconds since 1970.
    Waited {
        from: u64,
        to: u64,
        what: String,
    },
    /// For so long this process did not get to run.
    Slept {
        from: u64,
        to: u64,
    },
    /// So much was stored by one that fills a space.
    Filled {
        bytes: u64,
        refused: u64,
    },
    /// Something that must never be.
    Wrong {
        what: String,
    },
}

impl Work {
    /// So short a history that whoever is stopped for seconds wakes up behind a truncation. Where nobody walks behind the
    /// log as it is written, all of it stays.
    pub(super) fn settings(&self) -> Settings {
        let history = match self {
            Self::Fill { .. } => Duration::MAX,
            Self::Everything { .. } => Duration::from_millis(1_500),
        };
        Settings { history, ..Settings::default() }
    }
}

/// The bytes of a content.
pub(super) fn bytes(content: Content) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(content.length).unwrap()];
    let mut hasher = blake3::Hasher::new();
    hasher.update(content.id.as_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    for (byte, id) in bytes.iter_mut().zip(content.id.as_bytes()) {
        *byte = *id;
    }
    bytes
}

/// Whose content this is, when it is one to its last byte.
pub(super) fn recognize(found: &[u8]) -> Result<Content, String> {
    let id = found.get(..16).and_then(|id| Uuid::from_slice(id).ok());
    let content = id.map(|id| Content { id, length: found.len() as u64 });
    content.filter(|content| bytes(*content) == found).ok_or_else(|| {
        let zeros = found.iter().filter(|byte| **byte == 0).count();
        format!("{} bytes that nobody wrote, {zeros} of them zero", found.len())
    })
}

pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// Notices when this process does not get to run, in a thread of its own.
pub(super) fn notice_sleep(mut slept: impl FnMut(u64, u64) + Send + 'static) {
    const STEP: Duration = Duration::from_millis(10);
    const LONG: u64 = 30;
    std::thread::spawn(move || {
        loop {
            let from = now();
            std::thread::sleep(STEP);
            let to = now();
            if to > from + LONG {
                slept(from, to);
            }
        }
    });
}
