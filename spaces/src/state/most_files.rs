//! The most files and directories of a space. Each pod that serves a space holds all of them in memory and reads them
//! when it opens it: some 180 bytes and half a microsecond for each (`docs/reference/performance.md`). Five million are
//! 0.9 GB and two and a half seconds.

use super::State;
use super::retention::Retention;
use super::upload::Upload;
use crate::error::Error;
use crate::format::pool::Import;
use crate::format::record::{self, Action};
use crate::name::Name;
use crate::node::NodeId;

/// The most files and directories of one space, those in the trash and those that uploads will become included.
pub(crate) const MOST_FILES: usize = if cfg!(test) { 40_000 } else { 5_000_000 };

/// The most old contents of files that a space keeps: each takes as much memory as a file.
pub(crate) const MOST_VERSIONS: usize = MOST_FILES;

impl State {
    /// What is kept of what goes: where there are as many old contents as may be, no further one is, until the oldest
    /// have gone, which they do with the next entries.
    pub(super) fn retained(&self, retention: Retention) -> Retention {
        if self.versions.count() < MOST_VERSIONS { retention } else { Retention { versions: 0, ..retention } }
    }

    /// How many of the oldest old contents are to go, so that those to come can be kept.
    pub(super) fn versions_over(&self) -> usize {
        self.versions.count().saturating_sub(MOST_VERSIONS - MOST_VERSIONS / 16)
    }

    /// Whether there may be as many as there are after these steps, which touch so many nodes.
    pub(super) fn may_have(&self, actions: &[Action], touched: usize) -> Result<(), Error> {
        // Whatever is made is touched; to count it is needed only where it matters.
        if self.nodes.len() + self.uploads.len() + touched <= MOST_FILES {
            return Ok(());
        }
        let more: usize = actions.iter().map(|action| self.made_by(action)).sum();
        let open = self.uploads.values().filter_map(Upload::open);
        let awaited = open.filter(|open| open.target.is_some()).count();
        if more > 0 && self.nodes.len() + awaited + more > MOST_FILES {
            return Err(Error::TooManyFiles { most: MOST_FILES });
        }
        Ok(())
    }

