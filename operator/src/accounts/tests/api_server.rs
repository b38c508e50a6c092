//! An API server in miniature: what rounds read and write, with versions, preconditions and finalizers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use kube::Client;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

const NAMESPACE: &str = "disk";

/// Clones share it.
#[derive(Clone, Default)]
pub(super) struct ApiServer {
    state: Arc<Mutex<Content>>,
}

#[derive(Default)]
pub(super) struct Content {
    /// By plural and name.
    objects: BTreeMap<(String, String), Value>,
    version: u64,
    /// Writes by plural, statuses apart.
    pub(super) writes: BTreeMap<String, usize>,
    pub(super) events: Vec<Value>,
    /// So many status writes are done and not answered.
    pub(super) lose_answers: usize,
    /// So many status writes are neither.
    pub(super) lose_requests: usize,
}

impl ApiServer {
    pub(super) fn lock(&self) -> MutexGuard<'_, Content> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn client(&self) -> Client {
        let router = Router::new().fallback(any(answer)).with_state(self.clone());
        Client::new(router, NAMESPACE)
    }

    /// Creates or changes the spec of an object, as people do.
    pub(super) fn put(&self, plural: &str, name: &str, kind: &str, spec: Value) {
        let mut content = self.lock();
        content.version += 1;
        let version = content.version;
        let object = content.objects.entry((plural.to_owned(), name.to_owned())).or_insert_with(|| {
            json!({
                "apiVersion": "internetdisk.dev/v1alpha1", "kind": kind,
                "metadata": {
                    "name": name, "namespace": NAMESPACE, "uid": uid_of(name), "generation": 0,
                    "creationTimestamp": "2026-01-01T00:00:00Z",
                },
                "status": { "conditions": [{
                    "type": "Ready", "status": "Unknown", "reason": "Pending", "message": "Waiting",
                    "lastTransitionTime": "1970-01-01T00:00:00Z",
                }] },
            })
        });
        object["spec"] = spec;
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        let generation = object["metadata"]["generation"].as_u64().unwrap_or(0) + 1;
        object["metadata"]["generation"] = json!(generation);
    }

    pub(super) fn put_secret(&self, name: &str, password: &str) {
        use k8s_openapi::ByteString;
        let mut content = self.lock();
        content.version += 1;
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": name, "namespace": NAMESPACE, "uid": uid_of(name), "resourceVersion": content.version.to_string() },
            "data": { "password": serde_json::to_value(ByteString(password.as_bytes().to_vec())).unwrap() },
        });
        content.objects.insert(("secrets".to_owned(), name.to_owned()), secret);
    }

    /// As web pods write app passwords.
    pub(super) fn put_app_passwords(&self, name: &str, body: &Value) {
        use k8s_openapi::ByteString;
        let mut content = self.lock();
        content.version += 1;
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": name, "namespace": NAMESPACE, "uid": uid_of(name), "resourceVersion": content.version.to_string() },
            "data": { "app-passwords.json": serde_json::to_value(ByteString(body.to_string().into_bytes())).unwrap() },
        });
        content.objects.insert(("secrets".to_owned(), name.to_owned()), secret);
    }

    /// As `kubectl delete` does.
    pub(super) fn delete(&self, plural: &str, name: &str, confirmed: bool) {
        let mut content = self.lock();
        content.version += 1;
        let version = content.version;
        let key = (plural.to_owned(), name.to_owned());
        let object = content.objects.get_mut(&key).unwrap();
        object["metadata"]["deletionTimestamp"] = json!("2026-01-02T00:00:00Z");
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        if confirmed {
            object["metadata"]["annotations"] = json!({ "internetdisk.dev/confirm-deletion": name });
        }
    }

    pub(super) fn all<K: DeserializeOwned>(&self, plural: &str) -> Vec<Arc<K>> {
        let content = self.lock();
        let those = content.objects.iter().filter(|((of, _), _)| of == plural);
        those.map(|(_, object)| Arc::new(serde_json::from_value(object.clone()).unwrap())).collect()
    }

    pub(super) fn get(&self, plural: &str, name: &str) -> Option<Value> {
        self.lock().objects.get(&(plural.to_owned(), name.to_owned())).cloned()
    }
}

/// The same for the same name, so that snapshots are.
pub(super) fn uid_of(name: &str) -> String {
    let digest = roster::digest(name.as_bytes());
    let number = u128::from_str_radix(&digest[..32], 16).unwrap();
    Uuid::from_u128(number).to_string()
}

