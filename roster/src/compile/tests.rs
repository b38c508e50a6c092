use api::role::Role;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::shard::{GroupAccess, Joining, MemberState};
use api::ids::{MemberUid, SpaceId};

fn uid(kind: u128, number: u128) -> Uuid {
    Uuid::from_u128(kind << 64 | number)
}

fn member(number: u128, allocations: &[(u128, u64)]) -> MemberWanted {
    MemberWanted {
        name: format!("m{number}").parse().unwrap(),
        uid: MemberUid(uid(1, number)),
        space: SpaceId(uid(1, number)),
        volume: "main".parse().unwrap(),
        display_name: None,
        state: MemberState::Active,
        identities: Vec::new(),
        quota: Bytes(1000),
        limit: Bytes(1000),
        allocations: allocations
            .iter()
            .map(|(group, size)| AllocationWanted {
                group: format!("g{group}").parse().unwrap(),
                group_uid: None,
                size: Bytes(*size),
            })
            .collect(),
        lent: Vec::new(),
    }
}

fn group(number: u128, policy: JoinPolicy, members: &[(u128, ListedRole)]) -> GroupWanted {
    GroupWanted {
        name: format!("g{number}").parse().unwrap(),
        uid: GroupUid(uid(2, number)),
        space: SpaceId(uid(2, number)),
        volume: "main".parse().unwrap(),
        display_name: None,
        description: None,
        joining: Joining { policy, default_role: Role::Viewer, minimum: Bytes(10) },
        access: GroupAccess::ReadWrite,
        members: members
            .iter()
            .map(|(member, role)| ListedMember {
                name: format!("m{member}").parse().unwrap(),
                uid: None,
                role: *role,
            })
            .collect(),
    }
}

const EDITOR: ListedRole = ListedRole::Admitted(Role::Editor);

#[test]
fn a_handshake_is_both_sides() {
    use AllocationState::{Active, BelowMinimum, Blocked, GroupReplaced, NoSuchGroup, Requested, Suspended};
    use JoinPolicy::{InviteOnly, OnRequest, Open};
    let listed = |role| group(1, OnRequest, &[(1, role)]);
    let gives = |size| member(1, &[(1, size)]);
    let in_state = |state| MemberWanted { state, ..gives(10) };
    let meant = |uid| {
        let mut member = gives(10);
        member.allocations[0].group_uid = Some(uid);
        member
    };
    let admits = |uid, policy| {
        let mut group = group(1, policy, &[(1, EDITOR)]);
        group.members[0].uid = Some(uid);
        group
    };
    let (here, gone) = (GroupUid(uid(2, 1)), GroupUid(uid(2, 9)));
    let (me, before_me) = (MemberUid(uid(1, 1)), MemberUid(uid(1, 9)));
    let mut blocks_one_before = group(1, Open, &[(1, ListedRole::Blocked)]);
    blocks_one_before.members[0].uid = Some(before_me);

    let table = [
        ("both sides", gives(10), Some(listed(EDITOR)), Active, Some(Role::Editor)),
        ("more than asked for", gives(11), Some(listed(EDITOR)), Active, Some(Role::Editor)),
        ("less than asked for", gives(9), Some(listed(EDITOR)), BelowMinimum, None),
        ("blocked", gives(10), Some(listed(ListedRole::Blocked)), Blocked, None),
        ("no such group", gives(10), None, NoSuchGroup, None),
        ("open to everybody", gives(10), Some(group(1, Open, &[])), Active, Some(Role::Viewer)),
        ("open, but for too little", gives(9), Some(group(1, Open, &[])), BelowMinimum, None),
        (
            "open, listed otherwise",
            gives(10),
            Some(group(1, Open, &[(1, EDITOR)])),
            Active,
            Some(Role::Editor),
        ),
        ("open, but blocked", gives(10), Some(group(1, Open, &[(1, ListedRole::Blocked)])), Blocked, None),
        ("on request", gives(10), Some(group(1, OnRequest, &[])), Requested, None),
        ("by invitation, not invited", gives(10), Some(group(1, InviteOnly, &[])), Requested, None),
        ("the group that was meant", meant(here), Some(listed(EDITOR)), Active, Some(Role::Editor)),
        ("another group of its name", meant(gone), Some(listed(EDITOR)), GroupReplaced, None),
        ("the member that was meant", gives(10), Some(admits(me, OnRequest)), Active, Some(Role::Editor)),
        ("another member of the name", gives(10), Some(admits(before_me, OnRequest)), Requested, None),
        ("another one, but open", gives(10), Some(admits(before_me, Open)), Active, Some(Role::Viewer)),
        ("another one blocked", gives(10), Some(blocks_one_before), Active, Some(Role::Viewer)),
        ("suspended", in_state(MemberState::Suspended), Some(listed(EDITOR)), Suspended, Some(Role::Editor)),
        ("not yet approved", in_state(MemberState::Pending), Some(listed(EDITOR)), Suspended, None),
        (
            "suspended and not admitted",
            in_state(MemberState::Suspended),
            Some(group(1, OnRequest, &[])),
            Requested,
            None,
        ),
    ];
    for (what, member, group, state, role) in table {
        let admission = admission(&member, &member.allocations[0], group.as_ref());
        assert_eq!(admission, Admission { state, role }, "{what}");
    }
}

