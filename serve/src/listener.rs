//! Accepts connections and serves a router on them, with every limit armed.
//!
//! `axum::serve` arms no timer, so that a client which sends its head a byte an hour would never be let go;
//! this loop does, and it bounds the number of connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::conversation::Connection;
use crate::metrics::Metrics;
use crate::observe::{Observer, observe};
use crate::shutdown::{Phase, Shutdown};

/// How long to leave the listener alone when the system has no more file descriptors.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// What one client may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for the head of a request to arrive in full, and the longest a connection is kept with none.
    pub head: Duration,
    /// How long a client may leave an answer unread.
    pub write_stall: Duration,
    /// A connection on which nothing was said for so long keeps no buffers.
    pub rest: Duration,
    /// Connections at once; further ones wait in the system's queue.
    pub connections: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            write_stall: Duration::from_secs(60),
            rest: Duration::from_secs(1),
            connections: 4096,
        }
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
        let observer = Observer { endpoint: name, metrics: metrics.clone() };
        let router = router.layer(axum::middleware::from_fn_with_state(observer, observe));
        let slots = Arc::new(Semaphore::new(limits.connections as usize));
        loop {
            let accepted = tokio::select! {
                () = shutdown.reached(Phase::Closing) => break,
                accepted = accept(&listener, &slots) => accepted,
            };
            let Some((slot, stream, peer)) = accepted else { continue };
            let (router, metrics, shutdown) = (router.clone(), metrics.clone(), shutdown.clone());
            let connection = Connection { endpoint: name, router, metrics, limits, shutdown, peer };
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
