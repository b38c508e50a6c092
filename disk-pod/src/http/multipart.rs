//! Several ranges of a file in one answer: `multipart/byteranges` (RFC 9110, section 14.6).

use std::ops::Range;

use api::generation::Generation;
use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::HeaderValue;
use spaces::Node;
use uuid::Uuid;

use super::body::BodyError;
use super::get;
use crate::app::App;
use crate::auth::Grant;
use crate::error::Error;

/// What stands between the parts, and how long all of it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    boundary: String,
    parts: Vec<(Bytes, Range<u64>)>,
    end: Bytes,
}

impl Parts {
    /// Of these ranges of a file of this size, whose parts are of this type.
    pub(crate) fn new(ranges: &[Range<u64>], size: u64, kind: &str) -> Self {
        // Nobody who wrote the file could know it.
        Self::between(&Uuid::new_v4().simple().to_string(), ranges, size, kind)
    }

    fn between(boundary: &str, ranges: &[Range<u64>], size: u64, kind: &str) -> Self {
        let part = |range: &Range<u64>| {
            let last = range.end.saturating_sub(1);
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: bytes {}-{last}/{size}\r\n\r\n",
                range.start
            );
            (Bytes::from(head), range.clone())
        };
        let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
        Self { boundary: boundary.to_owned(), parts: ranges.iter().map(part).collect(), end }
    }

    pub(crate) fn content_type(&self) -> HeaderValue {
        HeaderValue::try_from(format!("multipart/byteranges; boundary={}", self.boundary))
            .unwrap_or_else(|_| HeaderValue::from_static("multipart/byteranges"))
    }

    /// Bytes of the whole body.
    pub(crate) fn length(&self) -> u64 {
        let parts = self.parts.iter().map(|(head, range)| head.len() as u64 + range.end - range.start);
        parts.sum::<u64>() + self.end.len() as u64
    }

    /// The body. The bytes of each part are looked up when the part before is over, those of the first before the head is
    /// sent.
    pub(crate) async fn body(
        self,
        app: &App,
        grant: Grant,
        node: &Node,
        (name, generation): (&str, Generation),
    ) -> Result<Body, Error> {
        let Self { boundary: _, parts, end } = self;
        app.space(&grant).was_read(node, name, generation);
        let (app, node) = (app.clone(), node.clone());
        let parts = stream::iter(parts).then(move |(head, range)| {
            let (app, node, grant) = (app.clone(), node.clone(), grant.clone());
            async move {
                let reader = app.space(&grant).read(&node, range.clone()).await?;
                let content = get::stream(&app, grant, reader, range).await?.into_data_stream();
                let content = content.map_err(|error| Error::Body(BodyError::CutShort(error)));
                Ok::<_, Error>(stream::once(async { Ok(head) }).chain(content))
            }
        });
        let mut all = Box::pin(parts.try_flatten());
        let first = all.next().await.transpose()?;
        let rest = all.chain(stream::once(async { Ok(end) }));
        Ok(Body::from_stream(stream::iter(first.map(Ok)).chain(rest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_that_of_what_is_between_too() {
        let parts = Parts::between("b", &[0..2, 5..6], 10, "text/plain");
        let heads = [
            "\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n",
            "\r\n--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-5/10\r\n\r\n",
        ];
        assert_eq!(parts.parts, [(Bytes::from(heads[0]), 0..2), (Bytes::from(heads[1]), 5..6)]);
        assert_eq!(parts.length(), (heads[0].len() + 2 + heads[1].len() + 1 + "\r\n--b--\r\n".len()) as u64);
        assert_eq!(parts.content_type(), "multipart/byteranges; boundary=b");
    }
}
