//! Puts the pod together and runs it to its end.

use anyhow::Context;
use api::keys::{SigningKey, Trust};
use jiff::Timestamp;
use roster::source::Follower;
use serve::{Admin, Endpoint, Limits, Metrics, Probes, Readiness, Shutdown};
use spaces::{Engine, LocalConfig};

use crate::app::{App, Parts, STALLED_AFTER};
use crate::auth::{Checker, Passwords, WebPods};
use crate::config::{Command, CommandLine, ServeArguments, Watch};
use crate::fault;
use crate::http::body::LONGEST_SILENCE;
use crate::load::Load;
use crate::metrics::DiskMetrics;
use crate::peers::{Elsewhere, Peers};

/// Does what the command line says.
///
/// # Errors
/// When the pod cannot start, in words for whoever reads its log.
pub async fn run(CommandLine { command }: CommandLine) -> anyhow::Result<()> {
    match command {
        Command::Serve(arguments) => serve(*arguments).await,
        Command::Fault(fault::FaultArguments { volume, fault, fault_dir }) => {
            fault::switch(&fault_dir, &volume, fault)
                .with_context(|| format!("cannot switch faults in {}", fault_dir.display()))
        }
        Command::CheckVolume(arguments) => crate::check::run(arguments, &mut std::io::stdout()).await,
        Command::Volume(arguments) => crate::volume::run(arguments).await,
    }
}

async fn serve(arguments: ServeArguments) -> anyhow::Result<()> {
    serve::telemetry::start(arguments.log_format, &arguments.log)?;
    let shutdown = Shutdown::on_signals()?;
    let admin = Admin { readiness: Readiness::new(), metrics: Metrics::new() };
    let opened = admin.readiness.condition("volumes", "the volumes are being opened");
    // Probes first: a volume that does not answer is no reason to be restarted.
    let _probes = Probes::start(arguments.admin_listen, admin.clone(), &shutdown).await?;

    let operator = Trust::new(arguments.trust.iter().cloned());
    let store = roster::Store::empty(arguments.cluster_uid, operator.clone());
    let _mounted = roster::source::directory::follow(store.clone(), arguments.roster.clone());
    let _watched = watch(&arguments, &store).await?;

    let passwords = Passwords::new(checker(&arguments)?)?;
    let engine = open(&arguments).await?;
    opened.met();
    let setting = tokio::spawn(crate::settings::follow(store.clone(), engine.clone()));
    let app = App::new(Parts {
        cluster: arguments.cluster_uid,
        pod: arguments.pod_name.clone(),
        started: Timestamp::now(),
        engine,
        volumes: arguments.volumes.iter().map(|volume| volume.name.clone()).collect(),
        roster: store,
        passwords,
        operator,
        load: Load::default(),
        shutdown: shutdown.clone(),
        silence: LONGEST_SILENCE,
    });
    let peers = Peers::default();
    conditions(&admin.readiness, &app, &peers);
    let asking = tokio::spawn(peers.ask(app.clone()));
    let walking = tokio::spawn(crate::walk::walk(app.clone()));
    let measuring = tokio::spawn(DiskMetrics::register(&admin.metrics)?.follow(app.clone()));
    let public =
        Endpoint::bind("public", arguments.listen, crate::router(app.clone()), Limits::default()).await?;
    let internal = Endpoint::bind(
        "internal",
        arguments.internal_listen,
        crate::internal::router(app),
        Limits::default(),
    )
    .await?;
    tracing::info!(
        pod = %arguments.pod_name,
        listen = %arguments.listen,
        volumes = arguments.volumes.len(),
        "This disk server is running."
    );
    serve::serve_until_drained(vec![public, internal], &admin.metrics, arguments.grace(), &shutdown).await;
    setting.abort();
    asking.abort();
    measuring.abort();
    walking.abort();
    Ok(())
}

/// By whom names and passwords are checked.
fn checker(arguments: &ServeArguments) -> anyhow::Result<Checker> {
    let Some(directory) = &arguments.key else { return Ok(Checker::Nowhere) };
    let file = directory.join("key");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}; is the Secret mounted there?", file.display()))?;
    let key = SigningKey::from_paserk(&text).with_context(|| format!("{}", file.display()))?;
    Ok(Checker::WebPods(WebPods::new(key)))
}

/// Follows the roster in the Kubernetes API, on top of the mounted copy.
async fn watch(arguments: &ServeArguments, store: &roster::Store) -> anyhow::Result<Option<Follower>> {
    let Some(Watch { namespace, cluster }) = &arguments.watch else { return Ok(None) };
    let client = kube::Client::try_default().await.context(
        "the Kubernetes API is not configured here; leave --watch out to follow the mounted roster alone",
    )?;
    Ok(Some(roster::source::kubernetes::follow(store.clone(), client, namespace, cluster)))
}

/// What must hold for this pod to be sent members: it knows them, and each volume can be written now, or by nobody.
fn conditions(readiness: &Readiness, app: &App, peers: &Peers) {
    let knows = app.clone();
    readiness.check("roster", move || {
        knows.roster.is_loaded().then_some(()).ok_or_else(|| "no roster was read yet".to_owned())
    });
    for volume in app.volumes.clone() {
        let (app, peers) = (app.clone(), peers.clone());
        readiness.check(format!("volume {volume}"), move || match app.engine.health(&volume).canary_age {
            Some(age) if age < STALLED_AFTER => Ok(()),
            Some(_) if peers.elsewhere(&volume) == Elsewhere::Stalled => Ok(()),
            Some(age) => Err(format!("nothing could be written for {} ms", age.as_millis())),
            None => Err("nothing could be written yet".to_owned()),
        });
    }
}

async fn open(arguments: &ServeArguments) -> anyhow::Result<spaces::Local> {
    let volumes = arguments.volumes.iter().map(|volume| (volume.name.clone(), volume.directory.clone()));
    if let Some(directory) = &arguments.fault_dir {
        tracing::warn!(directory = %directory.display(), "Faults can be injected into volumes: this is for tests alone.");
    }
    let config = LocalConfig {
        volumes: volumes.collect(),
        cluster: arguments.cluster_uid,
        adopt: arguments.adopt_cluster_uid,
        faults: arguments.fault_dir.clone(),
        settings: spaces::Settings {
            memory: crate::memory::budget(arguments.memory),
            ..crate::settings::before_the_roster()
        },
    };
    Ok(Engine::open_local(config).await?)
}
