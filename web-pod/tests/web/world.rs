//! A cluster in miniature: a signed roster and credentials in directories, and web pods that read them.

use std::collections::BTreeMap;
use std::time::Duration;

use api::bytes::Bytes;
use api::generation::RosterGeneration;
use api::ids::{ClusterUid, GroupUid, MemberUid, SpaceId};
use api::keys::{SigningKey, Trust, VerifyingKey};
use api::role::Role;
use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use internet_disk_web_pod::disks::{Pace, probe};
use internet_disk_web_pod::{
    App, AppPasswordSecrets, Attempts, Keys, Links, NewMembers, Oidc, Parts, Passwords, SelfService, SignIn,
    WebMetrics, internal, router,
};
use roster::credentials::{AppPasswords, Credential, CredentialStore, Credentials, Verifier};
use roster::web_keys::WebKeys;
use roster::{
    FORMAT, GroupAccess, GroupEntry, Index, JoinPolicy, Joining, MemberEntry, MemberState, Part, Participant,
    SHARDS, Settings, Shard, ShardRef, TicketKey, digest, seal, shard_of,
};
use serde_json::Value;
use serve::Metrics;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

/// No test waits longer than this for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const GIB: u64 = 1 << 30;
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// alice owns the group `trips`, bob edits and carol views it; dave takes part in nothing.
pub(crate) struct World {
    pub(crate) cluster: ClusterUid,
    pub(crate) operator: SigningKey,
    pub(crate) session: SigningKey,
    /// Signs what disk pods ask.
    pub(crate) disk: SigningKey,
    pub(crate) ticket: VerifyingKey,
    keys: Keys,
    pub(crate) keys_json: String,
    pub(crate) roster: TempDir,
    pub(crate) credentials: TempDir,
    /// Secrets of OpenID providers.
    pub(crate) providers: TempDir,
    pub(crate) settings: Settings,
    pub(crate) members: BTreeMap<&'static str, MemberEntry>,
    pub(crate) groups: BTreeMap<&'static str, GroupEntry>,
    pub(crate) verifiers: BTreeMap<&'static str, Verifier>,
    /// App passwords, by shards.
    pub(crate) apps: BTreeMap<u8, AppPasswords>,
    generation: u64,
}

pub(crate) struct Pod {
    pub(crate) router: Router,
    pub(crate) internal: Router,
    store: roster::Store,
    credentials: CredentialStore,
    _followers: [roster::source::Follower; 2],
    prober: tokio::task::JoinHandle<()>,
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.prober.abort();
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn hashed(password: &str) -> Verifier {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 2, 1, None).unwrap());
    let hash: PasswordHash = argon2.hash_password(password.as_bytes()).unwrap();
    Verifier::new(hash.to_string())
}

fn member(name: &str) -> MemberEntry {
    MemberEntry {
        name: name.parse().unwrap(),
        uid: MemberUid(Uuid::new_v4()),
        space: SpaceId(Uuid::new_v4()),
        volume: "main".parse().unwrap(),
        display_name: Some(format!("{name} of the tests").into()),
        state: MemberState::Active,
        identities: Vec::new(),
        quota: Bytes(10 * GIB),
        limit: Bytes(8 * GIB),
        allocations: Vec::new(),
    }
}

pub(crate) fn group(name: &str, policy: JoinPolicy) -> GroupEntry {
    GroupEntry {
        name: name.parse().unwrap(),
        uid: GroupUid(Uuid::new_v4()),
        space: SpaceId(Uuid::new_v4()),
        volume: "main".parse().unwrap(),
        display_name: None,
        description: None,
        joining: Joining { policy, default_role: Role::Editor, minimum: Bytes::ZERO },
        access: GroupAccess::ReadWrite,
        capacity: Bytes(3 * GIB),
        participants: Vec::new(),
        invited: Vec::new(),
        requests: Vec::new(),
    }
}

