//! What becomes of what is deleted and replaced, case by case.

use std::time::Duration;

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};

use super::intent::{Content, Intent};
use super::plan::MOST_NODES;
use super::retention::Retention;
use super::tests::World;
use super::upload::HOME;
use crate::error::Error;
use crate::extent::{Extent, ObjectId};
use crate::format::record::Action;
use crate::node::{Kind, NodeId};
use crate::operation::{Condition, Purge};
use crate::path::NodePath;
use crate::settings::{Settings, TrashSettings, VersionSettings};

const KEPT: Retention = Retention { trash: true, versions: 2 };

fn path(text: &str) -> NodePath {
    text.parse().unwrap()
}

fn delete(at: &str) -> Intent {
    Intent::Delete { path: path(at), condition: Condition::None, permanently: false }
}

fn restore(item: NodeId) -> Intent {
    Intent::Restore { item, to: None, overwrite: false }
}

fn to(from: &str, to: &str) -> Intent {
    Intent::Move { from: path(from), to: path(to), overwrite: true }
}

fn copy(from: &str, to: &str) -> Intent {
    Intent::Copy { from: path(from), to: path(to), overwrite: true }
}

impl World {
    fn does(&mut self, intent: &Intent) {
        self.commit(intent).unwrap();
        assert_eq!(self.state.audit(), Vec::<String>::new(), "{intent:?}");
    }

    fn directory(&mut self, at: &str) {
        self.does(&Intent::MakeDirectory { path: path(at), parents: true });
    }

    /// A content that is known by its number.
    fn content(&self, number: u64, length: u64) -> Content {
        let object = ObjectId { born: Generation(1), random: number };
        let extent = Extent { volume: HOME, object, offset: 0, length };
        Content { extents: (length > 0).then_some(extent).into_iter().collect(), ..Content::default() }
    }

    fn put_intent(&self, at: &str, number: u64, length: u64) -> Intent {
        let content = self.content(number, length);
        Intent::Put { path: path(at), content, condition: Condition::None, parents: true }
    }

    fn put(&mut self, at: &str, number: u64, length: u64) {
        let put = self.put_intent(at, number, length);
        self.does(&put);
    }

    fn id(&self, at: &str) -> NodeId {
        self.state.find(&path(at)).unwrap()
    }

    /// The number of a content and its length.
    fn get(&self, at: &str) -> Option<(u64, u64)> {
        match self.state.node(self.state.find(&path(at))?)?.kind {
            Kind::File { extents, .. } => extents.first().map(|extent| (extent.object.random, extent.length)),
            Kind::Directory { .. } => None,
        }
    }

    /// The numbers of the old contents of a file.
    fn versions(&self, at: &str) -> Vec<u64> {
        let number = |version: &super::versions::Version| version.extents[0].object.random;
        self.state.versions.of(self.id(at)).iter().map(number).collect()
    }

    /// The numbers of old contents as files know them.
    fn numbers(&self, at: &str) -> Vec<u64> {
        self.state.versions.of(self.id(at)).iter().map(|version| version.number).collect()
    }

    fn sums(&self) -> (u64, u64, u64) {
        (self.state.used.0, self.state.trash.bytes.0, self.state.versions.bytes.0)
    }

    fn trash_paths(&self) -> Vec<String> {
        let items = self.state.trash.by_age.iter();
        items
            .map(|(_, node)| NodePath::from(self.state.trash.items[node].path.to_vec()).to_string())
            .collect()
    }
}

