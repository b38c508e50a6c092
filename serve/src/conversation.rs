//! One connection from its beginning to its end: requests and answers, and rests between them.
//!
//! An HTTP connection takes some 20 KiB of buffers and state, and browsers keep several open for minutes that say
//! nothing. So where nothing was said for a moment all of that is given up, and the bare socket waits for more.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use crate::exchange::Exchange;
use crate::fragment::NoFragments;
use crate::linger::Linger;
use crate::listener::{Limits, Peer};
use crate::metrics::Metrics;
use crate::shutdown::{Phase, Shutdown};
use crate::stall::StallLimit;

/// A client's stream, with what stands between it and HTTP.
type Stream = NoFragments<Linger<StallLimit<TcpStream>>>;

/// What a connection needs to know.
pub(crate) struct Connection {
    pub(crate) endpoint: &'static str,
    pub(crate) router: Router,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    pub(crate) shutdown: Shutdown,
    pub(crate) peer: SocketAddr,
}

/// A connection that rests, counted.
struct Resting<'a>(&'a Connection);

impl<'a> Resting<'a> {
    fn new(connection: &'a Connection) -> Self {
        connection.metrics.rests(connection.endpoint, true);
        Self(connection)
    }
}

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        self.0.metrics.rests(self.0.endpoint, false);
    }
}

impl Connection {
    /// Serves it to its end, or until what still runs is cut off.
    pub(crate) async fn serve(self, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "A connection ended before it began.");
            return;
        }
        tokio::select! {
            () = self.converse(stream) => {}
            () = self.shutdown.stopping() => {}
        }
    }

    async fn converse(&self, stream: TcpStream) {
        let exchange = Exchange::default();
        let stalling = StallLimit::new(stream, self.limits.write_stall);
        let mut stream = NoFragments::new(Linger::new(stalling), exchange.clone());
        loop {
            if !stream.has_more() && !self.rest(&stream).await {
                // Whoever has gone already is no concern.
                let _ = stream.shutdown().await;
                return;
            }
            match self.talk(stream, &exchange).await {
                Some(resting) => stream = resting,
                None => return,
            }
        }
    }

    /// Waits for the client to say something; whether it did in time.
    async fn rest(&self, stream: &Stream) -> bool {
        let _resting = Resting::new(self);
        let mut first = [0];
        let socket: &TcpStream = stream.get_ref().get_ref().get_ref();
        tokio::select! {
            // Looked at, and left for whoever reads it: readiness alone is sometimes claimed where there is none.
            said = timeout(self.limits.head, socket.peek(&mut first)) => matches!(said, Ok(Ok(_))),
            () = self.shutdown.reached(Phase::Closing) => false,
        }
    }

    /// Answers requests. The stream comes back when the client says nothing for a while; otherwise it has ended.
    async fn talk(&self, stream: Stream, exchange: &Exchange) -> Option<Stream> {
        let before = exchange.answered();
        let answers = service_fn(|request: Request<Incoming>| {
            exchange.begun();
            Box::pin(async move {
                let response = self.answer(request).await?;
                Ok::<_, Infallible>(response.map(|body| exchange.behind(body)))
            })
        });
        // In a box, for a connection that rests must not take the room of one that does not.
        let mut connection = Box::new(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(self.limits.head)
                .serve_connection(TokioIo::new(stream), answers),
        );
        let (mut closing, mut seen) = (false, before);
        let mut look = Box::pin(sleep(self.limits.rest));
        loop {
            tokio::select! {
                ended = &mut *connection => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "A connection ended early.");
                    }
                    return None;
                }
                () = self.shutdown.reached(Phase::Closing), if !closing => {
                    closing = true;
                    Pin::new(&mut *connection).graceful_shutdown();
                }
                () = look.as_mut(), if !closing => {
                    match exchange.at_rest() {
                        // Nothing was said since the last look.
                        Some(answered) if answered > before && answered == seen => break,
                        Some(answered) => seen = answered,
                        None => {}
                    }
                    look.as_mut().reset(Instant::now() + self.limits.rest);
                }
            }
        }
        // Between two requests this ends it at once, and leaves the stream as it is.
        Pin::new(&mut *connection).graceful_shutdown();
        let ended = poll_fn(|context| Poll::Ready(connection.poll_without_shutdown(context))).await;
        if ended.is_pending() {
            // It was not between two requests after all.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "A connection ended early.");
            }
            return None;
        }
        let http1::Parts { io, read_buf, .. } = connection.into_parts();
        let mut stream = io.into_inner();
        stream.give_back(read_buf);
        Some(stream)
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Result<Response, Infallible> {
        request.extensions_mut().insert(Peer(self.peer));
        let mut response = self.router.clone().oneshot(request.map(Body::new)).await?;
        if self.shutdown.is_draining() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}
