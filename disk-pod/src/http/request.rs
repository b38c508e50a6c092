//! `Operation-Id`: what makes a retry the same operation.

use http::{HeaderMap, HeaderName};
use spaces::{Committed, Freshness, Named, Operation, OperationId, Request, Space};
use uuid::Uuid;

use super::generation::known;
use crate::error::Error;

const OPERATION_ID: HeaderName = HeaderName::from_static("operation-id");

/// Whether the client gave its operation an id, and so may be repeating it.
pub(crate) fn is_named(headers: &HeaderMap) -> bool {
    headers.contains_key(OPERATION_ID)
}

/// The name that the client gave what it asks for, when it did.
///
/// # Errors
/// When a header is not of its form.
pub(crate) fn named(headers: &HeaderMap) -> Result<Option<Named>, Error> {
    let Some(value) = headers.get(OPERATION_ID) else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| Uuid::try_parse(text).ok());
    let id = id.ok_or_else(|| Error::BadRequest("Operation-Id must be a UUID".to_owned()))?;
    // The generation that the client knew tells how old a retry can be.
    Ok(Some(Named { id: OperationId(id), born: known(headers)? }))
}

/// What became of an operation that its client asks for once more, when this time it is refused before it is committed:
/// there may be no room to take its content again.
///
/// # Errors
/// The refusal, when it was not done before.
pub(crate) async fn done_before(
    space: &Space,
    headers: &HeaderMap,
    refusal: Error,
) -> Result<Committed, Error> {
    let (Error::Engine(_) | Error::TooLarge(_), Some(Named { id, born })) = (&refusal, named(headers)?)
    else {
        return Err(refusal);
    };
    let Ok(snapshot) = space.snapshot(Freshness::Now).await else { return Err(refusal) };
    snapshot.outcome(id, born.unwrap_or(snapshot.generation()))?.ok_or(refusal)
}

/// An operation with the id that its client gave it, or a new one.
///
/// # Errors
/// When the header is no UUID.
pub(crate) fn of(headers: &HeaderMap, operation: Operation) -> Result<Request, Error> {
    let (id, born) = match named(headers)? {
        Some(Named { id, born }) => (id, born),
        None => (OperationId(Uuid::new_v4()), None),
    };
    Ok(Request { id, born, locks: Vec::new(), operation })
}
