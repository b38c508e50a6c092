//! Numbers of as few bytes as they need, each written in one way only: seven bits to a byte, the least first.

/// What is read is not what would have been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a list of nodes is not as it must be: {0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

const END: Malformed = Malformed("it ends too early");

pub(super) fn put(bytes: &mut Vec<u8>, number: u64) {
    let mut rest = number;
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "less than 128 are left")]
    bytes.push(rest as u8);
}

/// How far a number is from another, in either direction; near ones are short.
pub(super) fn put_from(bytes: &mut Vec<u8>, before: u64, number: u64) {
    let difference = number.wrapping_sub(before).cast_signed();
    put(bytes, ((difference << 1) ^ (difference >> 63)).cast_unsigned());
}

/// What is left to be read.
#[derive(Clone, Copy)]
pub(super) struct Rest<'a>(pub(super) &'a [u8]);

impl<'a> Rest<'a> {
    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(END)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                let minimal = *byte != 0 || shift == 0;
                return if minimal {
                    Ok(number)
                } else {
                    Err(Malformed("a number is longer than it needs to be"))
                };
            }
        }
        Err(Malformed("a number is too large"))
    }

    pub(super) fn from(&mut self, before: u64) -> Result<u64, Malformed> {
        let written = self.number()?;
        let difference = (written >> 1).cast_signed() ^ -((written & 1).cast_signed());
        Ok(before.wrapping_add(difference.cast_unsigned()))
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(END)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn fixed(&mut self) -> Result<u64, Malformed> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(END)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// A number of things of which each takes at least a byte.
    pub(super) fn count(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len()).ok_or(END)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_comes_back(number: u64, before: u64, bits in 0_u32..64) {
            for number in [number >> bits, u64::MAX, 0, before] {
                let mut bytes = Vec::new();
                put(&mut bytes, number);
                put_from(&mut bytes, before, number);
                let mut rest = Rest(&bytes);
                prop_assert_eq!((rest.number(), rest.from(before), rest.0.len()), (Ok(number), Ok(number), 0));
            }
        }

        #[test]
        fn there_is_one_way_to_write_it(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut rest = Rest(&bytes);
            if let Ok(number) = rest.number() {
                let mut again = Vec::new();
                put(&mut again, number);
                prop_assert_eq!(again.as_slice(), &bytes[..bytes.len() - rest.0.len()]);
            }
        }
    }

    #[test]
    fn what_is_no_number() {
        for bytes in [
            &[][..],
            &[0x80],
            &[0x80, 0],
            &[0xff; 10],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
        ] {
            assert!(Rest(bytes).number().is_err(), "{bytes:?}");
        }
        assert!(Rest(&[5, 0, 0, 0, 0]).count().is_err());
    }
}
