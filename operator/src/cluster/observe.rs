//! What there is: read from mirrors, and asked for where nothing is mirrored.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::bytes::Bytes;
use api::kubernetes::disk_cluster::exposure::ExposureType;
use api::kubernetes::labels::{COMPONENT, Component, INSTANCE};
use api::kubernetes::member::MemberState;
use api::kubernetes::names::Names;
use api::kubernetes::{DiskCluster, Quantity};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Node, PersistentVolumeClaim, Pod, Secret, Service};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use super::addresses::Services;
use crate::context::Context;
use crate::controller::Key;

/// All that the following steps look at.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Other DiskClusters of the namespace.
    pub others: Vec<Arc<DiskCluster>>,
    /// The claims of the volumes that are there, by name.
    pub claims: BTreeMap<String, PersistentVolumeClaim>,
    /// Storage classes that claims which are not bound ask for, and whether they are there.
    pub storage_classes: BTreeMap<String, bool>,
    /// Secrets that the spec names and that are not there, with the field that names them.
    pub missing_secrets: Vec<(String, &'static str)>,
    /// The Services, by name.
    pub services: Services,
    /// The disk pods, by name.
    pub disk_pods: BTreeMap<String, Arc<Pod>>,
    /// The web pods, by name.
    pub web_pods: BTreeMap<String, Arc<Pod>>,
    /// The pods that try out volumes, by name.
    pub check_pods: BTreeMap<String, Arc<Pod>>,
    /// The disk servers as a whole.
    pub stateful_set: Option<Arc<StatefulSet>>,
    /// The web servers as a whole.
    pub deployment: Option<Arc<Deployment>>,
    /// Addresses of nodes, where they matter.
    pub nodes: Vec<String>,
    /// Disk pods that are to end, and whose node does not answer: no kubelet is there to say that they have ended.
    pub lost: Vec<Arc<Pod>>,
    /// Members and Groups.
    pub population: Population,
}

/// How many Members and Groups there are, and what is theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// Members who may sign in.
    pub active: i32,
    /// Members not yet approved.
    pub pending: i32,
    /// Members suspended.
    pub suspended: i32,
    /// Groups.
    pub groups: i32,
    /// The sum of quotas.
    pub promised: Bytes,
    /// The sum of what is used, as far as statuses say.
    pub used: Bytes,
}

impl Population {
    /// All Members.
    pub fn members(&self) -> i32 {
        self.active + self.pending + self.suspended
    }
}

/// Looks.
///
/// # Errors
/// When the API server does not answer.
pub async fn observe(context: &Context, key: &Key, cluster: &DiskCluster) -> Result<Observed, kube::Error> {
    let names = Names::of(key.name.clone());
    let (claims, storage_classes) = claims(context, key, cluster, &names).await?;
    let of_cluster = |pod: &Arc<Pod>, component: Component| {
        let labels = pod.labels();
        labels.get(INSTANCE).is_some_and(|name| *name == key.name)
            && labels.get(COMPONENT).is_some_and(|name| name == component.as_str())
    };
    let pods = context.pods.in_namespace(&key.namespace);
    let named = |component| {
        pods.iter()
            .filter(|pod| of_cluster(pod, component))
            .map(|pod| (pod.name_any(), Arc::clone(pod)))
            .collect::<BTreeMap<_, _>>()
    };
    let services = context.services.in_namespace(&key.namespace);
    let services = services.into_iter().filter(|service| belongs(service, &key.name));
    let others = context.disk_clusters.in_namespace(&key.namespace);
    let disk_pods = named(Component::Disk);
    Ok(Observed {
        others: others.into_iter().filter(|other| other.name_any() != key.name).collect(),
        claims,
        storage_classes,
        missing_secrets: missing_secrets(context, key, cluster).await?,
        services: services.map(|service| (service.name_any(), service)).collect(),
        lost: lost(context, &disk_pods).await?,
        disk_pods,
        web_pods: named(Component::Web),
        check_pods: named(Component::Check),
        stateful_set: context.stateful_sets.get(&key.beside(names.disk())),
        deployment: context.deployments.get(&key.beside(names.web())),
        nodes: nodes(context, cluster).await?,
        population: population(context, key),
    })
}

fn belongs(service: &Arc<Service>, cluster: &str) -> bool {
    service.labels().get(INSTANCE).is_some_and(|name| name == cluster)
}

type Claims = (BTreeMap<String, PersistentVolumeClaim>, BTreeMap<String, bool>);

