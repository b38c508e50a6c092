//! What all Members and Groups together amount to: pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use api::bytes::Bytes;
use api::ids::{GroupName, GroupUid, MemberUid, SpaceId, VolumeName};
use api::kubernetes::{Group, Member};
use jiff::Timestamp;
use kube::{Resource, ResourceExt};
use roster::compile::{Compiled, compile};

use super::finalizers::is_held;
use super::term::Term;
use crate::groups::GroupAccount;
use crate::lending::{Books, Doubts, GroupBook, InForce, MemberBook, Standing};
use crate::members::status::GroupSeen;
use crate::members::{MemberAccount, Presence};

/// All Members and Groups of a DiskCluster.
#[derive(Debug, Default)]
pub(super) struct Assessment {
    pub(super) members: BTreeMap<MemberUid, MemberAccount>,
    pub(super) groups: BTreeMap<GroupUid, GroupAccount>,
    /// Those that make no sense, and why.
    pub(super) refused_members: Vec<(Arc<Member>, String)>,
    pub(super) refused_groups: Vec<(Arc<Group>, String)>,
    /// Who takes part in what.
    pub(super) compiled: Compiled,
    /// The groups by name, for the statuses of members.
    pub(super) seen: BTreeMap<GroupName, GroupSeen>,
}

/// What is looked at.
pub(super) struct Objects {
    pub(super) members: Vec<Arc<Member>>,
    pub(super) groups: Vec<Arc<Group>>,
    /// Volumes that take new spaces.
    pub(super) volumes: Vec<VolumeName>,
}

/// Looks at everything.
pub(super) fn assess(objects: Objects, in_force: &InForce) -> Assessment {
    let Objects { members, groups, volumes } = objects;
    let place = |space| placed(space, &volumes);
    let mut assessment = Assessment::default();
    // The older one keeps a space that two ask for.
    let mut taken: HashMap<SpaceId, String> = HashMap::new();
    let mut lent: HashMap<GroupUid, Bytes> = HashMap::new();
    for object in by_age(members) {
        let read = MemberAccount::read(Arc::clone(&object), place).and_then(|account| {
            claim(&mut taken, account.space, format!("Member {}", account.name))?;
            Ok(account)
        });
        match read {
            Ok(account) => {
                for (group, granted) in &account.granted {
                    let sum = lent.entry(*group).or_default();
                    *sum = sum.saturating_add(*granted);
                }
                // One that is new is held before anything is in force for it.
                if is_held(&*object) || !account.granted.is_empty() {
                    assessment.members.insert(account.uid, account);
                }
            }
            Err(why) => assessment.refused_members.push((object, why)),
        }
    }
    let is_empty = |uid: GroupUid, space: SpaceId| {
        lent.get(&uid).is_none_or(|lent| *lent == Bytes::ZERO)
            && in_force.get(space).is_some_and(|disk| disk.used == Bytes::ZERO)
    };
    for object in by_age(groups) {
        let read = GroupAccount::read(Arc::clone(&object), place, is_empty).and_then(|account| {
            claim(&mut taken, account.space, format!("Group {}", account.name))?;
            Ok(account)
        });
        match read {
            Ok(account) if is_held(&*object) => {
                assessment.groups.insert(account.uid, account);
            }
            Ok(_) => {}
            Err(why) => assessment.refused_groups.push((object, why)),
        }
    }
    assessment.admit(in_force);
    assessment
}

impl Assessment {
    /// Compiles those who do not leave, with the limits that are in force.
    fn admit(&mut self, in_force: &InForce) {
        let limit = |account: &MemberAccount| {
            in_force.get(account.space).map(|own| own.limit).or_else(|| account.recorded_limit())
        };
        let members: Vec<_> = self
            .members
            .values()
            .filter(|account| account.presence != Presence::Leaves)
            .map(|account| account.wanted(limit(account).unwrap_or_default()))
            .collect();
        let groups: Vec<_> = self
            .groups
            .values()
            .filter(|account| account.presence != Presence::Leaves)
            .map(GroupAccount::wanted)
            .collect();
        self.compiled = compile(&members, &groups);
        for entry in &mut self.compiled.groups {
            let account = self.groups.get(&entry.uid);
            let limit = account.and_then(|account| {
                in_force.get(account.space).map(|disk| disk.limit).or_else(|| account.recorded_limit())
            });
            entry.capacity = limit.unwrap_or_default();
        }
        let seen = self.compiled.groups.iter().map(|entry| {
            let roles = entry.participants.iter().map(|one| (one.member, one.role)).collect();
            (entry.name.clone(), GroupSeen { uid: entry.uid, policy: entry.joining.policy, roles })
        });
        self.seen = seen.collect();
    }

