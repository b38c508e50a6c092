//! Where the bytes of files are.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use api::generation::Generation;
use uuid::Uuid;

/// Names a data file, which is immutable once something refers to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The generation its maker knew. One born below the watermark may no longer be introduced, and so may be
    /// collected when nothing refers to it.
    pub born: Generation,
    /// Chance, so that no two are the same.
    pub random: u64,
}

impl fmt::Display for ObjectId {
    /// The name of its file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.born, self.random)
    }
}

/// Which volume of the pool an object lies on, by its place in the table that the space keeps; 0 is the home volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeIndex(pub u16);

/// A volume, for ever: what the file at its root says, whatever it is called where it is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeUid(pub Uuid);

impl fmt::Display for VolumeUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// Some bytes of an object. The content of a file is a list of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extent {
    /// The volume of the object.
    pub volume: VolumeIndex,
    /// The object.
    pub object: ObjectId,
    /// Where the bytes begin in it.
    pub offset: u64,
    /// How many there are, never none.
    pub length: u64,
}

/// The extents of one content, in order. Nearly every file has one or none, which then lies in the file itself.
#[derive(Clone)]
pub struct Extents(Few);

#[derive(Clone)]
enum Few {
    One(Extent),
    Others(Arc<[Extent]>),
    None,
}

impl Default for Extents {
    fn default() -> Self {
        Self(Few::None)
    }
}

impl Deref for Extents {
    type Target = [Extent];

    fn deref(&self) -> &[Extent] {
        match &self.0 {
            Few::None => &[],
            Few::One(extent) => std::slice::from_ref(extent),
            Few::Others(extents) => extents,
        }
    }
}

impl From<&[Extent]> for Extents {
    fn from(extents: &[Extent]) -> Self {
        Self(match extents {
            [] => Few::None,
            [one] => Few::One(*one),
            others => Few::Others(others.into()),
        })
    }
}

impl From<Vec<Extent>> for Extents {
    fn from(extents: Vec<Extent>) -> Self {
        extents.as_slice().into()
    }
}

impl FromIterator<Extent> for Extents {
    fn from_iter<I: IntoIterator<Item = Extent>>(extents: I) -> Self {
        extents.into_iter().collect::<Vec<_>>().into()
    }
}

impl PartialEq for Extents {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Extents {}

impl fmt::Debug for Extents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl Extent {
    /// A few bits that tell this content from another.
    pub(crate) fn mark(&self) -> u32 {
        let mixed = self.object.random ^ self.object.born.0.rotate_left(32) ^ self.offset.rotate_left(16);
        #[expect(clippy::cast_possible_truncation, reason = "a few bits are wanted")]
        let mark = (mixed ^ (mixed >> 32)) as u32;
        mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_one_name() {
        let id = ObjectId { born: Generation(12), random: 0xab };
        assert_eq!(id.to_string(), "12-00000000000000ab");
    }
}