async fn claims(
    context: &Context,
    key: &Key,
    cluster: &DiskCluster,
    names: &Names,
) -> Result<Claims, kube::Error> {
    let api: Api<PersistentVolumeClaim> = Api::namespaced(context.client.clone(), &key.namespace);
    let classes: Api<StorageClass> = Api::all(context.client.clone());
    let mut claims = BTreeMap::new();
    let mut known = BTreeMap::new();
    for volume in &cluster.spec.volumes {
        let name = names.claim_of(volume);
        if let Some(claim) = api.get_opt(&name).await? {
            claims.insert(name, claim);
        }
    }
    for claim in claims.values() {
        let bound = claim.spec.as_ref().is_some_and(|spec| spec.volume_name.is_some());
        let class = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.clone());
        if let Some(class) = class.filter(|class| !bound && !class.is_empty()) {
            let there = classes.get_opt(&class).await?.is_some();
            known.insert(class, there);
        }
    }
    Ok((claims, known))
}

async fn missing_secrets(
    context: &Context,
    key: &Key,
    cluster: &DiskCluster,
) -> Result<Vec<(String, &'static str)>, kube::Error> {
    let api: Api<Secret> = Api::namespaced(context.client.clone(), &key.namespace);
    let pull = cluster.spec.images.pull_secrets.iter().map(|one| (&one.name, "spec.images.pullSecrets"));
    let clients = cluster.spec.sign_in.oidc.iter().filter_map(|provider| {
        provider.client_secret_ref.as_ref().map(|one| (&one.name, "spec.signIn.oidc[].clientSecretRef"))
    });
    let mut missing = Vec::new();
    for (name, field) in pull.chain(clients) {
        if api.get_metadata_opt(name).await?.is_none() {
            missing.push((name.clone(), field));
        }
    }
    Ok(missing)
}

async fn lost(context: &Context, pods: &BTreeMap<String, Arc<Pod>>) -> Result<Vec<Arc<Pod>>, kube::Error> {
    let api: Api<Node> = Api::all(context.client.clone());
    let mut lost = Vec::new();
    for pod in pods.values().filter(|pod| pod.metadata.deletion_timestamp.is_some()) {
        let Some(name) = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref()) else { continue };
        if api.get_opt(name).await?.is_none_or(|node| !answers(&node)) {
            lost.push(Arc::clone(pod));
        }
    }
    Ok(lost)
}

/// Whether the kubelet of a node was heard of lately.
fn answers(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|one| one.type_ == "Ready" && one.status != "Unknown")
}

/// Only where clients are sent to ports of nodes and nobody says which.
async fn nodes(context: &Context, cluster: &DiskCluster) -> Result<Vec<String>, kube::Error> {
    let (web, disk) = (&cluster.spec.web.exposure.route, &cluster.spec.disk.exposure.route);
    if ![web, disk].iter().any(|route| route.type_ == ExposureType::NodePort) {
        return Ok(Vec::new());
    }
    let api: Api<Node> = Api::all(context.client.clone());
    let nodes = api.list(&ListParams::default()).await?;
    let mut addresses: Vec<String> = nodes.items.iter().filter_map(address).collect();
    addresses.sort();
    Ok(addresses)
}

fn address(node: &Node) -> Option<String> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    let of = |kind: &str| addresses.iter().find(|one| one.type_ == kind).map(|one| one.address.clone());
    of("ExternalIP").or_else(|| of("InternalIP"))
}

fn population(context: &Context, key: &Key) -> Population {
    let mut population = Population::default();
    let amount = |quantity: Option<&Quantity>| quantity.and_then(|one| one.bytes().ok()).unwrap_or_default();
    for member in context.members.in_namespace(&key.namespace) {
        if member.spec.cluster_ref.name != key.name {
            continue;
        }
        match member.spec.state {
            MemberState::Active => population.active += 1,
            MemberState::Pending => population.pending += 1,
            MemberState::Suspended => population.suspended += 1,
        }
        population.promised = population.promised.saturating_add(amount(Some(&member.spec.quota)));
        let used = member.status.as_ref().and_then(|status| status.used.as_ref());
        population.used = population.used.saturating_add(amount(used));
    }
    for group in context.groups.in_namespace(&key.namespace) {
        if group.spec.cluster_ref.name != key.name {
            continue;
        }
        population.groups += 1;
        let used = group.status.as_ref().and_then(|status| status.used.as_ref());
        population.used = population.used.saturating_add(amount(used));
    }
    population
}