#[test]
fn what_is_deleted_comes_back_as_it_was() {
    let mut world = World::roomy(100, KEPT);
    world.put("a/b/x", 1, 5);
    world.put("a/b/x", 2, 6);
    world.put("a/y", 3, 7);
    let (b, x) = (world.id("a/b"), world.id("a/b/x"));
    world.does(&delete("a/b"));
    assert_eq!(world.sums(), (18, 6, 5));
    assert_eq!(world.get("a/b/x"), None);
    world.does(&to("a", "c"));
    world.does(&restore(b));
    assert_eq!((world.id("a/b"), world.id("a/b/x")), (b, x), "missing directories are made");
    assert_eq!((world.get("a/b/x"), world.versions("a/b/x")), (Some((2, 6)), vec![1]));
    assert_eq!(world.sums(), (18, 0, 5));
    // Something is there meanwhile.
    world.does(&delete("a/b/x"));
    world.put("a/b/x", 4, 1);
    assert!(matches!(world.commit(&restore(x)), Err(Error::Exists)));
    let over = Intent::Restore { item: x, to: None, overwrite: true };
    world.does(&over);
    assert_eq!((world.get("a/b/x"), world.trash_paths()), (Some((2, 6)), vec!["a/b/x".to_owned()]));
    // Elsewhere.
    world.does(&delete("a/b"));
    world.does(&Intent::Restore { item: b, to: Some(path("n/e/w")), overwrite: false });
    assert_eq!(world.id("n/e/w/x"), x);
    for (item, to, refused) in [(b, "q", "nothing"), (NodeId::ROOT, "q", "nothing")] {
        let refusal =
            world.commit(&Intent::Restore { item, to: Some(path(to)), overwrite: false }).unwrap_err();
        assert!(refusal.to_string().contains(refused), "{refusal}");
    }
    world.does(&delete("n/e/w"));
    for (at, refused) in [("", "the root"), ("c/y/z", "not a directory"), ("c/y", "something at this path")] {
        let refusal =
            world.commit(&Intent::Restore { item: b, to: Some(path(at)), overwrite: false }).unwrap_err();
        assert!(refusal.to_string().contains(refused), "{at}: {refusal}");
    }
    let permanently = Intent::Delete { path: path("c"), condition: Condition::None, permanently: true };
    world.does(&permanently);
    assert_eq!(world.trash_paths(), ["a/b/x", "n/e/w"]);
    world.does(&Intent::Purge(Purge::Everything));
    assert_eq!((world.sums(), world.state.nodes.len()), ((0, 0, 0), 4), "the root, a, n and e");
    assert_eq!(world.commit(&Intent::Purge(Purge::Everything)).unwrap(), 0);
}

#[test]
fn contents_that_are_replaced_become_versions() {
    let mut world = World::roomy(100, KEPT);
    for (number, length) in [(1, 1), (2, 2), (3, 0), (4, 4), (5, 5)] {
        world.put("a", number, length);
    }
    // An empty content is none, and two are kept.
    assert_eq!((world.versions("a"), world.sums()), (vec![2, 4], (11, 0, 6)));
    let [second, fourth] = world.numbers("a")[..] else { panic!() };
    let tag = |world: &World| world.state.node(world.id("a")).unwrap().etag();
    let before = tag(&world);
    let version = |version| Intent::RestoreVersion { path: path("a"), version, condition: Condition::None };
    world.does(&version(second));
    assert_eq!((world.get("a"), world.versions("a"), world.sums()), (Some((2, 2)), vec![4, 5], (11, 0, 9)));
    assert_ne!(tag(&world), before);
    assert!(matches!(world.commit(&version(second)), Err(Error::NotFound)));
    let current = match world.state.node(world.id("a")).unwrap().kind {
        Kind::File { version, .. } => version,
        Kind::Directory { .. } => panic!(),
    };
    assert_eq!(world.commit(&version(current)).unwrap(), 0, "it is so already");
    let other = Condition::Matches(before);
    let stale = Intent::RestoreVersion { path: path("a"), version: fourth, condition: other };
    assert!(matches!(world.commit(&stale), Err(Error::Precondition)));
    world.does(&Intent::Purge(Purge::Version { path: path("a"), version: fourth }));
    assert_eq!((world.versions("a"), world.sums()), (vec![5], (7, 0, 5)));
    // Turned off, none is added, and those that are there stay.
    world.retention.versions = 0;
    world.put("a", 6, 6);
    assert_eq!((world.versions("a"), world.sums()), (vec![5], (11, 0, 5)));
    world.does(&Intent::Purge(Purge::Versions { path: path("a") }));
    assert_eq!((world.versions("a"), world.sums()), (vec![], (6, 0, 0)));
    assert_eq!(world.commit(&Intent::Purge(Purge::Versions { path: path("a") })).unwrap(), 0);
}

#[test]
fn what_takes_the_place_of_a_file_goes_on_with_its_history() {
    for (over, copies) in [(to as fn(&str, &str) -> Intent, false), (copy, true)] {
        let mut world = World::roomy(100, KEPT);
        for number in 1..4 {
            world.put("document", number, number);
        }
        world.put("saved", 4, 4);
        world.does(&over("saved", "document"));
        assert_eq!((world.get("document"), world.versions("document")), (Some((4, 4)), vec![2, 3]));
        assert_eq!(world.sums(), (if copies { 13 } else { 9 }, 0, 5));
        // A directory, or what a directory replaces, is deleted.
        world.directory("d");
        world.does(&over("document", "d"));
        assert_eq!(world.trash_paths(), ["d"]);
        world.directory("e");
        world.does(&over("e", "d"));
        assert_eq!(world.trash_paths(), ["d", "d"]);
        world.retention = Retention { trash: true, versions: 0 };
        world.put("f", 5, 5);
        world.put("g", 6, 6);
        world.does(&over("f", "g"));
        assert_eq!((world.get("g"), world.trash_paths().pop()), (Some((5, 5)), Some("g".to_owned())));
        world.retention = Retention::default();
        let before = world.sums();
        world.put("h", 7, 7);
        world.does(&over("g", "h"));
        assert_eq!(world.sums().0, before.0 + if copies { 5 } else { 0 });
    }
}

