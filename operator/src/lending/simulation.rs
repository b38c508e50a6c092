//! A world in miniature: the API server, the volume, members who change their minds, and an operator that crashes, whose
//! requests get lost or are done late. After each step the limits in force are added up.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use api::bytes::Bytes;
use api::ids::{GroupUid, MemberUid, SpaceId};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Books, Committed, Doubts, Grants, GroupBook, InForce, LimitStep, MemberBook, Standing, plan};

const MEMBERS: u128 = 3;
const GROUPS: u128 = 2;

fn member_uid(number: u128) -> MemberUid {
    MemberUid(Uuid::from_u128(1000 + number))
}

fn group_uid(number: u128) -> GroupUid {
    GroupUid(Uuid::from_u128(2000 + number))
}

#[derive(Clone, Debug)]
struct Member {
    version: u64,
    term: u64,
    quota: u64,
    allocations: BTreeMap<GroupUid, u64>,
    granted: Grants,
    deleted: bool,
}

#[derive(Clone, Debug, Default)]
struct Group {
    deleted: bool,
}

#[derive(Clone, Debug, Default)]
struct Space {
    limit: u64,
    used: u64,
    seen: u64,
}

#[derive(Clone, Debug)]
struct Commit {
    generation: u64,
    step: LimitStep,
}

#[derive(Clone, Debug)]
struct Write {
    member: MemberUid,
    version: u64,
    term: u64,
    grants: Grants,
}

#[derive(Clone, Debug)]
enum Late {
    Commit(Commit),
    Write(Write),
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Done,
    AnswerLost,
    RequestLost,
    Late,
}

#[derive(Clone, Debug)]
enum Action {
    Quota { member: u128, quota: u64 },
    Allocate { member: u128, group: u128, size: u64 },
    Use { space: usize, used: u64 },
    DeleteMember { member: u128 },
    DeleteGroup { group: u128 },
    Look,
    Step(Fate),
    Crash,
    DoLate { which: usize },
}

struct World {
    members: BTreeMap<MemberUid, Member>,
    groups: BTreeMap<GroupUid, Group>,
    spaces: BTreeMap<SpaceId, Space>,
    late: Vec<Late>,
    /// The most that a member may have, own disk and lent together: the quota, and after it was lowered what was
    /// there before, which must not grow.
    bounds: BTreeMap<MemberUid, u64>,
}

#[derive(Default)]
struct Operator {
    members: BTreeMap<MemberUid, Member>,
    groups: BTreeMap<GroupUid, Group>,
    in_force: InForce,
    doubts: Doubts,
    generation: u64,
    term: u64,
    commits: VecDeque<LimitStep>,
    writes: VecDeque<(MemberUid, Grants)>,
    grants_next: bool,
}

impl World {
    fn new() -> Self {
        let members = (0..MEMBERS).map(|number| {
            let member = Member {
                version: 1,
                term: 0,
                quota: 100,
                allocations: BTreeMap::new(),
                granted: Grants::new(),
                deleted: false,
            };
            (member_uid(number), member)
        });
        let members: BTreeMap<_, _> = members.collect();
        let spaces = (0..MEMBERS)
            .map(|number| SpaceId(member_uid(number).0))
            .chain((0..GROUPS).map(|number| SpaceId(group_uid(number).0)));
        Self {
            bounds: members.keys().map(|uid| (*uid, 100)).collect(),
            members,
            groups: (0..GROUPS).map(|number| (group_uid(number), Group::default())).collect(),
            spaces: spaces.map(|space| (space, Space::default())).collect(),
            late: Vec::new(),
        }
    }

    fn commit(&mut self, commit: &Commit) -> Option<Committed> {
        let space = self.spaces.get_mut(&commit.step.space)?;
        if commit.generation <= space.seen {
            return None;
        }
        space.seen = commit.generation;
        space.limit = space.used.clamp(commit.step.target.0, commit.step.ceiling.0);
        Some(Committed { limit: Bytes(space.limit), used: Bytes(space.used) })
    }

