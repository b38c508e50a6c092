//! The keys of a DiskCluster: made once, kept in Secrets that only those can read who sign with them.
//!
//! The operator's key signs the roster and the limits; every pod is started with its public half. Web pods sign
//! tickets and sessions, with keys that are exchanged in time. Disk pods sign what they ask web pods.

pub mod ring;

use std::collections::BTreeMap;

use api::keys::{KeyError, SigningKey, VerifyingKey};
use api::kubernetes::DiskCluster;
use api::kubernetes::labels::{Component, MANAGER_OPERATOR, ROTATE_KEYS};
use api::kubernetes::names::Names;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use roster::TicketKey;
use roster::web_keys::{WebKeys, WebKeysError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::build::owned;
use crate::context::Context;
use ring::{Policy, Ring, StoredKey};

const KEY: &str = "key";
const WEB_KEYS: &str = "keys.json";
const RINGS: &str = "rings.json";

/// Tickets live for minutes, so old keys need not be believed for long.
const TICKETS: Policy = Policy {
    signs_for: SignedDuration::from_hours(30 * 24),
    announced: SignedDuration::from_mins(15),
    believed: SignedDuration::from_hours(1),
};

/// The keys of a DiskCluster.
#[derive(Debug)]
pub struct Keys {
    /// Signs the roster and the limits.
    pub operator: SigningKey,
    /// The public halves of what signs tickets.
    pub ticket_keys: Vec<TicketKey>,
    /// The public half of what disk pods sign with.
    pub disk: VerifyingKey,
    /// When something is due next.
    pub due: Option<Timestamp>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The API server did not give or take a Secret.
    #[error("Secret {name}: {source}")]
    Kubernetes {
        /// Which.
        name: String,
        /// What it said.
        source: Box<kube::Error>,
    },
    /// What a Secret holds is no key.
    #[error(
        "Secret {name} holds no {entry} that can be read: restore it from a copy, or delete it to have new keys made \
         (members then sign in again)"
    )]
    Unreadable {
        /// Which.
        name: String,
        /// Which entry.
        entry: &'static str,
    },
    /// A key could not be made.
    #[error("no key could be made: {0}")]
    Key(#[from] KeyError),
    /// Keys could not be written.
    #[error("keys could not be written: {0}")]
    WebKeys(#[from] WebKeysError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRings {
    ticket: Vec<StoredKey>,
    session: Vec<StoredKey>,
    /// The value of the annotation at the last exchange.
    asked: Option<String>,
}

/// Finds the keys, makes what is missing, and exchanges what is due.
///
/// # Errors
/// When Secrets cannot be read or written, or hold no keys.
pub async fn ensure(context: &Context, cluster: &DiskCluster, now: Timestamp) -> Result<Keys, KeysError> {
    let namespace = cluster.namespace().unwrap_or_default();
    let secrets = Secrets { api: Api::namespaced(context.client.clone(), &namespace), cluster };
    let operator = secrets.key(secrets.names().operator_key()).await?;
    let disk = secrets.key(secrets.names().disk_key()).await?.verifying_key().clone();
    let (ticket_keys, due) = secrets.web_keys(now).await?;
    Ok(Keys { operator, ticket_keys, disk, due })
}

struct Secrets<'a> {
    api: Api<Secret>,
    cluster: &'a DiskCluster,
}

