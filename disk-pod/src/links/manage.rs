//! `/v1/spaces/{space}/shares`: links to files and directories of a space, made and taken back by who may write there.

use api::link::{LINK_SECRET_BYTES, LinkAccess, LinkToken};
use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use roster::LinkPolicy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spaces::{NewShare, Operation, Share, ShareAccess, ShareId, ShareTokenHash, Snapshot};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::app::App;
use crate::auth::{Grant, Need, authorise};
use crate::error::Error;
use crate::http::body::whole;
use crate::http::place::Place;
use crate::http::{generation, path, request};

/// A path of the greatest length, escaped, and a few words.
const LONGEST: usize = 128 * 1024;
/// Longer passwords are none.
const LONGEST_PASSWORD: usize = 1024;
/// Each takes a core and 19 MiB for a moment.
static HASHING: Semaphore = Semaphore::const_new(2);
/// So many are listed at most; no space has more.
const MOST: usize = 10_000;

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewShare")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wanted {
    path: String,
    /// `Read`, `Upload` or `ReadAndUpload`.
    #[serde(default = "read")]
    #[schemars(with = "Option<String>")]
    access: LinkAccess,
    password: Option<String>,
    #[schemars(with = "Option<String>")]
    expires: Option<Timestamp>,
    most_uses: Option<u64>,
}

fn read() -> LinkAccess {
    LinkAccess::Read
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Share")]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    #[schemars(with = "String")]
    id: Uuid,
    path: String,
    /// `Read`, `Upload` or `ReadAndUpload`.
    #[schemars(with = "String")]
    access: LinkAccess,
    /// Whether one is needed.
    password: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    most_uses: Option<u64>,
    uses: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    created: Option<Timestamp>,
    /// The member who made it.
    creator: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MadeShare")]
pub(crate) struct Made {
    /// Shown here and never again.
    token: String,
    #[serde(flatten)]
    shown: Shown,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Shares")]
pub(crate) struct Listed {
    shares: Vec<Shown>,
}

/// Makes a link.
pub(crate) async fn create(app: &App, head: &Parts, body: Body) -> Result<Response, Error> {
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Write)?;
    let body = whole(body, LONGEST, app.silence).await?;
    // What the decoder says could quote the password.
    let Wanted { path, access, password, expires, most_uses } =
        serde_json::from_slice(&body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Error::BadRequest(format!("the body is no wish for a link (line {line}, column {column})"))
        })?;
    allowed(app, password.as_deref(), expires, most_uses)?;
    let path = grant.node_path(&path::from_text(&path)?)?;
    let space = app.space(&grant);
    let before = generation::snapshot(app, &space, &head.headers).await?;
    let node = before.lookup(&path).ok_or(Error::NotFound)?;
    if access.uploads() && !node.is_directory() {
        return Err(Error::BadRequest(
            "only a directory takes files: share the directory it is in".to_owned(),
        ));
    }
    let token = LinkToken::new(grant.space, random()?);
    let share = NewShare {
        id: ShareId(Uuid::new_v4()),
        token_hash: ShareTokenHash(token.hash()),
        access: match access {
            LinkAccess::Read => ShareAccess::Read,
            LinkAccess::Upload => ShareAccess::Upload,
            LinkAccess::ReadAndUpload => ShareAccess::ReadAndUpload,
        },
        password: match password {
            Some(password) => Some(hashed(password).await?.into_bytes()),
            None => None,
        },
        expires: expires.map(Timestamp::as_millisecond),
        most_uses,
        creator: grant.member.to_string(),
    };
    let id = share.id;
    // No Operation-Id: a repetition could not be told the secret of the first.
    let operation = Operation::CreateShare { path, share };
    let committed = space.commit(request::of(&HeaderMap::new(), operation)?).await?;
    let after = space.snapshot(spaces::Freshness::AtLeast(committed.generation)).await?;
    let made = after.share(id).ok_or(spaces::Error::ShareGone)?;
    let shown = shown(&after, &made).ok_or(spaces::Error::ShareGone)?;
    tracing::info!(member = %grant.member, space = %grant.space, share = %id, "A member made a share link.");
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    Ok((StatusCode::CREATED, headers, Json(Made { token: token.expose(), shown })).into_response())
}

/// Lists the links into a space, or into what the ticket is for.
pub(crate) async fn list(app: &App, head: &Parts) -> Result<Response, Error> {
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Write)?;
    let space = app.space(&grant);
    let snapshot = generation::snapshot(app, &space, &head.headers).await?;
    let shares = snapshot.shares(None, MOST);
    let shares = shares.iter().filter(|share| reaches(&grant, &snapshot, share));
    let shares = shares.filter_map(|share| shown(&snapshot, share)).collect();
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, snapshot.generation());
    Ok((headers, Json(Listed { shares })).into_response())
}

