//! From arguments to a running program.

use std::time::{Duration, Instant};

use anyhow::Context;
use roster::credentials::{self, CredentialStore};
use roster::source;
use serve::{Admin, Endpoint, Limits, Metrics, Readiness, Shutdown};

use crate::app::{App, Parts};
use crate::app_passwords::AppPasswordSecrets;
use crate::config::{Action, Command, Serve};
use crate::disks::{Pace, probe};
use crate::internal::internal;
use crate::keys::Keys;
use crate::links::Links;
use crate::metrics::WebMetrics;
use crate::oidc::{NewMembers, Oidc};
use crate::router::router;
use crate::self_service::SelfService;
use crate::sign_in::{Attempts, Passwords, SignIn};

/// Runs the program to its end.
///
/// # Errors
/// When it cannot start; the message says what to change.
pub fn start(command: Command) -> anyhow::Result<()> {
    let Command { action: Action::Serve(serve) } = command;
    serve::telemetry::start(serve.log_format, &serve.log)?;
    // Passwords are hashed on the blocking threads, as many as there are cores; files are read there, too.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(64).build()?;
    runtime.block_on(run(*serve))
}

async fn run(serve: Serve) -> anyhow::Result<()> {
    let Serve {
        cluster_uid,
        roster: roster_directory,
        credentials: credentials_directory,
        keys: keys_directory,
        providers,
        trust,
        watch,
        pod_name,
        listen,
        internal_listen,
        admin_listen,
        probe_interval_ms,
        grace_seconds,
        log_format: _,
        log: _,
    } = serve;
    let shutdown = Shutdown::on_signals()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);

    let roster = roster::Store::empty(cluster_uid, trust);
    let credentials = CredentialStore::empty();
    let mut followers = vec![
        source::directory::follow(roster.clone(), roster_directory),
        credentials::directory::follow(credentials.clone(), credentials_directory),
    ];
    let (keys, keys_file) = Keys::read(keys_directory)?;
    let _keys = AbortOnDrop(tokio::spawn(keys.clone().follow(keys_file)));

    let (mut self_service, mut app_passwords, mut new_members) = (None, None, None);
    if let Some(watched) = watch {
        let client = kube::Client::try_default().await.context(
            "cannot find the Kubernetes API: run in a pod with a service account, or leave out --watch",
        )?;
        let (namespace, cluster) = (&watched.namespace, &watched.cluster);
        followers.push(source::kubernetes::follow(roster.clone(), client.clone(), namespace, cluster));
        followers.push(credentials::kubernetes::follow(
            credentials.clone(),
            roster.clone(),
            client.clone(),
            namespace,
            cluster,
        ));
        app_passwords = Some(AppPasswordSecrets::new(client.clone(), &watched));
        new_members = Some(NewMembers::new(client.clone(), &watched));
        self_service = Some(SelfService::new(client, watched));
    }

    let pace = Pace::every(Duration::from_millis(probe_interval_ms));
    let disks = pace.view();
    let _prober = AbortOnDrop(tokio::spawn(probe(roster.clone(), disks.clone(), pace)));

    let admin = Admin { readiness: Readiness::new(), metrics: Metrics::new() };
    let metrics = WebMetrics::register(&admin.metrics)?;
    require(&admin.readiness, &roster, &credentials);
    let _gauges = AbortOnDrop(tokio::spawn({
        let (roster, disks, metrics) = (roster.clone(), disks.clone(), metrics.clone());
        async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1));
            loop {
                ticks.tick().await;
                metrics.gauge(disks.answering(Instant::now()), roster.current().generation().0);
            }
        }
    }));

    let app = App::new(Parts {
        cluster: cluster_uid,
        roster,
        credentials,
        keys,
        sign_in: SignIn { passwords: Passwords::new(cores)?, attempts: Attempts::default().into() },
        oidc: Oidc::new(providers),
        new_members,
        disks,
        links: Links::default(),
        self_service,
        app_passwords,
        metrics,
    });
    let public = Endpoint::bind("public", listen, router(app.clone()), Limits::default()).await?;
    let private = Endpoint::bind("internal", internal_listen, internal(app), Limits::default()).await?;
    tracing::info!(pod = %pod_name, %listen, "Serving.");
    let grace = Duration::from_secs(grace_seconds);
    serve::run(serve::Config { admin_listen, grace }, vec![public, private], admin, shutdown).await?;
    drop(followers);
    Ok(())
}

/// A web pod that does not know all members would refuse some of them.
fn require(readiness: &Readiness, roster: &roster::Store, credentials: &CredentialStore) {
    let store = roster.clone();
    readiness.check("roster", move || {
        if store.is_loaded() {
            return Ok(());
        }
        Err("no whole roster was read yet: see whether the operator runs and has published one".to_owned())
    });
    let (store, credentials) = (roster.clone(), credentials.clone());
    let was_complete = std::sync::atomic::AtomicBool::new(false);
    readiness.check("credentials", move || {
        use std::sync::atomic::Ordering;
        // Once complete, a shard that lags is one member's new password, and no reason to refuse all others.
        if was_complete.load(Ordering::Relaxed) {
            return Ok(());
        }
        let roster = store.current();
        let named = roster.index().map(|index| index.credentials.as_slice()).unwrap_or_default();
        let lacking = (0u8..).zip(named).find(|(shard, named)| credentials.generation(*shard) < **named);
        match (lacking, roster.index()) {
            (Some((shard, _)), _) => Err(format!("the credentials of shard {shard} were not read yet")),
            (None, None) => Err("no roster was read yet".to_owned()),
            (None, Some(_)) => {
                was_complete.store(true, Ordering::Relaxed);
                Ok(())
            }
        }
    });
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
