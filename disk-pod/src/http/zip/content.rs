//! The bytes of a zip file, made while they are sent: nothing of it is ever there as a whole.

use bytes::{Bytes, BytesMut};
use crc32fast::Hasher;
use spaces::{Reader, Snapshot};

use super::records::{Directory, Entry};
use super::walk::{Chosen, Entries};
use crate::app::App;
use crate::auth::Grant;
use crate::error::Error;
use crate::load::Transfer;
use crate::observe::audit::Opened;

/// Small pieces are put together until they are so large.
const PIECE: usize = 128 * 1024;

/// What is put into a zip file.
#[derive(Clone)]
pub(crate) struct Selection {
    pub(crate) snapshot: Snapshot,
    pub(crate) chosen: Vec<Chosen>,
}

impl Selection {
    fn walk(&self) -> Entries {
        Entries::new(self.snapshot.clone(), &self.chosen)
    }

    /// How long the zip file will be.
    pub(crate) fn length(&self) -> u64 {
        let (mut out, mut directory) = (BytesMut::new(), Directory::default());
        for (entry, _) in self.walk() {
            entry.record(0, directory.offset, &mut out);
            directory.size += out.len() as u64;
            out.clear();
            directory.offset += entry.length();
            directory.entries += 1;
        }
        directory.end(&mut out);
        directory.offset + directory.size + out.len() as u64
    }
}

/// A zip file on its way.
pub(crate) struct Content {
    app: App,
    grant: Grant,
    space: Opened,
    transfer: Transfer,
    selection: Selection,
    /// Of all entries, in their order: what can not be found again by going through them once more.
    checksums: Vec<u32>,
    out: BytesMut,
    at: At,
}

enum At {
    Entries(Entries),
    File { walk: Entries, entry: Entry, reader: Reader, hasher: Hasher },
    Records { walk: Entries, directory: Directory },
    End,
}

impl Content {
    pub(crate) fn new(app: &App, grant: Grant, selection: Selection, length: u64) -> Self {
        Self {
            app: app.clone(),
            space: app.space(&grant),
            grant,
            transfer: app.load.transfer(length),
            at: At::Entries(selection.walk()),
            selection,
            checksums: Vec::new(),
            out: BytesMut::new(),
        }
    }

    /// The next bytes.
    pub(crate) async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        self.grant.still_holds(&self.app)?;
        while self.out.len() < PIECE {
            let chunk = self.step().await.inspect_err(|error| {
                tracing::warn!(%error, "A zip file broke off: a file in it can not be read to its end.");
            })?;
            match chunk {
                Some(chunk) if self.out.is_empty() && chunk.len() >= PIECE => {
                    return Ok(Some(self.sent(chunk)));
                }
                Some(chunk) => self.out.extend_from_slice(&chunk),
                None if matches!(self.at, At::End) => break,
                None => {}
            }
        }
        let piece = self.out.split().freeze();
        Ok(if piece.is_empty() { None } else { Some(self.sent(piece)) })
    }

    fn sent(mut self, bytes: Bytes) -> (Bytes, Self) {
        self.transfer.moved(bytes.len() as u64);
        (bytes, self)
    }

    /// Does one step; bytes of a file are given back, everything else goes to `out`.
    async fn step(&mut self) -> Result<Option<Bytes>, Error> {
        match std::mem::replace(&mut self.at, At::End) {
            At::Entries(mut walk) => {
                let Some((entry, node)) = walk.next() else {
                    self.at = At::Records { walk: self.selection.walk(), directory: Directory::default() };
                    return Ok(None);
                };
                entry.begin(&mut self.out);
                if entry.directory {
                    self.checksums.push(0);
                    self.at = At::Entries(walk);
                    return Ok(None);
                }
                let reader = self.space.read(&node, 0..entry.size).await?;
                self.at = At::File { walk, entry, reader, hasher: Hasher::new() };
                Ok(None)
            }
            At::File { walk, entry, mut reader, mut hasher } => {
                if let Some(chunk) = reader.next().await? {
                    hasher.update(&chunk);
                    self.at = At::File { walk, entry, reader, hasher };
                    return Ok(Some(chunk));
                }
                let checksum = hasher.finalize();
                entry.end(checksum, &mut self.out);
                self.checksums.push(checksum);
                self.at = At::Entries(walk);
                Ok(None)
            }
            At::Records { mut walk, mut directory } => {
                let place = usize::try_from(directory.entries).unwrap_or(usize::MAX);
                match (walk.next(), self.checksums.get(place)) {
                    (Some((entry, _)), Some(checksum)) => {
                        let before = self.out.len();
                        entry.record(*checksum, directory.offset, &mut self.out);
                        directory.size += (self.out.len() - before) as u64;
                        directory.offset += entry.length();
                        directory.entries += 1;
                        self.at = At::Records { walk, directory };
                    }
                    _ => directory.end(&mut self.out),
                }
                Ok(None)
            }
            At::End => Ok(None),
        }
    }
}