#[test]
fn a_group_knows_its_participants_invitations_and_requests() {
    let mut alice = member(1, &[(1, 400)]);
    alice.lent =
        vec![Lent { group: "g1".parse().unwrap(), group_uid: GroupUid(uid(2, 1)), granted: Bytes(300) }];
    let members = [alice, member(2, &[]), member(3, &[(1, 50)]), member(4, &[(1, 5)])];
    let groups = [group(
        1,
        JoinPolicy::OnRequest,
        &[(1, ListedRole::Admitted(Role::Owner)), (2, EDITOR), (5, EDITOR), (6, ListedRole::Blocked)],
    )];
    let compiled = compile(&members, &groups);
    let group = &compiled.groups[0];
    assert_eq!(group.capacity, Bytes(300), "what is lent counts, not what is wished for");
    let names = |names: Vec<&MemberName>| names.into_iter().map(MemberName::to_string).collect::<Vec<_>>();
    assert_eq!(names(group.participants.iter().map(|one| &one.name).collect()), ["m1"]);
    assert_eq!(group.participants[0].role, Role::Owner);
    assert_eq!(names(group.invited.iter().map(|one| &one.name).collect()), ["m2", "m5"]);
    assert_eq!(
        names(group.requests.iter().map(|one| &one.name).collect()),
        ["m3"],
        "m4 asks with too little"
    );
}

#[test]
fn what_is_taken_back_is_shown_until_it_is_back() {
    let mut alice = member(1, &[]);
    alice.lent =
        vec![Lent { group: "g1".parse().unwrap(), group_uid: GroupUid(uid(2, 1)), granted: Bytes(70) }];
    let compiled = compile(&[alice.clone()], &[group(1, JoinPolicy::Open, &[])]);
    let entry = &compiled.members[0].allocations[0];
    assert_eq!((entry.state, entry.size, entry.granted), (AllocationState::Returning, Bytes(0), Bytes(70)));
    assert_eq!(compiled.groups[0].capacity, Bytes(70));
    assert!(compiled.groups[0].participants.is_empty());

    // A group of the same name that came later has nothing of it.
    alice.allocations = member(1, &[(1, 70)]).allocations;
    let later = GroupWanted { uid: GroupUid(uid(2, 9)), ..group(1, JoinPolicy::Open, &[]) };
    let compiled = compile(&[alice], &[later]);
    assert_eq!(compiled.groups[0].capacity, Bytes(0));
    assert_eq!(compiled.members[0].allocations[0].granted, Bytes(0));
}

#[test]
fn shards_hold_everybody_once() {
    let members: Vec<_> = (0..200).map(|number| member(number, &[])).collect();
    let groups: Vec<_> = (0..50).map(|number| group(number, JoinPolicy::Open, &[])).collect();
    let shards = shards(ClusterUid(uid(3, 1)), compile(&members, &groups));
    assert_eq!(shards.len(), usize::from(SHARDS));
    assert_eq!(shards.iter().map(|shard| shard.members.len()).sum::<usize>(), 200);
    assert_eq!(shards.iter().map(|shard| shard.groups.len()).sum::<usize>(), 50);
    for shard in &shards {
        assert!(shard.members.iter().all(|member| shard_of(member.name.as_str()) == shard.index));
        assert!(shard.groups.iter().all(|group| shard_of(group.name.as_str()) == shard.index));
    }
}

fn any_member(number: u128) -> impl Strategy<Value = MemberWanted> {
    let state = prop_oneof![
        4 => Just(MemberState::Active),
        1 => Just(MemberState::Suspended),
        1 => Just(MemberState::Pending)
    ];
    let allocations =
        proptest::collection::btree_map(0u128..5, (0u64..30, proptest::option::of(0u128..6)), 0..5);
    let lent = proptest::collection::btree_map(0u128..5, 0u64..30, 0..5);
    (state, allocations, lent).prop_map(move |(state, allocations, lent)| {
        let mut one = member(number, &[]);
        one.state = state;
        one.allocations = allocations
            .into_iter()
            .map(|(group, (size, pin))| AllocationWanted {
                group: format!("g{group}").parse().unwrap(),
                group_uid: pin.map(|pin| GroupUid(uid(2, pin))),
                size: Bytes(size),
            })
            .collect();
        one.lent = lent
            .into_iter()
            .map(|(group, granted)| Lent {
                group: format!("g{group}").parse().unwrap(),
                group_uid: GroupUid(uid(2, group)),
                granted: Bytes(granted),
            })
            .collect();
        one
    })
}

