//! The `Range` header (RFC 9110, section 14): ranges of bytes.

use std::ops::Range;

/// What to answer to a `Range` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ranged {
    /// 200: no range, or one that is not understood, which a server ignores.
    Whole,
    /// 206: these bytes; never empty.
    Part(Range<u64>),
    /// 206: these bytes, in several parts that have none in common and lie apart; none is empty.
    Parts(Vec<Range<u64>>),
    /// 416: no byte of the file is in it.
    Unsatisfiable,
}

/// Whoever asks for more at once gets the whole file, as section 14.2 lets a server do with what is many small ranges.
const MOST: usize = 64;
/// What lies so near to another is one part with it: what stands between two parts is as long.
const NEAR: u64 = 80;

/// What a `Range` header asks of a file of `size` bytes. Ranges that overlap or nearly touch are answered as one (section
/// 15.3.7.2), so that no byte is sent twice; others come as they were asked for.
pub fn ranged(header: Option<&str>, size: u64) -> Ranged {
    let Some(set) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else { return Ranged::Whole };
    let mut parts = Vec::new();
    for (number, text) in set.split(',').map(str::trim).filter(|text| !text.is_empty()).enumerate() {
        if number == MOST {
            return Ranged::Whole;
        }
        match one(text, size) {
            Some(range) => parts.extend((!range.is_empty()).then_some(range)),
            None => return Ranged::Whole,
        }
    }
    if set.split(',').all(|text| text.trim().is_empty()) {
        return Ranged::Whole;
    }
    let mut parts = apart(parts);
    match parts.len() {
        0 => Ranged::Unsatisfiable,
        1 => parts.pop().map_or(Ranged::Unsatisfiable, Ranged::Part),
        _ => Ranged::Parts(parts),
    }
}

/// One of the set, as far as it is in the file; `None` when it is none.
fn one(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.split_once('-')?;
    let range = match (position(first), position(last)) {
        (Position::None, Position::At(suffix)) => size.saturating_sub(suffix)..size,
        (Position::At(first), Position::None) => first..size,
        (Position::At(first), Position::At(last)) if first <= last => first..last.saturating_add(1).min(size),
        _ => return None,
    };
    Some(range)
}

/// The same ranges, without any that overlap or nearly touch: then all of them in the order of the file.
fn apart(parts: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted = parts.clone();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(NEAR) => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    if joined.len() == parts.len() { parts } else { joined }
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
            (Some("bytes=-"), 10, Whole),
            (Some("bytes=a-b"), 10, Whole),
            (Some("bytes=+1-2"), 10, Whole),
            (Some("bytes="), 10, Whole),
            (Some("bytes=,"), 10, Whole),
            (Some("lines=0-4"), 10, Whole),
            (Some("garbage"), 10, Whole),
        ] {
            assert_eq!(ranged(header, size), expected, "{header:?} of {size}");
        }
    }

    #[test]
    fn several() {
        use Ranged::{Part, Parts, Unsatisfiable, Whole};
        for (header, expected) in [
            ("bytes=0-1,500-501", Parts(vec![0..2, 500..502])),
            ("bytes= 0-1 , 500-501,", Parts(vec![0..2, 500..502])),
            // As they were asked for.
            ("bytes=500-501,0-1,-1", Parts(vec![500..502, 0..2, 999..1000])),
            // What overlaps or nearly touches is one.
            ("bytes=0-1,1-2", Part(0..3)),
            ("bytes=0-1,5-6", Part(0..7)),
            ("bytes=500-,0-600", Part(0..1000)),
            ("bytes=900-901,0-1,1-3", Parts(vec![0..4, 900..902])),
            // What is beyond the end is not there.
            ("bytes=0-1,2000-", Part(0..2)),
            ("bytes=1000-,2000-", Unsatisfiable),
            ("bytes=0-1,x", Whole),
            ("bytes=0-1,5-4", Whole),
        ] {
            assert_eq!(ranged(Some(header), 1000), expected, "{header}");
        }
        let many =
            |count: u64| (0..count).map(|at| format!("{0}-{0}", at * 100)).collect::<Vec<_>>().join(",");
        let Parts(parts) = ranged(Some(&format!("bytes={}", many(64))), 1 << 20) else { panic!("not parts") };
        assert_eq!(parts.len(), 64);
        assert_eq!(ranged(Some(&format!("bytes={}", many(65))), 1 << 20), Whole);
    }

    proptest! {
        #[test]
        fn parts_are_never_empty_never_outside_and_have_no_byte_in_common(
            text in "bytes=([0-9]{0,4}-[0-9]{0,4},?){1,5}", size in 0u64..5000,
        ) {
            let mut parts = match ranged(Some(&text), size) {
                Ranged::Part(range) => vec![range],
                Ranged::Parts(parts) => parts,
                _ => Vec::new(),
            };
            parts.sort_unstable_by_key(|range| range.start);
            let mut end = 0;
            for range in parts {
                prop_assert!(end <= range.start && range.start < range.end && range.end <= size);
                end = range.end;
            }
        }
    }
}
