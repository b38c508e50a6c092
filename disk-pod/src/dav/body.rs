//! Reads the bodies that are XML, up to a length.

use std::time::Duration;

use axum::body::Body;

use crate::error::Error;
use crate::http::body::Incoming;

/// A whole body.
///
/// # Errors
/// When it is longer than this, in bytes, or cut short.
pub(super) async fn read(body: Body, longest: usize, silence: Duration) -> Result<Vec<u8>, Error> {
    let mut incoming = Incoming::new(body, silence);
    let mut whole = Vec::new();
    while let Some(chunk) = incoming.next().await? {
        if whole.len() + chunk.len() > longest {
            return Err(Error::TooLarge(longest as u64));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}
