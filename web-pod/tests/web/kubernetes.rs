//! A Kubernetes API that the tests play: Members and Groups, with versions and field managers, and refusals on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use internet_disk_web_pod::config::Watched;
use internet_disk_web_pod::{AppPasswordSecrets, NewMembers, SelfService};
use k8s_openapi::api::core::v1::Secret;
use roster::SHARDS;
use roster::credentials::AppPasswords;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

const SECRETS: &str = "/api/v1/namespaces/disk/";
const OBJECTS: &str = "/apis/internetdisk.dev/v1alpha1/namespaces/disk/";

/// A write that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
}

#[derive(Default)]
pub(crate) struct Api {
    pub(crate) objects: BTreeMap<String, Value>,
    pub(crate) written: Vec<Written>,
    /// So many writes find that somebody else was faster.
    pub(crate) conflicts: u32,
    /// What is answered to the next write.
    pub(crate) refusal: Option<Value>,
    version: u64,
}

/// A handle to it; clones speak of the same API.
#[derive(Clone)]
pub(crate) struct Kubernetes {
    api: Arc<Mutex<Api>>,
    url: String,
}

impl Kubernetes {
    /// An API that knows the members and groups of a world.
    pub(crate) async fn start(world: &World) -> Self {
        let mut api = Api::default();
        for member in world.members.values() {
            let allocations: Vec<Value> = member
                .allocations
                .iter()
                .map(|one| json!({ "group": one.group, "size": one.size.to_quantity() }))
                .collect();
            let spec = json!({ "clusterRef": { "name": "demo" }, "quota": member.quota.to_quantity(),
                "allocations": allocations });
            api.put(format!("members/{}", member.name), member.uid.0, spec);
        }
        for group in world.groups.values() {
            let members: Vec<Value> = group
                .participants
                .iter()
                .map(|one| json!({ "name": one.name, "role": one.role, "memberUID": one.member }))
                .collect();
            let spec = json!({ "clusterRef": { "name": "demo" }, "members": members });
            api.put(format!("groups/{}", group.name), group.uid.0, spec);
        }
        for shard in 0..SHARDS {
            let name = format!("demo-app-passwords-{shard}");
            let metadata = json!({ "name": name, "namespace": "disk", "resourceVersion": "0" });
            let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata });
            api.objects.insert(format!("secrets/{name}"), secret);
        }
        let api = Arc::new(Mutex::new(api));
        let router = Router::new().fallback(answer).with_state(api.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { api, url }
    }

    pub(crate) fn api(&self) -> MutexGuard<'_, Api> {
        self.api.lock().unwrap()
    }

    pub(crate) fn written(&self) -> Vec<Written> {
        self.api().written.clone()
    }

    pub(crate) fn object(&self, path: &str) -> Value {
        self.api().objects[path].clone()
    }

    /// What web pods have written, by shards.
    pub(crate) fn app_passwords(&self) -> BTreeMap<u8, AppPasswords> {
        let api = self.api();
        let mut shards = BTreeMap::new();
        for shard in 0..SHARDS {
            let Some(secret) = api.objects.get(&format!("secrets/demo-app-passwords-{shard}")) else {
                continue;
            };
            let secret: Secret = serde_json::from_value(secret.clone()).unwrap();
            let Some(body) = secret.data.unwrap_or_default().remove("app-passwords.json") else { continue };
            shards.insert(shard, serde_json::from_slice(&body.0).unwrap());
        }
        shards
    }

    pub(crate) fn self_service(&self) -> (SelfService, AppPasswordSecrets, NewMembers) {
        self_service(&self.url)
    }
}

/// Self-service through an API at this address.
pub(crate) fn self_service(url: &str) -> (SelfService, AppPasswordSecrets, NewMembers) {
    let config = kube::Config::new(url.parse().unwrap());
    let client = kube::Client::try_from(config).unwrap();
    let watched = Watched { namespace: "disk".to_owned(), cluster: "demo".to_owned() };
    let secrets = AppPasswordSecrets::new(client.clone(), &watched);
    let new_members = NewMembers::new(client.clone(), &watched);
    (SelfService::new(client, watched), secrets, new_members)
}