/// Takes a link back. Who came by it reads nothing more.
pub(crate) async fn remove(app: &App, head: &Parts) -> Result<Response, Error> {
    let place = Place::of(&head.uri, true)?;
    let grant = authorise(app, head, &place.space, Need::Write)?;
    let id: ShareId = place.path.parse().map_err(|_| spaces::Error::ShareGone)?;
    let space = app.space(&grant);
    let snapshot = generation::snapshot(app, &space, &head.headers).await?;
    let share = snapshot.share(id).ok_or(spaces::Error::ShareGone)?;
    if !reaches(&grant, &snapshot, &share) {
        return Err(spaces::Error::ShareGone.into());
    }
    let committed = space.commit(request::of(&head.headers, Operation::RemoveShare { id })?).await?;
    tracing::info!(member = %grant.member, space = %grant.space, share = %id, "A member took a share link back.");
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

fn reaches(grant: &Grant, snapshot: &Snapshot, share: &Share) -> bool {
    match snapshot.path_of(share.node) {
        Some(path) => grant.covers(&path).is_ok(),
        // In the trash: of interest to those alone who may see all of the space.
        None => grant.subtree.is_none(),
    }
}

fn shown(snapshot: &Snapshot, share: &Share) -> Option<Shown> {
    let Share { share, node, created, uses, inert: _ } = share;
    Some(Shown {
        id: share.id.0,
        path: snapshot.path_of(*node)?.to_string(),
        access: super::access(share.access),
        password: share.password.is_some(),
        expires: share.expires.and_then(|at| Timestamp::from_millisecond(at).ok()),
        most_uses: share.most_uses,
        uses: *uses,
        created: Timestamp::from_millisecond(*created).ok(),
        creator: share.creator.clone(),
    })
}

/// What the DiskCluster says of links.
fn allowed(
    app: &App,
    password: Option<&str>,
    expires: Option<Timestamp>,
    most_uses: Option<u64>,
) -> Result<(), Error> {
    let roster = app.roster.current();
    let settings = roster.settings().shares;
    match settings.links {
        LinkPolicy::Allowed => {}
        LinkPolicy::PasswordRequired if password.is_some() => {}
        LinkPolicy::PasswordRequired => {
            return Err(Error::Forbidden("here a link needs a password: choose one"));
        }
        LinkPolicy::Forbidden => return Err(Error::Forbidden("nothing is shared by links here")),
    }
    let bad = |detail: String| Err(Error::BadRequest(detail));
    if password.is_some_and(|password| password.is_empty() || password.len() > LONGEST_PASSWORD) {
        return bad(format!("the password must have 1 to {LONGEST_PASSWORD} bytes"));
    }
    if most_uses == Some(0) {
        return bad("a link that can be used no time is none".to_owned());
    }
    let now = Timestamp::now();
    if expires.is_some_and(|at| at <= now) {
        return bad("the link would have ended already".to_owned());
    }
    let days = settings.maximum_lifetime_days;
    if days > 0 {
        let most =
            now.checked_add(SignedDuration::from_hours(i64::from(days) * 24)).unwrap_or(Timestamp::MAX);
        if expires.is_none_or(|at| at > most) {
            return bad(format!("here a link ends after {days} days at the latest: say when it ends"));
        }
    }
    Ok(())
}

fn random() -> Result<[u8; LINK_SECRET_BYTES], Error> {
    let mut secret = [0; LINK_SECRET_BYTES];
    getrandom::fill(&mut secret).map_err(|error| spaces::Error::Io(format!("no random numbers: {error}")))?;
    Ok(secret)
}

/// As passwords of members are: argon2id with 19 MiB and two passes.
async fn hashed(password: String) -> Result<String, Error> {
    let internal =
        |error: String| Error::Engine(spaces::Error::Io(format!("a password cannot be hashed: {error}")));
    let turn = HASHING.acquire().await.map_err(|error| internal(error.to_string()))?;
    let hash = tokio::task::spawn_blocking(move || {
        let params = Params::new(19_456, 2, 1, None)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash: PasswordHash = argon2.hash_password(password.as_bytes())?;
        Ok::<_, argon2::password_hash::Error>(hash.to_string())
    });
    let hash = hash.await.map_err(|error| internal(error.to_string()))?;
    drop(turn);
    hash.map_err(|error| internal(error.to_string()))
}