pub(crate) fn participant(member: &MemberEntry, role: Role) -> Participant {
    Participant {
        member: member.uid,
        name: member.name.clone(),
        role,
        size: Bytes(2 * GIB),
        granted: Bytes(GIB),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let (ticket, session) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let again = |key: &SigningKey| SigningKey::from_paserk(&key.to_paserk().unwrap()).unwrap();
        let web_keys = WebKeys { ticket: vec![again(&ticket)], session: vec![again(&session)] };
        let members: BTreeMap<_, _> =
            ["alice", "bob", "carol", "dave"].into_iter().map(|name| (name, member(name))).collect();
        let mut trips = group("trips", JoinPolicy::InviteOnly);
        for (name, role) in [("alice", Role::Owner), ("bob", Role::Editor), ("carol", Role::Viewer)] {
            trips.participants.push(participant(&members[name], role));
        }
        let verifier = hashed(PASSWORD);
        let disk = SigningKey::generate().unwrap();
        let mut world = Self {
            cluster: ClusterUid(Uuid::new_v4()),
            operator: SigningKey::generate().unwrap(),
            session,
            ticket: ticket.verifying_key().clone(),
            keys_json: web_keys.to_json().unwrap(),
            keys: Keys::fixed(web_keys),
            roster: tempfile::tempdir().unwrap(),
            credentials: tempfile::tempdir().unwrap(),
            providers: tempfile::tempdir().unwrap(),
            settings: Settings {
                volumes: vec!["main".parse().unwrap()],
                disk_keys: vec![disk.verifying_key().clone()],
                ticket_keys: vec![TicketKey { key: ticket.verifying_key().clone(), not_after: None }],
                ..Settings::default()
            },
            verifiers: members.keys().map(|name| (*name, verifier.clone())).collect(),
            members,
            groups: BTreeMap::from([("trips", trips)]),
            disk,
            apps: BTreeMap::new(),
            generation: 0,
        };
        world.publish();
        world
    }

    /// Signs the roster anew and puts it, and the credentials, where pods look.
    pub(crate) fn publish(&mut self) {
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
                members: self.members.values().filter(|one| here(one.name.as_str())).cloned().collect(),
                groups: self.groups.values().filter(|one| here(one.name.as_str())).cloned().collect(),
            };
            let sealed = seal(&self.operator, Part::Shard(index), generation, &shard).unwrap();
            shards.push(ShardRef { generation, blake3: digest(sealed.body.as_bytes()) });
            self.write(&format!("shard-{index}"), &sealed);
            let known = self.verifiers.iter().filter(|(name, _)| here(name));
            let members = known.filter_map(|(name, verifier)| {
                let member = self.members.get(name)?;
                let (uid, name) = (member.uid, member.name.clone());
                Some(Credential { uid, name, verifier: verifier.clone(), source: "test/1".to_owned() })
            });
            let apps = self.apps.get(&index).cloned().unwrap_or_default().passwords;
            let credentials = Credentials { generation, members: members.collect(), apps };
            let file = self.credentials.path().join(format!("credentials-{index}.json"));
            std::fs::write(file, serde_json::to_vec(&credentials).unwrap()).unwrap();
        }
        let index = Index {
            format: FORMAT,
            cluster: self.cluster,
            cluster_name: "demo".to_owned(),
            namespace: "disk".to_owned(),
            generation,
            shards,
            credentials: vec![generation; usize::from(SHARDS)],
            settings: self.settings.clone(),
        };
        self.write("index", &seal(&self.operator, Part::Index, generation, &index).unwrap());
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    fn write(&self, name: &str, sealed: &roster::Sealed) {
        let at = |ending: &str| self.roster.path().join(format!("{name}.{ending}"));
        std::fs::write(at("sig"), &sealed.signature).unwrap();
        std::fs::write(at("json"), &sealed.body).unwrap();
    }

    /// A web pod that has read everything and reaches no Kubernetes API.
    pub(crate) async fn pod(&self) -> Pod {
        self.pod_with(None).await
    }

    /// A web pod that has read everything.
    pub(crate) async fn pod_with(
        &self,
        kubernetes: Option<(SelfService, AppPasswordSecrets, NewMembers)>,
    ) -> Pod {
        let new_members = kubernetes.as_ref().map(|(.., members)| members.clone());
        let (self_service, app_passwords) =
            kubernetes.map(|(service, passwords, _)| (service, passwords)).unzip();
        let trust = Trust::new([self.operator.verifying_key().clone()]);
        let store = roster::Store::empty(self.cluster, trust);
        let credentials = CredentialStore::empty();
        let followers = [
            roster::source::directory::follow(store.clone(), self.roster.path().to_owned()),
            roster::credentials::directory::follow(credentials.clone(), self.credentials.path().to_owned()),
        ];
        let pace = Pace::every(Duration::from_millis(100));
        let disks = pace.view();
        let prober = tokio::spawn(probe(store.clone(), disks.clone(), pace));
        let app = App::new(Parts {
            cluster: self.cluster,
            roster: store.clone(),
            credentials: credentials.clone(),
            keys: self.keys.clone(),
            sign_in: SignIn { passwords: Passwords::new(2).unwrap(), attempts: Attempts::default().into() },
            oidc: Oidc::new(self.providers.path().to_owned()),
            new_members,
            disks,
            links: Links::default(),
            self_service,
            app_passwords,
            metrics: WebMetrics::register(&Metrics::new()).unwrap(),
        });
        let pod = Pod {
            internal: internal(app.clone()),
            router: router(app),
            store,
            credentials,
            _followers: followers,
            prober,
        };
        pod.knows(self).await;
        pod
    }

    /// The claims of a session of a member, as they are signed.
    pub(crate) fn claims(&self, name: &str) -> Value {
        let now = jiff::Timestamp::now();
        serde_json::json!({
            "cluster": self.cluster,
            "member": self.members[name].uid,
            "credential": self.verifiers[name].version(),
            "began": now,
            "expires": now + jiff::SignedDuration::from_hours(1),
        })
    }

    /// A member who is signed in, without the cost of a password.
    pub(crate) fn signed_in<'p>(&self, pod: &'p Pod, name: &str) -> Client<'p> {
        let token = api::keys::sign(&self.session, api::keys::purpose::SESSION, &self.claims(name)).unwrap();
        Client { pod, cookie: Some(format!("internet-disk-session={token}")) }
    }
}

