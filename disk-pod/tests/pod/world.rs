//! A cluster in miniature: a volume, a signed roster in a directory, and pods over them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use api::bytes::Bytes;
use api::generation::RosterGeneration;
use api::ids::{ClusterUid, GroupUid, MemberUid, SpaceId, VolumeName};
use api::keys::{SigningKey, Trust};
use api::role::Role;
use api::ticket::{Access, Ticket};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use internet_disk_disk_pod::app::{App, Parts};
use internet_disk_disk_pod::auth::{Checker, Passwords, Tickets, WebPods};
use internet_disk_disk_pod::load::Load;
use internet_disk_disk_pod::settings;
use internet_disk_disk_pod::{Admission, Observed};
use jiff::{SignedDuration, Timestamp};
use roster::{
    FORMAT, GroupAccess, GroupEntry, Index, JoinPolicy, Joining, MemberEntry, MemberState, Part, Participant,
    SHARDS, Settings, Shard, ShardRef, TicketKey, digest, seal, shard_of,
};
use serve::Shutdown;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

/// No test waits longer than this for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const MIB: u64 = 1024 * 1024;
pub(crate) const WEB: &str = "http://disk.localhost:8080";

/// alice, bob and carol have disks of their own; bob edits and carol views the group of alice.
pub(crate) struct World {
    pub(crate) cluster: ClusterUid,
    pub(crate) operator: SigningKey,
    pub(crate) tickets: SigningKey,
    /// Signs what disk pods ask web pods.
    pub(crate) disk: SigningKey,
    pub(crate) volume: TempDir,
    pub(crate) roster: TempDir,
    pub(crate) settings: Settings,
    pub(crate) members: BTreeMap<&'static str, MemberEntry>,
    pub(crate) group: GroupEntry,
    /// What its pods tell of themselves.
    pub(crate) observed: Observed,
    /// Of all credentials.
    pub(crate) credentials: RosterGeneration,
    generation: u64,
}

