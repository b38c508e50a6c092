//! Disk pods that the tests play, as far as a prober sees them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::bytes::Bytes as Amount;
use api::call;
use api::ids::ClusterUid;
use api::keys::{Trust, VerifyingKey, purpose};
use api::link::{LinkFound, LinkQuestion};
use api::load::{Latency, LoadReport, VolumeHealth};
use api::problem::ProblemCode;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use roster::DiskPodAddress;
use serve::problem::Refusal;
use serve::{Endpoint, Limits, Metrics, Shutdown};

/// What is said of the links, and what was asked.
#[derive(Clone, Default)]
pub(crate) struct Links {
    pub(crate) found: Arc<Mutex<Option<LinkFound>>>,
    pub(crate) asked: Arc<Mutex<Vec<LinkQuestion>>>,
    /// Whoever asks must have signed with this.
    pub(crate) web: Arc<Mutex<Option<(ClusterUid, VerifyingKey)>>>,
}

#[derive(Clone)]
pub(crate) struct DiskPod {
    pub(crate) address: DiskPodAddress,
    pub(crate) report: Arc<Mutex<Option<LoadReport>>>,
    pub(crate) links: Links,
    shutdown: Shutdown,
}

impl DiskPod {
    pub(crate) async fn start(number: u8) -> Self {
        let name = format!("demo-disk-{number}");
        let report = LoadReport {
            pod: name.parse().unwrap(),
            version: "0.1.0".to_owned(),
            started: Timestamp::now() - SignedDuration::from_hours(1),
            draining: false,
            in_flight: 0,
            bytes_in_flight: 0,
            capacity_hint: 100,
            latency: Latency { metadata_us: None, small_us: Some(1000), bulk_us: None },
            volumes: vec![VolumeHealth {
                name: "main".parse().unwrap(),
                canary_age_ms: Some(100),
                free: Amount(1 << 40),
            }],
            spaces_loaded: 0,
        };
        let report = Arc::new(Mutex::new(Some(report)));
        let links = Links::default();
        let told = Router::new().route("/v1/links", post(link)).with_state(links.clone());
        let router = Router::new().route("/v1/load", get(load)).with_state(report.clone()).merge(told);
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let endpoint = Endpoint::bind("internal", anywhere, router, Limits::default()).await.unwrap();
        let internal = endpoint.address().unwrap().to_string();
        let shutdown = Shutdown::new();
        let ending = shutdown.clone();
        tokio::spawn(async move {
            let grace = Duration::from_secs(60);
            serve::serve_until_drained(vec![endpoint], &Metrics::new(), grace, &ending).await;
        });
        let url = format!("http://{number}.files.localhost:8080");
        Self {
            address: DiskPodAddress { name: name.parse().unwrap(), url, internal },
            report,
            links,
            shutdown,
        }
    }

    /// As SIGKILL does: nobody listens any more, and connections are cut.
    pub(crate) fn kill(&self) {
        self.shutdown.stop();
    }

    /// As SIGSTOP does: connections stay, and nothing is answered.
    pub(crate) fn hush(&self) {
        *self.report.lock().unwrap() = None;
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut LoadReport)) {
        change(self.report.lock().unwrap().as_mut().unwrap());
    }
}

async fn link(
    State(links): State<Links>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<LinkFound>, Refusal> {
    let (cluster, key) = links.web.lock().unwrap().clone().unwrap();
    let token = headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    call::check(token, purpose::LINK, &Trust::new([key]), cluster, &body).unwrap();
    let question: LinkQuestion = serde_json::from_slice(&body).unwrap();
    let used = question.use_it.is_some();
    links.asked.lock().unwrap().push(question);
    let found = links.found.lock().unwrap().clone();
    let found = found.ok_or_else(|| Refusal::new(ProblemCode::NotFound, "gone"))?;
    if used && found.uses_left == Some(0) {
        return Err(Refusal::new(ProblemCode::Forbidden, "used up"));
    }
    Ok(Json(found))
}

async fn load(State(report): State<Arc<Mutex<Option<LoadReport>>>>) -> Json<LoadReport> {
    let told = report.lock().unwrap().clone();
    match told {
        Some(report) => Json(report),
        None => std::future::pending().await,
    }
}
