//! Signing in by an OpenID provider: the authorization code flow with PKCE.
//!
//! A browser goes to the provider with a signed cookie, and comes back with a code that is worth something only with what
//! is in that cookie. Any web pod can take it in. Whatever goes wrong on the way, the log is told, and the browser gets one
//! sentence.
//!
//! Source: OpenID Connect Core 1.0, RFC 7636, RFC 9207.

mod client;
mod form;
mod id_token;
mod journey;
mod key;
mod newcomer;
mod provider;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use api::problem::ProblemCode;
use axum::extract::{Path, Query, State};
use axum::response::{AppendHeaders, IntoResponse};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use roster::{Identity, MemberState, Mode, Newcomers, Provider, Roster, Settings, identity_version};
use serde::Deserialize;
use serve::problem::Refusal;

pub use newcomer::NewMembers;

use crate::app::App;
use crate::session::{self, Session};
use client::Silent;
use journey::Journey;
use provider::{Failed, Relation, Return};

/// Longer subjects are in no Member.
const LONGEST_SUBJECT: usize = 255;

/// The providers, as they are used.
#[derive(Debug, Default)]
pub struct Oidc {
    /// Secrets and certificate authorities, in a directory for each provider.
    directory: PathBuf,
    relations: Mutex<Vec<Arc<Relation>>>,
}

impl Oidc {
    /// Reads secrets and certificate authorities below a directory.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory, relations: Mutex::default() }
    }

    /// The provider of that name. One whose settings or certificate authorities have changed is a new one.
    fn relation(&self, settings: &Settings, name: &str) -> Result<Arc<Relation>, Refusal> {
        let provider = settings
            .sign_in
            .providers
            .iter()
            .find(|one| one.name == name)
            .ok_or_else(|| Refusal::new(ProblemCode::NotFound, "there is no such way to sign in here"))?;
        let mut relations = self.relations.lock().unwrap_or_else(PoisonError::into_inner);
        relations.retain(|one| settings.sign_in.providers.iter().any(|provider| one.is_with(provider)));
        if let Some(known) = relations.iter().find(|one| one.provider.name == name) {
            return Ok(Arc::clone(known));
        }
        // The name is a short name of Kubernetes: it leads nowhere else.
        let relation = Relation::new(provider.clone(), self.directory.join(name))
            .map_err(|error| failed(name, &error.into()))?;
        let relation = Arc::new(relation);
        relations.push(Arc::clone(&relation));
        Ok(relation)
    }
}

/// The words for whatever is the provider's fault, or that of its settings.
fn failed(provider: &str, error: &Failed) -> Refusal {
    tracing::warn!(provider, %error, "Nobody could be signed in by an OpenID provider.");
    let words = "this way to sign in does not work at the moment: try again, or sign in another way";
    match error {
        // The code was used before, or belongs to another journey.
        Failed::Silent(Silent::Refused { status: StatusCode::BAD_REQUEST, .. }) => lost(),
        Failed::Unbelievable(_) => Refusal::new(ProblemCode::WrongCredentials, words),
        _ => Refusal::new(ProblemCode::ControlPlaneAway, words)
            .header(header::RETRY_AFTER, HeaderValue::from(5)),
    }
}

/// Where the provider sends browsers back to.
fn here(settings: &Settings, provider: &str) -> Result<String, Refusal> {
    let origin = settings.web_url.as_deref().ok_or_else(|| {
        Refusal::new(
            ProblemCode::ControlPlaneAway,
            "this disk does not know its own address: an administrator must set spec.web.exposure",
        )
    })?;
    Ok(format!("{}/api/oidc/{provider}/return", origin.trim_end_matches('/')))
}

#[derive(Deserialize)]
pub(crate) struct Going {
    next: Option<String>,
}

/// `GET /api/oidc/{provider}`: sends a browser to the provider.
pub(crate) async fn go(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(Going { next }): Query<Going>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let settings = roster.settings();
    let relation = app.oidc.relation(settings, &name)?;
    let here = here(settings, &name)?;
    let ends = relation.ends().await.map_err(|error| failed(&name, &error))?;
    let journey = Journey::begin(app.cluster, &name, next.as_deref())?;
    let query = form::body(&[
        ("response_type", "code"),
        ("client_id", &relation.provider.client_id),
        ("redirect_uri", &here),
        ("scope", &relation.provider.scopes.join(" ")),
        ("state", &journey.state),
        ("nonce", &journey.nonce),
        ("code_challenge", &journey.challenge()),
        ("code_challenge_method", "S256"),
    ]);
    let end = &ends.authorization_endpoint;
    let joint = if end.contains('?') { '&' } else { '?' };
    let there = HeaderValue::try_from(format!("{end}{joint}{query}")).map_err(Refusal::internal)?;
    let cookie = journey.cookie(&app.keys.ring(), settings)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, there), (header::SET_COOKIE, cookie)]))
}

