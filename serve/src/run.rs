//! From start to end: serve every endpoint, and when told to end, announce it, close, and cut off what is left.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::admin::{self, Admin};
use crate::listener::{Endpoint, Limits};
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

/// Serves the endpoints and the admin port until `shutdown` has run its course.
///
/// Told to drain, the program is unready at once, goes on accepting for a moment (at most 3 s and a quarter of
/// the grace) since routers learn of it late, then closes each connection after the request it is in, and
/// cuts off what is left at the end of the grace. Handlers that may run long wait for [`Shutdown::draining`]
/// themselves.
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
    let admin_routes = admin::router(admin, shutdown.clone());
    let admin = Endpoint::bind("admin", admin_listen, admin_routes, Limits::default()).await?;
    // The admin port answers to the very end: its end is not part of the drain.
    let _admin = AbortOnDrop(tokio::spawn(admin.serve(metrics.clone(), Shutdown::new())));

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
    Ok(())
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
