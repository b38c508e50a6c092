//! What is on a volume is never read otherwise than it was written.

use api::bytes::Bytes;
use api::generation::{Generation, RosterGeneration};
use api::ids::SpaceId;
use minicbor::Encode;
use uuid::Uuid;

use super::FORMAT;
use super::entry::{Committer, Entry, EntryError, EntryId, encoded_length};
use super::frame::{Hash, Mark, seal};
use super::pool::{Close, Fingerprint, Import, Imported, NameVolume, Piece, Relocate};
use super::record::{self, Action, Expected, Identified, Record, Target};
use crate::extent::{Extent, ObjectId, VolumeIndex, VolumeUid};
use crate::lock::LockToken;
use crate::node::NodeId;
use crate::operation::{OperationId, UploadId};
use crate::property::PropertyName;
use crate::share::{ShareAccess, ShareId, ShareTokenHash};

fn every_action() -> Vec<Action> {
    let (parent, node, name) = (NodeId(1), NodeId(300), "ü".parse::<crate::Name>().unwrap());
    let upload = UploadId(Uuid::from_u128(5));
    let object = ObjectId { born: Generation(3), random: u64::MAX };
    let extents = vec![Extent { volume: VolumeIndex(0), object, offset: 0, length: 1 << 40 }];
    let target = |expected| {
        let path = vec![name.clone(), name.clone()];
        Some(Target { path, expected, parents: true, locks: Vec::new(), modified: None })
    };
    let create = |target| {
        let length = Bytes(9);
        Action::CreateUpload(record::CreateUpload { upload, length, object, target, volume: VolumeIndex(0) })
    };
    vec![
        Action::MakeDirectory(record::MakeDirectory { parent, name: name.clone() }),
        Action::Put(record::Put {
            parent,
            name: name.clone(),
            extents,
            reservation: Some(upload),
            keep: false,
        }),
        Action::Put(record::Put {
            parent,
            name: name.clone(),
            extents: Vec::new(),
            reservation: None,
            keep: false,
        }),
        Action::Move(record::Move { node, parent, name: name.clone(), replaced: None, keep: false }),
        Action::Copy(record::Copy {
            node,
            parent,
            name: name.clone(),
            replaced: Some(NodeId(4)),
            keep: false,
        }),
        Action::Delete(record::Delete { node }),
        Action::Limit(record::Limit {
            roster_generation: RosterGeneration(8),
            target: Bytes(1),
            ceiling: Bytes(u64::MAX),
        }),
        create(None),
        create(target(Expected::Anything)),
        create(target(Expected::Nothing)),
        create(target(Expected::Tag("\"1-2-3\"".to_owned()))),
        Action::TakeOver(record::TakeOver { upload, epoch: 2, object, volume: VolumeIndex(0) }),
        Action::Extend(record::Extend { upload, epoch: 2, durable: Bytes(7), length: None }),
        Action::Extend(record::Extend { upload, epoch: 1, durable: Bytes(0), length: Some(8) }),
        Action::Complete(record::Complete { upload, epoch: 2, parent, name: name.clone(), keep: false }),
        Action::Abort(record::Abort { upload }),
        Action::Sweep(record::Sweep { low: Generation(2), truncated: Generation(1) }),
        Action::Format(record::Format { format: 2 }),
    ]
}

