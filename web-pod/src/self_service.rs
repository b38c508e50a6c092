//! What members change themselves: groups they make, and the part of their quota that each group gets. Every change
//! is one patch of one Member or Group, made under the account of the web pods, whom admission policies hold to
//! just this.

mod denied;
mod item;
mod name;

use std::time::Duration;

use api::bytes::Bytes;
use api::ids::{GroupName, GroupUid, MemberName};
use api::kubernetes::group::{Group, GroupMember, GroupSpec, JoinPolicy, Joining, ListedRole};
use api::kubernetes::reference::ClusterReference;
use api::problem::ProblemCode;
use api::role::Role;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::StatusCode;
use kube::api::PostParams;
use kube::{Api, Client};
use roster::{GroupCreation, GroupEntry, MemberEntry, Roster};
use serde::{Deserialize, Serialize};
use serve::problem::Refusal;

use crate::app::App;
use crate::body::Body;
use crate::config::Watched;
use crate::session::{self, SignedIn};
pub(crate) use denied::{away, denied};
use item::{Edit, Item, Lists};

/// Names the web pods among those who write fields of Members and Groups.
pub(crate) const FIELD_MANAGER: &str = "internetdisk-web";

/// A member waits for the answer; the Kubernetes API either gives one soon or is away.
const PATIENCE: Duration = Duration::from_secs(5);

const LONGEST_DISPLAY_NAME: usize = 128;
const LONGEST_DESCRIPTION: usize = 2048;

/// Changes Members and Groups of one DiskCluster.
#[derive(Clone, Debug)]
pub struct SelfService {
    lists: Lists,
    groups: Api<Group>,
    cluster: String,
}

impl SelfService {
    /// Changes those of this DiskCluster.
    pub fn new(client: Client, watched: Watched) -> Self {
        let Watched { namespace, cluster } = watched;
        Self {
            lists: Lists::new(client.clone(), &namespace, &cluster),
            groups: Api::namespaced(client, &namespace),
            cluster,
        }
    }

    /// Sets, or takes away, what a member gives to a group.
    async fn allocate(
        &self,
        member: &MemberEntry,
        group: &GroupName,
        given: Option<(GroupUid, Bytes)>,
    ) -> Result<(), Refusal> {
        let value = given.map(
            |(uid, size)| serde_json::json!({ "group": group, "size": size.to_quantity(), "groupUID": uid }),
        );
        let item = Item { list: "allocations", key: "group", name: group.as_str() };
        let edit = Edit { item, value, uid: member.uid.0 };
        in_time(self.lists.edit_member(member.name.as_str(), &edit)).await
    }

    async fn create(&self, wanted: &NewGroup, owner: &MemberEntry) -> Result<(GroupName, GroupUid), Refusal> {
        let spec = GroupSpec {
            cluster_ref: ClusterReference { name: self.cluster.clone() },
            display_name: Some(wanted.display_name.clone()),
            description: wanted.description.clone(),
            joining: Joining { policy: wanted.joining, ..Joining::default() },
            members: vec![GroupMember {
                name: owner.name.to_string(),
                role: ListedRole::Owner,
                member_uid: Some(owner.uid.to_string()),
            }],
            access: Default::default(),
            deletion_policy: Default::default(),
            space_id: None,
        };
        let mut group = Group::new("", spec);
        group.metadata.name = None;
        group.metadata.generate_name = Some(name::prefix(&wanted.display_name));
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let made =
            in_time(async { self.groups.create(&params, &group).await.map_err(|error| denied(&error)) })
                .await?;
        let identity = made.metadata.name.zip(made.metadata.uid);
        let (name, uid) =
            identity.ok_or_else(|| Refusal::internal("a group was made without name or uid"))?;
        Ok((name.parse().map_err(Refusal::internal)?, uid.parse().map_err(Refusal::internal)?))
    }
}

pub(crate) async fn in_time<T>(work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(denied::away("no answer in time")))
}

fn kubernetes(app: &App) -> Result<&SelfService, Refusal> {
    app.self_service.as_ref().ok_or_else(|| denied::away("this web pod was started without --watch"))
}

