//! How a DiskCluster goes: not while somebody belongs to it, unless that is confirmed; and without its files, unless
//! its policy says so.

use api::kubernetes::DiskCluster;
use api::kubernetes::names::Names;
use api::kubernetes::reference::DeletionPolicy;
use kube::ResourceExt;

use super::ClusterError;
use super::observe::{Observed, Population};
use crate::apply::Applier;
use crate::context::Context;
use crate::controller::Key;
use crate::finalizer;

/// Whether it has to stay for now.
pub(super) fn is_held_back(cluster: &DiskCluster, population: &Population) -> bool {
    !is_empty(population) && !finalizer::is_confirmed(cluster)
}

fn is_empty(population: &Population) -> bool {
    population.members() == 0 && population.groups == 0
}

/// Which of the claims go, too: those that were made here, if nobody belongs to it any more and the policy says so.
fn claims_to_delete(cluster: &DiskCluster, population: &Population) -> Vec<String> {
    if cluster.spec.deletion_policy != DeletionPolicy::Delete || !is_empty(population) {
        return Vec::new();
    }
    let names = Names::of(cluster.name_any());
    let made = cluster.spec.volumes.iter().filter(|volume| volume.template.is_some());
    made.map(|volume| names.claim_of(volume)).collect()
}

/// Lets it go. Pods, Services and keys have it as their owner and go with it.
pub(super) async fn put_away(
    context: &Context,
    applier: &Applier,
    key: &Key,
    cluster: &DiskCluster,
    observed: &Observed,
) -> Result<(), ClusterError> {
    context.prepared.set(key, None);
    if !finalizer::is_held(cluster) {
        return Ok(());
    }
    for name in claims_to_delete(cluster, &observed.population) {
        if let Some(claim) = observed.claims.get(&name) {
            applier.delete(claim).await?;
        }
    }
    finalizer::release(&context.client, cluster).await?;
    tracing::info!(
        object = %key,
        volumes = ?cluster.spec.deletion_policy,
        name = cluster.name_any(),
        "A DiskCluster was let go."
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cluster(policy: &str, confirmed: Option<&str>) -> DiskCluster {
        let annotations = confirmed.map(|name| json!({ "internetdisk.dev/confirm-deletion": name }));
        serde_json::from_value(json!({
            "apiVersion": "internetdisk.dev/v1alpha1", "kind": "DiskCluster",
            "metadata": { "name": "demo", "annotations": annotations },
            "spec": {
                "volumes": [
                    { "name": "main", "template": { "size": "1Gi" } },
                    { "name": "old", "existingClaim": { "name": "nas" } },
                ],
                "deletionPolicy": policy,
            },
        }))
        .unwrap()
    }

    #[test]
    fn nobody_is_left_without_a_disk_and_no_file_goes_unasked() {
        let nobody = Population::default();
        let somebody = Population { pending: 1, ..Population::default() };
        let a_group = Population { groups: 1, ..Population::default() };
        for (policy, confirmed, population, held, claims) in [
            ("Retain", None, &nobody, false, 0),
            ("Retain", None, &somebody, true, 0),
            ("Retain", None, &a_group, true, 0),
            ("Retain", Some("other"), &somebody, true, 0),
            ("Retain", Some("demo"), &somebody, false, 0),
            ("Delete", None, &nobody, false, 1),
            ("Delete", Some("demo"), &somebody, false, 0),
        ] {
            let cluster = cluster(policy, confirmed);
            let what = format!("{policy} {confirmed:?} {population:?}");
            assert_eq!(is_held_back(&cluster, population), held, "{what}");
            let deleted = claims_to_delete(&cluster, population);
            assert_eq!(deleted.len(), claims, "{what}");
            assert!(deleted.iter().all(|name| name == "demo-main"), "an existing claim is somebody else's");
        }
    }
}
