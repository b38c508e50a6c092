//! `Operation-Id`: what makes a retry the same operation.

use http::{HeaderMap, HeaderName};
use spaces::{Operation, OperationId, Request};
use uuid::Uuid;

use super::generation::known;
use crate::error::Error;

const OPERATION_ID: HeaderName = HeaderName::from_static("operation-id");

/// An operation with the id that its client gave it, or a new one.
///
/// # Errors
/// When the header is no UUID.
pub(crate) fn of(headers: &HeaderMap, operation: Operation) -> Result<Request, Error> {
    let given = headers
        .get(OPERATION_ID)
        .map(|value| value.to_str().ok().and_then(|text| Uuid::try_parse(text).ok()))
        .map(|id| id.ok_or_else(|| Error::BadRequest("Operation-Id must be a UUID".to_owned())))
        .transpose()?;
    Ok(match given {
        // The generation that the client knew tells how old a retry can be.
        Some(id) => Request { id: OperationId(id), born: known(headers)?, locks: Vec::new(), operation },
        None => Request { id: OperationId(Uuid::new_v4()), born: None, locks: Vec::new(), operation },
    })
}
