//! Open files. Even closing one can wait for a server, so it too is done by the threads of the volume.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, retry_on_intr};

use super::directory::failed;
use super::pool::{Pool, Size};
use crate::file_system::{FsError, FsFuture, NewFile, OpenFile};

/// What is read at first of a file whose length is not known.
const FIRST_READ: usize = 64 << 10;

/// The most bytes of one call that writes. Of longer ones Linux makes page cache in pieces of up to 2 MiB, whose memory
/// is seldom at hand and cold: copying into it takes three times as long.
const LONGEST_WRITE: usize = 256 << 10;

/// A descriptor that is closed by a thread of its volume.
pub(super) struct Descriptor {
    file: Option<OwnedFd>,
    path: String,
    pool: Pool,
}

impl Descriptor {
    pub(super) fn new(file: OwnedFd, path: String, pool: Pool) -> Self {
        Self { file: Some(file), path, pool }
    }

    pub(super) fn file(&self) -> Result<&OwnedFd, FsError> {
        self.file.as_ref().ok_or(FsError::NotFound)
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        let file = self.file.take();
        self.pool.detached(move || drop(file));
    }
}

/// A file that is being written.
pub(super) struct Writing {
    descriptor: Arc<Descriptor>,
    end: Arc<Mutex<End>>,
}

/// Where the next bytes go. After a failure nobody knows, and the file is of no use.
#[derive(Clone, Copy)]
enum End {
    At(u64),
    Unknown,
}

impl Writing {
    pub(super) fn new(file: OwnedFd, path: String, pool: Pool) -> Self {
        let descriptor = Arc::new(Descriptor::new(file, path, pool));
        Self { descriptor, end: Arc::new(Mutex::new(End::At(0))) }
    }
}

impl NewFile for Writing {
    fn append(&self, content: Bytes) -> FsFuture<()> {
        let (descriptor, end) = (self.descriptor.clone(), self.end.clone());
        self.descriptor.pool.run(Size::Large, move || {
            // Held while it is written: a write that comes late must not come between others.
            let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
            let End::At(offset) = std::mem::replace(&mut *end, End::Unknown) else {
                return Err(spoilt(&descriptor.path));
            };
            descriptor.pool.room()?;
            write_at(descriptor.file()?, &content, offset, &descriptor.path)?;
            *end = End::At(offset + content.len() as u64);
            Ok(())
        })
    }

    fn sync(&self) -> FsFuture<()> {
        let (descriptor, end) = (self.descriptor.clone(), self.end.clone());
        self.descriptor.pool.run(Size::Large, move || {
            let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(*end, End::Unknown) {
                return Err(spoilt(&descriptor.path));
            }
            // A sync that failed may have thrown away what was written, and a second one would not say so.
            sync(descriptor.file()?, &descriptor.path).inspect_err(|_| *end = End::Unknown)
        })
    }
}

fn spoilt(path: &str) -> FsError {
    FsError::Other(format!("an earlier write of {path} failed").into())
}

/// A file that is being read.
pub(super) struct Reading {
    descriptor: Arc<Descriptor>,
}

impl Reading {
    pub(super) fn new(file: OwnedFd, path: String, pool: Pool) -> Self {
        Self { descriptor: Arc::new(Descriptor::new(file, path, pool)) }
    }

    /// What is kept of it to be read again.
    pub(super) fn shared(&self) -> Arc<Descriptor> {
        self.descriptor.clone()
    }
}

impl OpenFile for Reading {
    fn read(&self, offset: u64, length: usize) -> FsFuture<Bytes> {
        let descriptor = self.descriptor.clone();
        self.descriptor
            .pool
            .run(Size::Large, move || read_at(descriptor.file()?, offset, length, &descriptor.path))
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        // What goes past the pool would go past the faults.
        if self.descriptor.pool.is_faulty() {
            return None;
        }
        self.descriptor.file.as_ref().map(AsFd::as_fd)
    }
}

pub(crate) fn write_at(file: &OwnedFd, content: &[u8], offset: u64, path: &str) -> Result<(), FsError> {
    let mut done = 0;
    while let Some(rest) = content.get(done..).filter(|rest| !rest.is_empty()) {
        let rest = rest.get(..LONGEST_WRITE).unwrap_or(rest);
        match retry_on_intr(|| rustix::io::pwrite(file, rest, offset + done as u64)) {
            Ok(0) => return Err(failed(Errno::IO, "write", path)),
            Ok(written) => done += written,
            Err(errno) => return Err(failed(errno, "write", path)),
        }
    }
    Ok(())
}

pub(crate) fn read_at(file: &OwnedFd, offset: u64, length: usize, path: &str) -> Result<Bytes, FsError> {
    let mut content = Vec::new();
    while content.len() < length {
        // Grown as the file shows to be long: who reads an entry asks for the longest there can be.
        content.reserve((length - content.len()).min(content.len().max(FIRST_READ)));
        let from = offset + content.len() as u64;
        match retry_on_intr(|| rustix::io::pread(file, spare_capacity(&mut content), from)) {
            Ok(0) => break,
            Ok(_) => content.truncate(length),
            Err(errno) => return Err(failed(errno, "read", path)),
        }
    }
    Ok(content.into())
}

pub(crate) fn sync(file: &OwnedFd, path: &str) -> Result<(), FsError> {
    retry_on_intr(|| rustix::fs::fdatasync(file)).map_err(|errno| failed(errno, "sync", path))
}
