//! A Member, read and checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::bytes::Bytes;
use api::ids::{GroupName, GroupUid, MemberName, MemberUid, SpaceId, VolumeName};
use api::kubernetes::Member;
use api::kubernetes::labels::CONFIRM_DELETION;
use api::kubernetes::member::MemberState as SpecState;
use kube::ResourceExt;
use roster::compile::{AllocationWanted, Lent, MemberWanted};
use roster::{Identity, MemberState};

use crate::lending::Grants;

/// Whether an object stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It does.
    Stays,
    /// It was deleted, and waits for what others still use of it.
    Waits,
    /// It leaves now.
    Leaves,
}

/// A Member that makes sense.
#[derive(Clone, Debug)]
pub(crate) struct MemberAccount {
    pub(crate) object: Arc<Member>,
    pub(crate) uid: MemberUid,
    pub(crate) name: MemberName,
    pub(crate) space: SpaceId,
    pub(crate) volume: VolumeName,
    pub(crate) quota: Bytes,
    pub(crate) presence: Presence,
    pub(crate) allocations: Vec<AllocationWanted>,
    /// What the status says is lent.
    pub(crate) granted: Grants,
    /// The names of the groups it is lent to.
    pub(crate) lent_to: BTreeMap<GroupUid, GroupName>,
}

impl MemberAccount {
    /// Reads a Member. `place` finds the volume of a space that has none yet.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and what to do.
    pub(crate) fn read(
        object: Arc<Member>,
        place: impl Fn(SpaceId) -> Option<VolumeName>,
    ) -> Result<Self, String> {
        let name: MemberName = object.name_any().parse().map_err(|error| format!("{error}"))?;
        let uid: MemberUid = object.uid().unwrap_or_default().parse().map_err(|error| format!("{error}"))?;
        let quota = object.spec.quota.bytes().map_err(|error| format!("spec.quota: {error}"))?;
        let status = object.status.clone().unwrap_or_default();
        let space = space(status.space_id.as_deref(), object.spec.space_id.as_deref(), uid.0)?;
        let volume = volume(status.volume.as_deref(), space, place)?;
        let mut allocations = Vec::new();
        for allocation in &object.spec.allocations {
            let wrong =
                |error: &dyn std::fmt::Display| format!("spec.allocations, {}: {error}", allocation.group);
            allocations.push(AllocationWanted {
                group: allocation.group.parse().map_err(|error| wrong(&error))?,
                group_uid: match allocation.group_uid.as_deref().map(str::parse) {
                    Some(uid) => Some(uid.map_err(|error| wrong(&error))?),
                    None => None,
                },
                size: allocation.size.bytes().map_err(|error| wrong(&error))?,
            });
        }
        let (mut granted, mut lent_to) = (Grants::new(), BTreeMap::new());
        for one in &status.allocations {
            let group_uid = one.group_uid.as_deref().and_then(|uid| uid.parse::<GroupUid>().ok());
            let amount = one.granted.as_ref().and_then(|granted| granted.bytes().ok()).unwrap_or_default();
            let (Some(group_uid), Ok(group)) = (group_uid, one.group.parse::<GroupName>()) else { continue };
            if amount > Bytes::ZERO {
                granted.insert(group_uid, amount);
                lent_to.insert(group_uid, group);
            }
        }
        let presence = match object.metadata.deletion_timestamp {
            None => Presence::Stays,
            Some(_) if granted.is_empty() || is_confirmed(&*object) => Presence::Leaves,
            Some(_) => Presence::Waits,
        };
        Ok(Self { object, uid, name, space, volume, quota, presence, allocations, granted, lent_to })
    }

    /// What goes into the roster, with the limit that is in force.
    pub(crate) fn wanted(&self, limit: Bytes) -> MemberWanted {
        let state = match (self.presence, self.object.spec.state) {
            (Presence::Waits | Presence::Leaves, _) | (Presence::Stays, SpecState::Suspended) => {
                MemberState::Suspended
            }
            (Presence::Stays, SpecState::Active) => MemberState::Active,
            (Presence::Stays, SpecState::Pending) => MemberState::Pending,
        };
        let allocations = match self.presence {
            Presence::Stays => self.allocations.clone(),
            Presence::Waits | Presence::Leaves => Vec::new(),
        };
        let lent = self.granted.iter().filter_map(|(group_uid, granted)| {
            let group = self.lent_to.get(group_uid)?.clone();
            Some(Lent { group, group_uid: *group_uid, granted: *granted })
        });
        MemberWanted {
            name: self.name.clone(),
            uid: self.uid,
            space: self.space,
            volume: self.volume.clone(),
            display_name: self.object.spec.display_name.clone(),
            state,
            identities: self
                .object
                .spec
                .identities
                .iter()
                .map(|one| Identity {
                    provider: one.provider.as_str().into(),
                    subject: one.subject.as_str().into(),
                })
                .collect(),
            quota: self.quota,
            limit,
            allocations,
            lent: lent.collect(),
        }
    }

    /// The version of the Member that this is.
    pub(crate) fn version(&self) -> String {
        self.object.resource_version().unwrap_or_default()
    }

    /// The term of the leadership that wrote the status.
    pub(crate) fn term(&self) -> Option<i64> {
        self.object.status.as_ref()?.term
    }

    /// The limit of the own disk, as it was in force when the status was written.
    pub(crate) fn recorded_limit(&self) -> Option<Bytes> {
        self.object.status.as_ref()?.available.as_ref()?.bytes().ok()
    }
}

/// Whether somebody said that an object is to be deleted whatever belongs to it.
pub(crate) fn is_confirmed<K: ResourceExt>(object: &K) -> bool {
    object.annotations().get(CONFIRM_DELETION) == Some(&object.name_any())
}

/// A space is chosen once: what the status says stays.
pub(crate) fn space(status: Option<&str>, spec: Option<&str>, uid: uuid::Uuid) -> Result<SpaceId, String> {
    match status.or(spec) {
        Some(text) => text.parse().map_err(|error| format!("spaceID: {error}")),
        None => Ok(SpaceId(uid)),
    }
}

pub(crate) fn volume(
    status: Option<&str>,
    space: SpaceId,
    place: impl Fn(SpaceId) -> Option<VolumeName>,
) -> Result<VolumeName, String> {
    match status.map(str::parse) {
        Some(Ok(volume)) => Ok(volume),
        Some(Err(error)) => Err(format!("status.volume: {error}")),
        None => place(space).ok_or_else(|| {
            "no volume of the DiskCluster takes new spaces: set one in spec.volumes to Active".to_owned()
        }),
    }
}
