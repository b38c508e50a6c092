//! Brings objects to what was built, by server-side apply, each controller as one field manager.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::NamespaceResourceScope;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::controller::Key;

/// What somebody else changed comes back after so long at the latest.
pub const REPAIRED_WITHIN: Duration = Duration::from_secs(300);

/// Why an object could not be applied.
#[derive(Debug, thiserror::Error)]
#[error("{verb} {kind} {key}: {source}")]
pub struct ApplyError {
    verb: &'static str,
    kind: String,
    key: Key,
    /// What the API server said.
    pub source: Box<kube::Error>,
}

impl ApplyError {
    /// That `verb` did not succeed with this object.
    pub fn of<K>(verb: &'static str, object: &K, source: kube::Error) -> Self
    where
        K: Resource,
        K::DynamicType: Default,
    {
        Self {
            verb,
            kind: K::kind(&K::DynamicType::default()).into_owned(),
            key: Key::of(object),
            source: Box::new(source),
        }
    }
}

/// Applies objects as one field manager. What was applied in the same form a short while ago, and was not touched
/// since as far as is known, is not sent again.
pub struct Applier {
    client: Client,
    manager: &'static str,
    applied: Mutex<HashMap<(String, Key), Applied>>,
}

struct Applied {
    digest: u64,
    at: Instant,
    /// The version of the object that was the outcome.
    version: Option<String>,
}

impl fmt::Debug for Applier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Applier").field("manager", &self.manager).finish_non_exhaustive()
    }
}

/// What is known of an object before it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Objects of this kind are not watched.
    Unknown,
    /// It is not there.
    Missing,
    /// It is there in this version: a generation where the kind has one, else a resource version.
    Version(Option<String>),
}

impl Seen {
    /// What a mirror says.
    pub fn of<K: ResourceExt>(object: Option<&K>) -> Self {
        object.map_or(Self::Missing, |object| Self::Version(version(object)))
    }
}

fn version<K: ResourceExt>(object: &K) -> Option<String> {
    let generation = object.meta().generation.map(|generation| generation.to_string());
    generation.or_else(|| object.resource_version())
}

impl Applier {
    /// As this field manager.
    pub fn new(client: Client, manager: &'static str) -> Self {
        Self { client, manager, applied: Mutex::default() }
    }

    /// The field manager.
    pub fn manager(&self) -> &'static str {
        self.manager
    }

    fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Applies an object, unless it is known to be so already.
    ///
    /// # Errors
    /// When the API server does not take it.
    pub async fn apply<K>(&self, object: &K, seen: Seen) -> Result<(), ApplyError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Serialize + Clone + DeserializeOwned + fmt::Debug,
        K::DynamicType: Default,
    {
        let kind = K::kind(&K::DynamicType::default()).into_owned();
        let key = Key::of(object);
        let text = serde_json::to_string(object)
            .map_err(|source| ApplyError::of("apply", object, kube::Error::SerdeError(source)))?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let digest = hasher.finish();
        let place = (kind, key);
        if self.is_known(&place, digest, &seen) {
            return Ok(());
        }
        let api: Api<K> = self.api(&place.1.namespace);
        let params = PatchParams::apply(self.manager).force();
        match api.patch(&place.1.name, &params, &Patch::Apply(object)).await {
            Ok(outcome) => {
                tracing::debug!(kind = place.0, object = %place.1, "Applied an object.");
                let applied = Applied { digest, at: Instant::now(), version: version(&outcome) };
                self.lock().insert(place, applied);
                Ok(())
            }
            Err(source) => {
                self.lock().remove(&place);
                Err(ApplyError::of("apply", object, source))
            }
        }
    }

    fn is_known(&self, place: &(String, Key), digest: u64, seen: &Seen) -> bool {
        let applied = self.lock();
        let Some(Applied { digest: known, at, version }) = applied.get(place) else { return false };
        let untouched = match seen {
            Seen::Unknown => true,
            Seen::Missing => false,
            Seen::Version(seen) => seen == version,
        };
        *known == digest && at.elapsed() < REPAIRED_WITHIN && untouched
    }

    /// Deletes an object, if it is there and is still the one that was seen.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn delete<K>(&self, object: &K) -> Result<(), ApplyError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + fmt::Debug,
        K::DynamicType: Default,
    {
        self.delete_with(object, DeleteParams::default()).await
    }

    /// Deletes an object at once, without waiting for anybody to say that it has ended.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn delete_now<K>(&self, object: &K) -> Result<(), ApplyError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + fmt::Debug,
        K::DynamicType: Default,
    {
        self.delete_with(object, DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() })
            .await
    }

    async fn delete_with<K>(&self, object: &K, params: DeleteParams) -> Result<(), ApplyError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + fmt::Debug,
        K::DynamicType: Default,
    {
        let kind = K::kind(&K::DynamicType::default()).into_owned();
        let key = Key::of(object);
        let params = DeleteParams {
            preconditions: Some(Preconditions { uid: object.uid(), resource_version: None }),
            ..params
        };
        let api: Api<K> = self.api(&key.namespace);
        let answer = api.delete(&key.name, &params).await;
        self.lock().remove(&(kind.clone(), key.clone()));
        match answer {
            Ok(_) => {
                tracing::info!(kind, object = %key, "Deleted an object.");
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(source) => Err(ApplyError::of("delete", object, source)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, Key), Applied>> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
