//! Of the replicas of the operator one works: the holder of a Lease. A holder that cannot renew it ends its process
//! before another may take it, so that two never work at once.

mod election;

use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::time::{Instant, sleep, timeout};

use crate::controller::chain;
use election::{Observed, Step, next};

/// The Lease, in the namespace of the operator.
pub const LEASE: &str = "internet-disk-operator";

/// Others may take the Lease when it was not renewed for so long.
pub(crate) const LASTS: Duration = Duration::from_secs(15);
/// It is renewed so often.
const RENEWED_EVERY: Duration = Duration::from_secs(2);
/// One attempt has so long: a connection that is dead without saying so must not take all the time there is.
const ATTEMPT: Duration = Duration::from_secs(4);
/// A holder that could not renew it for so long gives up. The rest of [`LASTS`] is for the process to end.
const GIVES_UP_AFTER: Duration = Duration::from_secs(11);

/// A claim to work, alone.
pub struct Leadership {
    leases: Api<Lease>,
    me: String,
}

impl Leadership {
    /// A candidate of this name.
    pub fn new(client: Client, namespace: &str, me: &str) -> Self {
        Self { leases: Api::namespaced(client, namespace), me: me.to_owned() }
    }

    /// Waits until this replica holds the Lease.
    pub async fn acquire(&self) {
        let mut observed = None;
        loop {
            match self.step(&mut observed).await {
                Ok(Step::Mine) => return,
                Ok(Step::Wait(pause)) => sleep(pause.min(RENEWED_EVERY)).await,
                Ok(Step::Create | Step::Write(_)) => {}
                Err(error) => {
                    tracing::warn!(%error, "The Lease of the leader cannot be asked for; trying again.");
                    sleep(RENEWED_EVERY).await;
                }
            }
        }
    }

    /// Renews the Lease as long as that is possible.
    ///
    /// # Errors
    /// Returns when the Lease is lost, and the process has to end.
    pub async fn keep(&self) -> anyhow::Error {
        let mut renewed = Instant::now();
        loop {
            sleep(RENEWED_EVERY).await;
            let began = Instant::now();
            let left = (renewed + GIVES_UP_AFTER).saturating_duration_since(began);
            let attempt = timeout(left.min(ATTEMPT), self.renew()).await;
            if let Ok(Ok(false)) = attempt {
                return anyhow::anyhow!("another replica holds the Lease now");
            }
            let reason = match attempt {
                Ok(Ok(_)) => {
                    // Others count from when it was written, which is no earlier.
                    renewed = began;
                    continue;
                }
                Ok(Err(error)) => chain(&error),
                Err(_) => "no answer in time".to_owned(),
            };
            if renewed.elapsed() >= GIVES_UP_AFTER {
                return anyhow::anyhow!("the Lease could not be renewed in time: {reason}");
            }
            tracing::warn!(reason, "The Lease of the leader could not be renewed; trying again.");
        }
    }

    /// Gives the Lease back, so that another replica need not wait.
    pub async fn release(&self) {
        let released = async {
            let mut lease = self.leases.get(LEASE).await?;
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() == Some(&self.me) {
                spec.holder_identity = None;
                self.leases.replace(LEASE, &PostParams::default(), &lease).await?;
            }
            Ok::<_, kube::Error>(())
        };
        if let Ok(Err(error)) = timeout(RENEWED_EVERY, released).await {
            tracing::info!(%error, "The Lease could not be given back; it will run out.");
        }
    }

    /// Whether it is still ours.
    async fn renew(&self) -> Result<bool, kube::Error> {
        let mut lease = self.leases.get(LEASE).await?;
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.me) {
            return Ok(false);
        }
        spec.renew_time = Some(now());
        // Somebody who wrote between makes this fail, and the next attempt tells who it was.
        self.leases.replace(LEASE, &PostParams::default(), &lease).await?;
        Ok(true)
    }

    async fn step(&self, observed: &mut Option<Observed>) -> anyhow::Result<Step> {
        let lease = self.leases.get_opt(LEASE).await.context("get")?;
        let step =
            next(lease.as_ref().and_then(|lease| lease.spec.as_ref()), &self.me, observed, Instant::now());
        let outcome = match &step {
            Step::Mine | Step::Wait(_) => return Ok(step),
            Step::Create => {
                let metadata = ObjectMeta { name: Some(LEASE.to_owned()), ..ObjectMeta::default() };
                let lease = Lease { metadata, spec: Some(self.claim(None)) };
                self.leases.create(&PostParams::default(), &lease).await
            }
            Step::Write(transitions) => {
                let mut lease = lease.unwrap_or_default();
                lease.spec = Some(self.claim(Some(*transitions)));
                self.leases.replace(LEASE, &PostParams::default(), &lease).await
            }
        };
        match outcome {
            Ok(_) => Ok(Step::Mine),
            // Another replica was faster.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Step::Wait(RENEWED_EVERY)),
            Err(error) => Err(error.into()),
        }
    }

    fn claim(&self, transitions: Option<i32>) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: i32::try_from(LASTS.as_secs()).ok(),
            acquire_time: Some(now()),
            renew_time: Some(now()),
            lease_transitions: transitions,
            ..LeaseSpec::default()
        }
    }
}

fn now() -> MicroTime {
    MicroTime(Timestamp::now())
}
