//! A request target has no fragment (RFC 9112, section 3.2). The parser of the field drops one, and then the request
//! means something that its client did not write: `DELETE /a/#b` would delete `/a/`. So what begins a fragment in a
//! request line becomes a character that no target may have, and the request is refused with 400.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::exchange::Exchange;

/// No target has it, so the parser refuses it.
const REFUSED: u8 = b'<';

/// A stream on which request lines with a fragment do not pass.
pub(crate) struct NoFragments<S> {
    inner: S,
    exchange: Exchange,
    /// What was read of it already, to be read once more.
    back: Bytes,
}

impl<S> NoFragments<S> {
    pub(crate) fn new(inner: S, exchange: Exchange) -> Self {
        Self { inner, exchange, back: Bytes::new() }
    }

    /// What is below.
    pub(crate) fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Gives back what was read and not used.
    pub(crate) fn give_back(&mut self, read: Bytes) {
        self.back = read;
    }

    /// Whether something was given back.
    pub(crate) fn has_more(&self) -> bool {
        !self.back.is_empty()
    }
}

/// Refuses a fragment in what was read of a request line; whether the line ends there.
fn refuse(read: &mut [u8]) -> bool {
    for byte in read {
        match byte {
            b'\n' => return true,
            b'#' => *byte = REFUSED,
            _ => {}
        }
    }
    false
}

impl<S: AsyncRead + Unpin> AsyncRead for NoFragments<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.back.is_empty() {
            let length = self.back.len().min(buffer.remaining());
            buffer.put_slice(self.back.get(..length).unwrap_or_default());
            self.back.advance(length);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.inner).poll_read(context, buffer);
        let read = buffer.filled_mut().get_mut(before..).unwrap_or_default();
        if !read.is_empty() && self.exchange.is_before_end_of_line() {
            self.exchange.line_read(refuse(read));
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for NoFragments<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.exchange.writes(poll.is_pending());
        poll
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.exchange.writes(poll.is_pending());
        poll
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn only_a_request_line_is_looked_at() {
        let sent: &[u8] = b"DELETE /a/#b HTTP/1.1\r\nX: #\r\n\r\n#\n#";
        let exchange = Exchange::default();
        let mut stream = NoFragments::new(sent, exchange.clone());
        let mut read = String::new();
        stream.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "DELETE /a/<b HTTP/1.1\r\nX: #\r\n\r\n#\n#");
        drop(exchange.behind(Body::empty()));
        let mut stream = NoFragments::new(&b"GET /#"[..], exchange);
        stream.give_back(Bytes::from_static(b"#"));
        assert!(stream.has_more());
        let mut read = String::new();
        stream.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "#GET /<");
    }
}
