//! What makes a DiskCluster be looked at.

use std::sync::Arc;
use std::time::Duration;

use api::kubernetes::DiskCluster;
use api::kubernetes::labels::{INSTANCE, MANAGER_OPERATOR};
use api::kubernetes::names::Names;
use kube::ResourceExt;

use super::{Clusters, claim_names};
use crate::apply::Applier;
use crate::context::Context;
use crate::controller::{Controllers, Key, Queue};

/// Several changes of pods come together; looking once for all of them is enough.
const SOON: Duration = Duration::from_millis(100);
/// Numbers of Members and Groups may be a little late.
const LATER: Duration = Duration::from_secs(2);

/// Adds the controller.
pub fn register(context: &Arc<Context>, controllers: &mut Controllers) {
    let queue = Queue::new();
    context.disk_clusters.on_change({
        let (queue, clusters) = (queue.clone(), context.disk_clusters.clone());
        move |cluster: &DiskCluster| {
            let key = Key::of(cluster);
            // Another DiskCluster of the namespace may want the same claim.
            for other in clusters.in_namespace(&key.namespace) {
                if other.name_any() != key.name {
                    queue.push_after(Key::of(&*other), LATER);
                }
            }
            queue.push(key);
        }
    });
    context.pods.on_change(made_for(&queue));
    context.stateful_sets.on_change(made_for(&queue));
    context.deployments.on_change(made_for(&queue));
    context.services.on_change(made_for(&queue));
    context.members.on_change({
        let queue = queue.clone();
        move |member| queue.push_after(Key::of(member).beside(member.spec.cluster_ref.name.clone()), LATER)
    });
    context.groups.on_change({
        let queue = queue.clone();
        move |group| queue.push_after(Key::of(group).beside(group.spec.cluster_ref.name.clone()), LATER)
    });
    context.claims.on_change(named_by(context, &queue, |cluster, claim| {
        claim_names(cluster).iter().any(|name| name == claim)
    }));
    context.secrets.on_change(named_by(context, &queue, names_secret));
    let applier = Applier::new(context.client.clone(), MANAGER_OPERATOR);
    controllers.add(Clusters { context: Arc::clone(context), applier }, queue);
}

/// For objects that say which DiskCluster they were made for.
fn made_for<K: ResourceExt>(queue: &Queue) -> impl Fn(&K) + Send + Sync + 'static {
    let queue = queue.clone();
    move |object: &K| {
        if let Some(cluster) = object.labels().get(INSTANCE) {
            queue.push_after(Key::of(object).beside(cluster.clone()), SOON);
        }
    }
}

/// For objects that DiskClusters of the namespace may name.
fn named_by(
    context: &Arc<Context>,
    queue: &Queue,
    names: fn(&DiskCluster, &str) -> bool,
) -> impl Fn(&Key) + Send + Sync + 'static {
    let (queue, clusters) = (queue.clone(), context.disk_clusters.clone());
    move |key: &Key| {
        for cluster in clusters.in_namespace(&key.namespace) {
            if names(&cluster, &key.name) {
                queue.push_after(Key::of(&*cluster), SOON);
            }
        }
    }
}

fn names_secret(cluster: &DiskCluster, secret: &str) -> bool {
    let names = Names::of(cluster.name_any());
    let pull = cluster.spec.images.pull_secrets.iter().map(|one| one.name.as_str());
    let clients = cluster.spec.sign_in.oidc.iter().filter_map(|one| one.client_secret_ref.as_ref());
    let mut named = pull.chain(clients.map(|one| one.name.as_str()));
    names.web_keys() == secret || names.operator_key() == secret || named.any(|name| name == secret)
}
