//! `/api/links/{token}`: what a share link leads to, and a ticket for it. Nobody needs to be signed in. What the link
//! is good for, and how often, the log of the space knows: a disk pod is asked.

use std::time::{Duration, Instant};

use api::bytes::Bytes;
use api::call;
use api::ids::{PodName, SpaceId};
use api::keys::purpose;
use api::link::{LinkAccess, LinkFound, LinkQuestion, LinkToken};
use api::problem::{Problem, ProblemCode};
use api::ticket::{Access, Link, Ticket};
use axum::extract::{Extension, Path, State};
use axum::response::IntoResponse;
use axum::{Json, http::StatusCode};
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use roster::credentials::Verifier;
use roster::{LinkPolicy, MemberEntry, Mode, Owner, Roster};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serve::problem::Refusal;
use serve::{Client, Peer};
use uuid::Uuid;

use crate::address;
use crate::app::App;
use crate::body::Body;
use crate::servers::{self, Server};

/// How long a disk pod may take; then the next is asked.
const PATIENCE: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_millis(300);

/// Asks disk pods; clones share its connections.
#[derive(Clone, Debug)]
pub struct Links {
    client: Client,
}

impl Default for Links {
    fn default() -> Self {
        Self { client: Client::new(CONNECT) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    /// Absent until the password is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    directory: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<Bytes>,
    access: LinkAccess,
    needs_password: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_left: Option<u64>,
}

impl<'a> Shown<'a> {
    fn of(found: &'a LinkFound, open: bool) -> Self {
        let name = found.path.rsplit('/').next().unwrap_or_default();
        Self {
            name: open.then_some(name),
            directory: found.directory,
            size: found.size.filter(|_| open),
            access: found.access,
            needs_password: found.verifier.is_some(),
            expires: found.expires,
            uses_left: found.uses_left,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Opened<'a> {
    #[serde(flatten)]
    shown: Shown<'a>,
    space: SpaceId,
    /// Where it is in the space: what the ticket is for.
    path: &'a str,
    ticket: String,
    ticket_expires: Timestamp,
    servers: Vec<Server>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    password: Option<String>,
}

/// `GET /api/links/{token}`: what it leads to. It counts for nothing.
pub(crate) async fn look(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let token: LinkToken = token.parse().map_err(|_| gone())?;
    let found = asked(&app, &roster, &token, None).await?;
    creator(&roster, token.space(), &found)?;
    Ok(Json(Shown::of(&found, found.verifier.is_none())).into_response())
}

/// `POST /api/links/{token}`: counts a use, and gives a ticket for what it leads to.
pub(crate) async fn open(
    State(app): State<App>,
    Path(token): Path<String>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Body(Key { password }): Body<Key>,
) -> Result<impl IntoResponse, Refusal> {
    let roster = app.roster.current();
    let token: LinkToken = token.parse().map_err(|_| gone())?;
    let operation = operation(&headers)?;
    let looked = asked(&app, &roster, &token, None).await?;
    creator(&roster, token.space(), &looked)?;
    if let Some(verifier) = &looked.verifier {
        let address = address::of(peer.as_ref(), &headers, roster.settings());
        // What is guessed at is this link: it stands where a name does.
        let account = format!("link/{}", looked.share.simple());
        let password = password.unwrap_or_default();
        verified(&app, &account, password.into(), Verifier::new(verifier.as_str()), address).await?;
    }
    let found = asked(&app, &roster, &token, Some(operation)).await?;
    let member = creator(&roster, token.space(), &found)?;
    let owner = roster.space_owner(token.space()).ok_or_else(gone)?;
    let picked = servers::pick(&app, token.space(), owner.volume()).await?;
    let lives = servers::ticket_end()?;
    let expires = found.expires.map_or(lives, |end| end.min(lives));
    let ticket = Ticket {
        cluster: app.cluster,
        member: member.uid,
        name: member.name.clone(),
        space: token.space(),
        access: if found.access.uploads() { Access::ReadWrite } else { Access::Read },
        path: Some(found.path.clone()),
        link: Some(Link { share: found.share, node: found.node, access: found.access }),
        expires,
        id: Uuid::new_v4(),
    };
    let ticket = servers::sign(&app, &roster, &ticket)?;
    tracing::info!(space = %token.space(), share = %found.share, "A share link was opened.");
    let opened = Opened {
        shown: Shown::of(&found, true),
        space: token.space(),
        path: &found.path,
        ticket,
        ticket_expires: expires,
        servers: picked,
    };
    Ok((StatusCode::OK, Json(opened)).into_response())
}

/// A repetition with the same id is the same use.
fn operation(headers: &HeaderMap) -> Result<Uuid, Refusal> {
    let Some(given) = headers.get("operation-id") else { return Ok(Uuid::new_v4()) };
    let id = given.to_str().ok().and_then(|text| Uuid::try_parse(text).ok());
    id.ok_or_else(|| Refusal::new(ProblemCode::BadRequest, "Operation-Id must be a UUID"))
}

fn gone() -> Refusal {
    Refusal::new(ProblemCode::NotFound, "there is no such link, or it has ended")
}

/// Who made the link, if he may still do what it lets others do.
fn creator<'a>(roster: &'a Roster, space: SpaceId, found: &LinkFound) -> Result<&'a MemberEntry, Refusal> {
    if roster.settings().shares.links == LinkPolicy::Forbidden {
        return Err(gone());
    }
    let role = roster.role_in(found.creator, space).ok_or_else(gone)?;
    if found.access.uploads() && !role.can_write() {
        return Err(gone());
    }
    roster.member_by_uid(found.creator).ok_or_else(gone)
}

async fn verified(
    app: &App,
    account: &str,
    password: SecretString,
    verifier: Verifier,
    address: Option<std::net::IpAddr>,
) -> Result<(), Refusal> {
    let counted = app.sign_in.attempts.begin(account, address, Instant::now()).map_err(|wait| {
        Refusal::new(
            ProblemCode::TooManyRequests,
            "too many attempts that failed; wait a little before the next one",
        )
        .header(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)))
    })?;
    let right = app.sign_in.passwords.check(password, Some(verifier)).await.inspect_err(|_| {
        app.sign_in.attempts.forgive(&counted);
    })?;
    if !right {
        return Err(Refusal::new(
            ProblemCode::WrongCredentials,
            "this link needs a password, and another one",
        ));
    }
    app.sign_in.attempts.forgive(&counted);
    Ok(())
}

