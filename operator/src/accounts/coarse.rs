//! What is used, as statuses say it: rounded, so that a status is not written for every file.

use api::bytes::Bytes;

/// So many leading bits stay: steps of two to three percent.
const BITS: u32 = 6;
/// And the least step.
const LEAST: u32 = 12;

/// Rounded up, so that something is never nothing.
pub(crate) fn coarse(amount: Bytes) -> Bytes {
    let bits = u64::BITS - amount.0.leading_zeros();
    let step = 1u64 << bits.saturating_sub(BITS).clamp(LEAST, u64::BITS - 1);
    amount.0.checked_next_multiple_of(step).map_or(amount, Bytes)
}

/// In percent; nothing where there is no limit to compare with.
pub(crate) fn percent(used: Bytes, limit: Bytes) -> Option<i32> {
    if limit == Bytes::ZERO {
        return (used == Bytes::ZERO).then_some(0);
    }
    let percent = u128::from(used.0) * 100 / u128::from(limit.0);
    Some(i32::try_from(percent).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_up_to_few_values() {
        for (exact, said) in [
            (0, 0),
            (1, 4096),
            (4097, 8192),
            (12 << 20, 12 << 20),
            (50 << 20, 50 << 20),
            ((50 << 20) + 1, 51 << 20),
        ] {
            assert_eq!(coarse(Bytes(exact)), Bytes(said), "{exact}");
        }
        assert!(coarse(Bytes(u64::MAX)) >= Bytes(1 << 63));
        assert_eq!(percent(Bytes(5), Bytes(10)), Some(50));
        assert_eq!(percent(Bytes(5), Bytes(0)), None);
        assert_eq!(percent(Bytes(u64::MAX), Bytes(1)), Some(i32::MAX));
    }
}
