//! Signing in, and what it costs somebody who guesses.

mod attempt;
mod attempts;
mod check;
mod passwords;

use std::sync::Arc;

use api::ids::MemberName;
use api::problem::ProblemCode;
use axum::extract::{Extension, State};
use axum::response::{AppendHeaders, IntoResponse};
use axum::{Json, http::StatusCode};
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use roster::{GroupCreation, JoinPolicy, MemberEntry, MemberState, Mode, Settings};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serve::Peer;
use serve::problem::Refusal;

pub use attempts::Attempts;
pub(crate) use check::check;
pub use passwords::Passwords;

use crate::address;
use crate::app::App;
use crate::body::Body;
use crate::session::{self, Session, SignedIn};
use attempt::{Attempted, attempt};

/// What checks passwords.
#[derive(Debug)]
pub struct SignIn {
    /// Does the arithmetic.
    pub passwords: Passwords,
    /// Counts failures.
    pub attempts: Arc<Attempts>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attempt {
    member: String,
    password: SecretText,
}

/// A text that erases itself and prints nothing.
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Who<'a> {
    member: WhoMember<'a>,
    expires: Timestamp,
    mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'a str>,
    groups: WhoGroups<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WhoMember<'a> {
    name: &'a MemberName,
    uid: api::ids::MemberUid,
    display_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WhoGroups<'a> {
    creation: GroupCreation,
    join_policies: &'a [JoinPolicy],
}

impl<'a> Who<'a> {
    fn new(member: &'a MemberEntry, expires: Timestamp, settings: &'a Settings) -> Self {
        Self {
            member: WhoMember {
                name: &member.name,
                uid: member.uid,
                display_name: member.display_name.as_deref().unwrap_or(member.name.as_str()),
            },
            expires,
            mode: settings.mode,
            notice: settings.notice.as_deref(),
            groups: WhoGroups {
                creation: settings.groups.creation,
                join_policies: &settings.groups.join_policies,
            },
        }
    }
}

/// `POST /api/session`
pub(crate) async fn begin(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Body(Attempt { member: name, password }): Body<Attempt>,
) -> Result<impl IntoResponse, Refusal> {
    let name = name.trim();
    if app.roster.current().settings().sign_in.without_passwords {
        return Err(Refusal::new(ProblemCode::Forbidden, "here nobody signs in with a password"));
    }
    let roster = app.roster.current();
    let address = address::of(peer.as_ref(), &headers, roster.settings());
    let (member, verifier) = match attempt(&app, &roster, name, password.0, address).await? {
        Attempted::Right(member, verifier) => (member, verifier),
        Attempted::Wrong => {
            return Err(Refusal::new(
                ProblemCode::WrongCredentials,
                "there is no such member, or the password is wrong",
            ));
        }
        Attempted::Limited(wait) => {
            return Err(Refusal::new(
                ProblemCode::TooManyRequests,
                "too many attempts that failed; wait a little before the next one",
            )
            .header(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1))));
        }
    };
    match member.state {
        MemberState::Active => {}
        MemberState::Suspended | MemberState::Pending => {
            app.metrics.sign_in("suspended");
            return Err(session::suspended());
        }
    }
    let settings = roster.settings();
    let session =
        Session::begin(app.cluster, member.uid, verifier.version(), Timestamp::now(), settings.sessions);
    let cookie = session.cookie(&app.keys.ring(), settings)?;
    app.metrics.sign_in("success");
    tracing::info!(member = %member.name, "A member signed in.");
    let body = Json(Who::new(member, session.expires, settings)).into_response();
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), body))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ways<'a> {
    passwords: bool,
    providers: Vec<Way<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Way<'a> {
    name: &'a str,
    display_name: &'a str,
}

/// `GET /api/sign-in`: what the page offers to somebody who is not signed in.
pub(crate) async fn ways(State(app): State<App>) -> impl IntoResponse {
    let roster = app.roster.current();
    let sign_in = &roster.settings().sign_in;
    let providers = sign_in
        .providers
        .iter()
        .map(|one| Way { name: &one.name, display_name: one.display_name.as_deref().unwrap_or(&one.name) });
    let providers = providers.collect();
    Json(Ways { passwords: !sign_in.without_passwords, providers }).into_response()
}

/// `GET /api/session`
pub(crate) async fn who(State(app): State<App>, signed_in: SignedIn) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let member = roster
        .member_by_uid(signed_in.member())
        .ok_or_else(|| Refusal::from(ProblemCode::Unauthenticated))?;
    Ok(Json(Who::new(member, signed_in.session.expires, roster.settings())).into_response())
}

/// `DELETE /api/session`: ends it in this browser. It needs no session, so that one that is over can be ended.
pub(crate) async fn end(State(app): State<App>) -> Result<impl IntoResponse, Refusal> {
    let cookie = session::no_cookie(app.roster.current().settings())?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])))
}
