//! `GET /api/spaces`: the member's own disk, the groups, and which further ones could be joined.

use api::bytes::Bytes;
use api::generation::RosterGeneration;
use api::ids::{GroupName, GroupUid, MemberName, SpaceId};
use api::role::Role;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use roster::{
    AllocationEntry, GroupAccess, GroupEntry, Invitation, JoinPolicy, Joining, MemberEntry, Request, Roster,
};
use serde::Serialize;
use serve::problem::Refusal;

use crate::app::App;
use crate::session::{self, SignedIn};

/// So many open groups are listed; with more, one is invited or knows the name.
const MOST_OPEN: usize = 500;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spaces<'a> {
    generation: RosterGeneration,
    /// Where a disk is mounted, if it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    dav_url: Option<&'a str>,
    own: Own<'a>,
    groups: Vec<GroupView<'a>>,
    invitations: Vec<Offer<'a>>,
    open: Vec<Offer<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Own<'a> {
    space: SpaceId,
    quota: Bytes,
    limit: Bytes,
    allocations: &'a [AllocationEntry],
}

/// A group in which the member takes part.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupView<'a> {
    name: &'a GroupName,
    uid: GroupUid,
    display_name: &'a str,
    description: Option<&'a str>,
    space: SpaceId,
    role: Role,
    capacity: Bytes,
    /// What the member has given, and what the member wants to give.
    granted: Bytes,
    size: Bytes,
    access: GroupAccess,
    joining: Joining,
    participants: Vec<Fellow<'a>>,
    /// For owners alone.
    requests: &'a [Request],
    invited: &'a [Invitation],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fellow<'a> {
    name: &'a MemberName,
    display_name: &'a str,
    role: Role,
    granted: Bytes,
}

/// A group that the member could join, or ask to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Offer<'a> {
    name: &'a GroupName,
    uid: GroupUid,
    display_name: &'a str,
    description: Option<&'a str>,
    policy: JoinPolicy,
    minimum: Bytes,
    role: Role,
    /// How many take part.
    participants: usize,
}

pub(crate) async fn list(State(app): State<App>, who: SignedIn) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let member = roster.member_by_uid(who.member()).ok_or_else(session::suspended)?;
    Ok(Json(spaces(&roster, member)).into_response())
}

fn spaces<'a>(roster: &'a Roster, member: &'a MemberEntry) -> Spaces<'a> {
    let mut groups: Vec<_> =
        roster.groups_of(member.uid).filter_map(|group| group_view(roster, member, group)).collect();
    groups.sort_by(|a, b| a.name.cmp(b.name));
    let mut invitations = Vec::new();
    let mut open = Vec::new();
    for group in roster.groups() {
        if roster.participant(group, member.uid).is_some() {
            continue;
        }
        let asked = member.allocations.iter().any(|allocation| allocation.group == group.name);
        if let Some(invited) = group.invited.iter().find(|invited| invited.name == member.name) {
            invitations.push(offer(group, invited.role));
        } else if group.joining.policy != JoinPolicy::InviteOnly && !asked {
            open.push(offer(group, group.joining.default_role));
        }
    }
    invitations.sort_by(|a, b| a.name.cmp(b.name));
    open.sort_by(|a, b| a.name.cmp(b.name));
    open.truncate(MOST_OPEN);
    Spaces {
        generation: roster.generation(),
        dav_url: roster.settings().dav_url.as_deref(),
        own: Own {
            space: member.space,
            quota: member.quota,
            limit: member.limit,
            allocations: &member.allocations,
        },
        groups,
        invitations,
        open,
    }
}

fn group_view<'a>(roster: &'a Roster, member: &MemberEntry, group: &'a GroupEntry) -> Option<GroupView<'a>> {
    let own = roster.participant(group, member.uid)?;
    let mut participants: Vec<Fellow<'_>> = group
        .participants
        .iter()
        .map(|one| Fellow {
            name: &one.name,
            display_name: roster
                .member_by_uid(one.member)
                .and_then(|member| member.display_name.as_deref())
                .unwrap_or(one.name.as_str()),
            role: one.role,
            granted: one.granted,
        })
        .collect();
    participants.sort_by(|a, b| a.name.cmp(b.name));
    let decides = own.role == Role::Owner;
    Some(GroupView {
        name: &group.name,
        uid: group.uid,
        display_name: display_name(group),
        description: group.description.as_deref(),
        space: group.space,
        role: own.role,
        capacity: group.capacity,
        granted: own.granted,
        size: own.size,
        access: group.access,
        joining: group.joining,
        participants,
        requests: if decides { &group.requests } else { &[] },
        invited: if decides { &group.invited } else { &[] },
    })
}

fn offer(group: &GroupEntry, role: Role) -> Offer<'_> {
    Offer {
        name: &group.name,
        uid: group.uid,
        display_name: display_name(group),
        description: group.description.as_deref(),
        policy: group.joining.policy,
        minimum: group.joining.minimum,
        role,
        participants: group.participants.len(),
    }
}

fn display_name(group: &GroupEntry) -> &str {
    group.display_name.as_deref().unwrap_or(group.name.as_str())
}
