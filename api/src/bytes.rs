//! Amounts of storage, and how Kubernetes writes them.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// Why a text is no amount of storage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a whole number of bytes, such as 10Gi, 1.5Gi or 500M")]
pub struct QuantityError(pub String);

impl Bytes {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// 4Pi: the largest amount a custom resource may name. Sums of 256 stay below 2^63, and every value is exact in a
    /// double.
    pub const CEILING: Self = Self(4 << 50);

    /// Reads a Kubernetes quantity that is a whole number of bytes: `1.5Gi`, `500M`, `1e10`, `42`.
    ///
    /// The grammar is that of `k8s.io/apimachinery/pkg/api/resource`.
    ///
    /// # Errors
    /// When it is not one, is negative, has a fraction of a byte, or is beyond 2^64 - 1.
    pub fn parse_quantity(text: &str) -> Result<Self, QuantityError> {
        exact(text).map(Self).ok_or_else(|| QuantityError(text.to_owned()))
    }

    /// The shortest exact quantity with a binary suffix, or plain bytes: `10Gi`, `1536Mi`, `1000`.
    #[must_use]
    pub fn to_quantity(self) -> String {
        const SUFFIXES: [(&str, u32); 6] =
            [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
        SUFFIXES
            .iter()
            .find(|(_, shift)| self.0 != 0 && self.0.trailing_zeros() >= *shift)
            .map_or_else(|| self.0.to_string(), |(suffix, shift)| format!("{}{suffix}", self.0 >> shift))
    }

    /// The sum, unless it is beyond 2^64 - 1.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The sum, at most 2^64 - 1.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, at least zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// The value of a quantity, when it is whole and fits.
fn exact(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '+').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let number = number.strip_prefix('+').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let digits: u128 = format!("0{whole}{fraction}").parse().ok()?;
    let (factor, divisor) = scale(suffix)?;
    let divisor = divisor.checked_mul(10u128.checked_pow(fraction.len().try_into().ok()?)?)?;
    let scaled = digits.checked_mul(factor)?;
    if scaled % divisor != 0 {
        return None;
    }
    u64::try_from(scaled / divisor).ok()
}

/// What a suffix multiplies and divides by.
fn scale(suffix: &str) -> Option<(u128, u128)> {
    const DECIMAL: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    const SMALL: [&str; 4] = ["", "m", "u", "n"];
    let place = |list: &[&str]| list.iter().position(|s| *s == suffix).and_then(|p| u32::try_from(p).ok());
    if let Some(place) = place(&DECIMAL) {
        return Some((1000u128.pow(place), 1));
    }
    if let Some(place) = place(&BINARY) {
        return Some((1024u128.pow(place), 1));
    }
    if let Some(place) = place(&SMALL) {
        return Some((1, 1000u128.pow(place)));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let power = 10u128.checked_pow(exponent.unsigned_abs())?;
    Some(if exponent < 0 { (1, power) } else { (power, 1) })
}

impl fmt::Display for Bytes {
    /// For people: `1.5 GiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = 0;
        // What would be printed as 1024.0 is one of the next unit.
        while value >= 1023.95 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let text = format!("{value:.1}");
        write!(f, "{} {}", text.strip_suffix(".0").unwrap_or(&text), UNITS[unit])
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse_quantity(text)
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

/// Amounts as quantities, for `#[serde(with = "api::bytes::quantity")]`.
pub mod quantity {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Bytes;

    /// Writes `10Gi`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&bytes.to_quantity())
    }

    /// Reads `10Gi`.
    ///
    /// # Errors
    /// When it is not a whole number of bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        Bytes::parse_quantity(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantities_that_are_whole_bytes() {
        for (text, bytes) in [
            ("0", 0),
            ("42", 42),
            ("+7", 7),
            ("10Gi", 10 << 30),
            ("0.5Gi", 1 << 29),
            ("1.50Gi", 3 << 29),
            ("500M", 500_000_000),
            ("1k", 1000),
            ("1e10", 10_000_000_000),
            ("1E3", 1000),
            ("1E", 1_000_000_000_000_000_000),
            ("2500e-2", 25),
            ("1000m", 1),
            ("100Ti", 100 << 40),
            ("4Pi", 4 << 50),
            ("4503599627370495", 4_503_599_627_370_495),
            ("18446744073709551615", u64::MAX),
            (".5Ki", 512),
            ("1.", 1),
        ] {
            assert_eq!(Bytes::parse_quantity(text), Ok(Bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn texts_that_are_not() {
        for text in [
            "",
            "-1Gi",
            "100m",
            "1.5",
            "0.1Gi",
            "ten gigs",
            "16Ei",
            "1e99",
            "1e",
            "Gi",
            ".",
            "1..5",
            "1 Gi",
            "10gi",
            "1_000",
            "0x10",
            "1e-1",
            "99999999999999999999999999999999999999999",
        ] {
            assert!(Bytes::parse_quantity(text).is_err(), "{text}");
        }
    }

    #[test]
    fn people_read_it() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1 MiB"),
            (3 << 29, "1.5 GiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn a_quantity_comes_back(bytes: u64) {
            prop_assert_eq!(Bytes::parse_quantity(&Bytes(bytes).to_quantity()), Ok(Bytes(bytes)));
        }

        #[test]
        fn no_text_upsets_it(text in "\\PC{0,40}") {
            let _ = Bytes::parse_quantity(&text);
        }
    }
}