fn any_group(number: u128) -> impl Strategy<Value = GroupWanted> {
    let policy =
        prop_oneof![Just(JoinPolicy::Open), Just(JoinPolicy::OnRequest), Just(JoinPolicy::InviteOnly)];
    let role = prop_oneof![
        Just(ListedRole::Admitted(Role::Owner)),
        Just(EDITOR),
        Just(ListedRole::Admitted(Role::Viewer)),
        Just(ListedRole::Blocked)
    ];
    let listed = proptest::collection::btree_map(0u128..8, (role, proptest::option::of(0u128..8)), 0..8);
    (policy, listed).prop_map(move |(policy, listed)| {
        let mut one = group(number, policy, &[]);
        one.members = listed
            .into_iter()
            .map(|(member, (role, pin))| ListedMember {
                name: format!("m{member}").parse().unwrap(),
                uid: pin.map(|pin| MemberUid(uid(1, pin))),
                role,
            })
            .collect();
        one
    })
}

fn any_cluster() -> impl Strategy<Value = (Vec<MemberWanted>, Vec<GroupWanted>)> {
    let members = proptest::sample::subsequence((0u128..8).collect::<Vec<_>>(), 0..8)
        .prop_flat_map(|numbers| numbers.into_iter().map(any_member).collect::<Vec<_>>());
    let groups = proptest::sample::subsequence((0u128..5).collect::<Vec<_>>(), 0..5)
        .prop_flat_map(|numbers| numbers.into_iter().map(any_group).collect::<Vec<_>>());
    (members, groups)
}

proptest! {
    /// Neither the order of objects nor of their lists matters.
    #[test]
    fn order_does_not_matter((members, groups) in any_cluster(), seed: u64) {
        let straight = compile(&members, &groups);
        let (mut members, mut groups) = (members, groups);
        let mut turn = seed;
        let mut shuffle = |length: usize| {
            turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if length == 0 { 0 } else { usize::try_from(turn >> 33).unwrap() % length }
        };
        let by = shuffle(members.len());
        members.rotate_left(by);
        members.reverse();
        let by = shuffle(groups.len());
        groups.rotate_left(by);
        for member in &mut members {
            let by = shuffle(member.allocations.len());
            member.allocations.rotate_left(by);
            member.lent.reverse();
        }
        for group in &mut groups {
            let by = shuffle(group.members.len());
            group.members.rotate_left(by);
        }
        prop_assert_eq!(compile(&members, &groups), straight);
    }

    /// A group's capacity is what is lent to it, to the byte, and its participants' parts are of it.
    #[test]
    fn capacity_is_what_is_lent((members, groups) in any_cluster()) {
        let compiled = compile(&members, &groups);
        for group in &compiled.groups {
            let lent: Bytes = members.iter().map(|member| member.lent_to(group.uid)).sum();
            prop_assert_eq!(group.capacity, lent);
            let parts: Bytes = group.participants.iter().map(|one| one.granted).sum();
            prop_assert!(parts <= group.capacity);
        }
    }

    /// Both sides tell the same story, and nobody is in two of a group's lists.
    #[test]
    fn both_sides_agree((members, groups) in any_cluster()) {
        let compiled = compile(&members, &groups);
        for group in &compiled.groups {
            for one in &group.participants {
                let member = compiled.members.iter().find(|member| member.uid == one.member).unwrap();
                let entry = member.allocations.iter().find(|entry| entry.group == group.name).unwrap();
                prop_assert_eq!((entry.size, entry.granted), (one.size, one.granted));
                prop_assert!(matches!(entry.state, AllocationState::Active | AllocationState::Suspended));
                prop_assert!(entry.size >= group.joining.minimum);
                prop_assert!(!group.invited.iter().any(|invited| invited.name == one.name));
                prop_assert!(!group.requests.iter().any(|request| request.name == one.name));
            }
            prop_assert!(group.joining.policy == JoinPolicy::OnRequest || group.requests.is_empty());
        }
        for member in &compiled.members {
            for entry in &member.allocations {
                let group = compiled.groups.iter().find(|group| group.name == entry.group);
                let takes_part =
                    group.is_some_and(|group| group.participants.iter().any(|one| one.member == member.uid));
                prop_assert_eq!(entry.state == AllocationState::NoSuchGroup, group.is_none()
                    && entry.state != AllocationState::Returning);
                if entry.state == AllocationState::Active {
                    prop_assert!(takes_part && member.state == MemberState::Active);
                }
                if member.state == MemberState::Pending {
                    prop_assert!(!takes_part);
                }
            }
        }
    }
}