#[test]
fn the_oldest_makes_room_and_no_more_of_it_than_is_needed() {
    let mut world = World::roomy(30, KEPT);
    let versions = |world: &mut World| {
        world.put("v", 1, 3);
        world.put("v", 2, 3);
    };
    versions(&mut world);
    for (name, length) in [("a", 4), ("b", 5), ("c", 6)] {
        world.put(name, 9, length);
        world.does(&delete(name));
    }
    assert_eq!(world.sums(), (21, 15, 3));
    world.put("fits", 10, 9);
    assert_eq!(world.trash_paths(), ["a", "b", "c"]);
    world.put("more", 11, 5);
    assert_eq!((world.trash_paths(), world.sums()), (vec!["c".to_owned()], (26, 6, 3)));
    world.put("even", 12, 11);
    assert_eq!((world.trash_paths(), world.sums()), (vec![], (28, 0, 0)));
    // What is refused all the same purges nothing.
    world.does(&delete("even"));
    versions(&mut world);
    let (before, refused) = (world.state.clone(), world.put_intent("x", 13, 14));
    assert!(matches!(world.commit(&refused), Err(Error::QuotaExceeded { .. })));
    assert_eq!(world.state, before);
    let absent = Intent::Put {
        path: path("fits"),
        content: world.content(13, 3),
        condition: Condition::Absent,
        parents: false,
    };
    assert!(matches!(world.commit(&absent), Err(Error::Precondition)));
    assert_eq!(world.state, before);
}

#[test]
fn a_content_for_which_there_is_no_room_is_not_kept() {
    let mut world = World::roomy(10, KEPT);
    world.put("a", 1, 4);
    world.put("a", 2, 6);
    assert_eq!((world.versions("a"), world.sums()), (vec![1], (10, 0, 4)));
    // There is room for it without what was there before.
    world.put("a", 3, 4);
    assert_eq!((world.versions("a"), world.sums()), (vec![2], (10, 0, 6)));
    world.put("a", 4, 9);
    assert_eq!((world.versions("a"), world.sums()), (vec![], (9, 0, 0)));
    // The same with the trash, and a copy.
    world.put("a", 5, 5);
    world.retention.versions = 0;
    world.put("b", 6, 3);
    world.does(&copy("a", "b"));
    assert_eq!((world.trash_paths(), world.sums().0), (vec![], 10));
}

#[test]
fn an_item_too_large_for_an_entry_goes_in_parts() {
    let mut world = World::roomy(1_000_000, KEPT);
    world.put("d/0/f", 1, 2);
    for step in 1..12 {
        world.does(&copy("d", "e"));
        world.does(&to("e", &format!("d/{step}")));
    }
    // One entry can copy no more at once.
    world.directory("big");
    for part in ["0", "1", "2", "3"] {
        world.does(&copy("d", &format!("big/{part}")));
    }
    world.does(&Intent::Delete { path: path("d"), condition: Condition::None, permanently: true });
    let big = world.id("big");
    let nodes = usize::try_from(world.state.weigh(big).1).unwrap();
    assert!(nodes > 2 * MOST_NODES && nodes < 3 * MOST_NODES, "{nodes}");
    let used = world.state.used.0;
    let permanently = Intent::Delete { path: path("big"), condition: Condition::None, permanently: true };
    assert!(matches!(world.commit(&permanently), Err(Error::TooMany { .. })));
    assert_eq!(world.commit(&delete("big")).unwrap(), 1);
    assert_eq!(world.sums(), (used, used, 0));
    let full = world.clone();
    for purge in [Purge::Item(big), Purge::Everything] {
        let mut world = full.clone();
        assert_eq!(world.commit(&Intent::Purge(purge)).unwrap(), 3);
        assert_eq!((world.sums(), world.state.nodes.len()), ((0, 0, 0), 1));
        assert_eq!(world.state.audit(), Vec::<String>::new());
    }
    // What is needed of it makes room, and the rest stays.
    let mut world = full.clone();
    let wish = |roster, bytes| Intent::Limit {
        roster_generation: RosterGeneration(roster),
        target: Bytes(bytes),
        ceiling: Bytes(bytes),
    };
    world.does(&wish(2, used));
    let put = world.put_intent("x", 2, used / 2);
    assert!(world.commit(&put).unwrap() > 1);
    assert_eq!(world.state.audit(), Vec::<String>::new());
    let left = world.state.trash.items[&big].nodes;
    assert!(left > 0 && left < nodes as u64, "{left}");
    assert_eq!(world.state.used.0, used, "no more went than was needed");
    world.does(&restore(big));
    let mut world = full.clone();
    world.does(&wish(2, used));
    let put = world.put_intent("x", 2, used + 1);
    assert!(matches!(world.commit(&put), Err(Error::QuotaExceeded { .. })));
    assert_eq!(world.sums(), full.sums());
    // It goes for a limit that is lent, too.
    let mut world = full.clone();
    let lent =
        Intent::Limit { roster_generation: RosterGeneration(2), target: Bytes(0), ceiling: Bytes(used) };
    assert_eq!(world.commit(&lent).unwrap(), 3);
    assert_eq!(world.state.limit.bytes, Bytes(0));
}

