//! A file that says of itself whether it is whole: a mark, the length of the body, the body, and a hash of all of it.

use std::fmt;

/// What kind of file a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Entry,
    Start,
}

impl Mark {
    const fn bytes(self) -> [u8; 8] {
        match self {
            Self::Entry => *b"IDSENTRY",
            Self::Start => *b"IDSSTART",
        }
    }
}

const HEAD: usize = 16;
const HASH: usize = 32;

/// How much longer a frame is than its body.
pub(crate) const OVERHEAD: usize = HEAD + HASH;

/// BLAKE3 of a frame up to its hash; what the next entry of a log must name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Hash(pub(crate) [u8; HASH]);

impl Hash {
    /// What the first entry of a log names as its predecessor.
    pub(crate) const NONE: Self = Self([0; HASH]);
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why a file is not a whole frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("it does not begin as it must")]
    Mark,
    #[error("it is {found} bytes long and should be {wanted}")]
    Length { found: usize, wanted: u64 },
    #[error("its checksum is wrong")]
    Hash,
}

/// Wraps a body.
pub(crate) fn seal(mark: Mark, body: &[u8]) -> (Vec<u8>, Hash) {
    let mut frame = Vec::with_capacity(body.len() + OVERHEAD);
    frame.extend_from_slice(&mark.bytes());
    frame.extend_from_slice(&(body.len() as u64).to_le_bytes());
    frame.extend_from_slice(body);
    let hash = Hash(*blake3::hash(&frame).as_bytes());
    frame.extend_from_slice(&hash.0);
    (frame, hash)
}

/// The body of a frame that is whole.
pub(crate) fn open(mark: Mark, frame: &[u8]) -> Result<(&[u8], Hash), FrameError> {
    let short = FrameError::Length { found: frame.len(), wanted: OVERHEAD as u64 };
    let (head, rest) = frame.split_first_chunk::<HEAD>().ok_or(short)?;
    let (body, hash) = rest.split_last_chunk::<HASH>().ok_or(short)?;
    if !head.starts_with(&mark.bytes()) {
        return Err(FrameError::Mark);
    }
    let length = head.last_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    if length != body.len() as u64 {
        return Err(FrameError::Length {
            found: frame.len(),
            wanted: length.saturating_add(OVERHEAD as u64),
        });
    }
    let hashed = frame.get(..frame.len() - HASH).unwrap_or_default();
    if blake3::hash(hashed).as_bytes() != hash {
        return Err(FrameError::Hash);
    }
    Ok((body, Hash(*hash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_one_comes_back_and_no_other() {
        let (frame, hash) = seal(Mark::Entry, b"body");
        assert_eq!(open(Mark::Entry, &frame), Ok((b"body".as_slice(), hash)));
        assert_eq!(open(Mark::Start, &frame), Err(FrameError::Mark));
        for cut in 0..frame.len() {
            assert!(open(Mark::Entry, &frame[..cut]).is_err(), "cut at {cut}");
        }
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(Mark::Entry, &flipped).is_err(), "bit {bit}");
        }
        let longer = [frame.as_slice(), b"x"].concat();
        assert!(open(Mark::Entry, &longer).is_err());
    }
}
