//! From start to end: serve every endpoint, and when told to end, announce it, close, and cut off what is left.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::admin::{self, Admin};
use crate::listener::{Endpoint, Limits};
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// The longest that a draining program goes on accepting: about what a cluster takes to stop sending to it.
const ANNOUNCED: Duration = Duration::from_secs(3);

/// What is the same for every program.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Where `/live`, `/ready` and `/metrics` are.
    pub admin_listen: SocketAddr,
    /// From the wish to end until what still runs is cut off.
    pub grace: Duration,
}

/// Serves the endpoints and the admin port until `shutdown` has run its course: [`Probes::start`] and
/// [`serve_until_drained`] in one. Programs that take long to start do the two one after the other.
///
/// # Errors
/// When the admin address cannot be bound.
pub async fn run(
    config: Config,
    endpoints: Vec<Endpoint>,
    admin: Admin,
    shutdown: Shutdown,
) -> io::Result<()> {
    let Config { admin_listen, grace } = config;
    let metrics = admin.metrics.clone();
    let _probes = Probes::start(admin_listen, admin, &shutdown).await?;
    serve_until_drained(endpoints, &metrics, grace, &shutdown).await;
    Ok(())
}

/// The admin port, answering until this is dropped: its end is not part of the drain.
#[derive(Debug)]
pub struct Probes {
    address: SocketAddr,
    serving: tokio::task::JoinHandle<usize>,
}

impl Probes {
    /// Starts to answer `/live`, `/ready` and `/metrics`, while the rest of the program may still be starting.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(listen: SocketAddr, admin: Admin, shutdown: &Shutdown) -> io::Result<Self> {
        let metrics = admin.metrics.clone();
        let routes = admin::router(admin, shutdown.clone());
        let endpoint = Endpoint::bind("admin", listen, routes, Limits::default()).await?;
        let address = endpoint.address()?;
        Ok(Self { address, serving: tokio::spawn(endpoint.serve(metrics, Shutdown::new())) })
    }

    /// Where they answer; the port is the real one when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Serves the endpoints until `shutdown` has run its course.
///
/// Told to drain, the program goes on accepting for a moment (at most 3 s and a quarter of the grace), since
/// routers learn late that it is unready; then it closes each connection after the request it is in, and cuts
/// off what is left at the end of the grace. Handlers that may run long wait for [`Shutdown::draining`]
/// themselves.
pub async fn serve_until_drained(
    endpoints: Vec<Endpoint>,
    metrics: &Metrics,
    grace: Duration,
    shutdown: &Shutdown,
) {
    let mut serving = JoinSet::new();
    for endpoint in endpoints {
        serving.spawn(endpoint.serve(metrics.clone(), shutdown.clone()));
    }
    shutdown.draining().await;
    let deadline = Instant::now() + grace;
    tokio::select! {
        () = tokio::time::sleep(ANNOUNCED.min(grace / 4)) => {}
        () = shutdown.stopping() => {}
    }
    shutdown.close();
    let mut cut_off = 0;
    loop {
        tokio::select! {
            ended = serving.join_next() => match ended {
                Some(Ok(connections)) => cut_off += connections,
                Some(Err(error)) => tracing::error!(%error, "A listener broke."),
                None => break,
            },
            () = tokio::time::sleep_until(deadline), if Instant::now() < deadline => shutdown.stop(),
        }
    }
    if cut_off == 0 {
        tracing::info!("Drained: every request was answered.");
    } else {
        tracing::warn!(connections = cut_off, "The grace is over: connections were cut off.");
    }
}
