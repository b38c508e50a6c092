use super::*;
use crate::fixture::{Operator, group, member, member_uid, take};
use crate::publish::Publication;
use crate::seal::seal;
use crate::shard::shard_of;

fn names(store: &Store) -> Vec<String> {
    let mut names: Vec<_> = store.current().members().map(|member| member.name.to_string()).collect();
    names.sort();
    names
}

#[test]
fn a_newer_roster_takes_the_place_of_an_older_one_and_never_the_other_way() {
    let mut operator = Operator::new();
    let store = operator.store();
    let changed = store.changed();
    assert!(!store.is_loaded());
    let first = operator.publish(&[member(1, &[])], &[]).unwrap();
    take(&store, &first);
    assert!(store.is_loaded() && changed.has_changed().unwrap());
    let second = operator.publish(&[member(1, &[]), member(2, &[])], &[]).unwrap();
    take(&store, &second);
    assert_eq!(names(&store), ["member-1", "member-2"]);
    take(&store, &first);
    assert_eq!(names(&store), ["member-1", "member-2"], "an old roster came again");
    assert_eq!(store.current().generation(), RosterGeneration(2));
}

#[test]
fn a_shard_that_is_not_believed_leaves_the_one_before_in_force() {
    let mut operator = Operator::new();
    let store = operator.store();
    take(&store, &operator.publish(&[member(1, &[])], &[]).unwrap());
    let shard = shard_of("member-1");
    let mut wrong = operator.publish(&[MemberWithoutQuota::of(1)], &[]).unwrap();
    let right = wrong.shards[0].1.clone();
    let key = api::keys::SigningKey::generate().unwrap();
    let foreign = serde_json::from_str::<Shard>(&right.body).unwrap();
    wrong.shards[0].1 = seal(&key, Part::Shard(shard), foreign.generation, &foreign).unwrap();
    assert_eq!(take(&store, &wrong), [shard], "it is still wanted");
    assert_eq!(store.current().generation(), RosterGeneration(2), "the rest is in force");
    assert_eq!(store.current().member_by_uid(member_uid(1)).unwrap().quota, api::bytes::Bytes(100));

    wrong.shards[0].1 = right;
    assert!(take(&store, &wrong).is_empty(), "the same index is looked at again for what was missing");
    assert_eq!(store.current().member_by_uid(member_uid(1)).unwrap().quota, api::bytes::Bytes(0));
}

struct MemberWithoutQuota;

impl MemberWithoutQuota {
    fn of(number: u32) -> crate::compile::MemberWanted {
        crate::compile::MemberWanted { quota: api::bytes::Bytes(0), ..member(number, &[]) }
    }
}

#[test]
fn an_old_shard_cannot_be_played_back() {
    let mut operator = Operator::new();
    let old = operator.publish(&[member(1, &[])], &[]).unwrap();
    let new = operator.publish(&[MemberWithoutQuota::of(1)], &[]).unwrap();
    let fresh = operator.store();
    let mixed = Publication { shards: old.shards.clone(), ..new.clone() };
    let wanted = take(&fresh, &mixed);
    assert!(wanted.contains(&shard_of("member-1")));
    assert!(!fresh.is_loaded(), "somebody is missing who should be known");
    assert!(fresh.current().member_by_uid(member_uid(1)).is_none());
}

#[test]
fn a_shard_newer_than_the_index_is_believed() {
    let mut operator = Operator::new();
    let store = operator.store();
    let first = operator.publish(&[member(1, &[])], &[]).unwrap();
    let second = operator.publish(&[MemberWithoutQuota::of(1)], &[]).unwrap();
    let shard = shard_of("member-1");
    let raced: Vec<_> = first
        .shards
        .iter()
        .map(|(place, sealed)| (*place, if *place == shard { &second.shards[0].1 } else { sealed }))
        .collect();
    assert!(store.take(&first.sealed, raced).unwrap().is_empty());
    assert_eq!(store.current().member_by_uid(member_uid(1)).unwrap().quota, api::bytes::Bytes(0));
    // The index that names it follows.
    assert!(take(&store, &Publication { shards: Vec::new(), ..second }).is_empty());
}

#[test]
fn what_is_of_another_cluster_or_key_or_form_is_refused() {
    let mut operator = Operator::new();
    let store = operator.store();
    let publication = operator.publish(&[member(1, &[])], &[group(1, 1)]).unwrap();
    let refusal = |sealed: &Sealed| store.take(sealed, []).unwrap_err();

    let mut stranger = Operator::new();
    let theirs = stranger.publish(&[], &[]).unwrap();
    assert!(matches!(refusal(&theirs.sealed), Refused::Signature(_)));

    let resealed = |change: fn(&mut Index)| {
        let mut index = publication.index.clone();
        change(&mut index);
        seal(&operator.key, Part::Index, publication.index.generation, &index).unwrap()
    };
    let format = resealed(|index| index.format = 2);
    assert!(matches!(refusal(&format), Refused::Format { format: 2 }));
    let cluster = resealed(|index| index.cluster = ClusterUid(Default::default()));
    assert!(matches!(refusal(&cluster), Refused::OtherCluster { .. }));
    let generation = resealed(|index| index.generation = RosterGeneration(9));
    assert!(matches!(refusal(&generation), Refused::Inconsistent));
    let shards = resealed(|index| index.shards.truncate(3));
    assert!(matches!(refusal(&shards), Refused::Inconsistent));
    let nonsense = seal(&operator.key, Part::Index, RosterGeneration(1), &"nonsense").unwrap();
    assert!(matches!(refusal(&nonsense), Refused::Unreadable(_)));
    assert_eq!(store.current().generation(), RosterGeneration(0));
}

#[tokio::test]
async fn one_can_wait_for_the_first_whole_roster() {
    let mut operator = Operator::new();
    let store = operator.store();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.loaded().await }
    });
    take(&store, &operator.publish(&[member(1, &[])], &[]).unwrap());
    tokio::time::timeout(std::time::Duration::from_secs(5), waiting).await.unwrap().unwrap();
}
