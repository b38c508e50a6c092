//! What stands behind the content of a data file: a checksum for each of its pieces. Readers do not see it, for extents
//! name content alone; who checks a volume finds it from the end of the file.
//!
//! ```text
//! content | 16 bytes for each MiB of it | length of the content, 8 bytes, little-endian | check, 16 bytes | IDSSUMS1
//! ```
//! A checksum is the beginning of BLAKE3; the check is that of all that stands between the content and it.

/// What is behind every content that was written to its end by one pod.
const MARK: &[u8; 8] = b"IDSSUMS1";

/// So many bytes of content have a checksum.
pub(crate) const PIECE: u64 = 1 << 20;

/// The length of one.
const SUM: usize = 16;

/// What is behind the checksums.
pub(crate) const FOOT: usize = 8 + SUM + MARK.len();

pub(crate) type Sum = [u8; SUM];

/// Sums up content that is written from its beginning to its end.
#[derive(Default)]
pub(crate) struct Summing {
    piece: blake3::Hasher,
    length: u64,
    sums: Vec<u8>,
}

fn sum(hasher: &blake3::Hasher) -> Sum {
    let mut sum = [0; SUM];
    hasher.finalize_xof().fill(&mut sum);
    sum
}

impl Summing {
    /// The next bytes.
    pub(crate) fn add(&mut self, mut content: &[u8]) {
        while !content.is_empty() {
            let room = PIECE - self.length % PIECE;
            let (now, later) =
                content.split_at(content.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            self.piece.update(now);
            self.length += now.len() as u64;
            if self.length.is_multiple_of(PIECE) {
                self.end_piece();
            }
            content = later;
        }
    }

    fn end_piece(&mut self) {
        self.sums.extend_from_slice(&sum(&self.piece));
        self.piece.reset();
    }

    /// What is to stand behind it.
    pub(crate) fn end(mut self) -> Vec<u8> {
        if !self.length.is_multiple_of(PIECE) {
            self.end_piece();
        }
        let Self { length, sums: mut trailer, .. } = self;
        trailer.extend_from_slice(&length.to_le_bytes());
        let mut hasher = blake3::Hasher::new();
        hasher.update(&trailer);
        trailer.extend_from_slice(&sum(&hasher));
        trailer.extend_from_slice(MARK);
        trailer
    }
}

/// The checksums of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    /// How long its content is.
    pub(crate) length: u64,
    sums: Vec<u8>,
}

impl Sums {
    /// How much stands behind so long a content.
    pub(crate) fn behind(length: u64) -> u64 {
        length.div_ceil(PIECE).saturating_mul(SUM as u64).saturating_add(FOOT as u64)
    }

    /// How long the content is, by the last bytes of a file of this length. `None` when they are none of ours: of a file
    /// whose writer did not come to its end, or of an older version.
    pub(crate) fn content_length(foot: &[u8], file: u64) -> Option<u64> {
        let foot: &[u8; FOOT] = foot.try_into().ok()?;
        let (length, rest) = foot.split_first_chunk::<8>()?;
        let length = u64::from_le_bytes(*length);
        (rest.ends_with(MARK) && length.checked_add(Self::behind(length)) == Some(file)).then_some(length)
    }

    /// Reads all that stands behind a content of this length; `None` when it is damaged itself.
    pub(crate) fn read(behind: &[u8], length: u64) -> Option<Self> {
        let (checked, end) = behind.split_at_checked(behind.len().checked_sub(SUM + MARK.len())?)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(checked);
        if !end.starts_with(&sum(&hasher)) {
            return None;
        }
        let sums = checked.get(..checked.len().checked_sub(8)?)?.to_vec();
        Some(Self { length, sums })
    }

    /// Whether the piece with this number is as it was written.
    pub(crate) fn fits(&self, number: usize, piece: &[u8]) -> bool {
        let known = self.sums.chunks(SUM).nth(number);
        known == Some(&sum(blake3::Hasher::new().update(piece)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8], step: usize) -> Vec<u8> {
        let mut summing = Summing::default();
        content.chunks(step).for_each(|some| summing.add(some));
        [content, &summing.end()].concat()
    }

    fn opened(file: &[u8]) -> Option<Sums> {
        let foot = file.get(file.len().checked_sub(FOOT)?..)?;
        let length = Sums::content_length(foot, file.len() as u64)?;
        Sums::read(&file[usize::try_from(length).unwrap()..], length)
    }

    #[test]
    fn every_piece_is_known_and_nothing_else() {
        let piece = usize::try_from(PIECE).unwrap();
        for length in [1, 5, piece - 1, piece, piece + 1, 2 * piece + 77] {
            let content: Vec<u8> = (0..length).map(|at| (at * 7 % 251) as u8).collect();
            let file = file(&content, 300_001);
            assert_eq!(file, self::file(&content, length), "it does not matter how it came");
            let sums = opened(&file).unwrap();
            assert_eq!(sums.length, length as u64);
            assert_eq!(file.len() as u64, sums.length + Sums::behind(sums.length));
            for (number, piece) in content.chunks(piece).enumerate() {
                assert!(sums.fits(number, piece));
                let mut flipped = piece.to_vec();
                flipped[piece.len() / 2] ^= 4;
                assert!(!sums.fits(number, &flipped) && !sums.fits(number + 1, piece));
            }
        }
    }

    #[test]
    fn what_is_damaged_or_cut_is_none() {
        let whole = file(b"content", 9);
        for length in 0..whole.len() {
            assert_eq!(opened(&whole[..length]), None, "cut to {length}");
        }
        for at in 7..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert_eq!(opened(&flipped), None, "at {at}");
        }
        let longer = [whole.as_slice(), b"x"].concat();
        assert_eq!(opened(&longer), None);
        assert_eq!(opened(&[0; 200]), None);
    }

    /// The bytes are on volumes: a change here is a new mark.
    #[test]
    fn it_stays_as_it_is() {
        let hash = blake3::hash(&file(&[7; 100], 9)).to_hex();
        assert_eq!(&hash[..16], "a8d8592875463dea");
    }
}