fn me<'a>(roster: &'a Roster, who: &SignedIn) -> Result<&'a MemberEntry, Refusal> {
    roster.member_by_uid(who.member()).ok_or_else(session::suspended)
}

/// The wish for a new group.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewGroup {
    display_name: String,
    description: Option<String>,
    #[serde(default)]
    joining: JoinPolicy,
    /// What the maker gives.
    size: Bytes,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    name: GroupName,
    uid: GroupUid,
    display_name: String,
    size: Bytes,
}

/// `POST /api/groups`
pub(crate) async fn create(
    State(app): State<App>,
    who: SignedIn,
    Body(mut wanted): Body<NewGroup>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let member = me(&roster, &who)?;
    wanted.display_name = wanted.display_name.trim().to_owned();
    wanted.description = wanted.description.filter(|text| !text.trim().is_empty());
    may_create(&roster, member, &wanted)?;
    enough_left(member, None, wanted.size)?;
    let kubernetes = kubernetes(&app)?;
    let (name, uid) = kubernetes.create(&wanted, member).await?;
    tracing::info!(group = %name, member = %member.name, "A member made a group.");
    kubernetes.allocate(member, &name, Some((uid, wanted.size))).await?;
    let made = Made { name, uid, display_name: wanted.display_name, size: wanted.size };
    Ok((StatusCode::CREATED, Json(made)))
}

/// What the Kubernetes API refuses as well is checked here for better words, and what it cannot count is counted.
fn may_create(roster: &Roster, member: &MemberEntry, wanted: &NewGroup) -> Result<(), Refusal> {
    let settings = &roster.settings().groups;
    let bad = |detail: String| Err(Refusal::new(ProblemCode::BadRequest, detail));
    if settings.creation == GroupCreation::Administrators {
        return Err(Refusal::new(
            ProblemCode::Forbidden,
            "here only administrators make groups: ask one of them",
        ));
    }
    if wanted.display_name.is_empty() || wanted.display_name.chars().count() > LONGEST_DISPLAY_NAME {
        return bad(format!("give the group a name of at most {LONGEST_DISPLAY_NAME} characters"));
    }
    if wanted.description.as_ref().is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        return bad(format!("describe the group in at most {LONGEST_DESCRIPTION} characters"));
    }
    let policy = match wanted.joining {
        JoinPolicy::Open => roster::JoinPolicy::Open,
        JoinPolicy::OnRequest => roster::JoinPolicy::OnRequest,
        JoinPolicy::InviteOnly => roster::JoinPolicy::InviteOnly,
    };
    if !settings.join_policies.contains(&policy) {
        return bad("this way of joining is not allowed here: choose another one".to_owned());
    }
    let owned = roster
        .groups_of(member.uid)
        .filter(|group| roster.participant(group, member.uid).is_some_and(|one| one.role == Role::Owner))
        .count();
    if owned >= usize::try_from(settings.maximum_per_member).unwrap_or(usize::MAX) {
        return Err(Refusal::new(
            ProblemCode::Forbidden,
            format!("you own {owned} groups, which is as many as one may own here"),
        ));
    }
    Ok(())
}

