//! Cases of RFC 4918, sections 6, 7, 9 and 10.

use uuid::Uuid;

use super::*;
use crate::extent::{ObjectId, VolumeIndex};
use crate::operation::{Condition, UploadId};
use crate::state::intent::{Content, Intent};
use crate::state::tests::World;
use api::bytes::Bytes;
use api::generation::Generation;

const MINUTE: Duration = Duration::from_secs(60);

fn token(number: u128) -> LockToken {
    LockToken(Uuid::from_u128(number))
}

fn at(text: &str) -> NodePath {
    text.parse().unwrap()
}

fn lock(number: u128, path: &str, scope: LockScope, depth: LockDepth) -> Intent {
    let (owner, creator) = ("<href>me</href>".to_owned(), "member".to_owned());
    let lock = NewLock { token: token(number), scope, depth, owner, creator, timeout: MINUTE };
    Intent::Lock { path: at(path), lock: lock.into() }
}

fn put(path: &str) -> Intent {
    let (condition, parents) = (Condition::None, false);
    Intent::Put { path: at(path), content: Content::default(), condition, parents }
}

fn directory(path: &str) -> Intent {
    Intent::MakeDirectory { path: at(path), parents: false }
}

fn delete(path: &str) -> Intent {
    Intent::Delete { path: at(path), condition: Condition::None, permanently: true }
}

fn rename(from: &str, to: &str) -> Intent {
    Intent::Move { from: at(from), to: at(to), overwrite: true }
}

fn copy(from: &str, to: &str) -> Intent {
    Intent::Copy { from: at(from), to: at(to), overwrite: true }
}

fn patch(path: &str) -> Intent {
    let changes = crate::property::PropertyChanges { modified: Some(1), ..Default::default() };
    Intent::SetProperties { path: at(path), condition: Condition::None, changes: changes.into() }
}

/// `d/` with `d/a`, `d/e/` with `d/e/b`; `f`; `g/`.
fn tree() -> World {
    let mut world = World::new();
    for intent in [directory("d"), put("d/a"), directory("d/e"), put("d/e/b"), put("f"), directory("g")] {
        world.commit(&intent).unwrap();
    }
    world
}

const EXCLUSIVE: LockScope = LockScope::Exclusive;
const SHARED: LockScope = LockScope::Shared;
const ZERO: LockDepth = LockDepth::Zero;
const INFINITY: LockDepth = LockDepth::Infinity;