/// What format 2 brought, each with the length and the hash of an entry that holds it alone.
fn every_action_of_format_2() -> Vec<(Action, usize, &'static str)> {
    let node = NodeId(300);
    let name = PropertyName::new("DAV:", "ü");
    let property = record::Property { name: name.clone(), value: "<a/>".to_owned() };
    let (set, removed) = (vec![property], vec![name]);
    let token = LockToken(Uuid::from_u128(6));
    let text = || "<me/>".to_owned();
    let share = |password: Option<&[u8]>, expires, most_uses| {
        let (id, token_hash) = (ShareId(Uuid::from_u128(7)), ShareTokenHash([9; 32]));
        let (access, password) = (ShareAccess::Write, password.map(|bytes| bytes.to_vec().into()));
        let creator = text();
        Action::CreateShare(record::CreateShare {
            id,
            node,
            token_hash,
            access,
            password,
            expires,
            most_uses,
            creator,
        })
    };
    let lock = |exclusive, infinite| {
        let (owner, creator, timeout_ms) = (text(), text(), 1 << 33);
        Action::Lock(record::Lock { token, node, exclusive, infinite, owner, creator, timeout_ms })
    };
    let create = |locks, modified| {
        let target =
            Target { path: Vec::new(), expected: Expected::Anything, parents: false, locks, modified };
        let object = ObjectId { born: Generation(3), random: 4 };
        let (upload, length) = (UploadId(Uuid::from_u128(5)), Bytes(9));
        Action::CreateUpload(record::CreateUpload {
            upload,
            length,
            object,
            target: Some(target),
            volume: VolumeIndex(0),
        })
    };
    vec![
        (lock(true, false), 194, "81c7aac3a07710d7"),
        (lock(false, true), 194, "a7ce5aa773ec6fc5"),
        (Action::Unlock(record::Unlock { token }), 162, "49badf98dd16c127"),
        (create(vec![token], None), 197, "4bbda702359dce03"),
        (create(Vec::new(), Some(-5)), 180, "cd28003053f59f95"),
        (share(None, None, None), 210, "9aa817708ec1b3a1"),
        (share(Some(b"verifier"), Some(-1), Some(3)), 224, "8e290a4b94288ec1"),
        (
            Action::RemoveShare(record::RemoveShare { id: ShareId(Uuid::from_u128(7)) }),
            162,
            "1c9c1df7a3be6593",
        ),
        (Action::UseShare(record::UseShare { id: ShareId(Uuid::from_u128(7)) }), 162, "bdbda98c795461ec"),
        (
            Action::SetProperties(record::SetProperties { node, set, removed, modified: Some(-1) }),
            180,
            "49dca5c7e51b805a",
        ),
        (
            Action::SetProperties(record::SetProperties {
                node,
                set: Vec::new(),
                removed: Vec::new(),
                modified: None,
            }),
            148,
            "3f4548bd66c47e39",
        ),
    ]
}

/// What format 2 brought for what is kept.
fn kept_actions() -> Vec<Action> {
    let (parent, node, name) = (NodeId(1), NodeId(300), "x".parse::<crate::Name>().unwrap());
    let (upload, extents) = (UploadId(Uuid::from_u128(5)), Vec::new());
    let (replaced, keep) = (Some(NodeId(4)), true);
    let purge = |version, nodes| Action::Purge(record::Purge { node, version, nodes });
    vec![
        Action::Put(record::Put { parent, name: name.clone(), extents, reservation: None, keep }),
        Action::Move(record::Move { node, parent, name: name.clone(), replaced, keep }),
        Action::Copy(record::Copy { node, parent, name: name.clone(), replaced, keep }),
        Action::Complete(record::Complete { upload, epoch: 2, parent, name: name.clone(), keep }),
        Action::Trash(record::Trash { node, bytes: Bytes(5), nodes: 2 }),
        Action::Restore(record::Restore { node, parent, name }),
        purge(None, None),
        purge(Some(7), None),
        purge(None, Some(10_000)),
        Action::RestoreVersion(record::RestoreVersion { node, version: 7, keep }),
        Action::RestoreVersion(record::RestoreVersion { node, version: 7, keep: false }),
    ]
}

#[test]
fn what_is_kept_stays_as_it_is_written() {
    assert!(kept_actions().iter().all(|action| action.format() == 2));
    let records = kept_actions().into_iter().map(|action| Record { operation: None, action }).collect();
    let entry = Entry { format: 2, records, ..entry() };
    let (file, hash) = entry.seal();
    assert_eq!(Entry::open(&file), Ok((entry, hash)));
    assert_eq!((file.len(), format!("{hash:?}")), (317, "c310b959967c6ffa".to_owned()));
}

