//! A Group, read and checked.

use std::sync::Arc;

use api::bytes::Bytes;
use api::ids::{GroupName, GroupUid, SpaceId, VolumeName};
use api::kubernetes::Group;
use api::kubernetes::group::{GroupAccess as SpecAccess, JoinPolicy as SpecPolicy, ListedRole as SpecRole};
use kube::ResourceExt;
use roster::compile::{GroupWanted, ListedMember, ListedRole};
use roster::{GroupAccess, JoinPolicy, Joining};

use crate::members::{self, Presence};

/// A Group that makes sense.
#[derive(Clone, Debug)]
pub(crate) struct GroupAccount {
    pub(crate) object: Arc<Group>,
    pub(crate) uid: GroupUid,
    pub(crate) name: GroupName,
    pub(crate) space: SpaceId,
    pub(crate) volume: VolumeName,
    pub(crate) presence: Presence,
    joining: Joining,
    members: Vec<ListedMember>,
}

impl GroupAccount {
    /// Reads a Group. `place` finds the volume of a space that has none yet; `is_empty` says whether nothing is in a
    /// group and nothing lent to it.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and what to do.
    pub(crate) fn read(
        object: Arc<Group>,
        place: impl Fn(SpaceId) -> Option<VolumeName>,
        is_empty: impl Fn(GroupUid, SpaceId) -> bool,
    ) -> Result<Self, String> {
        let name: GroupName = object.name_any().parse().map_err(|error| format!("{error}"))?;
        let uid: GroupUid = object.uid().unwrap_or_default().parse().map_err(|error| format!("{error}"))?;
        let status = object.status.clone().unwrap_or_default();
        let space = members::space(status.space_id.as_deref(), object.spec.space_id.as_deref(), uid.0)?;
        let volume = members::volume(status.volume.as_deref(), space, place)?;
        let minimum = object.spec.joining.minimum_contribution.bytes();
        let minimum = minimum.map_err(|error| format!("spec.joining.minimumContribution: {error}"))?;
        let joining = Joining {
            policy: match object.spec.joining.policy {
                SpecPolicy::Open => JoinPolicy::Open,
                SpecPolicy::OnRequest => JoinPolicy::OnRequest,
                SpecPolicy::InviteOnly => JoinPolicy::InviteOnly,
            },
            default_role: object.spec.joining.default_role.into(),
            minimum,
        };
        let mut members = Vec::new();
        for listed in &object.spec.members {
            let wrong = |error: &dyn std::fmt::Display| format!("spec.members, {}: {error}", listed.name);
            members.push(ListedMember {
                name: listed.name.parse().map_err(|error| wrong(&error))?,
                uid: match listed.member_uid.as_deref().map(str::parse) {
                    Some(uid) => Some(uid.map_err(|error| wrong(&error))?),
                    None => None,
                },
                role: role(listed.role),
            });
        }
        let presence = match object.metadata.deletion_timestamp {
            None => Presence::Stays,
            Some(_) if members::is_confirmed(&*object) || is_empty(uid, space) => Presence::Leaves,
            Some(_) => Presence::Waits,
        };
        Ok(Self { object, uid, name, space, volume, presence, joining, members })
    }

    /// What goes into the roster.
    pub(crate) fn wanted(&self) -> GroupWanted {
        GroupWanted {
            name: self.name.clone(),
            uid: self.uid,
            space: self.space,
            volume: self.volume.clone(),
            display_name: self.object.spec.display_name.clone(),
            description: self.object.spec.description.clone(),
            joining: self.joining,
            access: match self.object.spec.access {
                SpecAccess::ReadWrite => GroupAccess::ReadWrite,
                SpecAccess::ReadOnly => GroupAccess::ReadOnly,
            },
            members: self.members.clone(),
        }
    }

    /// The limit, as it was in force when the status was written.
    pub(crate) fn recorded_limit(&self) -> Option<Bytes> {
        self.object.status.as_ref()?.capacity.as_ref()?.bytes().ok()
    }
}

fn role(role: SpecRole) -> ListedRole {
    role.in_space().map_or(ListedRole::Blocked, ListedRole::Admitted)
}
