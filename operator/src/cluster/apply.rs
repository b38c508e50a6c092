//! Brings what was built to the API server, in an order in which nothing lacks what it needs.

use std::fmt;

use api::kubernetes::DiskCluster;
use api::kubernetes::names::Names;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::build::{Desired, Surroundings, check_pods, disk_replicas};
use super::check::{Checked, Next};
use super::observe::Observed;
use crate::apply::{Applier, ApplyError, Seen};

/// Which pods may be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pods {
    /// All.
    All,
    /// All but the disk servers, which wait for a volume to be tried out.
    NoDisks,
    /// None.
    None,
}

/// Applies everything; pods only as `pods` says.
///
/// # Errors
/// The first that the API server did not take.
pub(super) async fn apply(
    applier: &Applier,
    desired: &Desired,
    observed: &Observed,
    pods: Pods,
) -> Result<(), ApplyError> {
    let Desired {
        accounts,
        roles,
        bindings,
        network_policies,
        claims,
        services,
        app_passwords,
        disruption_budgets,
        disk,
        web,
    } = desired;
    all(applier, accounts).await?;
    all(applier, roles).await?;
    all(applier, bindings).await?;
    all(applier, network_policies).await?;
    for claim in claims {
        applier.apply(claim, Seen::of(observed.claims.get(&claim.name_any()))).await?;
    }
    if pods == Pods::None {
        return Ok(());
    }
    for service in services {
        let seen = observed.services.get(&service.name_any());
        applier.apply(service, Seen::of(seen.map(std::convert::AsRef::as_ref))).await?;
    }
    all(applier, app_passwords).await?;
    all(applier, disruption_budgets).await?;
    if pods == Pods::All {
        applier.apply(disk, Seen::of(observed.stateful_set.as_deref())).await?;
    }
    applier.apply(web, Seen::of(observed.deployment.as_deref())).await
}

async fn all<K>(applier: &Applier, objects: &[K]) -> Result<(), ApplyError>
where
    K: Resource<Scope = NamespaceResourceScope> + Serialize + Clone + DeserializeOwned + fmt::Debug,
    K::DynamicType: Default,
{
    for object in objects {
        applier.apply(object, Seen::Unknown).await?;
    }
    Ok(())
}

/// The ordinals of disk pods that are no longer wanted and still there.
pub(super) fn leaving(cluster: &DiskCluster, observed: &Observed) -> Vec<u32> {
    let names = Names::of(cluster.name_any());
    let wanted = disk_replicas(cluster);
    let ordinals = observed.disk_pods.keys().filter_map(|name| names.ordinal_of(name));
    ordinals.filter(|ordinal| *ordinal >= wanted).collect()
}

/// Lets disk pods of nodes that do not answer be replaced. A StatefulSet waits for ever for the word of the kubelet
/// that the old pod has ended, so that two never write; here any number may write at once, by the protocol of the
/// volume, and an old one that still runs harms nobody.
///
/// # Errors
/// The first that the API server refused.
pub(super) async fn replace_lost(applier: &Applier, observed: &Observed) -> Result<(), ApplyError> {
    for pod in &observed.lost {
        applier.delete_now(&**pod).await?;
    }
    Ok(())
}

/// Starts checks of volumes, and takes away the pods of those that are done.
///
/// # Errors
/// The first that the API server refused.
pub(super) async fn check(
    client: &Client,
    applier: &Applier,
    cluster: &DiskCluster,
    around: &Surroundings,
    checks: &[Checked],
) -> Result<(), ApplyError> {
    for Checked { volume, key, next, .. } in checks {
        match next {
            Next::Nothing => {}
            Next::Clear(pods) => {
                for pod in pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
                    applier.delete(&**pod).await?;
                }
            }
            Next::Start => {
                let Some(volume) = cluster.spec.volumes.iter().find(|one| one.name == *volume) else {
                    continue;
                };
                let attempt = Uuid::new_v4().simple().to_string();
                for pod in check_pods(cluster, around, volume, key, &attempt) {
                    start(client, &pod).await?;
                }
            }
        }
    }
    Ok(())
}

async fn start(client: &Client, pod: &Pod) -> Result<(), ApplyError> {
    let namespace = pod.namespace().unwrap_or_default();
    match Api::<Pod>::namespaced(client.clone(), &namespace).create(&PostParams::default(), pod).await {
        Ok(_) => Ok(()),
        // It was made a moment ago, and the mirror does not show it yet.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        Err(source) => Err(ApplyError::of("create", pod, source)),
    }
}

/// Deletes what is no longer wanted: Services of disk pods that are gone, and policies that were switched off.
///
/// # Errors
/// The first that the API server refused.
pub(super) async fn tidy(
    client: &Client,
    applier: &Applier,
    cluster: &DiskCluster,
    desired: &Desired,
    observed: &Observed,
) -> Result<(), ApplyError> {
    for (name, service) in &observed.services {
        if !desired.services.iter().any(|wanted| wanted.name_any() == *name) {
            applier.delete(&**service).await?;
        }
    }
    if !cluster.spec.network_policy.is_enabled() {
        let api: Api<NetworkPolicy> =
            Api::namespaced(client.clone(), &cluster.namespace().unwrap_or_default());
        let names = Names::of(cluster.name_any());
        for name in [names.disk(), names.web(), names.check()] {
            match api.delete(&name, &DeleteParams::default()).await {
                Ok(_) => {}
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(source) => {
                    let mut policy = NetworkPolicy::default();
                    policy.metadata.name = Some(name);
                    return Err(ApplyError::of("delete", &policy, source));
                }
            }
        }
    }
    Ok(())
}