/// What a lock lets pass without its token and what not; with the token all of it passes.
#[test]
fn what_a_lock_protects() {
    let cases: [(&str, LockDepth, &[Intent], &[Intent]); 4] = [
        (
            "d/a",
            ZERO,
            // 7: PUT, PROPPATCH, DELETE, MOVE and the destination of COPY and MOVE.
            &[
                put("d/a"),
                patch("d/a"),
                delete("d/a"),
                delete("d"),
                rename("d/a", "x"),
                rename("d", "x"),
                copy("f", "d/a"),
                rename("f", "d/a"),
                copy("g", "d"),
            ],
            // 9.8.4: the source of a copy is not changed; neither are its neighbours.
            &[copy("d/a", "x"), put("d/x"), put("d/e/b"), directory("d/x"), patch("d"), rename("d/e", "x")],
        ),
        (
            "d",
            ZERO,
            // 7.4: no member may be added or removed, and the collection stays.
            &[
                put("d/x"),
                directory("d/x"),
                delete("d/a"),
                delete("d"),
                rename("d/a", "d/x"),
                rename("d/a", "x"),
                rename("f", "d/x"),
                copy("f", "d/x"),
                copy("f", "d/a"),
                rename("f", "d/a"),
                patch("d"),
                rename("d", "x"),
                lock(9, "d/x", EXCLUSIVE, ZERO),
            ],
            // What the members hold is theirs, and so are collections further down.
            &[
                put("d/a"),
                patch("d/a"),
                put("d/e/x"),
                delete("d/e/b"),
                copy("d", "x"),
                lock(9, "d/a", EXCLUSIVE, ZERO),
            ],
        ),
        (
            "d",
            INFINITY,
            &[
                put("d/a"),
                put("d/x"),
                put("d/e/b"),
                put("d/e/x"),
                delete("d/e/b"),
                patch("d/e"),
                rename("f", "d/e/x"),
                rename("d/e/b", "x"),
                directory("d/e/x"),
                copy("f", "d/e/b"),
            ],
            &[put("f"), delete("g"), copy("d/e", "x"), directory("x")],
        ),
        (
            "",
            INFINITY,
            &[put("f"), put("x"), delete("g"), rename("f", "x"), copy("d", "x"), directory("d/x")],
            &[],
        ),
    ];
    for (root, depth, refused, passes) in cases {
        let refused = refused.iter().map(|intent| (intent, true));
        for (intent, wanted) in refused.chain(passes.iter().map(|intent| (intent, false))) {
            let mut world = tree();
            world.commit(&lock(1, root, EXCLUSIVE, depth)).unwrap();
            match world.commit(intent) {
                Err(Error::Locked { root: found }) => {
                    assert!(wanted && found == at(root), "{root}: {intent:?}")
                }
                other => assert!(!wanted && other.is_ok(), "{root}: {intent:?}: {other:?}"),
            }
            let mut world = tree();
            world.commit(&lock(1, root, EXCLUSIVE, depth)).unwrap();
            let stranger = world.commit_with(intent, &[token(7)]);
            assert_eq!(stranger.is_err(), wanted, "another token is none: {root}: {intent:?}");
            let mut world = tree();
            world.commit(&lock(1, root, EXCLUSIVE, depth)).unwrap();
            world
                .commit_with(intent, &[token(7), token(1)])
                .unwrap_or_else(|error| panic!("{root}: {intent:?}: {error}"));
            assert_eq!(world.state.audit(), Vec::<String>::new());
        }
    }
}

/// Which locks can be beside which (6.2, 7.4, 9.10.5).
#[test]
fn which_locks_go_together() {
    for (first, second, goes) in [
        (lock(1, "f", SHARED, ZERO), lock(2, "f", SHARED, ZERO), true),
        (lock(1, "f", SHARED, ZERO), lock(2, "f", EXCLUSIVE, ZERO), false),
        (lock(1, "f", EXCLUSIVE, ZERO), lock(2, "f", SHARED, ZERO), false),
        (lock(1, "f", EXCLUSIVE, ZERO), lock(2, "f", EXCLUSIVE, ZERO), false),
        (lock(1, "d", EXCLUSIVE, ZERO), lock(2, "d/a", EXCLUSIVE, ZERO), true),
        (lock(1, "d", EXCLUSIVE, INFINITY), lock(2, "d/e/b", EXCLUSIVE, ZERO), false),
        (lock(1, "d", EXCLUSIVE, INFINITY), lock(2, "d/e/b", SHARED, ZERO), false),
        (lock(1, "d", SHARED, INFINITY), lock(2, "d/e/b", SHARED, ZERO), true),
        (lock(1, "d", SHARED, INFINITY), lock(2, "d/e/b", EXCLUSIVE, ZERO), false),
        (lock(1, "d/e/b", EXCLUSIVE, ZERO), lock(2, "d", EXCLUSIVE, INFINITY), false),
        (lock(1, "d/e/b", SHARED, ZERO), lock(2, "d", SHARED, INFINITY), true),
        (lock(1, "d/e/b", EXCLUSIVE, ZERO), lock(2, "d", EXCLUSIVE, ZERO), true),
        (lock(1, "d", EXCLUSIVE, INFINITY), lock(2, "f", EXCLUSIVE, ZERO), true),
        (lock(1, "d", EXCLUSIVE, INFINITY), lock(2, "d/new", SHARED, ZERO), false),
        (lock(1, "d", SHARED, INFINITY), lock(2, "d/new", SHARED, ZERO), true),
    ] {
        let mut world = tree();
        world.commit(&first).unwrap();
        // To hold the first one helps no second one that contradicts it.
        let found = world.commit_with(&second, &[token(1)]);
        assert_eq!(found.is_ok(), goes, "{first:?} {second:?} {found:?}");
        assert!(goes || matches!(found, Err(Error::LockConflict { .. })), "{found:?}");
        assert_eq!(world.state.audit(), Vec::<String>::new());
    }
}

