//! The `Range` header (RFC 9110, section 14): one range of bytes.

use std::ops::Range;

/// What to answer to a `Range` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ranged {
    /// 200: no range, or one that is not understood, which a server ignores.
    Whole,
    /// 206: these bytes; never empty.
    Part(Range<u64>),
    /// 416: no byte of the file is in it.
    Unsatisfiable,
}

/// What a `Range` header asks of a file of `size` bytes. Several ranges are answered with the whole file, as
/// section 14.2 allows: every client must be ready for that.
pub fn ranged(header: Option<&str>, size: u64) -> Ranged {
    let Some(set) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else { return Ranged::Whole };
    if set.contains(',') {
        return Ranged::Whole;
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Ranged::Whole };
    match (position(first), position(last)) {
        (Position::None, Position::At(suffix)) => part(size.saturating_sub(suffix), size),
        (Position::At(first), Position::None) => part(first, size),
        (Position::At(first), Position::At(last)) if first <= last => {
            part(first, last.saturating_add(1).min(size))
        }
        _ => Ranged::Whole,
    }
}

enum Position {
    None,
    At(u64),
    Wrong,
}

fn position(text: &str) -> Position {
    if text.is_empty() {
        return Position::None;
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Position::Wrong;
    }
    // More digits than a u64 holds is a position after any end.
    Position::At(text.parse().unwrap_or(u64::MAX))
}

fn part(first: u64, end: u64) -> Ranged {
    if first < end { Ranged::Part(first..end) } else { Ranged::Unsatisfiable }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn table() {
        use Ranged::{Part, Unsatisfiable, Whole};
        for (header, size, expected) in [
            (None, 10, Whole),
            (Some("bytes=0-4"), 10, Part(0..5)),
            (Some("bytes=5-"), 10, Part(5..10)),
            (Some("bytes=-3"), 10, Part(7..10)),
            (Some("bytes=-30"), 10, Part(0..10)),
            (Some("bytes=0-99"), 10, Part(0..10)),
            (Some("bytes=9-9"), 10, Part(9..10)),
            (Some("bytes=10-"), 10, Unsatisfiable),
            (Some("bytes=10-12"), 10, Unsatisfiable),
            (Some("bytes=-0"), 10, Unsatisfiable),
            (Some("bytes=0-"), 0, Unsatisfiable),
            (Some("bytes=99999999999999999999-"), 10, Unsatisfiable),
            (Some("bytes=0-99999999999999999999"), 10, Part(0..10)),
            (Some("bytes=4-2"), 10, Whole),
            (Some("bytes=0-1,3-4"), 10, Whole),
            (Some("bytes=-"), 10, Whole),
            (Some("bytes=a-b"), 10, Whole),
            (Some("bytes=+1-2"), 10, Whole),
            (Some("lines=0-4"), 10, Whole),
            (Some("garbage"), 10, Whole),
        ] {
            assert_eq!(ranged(header, size), expected, "{header:?} of {size}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_never_empty_and_never_outside(text in "bytes=[0-9]{0,4}-[0-9]{0,4}", size in 0u64..5000) {
            if let Ranged::Part(range) = ranged(Some(&text), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
