//! The credentials in the Kubernetes API: when the roster's index names a newer generation of a shard, its Secret
//! is read. Nothing is watched or listed, so a role can allow `get` on these Secrets by name and nothing else.

use std::time::Duration;

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::CredentialStore;
use crate::shard::SHARDS;
use crate::source::{Complaints, Follower};
use crate::store::Store;

const NAME: &str = "credentials in kubernetes";
const READS_AT_ONCE: usize = 4;
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// Reads the Secrets `<cluster>-credentials-<i>` of the namespace as the roster calls for them.
pub fn follow(
    store: CredentialStore,
    roster: Store,
    client: Client,
    namespace: &str,
    cluster: &str,
) -> Follower {
    let api: Api<Secret> = Api::namespaced(client, namespace);
    let name = format!("{cluster}-credentials");
    Follower::spawn(async move {
        let mut complaints = Complaints::default();
        let mut changed = roster.changed();
        let mut retry = FIRST_RETRY;
        loop {
            changed.mark_unchanged();
            if read_newer(&store, &roster, &api, &name, &mut complaints).await {
                retry = FIRST_RETRY;
                if changed.changed().await.is_err() {
                    return;
                }
            } else {
                tokio::select! {
                    () = tokio::time::sleep(retry) => retry = (retry * 2).min(LAST_RETRY),
                    alive = changed.changed() => match alive {
                        Ok(()) => retry = FIRST_RETRY,
                        Err(_) => return,
                    },
                }
            }
        }
    })
}

/// Whether every shard is now as new as the roster says.
async fn read_newer(
    store: &CredentialStore,
    roster: &Store,
    api: &Api<Secret>,
    name: &str,
    complaints: &mut Complaints,
) -> bool {
    let roster = roster.current();
    let named = roster.index().map(|index| index.credentials.as_slice()).unwrap_or_default();
    let wanted: Vec<(u8, _)> = (0..SHARDS)
        .zip(named)
        .filter(|(shard, generation)| **generation > store.generation(*shard))
        .map(|(shard, generation)| (shard, *generation))
        .collect();
    let read: Vec<_> = stream::iter(wanted)
        .map(|(shard, generation)| async move {
            let secret = api.get_opt(&format!("{name}-{shard}")).await;
            (shard, generation, secret)
        })
        .buffer_unordered(READS_AT_ONCE)
        .collect()
        .await;
    let mut complete = true;
    for (shard, generation, secret) in read {
        let part = format!("credentials-{shard}");
        let taken = match secret {
            Err(error) => Err(error.to_string()),
            Ok(secret) => secret
                .and_then(|mut secret| secret.data.as_mut()?.remove("credentials.json"))
                .ok_or_else(|| "there is no such Secret with credentials.json".to_owned())
                .and_then(|body| store.offer(shard, &body.0).map_err(|error| error.to_string())),
        };
        match taken {
            Ok(()) if store.generation(shard) >= generation => complaints.settled(&part),
            Ok(()) => complete = false,
            Err(reason) => {
                complaints.complain(NAME, &part, reason);
                complete = false;
            }
        }
    }
    complete
}
