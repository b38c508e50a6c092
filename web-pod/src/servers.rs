//! `POST /api/servers`: where is my disk? Two or three disk servers, best first, with a ticket that is good at each
//! of them; or the reason why there is none.

use std::time::{Duration, Instant};

use api::ids::{SpaceId, VolumeName};
use api::problem::ProblemCode;
use api::ticket::{Access, Ticket};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use roster::{GroupAccess, Mode, Owner, Roster};
use serde::{Deserialize, Serialize};
use serve::problem::Refusal;
use uuid::Uuid;

use crate::app::App;
use crate::body::Body;
use crate::disks::selector::{Candidate, NoServer, select};
use crate::session::SignedIn;

/// Long enough that no one file needs many, short enough that a role taken away is soon gone everywhere.
const TICKET_LIVES: SignedDuration = SignedDuration::from_mins(10);

/// When no server answers, the next answers to load probes are waited for: better a late answer than a wrong one.
const PATIENCE: Duration = Duration::from_millis(400);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    space: SpaceId,
    /// As much as the member may, if absent.
    access: Option<Access>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    ticket: String,
    expires: Timestamp,
    access: Access,
    servers: Vec<Server>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Server {
    pub(crate) name: String,
    url: String,
}

pub(crate) async fn find(
    State(app): State<App>,
    signed_in: SignedIn,
    Body(Wish { space, access }): Body<Wish>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let Permission { owner, most } = permission(&roster, &signed_in, space)?;
    let access = match (access, most) {
        (Some(Access::ReadWrite), Access::Read) => {
            return Err(Refusal::new(
                ProblemCode::ReadOnly,
                "you can read here, and not write: ask an owner, or ask for access \"Read\"",
            ));
        }
        (asked, most) => asked.unwrap_or(most),
    };
    let servers = pick(&app, space, owner.volume()).await?;
    let member = roster.member_by_uid(signed_in.member()).ok_or_else(unknown)?;
    let expires = ticket_end()?;
    let ticket = Ticket {
        cluster: app.cluster,
        member: member.uid,
        name: member.name.clone(),
        space,
        access,
        path: None,
        link: None,
        expires,
        id: Uuid::new_v4(),
    };
    let token = sign(&app, &roster, &ticket)?;
    Ok(Json(Found { ticket: token, expires, access, servers }).into_response())
}

/// Until when a ticket of now is good.
pub(crate) fn ticket_end() -> Result<Timestamp, Refusal> {
    Timestamp::now().checked_add(TICKET_LIVES).map_err(|error| Refusal::internal(error.to_string()))
}

/// Signs a ticket with a key that the disk pods know of.
pub(crate) fn sign(app: &App, roster: &Roster, ticket: &Ticket) -> Result<String, Refusal> {
    let ring = app.keys.ring();
    let key = ring
        .ticket(roster.settings())
        .ok_or_else(|| Refusal::internal("there is no key that signs tickets"))?;
    ticket.issue(key).map_err(Refusal::internal)
}

/// Chooses servers, best first, or says why there is none.
pub(crate) async fn pick(app: &App, space: SpaceId, volume: &VolumeName) -> Result<Vec<Server>, Refusal> {
    let picked = picked(app, space, volume).await.map_err(|reason| {
        let (outcome, refusal) = refusal(&reason);
        app.metrics.selection(outcome);
        refusal
    })?;
    if let Some(first) = picked.first() {
        app.disks.sent_somebody_to(&first.name, Instant::now());
    }
    app.metrics.selection("success");
    let server = |Candidate { name, url, health: _, tickets: _ }| Server { name: name.to_string(), url };
    Ok(picked.into_iter().map(server).collect())
}

struct Permission<'a> {
    owner: Owner<'a>,
    most: Access,
}

/// What the member may do in a space. Of a space of others one is told what one is told of no space at all.
fn permission<'a>(roster: &'a Roster, who: &SignedIn, space: SpaceId) -> Result<Permission<'a>, Refusal> {
    let role = roster.role_in(who.member(), space).ok_or_else(unknown)?;
    let owner = roster.space_owner(space).ok_or_else(unknown)?;
    let settings = roster.settings();
    if settings.mode == Mode::Offline {
        let notice = settings.notice.as_deref().unwrap_or("the disk is offline for maintenance");
        return Err(Refusal::new(ProblemCode::NoReadyServer, notice).header(header::RETRY_AFTER, seconds(30)));
    }
    let archived = matches!(owner, Owner::Group(group) if group.access == GroupAccess::ReadOnly);
    let writes = role.can_write() && !archived && settings.mode == Mode::ReadWrite;
    Ok(Permission { owner, most: if writes { Access::ReadWrite } else { Access::Read } })
}

fn unknown() -> Refusal {
    Refusal::new(ProblemCode::NotFound, "there is no such space among yours")
}

async fn picked(app: &App, space: SpaceId, volume: &VolumeName) -> Result<Vec<Candidate>, NoServer> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut changes = app.disks.changes();
    loop {
        let candidates = app.disks.candidates(Instant::now());
        match select(&candidates, volume, space, Timestamp::now(), fastrand::f64) {
            Ok(picked) => return Ok(picked.into_iter().cloned().collect()),
            Err(NoServer::NoReadyServer) => {
                if !matches!(tokio::time::timeout_at(deadline, changes.changed()).await, Ok(Ok(()))) {
                    return Err(NoServer::NoReadyServer);
                }
            }
            Err(reason) => return Err(reason),
        }
    }
}

/// The words for each reason, and its name in the metrics.
fn refusal(reason: &NoServer) -> (&'static str, Refusal) {
    let (outcome, code, detail, retry) = match reason {
        NoServer::NoReadyServer => (
            "no-ready-server",
            ProblemCode::NoReadyServer,
            "no disk server answers at the moment; this page goes on by itself as soon as one does",
            1,
        ),
        NoServer::AllServersFull => (
            "overloaded",
            ProblemCode::Overloaded,
            "all disk servers have as much to do as they can; try again in a moment",
            2,
        ),
        NoServer::StorageUnavailable { volume } => {
            tracing::warn!(%volume, "No disk server was named: the volume does not answer most of them.");
            (
                "storage-stalled",
                ProblemCode::StorageStalled,
                "the storage under your disk does not answer at the moment; nothing is lost, try again shortly",
                2,
            )
        }
    };
    (outcome, Refusal::new(code, detail).header(header::RETRY_AFTER, seconds(retry)))
}

fn seconds(count: u64) -> HeaderValue {
    HeaderValue::from(count)
}
