//! The nodes of a state as bytes: first those that are in no directory, then directory by directory in the order of
//! their ids, what is in it in the order of the names.
//!
//! A list is written in one way only and read in no other, so it needs no second look: numbers are as short as can be,
//! ids and names ascend, and a name says exactly what it has in common with the one before it. What nodes have in
//! common with their neighbours is not written again, for a space may have millions.

use api::generation::Generation;

use super::varint::{Malformed, Rest, put, put_from};
use crate::extent::{Extent, Extents, ObjectId, VolumeIndex};
use crate::name::Name;
use crate::node::NodeId;

/// A node, but for where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: NodeId,
    /// Of what is in a directory.
    pub(crate) name: Option<Name>,
    pub(crate) version: u64,
    pub(crate) modified: i64,
    /// Of a file; a directory has none.
    pub(crate) extents: Option<Extents>,
}

/// What neighbours are told from.
#[derive(Clone, Copy, Default)]
struct Before {
    modified: u64,
    born: u64,
}

/// Writes a list.
pub(crate) struct Writer {
    bytes: Vec<u8>,
    before: Before,
    directory: u64,
}

impl Writer {
    /// Begins with the nodes that are in no directory, in the order of their ids.
    pub(crate) fn new(loose: &[Row]) -> Self {
        let mut writer = Self { bytes: Vec::new(), before: Before::default(), directory: 0 };
        put(&mut writer.bytes, loose.len() as u64);
        let mut last = 0;
        for row in loose {
            put(&mut writer.bytes, row.id.0.wrapping_sub(last));
            last = row.id.0;
            writer.content(row);
        }
        writer
    }

    /// What is in a directory, in the order of the names. Directories come in the order of their ids, empty ones not.
    pub(crate) fn directory<'r>(&mut self, id: NodeId, rows: impl ExactSizeIterator<Item = (&'r Name, Row)>) {
        put(&mut self.bytes, id.0.wrapping_sub(self.directory));
        self.directory = id.0;
        put(&mut self.bytes, rows.len() as u64);
        let (mut last, mut place) = (None::<Name>, id.0);
        for (name, row) in rows {
            let (text, before) = (name.as_bytes(), last.as_ref().map(Name::as_bytes).unwrap_or_default());
            let shared = text.iter().zip(before).take_while(|(one, other)| one == other).count();
            let own = text.get(shared..).unwrap_or_default();
            put(&mut self.bytes, shared as u64);
            put(&mut self.bytes, own.len() as u64);
            self.bytes.extend_from_slice(own);
            put_from(&mut self.bytes, place, row.id.0);
            place = row.id.0;
            self.content(&row);
            last = Some(name.clone());
        }
    }

    fn content(&mut self, row: &Row) {
        let Row { id, name: _, version, modified, extents } = row;
        let bytes = &mut self.bytes;
        put(bytes, extents.as_ref().map_or(0, |extents| extents.len() as u64 + 1));
        put_from(bytes, id.0, *version);
        put_from(bytes, self.before.modified, modified.cast_unsigned());
        self.before.modified = modified.cast_unsigned();
        for extent in extents.iter().flat_map(|extents| extents.iter()) {
            let Extent { volume, object: ObjectId { born, random }, offset, length } = *extent;
            put(bytes, u64::from(volume.0));
            put_from(bytes, self.before.born, born.0);
            self.before.born = born.0;
            bytes.extend_from_slice(&random.to_le_bytes());
            put(bytes, offset);
            put(bytes, length);
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads a list.
pub(crate) struct Reader<'a> {
    rest: Rest<'a>,
    before: Before,
    directory: u64,
    text: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// The nodes that are in no directory, and what reads the others.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<(Vec<Row>, Self), Malformed> {
        let mut reader =
            Self { rest: Rest(bytes), before: Before::default(), directory: 0, text: Vec::new() };
        let count = reader.rest.count()?;
        let mut loose = Vec::with_capacity(count);
        let mut last = 0;
        for _ in 0..count {
            last = reader.later(last)?;
            loose.push(reader.content(NodeId(last), None)?);
        }
        Ok((loose, reader))
    }

    /// The next directory and what is in it; `None` at the end.
    pub(crate) fn directory(&mut self) -> Result<Option<(NodeId, Vec<Row>)>, Malformed> {
        if self.rest.0.is_empty() {
            return Ok(None);
        }
        self.directory = self.later(self.directory)?;
        let count = self.rest.count()?;
        if count == 0 {
            return Err(Malformed("an empty directory is listed"));
        }
        let mut rows = Vec::with_capacity(count);
        self.text.clear();
        let mut id = self.directory;
        for _ in 0..count {
            let name = self.name()?;
            id = self.rest.from(id)?;
            rows.push(self.content(NodeId(id), Some(name))?);
        }
        Ok(Some((NodeId(self.directory), rows)))
    }

    /// An id behind another.
    fn later(&mut self, before: u64) -> Result<u64, Malformed> {
        match self.rest.number()? {
            0 => Err(Malformed("ids do not ascend")),
            more => before.checked_add(more).ok_or(Malformed("an id is too large")),
        }
    }

    /// The next name of a directory, from the one before it.
    fn name(&mut self) -> Result<Name, Malformed> {
        let shared = usize::try_from(self.rest.number()?).unwrap_or(usize::MAX);
        let length = self.rest.count()?;
        let own = self.rest.bytes(length)?;
        // It is behind the last one, and has no more in common with it than it says.
        let ascends = match (self.text.get(shared), own.first()) {
            (Some(last), Some(first)) => first > last,
            (None, Some(_)) => shared == self.text.len(),
            (_, None) => false,
        };
        if !ascends {
            return Err(Malformed("names do not ascend"));
        }
        self.text.truncate(shared);
        self.text.extend_from_slice(own);
        name(&self.text)
    }

    fn content(&mut self, id: NodeId, name: Option<Name>) -> Result<Row, Malformed> {
        let rest = &mut self.rest;
        let count = rest.count()?;
        let version = rest.from(id.0)?;
        self.before.modified = rest.from(self.before.modified)?;
        let modified = self.before.modified.cast_signed();
        let extents = match count {
            0 => None,
            1 => Some(Extents::default()),
            2 => Some([self.extent()?].as_slice().into()),
            more => Some((1..more).map(|_| self.extent()).collect::<Result<Vec<_>, _>>()?.into()),
        };
        Ok(Row { id, name, version, modified, extents })
    }

    fn extent(&mut self) -> Result<Extent, Malformed> {
        let rest = &mut self.rest;
        let volume = u16::try_from(rest.number()?).map_err(|_| Malformed("there is no such volume"))?;
        self.before.born = rest.from(self.before.born)?;
        let object = ObjectId { born: Generation(self.before.born), random: rest.fixed()? };
        Ok(Extent { volume: VolumeIndex(volume), object, offset: rest.number()?, length: rest.number()? })
    }
}