/// Asks disk pods, best first, until one answers.
async fn asked(
    app: &App,
    roster: &Roster,
    token: &LinkToken,
    use_it: Option<Uuid>,
) -> Result<LinkFound, Refusal> {
    let settings = roster.settings();
    if settings.mode == Mode::Offline {
        let notice = settings.notice.as_deref().unwrap_or("the disk is offline for maintenance");
        return Err(Refusal::new(ProblemCode::NoReadyServer, notice)
            .header(header::RETRY_AFTER, HeaderValue::from(30)));
    }
    let owner: Owner<'_> = roster.space_owner(token.space()).ok_or_else(gone)?;
    let picked = servers::pick(app, token.space(), owner.volume()).await?;
    let hash = token.hash().iter().map(|byte| format!("{byte:02x}")).collect();
    let question = LinkQuestion { space: token.space(), hash, use_it };
    let body = bytes::Bytes::from(serde_json::to_vec(&question).map_err(Refusal::internal)?);
    let ring = app.keys.ring();
    let key =
        ring.ticket(settings).ok_or_else(|| Refusal::internal("there is no key that signs questions"))?;
    let call = call::authorise(key, purpose::LINK, app.cluster, &body).map_err(Refusal::internal)?;
    let mut failure =
        Refusal::new(ProblemCode::NoReadyServer, "no disk server answers at the moment; try again shortly")
            .header(header::RETRY_AFTER, HeaderValue::from(1));
    for server in picked {
        let name: PodName = server.name.parse().map_err(Refusal::internal)?;
        let Some(pod) = settings.disk_pods.iter().find(|pod| pod.name == name) else { continue };
        match ask(&app.links.client, &pod.internal, &call, body.clone()).await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(problem)) if problem.status < 500 => {
                return Err(match problem.code {
                    ProblemCode::NotFound => gone(),
                    code => Refusal::new(code, problem.detail.unwrap_or_default()),
                });
            }
            Ok(Err(problem)) => {
                failure = Refusal::new(problem.code, problem.detail.unwrap_or_default())
                    .header(header::RETRY_AFTER, HeaderValue::from(1))
            }
            Err(error) => tracing::debug!(%error, "A disk server says nothing about a link."),
        }
    }
    Err(failure)
}

async fn ask(
    client: &Client,
    at: &str,
    call: &str,
    body: bytes::Bytes,
) -> Result<Result<LinkFound, Problem>, String> {
    let mut authorization =
        HeaderValue::from_str(&format!("Bearer {call}")).map_err(|error| error.to_string())?;
    authorization.set_sensitive(true);
    let request = http::Request::post(format!("http://{at}/v1/links"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, authorization)
        .body(http_body_util::Full::new(body))
        .map_err(|error| error.to_string())?;
    let answer = client.send(request, PATIENCE).await.map_err(|error| error.to_string())?;
    if answer.status.is_success() {
        serde_json::from_slice(&answer.body).map(Ok).map_err(|error| error.to_string())
    } else {
        serde_json::from_slice(&answer.body).map(Err).map_err(|error| error.to_string())
    }
}
