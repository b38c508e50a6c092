//! Single situations, by hand.

use std::collections::BTreeMap;

use api::bytes::Bytes;
use api::ids::{GroupUid, MemberUid, SpaceId};
use uuid::Uuid;

use super::{Books, Committed, Granted, GroupBook, LimitStep, MemberBook, Purpose, Standing, plan};

const ALICE: MemberUid = MemberUid(Uuid::from_u128(1));
const BOB: MemberUid = MemberUid(Uuid::from_u128(2));
const DESIGN: GroupUid = GroupUid(Uuid::from_u128(100));

fn committed(limit: u64, used: u64) -> Option<Committed> {
    Some(Committed { limit: Bytes(limit), used: Bytes(used) })
}

fn member(uid: MemberUid, quota: u64, wanted: u64, granted: u64, own: Option<Committed>) -> MemberBook {
    MemberBook {
        space: SpaceId(uid.0),
        volume: "main".parse().unwrap(),
        quota: Bytes(quota),
        wanted: BTreeMap::from([(DESIGN, Bytes(wanted))]),
        granted: BTreeMap::from([(DESIGN, Granted::exactly(Bytes(granted)))]),
        own,
        standing: Standing::Stays,
        claimed: true,
    }
}

fn books(members: Vec<(MemberUid, MemberBook)>, disk: Option<Committed>) -> Books {
    let space = SpaceId(DESIGN.0);
    let group = GroupBook { space, volume: "main".parse().unwrap(), disk, standing: Standing::Stays };
    Books { members: members.into_iter().collect(), groups: BTreeMap::from([(DESIGN, group)]) }
}

/// Target, ceiling and purpose of the step for a space.
fn step(steps: &[LimitStep], space: Uuid) -> Option<(u64, u64, Purpose)> {
    let step = steps.iter().find(|step| step.space == SpaceId(space))?;
    Some((step.target.0, step.ceiling.0, step.purpose))
}

#[test]
fn lending_goes_from_the_own_limit_over_the_status_to_the_group() {
    // Nothing is known: the own disk is to have 60 at least, and may have all.
    let mut books = books(vec![(ALICE, member(ALICE, 100, 40, 0, None))], None);
    let first = plan(&books);
    assert_eq!(step(&first.limits, ALICE.0), Some((60, 100, Purpose::Learn)));
    assert_eq!(step(&first.limits, DESIGN.0), Some((0, 0, Purpose::Learn)));
    assert!(first.grants.is_empty());

    // 70 are in use, so 30 are free to be lent.
    books.members.get_mut(&ALICE).unwrap().own = committed(70, 70);
    books.groups.get_mut(&DESIGN).unwrap().disk = committed(0, 0);
    let second = plan(&books);
    assert_eq!(step(&second.limits, ALICE.0), Some((60, 100, Purpose::Move)), "some may become free");
    assert_eq!(step(&second.limits, DESIGN.0), None, "nothing is written down yet");
    assert_eq!(second.grants[&ALICE][&DESIGN], Bytes(30));

    let alice = books.members.get_mut(&ALICE).unwrap();
    alice.granted.insert(DESIGN, Granted::exactly(Bytes(30)));
    let third = plan(&books);
    assert_eq!(step(&third.limits, DESIGN.0), Some((30, 30, Purpose::Change)));
    assert_eq!(step(&third.limits, ALICE.0), Some((60, 70, Purpose::Move)));
    assert!(third.grants.is_empty());
}

