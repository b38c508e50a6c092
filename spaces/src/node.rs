//! A file or directory, as a reader sees it.

use std::fmt;

use api::bytes::Bytes;

use crate::extent::Extents;

/// Names a file or directory of a space, for ever: no move changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

impl NodeId {
    /// The root of every space.
    pub const ROOT: Self = Self(1);
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A file or directory at one generation of its space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which.
    pub id: NodeId,
    /// What it is.
    pub kind: Kind,
    /// A few bits that stay the same for a content wherever its bytes come to lie.
    pub(crate) mark: u32,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File {
        /// How many bytes it has.
        size: Bytes,
        /// Another number whenever the content is another, unique in the space.
        version: u64,
        /// When it got this content, in milliseconds since 1970.
        modified: i64,
        /// Where its bytes are.
        extents: Extents,
    },
    /// A directory.
    Directory {
        /// As of a file; a directory has the one it was made with.
        version: u64,
        /// When it was made, in milliseconds since 1970.
        modified: i64,
    },
}

impl Node {
    /// A strong entity tag (RFC 9110, section 8.8.3), quotes included: the same on every pod, another for every
    /// content.
    #[must_use]
    pub fn etag(&self) -> String {
        let mut tag = String::with_capacity(32);
        self.push_etag("\"", &mut tag);
        tag
    }

    /// Appends the [tag](Self::etag) with its quotes written so: a listing has thousands of them.
    pub fn push_etag(&self, quote: &str, out: &mut String) {
        let (Kind::File { version, .. } | Kind::Directory { version, .. }) = &self.kind;
        // A space that was restored from a copy counts versions again; the mark, which is from the random name of the
        // object that the content was first in, tells two contents of one number apart.
        out.push_str(quote);
        push_hex(out, self.id.0);
        out.push('-');
        push_hex(out, *version);
        out.push('-');
        push_hex(out, self.mark.into());
        out.push_str(quote);
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory { .. })
    }
}

fn push_hex(out: &mut String, number: u64) {
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    let digit = |place: u32| char::from_digit((number >> (4 * place)) as u32 & 0xf, 16).unwrap_or('0');
    out.extend((0..digits).rev().map(digit));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_tag_are_hexadecimal() {
        for number in [0, 1, 15, 16, 255, 0x1234_5678_9abc_def0, u64::MAX] {
            let mut out = String::new();
            push_hex(&mut out, number);
            assert_eq!(out, format!("{number:x}"));
        }
        let kind = Kind::Directory { version: 26, modified: 0 };
        assert_eq!(Node { id: NodeId(255), kind, mark: 0 }.etag(), "\"ff-1a-0\"");
    }
}
