//! Reads a request's body with a limit on silence, and tells an end from a break.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt;

/// How long a client may be silent in the middle of a body. Longer than a phone needs to change networks.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or the client sent less than it had announced.
    #[error("the body was cut short: {0}")]
    CutShort(axum::Error),
    /// Nothing came for [`LONGEST_SILENCE`].
    #[error("nothing came for {0:?}")]
    Silent(Duration),
}

/// A body that is read chunk by chunk.
#[derive(Debug)]
pub struct Incoming {
    body: Body,
    silence: Duration,
}

impl Incoming {
    /// Reads this body; `silence` is how long it may bring nothing.
    pub fn new(body: Body, silence: Duration) -> Self {
        Self { body, silence }
    }

    /// The next bytes, never empty; `None` at the end that the client meant.
    ///
    /// # Errors
    /// When the body breaks or stays silent too long.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let frame = tokio::time::timeout(self.silence, self.body.frame())
                .await
                .map_err(|_| BodyError::Silent(self.silence))?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(BodyError::CutShort(error)),
                // Trailers say nothing here.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Ok(Some(data)),
                    _ => {}
                },
            }
        }
    }
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
        assert!(matches!(error, BodyError::Silent(_)));
        let broken = Body::from_stream(stream::iter([Err::<Bytes, _>(std::io::Error::other("reset"))]));
        let error = Incoming::new(broken, LONGEST_SILENCE).next().await.unwrap_err();
        assert!(matches!(error, BodyError::CutShort(_)));
    }
}
