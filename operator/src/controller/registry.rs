//! All controllers of the program.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serve::Shutdown;
use tokio::task::JoinSet;

use super::{Queue, Reconciler, work};
use crate::metrics::OperatorMetrics;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// All controllers: first they are added, then they start together, once every mirror is complete.
pub struct Controllers {
    metrics: OperatorMetrics,
    shutdown: Shutdown,
    workers: Vec<Task>,
    background: Vec<Task>,
}

impl Controllers {
    /// None yet.
    pub fn new(metrics: OperatorMetrics, shutdown: Shutdown) -> Self {
        Self { metrics, shutdown, workers: Vec::new(), background: Vec::new() }
    }

    /// Adds a controller with its queue.
    pub fn add<R: Reconciler>(&mut self, reconciler: R, queue: Queue) {
        let (metrics, shutdown) = (self.metrics.clone(), self.shutdown.clone());
        self.workers.push(Box::pin(work(Arc::new(reconciler), queue, metrics, shutdown)));
    }

    /// Adds something that runs beside them and is dropped at the end, such as a watch of one's own.
    pub fn beside(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.background.push(Box::pin(task));
    }

    /// Runs all of them until told to end, and what is under way has ended.
    pub async fn run(self) {
        let Self { metrics: _, shutdown, workers, background } = self;
        let mut beside = JoinSet::new();
        for task in background {
            beside.spawn(task);
        }
        let mut working = JoinSet::new();
        for task in workers {
            working.spawn(task);
        }
        while let Some(ended) = working.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "A controller broke; the program ends, to be started anew.");
                shutdown.drain();
            }
        }
    }
}
