//! Members and Groups of a DiskCluster, all together: admission, limits, lending, roster, credentials, statuses.
//!
//! One object alone says little: what a group holds depends on all its members. So the keys of this controller are
//! DiskClusters, and each round looks at everything once, with a cost that grows with the number of Members and Groups
//! and no faster, and then writes only what differs.
//!
//! The key of a DiskCluster that is not there is one too: its Members and Groups are told so.

mod app_passwords;
mod assess;
pub(crate) mod coarse;
mod due;
mod farewell;
mod finalizers;
mod ledger;
mod newest;
mod round;
mod secrets;
mod statuses;
mod strays;
mod term;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::kubernetes::disk_cluster::operation::Reconciliation;
use api::kubernetes::{DiskCluster, Group, Member};

use crate::context::Context;
use crate::controller::{Controllers, Key, Next, Queue, Reconciler};
use crate::limits::LimitsClient;
use crate::members::passwords::Hashing;
use finalizers::is_held;
use ledger::Ledger;
pub(crate) use round::RoundError;
use secrets::SecretChanges;

/// Who this controller is among those who write fields.
pub(crate) const MANAGER: &str = "internetdisk-operator-accounts";

/// Changes of so long are looked at together.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// Adds the controller.
pub fn register(context: &Arc<Context>, controllers: &mut Controllers) {
    let queue = Queue::new();
    let secrets = Arc::new(SecretChanges::default());
    let later = |queue: &Queue| {
        let queue = queue.clone();
        move |key: Key| queue.push_after(key, DEBOUNCE)
    };
    let push = later(&queue);
    context.members.on_change(move |member| push(cluster_of_member(member)));
    let push = later(&queue);
    context.groups.on_change(move |group| push(cluster_of_group(group)));
    let push = later(&queue);
    context.disk_clusters.on_change(move |cluster| push(Key::of(cluster)));
    let push = later(&queue);
    context.prepared.on_change(move |key| push(key.clone()));
    let (push, changes) = (later(&queue), Arc::clone(&secrets));
    context.secrets.on_change(move |secret| changes.changed(secret).into_iter().for_each(&push));
    let accounts = Accounts {
        context: Arc::clone(context),
        queue: queue.clone(),
        ledgers: Mutex::default(),
        limits: LimitsClient::default(),
        hashing: Hashing::default(),
        secrets,
    };
    controllers.add(accounts, queue);
}

fn cluster_of_member(member: &Member) -> Key {
    Key::new(member.metadata.namespace.clone().unwrap_or_default(), member.spec.cluster_ref.name.clone())
}

fn cluster_of_group(group: &Group) -> Key {
    Key::new(group.metadata.namespace.clone().unwrap_or_default(), group.spec.cluster_ref.name.clone())
}

/// The controller.
struct Accounts {
    context: Arc<Context>,
    queue: Queue,
    ledgers: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<Option<Ledger>>>>>,
    limits: LimitsClient,
    hashing: Hashing,
    secrets: Arc<SecretChanges>,
}

/// The Members and Groups that name one DiskCluster.
struct Named {
    members: Vec<Arc<Member>>,
    groups: Vec<Arc<Group>>,
}

impl Reconciler for Accounts {
    const NAME: &'static str = "accounts";
    const AT_ONCE: usize = 4;
    type Error = RoundError;

    async fn reconcile(&self, key: &Key) -> Result<Next, RoundError> {
        let Self { context, .. } = self;
        // Who misses a member would take away from groups what that member gave.
        let complete = context.members.is_complete()
            && context.groups.is_complete()
            && context.disk_clusters.is_complete();
        if !complete {
            return Ok(Next::After(DEBOUNCE));
        }
        let named = self.named(key);
        match context.disk_clusters.get(key) {
            None => self.without(key, named, strays::Why::NotFound).await,
            // One that is being deleted goes on as long as it is held.
            Some(cluster) if cluster.metadata.deletion_timestamp.is_some() && !is_held(&*cluster) => {
                self.without(key, named, strays::Why::Deleting).await
            }
            Some(cluster) if cluster.spec.reconciliation == Reconciliation::Paused => Ok(Next::AtChange),
            Some(cluster) => Box::pin(self.with(key, &cluster, named)).await,
        }
    }
}

impl Accounts {
    fn named(&self, key: &Key) -> Named {
        let mut members = self.context.members.in_namespace(&key.namespace);
        members.retain(|member| member.spec.cluster_ref.name == key.name);
        let mut groups = self.context.groups.in_namespace(&key.namespace);
        groups.retain(|group| group.spec.cluster_ref.name == key.name);
        Named { members, groups }
    }

    async fn without(&self, key: &Key, named: Named, why: strays::Why) -> Result<Next, RoundError> {
        self.ledgers.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        self.secrets.forget(key);
        Ok(strays::tell(&self.context, key, named, why).await)
    }

    async fn with(&self, key: &Key, cluster: &DiskCluster, named: Named) -> Result<Next, RoundError> {
        let Some(prepared) = self.context.prepared.get(key) else {
            return Ok(strays::wait(&self.context, key, named).await);
        };
        let slot = {
            let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(ledgers.entry(key.clone()).or_default())
        };
        let mut slot = slot.lock().await;
        // Another DiskCluster of the name, or another key: what was known is of no use.
        if slot.as_ref().is_some_and(|ledger| !ledger.is_of(&prepared)) {
            *slot = None;
        }
        let ledger = match &mut *slot {
            Some(ledger) => ledger,
            None => {
                let ledger =
                    Ledger::load(&self.context.client, cluster, &prepared, self.hashing.clone()).await?;
                slot.insert(ledger)
            }
        };
        let round = round::Round {
            context: &self.context,
            queue: &self.queue,
            limits: &self.limits,
            secrets: &self.secrets,
            key,
            cluster,
            prepared: &prepared,
        };
        let outcome = round.go(ledger, named).await;
        if outcome.as_ref().is_err_and(RoundError::outdates) {
            // Somebody else wrote: read everything anew.
            *slot = None;
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