    fn write(&mut self, write: &Write) -> Option<Member> {
        let member = self.members.get_mut(&write.member)?;
        // The version is asked of every write, and the rule of the custom resource lets no earlier term write.
        if member.version != write.version || write.term < member.term {
            return None;
        }
        member.version += 1;
        member.term = write.term;
        member.granted = write.grants.clone();
        Some(member.clone())
    }

    fn change(&mut self, member: MemberUid, change: impl FnOnce(&mut Member)) {
        if let Some(found) = self.members.get_mut(&member) {
            let mut changed = found.clone();
            change(&mut changed);
            // The rule of the custom resource.
            if changed.allocations.values().sum::<u64>() <= changed.quota {
                changed.version += 1;
                *found = changed;
            }
        }
    }

    fn act(&mut self, operator: &mut Operator, action: &Action) {
        match action {
            Action::Quota { member, quota } => {
                let member = member_uid(*member);
                self.change(member, |found| found.quota = *quota);
                let quota = self.members.get(&member).map_or(0, |found| found.quota);
                let bound = self.bounds.entry(member).or_default();
                *bound = quota.max(*bound);
            }
            Action::Allocate { member, group, size } => self.change(member_uid(*member), |found| {
                found.allocations.insert(group_uid(*group), *size);
            }),
            Action::Use { space, used } => {
                let space = *space % self.spaces.len();
                if let Some(space) = self.spaces.values_mut().nth(space) {
                    // Less is always possible, more only within the limit.
                    space.used =
                        if *used > space.used { (*used).min(space.limit).max(space.used) } else { *used };
                }
            }
            Action::DeleteMember { member } => self.change(member_uid(*member), |found| found.deleted = true),
            Action::DeleteGroup { group } => {
                self.groups.entry(group_uid(*group)).and_modify(|found| found.deleted = true);
            }
            Action::Look => operator.look(self),
            Action::Step(fate) => operator.step(self, *fate),
            Action::Crash => {
                // A new leader goes on above every generation that the old one may have used, and sees at least
                // what had happened when it became the leader.
                // What the old one sent, limits and statuses, may still be done late.
                let (generation, term) = (operator.generation, operator.term);
                *operator = Operator { generation: generation + 1000, term: term + 1, ..Operator::default() };
                operator.look(self);
            }
            Action::DoLate { which } => {
                if !self.late.is_empty() {
                    let which = *which % self.late.len();
                    match self.late.swap_remove(which) {
                        Late::Commit(commit) => drop(self.commit(&commit)),
                        Late::Write(write) => drop(self.write(&write)),
                    }
                }
            }
        }
    }

    fn limit(&self, space: Uuid) -> u64 {
        self.spaces.get(&SpaceId(space)).map_or(0, |space| space.limit)
    }

    /// Both rules, and their sum.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let mut lent: BTreeMap<GroupUid, u64> = BTreeMap::new();
        let (mut limits, mut bounds) = (0, 0);
        for (uid, member) in &self.members {
            let granted: u64 = member.granted.values().map(|granted| granted.0).sum();
            for (group, granted) in &member.granted {
                *lent.entry(*group).or_default() += granted.0;
            }
            let has = self.limit(uid.0) + granted;
            let bound = self.bounds.get(uid).copied().unwrap_or_default();
            prop_assert!(has <= bound, "{:?} has {}, may have {}", member, has, bound);
            limits += self.limit(uid.0);
            bounds += bound;
        }
        for gone in (0..MEMBERS).map(member_uid).filter(|uid| !self.members.contains_key(uid)) {
            prop_assert_eq!(self.limit(gone.0), 0, "a space without a quota is closed");
        }
        for group in (0..GROUPS).map(group_uid) {
            let limit = self.limit(group.0);
            let lent = lent.get(&group).copied().unwrap_or_default();
            prop_assert!(limit <= lent, "{:?} has {}, lent to it is {}", group, limit, lent);
            limits += limit;
        }
        prop_assert!(limits <= bounds);
        Ok(())
    }

    /// Nobody is late any more, and all that was lowered has been seen: the bounds are the quotas, or what is still out.
    fn settle_bounds(&mut self) {
        for (uid, member) in &self.members {
            let granted: u64 = member.granted.values().map(|granted| granted.0).sum();
            let has = self.spaces.get(&SpaceId(uid.0)).map_or(0, |space| space.limit) + granted;
            self.bounds.insert(*uid, has.max(member.quota));
        }
    }
}

