//! How a program ends: told to, it drains, and what has not ended by the end of the grace is cut off.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How far the end has come. Phases only ever rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nobody asked for the end.
    Running,
    /// Unready, but still answering: routers learn of it late. Long work should end at a safe point now.
    Draining,
    /// No new connections; each one ends after the request it is in.
    Closing,
    /// What still runs is cut off.
    Stopping,
}

/// A handle to the end of the program; all clones speak of the same end.
#[derive(Clone, Debug)]
pub struct Shutdown {
    phase: Arc<watch::Sender<Phase>>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// A program that runs until [`Shutdown::drain`] is called.
    pub fn new() -> Self {
        Self { phase: Arc::new(watch::Sender::new(Phase::Running)) }
    }

    /// A program that drains at SIGTERM or SIGINT, and stops at the second of them.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn on_signals() -> io::Result<Self> {
        let shutdown = Self::new();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let told = shutdown.clone();
        tokio::spawn(async move {
            loop {
                let name = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                };
                if told.is_draining() {
                    tracing::info!(signal = name, "Told a second time to end: stopping now.");
                    told.stop();
                } else {
                    tracing::info!(signal = name, "Told to end: draining.");
                    told.drain();
                }
            }
        });
        Ok(shutdown)
    }

    /// The phase now.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Whether the end was asked for.
    pub fn is_draining(&self) -> bool {
        self.phase() >= Phase::Draining
    }

    /// Ask for the end.
    pub fn drain(&self) {
        self.rise(Phase::Draining);
    }

    /// Cut off what still runs.
    pub fn stop(&self) {
        self.rise(Phase::Stopping);
    }

    /// Returns once the end was asked for; at once if it was already.
    pub async fn draining(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Returns once what still runs is to be cut off.
    pub async fn stopping(&self) {
        self.reached(Phase::Stopping).await;
    }

    pub(crate) fn close(&self) {
        self.rise(Phase::Closing);
    }

    fn rise(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let rises = *phase < to;
            if rises {
                *phase = to;
            }
            rises
        });
    }

    pub(crate) async fn reached(&self, wanted: Phase) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.phase.subscribe().wait_for(|phase| *phase >= wanted).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn phases_only_rise() {
        let shutdown = Shutdown::new();
        assert_eq!(shutdown.phase(), Phase::Running);
        shutdown.stop();
        shutdown.drain();
        assert_eq!(shutdown.phase(), Phase::Stopping);
        shutdown.draining().await;
        shutdown.stopping().await;
    }
}
