//! What all controllers share.

use std::sync::Arc;

use api::kubernetes::labels::{MANAGED_BY, MANAGER_OPERATOR};
use api::kubernetes::{DiskCluster, Group, Member};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, PodSpec, Secret, Service};
use kube::Client;
use kube::runtime::watcher;

use crate::config::Settings;
use crate::events::Events;
use crate::metrics::OperatorMetrics;
use crate::mirror::{Mirror, Notices, api};
use crate::prepared::PreparedClusters;

/// What all controllers share. Listeners of the mirrors are added before [`crate::run()`] starts them.
pub struct Context {
    /// Speaks to the Kubernetes API.
    pub client: Client,
    /// The command line.
    pub settings: Settings,
    /// What is counted.
    pub metrics: OperatorMetrics,
    /// Tells what happened, for `kubectl describe`.
    pub events: Events,
    /// All DiskClusters.
    pub disk_clusters: Mirror<DiskCluster>,
    /// All Members.
    pub members: Mirror<Member>,
    /// All Groups.
    pub groups: Mirror<Group>,
    /// The pods of all DiskClusters.
    pub pods: Mirror<Pod>,
    /// Their StatefulSets.
    pub stateful_sets: Mirror<StatefulSet>,
    /// Their Deployments.
    pub deployments: Mirror<Deployment>,
    /// Their Services.
    pub services: Mirror<Service>,
    /// Tells of Secrets, ours or anybody's.
    pub secrets: Notices<Secret>,
    /// Tells of claims, ours or anybody's.
    pub claims: Notices<PersistentVolumeClaim>,
    /// What DiskClusters have ready for their Members: written by the controller of DiskClusters.
    pub prepared: PreparedClusters,
}

impl Context {
    /// Puts it together. Nothing is watched yet.
    pub fn new(client: Client, settings: Settings, metrics: OperatorMetrics) -> Arc<Self> {
        let namespace = settings.namespace.as_deref();
        let all = watcher::Config::default;
        let ours = || all().labels(&format!("{MANAGED_BY}={MANAGER_OPERATOR}"));
        Arc::new(Self {
            events: Events::new(client.clone(), &settings.pod_name),
            disk_clusters: Mirror::new(api(&client, namespace), all()),
            members: Mirror::new(api(&client, namespace), all()),
            groups: Mirror::new(api(&client, namespace), all()),
            pods: Mirror::new(api(&client, namespace), ours()).keeping(pod_essentials),
            stateful_sets: Mirror::new(api(&client, namespace), ours()),
            deployments: Mirror::new(api(&client, namespace), ours()),
            services: Mirror::new(api(&client, namespace), ours()),
            secrets: Notices::new(&client, namespace),
            claims: Notices::new(&client, namespace),
            prepared: PreparedClusters::default(),
            client,
            settings,
            metrics,
        })
    }
}

/// Of a pod only its state and place are looked at.
fn pod_essentials(pod: &mut Pod) {
    if let Some(spec) = &mut pod.spec {
        let node = spec.node_name.take();
        *spec = PodSpec { node_name: node, ..Default::default() };
    }
}