    /// How many nodes a step makes, or will make.
    fn made_by(&self, action: &Action) -> usize {
        let new = |parent: NodeId, name: &Name| usize::from(self.child(parent, name).is_none());
        match action {
            Action::MakeDirectory(_) => 1,
            Action::Put(record::Put { parent, name, .. }) => new(*parent, name),
            Action::Copy(record::Copy { node, .. }) => {
                usize::try_from(self.weigh(*node).1).unwrap_or(usize::MAX)
            }
            Action::CreateUpload(record::CreateUpload { target, .. }) => usize::from(target.is_some()),
            Action::Import(Import { nodes, .. }) => nodes.len(),
            // It had its place since it was begun.
            Action::Complete(_)
            | Action::Move(_)
            | Action::Delete(_)
            | Action::Limit(_)
            | Action::TakeOver(_)
            | Action::Extend(_)
            | Action::Abort(_)
            | Action::Sweep(_)
            | Action::Lock(_)
            | Action::Unlock(_)
            | Action::SetProperties(_)
            | Action::Trash(_)
            | Action::Restore(_)
            | Action::Purge(_)
            | Action::RestoreVersion(_)
            | Action::CreateShare(_)
            | Action::RemoveShare(_)
            | Action::UseShare(_)
            | Action::NameVolume(_)
            | Action::Relocate(_)
            | Action::Close(_)
            | Action::Format(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use api::bytes::Bytes;
    use api::generation::Generation;
    use uuid::Uuid;

    use super::*;
    use crate::extent::{Extent, ObjectId};
    use crate::format::record::{Expected, Target};
    use crate::lock::{LockDepth, LockScope, LockToken, NewLock};
    use crate::operation::{Condition, UploadId};
    use crate::path::NodePath;
    use crate::settings::Settings;
    use crate::state::intent::{Content, Intent};
    use crate::state::tests::World;
    use crate::state::upload::HOME;

    fn path(text: &str) -> NodePath {
        text.parse().unwrap()
    }

    fn directory(text: &str) -> Intent {
        Intent::MakeDirectory { path: path(text), parents: false }
    }

    fn put(text: &str) -> Intent {
        let (content, condition) = (Content::default(), Condition::None);
        Intent::Put { path: path(text), content, condition, parents: true }
    }

    fn copy(from: &str, to: &str) -> Intent {
        Intent::Copy { from: path(from), to: path(to), overwrite: false }
    }

    fn upload(number: u128, at: &str) -> Intent {
        let target = Target {
            path: path(at).names().to_vec(),
            expected: Expected::Anything,
            parents: false,
            locks: Vec::new(),
            modified: None,
        };
        let object = ObjectId { born: Generation(1), random: 1 };
        let (upload, target) = (UploadId(Uuid::from_u128(number)), Some(target.into()));
        Intent::CreateUpload { upload, length: Bytes(0), object, volume: HOME, target }
    }

    /// An old content is no file, and yet each takes memory: there are no more of them than there may be files.
    #[test]
    fn there_are_no_more_old_contents_than_that() {
        let retention = Retention { trash: false, versions: 100 };
        let mut world = World::roomy(u64::MAX >> 1, retention);
        let write = |at: &str, version: u64| {
            let object = ObjectId { born: Generation(1), random: version };
            let extents = vec![Extent { volume: HOME, object, offset: 0, length: 1 }];
            let content = Content { extents, ..Content::default() };
            Intent::Put { path: path(at), content, condition: Condition::None, parents: false }
        };
        for file in 0..MOST_VERSIONS as u64 / 100 + 3 {
            for version in 0..101 {
                world.commit(&write(&file.to_string(), file * 1000 + version)).unwrap();
                assert!(world.state.versions.count() <= MOST_VERSIONS);
            }
        }
        assert_eq!(world.state.versions.count(), MOST_VERSIONS);
        // The oldest go, and then there is room for new ones.
        let settings = Settings::default();
        let (due, all) = world.state.expired(i64::MAX, &settings);
        assert!(!all && due.len() == 1_000, "{}", due.len());
        let oldest = world.state.versions.oldest().unwrap().0;
        world.write(due.into_iter().map(|(action, _)| action).collect()).unwrap();
        assert_eq!(world.state.versions.count(), MOST_VERSIONS - 1_000);
        assert!(world.state.versions.of(oldest).is_empty());
        world.commit(&write("0", 7)).unwrap();
        assert_eq!(world.state.versions.count(), MOST_VERSIONS - 999);
    }

    fn lock(at: &str) -> Intent {
        let lock = NewLock {
            token: LockToken(Uuid::from_u128(1)),
            scope: LockScope::Exclusive,
            depth: LockDepth::Zero,
            owner: String::new(),
            creator: "member".to_owned(),
            timeout: std::time::Duration::from_secs(60),
        };
        Intent::Lock { path: path(at), lock: lock.into() }
    }

    /// A space with room for so many more.
    fn nearly_full(left: usize) -> World {
        let mut world = World::new();
        world.commit(&directory("tree")).unwrap();
        for number in 0..999 {
            world.commit(&directory(&format!("tree/{number}"))).unwrap();
        }
        // With the root there is one more.
        for number in 1..MOST_FILES / 1000 - 1 {
            world.commit(&copy("tree", &number.to_string())).unwrap();
        }
        for number in world.state.nodes.len()..MOST_FILES - left {
            world.commit(&directory(&format!("one {number}"))).unwrap();
        }
        world
    }

    #[test]
    fn there_are_no_more_than_that() {
        let full = nearly_full(2);
        for (what, intents, goes) in [
            ("a directory", vec![directory("a"), directory("b")], true),
            ("one more", vec![directory("a"), directory("b"), directory("c")], false),
            ("a file", vec![put("a"), put("b")], true),
            ("one more", vec![put("a"), put("b"), put("c")], false),
            ("the same again", vec![put("a"), put("b"), put("a"), put("b")], true),
            ("with the directories above", vec![put("a/b")], true),
            ("with more of them", vec![put("a/b/c")], false),
            ("a tree", vec![directory("a"), copy("a", "b")], true),
            ("a large tree", vec![copy("tree", "a")], false),
            ("uploads that will be files", vec![upload(1, "a"), upload(2, "b")], true),
            ("one more", vec![upload(1, "a"), upload(2, "b"), upload(3, "c")], false),
            (
                "a file that would take the place of an upload",
                vec![upload(1, "a"), put("b"), put("c")],
                false,
            ),
            (
                "an upload that ends",
                vec![
                    upload(1, "a"),
                    put("b"),
                    Intent::Complete { upload: UploadId(Uuid::from_u128(1)), epoch: 1 },
                ],
                true,
            ),
            ("a locked name", vec![put("a"), put("b"), lock("c")], false),
        ] {
            let mut world = full.clone();
            let done: Result<Vec<_>, _> = intents.iter().map(|intent| world.commit(intent)).collect();
            match done {
                Ok(_) => assert!(goes, "{what}"),
                Err(Error::TooManyFiles { most: MOST_FILES }) => assert!(!goes, "{what}"),
                Err(error) => panic!("{what}: {error}"),
            }
            assert!(world.state.nodes.len() <= MOST_FILES, "{what}");
        }
        // What makes nothing is never refused, and what was deleted makes room.
        let mut world = nearly_full(0);
        let (from, to) = (path("tree"), path("moved"));
        world.commit(&Intent::Move { from, to, overwrite: false }).unwrap();
        assert!(world.commit(&put("a")).is_err());
        let (at, condition) = (path("moved"), Condition::None);
        world.commit(&Intent::Delete { path: at, condition, permanently: true }).unwrap();
        world.commit(&put("a")).unwrap();
    }
}