impl Pod {
    /// Waits until this pod has read what was published last.
    pub(crate) async fn knows(&self, world: &World) {
        let wanted = RosterGeneration(world.generation);
        let read = async {
            let seen = || {
                self.store.current().generation() == wanted
                    && self.store.is_loaded()
                    && (0..SHARDS).all(|shard| self.credentials.generation(shard) == wanted)
            };
            while !seen() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("the roster was not read");
    }

    pub(crate) fn stranger(&self) -> Client<'_> {
        Client { pod: self, cookie: None }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        answer(&self.router, request).await
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
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The status, and the code of the problem when it is one.
    pub(crate) fn outcome(&self) -> (u16, String) {
        let problem = self.header("content-type") == "application/problem+json";
        let code =
            if problem { self.json()["code"].as_str().unwrap_or_default().to_owned() } else { String::new() };
        (self.status.as_u16(), code)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Somebody's browser.
pub(crate) struct Client<'p> {
    pub(crate) pod: &'p Pod,
    pub(crate) cookie: Option<String>,
}

impl<'p> Client<'p> {
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("x-requested-with", "internet-disk");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.pod.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// The same browser, at another web pod.
    pub(crate) fn at<'q>(&self, pod: &'q Pod) -> Client<'q> {
        Client { pod, cookie: self.cookie.clone() }
    }

    pub(crate) async fn sign_in(&self, member: &str, password: &str) -> Answer {
        let body = serde_json::json!({ "member": member, "password": password });
        self.send("POST", "/api/session", Some(body)).await
    }
}
