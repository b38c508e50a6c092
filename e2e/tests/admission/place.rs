//! A namespace for the table, with a few objects that patches are tried on, and accounts with chosen rights.

use std::time::Duration;

use http::Method;
use internet_disk_e2e::people::fresh_name;
use internet_disk_e2e::settings::Settings;
use internet_disk_e2e::wait;
use kube::{Client, Config};
use serde_json::{Value, json};

use super::Act;

const GROUP: &str = "/apis/internetdisk.dev/v1alpha1";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Place {
    pub(crate) settings: Settings,
    pub(crate) namespace: String,
    /// With the rights of the kubeconfig.
    pub(crate) client: Client,
}

impl Place {
    /// With nothing in it.
    pub(crate) async fn empty() -> Self {
        let settings = Settings::read().unwrap();
        let client = client(&settings, None).await;
        let place = Self { settings, namespace: fresh_name("admission"), client };
        let namespace =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": place.namespace } });
        place.post("/api/v1/namespaces", &namespace).await;
        place
    }

    /// With objects to change. The DiskClusters are paused: no pods are made for them.
    pub(crate) async fn make() -> Self {
        let place = Self::empty().await;
        for (plural, name, spec) in [
            ("diskclusters", "team", team()),
            ("diskclusters", "still", still()),
            ("diskclusters", "closed", closed()),
            (
                "members",
                "alice",
                json!({
                    "clusterRef": { "name": "team" }, "quota": "10Gi",
                    "allocations": [{ "group": "design", "size": "2Gi" }, { "group": "none", "size": "0" }],
                }),
            ),
            (
                "members",
                "bob",
                json!({ "clusterRef": { "name": "team" }, "quota": "10Gi", "state": "Suspended" }),
            ),
            (
                "members",
                "carol",
                json!({
                    "clusterRef": { "name": "still" }, "quota": "10Gi", "deletionPolicy": "Delete", "spaceID": SPACE,
                }),
            ),
            (
                "members",
                "erin",
                json!({ "clusterRef": { "name": "team" }, "quota": "1Gi", "state": "Pending" }),
            ),
            (
                "groups",
                "design",
                json!({
                    "clusterRef": { "name": "team" }, "spaceID": SPACE, "joining": { "policy": "OnRequest" },
                    "members": [{ "name": "alice", "role": "Owner" }, { "name": "bob" }],
                }),
            ),
            (
                "groups",
                "archive",
                json!({
                    "clusterRef": { "name": "team" }, "deletionPolicy": "Delete",
                    "members": [{ "name": "alice", "role": "Owner" }],
                }),
            ),
        ] {
            let object = object(plural, &json!({ "name": name }), &spec);
            place.post(&place.collection(plural), &object).await;
        }
        place
    }

    fn collection(&self, plural: &str) -> String {
        format!("{GROUP}/namespaces/{}/{plural}", self.namespace)
    }

    async fn post(&self, path: &str, body: &Value) {
        send(&self.client, Method::POST, path, "", body).await.unwrap();
    }

    /// Whether the API server would take it, with everything it has to say else.
    pub(crate) async fn dry_run(&self, client: &Client, act: &Act) -> Result<(), String> {
        const QUERY: &str = "?dryRun=All&fieldValidation=Strict";
        match act {
            Act::Create { plural, metadata, spec } => {
                let object = object(plural, metadata, spec);
                send(client, Method::POST, &self.collection(plural), QUERY, &object).await
            }
            Act::Merge { path, patch } => {
                send(client, Method::PATCH, &self.collection(path), QUERY, patch).await
            }
            Act::Delete { path } => {
                // Where there is a body, the query does not count.
                let options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"] });
                send(client, Method::DELETE, &self.collection(path), "", &options).await
            }
        }
        .map(|_| ())
    }

    /// Server-side apply, for good.
    pub(crate) async fn apply(&self, manager: &str, path: &str, object: &Value) -> Result<Value, String> {
        let path = format!("{}?fieldManager={manager}", self.collection(path));
        let request = http::Request::builder()
            .method(Method::PATCH)
            .uri(path)
            .header("Content-Type", "application/apply-patch+yaml")
            .body(serde_json::to_vec(object).unwrap())
            .unwrap();
        answer(self.client.request(request).await)
    }

    /// Writes a status as the operator would; what is not said in it stays.
    pub(crate) async fn set_status(&self, path: &str, status: Value) {
        let path = format!("{}/status", self.collection(path));
        send(&self.client, Method::PATCH, &path, "", &json!({ "status": status })).await.unwrap();
    }

    /// Changes a spec for good.
    pub(crate) async fn change(&self, path: &str, spec: Value) {
        let path = self.collection(path);
        send(&self.client, Method::PATCH, &path, "", &json!({ "spec": spec })).await.unwrap();
    }

    pub(crate) async fn confirm_deletion(&self, path: &str, name: &str) {
        let patch = json!({ "metadata": { "annotations": { "internetdisk.dev/confirm-deletion": name } } });
        send(&self.client, Method::PATCH, &self.collection(path), "", &patch).await.unwrap();
    }

