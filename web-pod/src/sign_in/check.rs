//! `POST /v1/credentials` on the private port: a disk pod asks whose a name and a password are.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use api::call;
use api::credential_check::{
    CheckOutcome, Checked, CredentialAnswer, CredentialCheck, CredentialKind, CredentialScope, Right,
};
use api::generation::RosterGeneration;
use api::keys::{self, Trust, purpose};
use api::problem::ProblemCode;
use api::ticket::Access;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, HeaderValue, header};
use roster::credentials::AppPasswordHash;
use roster::{Roster, shard_of};
use serve::problem::Refusal;

use super::attempt::{Attempted, attempt};
use crate::app::App;
use crate::app_passwords;

/// A disk pod that remembers an answer this long asks seldom enough; whoever must be kept out is known sooner, by the
/// roster.
const REMEMBER_SECONDS: u32 = 60;
/// How long to wait for credentials that the roster names already.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) async fn check(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<CredentialAnswer>, Refusal> {
    let roster = app.roster.current();
    let disk_pods: Trust = roster.settings().disk_keys.iter().cloned().collect();
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    call::check(token, purpose::CREDENTIAL_CHECK, &disk_pods, app.cluster, &body).map_err(|error| {
        tracing::debug!(%error, "A question about a password is not answered.");
        Refusal::new(ProblemCode::Unauthenticated, "this is for the disk pods of this internet disk")
    })?;
    let CredentialCheck { nonce, name, password, address, at_least } = serde_json::from_slice(&body)
        .map_err(|_| Refusal::new(ProblemCode::BadRequest, "the body is no question about credentials"))?;
    let shard = shard_of(&name);
    let generation = newest(&app, shard, at_least).await?;
    let roster = app.roster.current();
    let outcome = match AppPasswordHash::of(&password) {
        Some(hash) => of_a_program(&app, &roster, &name, hash, address),
        None => of_a_person(&app, &roster, &name, password, address).await?,
    };
    let checked = Checked { cluster: app.cluster, nonce, generation, outcome };
    let ring = app.keys.ring();
    let key = ring
        .ticket(roster.settings())
        .ok_or_else(|| Refusal::internal("there is no key that signs what is said of a password"))?;
    let token = keys::sign(key, purpose::CREDENTIAL_ANSWER, &checked).map_err(Refusal::internal)?;
    Ok(Json(CredentialAnswer { token }))
}

/// Whose app password this is. There is nothing to compute, but guesses count as any others do.
fn of_a_program(
    app: &App,
    roster: &Roster,
    name: &str,
    hash: AppPasswordHash,
    address: Option<IpAddr>,
) -> CheckOutcome {
    let counted = match app.sign_in.attempts.begin(name, address, Instant::now()) {
        Ok(counted) => counted,
        Err(wait) => {
            app.metrics.sign_in("limited");
            return limited(wait);
        }
    };
    let member = roster.member_by_name(name).filter(|_| roster.settings().app_passwords.enabled);
    let found = member
        .and_then(|member| Some((member, app.credentials.app_password(&member.name, member.uid, hash)?)));
    let Some((member, password)) = found else {
        app.metrics.sign_in("wrong");
        return CheckOutcome::Wrong;
    };
    app.sign_in.attempts.forgive(&counted);
    app.metrics.sign_in("program");
    app_passwords::used(app, &member.name, password.id);
    CheckOutcome::Right(Right {
        member: member.uid,
        kind: CredentialKind::AppPassword { id: password.id },
        access: password.access,
        scope: password.space.map(|space| CredentialScope { space, path: None }),
        remember_seconds: REMEMBER_SECONDS,
    })
}

fn limited(wait: Duration) -> CheckOutcome {
    CheckOutcome::Limited { wait_seconds: u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1) }
}

async fn of_a_person(
    app: &App,
    roster: &Roster,
    name: &str,
    password: String,
    address: Option<IpAddr>,
) -> Result<CheckOutcome, Refusal> {
    Ok(match attempt(app, roster, name, password.into(), address).await? {
        Attempted::Right(member, _) => {
            app.metrics.sign_in("program");
            CheckOutcome::Right(Right {
                member: member.uid,
                kind: CredentialKind::Password,
                access: Access::ReadWrite,
                scope: None,
                remember_seconds: REMEMBER_SECONDS,
            })
        }
        Attempted::Wrong => CheckOutcome::Wrong,
        Attempted::Limited(wait) => limited(wait),
    })
}

/// The generation of the credentials that are looked at. The disk pod may have heard of a change before this pod.
async fn newest(app: &App, shard: u8, at_least: RosterGeneration) -> Result<RosterGeneration, Refusal> {
    let reached = app.credentials.reached(shard, at_least);
    match tokio::time::timeout(PATIENCE, reached).await {
        Ok(generation) => Ok(generation),
        Err(_) => Err(Refusal::new(
            ProblemCode::NoReadyServer,
            "this web server does not know the newest passwords yet; ask another",
        )
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))),
    }
}
