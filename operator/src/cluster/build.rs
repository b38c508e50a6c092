//! What a DiskCluster is made of: pure functions of its spec, without a client.

mod accounts;
mod check;
mod claims;
mod disk;
mod disruption;
mod network;
mod pods;
mod services;
#[cfg(test)]
mod tests;
mod web;

use api::ids::ClusterUid;
use api::keys::VerifyingKey;
use api::kubernetes::DiskCluster;
use api::kubernetes::disk_cluster::operation::ServiceMode;
use api::kubernetes::labels::{self, Component};
use api::kubernetes::names::Names;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};

pub use check::check_pods;
pub(crate) use services::{internal_name, is_apart};

/// What does not stand in the DiskCluster itself.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Its uid.
    pub uid: ClusterUid,
    /// The operator's key, which the pods trust.
    pub trust: VerifyingKey,
    /// Registry and path of the images, where the DiskCluster names no other.
    pub image_registry: String,
    /// Version of the images, where the DiskCluster names no other.
    pub image_version: String,
    /// Namespace of the operator, from where it speaks to disk pods.
    pub operator_namespace: String,
    /// How large the claims are by now, by name: a claim never shrinks.
    pub claims: Vec<(String, api::bytes::Bytes)>,
}

/// All that is made for a DiskCluster, in the order in which it is applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Who the pods are.
    pub accounts: Vec<ServiceAccount>,
    /// What they may do.
    pub roles: Vec<Role>,
    /// That they may.
    pub bindings: Vec<RoleBinding>,
    /// Who may speak to them.
    pub network_policies: Vec<NetworkPolicy>,
    /// The volumes.
    pub claims: Vec<PersistentVolumeClaim>,
    /// Where pods are reached.
    pub services: Vec<Service>,
    /// Where web pods write app passwords.
    pub app_passwords: Vec<Secret>,
    /// How many may be taken away at once.
    pub disruption_budgets: Vec<PodDisruptionBudget>,
    /// The disk servers.
    pub disk: StatefulSet,
    /// The web servers.
    pub web: Deployment,
}

/// Says what a DiskCluster is made of. Services of disk pods that are no longer wanted, but still there, are kept in
/// `leaving`: their clients are told to go elsewhere by the pods themselves.
pub fn build(cluster: &DiskCluster, around: &Surroundings, leaving: &[u32]) -> Desired {
    let names = Names::of(cluster.name_any());
    Desired {
        accounts: accounts::accounts(cluster, &names),
        roles: accounts::roles(cluster, &names),
        bindings: accounts::bindings(cluster, &names),
        network_policies: network::policies(cluster, &names, &around.operator_namespace),
        claims: claims::claims(cluster, &names, &around.claims),
        services: services::services(cluster, &names, leaving),
        app_passwords: accounts::app_passwords(cluster, &names),
        disruption_budgets: disruption::budgets(cluster, &names),
        disk: disk::stateful_set(cluster, &names, around),
        web: web::deployment(cluster, &names, around),
    }
}

/// How many disk pods are wanted.
pub fn disk_replicas(cluster: &DiskCluster) -> u32 {
    let disk = &cluster.spec.disk;
    let wanted = disk.autoscaling.as_ref().map_or(disk.replicas, |scaling| scaling.min_replicas);
    running(cluster, wanted)
}

/// How many web pods are wanted.
pub fn web_replicas(cluster: &DiskCluster) -> u32 {
    running(cluster, cluster.spec.web.replicas)
}

fn running(cluster: &DiskCluster, wanted: i32) -> u32 {
    match cluster.spec.service.mode {
        ServiceMode::Offline => 0,
        ServiceMode::ReadWrite | ServiceMode::ReadOnly => u32::try_from(wanted).unwrap_or_default(),
    }
}

/// The version that is to run.
pub fn version(cluster: &DiskCluster, around_version: &str) -> String {
    cluster.spec.images.version.clone().unwrap_or_else(|| around_version.to_owned())
}

/// Metadata of what belongs to a DiskCluster and goes with it.
pub fn owned(cluster: &DiskCluster, name: &str, component: Component) -> ObjectMeta {
    ObjectMeta {
        owner_references: cluster.controller_owner_ref(&()).map(|owner| vec![owner]),
        ..kept(cluster, name, component)
    }
}

/// Metadata of what stays when the DiskCluster goes.
fn kept(cluster: &DiskCluster, name: &str, component: Component) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: cluster.namespace(),
        labels: Some(labels::labels(&Names::of(cluster.name_any()), component)),
        ..ObjectMeta::default()
    }
}