pub(crate) struct Pod {
    pub(crate) app: App,
    pub(crate) public: Router,
    pub(crate) internal: Router,
    pub(crate) shutdown: Shutdown,
    pub(crate) store: roster::Store,
    _follower: roster::source::Follower,
    setting: tokio::task::JoinHandle<()>,
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.setting.abort();
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn volume_name() -> VolumeName {
    "a".parse().unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let tickets = SigningKey::generate().unwrap();
        let members: BTreeMap<_, _> =
            ["alice", "bob", "carol"].into_iter().map(|name| (name, member(name))).collect();
        let takes_part = |name: &'static str, role| Participant {
            member: members[name].uid,
            name: name.parse().unwrap(),
            role,
            size: Bytes(MIB),
            granted: Bytes(MIB),
        };
        let group = GroupEntry {
            name: "trips".parse().unwrap(),
            uid: GroupUid(Uuid::new_v4()),
            space: SpaceId(Uuid::new_v4()),
            volume: volume_name(),
            display_name: None,
            description: None,
            joining: Joining {
                policy: JoinPolicy::InviteOnly,
                default_role: Role::Editor,
                minimum: Bytes::ZERO,
            },
            access: GroupAccess::ReadWrite,
            capacity: Bytes(3 * MIB),
            participants: vec![
                takes_part("alice", Role::Owner),
                takes_part("bob", Role::Editor),
                takes_part("carol", Role::Viewer),
            ],
            invited: Vec::new(),
            requests: Vec::new(),
        };
        let settings = Settings {
            web_url: Some(WEB.to_owned()),
            volumes: vec![volume_name()],
            ticket_keys: vec![TicketKey { key: tickets.verifying_key().clone(), not_after: None }],
            freshness_ms: 0,
            ..Settings::default()
        };
        let mut world = Self {
            cluster: ClusterUid(Uuid::new_v4()),
            operator: SigningKey::generate().unwrap(),
            tickets,
            disk: SigningKey::generate().unwrap(),
            volume: tempfile::tempdir().unwrap(),
            roster: tempfile::tempdir().unwrap(),
            settings,
            members,
            group,
            observed: Observed::default(),
            credentials: RosterGeneration(0),
            generation: 0,
        };
        world.publish();
        world
    }

    /// Signs the roster anew and puts it where pods look.
    pub(crate) fn publish(&mut self) -> RosterGeneration {
        self.generation += 1;
        let generation = RosterGeneration(self.generation);
        let mut shards = Vec::new();
        for index in 0..SHARDS {
            let here = |name: &str| shard_of(name) == index;
            let shard = Shard {
                format: FORMAT,
                cluster: self.cluster,
                index,
                generation,
                members: self.members.values().filter(|member| here(member.name.as_str())).cloned().collect(),
                groups: Some(&self.group)
                    .filter(|group| here(group.name.as_str()))
                    .cloned()
                    .into_iter()
                    .collect(),
            };
            let sealed = seal(&self.operator, Part::Shard(index), generation, &shard).unwrap();
            shards.push(ShardRef { generation, blake3: digest(sealed.body.as_bytes()) });
            self.write(&format!("shard-{index}"), &sealed);
        }
        let index = Index {
            format: FORMAT,
            cluster: self.cluster,
            cluster_name: "demo".to_owned(),
            namespace: "disk".to_owned(),
            generation,
            shards,
            credentials: vec![self.credentials; usize::from(SHARDS)],
            settings: self.settings.clone(),
        };
        self.write("index", &seal(&self.operator, Part::Index, generation, &index).unwrap());
        generation
    }

    fn write(&self, name: &str, sealed: &roster::Sealed) {
        let at = |ending: &str| self.roster.path().join(format!("{name}.{ending}"));
        std::fs::write(at("sig"), &sealed.signature).unwrap();
        std::fs::write(at("json"), &sealed.body).unwrap();
    }

    /// A pod over the volume, which knows the members and finds 8 MiB for every disk.
    pub(crate) async fn pod(&self) -> Pod {
        self.pod_with(None).await
    }

    /// The same, with a directory that switches faults of its volumes.
    pub(crate) async fn pod_with(&self, faults: Option<&Path>) -> Pod {
        let pod = self.assemble(self.roster.path(), faults).await;
        pod.knows(RosterGeneration(self.generation)).await;
        for (space, volume) in self.spaces() {
            pod.limit(space, volume, 8 * MIB).await;
        }
        pod
    }

    /// A pod that finds no roster.
    pub(crate) async fn pod_without_roster(&self) -> Pod {
        self.assemble(Path::new("missing"), None).await
    }

    async fn assemble(&self, roster: &Path, faults: Option<&Path>) -> Pod {
        let operator = Trust::new([self.operator.verifying_key().clone()]);
        let store = roster::Store::empty(self.cluster, operator.clone());
        let follower = roster::source::directory::follow(store.clone(), roster.to_owned());
        let volumes = [volume_name(), "b".parse().unwrap()];
        let mounted = volumes.clone().map(|name| {
            let directory = self.volume.path().join(name.as_str());
            std::fs::create_dir_all(&directory).unwrap();
            (name, directory)
        });
        let config = spaces::LocalConfig {
            volumes: mounted.to_vec(),
            cluster: self.cluster,
            adopt: None,
            faults: faults.map(Path::to_owned),
            settings: settings::before_the_roster(),
        };
        let engine = spaces::Engine::open_local(config).await.unwrap();
        let setting = tokio::spawn(settings::follow(store.clone(), engine.clone()));
        let shutdown = Shutdown::new();
        let app = App::new(Parts {
            cluster: self.cluster,
            pod: "demo-disk-0".parse().unwrap(),
            started: Timestamp::now(),
            engine,
            volumes: volumes.to_vec(),
            roster: store.clone(),
            passwords: Passwords::new(Checker::WebPods(WebPods::new(copy(&self.disk)))).unwrap(),
            tickets: Tickets::default(),
            operator,
            admission: Admission::default(),
            load: Load::default(),
            observed: self.observed.clone(),
            shutdown: shutdown.clone(),
            silence: Duration::from_secs(2),
        });
        let pod = Pod {
            public: internet_disk_disk_pod::router(app.clone()),
            internal: internet_disk_disk_pod::internal::router(app.clone()),
            app,
            shutdown,
            store,
            _follower: follower,
            setting,
        };
        let canary = async {
            while volumes.iter().any(|volume| pod.app.engine.health(volume).canary_age.is_none()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, canary).await.expect("the volume gives no sign of life");
        pod
    }

    fn spaces(&self) -> Vec<(SpaceId, VolumeName)> {
        let own = self.members.values().map(|member| (member.space, member.volume.clone()));
        own.chain([(self.group.space, self.group.volume.clone())]).collect()
    }

    pub(crate) fn own(&self, member: &str) -> SpaceId {
        self.members[member].space
    }

    pub(crate) fn claims(&self, member: &str, space: SpaceId) -> Ticket {
        Ticket {
            cluster: self.cluster,
            member: self.members[member].uid,
            name: member.parse().unwrap(),
            space,
            access: Access::ReadWrite,
            path: None,
            link: None,
            expires: Timestamp::now() + SignedDuration::from_mins(5),
            id: Uuid::new_v4(),
        }
    }

    pub(crate) fn ticket(&self, member: &str, space: SpaceId) -> String {
        self.claims(member, space).issue(&self.tickets).unwrap()
    }

    /// A client of this member's own disk.
    pub(crate) fn client<'a>(&self, pod: &'a Pod, member: &str) -> Client<'a> {
        let space = self.own(member);
        Client { pod, space, ticket: self.ticket(member, space) }
    }
}