/// Whether the quota has room for `size` instead of what `group` has now.
fn enough_left(member: &MemberEntry, group: Option<&GroupName>, size: Bytes) -> Result<(), Refusal> {
    let others: Bytes =
        member.allocations.iter().filter(|one| Some(&one.group) != group).map(|one| one.size).sum();
    let left = member.quota.saturating_sub(others);
    if size > left {
        return Err(Refusal::new(
            ProblemCode::QuotaExceeded,
            format!(
                "of your {} there are {left} left to give: take something back from another group first",
                member.quota
            ),
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contribution {
    size: Bytes,
}

#[derive(Serialize)]
struct Given {
    group: GroupName,
    size: Bytes,
}

/// `PUT /api/allocations/{group}`: joins, raises or lowers. It takes effect when the operator has moved the limits.
pub(crate) async fn allocate(
    State(app): State<App>,
    who: SignedIn,
    Path(name): Path<String>,
    Body(Contribution { size }): Body<Contribution>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let member = me(&roster, &who)?;
    let group = roster
        .group_by_name(&name)
        .filter(|group| may_know(&roster, group, member))
        .ok_or_else(no_such_group)?;
    if size < group.joining.minimum {
        return Err(Refusal::new(
            ProblemCode::BadRequest,
            format!("this group asks for at least {}", group.joining.minimum),
        ));
    }
    enough_left(member, Some(&group.name), size)?;
    kubernetes(&app)?.allocate(member, &group.name, Some((group.uid, size))).await?;
    Ok((StatusCode::ACCEPTED, Json(Given { group: group.name.clone(), size })))
}

/// A group that is by invitation is known to those who are invited or have a part in it.
fn may_know(roster: &Roster, group: &GroupEntry, member: &MemberEntry) -> bool {
    group.joining.policy != roster::JoinPolicy::InviteOnly
        || roster.participant(group, member.uid).is_some()
        || group.invited.iter().any(|invited| invited.name == member.name)
        || member.allocations.iter().any(|allocation| allocation.group == group.name)
}

fn no_such_group() -> Refusal {
    Refusal::new(ProblemCode::NotFound, "there is no such group, or it is by invitation")
}

/// `DELETE /api/allocations/{group}`: leaves. What the group's files need comes back as they become less.
pub(crate) async fn leave(
    State(app): State<App>,
    who: SignedIn,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let member = me(&roster, &who)?;
    let name: GroupName = name.parse().map_err(|_| no_such_group())?;
    if let Some(group) = roster.group_by_name(name.as_str()) {
        others_have_an_owner(&roster, group, member)?;
    }
    kubernetes(&app)?.allocate(member, &name, None).await?;
    Ok(StatusCode::ACCEPTED)
}

fn others_have_an_owner(roster: &Roster, group: &GroupEntry, member: &MemberEntry) -> Result<(), Refusal> {
    let owns = roster.participant(group, member.uid).is_some_and(|one| one.role == Role::Owner);
    let mut others = group.participants.iter().filter(|one| one.member != member.uid).peekable();
    if owns && others.peek().is_some() && !others.any(|one| one.role == Role::Owner) {
        return Err(Refusal::new(
            ProblemCode::Conflict,
            "you are the only owner: make another participant an owner first",
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Admission {
    role: ListedRole,
}

/// `PUT /api/groups/{group}/members/{member}`: an owner invites, admits, gives another role, or blocks.
pub(crate) async fn admit(
    State(app): State<App>,
    who: SignedIn,
    Path((group, member)): Path<(String, String)>,
    Body(Admission { role }): Body<Admission>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let group = owned(&roster, &group, &who)?;
    let name: MemberName = member.parse().map_err(|_| no_such_member())?;
    let uid = roster.member_by_name(name.as_str()).ok_or_else(no_such_member)?.uid;
    let value = serde_json::json!({ "name": name, "role": role, "memberUID": uid });
    let item = Item { list: "members", key: "name", name: name.as_str() };
    let edit = Edit { item, value: Some(value), uid: group.uid.0 };
    in_time(kubernetes(&app)?.lists.edit_group(group.name.as_str(), &edit)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `DELETE /api/groups/{group}/members/{member}`: an owner takes an admission back.
pub(crate) async fn dismiss(
    State(app): State<App>,
    who: SignedIn,
    Path((group, member)): Path<(String, String)>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let group = owned(&roster, &group, &who)?;
    let item = Item { list: "members", key: "name", name: &member };
    let edit = Edit { item, value: None, uid: group.uid.0 };
    in_time(kubernetes(&app)?.lists.edit_group(group.name.as_str(), &edit)).await?;
    Ok(StatusCode::ACCEPTED)
}

fn owned<'a>(roster: &'a Roster, name: &str, who: &SignedIn) -> Result<&'a GroupEntry, Refusal> {
    let member = me(roster, who)?;
    let group = roster
        .group_by_name(name)
        .filter(|group| may_know(roster, group, member))
        .ok_or_else(no_such_group)?;
    match roster.role_in(member.uid, group.space) {
        Some(Role::Owner) => Ok(group),
        _ => Err(Refusal::new(ProblemCode::Forbidden, "only owners of a group decide who takes part")),
    }
}

fn no_such_member() -> Refusal {
    Refusal::new(ProblemCode::NotFound, "there is no member of that name")
}
