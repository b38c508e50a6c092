//! Writes statuses: by server-side apply, and only when something differs.

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::metrics::OperatorMetrics;

/// Writes `wanted` as the status of `object` if it differs from `current`, and says whether it did. The uid goes
/// along, so that another object of the name does not get it.
///
/// # Errors
/// When the API server does not take it.
pub async fn write<K, S>(
    client: &Client,
    metrics: &OperatorMetrics,
    manager: &str,
    object: &K,
    current: Option<&S>,
    wanted: &S,
) -> Result<bool, kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
    K::DynamicType: Default,
    S: Serialize + PartialEq,
{
    let kind = K::kind(&K::DynamicType::default()).into_owned();
    let differs = current != Some(wanted);
    metrics.status(&kind, differs);
    if !differs {
        return Ok(false);
    }
    let name = object.name_any();
    let patch = json!({
        "apiVersion": K::api_version(&K::DynamicType::default()),
        "kind": kind,
        "metadata": { "name": name, "uid": object.uid() },
        "status": wanted,
    });
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    api.patch_status(&name, &PatchParams::apply(manager).force(), &Patch::Apply(&patch)).await?;
    Ok(true)
}