pub(crate) fn copy(key: &SigningKey) -> SigningKey {
    SigningKey::from_paserk(&key.to_paserk().unwrap()).unwrap()
}

fn member(name: &str) -> MemberEntry {
    MemberEntry {
        name: name.parse().unwrap(),
        uid: MemberUid(Uuid::new_v4()),
        space: SpaceId(Uuid::new_v4()),
        volume: volume_name(),
        display_name: None,
        state: MemberState::Active,
        identities: Vec::new(),
        quota: Bytes(10 * MIB),
        limit: Bytes(8 * MIB),
        allocations: Vec::new(),
    }
}

impl Pod {
    /// Waits until the pod has read this roster.
    pub(crate) async fn knows(&self, generation: RosterGeneration) {
        let mut changed = self.store.changed();
        let reads = changed.wait_for(|seen| *seen >= generation && self.store.is_loaded());
        tokio::time::timeout(PATIENCE, reads).await.expect("the roster was not read").unwrap();
        let is_set = async {
            let current = || self.app.engine.settings().as_ref().clone();
            while current() != settings::of(self.store.current().settings(), current()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, is_set).await.expect("the engine is not set as the roster says");
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        answer(&self.public, request).await
    }
}

pub(crate) async fn answer(router: &Router, request: Request<Body>) -> Answer {
    let exchange = async {
        let response = router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: head.status, headers: head.headers, body }
    };
    tokio::time::timeout(PATIENCE, exchange).await.expect("no answer in time")
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The status, and the code of the problem when it is one and not the answer to a HEAD.
    pub(crate) fn outcome(&self) -> (u16, String) {
        let problem = self.header("content-type") == "application/problem+json" && !self.body.is_empty();
        let code =
            if problem { self.json()["code"].as_str().unwrap_or_default().to_owned() } else { String::new() };
        (self.status.as_u16(), code)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Requests about one space with one ticket.
pub(crate) struct Client<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) space: SpaceId,
    pub(crate) ticket: String,
}

impl Client<'_> {
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::new(body.into());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = format!("/v1/spaces/{}/{path}", self.space).parse().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", self.ticket).parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        self.pod.send(request).await
    }

    pub(crate) async fn put(&self, path: &str, content: &str) -> Answer {
        self.send("PUT", &format!("files/{path}"), &[], content.to_owned()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", &format!("files/{path}"), &[], "").await
    }

    pub(crate) async fn operate(&self, operation: serde_json::Value) -> Answer {
        self.send("POST", "operations", &[("content-type", "application/json")], operation.to_string()).await
    }

    pub(crate) async fn names(&self, path: &str) -> Vec<String> {
        let listed = self.send("GET", &format!("list/{path}"), &[], "").await;
        assert_eq!(listed.status, 200, "{listed:?}");
        let listed = listed.json();
        let entries = listed["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn used(&self) -> u64 {
        self.send("GET", "usage", &[], "").await.json()["used"].as_u64().unwrap()
    }
}

impl Pod {
    async fn limit(&self, space: SpaceId, volume: VolumeName, bytes: u64) {
        let operation = spaces::Operation::Limit {
            roster_generation: RosterGeneration(1),
            target: Bytes(bytes),
            ceiling: Bytes(bytes),
        };
        let (id, locks) = (spaces::OperationId(Uuid::new_v4()), Vec::new());
        let request = spaces::Request { id, born: None, locks, operation };
        self.app.engine.space(space, volume).commit(request).await.unwrap();
    }
}