/// What format 2 brought for volumes, and for spaces as a whole.
fn pool_actions() -> Vec<Action> {
    let (volume, object) = (VolumeIndex(1), ObjectId { born: Generation(3), random: 4 });
    let (upload, length) = (UploadId(Uuid::from_u128(5)), Bytes(9));
    let id = VolumeUid(Uuid::from_u128(8));
    let piece = |offset| Piece { offset, to: Extent { volume, object, offset: 7, length: 300 } };
    let (nodes, pieces) = (vec![NodeId(300), NodeId(4)], vec![piece(0), piece(9)]);
    vec![
        Action::NameVolume(NameVolume { volume, id }),
        Action::Relocate(Relocate { volume, object, pieces, nodes, uploads: vec![upload] }),
        Action::Relocate(Relocate {
            volume: VolumeIndex(0),
            object,
            pieces: Vec::new(),
            nodes: Vec::new(),
            uploads: Vec::new(),
        }),
        Action::Close(Close { roster_generation: RosterGeneration(9), removed: false }),
        Action::Close(Close { roster_generation: RosterGeneration(9), removed: true }),
        Action::CreateUpload(record::CreateUpload { upload, length, object, target: None, volume }),
        Action::TakeOver(record::TakeOver { upload, epoch: 2, object, volume }),
    ]
}

/// What format 2 brought for copies and moves between spaces.
fn imports() -> Vec<Action> {
    let (volume, object) = (VolumeIndex(1), ObjectId { born: Generation(3), random: 4 });
    let name = |text: &str| text.parse::<crate::Name>().unwrap();
    let property = record::Property { name: PropertyName::new("DAV:", "ü"), value: "<a/>".to_owned() };
    let node = |above, name, extents, properties| Imported { above, name, modified: -7, extents, properties };
    let nodes = vec![
        node(0, None, None, vec![property]),
        node(0, Some(name("a")), Some(vec![Extent { volume, object, offset: 7, length: 300 }]), Vec::new()),
        node(0, Some(name("b")), Some(Vec::new()), Vec::new()),
    ];
    let parent = NodeId(1);
    let import = |replaced, source, keep| {
        Action::Import(Import { parent, name: name("x"), replaced, nodes: nodes.clone(), source, keep })
    };
    vec![import(None, None, false), import(Some(NodeId(4)), Some(Fingerprint([5; 16])), true)]
}

#[test]
fn what_comes_from_another_space_stays_as_it_is_written() {
    assert!(imports().iter().all(|action| action.format() == 2));
    let records = imports().into_iter().map(|action| Record { operation: None, action }).collect();
    let entry = Entry { format: 2, records, ..entry() };
    let (file, hash) = entry.seal();
    assert_eq!(Entry::open(&file), Ok((entry, hash)));
    assert_eq!((file.len(), format!("{hash:?}")), (294, "b1dd26115936e6b9".to_owned()));
}

#[test]
fn what_is_said_of_volumes_stays_as_it_is_written() {
    assert!(pool_actions().iter().all(|action| action.format() == 2));
    let records = pool_actions().into_iter().map(|action| Record { operation: None, action }).collect();
    let entry = Entry { format: 2, records, ..entry() };
    let (file, hash) = entry.seal();
    assert_eq!(Entry::open(&file), Ok((entry, hash)));
    assert_eq!((file.len(), format!("{hash:?}")), (331, "30c7311b93254c04".to_owned()));
}

