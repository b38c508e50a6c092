//! What is written on a volume, byte for byte. `docs/decisions/0001-entry-format.md` says why it is so.

pub(crate) mod codec;
pub(crate) mod entry;
pub(crate) mod frame;
pub(crate) mod identity;
pub(crate) mod record;
pub(crate) mod start;
#[cfg(test)]
mod tests;

/// The newest format of entries and states that is known here.
pub(crate) const FORMAT: u32 = 1;
