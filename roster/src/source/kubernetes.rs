//! The roster in the Kubernetes API: one ConfigMap is watched, and only shards that changed are read. While the
//! API is away what is known stays, and a mounted copy may go on feeding the store.

use std::time::Duration;

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};

use super::{Complaints, Follower};
use crate::seal::Part;
use crate::store::Store;

const NAME: &str = "kubernetes";

/// How many shards are read at once: enough to hide the way there, few enough to be no burden when every pod
/// of a cluster does the same at the same moment.
const READS_AT_ONCE: usize = 4;

/// Shards are tried again so soon, and each time later, when the index names what cannot be had.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// Watches the index `<cluster>-roster` in the namespace, and reads the shards `<cluster>-roster-<i>` it names.
pub fn follow(store: Store, client: Client, namespace: &str, cluster: &str) -> Follower {
    let api: Api<ConfigMap> = Api::namespaced(client, namespace);
    let name = format!("{cluster}-roster");
    Follower::spawn(async move {
        let mut source = Source { store, api, name, complaints: Complaints::default() };
        source.run().await;
    })
}

struct Source {
    store: Store,
    api: Api<ConfigMap>,
    name: String,
    complaints: Complaints,
}

impl Source {
    async fn run(&mut self) {
        // A role can allow watching one named object only when the request names it in just this way.
        let only = watcher::Config::default().fields(&format!("metadata.name={}", self.name));
        let mut events = watcher(self.api.clone(), only).default_backoff().boxed();
        let mut index: Option<(String, String)> = None;
        let mut retry: Option<Duration> = None;
        loop {
            let pause = retry;
            let again = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = events.next() => match event {
                    Some(Ok(watcher::Event::Apply(map) | watcher::Event::InitApply(map))) => {
                        index = content(&map, "index.json");
                        if index.is_none() {
                            self.complaints.complain(NAME, "index", "the ConfigMap has no index.json and signature");
                        }
                        retry = None;
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => {
                        self.complaints.complain(NAME, "watch", error);
                        continue;
                    }
                    None => return,
                },
                () = again => {}
            }
            self.complaints.settled("watch");
            let Some((body, signature)) = &index else { continue };
            retry = match self.take(body, signature).await {
                true => None,
                false => Some(retry.map_or(FIRST_RETRY, |pause| (pause * 2).min(LAST_RETRY))),
            };
        }
    }

    /// Whether all that the index names is there now.
    async fn take(&mut self, body: &str, signature: &str) -> bool {
        let mut draft = match self.store.examine(body, signature) {
            Ok(Some(draft)) => draft,
            Ok(None) => return true,
            Err(refused) => {
                self.complaints.complain(NAME, "index", refused);
                // Nothing to gain from asking again: a better one arrives by the watch.
                return true;
            }
        };
        self.complaints.settled("index");
        let names: Vec<(u8, String)> =
            draft.wanted().iter().map(|shard| (*shard, format!("{}-{shard}", self.name))).collect();
        let api = &self.api;
        let read: Vec<(u8, Result<Option<ConfigMap>, kube::Error>)> = stream::iter(names)
            .map(|(shard, name)| async move { (shard, api.get_opt(&name).await) })
            .buffer_unordered(READS_AT_ONCE)
            .collect()
            .await;
        for (shard, map) in read {
            let part = Part::Shard(shard).to_string();
            let found = match map {
                Ok(map) => map.as_ref().and_then(|map| content(map, "shard.json")),
                Err(error) => {
                    self.complaints.complain(NAME, &part, error);
                    continue;
                }
            };
            let Some((body, signature)) = found else {
                self.complaints.complain(
                    NAME,
                    &part,
                    "there is no such ConfigMap with shard.json and signature",
                );
                continue;
            };
            match self.store.add(&mut draft, shard, &body, &signature) {
                Ok(()) => self.complaints.settled(&part),
                Err(refused) => self.complaints.complain(NAME, &part, refused),
            }
        }
        let generation = draft.generation();
        let wanted = self.store.adopt(draft);
        tracing::debug!(%generation, ?wanted, "Took the roster from the Kubernetes API.");
        wanted.is_empty()
    }
}

fn content(map: &ConfigMap, key: &str) -> Option<(String, String)> {
    let data = map.data.as_ref()?;
    Some((data.get(key)?.clone(), data.get("signature")?.clone()))
}