/// A name that is written as it would be written.
fn name(text: &[u8]) -> Result<Name, Malformed> {
    let text = std::str::from_utf8(text).map_err(|_| Malformed("a name is not UTF-8"))?;
    let name: Name = text.parse().map_err(|_| Malformed("a name is not valid"))?;
    if name.as_str() == text { Ok(name) } else { Err(Malformed("a name is not in form NFC")) }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    type Loose = BTreeMap<u64, Row>;
    type Directories = BTreeMap<u64, BTreeMap<Name, Row>>;

    fn row() -> impl Strategy<Value = Row> {
        let extent = (0_u16..3, 0_u64..99, any::<u64>(), 0_u64..3, 1_u64..1 << 40);
        let extents = prop::option::of(prop::collection::vec(extent, 0..4));
        (any::<u32>(), any::<u32>(), any::<i64>(), extents).prop_map(|(id, version, modified, extents)| Row {
            id: NodeId(u64::from(id)),
            name: None,
            version: u64::from(version),
            modified,
            extents: extents.map(|extents| {
                let extent = |(volume, born, random, offset, length)| Extent {
                    volume: VolumeIndex(volume),
                    object: ObjectId { born: Generation(born), random },
                    offset,
                    length,
                };
                extents.into_iter().map(extent).collect()
            }),
        })
    }

    fn name() -> impl Strategy<Value = Name> {
        let text = prop_oneof!["[ab]{1,4}", "[aüは]{1,3}", "[a-c]{20,30}"];
        text.prop_map(|text| text.parse().unwrap())
    }

    fn write(loose: &Loose, directories: &Directories) -> Vec<u8> {
        let loose: Vec<_> = loose.values().cloned().collect();
        let mut writer = Writer::new(&loose);
        for (id, rows) in directories {
            writer.directory(NodeId(*id), rows.iter().map(|(name, row)| (name, row.clone())));
        }
        writer.finish()
    }

    fn read(bytes: &[u8]) -> Result<(Loose, Directories), Malformed> {
        let (loose, mut reader) = Reader::new(bytes)?;
        let count = loose.len();
        let loose: Loose = loose.into_iter().map(|row| (row.id.0, row)).collect();
        assert_eq!(loose.len(), count);
        let mut directories = Directories::new();
        while let Some((id, rows)) = reader.directory()? {
            let count = rows.len();
            let named = |row: Row| (row.name.clone().unwrap(), Row { name: None, ..row });
            let rows: BTreeMap<_, _> = rows.into_iter().map(named).collect();
            assert_eq!(rows.len(), count);
            assert!(directories.insert(id.0, rows).is_none());
        }
        Ok((loose, directories))
    }

    proptest! {
        #[test]
        fn a_list_comes_back(
            loose in prop::collection::btree_map(1_u64..9, row(), 0..3),
            directories in prop::collection::btree_map(
                1_u64..1 << 40, prop::collection::btree_map(name(), row(), 1..9), 0..5),
            at: prop::sample::Index,
            value: u8,
        ) {
            let loose: Loose =
                loose.into_iter().map(|(id, row)| (id, Row { id: NodeId(id), ..row })).collect();
            let bytes = write(&loose, &directories);
            prop_assert_eq!(read(&bytes), Ok((loose, directories)));
            // Whatever else can be read is written as it was.
            let mut changed = bytes.clone();
            let at = at.index(bytes.len());
            changed[at] = value;
            if let Ok((loose, directories)) = read(&changed) {
                prop_assert_eq!(write(&loose, &directories), changed);
            }
            if let Ok((loose, directories)) = read(&bytes[..at]) {
                prop_assert_eq!(write(&loose, &directories), &bytes[..at]);
            }
        }
    }

    #[test]
    fn a_file_takes_few_bytes() {
        let names: BTreeSet<Name> = (0..1000).map(|n| format!("IMG_{n:08}.jpg").parse().unwrap()).collect();
        let rows = names.into_iter().zip(2_u64..).map(|(name, id)| {
            let object = ObjectId { born: Generation(id / 4), random: id << 30 };
            let extent = Extent { volume: VolumeIndex(0), object, offset: 0, length: 3_000_000 };
            let extents = Some([extent].as_slice().into());
            (name, Row { id: NodeId(id), name: None, version: id, modified: 1000, extents })
        });
        let directories = Directories::from([(1, rows.collect())]);
        let bytes = write(&Loose::new(), &directories);
        assert!(bytes.len() < 1000 * 27, "{}", bytes.len());
    }
}
