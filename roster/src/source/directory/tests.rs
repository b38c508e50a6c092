use std::os::unix::fs::symlink;

use super::*;
use crate::fixture::{Operator, member};
use crate::publish::Publication;
use crate::shard::shard_of;

/// Writes as a kubelet does: a directory of its own, then a link to it is swapped.
fn mount(root: &Path, version: &str, publication: &Publication, but_not: Option<u8>) {
    let data = root.join(version);
    std::fs::create_dir(&data).unwrap();
    let before = std::fs::read_link(root.join("..data")).ok();
    if let Some(before) = before {
        for file in std::fs::read_dir(root.join(before)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), data.join(file.file_name())).unwrap();
        }
    }
    let write = |part: Part, sealed: &crate::seal::Sealed| {
        std::fs::write(data.join(format!("{part}.json")), &sealed.body).unwrap();
        std::fs::write(data.join(format!("{part}.sig")), &sealed.signature).unwrap();
        for ending in ["json", "sig"] {
            let name = format!("{part}.{ending}");
            let _ = symlink(format!("..data/{name}"), root.join(name));
        }
    };
    write(Part::Index, &publication.sealed);
    for (shard, sealed) in publication.shards.iter().filter(|(shard, _)| Some(*shard) != but_not) {
        write(Part::Shard(*shard), sealed);
    }
    let next = root.join("..data_tmp");
    symlink(version, &next).unwrap();
    std::fs::rename(next, root.join("..data")).unwrap();
}

async fn until(store: &Store, what: &str, condition: impl Fn(&Store) -> bool) {
    let mut changed = store.changed();
    let reached = changed.wait_for(|_| condition(store));
    tokio::time::timeout(Duration::from_secs(20), reached).await.expect(what).unwrap();
}

#[tokio::test]
async fn a_mounted_copy_is_read_and_followed() {
    let directory = tempfile::tempdir().unwrap();
    let mut operator = Operator::new();
    let store = operator.store();
    let _follower = follow(store.clone(), directory.path().to_owned());
    mount(directory.path(), "..1", &operator.publish(&[member(1, &[])], &[]).unwrap(), None);
    until(&store, "the first roster", Store::is_loaded).await;
    let second = operator.publish(&[member(1, &[]), member(2, &[])], &[]).unwrap();
    mount(directory.path(), "..2", &second, None);
    until(&store, "the second roster", |store| store.current().member_by_name("member-2").is_some()).await;
}

#[tokio::test]
async fn what_a_kubelet_brings_late_is_taken_late() {
    let directory = tempfile::tempdir().unwrap();
    let mut operator = Operator::new();
    let store = operator.store();
    mount(directory.path(), "..1", &operator.publish(&[member(1, &[])], &[]).unwrap(), None);
    let _follower = follow(store.clone(), directory.path().to_owned());
    until(&store, "the first roster", Store::is_loaded).await;
    let changed = crate::compile::MemberWanted { quota: api::bytes::Bytes(5), ..member(1, &[]) };
    let second = operator.publish(&[changed], &[]).unwrap();
    // The index is there, its shard not yet: each is a ConfigMap of its own.
    mount(directory.path(), "..2", &second, Some(shard_of("member-1")));
    until(&store, "the second index", |store| store.current().generation().0 == 2).await;
    assert_eq!(store.current().member_by_name("member-1").unwrap().quota, api::bytes::Bytes(100));
    mount(directory.path(), "..3", &second, None);
    let quota = |store: &Store| store.current().member_by_name("member-1").unwrap().quota;
    until(&store, "the shard", |store| quota(store) == api::bytes::Bytes(5)).await;
}