fn entry() -> Entry {
    let id = OperationId(Uuid::from_u128(77));
    let born = Generation(11);
    let records = every_action().into_iter().enumerate().map(|(place, action)| Record {
        operation: (place % 2 == 0).then_some(Identified { id, born }),
        action,
    });
    Entry {
        format: 1,
        space: SpaceId(Uuid::from_u128(1)),
        generation: Generation(12),
        id: EntryId(Uuid::from_u128(2)),
        previous: Hash([7; 32]),
        clock: -5,
        committer: Committer(u64::MAX),
        records: records.collect(),
    }
}

#[test]
fn every_record_comes_back() {
    let entry = entry();
    let (file, hash) = entry.seal();
    assert_eq!(Entry::open(&file), Ok((entry.clone(), hash)));
    assert!(encoded_length(&entry.records) < file.len());
}

/// The bytes of format 1, for ever: a change here is a new format.
#[test]
fn the_format_stays_as_it_is() {
    let (file, hash) = entry().seal();
    assert_eq!(file.len(), 860);
    assert_eq!(format!("{hash:?}"), "8f46ac0462d586d7");
}

#[test]
fn the_actions_of_format_2_stay_as_they_are() {
    let mut other = Vec::new();
    for (action, length, hash) in every_action_of_format_2() {
        assert_eq!(action.format(), 2, "{action:?}");
        let records = vec![Record { operation: None, action }];
        let entry = Entry { format: 2, records, ..entry() };
        let (file, found) = entry.seal();
        assert_eq!(Entry::open(&file), Ok((entry.clone(), found)));
        let found = format!("{found:?}");
        if (file.len(), found.as_str()) != (length, hash) {
            other.push(format!("{:?}: {}, {found:?}", entry.records[0].action, file.len()));
        }
    }
    assert!(other.is_empty(), "{other:#?}");
    assert!(every_action().iter().all(|action| action.format() == 1));
}

#[test]
fn what_is_newer_or_more_is_not_read() {
    let (found, known) = (FORMAT + 1, FORMAT);
    let newer = Entry { format: found, ..entry() };
    assert_eq!(Entry::open(&newer.seal().0), Err(EntryError::Newer { found, known }));

    /// An entry with a field that this version does not know.
    #[derive(Encode)]
    #[cbor(map)]
    struct More {
        #[n(0)]
        format: u32,
        #[n(99)]
        more: u32,
    }
    let (file, _) = seal(Mark::Entry, &minicbor::to_vec(More { format: found, more: 1 }).unwrap());
    assert_eq!(
        Entry::open(&file),
        Err(EntryError::Newer { found, known }),
        "the format is read first, whatever else there is"
    );
    let (file, _) = seal(Mark::Entry, &minicbor::to_vec(More { format: 1, more: 1 }).unwrap());
    assert!(matches!(Entry::open(&file), Err(EntryError::Body(_))));

    // One more field in an entry that is whole otherwise: the map's length is its first byte.
    let body = minicbor::to_vec(entry()).unwrap();
    let mut more = body.clone();
    assert_eq!(more[0], 0xa8);
    more[0] = 0xa9;
    more.extend_from_slice(&[0x18, 99, 1]);
    let (file, _) = seal(Mark::Entry, &more);
    assert!(matches!(Entry::open(&file), Err(EntryError::Body(what)) if what.contains("more than")));
    let mut trailing = body;
    trailing.push(0);
    let (file, _) = seal(Mark::Entry, &trailing);
    assert!(matches!(Entry::open(&file), Err(EntryError::Body(_))));
}

#[test]
fn no_bytes_upset_it() {
    let (file, _) = entry().seal();
    let body = &file[16..file.len() - 32];
    for at in 0..body.len() {
        for value in [0, 0x1b, 0x7f, 0x9f, 0xbf, 0xff] {
            let mut changed = body.to_vec();
            changed[at] = value;
            // The checksum is right: what is inside must be looked at all the same.
            let (file, _) = seal(Mark::Entry, &changed);
            if let Ok((entry, _)) = Entry::open(&file) {
                assert_eq!(minicbor::to_vec(&entry).unwrap(), changed);
            }
        }
    }
}
