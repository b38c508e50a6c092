//! Accepts connections and serves a router on them, with every limit armed.
//!
//! `axum::serve` arms no timer, so that a client which sends its head a byte an hour would never be let go;
//! this loop does, and it bounds the number of connections.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use crate::fragment::{NextRequest, NoFragments};
use crate::linger::Linger;
use crate::metrics::Metrics;
use crate::observe::{Observer, observe};
use crate::shutdown::{Phase, Shutdown};
use crate::stall::StallLimit;

/// How long to leave the listener alone when the system has no more file descriptors.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// What one client may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for the head of a request to arrive in full, and the longest a connection is kept with none.
    pub head: Duration,
    /// How long a client may leave an answer unread.
    pub write_stall: Duration,
    /// Connections at once; further ones wait in the system's queue.
    pub connections: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: Duration::from_secs(30), write_stall: Duration::from_secs(60), connections: 4096 }
    }
}

/// The address a request came from: a client's, or that of a proxy before it. In the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A bound port and what is served on it.
#[derive(Debug)]
pub struct Endpoint {
    name: &'static str,
    listener: TcpListener,
    router: Router,
    limits: Limits,
}

impl Endpoint {
    /// Binds the address now, so that a port in use is an error at the start. The name is for logs and metrics.
    ///
    /// # Errors
    /// When the address cannot be bound; the message names it.
    pub async fn bind(
        name: &'static str,
        address: SocketAddr,
        router: Router,
        limits: Limits,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot listen on {address} for {name} requests: {error}"))
        })?;
        Ok(Self { name, listener, router, limits })
    }

    /// Where it listens; the port is the real one when 0 was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the end; returns how many connections were cut off.
    pub(crate) async fn serve(self, metrics: Metrics, shutdown: Shutdown) -> usize {
        let Self { name, listener, router, limits } = self;
        let observer = Observer { endpoint: name, metrics };
        let router = router.layer(axum::middleware::from_fn_with_state(observer, observe));
        let slots = Arc::new(Semaphore::new(limits.connections as usize));
        loop {
            let accepted = tokio::select! {
                () = shutdown.reached(Phase::Closing) => break,
                accepted = accept(&listener, &slots) => accepted,
            };
            let Some((slot, stream, peer)) = accepted else { continue };
            let connection = Connection { router: router.clone(), limits, shutdown: shutdown.clone(), peer };
            tokio::spawn(async move {
                connection.serve(stream).await;
                drop(slot);
            });
        }
        // New clients are refused from here on, which tells them at once to go elsewhere.
        drop(listener);
        tokio::select! {
            _ = slots.acquire_many(limits.connections) => 0,
            () = shutdown.stopping() => limits.connections as usize - slots.available_permits(),
        }
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((slot, stream, peer)),
        Err(error) if of_one_connection(&error) => None,
        Err(error) => {
            tracing::warn!(%error, "Cannot accept connections; trying again shortly.");
            tokio::time::sleep(EXHAUSTED_PAUSE).await;
            None
        }
    }
}

fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

struct Connection {
    router: Router,
    limits: Limits,
    shutdown: Shutdown,
    peer: SocketAddr,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        let Self { router, limits, shutdown, peer } = self;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "A connection ended before it began.");
            return;
        }
        let next = NextRequest::default();
        let stream = NoFragments::new(Linger::new(StallLimit::new(stream, limits.write_stall)), next.clone());
        let answers = service_fn(async |request: Request<Incoming>| {
            let response = answer(&router, &shutdown, peer, request).await?;
            Ok::<_, Infallible>(response.map(|body| next.behind(body)))
        });
        let mut connection = std::pin::pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head)
                .serve_connection(TokioIo::new(stream), answers)
        );
        let mut closing = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "A connection ended early.");
                    }
                    return;
                }
                () = shutdown.reached(Phase::Closing), if !closing => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = shutdown.stopping() => return,
            }
        }
    }
}

async fn answer(
    router: &Router,
    shutdown: &Shutdown,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(Peer(peer));
    let mut response = router.clone().oneshot(request.map(Body::new)).await?;
    if shutdown.is_draining() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
