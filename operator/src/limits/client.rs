//! One request for limits to one disk pod.

use std::time::Duration;

use api::generation::RosterGeneration;
use api::keys::{self, KeyError, purpose};
use api::limits::{LimitOutcome, LimitWanted, LimitsAnswer, LimitsClaims, LimitsRequest};
use jiff::{SignedDuration, Timestamp};
use serve::client::{Client, ClientError};

use crate::lending::LimitStep;
use crate::prepared::{DiskPod, Prepared};

const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// A batch is some hundred commits; a pod whose volume hangs must not keep us from the next one for long.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const TOKEN_LASTS: SignedDuration = SignedDuration::from_mins(1);

/// Asks disk pods to commit limits; clones share the connections.
#[derive(Clone, Debug)]
pub struct LimitsClient {
    http: Client,
}

/// Why a request brought no answer. It may have been done or not.
#[derive(Debug, thiserror::Error)]
pub enum LimitsError {
    /// It could not be signed.
    #[error("the request could not be signed: {0}")]
    Signing(#[from] KeyError),
    /// It could not be written.
    #[error("the request could not be written: {0}")]
    Json(#[from] serde_json::Error),
    /// The pod did not answer as it should.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The answer is about something else.
    #[error("{pod} did not answer for every space it was asked about")]
    Incomplete {
        /// Which pod.
        pod: api::ids::PodName,
    },
}

impl Default for LimitsClient {
    fn default() -> Self {
        Self { http: Client::new(CONNECT_WITHIN) }
    }
}

impl LimitsClient {
    /// Asks a pod to commit limits, and says what became of each, in the same order.
    ///
    /// # Errors
    /// When that is not known.
    pub async fn commit(
        &self,
        cluster: &Prepared,
        pod: &DiskPod,
        generation: RosterGeneration,
        steps: &[LimitStep],
    ) -> Result<Vec<LimitOutcome>, LimitsError> {
        let wanted = steps.iter().map(|step| LimitWanted {
            space: step.space,
            volume: step.volume.clone(),
            target: step.target,
            ceiling: step.ceiling,
        });
        let request =
            LimitsRequest { cluster: cluster.uid, roster_generation: generation, limits: wanted.collect() };
        let body = serde_json::to_vec(&request)?;
        let claims = LimitsClaims {
            cluster: cluster.uid,
            expires: Timestamp::now() + TOKEN_LASTS,
            body: roster::digest(&body),
        };
        let token = keys::sign(&cluster.operator_key, purpose::LIMITS, &claims)?;
        let url = format!("http://{}/v1/limits", pod.internal);
        let LimitsAnswer { results } =
            self.http.post_json(&url, Some(&token), body.into(), ANSWER_WITHIN).await?;
        let complete = results.len() == steps.len()
            && results.iter().zip(steps).all(|(result, step)| result.space == step.space);
        if !complete {
            return Err(LimitsError::Incomplete { pod: pod.name.clone() });
        }
        Ok(results.into_iter().map(|result| result.outcome).collect())
    }
}
