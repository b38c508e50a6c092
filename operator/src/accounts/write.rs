//! Writing to Members and Groups.

use std::fmt;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::MANAGER;

/// Writes under way at once: enough to keep the API server busy, few enough to leave it to others, too.
pub(super) const AT_ONCE: usize = 16;
/// Shorter than what is left of the Lease when a leader gives up, so that no write of it is waited for beyond that.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// What is left of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rest {
    /// Nothing.
    Nothing,
    /// More of the same, at once.
    Left,
    /// What did not succeed, after a pause.
    Failed,
}

impl Rest {
    pub(super) fn left(left: bool) -> Self {
        if left { Self::Left } else { Self::Nothing }
    }
}

/// Why something was not written, as far as is known.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// The object was changed since: the watch brings what it is now.
    #[error("it was changed meanwhile")]
    Changed,
    /// The API server does not take it, or does not answer; then it may have been written or not.
    #[error(transparent)]
    Kubernetes(#[from] kube::Error),
    /// No answer came; it may have been written or not.
    #[error("the API server did not answer within {ANSWER_WITHIN:?}")]
    Unanswered,
}

/// Writes a status, if the object is still the one that is known, in the version that is known.
pub(super) async fn status<K, S>(client: &Client, object: &K, status: &S) -> Result<K, WriteError>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + fmt::Debug,
    K::DynamicType: Default,
    S: Serialize,
{
    let mut body = head(object);
    body["metadata"]["resourceVersion"] = json!(object.resource_version());
    body["status"] = serde_json::to_value(status).map_err(kube::Error::SerdeError)?;
    // The web pods' part.
    if let Some(status) = body["status"].as_object_mut() {
        status.remove("lastSignInDay");
    }
    let (api, name) = (api(client, object), object.name_any());
    let (params, patch) = (params(), Patch::Apply(&body));
    answered(api.patch_status(&name, &params, &patch)).await
}

/// Writes the finalizers of ours, and so takes away those that are not named.
pub(super) async fn finalizers<K>(client: &Client, object: &K, finalizers: &[&str]) -> Result<K, WriteError>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + fmt::Debug,
    K::DynamicType: Default,
{
    let mut body = head(object);
    if !finalizers.is_empty() {
        body["metadata"]["finalizers"] = json!(finalizers);
    }
    let (api, name) = (api(client, object), object.name_any());
    let (params, patch) = (params(), Patch::Apply(&body));
    answered(api.patch(&name, &params, &patch)).await
}

/// The uid goes along, so that another object of the name is left alone, and none is made.
fn head<K>(object: &K) -> Value
where
    K: Resource,
    K::DynamicType: Default,
{
    json!({
        "apiVersion": K::api_version(&K::DynamicType::default()),
        "kind": K::kind(&K::DynamicType::default()),
        "metadata": { "name": object.name_any(), "uid": object.uid() },
    })
}

fn api<K>(client: &Client, object: &K) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope>,
    K::DynamicType: Default,
{
    Api::namespaced(client.clone(), &object.namespace().unwrap_or_default())
}

fn params() -> PatchParams {
    PatchParams::apply(MANAGER).force()
}

async fn answered<T>(write: impl Future<Output = Result<T, kube::Error>>) -> Result<T, WriteError> {
    match tokio::time::timeout(ANSWER_WITHIN, write).await {
        Ok(Ok(written)) => Ok(written),
        Ok(Err(kube::Error::Api(status))) if matches!(status.code, 404 | 409) => Err(WriteError::Changed),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(WriteError::Unanswered),
    }
}
