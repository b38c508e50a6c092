//! What is written on a volume, byte for byte. `docs/decisions/0001-entry-format.md` says why it is so.

pub(crate) mod codec;
pub(crate) mod entry;
pub(crate) mod frame;
pub(crate) mod identity;
pub(crate) mod nodes;
pub(crate) mod pool;
pub(crate) mod record;
pub(crate) mod start;
pub(crate) mod sums;
#[cfg(test)]
mod tests;
pub(crate) mod varint;

/// The newest format of entries and states that is known here.
pub(crate) const FORMAT: u32 = 2;

/// The format that a log begins with. It rises by an operation in the log, once every pod can read what follows.
pub(crate) const FIRST_FORMAT: u32 = 1;

/// The format of the layout of a volume. It is not that of the logs: a pod that refuses a volume refuses all spaces.
pub(crate) const LAYOUT: u32 = 1;
