//! The nodes of a state from the list that was written of them, and that list. It is on the way of every cold start, so
//! everything is built at once and looked at once.

use std::collections::HashSet;

use api::bytes::Bytes;
use api::generation::Generation;

use super::State;
use super::apply::Misfit;
use super::inode::{Children, Content, Directory, File, Inode, length};
use super::nodes::Nodes;
use super::objects::Use;
use crate::extent::{ObjectId, VolumeIndex};
use crate::format::nodes::{Reader, Row, Writer};
use crate::format::varint::Malformed;
use crate::map::Map;
use crate::node::NodeId;

/// What is known of the nodes while a list is read.
#[derive(Default)]
struct Reading {
    /// The id of each node and its place in `inodes`.
    order: Vec<(NodeId, usize)>,
    inodes: Vec<Option<Inode>>,
    /// Versions that are not the number of their node.
    versions: Vec<u64>,
    objects: Vec<(VolumeIndex, ObjectId)>,
    used: Bytes,
}

impl From<Malformed> for Misfit {
    fn from(malformed: Malformed) -> Self {
        let Malformed(what) = malformed;
        Self(what)
    }
}

impl State {
    /// Takes in the nodes of a list and the objects they refer to. They must add up. Which of them are in no directory.
    pub(super) fn read_list(&mut self, list: &[u8]) -> Result<Vec<NodeId>, Misfit> {
        let (loose, mut reader) = Reader::new(list)?;
        let mut reading = Reading::default();
        let loose: Vec<NodeId> = loose
            .into_iter()
            .map(|row| {
                let id = row.id;
                reading.take(id, row).map(|()| id)
            })
            .collect::<Result<_, _>>()?;
        let mut directories = Vec::new();
        while let Some((directory, rows)) = reader.directory()? {
            // The names ascend, as the list is made.
            let names = rows.iter().filter_map(|row| Some((row.name.clone()?, row.id))).collect::<Vec<_>>();
            let children = Children::from_sorted(names.into_iter()).ok_or(Misfit("names do not ascend"))?;
            directories.push((directory, children));
            for row in rows {
                reading.take(directory, row)?;
            }
        }
        self.number_once(&mut reading)?;
        let Reading { order, mut inodes, versions: _, objects, used } = reading;
        let mut directories = directories.into_iter().peekable();
        let mut rooted = 0;
        let nodes = order.iter().map(|(id, place)| {
            let mut inode = inodes.get_mut(*place).and_then(Option::take).unwrap_or_else(Inode::root);
            // Both are in the order of the ids.
            if let Content::Directory(directory) = &mut inode.content
                && let Some((_, children)) = directories.next_if(|(directory, _)| directory == id)
            {
                directory.children = children;
                rooted += 1;
            }
            (*id, inode)
        });
        let nodes = nodes.collect::<Vec<_>>();
        if directories.next().is_some() {
            return Err(Misfit("something is in a directory that is none"));
        }
        let nodes = Map::from_sorted(nodes.into_iter()).ok_or(Misfit("a node is there twice"))?;
        self.nodes = Nodes::of(nodes);
        self.reach(&loose, rooted)?;
        self.objects.0 = counted(objects)?;
        self.used = used;
        Ok(loose)
    }

    /// Puts the nodes in the order of their ids. No number was given twice, and none will be.
    fn number_once(&self, reading: &mut Reading) -> Result<(), Misfit> {
        let Reading { order, versions, .. } = reading;
        order.sort_unstable();
        versions.sort_unstable();
        let twice = versions.is_sorted_by(|one, other| one < other)
            && versions.iter().all(|version| order.binary_search_by_key(version, |(id, _)| id.0).is_err());
        let last = order.last().map_or(0, |(id, _)| id.0).max(versions.last().copied().unwrap_or(0));
        if !twice || last >= self.next {
            return Err(Misfit("a number is there twice or may come again"));
        }
        Ok(())
    }

    /// Whether each directory with something in it can be reached from a node that is in none.
    fn reach(&self, loose: &[NodeId], directories: usize) -> Result<(), Misfit> {
        let filled = |(id, inode): (&NodeId, &Inode)| Some((*id, inode.directory()?.children.is_empty()));
        let mut reached: HashSet<NodeId> = loose.iter().copied().collect();
        let mut way = Vec::new();
        for (directory, _) in self.nodes.iter().filter_map(filled).filter(|(_, empty)| !empty) {
            let mut id = directory;
            while !reached.contains(&id) {
                way.push(id);
                if way.len() > directories {
                    return Err(Misfit("directories are in each other"));
                }
                id = self.nodes.get(&id).ok_or(Misfit("a directory is missing"))?.parent;
            }
            reached.extend(way.drain(..));
        }
        Ok(())
    }