#[test]
fn a_limit_is_lent_though_the_trash_is_full() {
    // The limit that comes of a wish, and what is in the trash then.
    for (target, ceiling, limit, trash) in [
        (5, 30, 10, 0),
        (18, 30, 18, 8),
        (14, 30, 14, 4),
        (25, 30, 25, 10),
        // Nothing is gained by it.
        (5, 5, 5, 10),
        (5, 9, 9, 10),
        (12, 12, 12, 10),
    ] {
        let mut world = World::roomy(30, KEPT);
        world.put("stays", 1, 10);
        for (name, length) in [("a", 2), ("b", 4), ("c", 4)] {
            world.put(name, 2, length);
            world.does(&delete(name));
        }
        world.does(&Intent::Limit {
            roster_generation: RosterGeneration(2),
            target: Bytes(target),
            ceiling: Bytes(ceiling),
        });
        let found = (world.state.limit.bytes.0, world.state.trash.bytes.0);
        assert_eq!(found, (limit, trash), "{target} {ceiling}");
    }
}

#[test]
fn what_is_old_or_too_much_is_due() {
    let settings = |trash: u64, most_percent, versions: u64| Settings {
        trash: TrashSettings { keep: Duration::from_millis(trash), most_percent },
        versions: VersionSettings { keep: Duration::from_millis(versions), most_per_file: 9 },
        ..Settings::default()
    };
    // Entries are a second apart.
    let mut world = World::roomy(100, Retention { trash: true, versions: 9 });
    for number in 1..4 {
        world.put("v", number, 1);
    }
    for name in ["a", "b", "c"] {
        world.put(name, 9, 10);
        world.does(&delete(name));
    }
    let clocks: Vec<i64> =
        world.state.trash.by_age.iter().map(|(_, node)| world.state.trash.items[node].clock).collect();
    assert_eq!(clocks, [7_000, 9_000, 11_000]);
    let due = |now: i64, settings: &Settings| {
        let (due, all) = world.state.expired(now, settings);
        assert!(all);
        let version = |action: &Action| matches!(action, Action::Purge(purge) if purge.version.is_some());
        let versions = due.iter().filter(|(action, _)| version(action)).count();
        (versions, due.len() - versions)
    };
    for (now, trash, percent, versions, expected) in [
        (100_000, 0, 100, 0, (0, 0)),
        (100_000, 0, 1, 0, (0, 0)),
        (100_000, 1_000, 100, 1_000, (2, 3)),
        (12_000, 1_000, 100, 100_000, (0, 2)),
        (12_001, 1_000, 100, 100_000, (0, 3)),
        (5_500, 1_000, 100, 1_000, (1, 0)),
        (100_000, 1_000_000, 30, 1_000_000, (0, 0)),
        (100_000, 1_000_000, 29, 1_000_000, (0, 1)),
        (100_000, 1_000_000, 0, 1_000_000, (0, 2)),
        // Clocks that are ahead hold nothing up, and nothing goes for them.
        (8_500, 1_000, 100, 1_000_000, (0, 1)),
        (0, 1_000, 100, 1_000, (0, 0)),
    ] {
        assert_eq!(
            due(now, &settings(trash, percent, versions)),
            expected,
            "{now} {trash} {percent} {versions}"
        );
    }
}