impl Api {
    fn put(&mut self, path: String, uid: Uuid, spec: Value) -> Value {
        self.version += 1;
        let (plural, name) = path.split_once('/').unwrap();
        let kind = if plural == "members" { "Member" } else { "Group" };
        let object = json!({
            "apiVersion": "internetdisk.dev/v1alpha1", "kind": kind,
            "metadata": { "name": name, "namespace": "disk", "uid": uid,
                "resourceVersion": self.version.to_string() },
            "spec": spec,
        });
        self.objects.insert(path, object.clone());
        object
    }

    fn handle(&mut self, method: &Method, uri: &Uri, applies: bool, body: Value) -> Result<Value, Value> {
        let path = uri.path().strip_prefix(OBJECTS).or_else(|| uri.path().strip_prefix(SECRETS));
        let path = path.unwrap_or("nowhere").to_owned();
        if method == Method::GET {
            return self.objects.get(&path).cloned().ok_or_else(|| status(404, "NotFound", "not found"));
        }
        self.written.push(Written {
            method: method.clone(),
            path: path.clone(),
            query: uri.query().unwrap_or_default().to_owned(),
            body: body.clone(),
        });
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        if method == Method::POST {
            let name = match body["metadata"]["generateName"].as_str() {
                Some(prefix) => format!("{prefix}x7k2p"),
                None => body["metadata"]["name"].as_str().unwrap().to_owned(),
            };
            let path = format!("{path}/{name}");
            if self.objects.contains_key(&path) {
                return Err(status(409, "AlreadyExists", "there is one of that name"));
            }
            return Ok(self.put(path, Uuid::new_v4(), body["spec"].clone()));
        }
        let mut object =
            self.objects.get(&path).cloned().ok_or_else(|| status(404, "NotFound", "not found"))?;
        if self.conflicts > 0 {
            self.conflicts -= 1;
            self.version += 1;
            object["metadata"]["resourceVersion"] = json!(self.version.to_string());
            self.objects.insert(path.clone(), object.clone());
        }
        let is_secret = path.starts_with("secrets/");
        for field in if is_secret { &["resourceVersion"][..] } else { &["uid", "resourceVersion"] } {
            let named = &body["metadata"][field];
            assert!(named.is_string(), "a write names the {field} it means: {body}");
            if *named != object["metadata"][field] {
                return Err(status(409, "Conflict", "the object has been modified"));
            }
        }
        if is_secret {
            for (entry, value) in body["data"].as_object().unwrap() {
                object["data"][entry] = value.clone();
            }
        }
        for (list, key) in [("allocations", "group"), ("members", "name")] {
            let Some(items) = body["spec"][list].as_array() else { continue };
            let live = object["spec"][list].as_array().cloned().unwrap_or_default();
            let mut new = items.clone();
            if applies {
                let kept = live.into_iter().filter(|one| !items.iter().any(|item| item[key] == one[key]));
                new.splice(0..0, kept);
            }
            object["spec"][list] = json!(new);
        }
        within_quota(&object)?;
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert(path, object.clone());
        Ok(object)
    }
}

/// The rule of the custom resource, with its words.
fn within_quota(object: &Value) -> Result<(), Value> {
    let bytes = |value: &Value| value.as_str().map_or(0, quantity);
    let Some(allocations) = object["spec"]["allocations"].as_array() else { return Ok(()) };
    let given: u64 = allocations.iter().map(|one| bytes(&one["size"])).sum();
    if given <= bytes(&object["spec"]["quota"]) {
        return Ok(());
    }
    let mut refusal = status(422, "Invalid", "Member is invalid");
    let words =
        "Invalid value: \"object\": the allocations add up to more than the quota: take something back";
    refusal["details"] = json!({ "causes": [{ "reason": "FieldValueInvalid", "message": words, "field": "spec.allocations" }] });
    Err(refusal)
}

pub(crate) fn quantity(text: &str) -> u64 {
    api::bytes::Bytes::parse_quantity(text).unwrap().0
}

/// A refusal as the API server writes it.
pub(crate) fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": message })
}

async fn answer(
    State(api): State<Arc<Mutex<Api>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let kind = headers.get("content-type").map_or("", |value| value.to_str().unwrap());
    let applies = kind == "application/apply-patch+yaml";
    match api.lock().unwrap().handle(&method, &uri, applies, body) {
        Ok(object) => axum::Json(object).into_response(),
        Err(status) => {
            let code = StatusCode::from_u16(u16::try_from(status["code"].as_u64().unwrap()).unwrap());
            (code.unwrap(), axum::Json(status)).into_response()
        }
    }
}
