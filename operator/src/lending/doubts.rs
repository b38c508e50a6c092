//! Writes of grants whose outcome is not known.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use api::ids::{GroupUid, MemberUid};

use super::books::Granted;
use super::plan::Grants;

/// Grants that were sent to the API server. Every write names the version of the Member that it is based on, so one
/// that was lost can be done late, but only while that is the newest version.
#[derive(Debug, Default)]
pub struct Doubts {
    members: HashMap<MemberUid, Doubt>,
}

#[derive(Debug)]
struct Doubt {
    version: String,
    possible: Vec<Grants>,
}

impl Doubts {
    /// A write is about to be sent that is valid for this version only.
    pub fn sent(&mut self, member: MemberUid, version: &str, grants: &Grants) {
        let doubt = self
            .members
            .entry(member)
            .or_insert_with(|| Doubt { version: version.to_owned(), possible: Vec::new() });
        if doubt.version != version {
            *doubt = Doubt { version: version.to_owned(), possible: Vec::new() };
        }
        if !doubt.possible.contains(grants) {
            doubt.possible.push(grants.clone());
        }
    }

    /// The last write was done, so that there is a newer version now.
    pub fn done(&mut self, member: MemberUid) {
        self.members.remove(&member);
    }

    /// What is lent by a Member of which this version says this.
    pub fn granted(
        &self,
        member: MemberUid,
        version: &str,
        recorded: &Grants,
    ) -> BTreeMap<GroupUid, Granted> {
        let possible = match self.members.get(&member) {
            Some(doubt) if doubt.version == version => doubt.possible.as_slice(),
            Some(_) | None => &[],
        };
        let groups: BTreeSet<GroupUid> =
            recorded.keys().chain(possible.iter().flat_map(Grants::keys)).copied().collect();
        let amount = |grants: &Grants, group: &GroupUid| grants.get(group).copied().unwrap_or_default();
        groups
            .into_iter()
            .map(|group| {
                let mut granted = Granted::exactly(amount(recorded, &group));
                for grants in possible {
                    let other = amount(grants, &group);
                    granted = Granted { least: granted.least.min(other), most: granted.most.max(other) };
                }
                (group, granted)
            })
            .collect()
    }

    /// Whether something else than this may be what the next version says.
    pub fn is_about(&self, member: MemberUid, version: &str, recorded: &Grants) -> bool {
        self.members
            .get(&member)
            .is_some_and(|doubt| doubt.version == version && doubt.possible.iter().any(|one| one != recorded))
    }

    /// Forgets Members that are gone.
    pub fn retain(&mut self, keep: impl Fn(MemberUid) -> bool) {
        self.members.retain(|member, _| keep(*member));
    }
}
