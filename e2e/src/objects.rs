//! The objects of the cluster, as JSON: the tests write what users write, not what our own types would.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
    PostParams,
};
use kube::{Client, Config};
use serde_json::{Value, json};

use crate::settings::{NAMESPACE, Settings};
use crate::wait;

/// The API of one kind, in the demo's namespace.
pub type Objects = Api<DynamicObject>;

/// What a test does with the cluster.
#[derive(Clone)]
pub struct Cluster {
    /// The client, with the rights of the kubeconfig.
    pub client: Client,
}

impl Cluster {
    /// Connects as the kubeconfig says.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used.
    pub async fn connect(settings: &Settings) -> Result<Self> {
        let kubeconfig = kube::config::Kubeconfig::read_from(&settings.kubeconfig)?;
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
        config.read_timeout = Some(Duration::from_secs(60));
        Ok(Self { client: Client::try_from(config)? })
    }

    /// One of our own kinds.
    pub fn ours(&self, kind: &str, plural: &str) -> Objects {
        let kind = GroupVersionKind::gvk("internetdisk.dev", "v1alpha1", kind);
        Api::namespaced_with(
            self.client.clone(),
            NAMESPACE,
            &ApiResource::from_gvk_with_plural(&kind, plural),
        )
    }

    /// Members.
    pub fn members(&self) -> Objects {
        self.ours("Member", "members")
    }

    /// Groups.
    pub fn groups(&self) -> Objects {
        self.ours("Group", "groups")
    }

    /// DiskClusters.
    pub fn disk_clusters(&self) -> Objects {
        self.ours("DiskCluster", "diskclusters")
    }

    /// A kind of Kubernetes itself in the demo's namespace.
    pub fn core<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }
}

/// Creates an object.
///
/// # Errors
/// What the API server refuses it with.
pub async fn create(api: &Objects, name: &str, spec: Value) -> Result<DynamicObject, kube::Error> {
    create_with(api, json!({ "name": name }), spec).await
}

/// The same with metadata of one's own.
///
/// # Errors
/// What the API server refuses it with.
pub async fn create_with(api: &Objects, metadata: Value, spec: Value) -> Result<DynamicObject, kube::Error> {
    let kind = api.resource_url().rsplit('/').next().map(kind_of).unwrap_or_default();
    let object = json!({ "apiVersion": "internetdisk.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec });
    let object: DynamicObject = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
    api.create(&PostParams { field_manager: Some("e2e".to_owned()), ..PostParams::default() }, &object).await
}

fn kind_of(plural: &str) -> &'static str {
    match plural {
        "members" => "Member",
        "groups" => "Group",
        _ => "DiskCluster",
    }
}

/// Merges into an object.
///
/// # Errors
/// What the API server refuses it with.
pub async fn merge(api: &Objects, name: &str, patch: Value) -> Result<DynamicObject, kube::Error> {
    api.patch(
        name,
        &PatchParams { field_manager: Some("e2e".to_owned()), ..PatchParams::default() },
        &Patch::Merge(patch),
    )
    .await
}

/// Deletes an object and waits until it is gone. One that was never there is gone.
///
/// # Errors
/// When it stays.
pub async fn delete(api: &Objects, name: &str) -> Result<()> {
    let confirmed = json!({ "metadata": { "annotations": { "internetdisk.dev/confirm-deletion": name } } });
    match merge(api, name, confirmed).await {
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        answer => answer?,
    };
    api.delete(name, &DeleteParams::default()).await?;
    wait::until(&format!("{name} is gone"), Duration::from_secs(60), async || {
        Ok(api.get_opt(name).await?.is_none().then_some(()))
    })
    .await?;
    Ok(())
}

/// A condition of an object: its status, reason and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The reason, one word.
    pub reason: String,
    /// The message, for people.
    pub message: String,
}

/// Finds a condition that speaks of the newest spec.
pub fn condition(object: &DynamicObject, kind: &str) -> Option<Condition> {
    let conditions = object.data["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|condition| condition["type"] == kind)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    let seen =
        found["observedGeneration"].as_i64().or_else(|| object.data["status"]["observedGeneration"].as_i64());
    if seen != object.metadata.generation {
        return None;
    }
    Some(Condition { status: text("status"), reason: text("reason"), message: text("message") })
}

/// Waits until an object is Ready.
///
/// # Errors
/// When it is not in time, with its conditions.
pub async fn ready(api: &Objects, name: &str, limit: Duration) -> Result<Duration> {
    Ok(holds(api, name, "Ready", "True", limit).await?.1)
}

/// Waits until a condition of an object has a status, and returns it.
///
/// # Errors
/// When it has not in time, with the conditions there are.
pub async fn holds(
    api: &Objects,
    name: &str,
    kind: &str,
    status: &str,
    limit: Duration,
) -> Result<(Condition, Duration)> {
    wait::until(&format!("{name} has {kind}={status}"), limit, async || {
        let object = api.get(name).await?;
        match condition(&object, kind) {
            Some(found) if found.status == status => Ok(Some(found)),
            _ => Err(anyhow!("{}", object.data["status"]["conditions"])),
        }
    })
    .await
}

/// All objects of a kind that belong to the demo's cluster.
///
/// # Errors
/// When they cannot be listed.
pub async fn list(api: &Objects) -> Result<Vec<DynamicObject>> {
    Ok(api.list(&ListParams::default()).await.context("listing")?.items)
}

/// The message with which the API server refused something.
///
/// # Errors
/// When it was not refused.
pub fn refusal<T>(answer: Result<T, kube::Error>) -> Result<String> {
    match answer {
        Err(kube::Error::Api(status)) => Ok(status.message),
        Err(other) => Err(other.into()),
        Ok(_) => Err(anyhow!("it was accepted")),
    }
}
