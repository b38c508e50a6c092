//! Logs for programs: one JSON object a line, in a stream of their own. Whoever writes never waits: a thread hands the lines
//! on, and what it cannot keep up with is lost and counted.

use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use serde::Serialize;

/// Lines that may wait for the thread: some megabytes.
const WAITING: usize = 8192;
/// Lines that are written with one call.
const TOGETHER: usize = 256;
/// The end of a program waits so long for its last lines.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where lines go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// Nowhere.
    #[default]
    Off,
    /// Standard output; the log of the program is on standard error.
    Stdout,
    /// The end of a file. When it was moved away a new one is begun.
    File(PathBuf),
}

impl FromStr for Destination {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "off" => Self::Off,
            "stdout" => Self::Stdout,
            file => Self::File(file.into()),
        })
    }
}

/// A stream of lines; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Lines(Option<Arc<Stream>>);

#[derive(Debug)]
struct Stream {
    sender: SyncSender<Message>,
    lost: AtomicU64,
}

enum Message {
    Line(Vec<u8>),
    /// Answered when all before it is written.
    Flush(SyncSender<()>),
}

impl Lines {
    /// Begins a stream.
    ///
    /// # Errors
    /// When the file cannot be opened, or no thread be started.
    pub fn to(destination: &Destination) -> io::Result<Self> {
        let mut output = match destination {
            Destination::Off => return Ok(Self::default()),
            Destination::Stdout => Output::Stdout,
            Destination::File(path) => Output::File(path.clone(), open(path)?),
        };
        let (sender, receiver) = sync_channel(WAITING);
        let stream = Arc::new(Stream { sender, lost: AtomicU64::new(0) });
        let counts = Arc::clone(&stream);
        // The thread holds the stream too, and ends with the program.
        std::thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || write_all(&receiver, &mut output, &counts.lost))?;
        Ok(Self(Some(stream)))
    }

    /// Whether it goes anywhere: what is costly to find out need not be.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Adds a line.
    pub fn write(&self, line: &impl Serialize) {
        let Some(stream) = &self.0 else { return };
        let Ok(mut bytes) = serde_json::to_vec(line) else { return };
        bytes.push(b'\n');
        if stream.sender.try_send(Message::Line(bytes)).is_err() {
            stream.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that were lost since the start.
    pub fn lost(&self) -> u64 {
        self.0.as_ref().map_or(0, |stream| stream.lost.load(Ordering::Relaxed))
    }

    /// Waits, for some seconds at most, until all is written that was added before.
    pub fn flush(&self) {
        let Some(stream) = &self.0 else { return };
        let (done, written) = sync_channel(1);
        if stream.sender.send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(PATIENCE);
        }
    }
}

enum Output {
    Stdout,
    File(PathBuf, File),
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes)?;
                stdout.flush()
            }
            Self::File(path, file) => {
                // Whoever rotates logs moves the file away, and expects a new one.
                let same = |there: std::fs::Metadata| {
                    file.metadata().is_ok_and(|ours| (ours.dev(), ours.ino()) == (there.dev(), there.ino()))
                };
                if !std::fs::metadata(&*path).is_ok_and(same) {
                    *file = open(path)?;
                }
                file.write_all(bytes)
            }
        }
    }
}

fn write_all(receiver: &Receiver<Message>, output: &mut Output, lost: &AtomicU64) {
    let mut failed = false;
    while let Ok(first) = receiver.recv() {
        let (mut bytes, mut lines, mut flushed) = (Vec::new(), 0, Vec::new());
        let more = std::iter::from_fn(|| receiver.try_recv().ok());
        for message in std::iter::once(first).chain(more.take(TOGETHER)) {
            match message {
                Message::Line(line) => {
                    bytes.extend_from_slice(&line);
                    lines += 1;
                }
                Message::Flush(done) => flushed.push(done),
            }
        }
        match output.write(&bytes) {
            Ok(()) => failed = false,
            Err(error) => {
                lost.fetch_add(lines, Ordering::Relaxed);
                if !failed {
                    tracing::warn!(%error, "Lines of a log for programs cannot be written, and are lost.");
                }
                failed = true;
            }
        }
        for done in flushed {
            let _ = done.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_to_the_end_of_the_file_of_that_name() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("audit.log");
        std::fs::write(&file, "before\n").unwrap();
        let lines = Lines::to(&file.display().to_string().parse().unwrap()).unwrap();
        lines.write(&"one");
        lines.flush();
        std::fs::rename(&file, directory.path().join("old")).unwrap();
        lines.write(&serde_json::json!({"two": "a\nb"}));
        lines.flush();
        assert_eq!(std::fs::read_to_string(directory.path().join("old")).unwrap(), "before\n\"one\"\n");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"two\":\"a\\nb\"}\n");
        assert_eq!(lines.lost(), 0);
        std::fs::remove_dir_all(directory.path()).unwrap();
        lines.write(&"lost");
        lines.flush();
        assert_eq!(lines.lost(), 1);
    }

    #[test]
    fn where_lines_go() {
        for (text, destination) in [
            ("off", Destination::Off),
            ("stdout", Destination::Stdout),
            ("/var/log/audit", Destination::File("/var/log/audit".into())),
        ] {
            assert_eq!(text.parse(), Ok(destination), "{text}");
        }
        assert!(!Lines::to(&Destination::Off).unwrap().is_on());
    }
}
