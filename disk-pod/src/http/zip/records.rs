//! The records of a zip file (PKWARE APPNOTE 6.3.10) whose entries are stored as they are: zip64 where it must be,
//! names in UTF-8, the checksum behind the bytes.

use bytes::{BufMut, BytesMut};
use jiff::Timestamp;
use jiff::tz::TimeZone;

const LOCAL: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;

/// What is to be known to read it: zip64.
const VERSION: u16 = 45;
/// Made as on Unix, so that the attributes are a mode.
const MADE_BY: u16 = (3 << 8) | VERSION;
const CHECKSUM_BEHIND: u16 = 1 << 3;
const UTF_8: u16 = 1 << 11;

/// Numbers from here on do not fit their first field.
const FULL_32: u64 = 0xffff_ffff;
const FULL_16: u64 = 0xffff;

const EXTRA_64: u16 = 0x0001;
const EXTRA_TIME: u16 = 0x5455;

/// A file or directory in a zip file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path; a directory's ends with a slash.
    pub name: String,
    /// How many bytes follow.
    pub size: u64,
    /// In milliseconds since 1970.
    pub modified: i64,
    /// Whether it is a directory: then nothing follows.
    pub directory: bool,
}

/// What the end of a zip file says of its directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// How many entries there are.
    pub entries: u64,
    /// Where the directory begins.
    pub offset: u64,
    /// How long it is.
    pub size: u64,
}

impl Entry {
    fn is_large(&self) -> bool {
        self.size >= FULL_32
    }

    fn flags(&self) -> u16 {
        if self.directory { UTF_8 } else { UTF_8 | CHECKSUM_BEHIND }
    }

    /// How long it is with all that stands around its bytes, without its record in the directory.
    pub fn length(&self) -> u64 {
        let descriptor = match (self.directory, self.is_large()) {
            (true, _) => 0,
            (false, false) => 16,
            (false, true) => 24,
        };
        30 + (self.name.len() + self.extra_length()) as u64 + self.size + descriptor
    }

    /// Of the extra fields before its bytes.
    fn extra_length(&self) -> usize {
        let large = if self.is_large() { 20 } else { 0 };
        large + unix_time(self.modified).map_or(0, |_| 9)
    }

    /// What stands before its bytes.
    pub fn begin(&self, out: &mut BytesMut) {
        let large = self.is_large();
        out.put_u32_le(LOCAL);
        out.put_u16_le(VERSION);
        out.put_u16_le(self.flags());
        out.put_u16_le(0);
        put_dos_time(out, self.modified);
        out.put_u32_le(0);
        // Behind the bytes they are told; here they only say that they are of eight bytes there.
        let size = if large { u32::MAX } else { 0 };
        out.put_u32_le(size);
        out.put_u32_le(size);
        put_length(out, self.name.len());
        put_length(out, self.extra_length());
        out.put_slice(self.name.as_bytes());
        if large {
            out.put_u16_le(EXTRA_64);
            out.put_u16_le(16);
            out.put_u64_le(0);
            out.put_u64_le(0);
        }
        put_unix_time(out, unix_time(self.modified));
    }

    /// What stands behind its bytes.
    pub fn end(&self, checksum: u32, out: &mut BytesMut) {
        if self.directory {
            return;
        }
        out.put_u32_le(DESCRIPTOR);
        out.put_u32_le(checksum);
        for _ in ["compressed", "uncompressed"] {
            if self.is_large() {
                out.put_u64_le(self.size);
            } else {
                out.put_u32_le(clamped_32(self.size));
            }
        }
    }

    /// Its record in the directory at the end, when it begins at this offset.
    pub fn record(&self, checksum: u32, offset: u64, out: &mut BytesMut) {
        let far = offset >= FULL_32;
        out.put_u32_le(CENTRAL);
        out.put_u16_le(MADE_BY);
        out.put_u16_le(VERSION);
        out.put_u16_le(self.flags());
        out.put_u16_le(0);
        put_dos_time(out, self.modified);
        out.put_u32_le(checksum);
        out.put_u32_le(clamped_32(self.size));
        out.put_u32_le(clamped_32(self.size));
        put_length(out, self.name.len());
        let time = unix_time(self.modified);
        let wide = if self.is_large() { 16 } else { 0 } + if far { 8 } else { 0 };
        put_length(out, if wide > 0 { 4 + wide } else { 0 } + time.map_or(0, |_| 9));
        out.put_u16_le(0); // comment
        out.put_u16_le(0); // disk
        out.put_u16_le(0); // internal attributes
        let mode: u32 = if self.directory { 0o040_755 } else { 0o100_644 };
        out.put_u32_le(mode << 16 | if self.directory { 0x10 } else { 0 });
        out.put_u32_le(clamped_32(offset));
        out.put_slice(self.name.as_bytes());
        if wide > 0 {
            out.put_u16_le(EXTRA_64);
            put_length(out, wide);
            if self.is_large() {
                out.put_u64_le(self.size);
                out.put_u64_le(self.size);
            }
            if far {
                out.put_u64_le(offset);
            }
        }
        put_unix_time(out, time);
    }
}

