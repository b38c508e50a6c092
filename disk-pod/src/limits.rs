//! Limits of spaces, as the operator wants them: authenticated, and committed in the logs of the spaces.

use api::generation::RosterGeneration;
use api::keys::{self, purpose};
use api::limits::{LimitOutcome, LimitResult, LimitWanted, LimitsAnswer, LimitsClaims, LimitsRequest};
use api::ticket::{CLOCK_LEEWAY, TicketError};
use futures::{StreamExt, stream};
use http::{HeaderMap, header};
use jiff::Timestamp;
use spaces::{Freshness, Operation, OperationId, Request};
use uuid::Uuid;

use crate::app::App;
use crate::error::Error;

/// Spaces that are worked on at once: their commits share syncs of the volume.
const AT_ONCE: usize = 32;

/// The request, if the operator has signed exactly this body, for this DiskCluster, lately.
pub(crate) fn verified(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<LimitsRequest, Error> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("Bearer "))
        .ok_or(Error::Unauthenticated)?;
    let LimitsClaims { cluster, expires, body: digest } =
        keys::verify(token, purpose::LIMITS, &app.operator).map_err(TicketError::from)?;
    if cluster != app.cluster {
        return Err(TicketError::WrongCluster.into());
    }
    if Timestamp::now().duration_since(expires) > CLOCK_LEEWAY {
        return Err(TicketError::Expired.into());
    }
    if blake3::hash(body).to_hex().as_str() != digest {
        return Err(TicketError::BadSignature.into());
    }
    let request: LimitsRequest = serde_json::from_slice(body)
        .map_err(|error| Error::BadRequest(format!("the body is no request for limits: {error}")))?;
    if request.cluster != app.cluster {
        return Err(TicketError::WrongCluster.into());
    }
    Ok(request)
}

/// Commits each limit; one that fails does not keep the others from theirs.
pub(crate) async fn commit(app: &App, request: LimitsRequest) -> LimitsAnswer {
    let LimitsRequest { cluster: _, roster_generation, limits } = request;
    let results = stream::iter(limits)
        .map(|wanted| async move {
            let space = wanted.space;
            LimitResult { space, outcome: commit_one(app, roster_generation, wanted).await }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    LimitsAnswer { results }
}

async fn commit_one(app: &App, roster_generation: RosterGeneration, wanted: LimitWanted) -> LimitOutcome {
    let LimitWanted { space, volume, target, ceiling } = wanted;
    let failed = |reason: String| LimitOutcome::Failed { reason };
    if !app.volumes.contains(&volume) {
        return failed(format!("the disk pod {} has no volume {volume}", app.pod));
    }
    if app.answers(&volume).is_err() {
        return failed(format!("the volume {volume} does not answer at the moment"));
    }
    let handle = app.engine.space(space, volume);
    let operation = Operation::Limit { roster_generation, target, ceiling };
    let request = Request { id: OperationId(Uuid::new_v4()), born: None, locks: Vec::new(), operation };
    let committed = match handle.commit(request).await {
        Ok(committed) => committed,
        Err(spaces::Error::Superseded { seen }) => {
            return LimitOutcome::Superseded { roster_generation: seen };
        }
        Err(error) => return failed(error.to_string()),
    };
    match handle.snapshot(Freshness::AtLeast(committed.generation)).await {
        Ok(snapshot) => {
            let usage = snapshot.usage();
            LimitOutcome::Committed {
                limit: usage.limit,
                used: usage.used,
                reserved: usage.reserved,
                generation: snapshot.generation(),
            }
        }
        Err(error) => failed(error.to_string()),
    }
}
