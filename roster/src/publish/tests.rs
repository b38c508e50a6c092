use crate::fixture::{Operator, group, member};
use crate::publish::Head;
use crate::shard::shard_of;

#[test]
fn only_what_changed_is_written() {
    let mut operator = Operator::new();
    let members: Vec<_> = (0..100).map(|number| member(number, &[])).collect();
    let first = operator.publish(&members, &[]).unwrap();
    assert_eq!(first.shards.len(), 32, "all of them, the first time");
    assert!(operator.publish(&members, &[]).is_none(), "nothing changed");

    let mut members = members;
    members[5].quota = api::bytes::Bytes(5);
    let second = operator.publish(&members, &[]).unwrap();
    let changed: Vec<u8> = second.shards.iter().map(|(shard, _)| *shard).collect();
    assert_eq!(changed, [shard_of("member-5")]);
    assert_eq!(second.index.generation, first.index.generation.next());
    let kept = second.index.shards.iter().filter(|named| named.generation == first.index.generation).count();
    assert_eq!(kept, 31);

    let third = operator.publish(&members, &[group(1, 5)]).unwrap();
    assert_eq!(third.shards.len(), 1);
}

#[test]
fn a_change_of_settings_is_a_new_index_and_no_shard() {
    let mut operator = Operator::new();
    operator.publish(&[member(1, &[])], &[]).unwrap();
    let mut head: Head = operator.head();
    head.settings.notice = Some("Back at noon.".to_owned());
    let compiled = crate::compile::compile(&[member(1, &[])], &[]);
    let publication = operator.publish_with(head, compiled).unwrap();
    assert!(publication.shards.is_empty());
    assert_eq!(publication.index.generation.0, 2);
}
