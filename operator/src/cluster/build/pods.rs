//! What disk pods and web pods have in common: the restricted profile, probes, spreading, and what the DiskCluster
//! adds.

use std::collections::BTreeMap;

use api::kubernetes::DiskCluster;
use api::kubernetes::disk_cluster::pods::{GroupChangePolicy, PodMetadata, PodSecurity, Pods};
use api::kubernetes::labels::{self, Component, VERSION};
use api::kubernetes::names::{ADMIN_PORT, Names, PUBLIC_PORT};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapProjection, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction,
    KeyToPath, LocalObjectReference, ObjectFieldSelector, PodSecurityContext, PodSpec, PodTemplateSpec,
    Probe, ProjectedVolumeSource, ResourceRequirements, SeccompProfile, SecurityContext, Toleration,
    TopologySpreadConstraint, Volume, VolumeMount, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;
use roster::SHARDS;

use super::{Surroundings, services, version};

/// Where the roster is mounted.
pub(super) const ROSTER_DIRECTORY: &str = "/etc/internet-disk/roster";
/// The user of the images.
const USER: i64 = 65532;
/// A pod whose node does not answer is given up after so many seconds.
const GIVEN_UP_AFTER: i64 = 5;

/// What differs between the two kinds of pods.
pub(super) struct Part<'a> {
    pub(super) component: Component,
    pub(super) program: &'static str,
    pub(super) account: String,
    pub(super) pods: &'a Pods,
    pub(super) arguments: Vec<String>,
    /// Further environment variables.
    pub(super) environment: Vec<EnvVar>,
    pub(super) ports: Vec<(&'static str, u16)>,
    pub(super) volumes: Vec<Volume>,
    pub(super) mounts: Vec<VolumeMount>,
    /// What a small one needs, where the DiskCluster says nothing.
    pub(super) requests: [(&'static str, &'static str); 2],
}

/// Arguments that both programs have.
pub(super) fn arguments(cluster: &DiskCluster, around: &Surroundings, pods: &Pods) -> Vec<String> {
    let grace = (pods.termination_grace_period_seconds - 5).max(1);
    let logging = &cluster.spec.logging;
    vec![
        "serve".to_owned(),
        format!("--cluster-uid={}", around.uid),
        format!("--trust={}", around.trust.to_paserk()),
        format!("--watch={}/{}", cluster.namespace().unwrap_or_default(), cluster.name_any()),
        format!("--roster={ROSTER_DIRECTORY}"),
        format!("--grace-seconds={grace}"),
        format!("--log={}", logging.level.as_str()),
        format!("--log-format={}", logging.format.as_str()),
    ]
}

/// The template of a pod.
pub(super) fn template(
    cluster: &DiskCluster,
    names: &Names,
    around: &Surroundings,
    part: Part<'_>,
) -> PodTemplateSpec {
    let images = &cluster.spec.images;
    let version = version(cluster, &around.image_version);
    let registry = images.registry.as_ref().unwrap_or(&around.image_registry);
    let Part { component, program, account, pods, arguments, environment, ports, volumes, mounts, requests } =
        part;
    let mut ports: Vec<ContainerPort> = ports.into_iter().map(|(name, number)| port(name, number)).collect();
    ports.push(port(services::PUBLIC, PUBLIC_PORT));
    ports.push(port("admin", ADMIN_PORT));
    let mut volumes = volumes;
    volumes.push(roster_volume(names));
    let mut mounts = mounts;
    mounts.push(read_only("roster", ROSTER_DIRECTORY));
    let container = Container {
        name: component.as_str().to_owned(),
        image: Some(format!("{registry}/{program}:{version}")),
        image_pull_policy: Some(images.pull_policy.as_str().to_owned()),
        args: Some(arguments),
        env: Some(std::iter::once(own_name()).chain(environment).collect()),
        ports: Some(ports),
        startup_probe: Some(Probe { period_seconds: Some(1), failure_threshold: Some(60), ..probe("/live") }),
        // Restarting heals no storage and no roster, so only a program that is stuck is restarted.
        liveness_probe: Some(Probe {
            period_seconds: Some(10),
            failure_threshold: Some(6),
            ..probe("/live")
        }),
        readiness_probe: Some(Probe {
            period_seconds: Some(2),
            timeout_seconds: Some(1),
            failure_threshold: Some(1),
            ..probe("/ready")
        }),
        resources: Some(resources(pods, requests)),
        security_context: Some(container_security()),
        // The last lines of a log say why a pod does not start; they go into the status of the DiskCluster.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: Some(mounts),
        ..Container::default()
    };
    let pull = images.pull_secrets.iter().map(|one| LocalObjectReference { name: one.name.clone() });
    let spec = PodSpec {
        service_account_name: Some(account),
        image_pull_secrets: filled(pull.collect()),
        // Environment variables for each Service of the namespace are of no use to these programs.
        enable_service_links: Some(false),
        // They look up no names of the cluster, which need not have any.
        dns_policy: Some("Default".to_owned()),
        termination_grace_period_seconds: Some(pods.termination_grace_period_seconds),
        security_context: Some(pod_security(pods.security_context.as_ref())),
        containers: vec![container],
        volumes: Some(volumes),
        node_selector: (!pods.node_selector.is_empty()).then(|| pods.node_selector.clone()),
        affinity: pods.affinity.clone(),
        tolerations: Some(tolerations(&pods.tolerations)),
        topology_spread_constraints: Some(spread(names, component, &pods.topology_spread_constraints)),
        priority_class_name: pods.priority_class_name.clone(),
        runtime_class_name: pods.runtime_class_name.clone(),
        ..PodSpec::default()
    };
    PodTemplateSpec {
        metadata: Some(metadata(names, component, &version, pods.metadata.as_ref())),
        spec: Some(spec),
    }
}