    /// What of it is published: those whose disks are there.
    pub(super) fn publishable(&self, in_force: &InForce) -> Compiled {
        let mut compiled = self.compiled.clone();
        compiled.members.retain_mut(|entry| {
            let recorded = self.members.get(&entry.uid).and_then(MemberAccount::recorded_limit);
            let limit = in_force.get(entry.space).map(|own| own.limit).or(recorded);
            entry.limit = limit.unwrap_or_default();
            limit.is_some()
        });
        compiled.groups.retain_mut(|entry| {
            let recorded = self.groups.get(&entry.uid).and_then(GroupAccount::recorded_limit);
            let limit = in_force.get(entry.space).map(|disk| disk.limit).or(recorded);
            entry.capacity = limit.unwrap_or_default();
            limit.is_some()
        });
        compiled
    }

    /// The books for lending.
    pub(super) fn books(&self, in_force: &InForce, doubts: &Doubts, term: &Term) -> Books {
        let standing = |presence| match presence {
            Presence::Stays | Presence::Waits => Standing::Stays,
            Presence::Leaves => Standing::Leaves,
        };
        let mut wanted: HashMap<MemberUid, BTreeMap<GroupUid, Bytes>> = HashMap::new();
        for group in &self.compiled.groups {
            let stays = self.groups.get(&group.uid).is_some_and(|one| one.presence == Presence::Stays);
            for participant in group.participants.iter().filter(|_| stays) {
                wanted.entry(participant.member).or_default().insert(group.uid, participant.size);
            }
        }
        let mut books = Books::default();
        for (uid, account) in &self.members {
            let mut wanted = wanted.remove(uid).unwrap_or_default();
            // A status has one place for a name: what was lent to a group before comes back first.
            wanted.retain(|group, _| {
                let name = self.groups.get(group).map(|group| &group.name);
                !account.lent_to.iter().any(|(other, lent_to)| other != group && Some(lent_to) == name)
            });
            books.members.insert(
                *uid,
                MemberBook {
                    space: account.space,
                    volume: account.volume.clone(),
                    quota: account.quota,
                    wanted,
                    granted: doubts.granted(*uid, &account.version(), &account.granted),
                    own: in_force.get(account.space),
                    standing: standing(account.presence),
                    claimed: term.claims(account),
                },
            );
        }
        for (uid, account) in &self.groups {
            books.groups.insert(
                *uid,
                GroupBook {
                    space: account.space,
                    volume: account.volume.clone(),
                    disk: in_force.get(account.space),
                    standing: standing(account.presence),
                },
            );
        }
        self.add_the_gone(&mut books, in_force);
        books
    }

    /// Groups that went without being let go, when somebody took the finalizer away, and to which something is still
    /// lent: their spaces are closed, too.
    fn add_the_gone(&self, books: &mut Books, in_force: &InForce) {
        let lent = self
            .members
            .values()
            .flat_map(|account| account.granted.keys().map(|group| (*group, account.volume.clone())));
        let gone: BTreeMap<GroupUid, VolumeName> =
            lent.filter(|(group, _)| !books.groups.contains_key(group)).collect();
        for (uid, volume) in gone {
            let refused = self.refused_groups.iter().any(|(group, _)| group.uid() == Some(uid.to_string()));
            if refused {
                continue;
            }
            let space = SpaceId(uid.0);
            let disk = in_force.get(space);
            books.groups.insert(uid, GroupBook { space, volume, disk, standing: Standing::Leaves });
        }
    }

    /// Whether a space is somebody's.
    pub(super) fn spaces(&self, books: &Books) -> std::collections::HashSet<SpaceId> {
        let members = books.members.values().map(|member| member.space);
        members.chain(books.groups.values().map(|group| group.space)).collect()
    }
}

fn claim(taken: &mut HashMap<SpaceId, String>, space: SpaceId, who: String) -> Result<(), String> {
    match taken.get(&space) {
        Some(other) => Err(format!(
            "spaceID {space} is the disk of {other} already: leave spec.spaceID out, or name another"
        )),
        None => {
            taken.insert(space, who);
            Ok(())
        }
    }
}

fn by_age<K: Resource>(mut objects: Vec<Arc<K>>) -> Vec<Arc<K>> {
    let age = |object: &K| {
        let created = object.meta().creation_timestamp.as_ref().map_or(Timestamp::MAX, |time| time.0);
        (created, object.meta().uid.clone())
    };
    objects.sort_by_cached_key(|object| age(object));
    objects
}

/// The volume of a new space: the same for the same volumes, so that a status that got lost changes nothing, and of few
/// spaces another one when a volume is added.
fn placed(space: SpaceId, volumes: &[VolumeName]) -> Option<VolumeName> {
    volumes.iter().max_by_key(|volume| roster::digest(format!("{space}/{volume}").as_bytes())).cloned()
}
