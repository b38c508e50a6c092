//! Reads a request's body with a limit on silence, and tells an end from a break.

use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt;

use super::pace::Pace;
use crate::error::Error;

/// How long a client may be silent in the middle of a body. Longer than a phone needs to change networks.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or the client sent less than it had announced.
    #[error("the body was cut short: {0}")]
    CutShort(axum::Error),
    /// Nothing came for [`LONGEST_SILENCE`], or too little for longer.
    #[error("too little came")]
    Silent,
}

/// A body that is read chunk by chunk.
#[derive(Debug)]
pub struct Incoming {
    body: Body,
    pace: Pace,
}

impl Incoming {
    /// Reads this body; `silence` is how long it may bring nothing.
    pub fn new(body: Body, silence: Duration) -> Self {
        Self { body, pace: Pace::new(silence) }
    }

    /// The next bytes, never empty; `None` at the end that the client meant.
    ///
    /// # Errors
    /// When the body breaks or stays silent too long.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let deadline = self.pace.deadline(Instant::now());
            let frame = tokio::time::timeout_at(deadline.into(), self.body.frame())
                .await
                .map_err(|_| BodyError::Silent)?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(BodyError::CutShort(error)),
                // Trailers say nothing here.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => {
                        self.pace.came(Instant::now(), data.len());
                        return Ok(Some(data));
                    }
                    _ => {}
                },
            }
        }
    }
}

/// A whole body, for what is read before it is understood.
///
/// # Errors
/// When it is longer than this, in bytes, cut short, or too slow.
pub(crate) async fn whole(body: Body, longest: usize, silence: Duration) -> Result<Vec<u8>, Error> {
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

/// The announced length of a body; `None` when it is chunked.
pub fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn chunks_then_the_end() {
        let chunks =
            ["one", "", "two"].map(|text| Ok::<_, std::io::Error>(Bytes::from_static(text.as_bytes())));
        let mut incoming = Incoming::new(Body::from_stream(stream::iter(chunks)), LONGEST_SILENCE);
        assert_eq!(incoming.next().await.unwrap().unwrap(), "one");
        assert_eq!(incoming.next().await.unwrap().unwrap(), "two");
        assert!(incoming.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn silence_and_a_break_are_not_the_end() {
        let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let error = Incoming::new(silent, Duration::from_millis(10)).next().await.unwrap_err();
        assert!(matches!(error, BodyError::Silent));
        let broken = Body::from_stream(stream::iter([Err::<Bytes, _>(std::io::Error::other("reset"))]));
        let error = Incoming::new(broken, LONGEST_SILENCE).next().await.unwrap_err();
        assert!(matches!(error, BodyError::CutShort(_)));
    }
}
