//! A request target has no fragment (RFC 9112, section 3.2). The parser of the field drops one, and then the request
//! means something that its client did not write: `DELETE /a/#b` would delete `/a/`. So what begins a fragment in a
//! request line becomes a character that no target may have, and the request is refused with 400.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::held::hold;

/// No target has it, so the parser refuses it.
const REFUSED: u8 = b'<';

/// Whether what is read next on a connection begins a request: at its beginning, and behind each answer.
#[derive(Clone, Debug)]
pub(crate) struct NextRequest(Arc<AtomicBool>);

impl Default for NextRequest {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl NextRequest {
    /// The body of an answer, behind which the next request begins.
    pub(crate) fn behind(&self, body: Body) -> Body {
        hold(body, Answered(self.clone()))
    }
}

/// A stream on which request lines with a fragment do not pass.
pub(crate) struct NoFragments<S> {
    inner: S,
    next: NextRequest,
}

impl<S> NoFragments<S> {
    pub(crate) fn new(inner: S, next: NextRequest) -> Self {
        Self { inner, next }
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
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.inner).poll_read(context, buffer);
        let read = buffer.filled_mut().get_mut(before..).unwrap_or_default();
        if self.next.0.load(Ordering::Acquire) && refuse(read) {
            self.next.0.store(false, Ordering::Release);
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
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
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

/// Held by the body of an answer: when it is dropped, all of the request was read by whoever answered it.
struct Answered(NextRequest);

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn only_a_request_line_is_looked_at() {
        let sent: &[u8] = b"DELETE /a/#b HTTP/1.1\r\nX: #\r\n\r\n#\n#";
        let next = NextRequest::default();
        let mut stream = NoFragments::new(sent, next.clone());
        let mut read = String::new();
        stream.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "DELETE /a/<b HTTP/1.1\r\nX: #\r\n\r\n#\n#");
        drop(next.behind(Body::empty()));
        let mut stream = NoFragments::new(&b"GET /#"[..], next);
        let mut read = String::new();
        stream.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "GET /<");
    }
}