    /// A ServiceAccount with these rights and no others, once the API server knows of them.
    pub(crate) async fn account(&self, name: &str, rights: Vec<Value>) -> Client {
        let namespace = &self.namespace;
        let user = format!("system:serviceaccount:{namespace}:{name}");
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": { "name": name }, "rules": rights,
        });
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": { "name": name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": namespace }],
        });
        self.post(&format!("{RBAC}/namespaces/{namespace}/roles"), &role).await;
        self.post(&format!("{RBAC}/namespaces/{namespace}/rolebindings"), &binding).await;
        let client = client(&self.settings, Some(user)).await;
        let first = &rights[0];
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "namespace": namespace, "group": first["apiGroups"][0], "resource": first["resources"][0],
                "verb": first["verbs"][0],
            } },
        });
        wait::until("the account has its rights", PATIENCE, async || {
            const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
            let review =
                send(&client, Method::POST, REVIEWS, "", &review).await.map_err(anyhow::Error::msg)?;
            Ok((review["status"]["allowed"] == true).then_some(()))
        })
        .await
        .unwrap();
        client
    }

    /// Nothing of it is to stay, also where a finalizer waits for a DiskCluster that is paused.
    pub(crate) async fn remove(self) {
        for plural in ["members", "groups", "diskclusters"] {
            let path = self.collection(plural);
            let list = send(&self.client, Method::GET, &path, "", &Value::Null).await.unwrap();
            for object in list["items"].as_array().unwrap() {
                let name = object["metadata"]["name"].as_str().unwrap();
                let path = format!("{plural}/{name}");
                self.confirm_deletion(&path, name).await;
                send(&self.client, Method::DELETE, &self.collection(&path), "", &json!({})).await.unwrap();
                let free = json!({ "metadata": { "finalizers": null } });
                // It may be gone already.
                let _ = send(&self.client, Method::PATCH, &self.collection(&path), "", &free).await;
            }
        }
        let path = format!("/api/v1/namespaces/{}", self.namespace);
        send(&self.client, Method::DELETE, &path, "", &json!({})).await.unwrap();
    }
}

/// A space that is on some volume.
pub(crate) const SPACE: &str = "76eef131-e3b7-43aa-9b26-2d6371565f7f";

fn team() -> Value {
    json!({
        "reconciliation": "Paused",
        "volumes": [
            { "name": "main", "template": { "size": "10Gi", "storageClassName": "fast" } },
            { "name": "old", "existingClaim": { "name": "nas-2019" }, "state": "Draining" },
        ],
        "adoptClusterUID": SPACE,
        "signIn": {
            "registration": { "mode": "Approval", "emailDomains": ["example.org"] },
            "newMembers": { "quota": "1Gi", "maximum": 10 },
            "oidc": [
                { "name": "corp", "issuerURL": "https://id.example.org", "clientID": "disk", "newMembers": "Create" },
                { "name": "guests", "issuerURL": "https://guests.example.org", "clientID": "disk" },
            ],
        },
        "policies": { "groups": { "joinPolicies": ["OnRequest", "InviteOnly"] } },
    })
}

fn still() -> Value {
    json!({
        "reconciliation": "Paused",
        "volumes": [{ "name": "main", "template": { "size": "10Gi" } }],
        "disk": { "autoscaling": { "maxReplicas": 9 } },
    })
}

fn closed() -> Value {
    json!({
        "reconciliation": "Paused",
        "volumes": [{ "name": "main", "template": { "size": "10Gi" } }],
        "policies": { "groups": { "creation": "Administrators" } },
    })
}

fn object(plural: &str, metadata: &Value, spec: &Value) -> Value {
    let kind = match plural {
        "members" => "Member",
        "groups" => "Group",
        _ => "DiskCluster",
    };
    json!({ "apiVersion": "internetdisk.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec })
}

async fn client(settings: &Settings, user: Option<String>) -> Client {
    let kubeconfig = kube::config::Kubeconfig::read_from(&settings.kubeconfig).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
    config.auth_info.impersonate_groups =
        user.as_ref().map(|_| ["system:serviceaccounts", "system:authenticated"].map(str::to_owned).to_vec());
    config.auth_info.impersonate = user;
    Client::try_from(config).unwrap()
}

async fn send(
    client: &Client,
    method: Method,
    path: &str,
    query: &str,
    body: &Value,
) -> Result<Value, String> {
    let kind = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let request = http::Request::builder()
        .method(method)
        .uri(format!("{path}{query}"))
        .header("Content-Type", kind)
        .body(body)
        .unwrap();
    answer(client.request(request).await)
}

fn answer(answer: Result<Value, kube::Error>) -> Result<Value, String> {
    answer.map_err(|error| match error {
        kube::Error::Api(status) => status.message,
        other => panic!("the API server does not answer: {other}"),
    })
}