    /// The nodes as a list.
    pub(crate) fn list(&self) -> Vec<u8> {
        let row = |id: NodeId, inode: &Inode| match &inode.content {
            Content::Directory(Directory { version, modified, children: _ }) => {
                Row { id, name: None, version: *version, modified: *modified, extents: None }
            }
            Content::File(File { size: _, version, modified, extents }) => {
                let extents = Some(extents.clone());
                Row { id, name: None, version: *version, modified: *modified, extents }
            }
        };
        let loose = self.nodes.iter().filter(|(id, inode)| inode.parent == **id);
        let loose: Vec<Row> = loose.map(|(id, inode)| row(*id, inode)).collect();
        let mut writer = Writer::new(&loose);
        for (id, inode) in &self.nodes {
            let Some(Directory { children, .. }) = inode.directory() else { continue };
            if !children.is_empty() {
                // What is in a directory is there.
                let root = Inode::root();
                writer.directory(
                    *id,
                    children
                        .iter()
                        .map(|(name, child)| (name, row(*child, self.nodes.get(child).unwrap_or(&root)))),
                );
            }
        }
        writer.finish()
    }
}

impl Reading {
    fn take(&mut self, parent: NodeId, row: Row) -> Result<(), Misfit> {
        let Row { id, name, version, modified, extents } = row;
        if version != id.0 {
            self.versions.push(version);
        }
        let content = match extents {
            None => Content::Directory(Directory { version, modified, children: Children::new() }),
            Some(extents) => {
                self.objects.extend(extents.iter().map(|extent| (extent.volume, extent.object)));
                let size = length(&extents);
                self.used = self.used.checked_add(size).ok_or(Misfit("sizes overflow"))?;
                if extents.iter().any(|extent| extent.length == 0) {
                    return Err(Misfit("an extent is empty"));
                }
                Content::File(File { size, version, modified, extents })
            }
        };
        self.order.push((id, self.inodes.len()));
        self.inodes.push(Some(Inode { parent, name, content }));
        Ok(())
    }
}

/// How often each object is referred to.
fn counted(mut objects: Vec<(VolumeIndex, ObjectId)>) -> Result<Map<(VolumeIndex, ObjectId), Use>, Misfit> {
    objects.sort_unstable();
    let mut uses: Vec<((VolumeIndex, ObjectId), Use)> = Vec::with_capacity(objects.len());
    for object in objects {
        match uses.last_mut() {
            Some((last, known)) if *last == object => known.references += 1,
            _ => uses.push((object, Use { references: 1, dropped: Generation::ZERO })),
        }
    }
    Map::from_sorted(uses.into_iter()).ok_or(Misfit("objects do not ascend"))
}

#[cfg(test)]
mod tests {
    use api::ids::SpaceId;

    use super::*;
    use crate::extent::{Extent, Extents};
    use crate::name::Name;
    use crate::state::upload::HOME;

    fn row(id: u64, extents: Option<Extents>) -> Row {
        Row { id: NodeId(id), name: None, version: id, modified: 0, extents }
    }

    fn read(loose: &[Row], directories: &[(u64, Vec<(&str, Row)>)]) -> Result<State, Misfit> {
        let mut writer = Writer::new(loose);
        for (id, rows) in directories {
            let named: Vec<(Name, Row)> =
                rows.iter().map(|(name, row)| (name.parse().unwrap(), row.clone())).collect();
            writer.directory(NodeId(*id), named.iter().map(|(name, row)| (name, row.clone())));
        }
        let mut state = State::genesis(SpaceId(uuid::Uuid::nil()));
        state.next = 10;
        state.read_list(&writer.finish()).map(|_| state)
    }

    #[test]
    fn a_list_that_does_not_add_up_is_no_state() {
        let root = [Row { version: 0, ..row(1, None) }];
        let extent = |length| {
            let object = ObjectId { born: Generation(1), random: 5 };
            Some([Extent { volume: HOME, object, offset: 0, length }].as_slice().into())
        };
        let state = read(&root, &[(1, vec![("a", row(2, None)), ("b", row(3, extent(4)))])]).unwrap();
        assert_eq!(state.audit(), Vec::<String>::new());
        assert_eq!((state.used, state.objects.0.len()), (Bytes(4), 1));
        let version = |version| Row { version, ..row(4, None) };
        for (what, loose, directories) in [
            ("twice", root.to_vec(), vec![(1, vec![("a", row(2, None)), ("b", row(2, None))])]),
            ("twice", root.to_vec(), vec![(1, vec![("a", row(2, None))]), (2, vec![("a", row(1, None))])]),
            ("twice", root.to_vec(), vec![(1, vec![("a", version(5)), ("b", row(5, None))])]),
            ("come again", root.to_vec(), vec![(1, vec![("a", row(10, None))])]),
            ("come again", root.to_vec(), vec![(1, vec![("a", version(10))])]),
            (
                "that is none",
                root.to_vec(),
                vec![(1, vec![("a", row(2, extent(1)))]), (2, vec![("b", row(3, None))])],
            ),
            ("that is none", root.to_vec(), vec![(7, vec![("a", row(2, None))])]),
            (
                "in each other",
                root.to_vec(),
                vec![(2, vec![("a", row(3, None))]), (3, vec![("a", row(2, None))])],
            ),
            ("is empty", root.to_vec(), vec![(1, vec![("a", row(2, extent(0)))])]),
        ] {
            let refused = read(&loose, &directories).unwrap_err();
            assert!(refused.to_string().contains(what), "{refused}, and not {what}");
        }
    }
}
