//! Puts the operator together and runs it to its end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kube::Client;
use serve::{Admin, Metrics, Probes, Readiness, Shutdown};
use tokio::task::JoinSet;

use crate::config::{Command, CommandLine, Settings};
use crate::context::Context;
use crate::controller::Controllers;
use crate::leadership::Leadership;
use crate::metrics::OperatorMetrics;
use crate::{accounts, cluster};

/// What is under way has so long to end.
const GRACE: Duration = Duration::from_secs(10);

/// Does what the command line says.
///
/// # Errors
/// When the operator cannot start or has to end, in words for whoever reads its log.
pub fn run(CommandLine { command }: CommandLine) -> anyhow::Result<()> {
    let Command::Run(settings) = command;
    // It waits for the API server most of the time.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(Box::pin(start(*settings)))
}

async fn start(settings: Settings) -> anyhow::Result<()> {
    serve::telemetry::start(settings.log_format, &settings.log)?;
    let shutdown = Shutdown::on_signals()?;
    let admin = Admin { readiness: Readiness::new(), metrics: Metrics::new() };
    let reached = admin.readiness.condition("kubernetes", "the Kubernetes API was not reached yet");
    let metrics = OperatorMetrics::new(&admin.metrics)?;
    let _probes = Probes::start(settings.admin_listen, admin, &shutdown).await?;

    let client = Client::try_default()
        .await
        .context("the Kubernetes API is not configured here: run the operator in a pod, or set KUBECONFIG")?;
    client.apiserver_version().await.context("the Kubernetes API does not answer")?;
    reached.met();

    let leadership = Leadership::new(client.clone(), &settings.pod_namespace, &settings.pod_name);
    tracing::info!(replica = settings.pod_name, "Standing by until this replica is the one that works.");
    tokio::select! {
        () = leadership.acquire() => {}
        () = shutdown.draining() => return Ok(()),
    }
    metrics.leading(true);
    tracing::info!(replica = settings.pod_name, "This replica works now.");
    let working = work(Context::new(client, settings, metrics), shutdown.clone());
    tokio::select! {
        lost = leadership.keep() => {
            tracing::error!(error = %lost, "This replica must not go on: it ends, and is started anew as a stand-by.");
            return Err(lost);
        }
        () = working => {}
    }
    leadership.release().await;
    Ok(())
}

/// Mirrors first; when all are complete, the controllers.
async fn work(context: Arc<Context>, shutdown: Shutdown) {
    let mut controllers = Controllers::new(context.metrics.clone(), shutdown.clone());
    cluster::register(&context, &mut controllers);
    accounts::register(&context, &mut controllers);

    let mut watching = JoinSet::new();
    watching.spawn(context.disk_clusters.clone().follow());
    watching.spawn(context.members.clone().follow());
    watching.spawn(context.groups.clone().follow());
    watching.spawn(context.pods.clone().follow());
    watching.spawn(context.stateful_sets.clone().follow());
    watching.spawn(context.deployments.clone().follow());
    watching.spawn(context.services.clone().follow());
    let noticing = Arc::clone(&context);
    watching.spawn(async move {
        tokio::join!(noticing.secrets.follow(), noticing.claims.follow());
    });
    let complete = async {
        context.disk_clusters.completed().await;
        context.members.completed().await;
        context.groups.completed().await;
        context.pods.completed().await;
        context.stateful_sets.completed().await;
        context.deployments.completed().await;
        context.services.completed().await;
    };
    tokio::select! {
        () = complete => {}
        () = shutdown.draining() => return,
    }
    tracing::info!(
        disk_clusters = context.disk_clusters.len(),
        members = context.members.len(),
        groups = context.groups.len(),
        "All objects have been seen."
    );
    tokio::select! {
        () = controllers.run() => {}
        () = async {
            shutdown.draining().await;
            tokio::time::sleep(GRACE).await;
        } => tracing::warn!("What is under way does not end; it is cut off."),
    }
}
