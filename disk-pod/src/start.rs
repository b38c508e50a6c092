//! Puts the pod together and runs it to its end.

use std::path::PathBuf;

use anyhow::Context;
use api::ids::{ClusterUid, PodName, VolumeName};
use api::keys::{SigningKey, Trust};
use jiff::Timestamp;
use roster::source::Follower;
use serve::lines::{Destination, Lines};
use serve::{Admin, Endpoint, Limits, Metrics, Probes, Readiness, Shutdown};
use spaces::{Engine, LocalConfig};
use tokio::task::JoinSet;

use crate::admission::Admission;
use crate::app::{App, Parts, STALLED_AFTER};
use crate::auth::{Checker, Passwords, Tickets, WebPods};
use crate::config::{Command, CommandLine, ServeArguments, Watch};
use crate::fault;
use crate::http::body::LONGEST_SILENCE;
use crate::load::Load;
use crate::metrics::DiskMetrics;
use crate::observe::Observed;
use crate::peers::{Elsewhere, Peers};
use crate::standalone::{self, Standalone};

/// Where the operator has the roster mounted.
const ROSTER: &str = "/etc/internet-disk/roster";
/// The most connections of members at once: each that is idle takes some 10 KiB.
const CONNECTIONS: u32 = 16_384;
/// Fewer are worth a warning.
const WORTH_HAVING: u32 = 10_000;
/// The name of a pod that is none.
const ALONE: &str = "standalone-disk-0";

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
        Command::Backup(arguments) => crate::backup::run(arguments).await,
    }
}

/// What a pod knows before it opens its volumes.
struct Known {
    cluster: ClusterUid,
    pod: PodName,
    store: roster::Store,
    operator: Trust,
    checker: Checker,
    /// Keep the roster up to date, in a cluster.
    followers: Vec<Follower>,
    /// Keeps it up to date, without one.
    standalone: Option<Standalone>,
}

async fn serve(arguments: ServeArguments) -> anyhow::Result<()> {
    serve::telemetry::start(arguments.log_format(), &arguments.log)?;
    let shutdown = Shutdown::on_signals()?;
    let admin = Admin { readiness: Readiness::new(), metrics: Metrics::new() };
    let opened = admin.readiness.condition("volumes", "the volumes are being opened");
    // Probes first: a volume that does not answer is no reason to be restarted.
    let probes = arguments.address(arguments.admin_listen, 9090);
    let _probes = Probes::start(probes, admin.clone(), &shutdown).await?;

    let mounts = arguments.mounts().map_err(anyhow::Error::msg)?;
    let Known { cluster, pod, store, operator, checker, followers, standalone } = match arguments.cluster_uid
    {
        Some(cluster) => in_cluster(&arguments, cluster).await?,
        None => alone(&arguments, &mounts).await?,
    };
    let passwords = Passwords::new(checker)?;
    let volumes = mounts.iter().map(|(name, _)| name.clone()).collect();
    let engine = open(&arguments, cluster, mounts).await?;
    let mut beside = JoinSet::new();
    beside.spawn(crate::settings::follow(store.clone(), engine.clone()));
    let logs = Logs::begin(&arguments)?;
    let app = App::new(Parts {
        cluster,
        pod: pod.clone(),
        started: Timestamp::now(),
        engine,
        volumes,
        roster: store,
        passwords,
        tickets: Tickets::default(),
        operator,
        admission: Admission::within(crate::memory::of_transfers()),
        load: Load::default(),
        observed: Observed::new(&admin.metrics, logs.access.clone(), logs.audit.clone())?,
        shutdown: shutdown.clone(),
        silence: LONGEST_SILENCE,
    });
    let peers = Peers::default();
    conditions(&admin.readiness, &app, &peers);
    beside.spawn(peers.ask(app.clone()));
    let feels = app.clone();
    beside.spawn(async move { feels.admission.feel_lag().await });
    beside.spawn(crate::walk::walk(app.clone()));
    beside.spawn(crate::heap::give_back(app.clone()));
    beside.spawn(DiskMetrics::register(&admin.metrics)?.follow(app.clone()));
    if let Some(standalone) = standalone {
        beside.spawn(standalone.keep(app.clone()));
    }
    let listen = arguments.address(arguments.listen, 8080);
    let internal = arguments.address(arguments.internal_listen, 8081);
    let limits = Limits { connections: connections(serve::open_files::raise()), ..Limits::default() };
    let public = Endpoint::bind("public", listen, crate::router(app.clone()), limits).await?;
    let internal =
        Endpoint::bind("internal", internal, crate::internal::router(app), Limits::default()).await?;
    // Not before all other conditions are there, and both ports listen.
    opened.met();
    tracing::info!(%pod, %listen, volumes = arguments.volumes.len(), "This disk server is running.");
    serve::serve_until_drained(vec![public, internal], &admin.metrics, arguments.grace(), &shutdown).await;
    drop(followers);
    logs.access.flush();
    logs.audit.flush();
    Ok(())
}