impl Operator {
    fn look(&mut self, world: &World) {
        self.members = world.members.clone();
        self.groups = world.groups.clone();
    }

    fn books(&self) -> Books {
        let volume: api::ids::VolumeName = "main".parse().unwrap();
        let standing = |deleted| if deleted { Standing::Leaves } else { Standing::Stays };
        let members = self.members.iter().map(|(uid, member)| {
            let wanted = member
                .allocations
                .iter()
                .filter(|(group, _)| self.groups.get(group).is_some_and(|group| !group.deleted));
            let book = MemberBook {
                space: SpaceId(uid.0),
                volume: volume.clone(),
                quota: Bytes(member.quota),
                wanted: wanted.map(|(group, size)| (*group, Bytes(*size))).collect(),
                granted: self.doubts.granted(*uid, &member.version.to_string(), &member.granted),
                own: self.in_force.get(SpaceId(uid.0)),
                standing: standing(member.deleted),
                claimed: member.term == self.term,
            };
            (*uid, book)
        });
        let known = self.groups.iter().map(|(uid, group)| (*uid, standing(group.deleted)));
        let gone = self.members.values().flat_map(|member| member.granted.keys());
        let gone = gone.filter(|uid| !self.groups.contains_key(uid)).map(|uid| (*uid, Standing::Leaves));
        let groups = known.chain(gone).map(|(uid, standing)| {
            let space = SpaceId(uid.0);
            let disk = self.in_force.get(space);
            (uid, GroupBook { space, volume: volume.clone(), disk, standing })
        });
        Books { members: members.collect(), groups: groups.collect() }
    }

    /// One request, or the next plan when none is left of the last one.
    fn step(&mut self, world: &mut World, fate: Fate) {
        if let Some(step) = self.commits.pop_front() {
            self.commit(world, step, fate);
        } else if let Some((member, grants)) = self.writes.pop_front() {
            self.write(world, member, grants, fate);
        } else {
            let plan = plan(&self.books());
            if self.grants_next {
                let unclaimed = self.members.iter().filter(|(_, member)| member.term != self.term);
                let claims: Vec<_> = unclaimed.map(|(uid, member)| (*uid, member.granted.clone())).collect();
                self.writes = plan.grants.into_iter().chain(claims).collect();
                self.remove(world, &plan.members_gone, &plan.groups_gone);
            } else {
                self.commits = plan.limits.into();
            }
            self.grants_next = !self.grants_next;
        }
    }

    fn remove(
        &mut self,
        world: &mut World,
        members: &std::collections::BTreeSet<MemberUid>,
        groups: &std::collections::BTreeSet<GroupUid>,
    ) {
        for uid in members {
            world.members.remove(uid);
            self.members.remove(uid);
        }
        for uid in groups {
            world.groups.remove(uid);
            self.groups.remove(uid);
        }
    }

    fn commit(&mut self, world: &mut World, step: LimitStep, fate: Fate) {
        self.generation += 1;
        let (space, generation) = (step.space, self.generation);
        self.in_force.sent(space, step.target, step.ceiling, Instant::now());
        let commit = Commit { generation, step };
        match fate {
            Fate::Done => match world.commit(&commit) {
                Some(committed) => self.in_force.committed(space, committed),
                None => {
                    self.generation = world.spaces.get(&space).map_or(0, |space| space.seen).max(generation);
                    self.in_force.lost(space);
                }
            },
            Fate::AnswerLost => {
                world.commit(&commit);
                self.in_force.lost(space);
            }
            Fate::RequestLost => self.in_force.lost(space),
            Fate::Late => {
                world.late.push(Late::Commit(commit));
                self.in_force.lost(space);
            }
        }
    }

