use api::ids::SpaceId;
use api::role::Role;

use super::*;
use crate::fixture::{Operator, group, group_uid, member, member_uid, take};

#[test]
fn everything_is_found_by_what_one_knows_of_it() {
    let mut operator = Operator::new();
    let store = operator.store();
    let mut suspended = member(3, &[1]);
    suspended.state = MemberState::Suspended;
    let members = [member(1, &[1, 2]), member(2, &[1]), suspended, member(4, &[])];
    let publication = operator.publish(&members, &[group(1, 1), group(2, 1)]).unwrap();
    assert!(take(&store, &publication).is_empty());
    let roster = store.current();

    assert_eq!(roster.generation(), RosterGeneration(1));
    assert_eq!((roster.cluster_name(), roster.namespace()), ("demo", "disk"));
    assert_eq!(roster.member_by_name("member-2").unwrap().uid, member_uid(2));
    assert_eq!(roster.member_by_uid(member_uid(4)).unwrap().name.as_str(), "member-4");
    assert_eq!(roster.group_by_name("group-2").unwrap().uid, group_uid(2));
    assert_eq!(roster.group_by_uid(group_uid(1)).unwrap().name.as_str(), "group-1");
    assert!(roster.member_by_name("group-1").is_none());
    assert!(roster.member_by_uid(MemberUid(group_uid(1).0)).is_none());

    let names = |member| {
        let mut names: Vec<_> =
            roster.groups_of(member_uid(member)).map(|group| group.name.to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(names(1), ["group-1", "group-2"]);
    assert_eq!(names(2), ["group-1"]);
    assert_eq!(names(4), Vec::<String>::new());

    let own = |number| SpaceId(member_uid(number).0);
    let shared = |number| SpaceId(group_uid(number).0);
    assert!(matches!(roster.space_owner(own(2)), Some(Owner::Own(member)) if member.uid == member_uid(2)));
    assert!(matches!(roster.space_owner(shared(2)), Some(Owner::Group(group)) if group.uid == group_uid(2)));
    assert_eq!(roster.space_owner(own(2)).unwrap().volume().as_str(), "main");
    for (member, space, role) in [
        (1, own(1), Some(Role::Owner)),
        (1, own(2), None),
        (1, shared(1), Some(Role::Owner)),
        (2, shared(1), Some(Role::Editor)),
        (2, shared(2), None),
        (3, shared(1), None),
        (3, own(3), None),
        (4, shared(1), None),
        (5, own(5), None),
    ] {
        assert_eq!(roster.role_in(member_uid(member), space), role, "member {member} in {space}");
    }
    // A suspended member cannot use the group, whose capacity stays what it was.
    assert_eq!(roster.group_by_name("group-1").unwrap().capacity, api::bytes::Bytes(30));
}

/// What a roster takes, counted entry by entry: allocations of the allocator are rounded up to 16 bytes and have
/// a header of 8.
fn bytes_held(roster: &Roster) -> usize {
    let heap = |length: usize| (length + 8).next_multiple_of(16);
    let mut names = HashSet::new();
    let mut total = 0;
    let mut name = |name: &str, seen: *const u8| {
        if names.insert(seen) { heap(name.len() + 16) } else { 0 }
    };
    for member in roster.members() {
        total += size_of::<MemberEntry>() + name(member.name.as_str(), member.name.as_str().as_ptr());
        total += name(member.volume.as_str(), member.volume.as_str().as_ptr());
        total += heap(member.display_name.as_ref().map_or(0, |text| text.len()));
        total += heap(member.allocations.capacity() * size_of::<crate::shard::AllocationEntry>());
        for entry in &member.allocations {
            total += name(entry.group.as_str(), entry.group.as_str().as_ptr());
        }
    }
    for group in roster.groups() {
        total += size_of::<GroupEntry>() + name(group.name.as_str(), group.name.as_str().as_ptr());
        total += name(group.volume.as_str(), group.volume.as_str().as_ptr());
        total += heap(group.display_name.as_ref().map_or(0, |text| text.len()));
        total += heap(group.participants.capacity() * size_of::<Participant>());
        for one in &group.participants {
            total += name(one.name.as_str(), one.name.as_str().as_ptr());
        }
    }
    total += size_of_val(&*roster.members) + size_of_val(&*roster.groups);
    total += size_of_val(&*roster.spaces) + size_of_val(&*roster.joined);
    total
}

#[test]
fn ten_thousand_members_and_a_thousand_groups_are_small() {
    let mut operator = Operator::new();
    let store = operator.store();
    let members: Vec<_> =
        (0..10_000).map(|number| member(number, &[number % 1000, (number / 10) % 1000, 7])).collect();
    let groups: Vec<_> = (0..1000).map(|number| group(number, number)).collect();
    take(&store, &operator.publish(&members, &groups).unwrap());
    drop((members, groups));
    let roster = store.current();
    assert_eq!(roster.members().count(), 10_000);
    let bytes = bytes_held(&roster);
    println!("10,000 members and 1,000 groups take {} KB", bytes / 1000);
    assert!(bytes < 12_000_000, "{bytes} bytes");
}