impl Secrets<'_> {
    fn names(&self) -> Names {
        Names::of(self.cluster.name_any())
    }

    /// A key that is made once.
    async fn key(&self, name: String) -> Result<SigningKey, KeysError> {
        if let Some(secret) = self.find(&name).await? {
            let text = entry(&secret, KEY).and_then(|bytes| std::str::from_utf8(bytes).ok());
            let key = text.and_then(|text| SigningKey::from_paserk(text).ok());
            return key.ok_or(KeysError::Unreadable { name, entry: KEY });
        }
        let key = SigningKey::generate()?;
        self.create(&name, [(KEY, key.to_paserk()?)]).await?;
        Ok(key)
    }

    /// The public halves for tickets, and when something is due.
    async fn web_keys(&self, now: Timestamp) -> Result<(Vec<TicketKey>, Option<Timestamp>), KeysError> {
        let name = self.names().web_keys();
        let found = self.find(&name).await?;
        let asked = self.cluster.annotations().get(ROTATE_KEYS).cloned();
        let (mut ticket, mut session, known) = match &found {
            Some(secret) => {
                rings(secret).ok_or(KeysError::Unreadable { name: name.clone(), entry: RINGS })?
            }
            None => (Ring::default(), Ring::default(), asked.clone()),
        };
        let sessions = session_policy(self.cluster);
        if asked.is_some() && asked != known {
            ticket.announce(now, TICKETS)?;
            session.announce(now, sessions)?;
        }
        ticket.turn(now, TICKETS)?;
        session.turn(now, sessions)?;
        let keys =
            WebKeys { ticket: signing(&ticket, now, TICKETS)?, session: signing(&session, now, sessions)? };
        let keys = keys.to_json()?;
        let stored = StoredRings { ticket: ticket.store()?, session: session.store()?, asked };
        let stored = serde_json::to_string(&stored).map_err(|_| KeyError::Signing)?;
        let written = [(WEB_KEYS, keys), (RINGS, stored)];
        match &found {
            None => self.create(&name, written).await?,
            Some(secret) => {
                let differs = |(name, text): &(&str, String)| entry(secret, name) != Some(text.as_bytes());
                if written.iter().any(differs) {
                    self.replace(secret, written).await?;
                }
            }
        }
        let public = ticket
            .members(now, TICKETS)
            .into_iter()
            .map(|member| TicketKey { key: member.key.verifying_key().clone(), not_after: member.not_after });
        let due = [
            ticket.due(TICKETS),
            session.due(sessions),
            ticket.changes_hands(now),
            session.changes_hands(now),
        ];
        Ok((public.collect(), due.into_iter().flatten().min()))
    }

    async fn find(&self, name: &str) -> Result<Option<Secret>, KeysError> {
        self.api
            .get_opt(name)
            .await
            .map_err(|source| KeysError::Kubernetes { name: name.to_owned(), source: Box::new(source) })
    }

    /// Fails when another replica was faster: its keys count.
    async fn create<const N: usize>(&self, name: &str, data: [(&str, String); N]) -> Result<(), KeysError> {
        let secret = Secret {
            metadata: owned(self.cluster, name, Component::Keys),
            type_: Some("Opaque".to_owned()),
            data: Some(bytes(data)),
            ..Secret::default()
        };
        let params = PostParams { field_manager: Some(MANAGER_OPERATOR.to_owned()), ..PostParams::default() };
        match self.api.create(&params, &secret).await {
            Ok(_) => {
                tracing::info!(secret = name, "Made new keys.");
                Ok(())
            }
            Err(source) => Err(KeysError::Kubernetes { name: name.to_owned(), source: Box::new(source) }),
        }
    }

    /// Fails when somebody wrote meanwhile.
    async fn replace<const N: usize>(
        &self,
        secret: &Secret,
        data: [(&str, String); N],
    ) -> Result<(), KeysError> {
        let name = secret.name_any();
        let mut metadata = owned(self.cluster, &name, Component::Keys);
        metadata.resource_version = secret.resource_version();
        let patch =
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": bytes(data) });
        let params = PatchParams::apply(MANAGER_OPERATOR).force();
        match self.api.patch(&name, &params, &Patch::Apply(&patch)).await {
            Ok(_) => {
                tracing::info!(secret = name, "Exchanged keys.");
                Ok(())
            }
            Err(source) => Err(KeysError::Kubernetes { name, source: Box::new(source) }),
        }
    }
}

fn session_policy(cluster: &DiskCluster) -> Policy {
    let lifetime = i64::from(cluster.spec.sign_in.sessions.lifetime_seconds);
    Policy { believed: SignedDuration::from_secs(lifetime), ..TICKETS }
}

fn rings(secret: &Secret) -> Option<(Ring, Ring, Option<String>)> {
    let StoredRings { ticket, session, asked } = serde_json::from_slice(entry(secret, RINGS)?).ok()?;
    Some((Ring::read(ticket).ok()?, Ring::read(session).ok()?, asked))
}

/// Copies of the keys in the order in which web pods want them.
fn signing(ring: &Ring, now: Timestamp, policy: Policy) -> Result<Vec<SigningKey>, KeyError> {
    let copy = |member: ring::Member<'_>| SigningKey::from_paserk(&member.key.to_paserk()?);
    ring.members(now, policy).into_iter().map(copy).collect()
}

fn entry<'a>(secret: &'a Secret, name: &str) -> Option<&'a [u8]> {
    secret.data.as_ref()?.get(name).map(|bytes| bytes.0.as_slice())
}

fn bytes<const N: usize>(data: [(&str, String); N]) -> BTreeMap<String, ByteString> {
    data.into_iter().map(|(name, text)| (name.to_owned(), ByteString(text.into_bytes()))).collect()
}
