//! Content for files: bytes that no compression or deduplication makes smaller, the same for a seed.

use bytes::Bytes;

/// `length` bytes of a stream that `seed` begins.
pub fn noise(seed: u64, length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes.into()
}