#[test]
fn of_those_who_share_a_lock_each_may_write() {
    let mut world = tree();
    world.commit(&lock(1, "f", SHARED, ZERO)).unwrap();
    world.commit(&lock(2, "f", SHARED, ZERO)).unwrap();
    assert!(matches!(world.commit(&put("f")), Err(Error::Locked { .. })));
    world.commit_with(&put("f"), &[token(1)]).unwrap();
    world.commit_with(&put("f"), &[token(2)]).unwrap();
    world.commit(&Intent::Unlock { path: at("f"), token: token(1) }).unwrap();
    assert!(matches!(world.commit_with(&put("f"), &[token(1)]), Err(Error::Locked { .. })));
}

/// A tree is deleted or replaced by who holds every lock in it (9.6.1, 9.9.4).
#[test]
fn every_lock_below_is_needed() {
    let mut world = tree();
    world.commit(&lock(1, "d/a", EXCLUSIVE, ZERO)).unwrap();
    world.commit(&lock(2, "d/e", EXCLUSIVE, INFINITY)).unwrap();
    for intent in [delete("d"), rename("d", "x"), copy("g", "d"), rename("g", "d")] {
        for held in [&[][..], &[token(1)][..], &[token(2)][..]] {
            let refused = world.commit_with(&intent, held).unwrap_err();
            assert!(matches!(refused, Error::Locked { .. }), "{intent:?}");
        }
    }
    world.commit_with(&delete("d"), &[token(2), token(1)]).unwrap();
    assert!(world.state.locks.is_empty());
}

/// A lock is on a place: it does not go with what is moved or copied, and what comes is locked (7.6).
#[test]
fn locks_stay_behind() {
    let mut world = tree();
    world.commit(&lock(1, "d/a", EXCLUSIVE, ZERO)).unwrap();
    world.commit(&lock(2, "g", EXCLUSIVE, INFINITY)).unwrap();
    world.commit(&copy("d/a", "copy")).unwrap();
    world.commit(&put("copy")).unwrap();
    world.commit_with(&rename("d", "g/d"), &[token(1), token(2)]).unwrap();
    assert!(!world.state.locks.has(token(1)));
    let refused = world.commit_with(&put("g/d/a"), &[token(1)]).unwrap_err();
    assert!(matches!(refused, Error::Locked { root } if root == at("g")));
    let roots: Vec<_> = world.state.locks_at(&at("g/d/a")).into_iter().map(|lock| lock.root).collect();
    assert_eq!(roots, [at("g")]);
    // 7.5, 7.7: a lock lives on when its file gets another content.
    world.commit(&lock(3, "f", EXCLUSIVE, ZERO)).unwrap();
    world.commit_with(&put("f"), &[token(3)]).unwrap();
    assert!(world.state.locks.has(token(3)));
}

/// 7.3: locking a name that nothing has makes an empty file; 9.10.6: not where there is no directory for it.
#[test]
fn a_name_can_be_locked_before_there_is_anything() {
    let mut world = tree();
    world.commit(&lock(1, "d/new", EXCLUSIVE, INFINITY)).unwrap();
    let node = world.state.find(&at("d/new")).unwrap();
    assert_eq!(world.state.nodes.get(&node).unwrap().file().unwrap().size, Bytes::ZERO);
    assert!(matches!(world.commit(&put("d/new")), Err(Error::Locked { .. })));
    assert!(matches!(world.commit(&lock(2, "none/x", EXCLUSIVE, ZERO)), Err(Error::NotFound)));
    assert!(matches!(world.commit(&lock(2, "f/x", EXCLUSIVE, ZERO)), Err(Error::NotADirectory)));
    assert_eq!(world.state.locks.by_token.len(), 1);
}

