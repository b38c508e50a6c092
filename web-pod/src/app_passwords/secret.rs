//! The Secrets that app passwords are in: each of one shard, changed on top of the version that was read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::ids::MemberName;
use api::kubernetes::names::Names;
use api::problem::ProblemCode;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use roster::credentials::{AppPassword, AppPasswords};
use roster::shard_of;
use serde_json::json;
use serve::problem::Refusal;
use uuid::Uuid;

use crate::config::Watched;
use crate::self_service::{FIELD_MANAGER, away, denied, in_time};

/// The entry in the Secret.
const ENTRY: &str = "app-passwords.json";
/// So often somebody else may be faster.
const ATTEMPTS: usize = 5;
/// A use is noted once in so long.
const NOTED_EVERY: Duration = Duration::from_secs(24 * 3600);
/// So many uses are remembered as noted.
const MOST_NOTED: usize = 8192;

/// The Secrets of one DiskCluster; clones share it.
#[derive(Clone)]
pub struct AppPasswordSecrets {
    secrets: Api<Secret>,
    names: Names,
    noted: Arc<Mutex<HashMap<Uuid, Instant>>>,
}

impl std::fmt::Debug for AppPasswordSecrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AppPasswordSecrets").field("names", &self.names).finish_non_exhaustive()
    }
}

impl AppPasswordSecrets {
    /// Those of this DiskCluster.
    pub fn new(client: Client, watched: &Watched) -> Self {
        let secrets = Api::namespaced(client, &watched.namespace);
        Self { secrets, names: Names::of(&watched.cluster), noted: Arc::default() }
    }

    fn name(&self, member: &MemberName) -> String {
        self.names.app_passwords(shard_of(member.as_str()))
    }

    /// All of the member's shard.
    ///
    /// # Errors
    /// When the Kubernetes API does not give them.
    pub(super) async fn read(&self, member: &MemberName) -> Result<Vec<AppPassword>, Refusal> {
        in_time(async { Ok(self.get(&self.name(member)).await?.0) }).await
    }

    async fn get(&self, name: &str) -> Result<(Vec<AppPassword>, Option<String>), Refusal> {
        let secret = self.secrets.get(name).await.map_err(|error| denied(&error))?;
        let version = secret.metadata.resource_version.clone();
        let Some(body) = secret.data.as_ref().and_then(|data| data.get(ENTRY)) else {
            return Ok((Vec::new(), version));
        };
        let read: AppPasswords = serde_json::from_slice(&body.0).map_err(|error| {
            Refusal::internal(format!("Secret {name}: {ENTRY} cannot be read (line {})", error.line()))
        })?;
        Ok((read.passwords, version))
    }

    /// Changes those of the member's shard. Of two who do so at once, the second does it again.
    ///
    /// # Errors
    /// What `change` says, or when the Kubernetes API does not take it.
    pub(super) async fn edit(
        &self,
        member: &MemberName,
        change: impl Fn(&mut Vec<AppPassword>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let name = self.name(member);
        in_time(async {
            for _ in 0..ATTEMPTS {
                let (mut passwords, version) = self.get(&name).await?;
                change(&mut passwords)?;
                let body = serde_json::to_vec(&AppPasswords { passwords }).map_err(Refusal::internal)?;
                let body = k8s_openapi::ByteString(body);
                let patch = json!({ "metadata": { "resourceVersion": version }, "data": { ENTRY: body } });
                let params =
                    PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
                match self.secrets.patch(&name, &params, &Patch::Merge(&patch)).await {
                    Ok(_) => return Ok(()),
                    Err(kube::Error::Api(status)) if status.code == 409 => {}
                    Err(error) => return Err(denied(&error)),
                }
            }
            Err(away("somebody else changes the same Secret all the time"))
        })
        .await
    }

    /// Notes that one was used, once a day.
    pub(super) async fn note_use(&self, member: &MemberName, id: Uuid) {
        {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if noted.get(&id).is_some_and(|at| now.duration_since(*at) < NOTED_EVERY) {
                return;
            }
            if noted.len() >= MOST_NOTED {
                noted.clear();
            }
            noted.insert(id, now);
        }
        let now = Timestamp::now();
        let day = SignedDuration::from_hours(24);
        let noted = self
            .edit(member, |all| {
                let one = all.iter_mut().find(|one| one.id == id);
                match one {
                    // Another web pod may have noted it.
                    Some(one) if one.last_used.is_none_or(|used| now.duration_since(used) >= day) => {
                        one.last_used = Some(now);
                        Ok(())
                    }
                    _ => Err(Refusal::new(ProblemCode::NotFound, "there is nothing to note")),
                }
            })
            .await;
        if noted.is_err() {
            tracing::debug!(%id, "When an app password was used was not noted.");
        }
    }
}
