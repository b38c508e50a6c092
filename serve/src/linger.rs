//! Takes what a client still sends after its answer, so that the answer arrives.
//!
//! A request that is refused before its body is read leaves bytes unread. The system answers such a close with a reset,
//! and a reset takes away from the client what it has not read yet: the reason for the refusal (RFC 9112, section 9.6).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Who sends nothing for so long has seen the end.
const SILENCE: Duration = Duration::from_secs(1);

/// Who goes on sending for so long does not look at answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that ends in both directions, one after the other.
pub(crate) struct Linger<S> {
    stream: S,
    ending: Option<Ending>,
}

/// Our direction has ended; the client's has not.
struct Ending {
    silence: Pin<Box<Sleep>>,
    patience: Pin<Box<Sleep>>,
}

impl<S> Linger<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, ending: None }
    }

    /// What is below.
    pub(crate) fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Linger<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Linger<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        content: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, content)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        contents: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, contents)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, ending } = &mut *self;
        if ending.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
        }
        let Ending { silence, patience } = ending.get_or_insert_with(|| Ending {
            silence: Box::pin(sleep(SILENCE)),
            patience: Box::pin(sleep(PATIENCE)),
        });
        let mut unread = [0; 16 << 10];
        while patience.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut unread);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    silence.as_mut().reset(Instant::now() + SILENCE);
                }
                // The client is done, too, or gone.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return silence.as_mut().poll(context).map(Ok),
            }
        }
        Poll::Ready(Ok(()))
    }
}