fn metadata(names: &Names, component: Component, version: &str, further: Option<&PodMetadata>) -> ObjectMeta {
    let PodMetadata { labels: mut all, mut annotations } = further.cloned().unwrap_or_default();
    all.extend(labels::labels(names, component));
    all.insert(VERSION.to_owned(), version.to_owned());
    let scrape =
        [("scrape", "true".to_owned()), ("port", ADMIN_PORT.to_string()), ("path", "/metrics".to_owned())];
    for (key, value) in scrape {
        annotations.entry(format!("prometheus.io/{key}")).or_insert(value);
    }
    ObjectMeta { labels: Some(all), annotations: Some(annotations), ..ObjectMeta::default() }
}

fn port(name: &str, number: u16) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: i32::from(number),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

fn probe(path: &str) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("admin".to_owned()),
            ..HTTPGetAction::default()
        }),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}

fn own_name() -> EnvVar {
    EnvVar {
        name: "INTERNET_DISK_POD_NAME".to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                field_path: "metadata.name".to_owned(),
                api_version: None,
            }),
            ..EnvVarSource::default()
        }),
    }
}

fn resources(pods: &Pods, requests: [(&str, &str); 2]) -> ResourceRequirements {
    let mut resources = ResourceRequirements::from(pods.resources.clone().unwrap_or_default());
    let wanted = resources.requests.get_or_insert_default();
    for (name, amount) in requests {
        wanted.entry(name.to_owned()).or_insert_with(|| Quantity(amount.to_owned()));
    }
    resources
}

/// What every container may do: nothing but run.
pub(super) fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        ..SecurityContext::default()
    }
}

pub(super) fn pod_security(further: Option<&PodSecurity>) -> PodSecurityContext {
    let PodSecurity {
        run_as_user,
        run_as_group,
        fs_group,
        fs_group_change_policy,
        supplemental_groups,
        se_linux_options,
    } = further.cloned().unwrap_or_default();
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(run_as_user.unwrap_or(USER)),
        run_as_group: Some(run_as_group.unwrap_or(USER)),
        fs_group: Some(fs_group.unwrap_or(USER)),
        fs_group_change_policy: Some(
            match fs_group_change_policy {
                GroupChangePolicy::OnRootMismatch => "OnRootMismatch",
                GroupChangePolicy::Always => "Always",
            }
            .to_owned(),
        ),
        supplemental_groups: filled(supplemental_groups),
        se_linux_options,
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        ..PodSecurityContext::default()
    }
}

/// A pod holds nothing that another could need, so there is no reason to wait for the minutes that are the default.
pub(super) fn tolerations(further: &[Toleration]) -> Vec<Toleration> {
    let lost = |key: &str| Toleration {
        key: Some(format!("node.kubernetes.io/{key}")),
        operator: Some("Exists".to_owned()),
        effect: Some("NoExecute".to_owned()),
        toleration_seconds: Some(GIVEN_UP_AFTER),
        value: None,
    };
    ["not-ready", "unreachable"].map(lost).into_iter().chain(further.iter().cloned()).collect()
}

fn spread(
    names: &Names,
    component: Component,
    instead: &[TopologySpreadConstraint],
) -> Vec<TopologySpreadConstraint> {
    if !instead.is_empty() {
        return instead.to_vec();
    }
    let over = |key: &str| TopologySpreadConstraint {
        max_skew: 1,
        topology_key: key.to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        label_selector: Some(LabelSelector {
            match_labels: Some(labels::selector(names, component)),
            match_expressions: None,
        }),
        ..TopologySpreadConstraint::default()
    };
    vec![over("kubernetes.io/hostname"), over("topology.kubernetes.io/zone")]
}

/// The mounted copy of the roster, by which a container that is restarted knows everybody while the API server is
/// away.
fn roster_volume(names: &Names) -> Volume {
    let source = |name: String, body: &str, file: String| VolumeProjection {
        config_map: Some(ConfigMapProjection {
            name,
            optional: Some(true),
            items: Some(vec![item(body, format!("{file}.json")), item("signature", format!("{file}.sig"))]),
        }),
        ..VolumeProjection::default()
    };
    let index = source(names.roster(), "index.json", "index".to_owned());
    let shards =
        (0..SHARDS).map(|shard| source(names.roster_shard(shard), "shard.json", format!("shard-{shard}")));
    projected("roster", std::iter::once(index).chain(shards).collect())
}

pub(super) fn projected(name: &str, sources: Vec<VolumeProjection>) -> Volume {
    Volume {
        name: name.to_owned(),
        projected: Some(ProjectedVolumeSource { sources: Some(sources), default_mode: None }),
        ..Volume::default()
    }
}

pub(super) fn item(key: &str, path: String) -> KeyToPath {
    KeyToPath { key: key.to_owned(), path, mode: None }
}

pub(super) fn read_only(name: &str, path: &str) -> VolumeMount {
    VolumeMount { read_only: Some(true), ..mount(name, path) }
}

pub(super) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() }
}

fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// Labels of the pods, for selectors of their sets.
pub(super) fn selector(names: &Names, component: Component) -> LabelSelector {
    let labels: BTreeMap<String, String> = labels::selector(names, component);
    LabelSelector { match_labels: Some(labels), match_expressions: None }
}