/// The logs for programs.
struct Logs {
    access: Lines,
    audit: Lines,
}

impl Logs {
    fn begin(arguments: &ServeArguments) -> anyhow::Result<Self> {
        let begin = |name, destination: &Destination| {
            Lines::to(destination).with_context(|| format!("cannot write the {name} log to {destination:?}"))
        };
        let access = begin("access", &arguments.access_log())?;
        Ok(Self { access, audit: begin("audit", &arguments.audit_log)? })
    }
}

/// How many connections of members are held at once: as many as are wished for, as far as the limit on open files leaves
/// a quarter of it to files.
fn connections(open_files: u64) -> u32 {
    let fitting = u32::try_from(open_files - open_files / 4).unwrap_or(u32::MAX).min(CONNECTIONS);
    if fitting < WORTH_HAVING {
        tracing::warn!(
            open_files,
            connections = fitting,
            "Fewer connections are held at once than could be: raise the limit on open files to 16384 or more."
        );
    }
    fitting
}

/// A pod of a cluster: the operator says who the members are.
async fn in_cluster(arguments: &ServeArguments, cluster: ClusterUid) -> anyhow::Result<Known> {
    let operator = Trust::new(arguments.trust.iter().cloned());
    let store = roster::Store::empty(cluster, operator.clone());
    let directory = arguments.roster.clone().unwrap_or_else(|| ROSTER.into());
    let mut followers = vec![roster::source::directory::follow(store.clone(), directory)];
    followers.extend(watch(arguments, &store).await?);
    let pod = arguments.pod_name.clone().context("--pod-name is missing")?;
    Ok(Known { cluster, pod, store, operator, checker: checker(arguments)?, followers, standalone: None })
}

/// A pod without a cluster: files say who the members are.
async fn alone(arguments: &ServeArguments, mounts: &[(VolumeName, PathBuf)]) -> anyhow::Result<Known> {
    let (_, first) = mounts.first().context("--volume is missing")?;
    let cluster = standalone::owner(first).await?;
    let roster = arguments.roster.clone().context("--roster is missing")?;
    let volumes = mounts.iter().map(|(name, _)| name.clone()).collect();
    let standalone = Standalone::read(cluster, roster, volumes, arguments.passwords_without_tls)?;
    let pod = match &arguments.pod_name {
        Some(name) => name.clone(),
        None => ALONE.parse()?,
    };
    Ok(Known {
        cluster,
        pod,
        store: standalone.store.clone(),
        // Nobody sets limits from outside.
        operator: Trust::default(),
        checker: Checker::File(standalone.passwords.clone()),
        followers: Vec::new(),
        standalone: Some(standalone),
    })
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

async fn open(
    arguments: &ServeArguments,
    cluster: ClusterUid,
    volumes: Vec<(VolumeName, PathBuf)>,
) -> anyhow::Result<spaces::Local> {
    if let Some(directory) = &arguments.fault_dir {
        tracing::warn!(directory = %directory.display(), "Faults can be injected into volumes: this is for tests alone.");
    }
    let config = LocalConfig {
        volumes,
        cluster,
        adopt: arguments.adopt_cluster_uid,
        faults: arguments.fault_dir.clone(),
        settings: spaces::Settings {
            memory: crate::memory::budget(arguments.memory),
            ..crate::settings::before_the_roster()
        },
    };
    Ok(Engine::open_local(config).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_files() {
        for (open_files, fitting) in
            [(1024, 768), (16_384, 12_288), (20_000, 15_000), (1 << 20, CONNECTIONS), (u64::MAX, CONNECTIONS)]
        {
            assert_eq!(connections(open_files), fitting, "{open_files}");
        }
    }
}
