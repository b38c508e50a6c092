//! Writes to the API server.

use std::collections::BTreeMap;

use api::generation::RosterGeneration;
use api::keys::{KeyError, SigningKey, Trust};
use api::kubernetes::DiskCluster;
use api::kubernetes::labels::{Component, labels};
use api::kubernetes::names::Names;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{ObjectMeta, Patch, PatchParams};
use kube::{Api, Client, Resource};
use roster::compile::Compiled;
use roster::credentials::Credentials;
use roster::{Head, Index, SHARDS, Sealed, publish};

use super::credentials::{CredentialShelf, Wanted};
use super::index::{INDEX, RESERVED, SHARD, StoredIndex, data};
use crate::accounts::MANAGER;
use crate::limits::Generations;

/// Shards that are written, or read, at once.
const AT_ONCE: usize = 8;
const CREDENTIALS: &str = "credentials.json";

/// Where the roster of one DiskCluster is published.
#[derive(Debug)]
pub(crate) struct Publisher {
    maps: Api<ConfigMap>,
    secrets: Api<Secret>,
    names: Names,
    cluster: DiskClusterReference,
}

#[derive(Debug)]
struct DiskClusterReference {
    namespace: String,
    owner: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference>,
}

/// What was published last.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) index: Option<Index>,
    sealed: Option<Sealed>,
    version: Option<String>,
    pub(crate) credentials: CredentialShelf,
}

/// Why the roster was not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// The API server did not take it.
    #[error("the roster could not be written: {0}")]
    Kubernetes(#[from] kube::Error),
    /// It could not be signed.
    #[error("the roster could not be signed: {0}")]
    Key(#[from] KeyError),
    /// It could not be written as JSON.
    #[error("the roster could not be written: {0}")]
    Json(#[from] serde_json::Error),
}

impl Published {
    /// Whether nothing was ever published.
    pub(crate) fn is_nothing(&self) -> bool {
        self.version.is_none()
    }
}

impl PublishError {
    /// Whether somebody else wrote the index, so that what is known of it is not true any more.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Kubernetes(kube::Error::Api(status)) if status.code == 409)
    }
}

impl Publisher {
    pub(crate) fn new(client: &Client, cluster: &DiskCluster) -> Self {
        let namespace = cluster.metadata.namespace.clone().unwrap_or_default();
        Self {
            maps: Api::namespaced(client.clone(), &namespace),
            secrets: Api::namespaced(client.clone(), &namespace),
            names: Names::of(cluster.metadata.name.clone().unwrap_or_default()),
            cluster: DiskClusterReference { namespace, owner: cluster.controller_owner_ref(&()) },
        }
    }

    /// Reads what was published, and which generations may have been used.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub(crate) async fn load(&self, key: &SigningKey) -> Result<(Published, Generations), PublishError> {
        let trust = Trust::new([key.verifying_key().clone()]);
        let stored = match self.maps.get_opt(&self.names.roster()).await? {
            Some(map) => StoredIndex::read(&map, &trust),
            None => StoredIndex::default(),
        };
        let read: BTreeMap<u8, Credentials> = stream::iter(0..SHARDS)
            .map(|shard| async move {
                let secret = self.secrets.get_opt(&self.names.credentials(shard)).await?;
                let body = secret.and_then(|mut secret| secret.data.as_mut()?.remove(CREDENTIALS));
                // One that cannot be read is made anew from the Secrets of the passwords.
                Ok::<_, kube::Error>((shard, body.and_then(|body| serde_json::from_slice(&body.0).ok())))
            })
            .buffer_unordered(AT_ONCE)
            .try_filter_map(|(shard, read)| std::future::ready(Ok(read.map(|read| (shard, read)))))
            .try_collect()
            .await?;
        let StoredIndex { index, sealed, reserved, version } = stored;
        let published = Published { index, sealed, version, credentials: CredentialShelf::new(read) };
        Ok((published, Generations::above(reserved)))
    }

    /// Writes down that generations up to `end` may be used from now on.
    ///
    /// # Errors
    /// When the API server does not take it.
    pub(crate) async fn reserve(
        &self,
        published: &mut Published,
        end: RosterGeneration,
    ) -> Result<(), PublishError> {
        self.write_index(published, published.sealed.clone(), end).await
    }

    /// Publishes what changed, the index last, and says of which generation it now is.
    ///
    /// # Errors
    /// When the API server does not take it. What was written stays, and nothing names it before the next attempt.
    pub(crate) async fn publish(
        &self,
        key: &SigningKey,
        published: &mut Published,
        (generation, end): (RosterGeneration, RosterGeneration),
        mut head: Head,
        compiled: Compiled,
        credentials: Wanted,
    ) -> Result<bool, PublishError> {
        for (shard, credentials) in published.credentials.changes(credentials, generation) {
            self.write_credentials(shard, &credentials).await?;
            published.credentials.stored(shard, credentials);
        }
        head.credentials = published.credentials.generations();
        let Some(publication) = publish(key, generation, head, compiled, published.index.as_ref())? else {
            return Ok(false);
        };
        stream::iter(publication.shards)
            .map(|(shard, sealed)| async move { self.write_shard(shard, &sealed).await })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        self.write_index(published, Some(publication.sealed), end).await?;
        published.index = Some(publication.index);
        Ok(true)
    }

    async fn write_shard(&self, shard: u8, sealed: &Sealed) -> Result<(), PublishError> {
        let name = self.names.roster_shard(shard);
        let map = ConfigMap {
            metadata: self.metadata(&name, Component::Roster),
            data: Some(data(SHARD, sealed)),
            ..ConfigMap::default()
        };
        self.maps.patch(&name, &apply(), &Patch::Apply(&map)).await?;
        Ok(())
    }

    async fn write_credentials(&self, shard: u8, credentials: &Credentials) -> Result<(), PublishError> {
        let name = self.names.credentials(shard);
        let body = ByteString(serde_json::to_vec(credentials)?);
        let secret = Secret {
            metadata: self.metadata(&name, Component::Credentials),
            data: Some(BTreeMap::from([(CREDENTIALS.to_owned(), body)])),
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        };
        self.secrets.patch(&name, &apply(), &Patch::Apply(&secret)).await?;
        Ok(())
    }

    /// Only on top of the version that is known: of two who write, one is told.
    async fn write_index(
        &self,
        published: &mut Published,
        sealed: Option<Sealed>,
        end: RosterGeneration,
    ) -> Result<(), PublishError> {
        let name = self.names.roster();
        let mut metadata = self.metadata(&name, Component::Roster);
        metadata.annotations = Some(BTreeMap::from([(RESERVED.to_owned(), end.to_string())]));
        metadata.resource_version = published.version.clone();
        let map = ConfigMap {
            metadata,
            data: sealed.as_ref().map(|sealed| data(INDEX, sealed)),
            ..ConfigMap::default()
        };
        let written = self.maps.patch(&name, &apply(), &Patch::Apply(&map)).await?;
        published.version = written.metadata.resource_version;
        published.sealed = sealed;
        Ok(())
    }

    fn metadata(&self, name: &str, component: Component) -> ObjectMeta {
        ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(self.cluster.namespace.clone()),
            labels: Some(labels(&self.names, component)),
            owner_references: self.cluster.owner.clone().map(|owner| vec![owner]),
            ..ObjectMeta::default()
        }
    }
}

fn apply() -> PatchParams {
    PatchParams::apply(MANAGER).force()
}
