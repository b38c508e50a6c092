//! An operator between the two, one round after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::ids::{ClusterUid, SpaceId};
use api::keys::{SigningKey, Trust};
use api::kubernetes::{DiskCluster, Member};
use clap::Parser;
use k8s_openapi::api::core::v1::ConfigMap;
use roster::{Sealed, Settings, Store};
use serde_json::{Value, json};

use super::api_server::{ApiServer, uid_of};
use super::volume::Volume;
use crate::accounts::Named;
use crate::accounts::ledger::Ledger;
use crate::accounts::round::Round;
use crate::accounts::secrets::SecretChanges;
use crate::config::{Command, CommandLine};
use crate::context::Context;
use crate::controller::{Key, Next, Queue};
use crate::limits::LimitsClient;
use crate::members::passwords::Hashing;
use crate::metrics::OperatorMetrics;
use crate::prepared::{DiskPod, Prepared};

pub(super) const MIB: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct World {
    pub(super) api: ApiServer,
    pub(super) volume: Volume,
    pub(super) secrets: SecretChanges,
    pub(super) cluster: DiskCluster,
    pub(super) prepared: Prepared,
    context: Arc<Context>,
    queue: Queue,
    limits: LimitsClient,
    key: Key,
    ledger: Option<Ledger>,
}

impl World {
    pub(super) async fn new() -> Self {
        let key = SigningKey::generate().unwrap();
        let uid: ClusterUid = uid_of("demo").parse().unwrap();
        let volume = Volume::new(uid, Trust::new([key.verifying_key().clone()]));
        let pod = volume.pod("demo-disk-0").await;
        Self::with(key, volume, vec![pod]).await
    }

    pub(super) async fn with(key: SigningKey, volume: Volume, disk_pods: Vec<DiskPod>) -> Self {
        let api = ApiServer::default();
        let Command::Run(settings) = CommandLine::try_parse_from(["operator", "run"]).unwrap().command;
        let metrics = OperatorMetrics::new(&serve::Metrics::new()).unwrap();
        let cluster = json!({
            "apiVersion": "internetdisk.dev/v1alpha1", "kind": "DiskCluster",
            "metadata": { "name": "demo", "namespace": "disk", "uid": uid_of("demo") },
            "spec": { "volumes": [{ "name": "main", "template": { "size": "1Gi" } }] },
        });
        let roster_settings = Settings { volumes: vec!["main".parse().unwrap()], ..Settings::default() };
        Self {
            context: Context::new(api.client(), *settings, metrics),
            prepared: Prepared {
                uid: uid_of("demo").parse().unwrap(),
                operator_key: Arc::new(key),
                settings: roster_settings,
                disk_pods,
            },
            cluster: serde_json::from_value(cluster).unwrap(),
            api,
            volume,
            secrets: SecretChanges::default(),
            queue: Queue::new(),
            limits: LimitsClient::default(),
            key: Key::new("disk", "demo"),
            ledger: None,
        }
    }

    pub(super) fn member(&self, name: &str, spec: Value) {
        self.put("members", "Member", name, spec);
    }

    pub(super) fn group(&self, name: &str, spec: Value) {
        self.put("groups", "Group", name, spec);
    }

    fn put(&self, plural: &str, kind: &str, name: &str, mut spec: Value) {
        spec["clusterRef"] = json!({ "name": "demo" });
        self.api.put(plural, name, kind, spec);
    }

    /// The next leader knows nothing.
    pub(super) fn restart(&mut self) {
        self.ledger = None;
    }

    pub(super) async fn round(&mut self) -> Next {
        let named = Named { members: self.api.all("members"), groups: self.api.all("groups") };
        let Self { context, queue, limits, secrets, key, cluster, prepared, .. } = self;
        let ledger = match &mut self.ledger {
            Some(ledger) => ledger,
            None => {
                let ledger =
                    Ledger::load(&context.client, cluster, prepared, Hashing::default()).await.unwrap();
                self.ledger.insert(ledger)
            }
        };
        let next = Round { context, queue, limits, secrets, key, cluster, prepared }.go(ledger, named).await;
        self.check();
        next.unwrap()
    }

    /// Rounds until there is nothing to do before something changes, or becomes due.
    pub(super) async fn settle(&mut self) {
        let began = Instant::now();
        loop {
            let next = self.round().await;
            if next != Next::After(Duration::from_millis(1)) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "it does not settle");
        }
    }

    /// Rounds until it is so; in between as long as the rounds say.
    pub(super) async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < PATIENCE, "not in time: {what}");
            if let Next::After(pause) = self.round().await {
                tokio::time::sleep(pause.min(Duration::from_millis(100))).await;
            }
        }
    }

    /// The limits in force are together no more than the quotas. (No quota is lowered in these tests below what is
    /// lent.)
    fn check(&self) {
        let members: Vec<Arc<Member>> = self.api.all("members");
        let quotas: u64 = members.iter().map(|member| member.spec.quota.bytes().unwrap().0).sum();
        let limits: u64 = self.volume.spaces().values().map(|space| space.limit).sum();
        assert!(limits <= quotas, "{limits} in force, {quotas} promised");
    }

    pub(super) fn limit(&self, name: &str) -> u64 {
        let space: SpaceId = uid_of(name).parse().unwrap();
        self.volume.spaces().get(&space).map_or(0, |space| space.limit)
    }

    pub(super) fn fill(&self, name: &str, used: u64) {
        let space: SpaceId = uid_of(name).parse().unwrap();
        self.volume.spaces().entry(space).or_default().used = used;
    }

    pub(super) fn status(&self, plural: &str, name: &str) -> Value {
        self.api.get(plural, name).unwrap()["status"].clone()
    }

    /// Status, reason and message of a condition.
    pub(super) fn condition(&self, plural: &str, name: &str, kind: &str) -> (String, String, String) {
        let status = self.status(plural, name);
        let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
        let one = conditions.iter().find(|one| one["type"] == kind).cloned().unwrap_or_default();
        let field = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
        (field("status"), field("reason"), field("message"))
    }

    pub(super) fn is_ready(&self, plural: &str, name: &str) -> bool {
        self.condition(plural, name, "Ready").0 == "True"
    }

    /// What pods make of what was published.
    pub(super) fn roster(&self) -> Arc<roster::Roster> {
        let trust = Trust::new([self.prepared.operator_key.verifying_key().clone()]);
        let store = Store::empty(self.prepared.uid, trust);
        let sealed = |name: &str, key: &str| {
            let map: ConfigMap = serde_json::from_value(self.api.get("configmaps", name)?).unwrap();
            let data = map.data?;
            Some(Sealed { body: data.get(key)?.clone(), signature: data.get("signature")?.clone() })
        };
        let index = sealed("demo-roster", "index.json").unwrap();
        let shards: Vec<(u8, Sealed)> = (0..roster::SHARDS)
            .filter_map(|shard| Some((shard, sealed(&format!("demo-roster-{shard}"), "shard.json")?)))
            .collect();
        let missing = store.take(&index, shards.iter().map(|(shard, sealed)| (*shard, sealed))).unwrap();
        assert!(missing.is_empty(), "{missing:?}");
        store.current()
    }

    pub(super) fn forget_writes(&self) {
        self.api.lock().writes.clear();
    }

    pub(super) fn writes(&self, what: &str) -> usize {
        self.api.lock().writes.get(what).copied().unwrap_or_default()
    }
}