async fn answer(State(server): State<ApiServer>, method: Method, uri: Uri, body: Bytes) -> Response {
    let parts: Vec<&str> = uri.path().split('/').skip_while(|part| *part != NAMESPACE).skip(1).collect();
    let answer = match (&method, parts.as_slice()) {
        (&Method::GET, [plural, name]) => server.get(plural, name).ok_or(StatusCode::NOT_FOUND),
        (&Method::POST, ["events"]) => {
            let event: Value = serde_json::from_slice(&body).unwrap();
            server.lock().events.push(event.clone());
            Ok(event)
        }
        (&Method::PATCH, ["events", _]) => Ok(serde_json::from_slice(&body).unwrap()),
        (&Method::PATCH, [plural, name]) => {
            let wanted: Value = serde_json::from_slice(&body).unwrap();
            server.lock().apply(plural, name, &wanted)
        }
        (&Method::PATCH, [plural, name, "status"]) => {
            let wanted: Value = serde_json::from_slice(&body).unwrap();
            let mut content = server.lock();
            if content.lose_requests > 0 {
                content.lose_requests -= 1;
                return lost();
            }
            let written = content.apply_status(plural, name, &wanted);
            if content.lose_answers > 0 {
                content.lose_answers -= 1;
                return lost();
            }
            written
        }
        _ => panic!("{method} {uri}"),
    };
    match answer {
        Ok(object) => Response::new(Body::from(object.to_string())),
        Err(code) => {
            let reason = if code == StatusCode::NOT_FOUND { "NotFound" } else { "Conflict" };
            let status = json!({
                "kind": "Status", "status": "Failure", "code": code.as_u16(), "message": "", "reason": reason,
            });
            (code, status.to_string()).into_response()
        }
    }
}

/// A connection that breaks off in the middle of the answer.
fn lost() -> Response {
    let broken = futures::stream::iter([
        Ok::<_, std::io::Error>(Bytes::from("{")),
        Err(std::io::ErrorKind::BrokenPipe.into()),
    ]);
    Response::new(Body::from_stream(broken))
}

impl Content {
    fn check(&self, object: &Value, wanted: &Value) -> Result<(), StatusCode> {
        for field in ["uid", "resourceVersion"] {
            let (is, wants) = (&object["metadata"][field], &wanted["metadata"][field]);
            if !wants.is_null() && is != wants {
                return Err(StatusCode::CONFLICT);
            }
        }
        Ok(())
    }

    fn apply(&mut self, plural: &str, name: &str, wanted: &Value) -> Result<Value, StatusCode> {
        let key = (plural.to_owned(), name.to_owned());
        self.version += 1;
        let version = self.version.to_string();
        let own = matches!(plural, "members" | "groups");
        let Some(mut object) = self.objects.get(&key).cloned() else {
            if own || !wanted["metadata"]["uid"].is_null() || !wanted["metadata"]["resourceVersion"].is_null()
            {
                return Err(StatusCode::CONFLICT);
            }
            let mut made = wanted.clone();
            made["metadata"]["resourceVersion"] = json!(version);
            self.count(plural);
            self.objects.insert(key, made.clone());
            return Ok(made);
        };
        self.check(&object, wanted)?;
        self.count(plural);
        if own {
            let finalizers = wanted["metadata"]["finalizers"].clone();
            let finalizers = if finalizers.is_null() { json!([]) } else { finalizers };
            object["metadata"]["finalizers"] = finalizers.clone();
            object["metadata"]["resourceVersion"] = json!(version);
            if finalizers == json!([]) && !object["metadata"]["deletionTimestamp"].is_null() {
                self.objects.remove(&key);
                return Ok(object);
            }
        } else {
            object = wanted.clone();
            object["metadata"]["resourceVersion"] = json!(version);
        }
        self.objects.insert(key, object.clone());
        Ok(object)
    }

    fn apply_status(&mut self, plural: &str, name: &str, wanted: &Value) -> Result<Value, StatusCode> {
        let key = (plural.to_owned(), name.to_owned());
        let Some(mut object) = self.objects.get(&key).cloned() else { return Err(StatusCode::NOT_FOUND) };
        self.check(&object, wanted)?;
        self.count(&format!("{plural}/status"));
        if object["status"] != wanted["status"] {
            self.version += 1;
            object["status"] = wanted["status"].clone();
            object["metadata"]["resourceVersion"] = json!(self.version.to_string());
            self.objects.insert(key, object.clone());
        }
        Ok(object)
    }

    fn count(&mut self, what: &str) {
        *self.writes.entry(what.to_owned()).or_default() += 1;
    }
}
