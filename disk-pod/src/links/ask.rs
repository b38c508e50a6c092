//! `POST /v1/links` on the private port: a web pod asks about a link, or counts a use of it.

use api::call;
use api::ids::MemberUid;
use api::keys::purpose;
use api::link::{LinkFound, LinkQuestion};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, header};
use jiff::Timestamp;
use spaces::{Freshness, Kind, Operation, OperationId, Request, Share, ShareTokenHash, Snapshot};
use uuid::Uuid;

use crate::app::App;
use crate::error::Error;

pub(crate) async fn ask(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<LinkFound>, Error> {
    let roster = app.roster.current();
    if !app.roster.is_loaded() {
        return Err(Error::RosterMissing);
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|text| text.strip_prefix("Bearer ")).ok_or(Error::Unauthenticated)?;
    call::check(token, purpose::LINK, &app.ticket_keys(&roster), app.cluster, &body)?;
    let LinkQuestion { space, hash, use_it } = serde_json::from_slice(&body)
        .map_err(|error| Error::BadRequest(format!("the body is no question about a link: {error}")))?;
    let hash = blake3::Hash::from_hex(hash)
        .map_err(|_| Error::BadRequest("the hash is none in hexadecimal".to_owned()))?;
    let hash = ShareTokenHash(*hash.as_bytes());
    let volume = roster.space_owner(space).ok_or(Error::UnknownSpace)?.volume().clone();
    app.answers(&volume)?;
    let space = app.engine.space(space, volume);
    // Rarely asked, and to be right: a share that was taken back a moment ago elsewhere is gone here.
    let mut snapshot = space.snapshot(Freshness::Now).await?;
    let mut share = live(&snapshot, hash)?;
    if let Some(id) = use_it {
        let operation = Operation::UseShare { id: share.share.id };
        let request = Request { id: OperationId(id), born: None, locks: Vec::new(), operation };
        let committed = space.commit(request).await?;
        snapshot = space.snapshot(Freshness::AtLeast(committed.generation)).await?;
        share = live(&snapshot, hash)?;
    }
    found(&snapshot, share).map(Json)
}

/// The share of a secret, if it is good now.
fn live(snapshot: &Snapshot, hash: ShareTokenHash) -> Result<Share, Error> {
    let share = snapshot.share_by_token(hash).ok_or(spaces::Error::ShareGone)?;
    // It is taken out of the log in its own time.
    let over = share.share.expires.is_some_and(|at| at < Timestamp::now().as_millisecond());
    if share.inert || over { Err(spaces::Error::ShareGone.into()) } else { Ok(share) }
}

fn found(snapshot: &Snapshot, share: Share) -> Result<LinkFound, Error> {
    let Share { share, node, created: _, uses, inert: _ } = share;
    let path = snapshot.path_of(node).ok_or(spaces::Error::ShareGone)?;
    let shared = snapshot.lookup(&path).ok_or(spaces::Error::ShareGone)?;
    let size = match shared.kind {
        Kind::File { size, .. } => Some(size),
        Kind::Directory { .. } => None,
    };
    Ok(LinkFound {
        share: share.id.0,
        node: node.0,
        path: path.to_string(),
        directory: shared.is_directory(),
        size,
        access: super::access(share.access),
        verifier: share.password.and_then(|verifier| String::from_utf8(verifier).ok()),
        expires: share.expires.and_then(|at| Timestamp::from_millisecond(at).ok()),
        uses_left: share.most_uses.map(|most| most.saturating_sub(uses)),
        creator: MemberUid(share.creator.parse().unwrap_or(Uuid::nil())),
    })
}
