//! `/api/app-passwords`: passwords that a member makes for programs, each shown once. They are written into the Secret
//! of the member's shard, from where the operator publishes them to all web pods.

mod secret;

use api::ids::{MemberName, SpaceId};
use api::problem::ProblemCode;
use api::ticket::Access;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::StatusCode;
use jiff::Timestamp;
use roster::credentials::{APP_PASSWORD_BYTES, AppPassword, AppPasswordHash, app_password};
use roster::{MemberEntry, Roster};
use serde::{Deserialize, Serialize};
use serve::problem::Refusal;
use uuid::Uuid;

pub use secret::AppPasswordSecrets;

use crate::app::App;
use crate::body::Body;
use crate::self_service::away;
use crate::session::{self, SignedIn};

const LONGEST_NAME: usize = 64;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    id: Uuid,
    name: &'a str,
    access: Access,
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<SpaceId>,
    created: Timestamp,
    /// To a day; absent when it was not used yet, or this is not known at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<Timestamp>,
}

impl<'a> Listed<'a> {
    fn of(password: &'a AppPassword) -> Self {
        let AppPassword { member: _, id, name, hash: _, access, space, created, last_used } = password;
        Self { id: *id, name, access: *access, space: *space, created: *created, last_used: *last_used }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    passwords: Vec<Listed<'a>>,
    /// How many one may have.
    maximum: u32,
}

#[derive(Serialize)]
struct Made<'a> {
    /// Shown here and never again.
    password: String,
    #[serde(flatten)]
    listed: Listed<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    name: String,
    access: Option<Access>,
    space: Option<SpaceId>,
}

fn me<'a>(roster: &'a Roster, who: &SignedIn) -> Result<&'a MemberEntry, Refusal> {
    roster.member_by_uid(who.member()).ok_or_else(session::suspended)
}

fn secrets(app: &App) -> Result<&AppPasswordSecrets, Refusal> {
    app.app_passwords.as_ref().ok_or_else(|| away("this web pod was started without --watch"))
}

/// `GET /api/app-passwords`
pub(crate) async fn list(State(app): State<App>, who: SignedIn) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let member = me(&roster, &who)?;
    let read = match &app.app_passwords {
        Some(secrets) => secrets.read(&member.name).await.ok(),
        None => None,
    };
    // What the operator has published says the same, but for the time of the last use.
    let mut passwords = read.map_or_else(
        || app.credentials.app_passwords(&member.name, member.uid),
        |read| read.into_iter().filter(|one| one.member == member.uid).collect(),
    );
    passwords.sort_by_key(|one| (one.created, one.id));
    let maximum = roster.settings().app_passwords.maximum;
    Ok(Json(List { passwords: passwords.iter().map(Listed::of).collect(), maximum }).into_response())
}

/// `POST /api/app-passwords`
pub(crate) async fn make(
    State(app): State<App>,
    who: SignedIn,
    Body(Wish { name, access, space }): Body<Wish>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let member = me(&roster, &who)?;
    let settings = roster.settings().app_passwords;
    if !settings.enabled {
        return Err(Refusal::new(
            ProblemCode::Forbidden,
            "there are no app passwords here: ask an administrator",
        ));
    }
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        let detail =
            format!("give it a name of at most {LONGEST_NAME} characters, such as that of the computer");
        return Err(Refusal::new(ProblemCode::BadRequest, detail));
    }
    if space.is_some_and(|space| roster.role_in(member.uid, space).is_none()) {
        return Err(Refusal::new(ProblemCode::NotFound, "there is no such space among yours"));
    }
    let mut random = [0; APP_PASSWORD_BYTES];
    getrandom::fill(&mut random).map_err(Refusal::internal)?;
    let password = app_password(random);
    let hash = AppPasswordHash::of(&password)
        .ok_or_else(|| Refusal::internal("an app password has not the form of one"))?;
    let made = AppPassword {
        member: member.uid,
        id: Uuid::new_v4(),
        name: name.to_owned(),
        hash,
        access: access.unwrap_or(Access::ReadWrite),
        space,
        created: Timestamp::now(),
        last_used: None,
    };
    let maximum = usize::try_from(settings.maximum).unwrap_or(usize::MAX);
    secrets(&app)?
        .edit(&member.name, |all| {
            // Nobody else puts away those of members who are gone.
            all.retain(|one| roster.member_by_uid(one.member).is_some());
            if all.iter().filter(|one| one.member == member.uid).count() >= maximum {
                let detail =
                    format!("you have {maximum} app passwords, which is as many as one may have: revoke one");
                return Err(Refusal::new(ProblemCode::Conflict, detail));
            }
            all.push(made.clone());
            Ok(())
        })
        .await?;
    tracing::info!(member = %member.name, id = %made.id, "A member made an app password.");
    Ok((StatusCode::CREATED, Json(Made { password, listed: Listed::of(&made) }).into_response()))
}

/// `DELETE /api/app-passwords/{id}`
pub(crate) async fn revoke(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let member = me(&roster, &who)?;
    let gone = || Refusal::new(ProblemCode::NotFound, "you have no such app password");
    let id: Uuid = id.parse().map_err(|_| gone())?;
    secrets(&app)?
        .edit(&member.name, |all| {
            let before = all.len();
            all.retain(|one| one.id != id || one.member != member.uid);
            if all.len() == before { Err(gone()) } else { Ok(()) }
        })
        .await?;
    tracing::info!(member = %member.name, %id, "A member revoked an app password.");
    Ok(StatusCode::NO_CONTENT)
}

/// Notes that one was used, if that was not noted in the last day. Nobody waits for it.
pub(crate) fn used(app: &App, member: &MemberName, id: Uuid) {
    let Some(secrets) = app.app_passwords.clone() else { return };
    let member = member.clone();
    tokio::spawn(async move { secrets.note_use(&member, id).await });
}
