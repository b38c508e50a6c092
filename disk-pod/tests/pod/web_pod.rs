//! A web pod that says of passwords what a test tells it to.

use std::sync::{Arc, Mutex};

use api::call;
use api::credential_check::{
    CheckOutcome, Checked, CredentialAnswer, CredentialCheck, CredentialKind, Right,
};
use api::ids::ClusterUid;
use api::keys::{self, SigningKey, Trust, purpose};
use api::ticket::Access;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};

use crate::world::{World, copy};

type Say = Box<dyn Fn(&CredentialCheck) -> CheckOutcome + Send>;

/// Answers on a port of its own until it is dropped.
pub(crate) struct WebPod {
    state: Arc<Told>,
    serving: tokio::task::JoinHandle<()>,
}

struct Told {
    cluster: ClusterUid,
    disk_pods: Trust,
    ticket: Mutex<SigningKey>,
    say: Mutex<Say>,
    asked: Mutex<Vec<CredentialCheck>>,
    /// Changes an answer before it is signed.
    bend: Mutex<Option<fn(&mut Checked)>>,
}

impl Drop for WebPod {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl WebPod {
    /// Knows that `secret` is the password of each member; the roster leads to it once it is published.
    pub(crate) async fn start(world: &mut World) -> Self {
        let members = world.members.clone();
        let say = move |question: &CredentialCheck| match members.get(question.name.as_str()) {
            Some(member) if question.password == "secret" => CheckOutcome::Right(Right {
                member: member.uid,
                kind: CredentialKind::Password,
                access: Access::ReadWrite,
                scope: None,
                remember_seconds: 60,
            }),
            _ => CheckOutcome::Wrong,
        };
        let state = Arc::new(Told {
            cluster: world.cluster,
            disk_pods: Trust::new([world.disk.verifying_key().clone()]),
            ticket: Mutex::new(copy(&world.tickets)),
            say: Mutex::new(Box::new(say)),
            asked: Mutex::default(),
            bend: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        world.settings.web_internal = Some(listener.local_addr().unwrap().to_string());
        world.publish();
        let router = Router::new().route("/v1/credentials", post(check)).with_state(Arc::clone(&state));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { state, serving }
    }

    /// How many questions came.
    pub(crate) fn asked(&self) -> usize {
        self.state.asked.lock().unwrap().len()
    }

    /// The last question.
    pub(crate) fn last(&self) -> CredentialCheck {
        self.state.asked.lock().unwrap().last().cloned().unwrap()
    }

    /// Answers otherwise from now on.
    pub(crate) fn says(&self, say: impl Fn(&CredentialCheck) -> CheckOutcome + Send + 'static) {
        *self.state.say.lock().unwrap() = Box::new(say);
    }

    /// Signs with another key from now on.
    pub(crate) fn signs_with(&self, key: &SigningKey) {
        *self.state.ticket.lock().unwrap() = copy(key);
    }

    /// Changes answers before they are signed.
    pub(crate) fn bends(&self, bend: Option<fn(&mut Checked)>) {
        *self.state.bend.lock().unwrap() = bend;
    }
}

async fn check(
    State(told): State<Arc<Told>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<CredentialAnswer>, StatusCode> {
    let token = headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    call::check(token, purpose::CREDENTIAL_CHECK, &told.disk_pods, told.cluster, &body)
        .map_err(|_| StatusCode::UNAUTHORIZED)?;
    let question: CredentialCheck = serde_json::from_slice(&body).unwrap();
    let outcome = (told.say.lock().unwrap())(&question);
    let mut checked =
        Checked { cluster: told.cluster, nonce: question.nonce, generation: question.at_least, outcome };
    told.asked.lock().unwrap().push(question);
    if let Some(bend) = *told.bend.lock().unwrap() {
        bend(&mut checked);
    }
    let token = keys::sign(&told.ticket.lock().unwrap(), purpose::CREDENTIAL_ANSWER, &checked).unwrap();
    Ok(Json(CredentialAnswer { token }))
}