impl Directory {
    /// The end of the file.
    pub fn end(&self, out: &mut BytesMut) {
        let Self { entries, offset, size } = *self;
        if entries >= FULL_16 || offset >= FULL_32 || size >= FULL_32 {
            out.put_u32_le(END_64);
            out.put_u64_le(44);
            out.put_u16_le(MADE_BY);
            out.put_u16_le(VERSION);
            out.put_u32_le(0);
            out.put_u32_le(0);
            out.put_u64_le(entries);
            out.put_u64_le(entries);
            out.put_u64_le(size);
            out.put_u64_le(offset);
            out.put_u32_le(LOCATOR_64);
            out.put_u32_le(0);
            out.put_u64_le(offset.saturating_add(size));
            out.put_u32_le(1);
        }
        out.put_u32_le(END);
        out.put_u16_le(0);
        out.put_u16_le(0);
        out.put_u16_le(clamped_16(entries));
        out.put_u16_le(clamped_16(entries));
        out.put_u32_le(clamped_32(size));
        out.put_u32_le(clamped_32(offset));
        out.put_u16_le(0);
    }
}

fn clamped_32(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn clamped_16(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Of a name or an extra field: a path is far shorter than 64 KiB.
fn put_length(out: &mut BytesMut, length: usize) {
    out.put_u16_le(u16::try_from(length).unwrap_or(u16::MAX));
}

/// Seconds since 1970, while they fit their field.
fn unix_time(millis: i64) -> Option<i32> {
    i32::try_from(millis.div_euclid(1000)).ok()
}

/// The time of a zip file has no zone; this has.
fn put_unix_time(out: &mut BytesMut, time: Option<i32>) {
    let Some(time) = time else { return };
    out.put_u16_le(EXTRA_TIME);
    out.put_u16_le(5);
    out.put_u8(1);
    out.put_i32_le(time);
}

/// Time and date as of DOS, in UTC: two seconds exact, from 1980 to 2107.
fn put_dos_time(out: &mut BytesMut, millis: i64) {
    let time = Timestamp::from_millisecond(millis).unwrap_or_default().to_zoned(TimeZone::UTC);
    let part = |number: i8| u16::from(number.unsigned_abs());
    let (date, clock) = match u16::try_from(time.year() - 1980) {
        Ok(year @ 0..=127) => (
            year << 9 | part(time.month()) << 5 | part(time.day()),
            part(time.hour()) << 11 | part(time.minute()) << 5 | (part(time.second()) / 2),
        ),
        _ => (1 << 5 | 1, 0),
    };
    out.put_u16_le(clock);
    out.put_u16_le(date);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(size: u64) -> Entry {
        Entry { name: "휴가.jpg".to_owned(), size, modified: 1_764_064_800_000, directory: false }
    }

    fn lengths(size: u64, offset: u64) -> [usize; 3] {
        let mut parts = [BytesMut::new(), BytesMut::new(), BytesMut::new()];
        let entry = entry(size);
        entry.begin(&mut parts[0]);
        entry.end(7, &mut parts[1]);
        entry.record(7, offset, &mut parts[2]);
        let lengths = parts.map(|part| part.len());
        assert_eq!((lengths[0] + lengths[1]) as u64 + size, entry.length());
        lengths.map(|length| length - if length < 30 { 0 } else { entry.name.len() })
    }

    #[test]
    fn fields_grow_where_a_number_does_not_fit() {
        let before = FULL_32 - 1;
        assert_eq!(lengths(before, before), [39, 16, 55]);
        assert_eq!(lengths(FULL_32, before), [59, 24, 75]);
        assert_eq!(lengths(before, FULL_32), [39, 16, 67]);
        assert_eq!(lengths(FULL_32, FULL_32), [59, 24, 83]);
        for (entries, offset, length) in
            [(65_534, before, 22), (65_535, 0, 98), (1, FULL_32, 98), (65_535, FULL_32, 98)]
        {
            let mut out = BytesMut::new();
            Directory { entries, offset, size: 1 }.end(&mut out);
            assert_eq!(out.len(), length, "{entries} {offset}");
        }
    }

    #[test]
    fn times_are_those_of_dos() {
        for (millis, date, clock) in [
            (1_764_064_830_000, (45 << 9 | 11 << 5 | 25), (10 << 11 | 15)),
            (0, 33, 0),
            (i64::MAX, 33, 0),
            (-1, 33, 0),
        ] {
            let mut out = BytesMut::new();
            put_dos_time(&mut out, millis);
            let expected = [u16::to_le_bytes(clock), u16::to_le_bytes(date)].concat();
            assert_eq!(out, expected, "{millis}");
        }
    }
}