#[derive(Deserialize)]
pub(crate) struct Coming {
    code: Option<String>,
    #[serde(default)]
    state: String,
    iss: Option<String>,
    error: Option<String>,
}

/// `GET /api/oidc/{provider}/return`: takes a browser in that comes from there.
pub(crate) async fn come(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(Coming { code, state, iss, error }): Query<Coming>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let relation = app.oidc.relation(roster.settings(), &name)?;
    let token = session::cookie(&headers, journey::COOKIE).unwrap_or_default();
    let journey = Journey::back(token, app.cluster, &name, &state, &app.keys.ring()).ok_or_else(lost)?;
    let ends = relation.ends().await.map_err(|error| failed(&name, &error))?;
    // An answer of another provider is none (RFC 9207).
    let other = iss
        .as_ref()
        .map_or(ends.authorization_response_iss_parameter_supported, |iss| *iss != relation.provider.issuer);
    if other {
        return Err(lost());
    }
    let (Some(code), None) = (code, error) else {
        return Err(Refusal::new(
            ProblemCode::Forbidden,
            "nobody was signed in there: try again, or sign in another way",
        ));
    };
    let here = here(roster.settings(), &name)?;
    let back = Return { code: &code, verifier: &journey.verifier, nonce: &journey.nonce, here: &here };
    let claims = relation.redeem(&back).await.map_err(|error| failed(&name, &error))?;
    let provider = &relation.provider;
    if let Some(rule) = provider.rules.iter().find(|rule| !claims.keeps(rule)) {
        tracing::info!(provider = name, claim = rule.claim, "Somebody does not keep to a rule of claims.");
        return Err(Refusal::new(ProblemCode::Forbidden, "this disk is not for you: ask an administrator"));
    }
    let subject =
        claims.text(&provider.subject_claim).map_err(|error| failed(&name, &error.into()))?.to_owned();
    if subject.len() > LONGEST_SUBJECT {
        return Err(failed(&name, &id_token::Unbelievable::Claim(provider.subject_claim.clone()).into()));
    }
    if roster.member_by_identity(&name, &subject).is_none() {
        newcomer(&app, &roster, provider, &subject, &claims).await?;
    }
    let roster = app.roster.current();
    let settings = roster.settings();
    let member = roster.member_by_identity(&name, &subject).ok_or_else(stranger)?;
    if member.state != MemberState::Active {
        app.metrics.sign_in("suspended");
        return Err(session::suspended());
    }
    let version = identity_version(&name, &subject);
    let session = Session::begin(app.cluster, member.uid, version, Timestamp::now(), settings.sessions);
    let cookie = session.cookie(&app.keys.ring(), settings)?;
    app.metrics.sign_in("success");
    tracing::info!(member = %member.name, provider = name, "A member signed in.");
    let next = HeaderValue::try_from(journey.next).map_err(Refusal::internal)?;
    let cookies =
        AppendHeaders([(header::SET_COOKIE, cookie), (header::SET_COOKIE, journey::over(settings)?)]);
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, next)], cookies))
}

/// Somebody whom no Member is.
async fn newcomer(
    app: &App,
    roster: &Roster,
    provider: &Provider,
    subject: &str,
    claims: &id_token::Claims,
) -> Result<(), Refusal> {
    let is_it = |one: &Identity| *one.provider == *provider.name && *one.subject == *subject;
    if roster.members().any(|member| member.identities.iter().any(is_it)) {
        tracing::warn!(
            provider = provider.name,
            "Several Members have the same identity, so nobody is signed in by it: leave it with one of them."
        );
        return Err(stranger());
    }
    let settings = roster.settings();
    let (Some(quota), Newcomers::Create | Newcomers::Approval) =
        (settings.sign_in.new_member_quota, provider.newcomers)
    else {
        return Err(stranger());
    };
    if settings.mode == Mode::Offline {
        let notice = settings.notice.as_deref().unwrap_or("the disk is offline for maintenance");
        return Err(Refusal::new(ProblemCode::NoReadyServer, notice));
    }
    let members = app.new_members.as_ref().ok_or_else(|| {
        Refusal::new(ProblemCode::ControlPlaneAway, "nobody can be made a member here at the moment")
    })?;
    members.make(provider, quota, subject, claims).await?;
    tracing::info!(
        provider = provider.name,
        "A Member was made for somebody who came by an OpenID provider."
    );
    newcomer::known(app, &provider.name, subject).await
}

fn stranger() -> Refusal {
    Refusal::new(ProblemCode::Forbidden, "nobody here is you: an administrator must make you a member first")
}

/// The cookie and the address do not belong together, or are too old, or were never given out.
fn lost() -> Refusal {
    Refusal::new(ProblemCode::Forbidden, "this does not go on from where you began: begin to sign in anew")
}
