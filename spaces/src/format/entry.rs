//! An entry: one batch of operations, the unit of commit.

use std::fmt;

use api::generation::Generation;
use api::ids::SpaceId;
use minicbor::{Decode, Encode};
use uuid::Uuid;

use super::frame::{self, FrameError, Hash, Mark};
use super::record::{Action, Format, Record};
use super::{FIRST_FORMAT, FORMAT, codec};

/// The longest entry, in bytes.
pub(crate) const LONGEST_ENTRY: usize = 1 << 20;

/// Tells an entry from another of the same generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryId(pub(crate) Uuid);

/// Names the machine whose clock is written, so that one wrong clock is never taken for two that agree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Hash)]
#[cbor(transparent)]
pub(crate) struct Committer(#[n(0)] pub(crate) u64);

impl fmt::Debug for Committer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What is in the file of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Entry {
    /// First, and read before the rest.
    #[n(0)]
    pub(crate) format: u32,
    #[cbor(n(1), with = "codec::space")]
    pub(crate) space: SpaceId,
    #[cbor(n(2), with = "codec::generation")]
    pub(crate) generation: Generation,
    #[n(3)]
    pub(crate) id: EntryId,
    #[n(4)]
    pub(crate) previous: Hash,
    /// The committer's wall clock, in milliseconds since 1970.
    #[n(5)]
    pub(crate) clock: i64,
    #[n(6)]
    pub(crate) committer: Committer,
    #[n(7)]
    pub(crate) records: Vec<Record>,
}

#[derive(Decode)]
#[cbor(map)]
struct Head {
    #[n(0)]
    format: u32,
}

/// Why a file is not an entry that can be folded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EntryError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("its format is {found}, and this version reads up to {known}: use a newer version")]
    Newer { found: u32, known: u32 },
    #[error("it can not be decoded: {0}")]
    Body(String),
}

impl Entry {
    /// The file, and the hash that the next entry names.
    pub(crate) fn seal(&self) -> (Vec<u8>, Hash) {
        let mut body = Vec::with_capacity(1024);
        // Writing to memory does not fail, and what is encoded has no case that would; an empty body is no entry.
        if minicbor::encode(self, &mut body).is_err() {
            body.clear();
        }
        frame::seal(Mark::Entry, &body)
    }

    /// The format that whoever goes on behind this entry must know.
    pub(crate) fn leads_to(&self) -> u32 {
        let raised = self.records.iter().filter_map(|record| match &record.action {
            Action::Format(Format { format }) => Some(*format),
            _ => None,
        });
        raised.fold(self.format, u32::max)
    }

    /// Reads a file.
    pub(crate) fn open(file: &[u8]) -> Result<(Self, Hash), EntryError> {
        let (body, hash) = frame::open(Mark::Entry, file)?;
        let format = format_of(body)?;
        if format > FORMAT {
            return Err(EntryError::Newer { found: format, known: FORMAT });
        }
        if format < FIRST_FORMAT {
            return Err(EntryError::Body(format!("there is no format {format}")));
        }
        Ok((decode_exactly(body)?, hash))
    }
}

/// The format of a body, which tells whether the rest can be understood.
pub(super) fn format_of(body: &[u8]) -> Result<u32, EntryError> {
    decode(body).map(|Head { format }| format)
}

/// A body of which everything is understood.
pub(super) fn decode_exactly<T>(body: &[u8]) -> Result<T, EntryError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let decoded: T = decode(body)?;
    // Fields that are not known here would be skipped; then the state would not be that of who wrote them.
    if minicbor::to_vec(&decoded).is_ok_and(|again| again == body) {
        Ok(decoded)
    } else {
        Err(EntryError::Body("it says more than this version understands".to_owned()))
    }
}

/// How many bytes records take in an entry.
pub(crate) fn encoded_length(records: &[Record]) -> usize {
    struct Count(usize);

    impl minicbor::encode::Write for Count {
        type Error = std::convert::Infallible;

        fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
            self.0 += bytes.len();
            Ok(())
        }
    }

    let mut count = Count(0);
    // Counting does not fail.
    let _ = minicbor::encode(records, &mut count);
    count.0
}

fn decode<'b, T: Decode<'b, ()>>(body: &'b [u8]) -> Result<T, EntryError> {
    let mut decoder = minicbor::Decoder::new(body);
    decoder.decode().map_err(|error| EntryError::Body(error.to_string()))
}