#[test]
fn a_lock_is_refreshed_and_ended_where_it_protects() {
    let mut world = tree();
    world.commit(&lock(1, "d", EXCLUSIVE, INFINITY)).unwrap();
    let expires = |world: &World| world.state.locks_at(&at("d"))[0].expires;
    let before = expires(&world);
    let refresh =
        |path: &str, number| Intent::RefreshLock { path: at(path), token: token(number), timeout: MINUTE };
    world.commit(&refresh("d/e/b", 1)).unwrap();
    assert!(expires(&world) > before);
    let unlock = |path: &str, number| Intent::Unlock { path: at(path), token: token(number) };
    for wrong in [
        refresh("f", 1),
        refresh("d", 2),
        refresh("none", 1),
        unlock("f", 1),
        unlock("d", 2),
        unlock("none", 1),
    ] {
        assert!(matches!(world.commit(&wrong), Err(Error::LockGone)), "{wrong:?}");
    }
    world.commit(&unlock("d/a", 1)).unwrap();
    world.commit(&put("d/a")).unwrap();
    // A year is more than a lock gets.
    let long = NewLock {
        token: token(2),
        scope: EXCLUSIVE,
        depth: ZERO,
        owner: String::new(),
        creator: String::new(),
        timeout: Duration::from_secs(365 * 24 * 60 * 60),
    };
    world.commit(&Intent::Lock { path: at("d"), lock: long.into() }).unwrap();
    assert_eq!(world.state.locks_at(&at("d"))[0].lock.timeout, LONGEST_LOCK);
}

#[test]
fn an_upload_needs_the_locks_it_was_begun_with() {
    let mut world = tree();
    let create = |number, path: &str, locks| {
        let target = record::Target {
            path: at(path).names().to_vec(),
            expected: record::Expected::Anything,
            parents: true,
            locks,
            modified: None,
        };
        let (upload, length) = (UploadId(Uuid::from_u128(number)), Bytes(0));
        let object = ObjectId { born: Generation(1000), random: 1 };
        Intent::CreateUpload { upload, length, object, volume: VolumeIndex(0), target: Some(target.into()) }
    };
    let complete = |number| Intent::Complete { upload: UploadId(Uuid::from_u128(number)), epoch: 1 };
    for (number, path) in [(1, "d/a"), (2, "d/x"), (3, "d/y/z")] {
        world.commit(&create(number, path, Vec::new())).unwrap();
        world.commit(&create(number + 10, path, vec![token(1)])).unwrap();
    }
    world.commit(&lock(1, "d", EXCLUSIVE, INFINITY)).unwrap();
    assert!(matches!(world.commit(&create(5, "d/q", Vec::new())), Err(Error::Locked { .. })), "told early");
    for number in 1..=3 {
        assert!(matches!(world.commit(&complete(number)), Err(Error::Locked { .. })), "{number}");
        world.commit(&complete(number + 10)).unwrap();
    }
    assert_eq!(world.state.audit(), Vec::<String>::new());
}

#[test]
fn locks_are_bounded() {
    let mut world = tree();
    for number in 0..MOST_OF_NODE {
        world.commit(&lock(number as u128, "f", SHARED, ZERO)).unwrap();
    }
    let refused = world.commit(&lock(9999, "f", SHARED, ZERO)).unwrap_err();
    assert!(matches!(refused, Error::TooMuch { most: MOST_OF_NODE, .. }), "{refused}");
    let mut state = world.state.clone();
    let held = state.locks.at(state.find(&at("f")).unwrap()).next().unwrap().clone();
    for number in 1000..1000 + MOST_LOCKS as u128 {
        state.locks.put(record::Lock { token: token(number), ..held.lock.clone() }, held.expires);
    }
    let Intent::Lock { path, lock: new } = lock(5, "g", SHARED, ZERO) else { panic!("no lock") };
    let refused = state.plan_lock(&path, &NewLock { token: token(1 << 100), ..(*new).clone() }).unwrap_err();
    assert!(matches!(refused, Error::TooMuch { most: MOST_LOCKS, .. }), "{refused}");
    let owner = "x".repeat(LONGEST_OWNER + 1);
    let refused = world.state.plan_lock(&path, &NewLock { owner, ..*new }).unwrap_err();
    assert!(matches!(refused, Error::TooMuch { most: LONGEST_OWNER, .. }), "{refused}");
}
