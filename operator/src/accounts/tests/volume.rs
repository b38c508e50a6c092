//! A shared volume in miniature, and disk pods before it on real sockets: they believe the operator alone, and keep
//! limits as the engine does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::bytes::Bytes as Amount;
use api::generation::{Generation, RosterGeneration};
use api::ids::{ClusterUid, SpaceId};
use api::keys::{self, Trust, purpose};
use api::limits::{LimitOutcome, LimitResult, LimitWanted, LimitsAnswer, LimitsClaims, LimitsRequest};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use tokio::net::TcpListener;

use crate::prepared::DiskPod;

/// Clones share it.
#[derive(Clone)]
pub(super) struct Volume {
    cluster: ClusterUid,
    trust: Trust,
    spaces: Arc<Mutex<BTreeMap<SpaceId, Space>>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Space {
    pub(super) limit: u64,
    pub(super) used: u64,
    pub(super) seen: u64,
    pub(super) commits: usize,
}

impl Volume {
    pub(super) fn new(cluster: ClusterUid, trust: Trust) -> Self {
        Self { cluster, trust, spaces: Arc::default() }
    }

    pub(super) fn spaces(&self) -> MutexGuard<'_, BTreeMap<SpaceId, Space>> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A disk pod that answers.
    pub(super) async fn pod(&self, name: &str) -> DiskPod {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let internal = listener.local_addr().unwrap().to_string();
        let router = Router::new()
            .route("/v1/limits", post(commit))
            .layer(DefaultBodyLimit::max(1 << 20))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        DiskPod { name: name.parse().unwrap(), internal, ready: true }
    }

    /// One that is said to be ready, and is not there.
    pub(super) async fn dead_pod(&self, name: &str) -> DiskPod {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let internal = listener.local_addr().unwrap().to_string();
        DiskPod { name: name.parse().unwrap(), internal, ready: true }
    }

    fn commit(&self, generation: RosterGeneration, wanted: &LimitWanted) -> LimitOutcome {
        let mut spaces = self.spaces();
        let space = spaces.entry(wanted.space).or_default();
        if generation.0 <= space.seen {
            return LimitOutcome::Superseded { roster_generation: RosterGeneration(space.seen) };
        }
        space.seen = generation.0;
        space.commits += 1;
        space.limit = space.used.clamp(wanted.target.0, wanted.ceiling.0);
        LimitOutcome::Committed {
            limit: Amount(space.limit),
            used: Amount(space.used),
            reserved: Amount::ZERO,
            generation: Generation(1),
        }
    }
}

async fn commit(
    State(volume): State<Volume>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<LimitsAnswer>, StatusCode> {
    let token = headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let claims: LimitsClaims =
        keys::verify(token, purpose::LIMITS, &volume.trust).map_err(|_| StatusCode::UNAUTHORIZED)?;
    if claims.cluster != volume.cluster || claims.body != roster::digest(&body) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let request: LimitsRequest = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let results = request.limits.iter().map(|wanted| LimitResult {
        space: wanted.space,
        outcome: volume.commit(request.roster_generation, wanted),
    });
    Ok(Json(LimitsAnswer { results: results.collect() }))
}