#[test]
fn taking_back_goes_from_the_group_over_the_status_to_the_own_limit() {
    let alice = member(ALICE, 100, 10, 40, committed(60, 0));
    let bob = member(BOB, 100, 20, 20, committed(80, 0));
    let mut books = books(vec![(ALICE, alice), (BOB, bob)], committed(60, 45));
    let first = plan(&books);
    assert_eq!(step(&first.limits, DESIGN.0), Some((30, 60, Purpose::Move)));
    assert_eq!(step(&first.limits, ALICE.0), None);
    assert!(first.grants.is_empty(), "as long as the group may use all of it");

    // 45 are in use, so 15 of the 30 come back.
    books.groups.get_mut(&DESIGN).unwrap().disk = committed(45, 45);
    let second = plan(&books);
    assert_eq!(second.grants.len(), 1);
    assert_eq!(second.grants[&ALICE][&DESIGN], Bytes(25));

    let alice = books.members.get_mut(&ALICE).unwrap();
    alice.granted.insert(DESIGN, Granted::exactly(Bytes(25)));
    let third = plan(&books);
    assert_eq!(step(&third.limits, ALICE.0), Some((75, 75, Purpose::Change)));
    assert_eq!(step(&third.limits, DESIGN.0), Some((30, 45, Purpose::Move)), "the rest, when it is free");
}

#[test]
fn a_lowered_quota_is_in_force_at_once_even_below_the_use() {
    let books = books(vec![(ALICE, member(ALICE, 50, 0, 0, committed(100, 80)))], committed(0, 0));
    assert_eq!(step(&plan(&books).limits, ALICE.0), Some((50, 50, Purpose::Change)));
}

#[test]
fn a_write_in_doubt_is_held_against_both_sides() {
    let mut alice = member(ALICE, 100, 40, 0, committed(60, 0));
    alice.granted.insert(DESIGN, Granted { least: Bytes(0), most: Bytes(40) });
    let books = books(vec![(ALICE, alice)], committed(0, 0));
    let plan = plan(&books);
    assert!(plan.limits.is_empty(), "the group cannot count on it, the member must do without: {plan:?}");
    assert_eq!(plan.grants[&ALICE][&DESIGN], Bytes(40), "and it is written again");
}

#[test]
fn whoever_leaves_takes_everything_along() {
    let mut alice = member(ALICE, 100, 40, 40, committed(60, 10));
    alice.standing = Standing::Leaves;
    let bob = member(BOB, 100, 20, 20, committed(80, 0));
    let mut books = books(vec![(ALICE, alice), (BOB, bob)], committed(60, 60));
    let first = plan(&books);
    assert_eq!(step(&first.limits, ALICE.0), Some((0, 0, Purpose::Change)));
    assert_eq!(step(&first.limits, DESIGN.0), Some((20, 20, Purpose::Change)));
    assert!(first.members_gone.is_empty());
    books.members.get_mut(&ALICE).unwrap().own = committed(0, 10);
    assert!(plan(&books).members_gone.is_empty(), "the group still counts on it");
    books.groups.get_mut(&DESIGN).unwrap().disk = committed(20, 60);
    assert!(plan(&books).members_gone.contains(&ALICE));
}

#[test]
fn a_group_that_leaves_gives_everything_back() {
    let mut books = books(vec![(BOB, member(BOB, 100, 0, 20, committed(80, 0)))], committed(20, 5));
    books.groups.get_mut(&DESIGN).unwrap().standing = Standing::Leaves;
    let first = plan(&books);
    assert_eq!(step(&first.limits, DESIGN.0), Some((0, 0, Purpose::Change)));
    assert!(first.groups_gone.is_empty() && first.grants.is_empty());
    books.groups.get_mut(&DESIGN).unwrap().disk = committed(0, 5);
    let second = plan(&books);
    assert!(second.grants[&BOB].is_empty());
    assert!(second.groups_gone.is_empty(), "bob's status still says so");
    books.members.get_mut(&BOB).unwrap().granted.clear();
    let third = plan(&books);
    assert!(third.groups_gone.contains(&DESIGN));
    assert_eq!(step(&third.limits, BOB.0), Some((100, 100, Purpose::Change)));
}

#[test]
fn allocations_above_the_quota_are_cut_off() {
    let books = books(vec![(ALICE, member(ALICE, 30, 40, 0, committed(0, 0)))], committed(0, 0));
    assert_eq!(plan(&books).grants[&ALICE][&DESIGN], Bytes(30));
}