    fn write(&mut self, world: &mut World, uid: MemberUid, grants: Grants, fate: Fate) {
        let Some(member) = self.members.get(&uid) else { return };
        let version = member.version;
        self.doubts.sent(uid, &version.to_string(), &grants);
        let write = Write { member: uid, version, term: self.term, grants };
        match fate {
            Fate::Done => {
                if let Some(written) = world.write(&write) {
                    self.members.insert(uid, written);
                    self.doubts.done(uid);
                }
            }
            Fate::AnswerLost => drop(world.write(&write)),
            Fate::RequestLost => {}
            Fate::Late => world.late.push(Late::Write(write)),
        }
    }

    /// Rounds without accidents, until there is nothing to do but to ask again.
    fn converge(&mut self, world: &mut World) -> Result<(), TestCaseError> {
        for _ in 0..40 {
            self.look(world);
            for _ in 0..20 {
                self.step(world, Fate::Done);
                world.check()?;
            }
        }
        Ok(())
    }
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let fate = prop_oneof![
        6 => Just(Fate::Done),
        1 => Just(Fate::AnswerLost),
        1 => Just(Fate::RequestLost),
        1 => Just(Fate::Late),
    ];
    let amount = (0..=10u64).prop_map(|tens| tens * 10);
    let action = prop_oneof![
        2 => (0..MEMBERS, amount.clone()).prop_map(|(member, quota)| Action::Quota { member, quota }),
        5 => (0..MEMBERS, 0..GROUPS, amount.clone())
            .prop_map(|(member, group, size)| Action::Allocate { member, group, size }),
        4 => (0..8usize, amount).prop_map(|(space, used)| Action::Use { space, used }),
        1 => (0..MEMBERS).prop_map(|member| Action::DeleteMember { member }),
        1 => (0..GROUPS).prop_map(|group| Action::DeleteGroup { group }),
        6 => Just(Action::Look),
        40 => fate.prop_map(Action::Step),
        1 => Just(Action::Crash),
        3 => (0..8usize).prop_map(|which| Action::DoLate { which }),
    ];
    prop::collection::vec(action, 1..250)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn limits_in_force_are_never_more_than_the_quotas_and_in_the_end_all_is_as_wanted(actions in actions()) {
        let (mut world, mut operator) = (World::new(), Operator { term: 1, ..Operator::default() });
        operator.look(&world);
        for action in &actions {
            world.act(&mut operator, action);
            world.check()?;
        }
        operator.converge(&mut world)?;
        // From here on what was lowered does not rise again.
        world.settle_bounds();
        operator.converge(&mut world)?;
        for (uid, member) in &world.members {
            prop_assert!(!member.deleted, "who was deleted has left");
            let own = &world.spaces[&SpaceId(uid.0)];
            let lent: u64 = member.granted.values().map(|granted| granted.0).sum();
            prop_assert_eq!(own.limit, member.quota.saturating_sub(lent), "nothing lies idle");
            for (group, granted) in &member.granted {
                let disk = &world.spaces[&SpaceId(group.0)];
                let wanted = member.allocations.get(group).copied().unwrap_or_default();
                prop_assert!(granted.0 <= wanted || disk.used >= disk.limit, "more is out than is in use");
            }
        }
        // And once nothing is in use, everything is as wanted.
        world.spaces.values_mut().for_each(|space| space.used = 0);
        operator.converge(&mut world)?;
        for (uid, member) in &world.members {
            let wanted = |(group, size): (&GroupUid, &u64)| {
                (world.groups.contains_key(group) && *size > 0).then_some((*group, Bytes(*size)))
            };
            let wanted: Grants = member.allocations.iter().filter_map(wanted).collect();
            prop_assert_eq!(&member.granted, &wanted);
            let lent: u64 = wanted.values().map(|granted| granted.0).sum();
            prop_assert_eq!(world.limit(uid.0), member.quota - lent);
        }
        for uid in world.groups.keys() {
            let lent: u64 = world.members.values().filter_map(|member| member.granted.get(uid)).map(|one| one.0).sum();
            prop_assert_eq!(world.limit(uid.0), lent);
        }
    }
}
