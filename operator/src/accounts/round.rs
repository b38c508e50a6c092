//! One look at everything: hold, assess, commit limits, publish, write statuses, let go.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::ids::{GroupUid, MemberUid, SpaceId, VolumeName};
use api::kubernetes::condition::{ConditionType, Finding, Reason};
use api::kubernetes::disk_cluster::volume::VolumeState;
use api::kubernetes::names::Names;
use api::kubernetes::{DiskCluster, Group, Member};
use jiff::Timestamp;
use kube::{Api, Resource};
use roster::{GroupEntry, Head, MemberEntry};

use super::app_passwords::AppPasswordShelf;
use super::assess::{Assessment, Objects, assess};
use super::due::{REFRESHED_EVERY, books_spaces, due, unsettled};
use super::farewell::farewell;
use super::ledger::Ledger;
use super::secrets::SecretChanges;
use super::statuses::{Moving, StatusWrite, write_all};
use super::strays::saying;
use super::term::Superseded;
use super::write::Rest;
use super::{DEBOUNCE, Named, finalizers};
use crate::context::Context;
use crate::controller::{Key, Next, Queue};
use crate::groups::status::{GroupFacts, status as group_status};
use crate::lending::{LimitStep, Plan, Purpose, plan};
use crate::limits::{LimitsClient, commit};
use crate::members::passwords::SecretKey;
use crate::members::status::{Credential, MemberFacts, status as member_status};
use crate::members::{MemberAccount, Presence};
use crate::prepared::Prepared;
use crate::roster_publication::{PublishError, Wanted};

/// So many limits are committed in one round; then everything is looked at again, so that whoever changes something
/// does not wait for thousands of others.
const MOST_LIMITS: usize = 768;
/// The key in a Secret, if none is named.
const PASSWORD: &str = "password";
/// What goes on at once goes on after so long: others come between.
const AT_ONCE: Duration = Duration::from_millis(1);
/// After what failed for one object or another.
const AGAIN: Duration = Duration::from_millis(500);

/// Why a round could not be finished.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoundError {
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Superseded(#[from] Superseded),
}

impl RoundError {
    /// Whether what is known is of the past.
    pub(super) fn outdates(&self) -> bool {
        match self {
            Self::Publish(error) => error.is_conflict(),
            Self::Superseded(Superseded) => true,
        }
    }
}

pub(super) struct Round<'a> {
    pub(super) context: &'a Context,
    pub(super) queue: &'a Queue,
    pub(super) limits: &'a LimitsClient,
    pub(super) secrets: &'a SecretChanges,
    pub(super) key: &'a Key,
    pub(super) cluster: &'a DiskCluster,
    pub(super) prepared: &'a Prepared,
}

impl Round<'_> {
    pub(super) async fn go(&self, ledger: &mut Ledger, named: Named) -> Result<Next, RoundError> {
        let client = &self.context.client;
        let mut members = ledger.members.of(named.members);
        let mut groups = ledger.groups.of(named.groups);
        let free: Vec<Arc<Member>> =
            members.iter().filter(|member| !finalizers::is_held(&***member)).cloned().collect();
        let held = finalizers::hold(client, &mut members, &mut ledger.members).await;
        let mut rest = held.max(finalizers::hold(client, &mut groups, &mut ledger.groups).await);

        let assessment = assess(Objects { members, groups, volumes: self.volumes() }, &ledger.in_force);
        let (credentials, changed) = self.credentials(ledger, &assessment);
        rest = rest.max(self.app_passwords(ledger, &changed).await);
        self.reserve(ledger, &assessment, &credentials).await?;
        self.begin(ledger, &assessment, &free)?;
        let books = assessment.books(&ledger.in_force, &ledger.doubts, &ledger.term);
        let spaces = assessment.spaces(&books);
        ledger.in_force.retain(|space| spaces.contains(&space));
        ledger.trouble.retain(|space| spaces.contains(&space));
        ledger.doubts.retain(|member| assessment.members.contains_key(&member));
        ledger.term.retain(|member| assessment.members.contains_key(&member));

        let first = plan(&books);
        let (steps, waiting) = due(first.limits, &ledger.in_force, &books_spaces(&books));
        rest = rest.max(Rest::left(steps.len() > MOST_LIMITS)).max(self.commit(ledger, steps).await);

        let books = assessment.books(&ledger.in_force, &ledger.doubts, &ledger.term);
        let second = plan(&books);
        let published = self.publish(ledger, &assessment, &credentials).await;
        let is_published = published.is_ok();
        rest = rest.max(self.write(ledger, &assessment, &second, &credentials, is_published).await);
        rest = rest.max(self.let_go(ledger, &assessment, &second).await);
        published?;
        Ok(self.next(ledger, &second, waiting, rest))
    }

    /// Begins the term of this leadership, and notes who was held in it for the first time.
    fn begin(
        &self,
        ledger: &mut Ledger,
        assessment: &Assessment,
        free: &[Arc<Member>],
    ) -> Result<(), RoundError> {
        let seen = assessment.members.values().filter_map(MemberAccount::term).max().unwrap_or_default();
        ledger.term.begin(ledger.generations.end(), seen)?;
        for member in free {
            let uid = member.metadata.uid.as_deref().and_then(|uid| uid.parse::<MemberUid>().ok());
            if let Some(account) = uid.and_then(|uid| assessment.members.get(&uid))
                && finalizers::is_held(&*account.object)
            {
                ledger.term.held(account.uid);
            }
        }
        Ok(())
    }

    fn volumes(&self) -> Vec<VolumeName> {
        let active = self.cluster.spec.volumes.iter().filter(|volume| volume.state == VolumeState::Active);
        active
            .filter_map(|volume| volume.name.parse().ok())
            .filter(|name| self.prepared.settings.volumes.contains(name))
            .collect()
    }

    /// What there is to sign in with, for each member; what is not known yet is being read.
    /// Also says which Secrets have changed.
    fn credentials(
        &self,
        ledger: &mut Ledger,
        assessment: &Assessment,
    ) -> (HashMap<MemberUid, Credential>, HashSet<String>) {
        ledger.passwords.take_outcomes();
        let staying = assessment.members.values().filter(|account| account.presence != Presence::Leaves);
        let wanted: HashMap<MemberUid, Option<SecretKey>> = staying
            .map(|account| {
                let reference = account.object.spec.password_secret_ref.as_ref();
                let secret = reference.map(|reference| SecretKey {
                    name: reference.name.clone(),
                    key: reference.key.clone().unwrap_or_else(|| PASSWORD.to_owned()),
                });
                (account.uid, secret)
            })
            .collect();
        let names = wanted.values().flatten().map(|secret| secret.name.clone());
        let names = names.chain(AppPasswordShelf::names(&Names::of(&self.key.name))).collect();
        let changed = self.secrets.look(self.key, names);
        let (queue, key) = (self.queue.clone(), self.key.clone());
        ledger.passwords.look(&wanted, &changed, move || queue.push_after(key.clone(), DEBOUNCE));
        let credentials = wanted
            .into_iter()
            .map(|(uid, secret)| {
                let identified =
                    assessment.members.get(&uid).is_some_and(|one| !one.object.spec.identities.is_empty());
                let credential = match secret {
                    Some(_) => ledger.passwords.credential(uid),
                    None if identified => Credential::There,
                    None => Credential::NotAsked,
                };
                (uid, credential)
            })
            .collect();
        (credentials, changed)
    }

    /// Reads what web pods have written of app passwords.
    async fn app_passwords(&self, ledger: &mut Ledger, changed: &HashSet<String>) -> Rest {
        let secrets = Api::namespaced(self.context.client.clone(), &self.key.namespace);
        let names = Names::of(&self.key.name);
        let complete = ledger.app_passwords.look(&secrets, &names, changed).await;
        if complete { Rest::Nothing } else { Rest::Failed }
    }

    async fn commit(&self, ledger: &mut Ledger, mut steps: Vec<LimitStep>) -> Rest {
        steps.truncate(MOST_LIMITS);
        if steps.is_empty() {
            return Rest::Nothing;
        }
        let spaces: Vec<SpaceId> = steps.iter().map(|step| step.space).collect();
        let ready = self.prepared.disk_pods.iter().any(|pod| pod.ready);
        let mut commits =
            commit(self.limits, self.prepared, steps, &mut ledger.in_force, &mut ledger.generations).await;
        if !ready {
            let reason = format!("no disk server is ready: kubectl describe diskcluster {}", self.key.name);
            commits.failed.extend(spaces.iter().map(|space| (*space, reason.clone())));
        }
        self.context.metrics.limits(commits.committed, commits.failed.len());
        ledger.trouble.tried(&spaces, &commits, Instant::now());
        if ready { Rest::Nothing } else { Rest::Failed }
    }

    /// Writes down which generations will be used, before any of them is.
    async fn reserve(
        &self,
        ledger: &mut Ledger,
        assessment: &Assessment,
        credentials: &HashMap<MemberUid, Credential>,
    ) -> Result<(), RoundError> {
        let Some(end) = ledger.generations.wanted() else { return Ok(()) };
        if !ledger.published.is_nothing() {
            ledger.publisher.reserve(&mut ledger.published, end).await?;
            ledger.generations.reserved(end);
            return Ok(());
        }
        // There must be a roster to write it on. The first of the block goes into the very write that reserves it.
        let generation = ledger.generations.last().next();
        let stored = stored(ledger, assessment, credentials);
        let compiled = assessment.publishable(&ledger.in_force);
        ledger
            .publisher
            .publish(
                &self.prepared.operator_key,
                &mut ledger.published,
                (generation, end),
                self.head(),
                compiled,
                stored,
            )
            .await?;
        ledger.generations.used(generation);
        ledger.generations.reserved(end);
        Ok(())
    }

    fn head(&self) -> Head {
        Head {
            cluster: self.prepared.uid,
            cluster_name: self.key.name.clone(),
            namespace: self.key.namespace.clone(),
            credentials: Vec::new(),
            settings: self.prepared.settings.clone(),
        }
    }

    async fn publish(
        &self,
        ledger: &mut Ledger,
        assessment: &Assessment,
        credentials: &HashMap<MemberUid, Credential>,
    ) -> Result<(), RoundError> {
        let stored = stored(ledger, assessment, credentials);
        let compiled = assessment.publishable(&ledger.in_force);
        let Some(generation) = ledger.generations.take() else { return Ok(()) };
        let began = Instant::now();
        let end = ledger.generations.end();
        let changed = ledger
            .publisher
            .publish(
                &self.prepared.operator_key,
                &mut ledger.published,
                (generation, end),
                self.head(),
                compiled,
                stored,
            )
            .await;
        match changed {
            Ok(true) => {
                self.context.metrics.published(true, began.elapsed());
                tracing::debug!(cluster = %self.key, %generation, "Published the roster.");
                Ok(())
            }
            Ok(false) => Ok(()),
            Err(error) => {
                self.context.metrics.published(false, began.elapsed());
                Err(error.into())
            }
        }
    }

    /// Writes the statuses that differ.
    async fn write(
        &self,
        ledger: &mut Ledger,
        assessment: &Assessment,
        plan: &Plan,
        credentials: &HashMap<MemberUid, Credential>,
        published: bool,
    ) -> Rest {
        let now = Timestamp::now();
        let members = self.member_writes(ledger, assessment, plan, credentials, published, now);
        // What does not succeed must not be tried again without a pause.
        let stuck = !plan.grants.is_empty() && members.is_empty();
        // What waits for these can go on at once.
        let term = ledger.term.number();
        let claims = members.iter().any(|write| {
            write.object.status.as_ref().is_some_and(|said| said.space_id.is_some() && said.term != term)
        });
        for write in &members {
            if let (Some((uid, grants)), Some(version)) =
                (&write.grants, &write.object.metadata.resource_version)
            {
                ledger.doubts.sent(*uid, version, grants);
            }
        }
        let written = write_all(self.context, members).await;
        let mut rest = if stuck { Rest::Failed } else { written.rest.max(Rest::left(claims)) };
        for (object, uid) in written.done {
            ledger.members.wrote(object);
            if let Some(uid) = uid {
                ledger.doubts.done(uid);
            }
        }
        let groups = self.group_writes(ledger, assessment, plan, published, now);
        let written = write_all(self.context, groups).await;
        rest = rest.max(written.rest);
        for (object, _) in written.done {
            ledger.groups.wrote(object);
        }
        rest
    }

    fn member_writes(
        &self,
        ledger: &Ledger,
        assessment: &Assessment,
        plan: &Plan,
        credentials: &HashMap<MemberUid, Credential>,
        published: bool,
        now: Timestamp,
    ) -> Vec<StatusWrite<Member>> {
        let entries: HashMap<MemberUid, &MemberEntry> =
            assessment.compiled.members.iter().map(|entry| (entry.uid, entry)).collect();
        let unsettled = unsettled(&plan.limits);
        let metrics = &self.context.metrics;
        let mut writes = Vec::new();
        for (uid, account) in &assessment.members {
            let grants = plan.grants.get(uid).unwrap_or(&account.granted);
            let own = ledger.in_force.get(account.space);
            let facts = MemberFacts {
                account,
                entry: entries.get(uid).copied(),
                grants,
                groups: &assessment.seen,
                own,
                settled: own.is_some() && !unsettled.contains(&account.space),
                trouble: ledger.trouble.of(account.space, Instant::now()),
                credential: credentials.get(uid).unwrap_or(&Credential::NotAsked),
                published,
                in_doubt: ledger.doubts.is_about(*uid, &account.version(), &account.granted),
                term: ledger.term.number(),
                claimed: ledger.term.claims(account),
            };
            if let Some(status) = member_status(&facts, now) {
                let grants = Some((*uid, grants.clone()));
                writes.extend(StatusWrite::of(metrics, &account.object, status, grants));
            }
        }
        for (object, why) in &assessment.refused_members {
            let finding = Finding::is_not(ConditionType::Ready, Reason::InvalidSpec, why.clone());
            let status = saying(&**object, finding, now);
            writes.extend(StatusWrite::of(metrics, object, status, None));
        }
        writes
    }

    fn group_writes(
        &self,
        ledger: &Ledger,
        assessment: &Assessment,
        plan: &Plan,
        published: bool,
        now: Timestamp,
    ) -> Vec<StatusWrite<Group>> {
        let entries: HashMap<GroupUid, &GroupEntry> =
            assessment.compiled.groups.iter().map(|entry| (entry.uid, entry)).collect();
        let unsettled = unsettled(&plan.limits);
        let moving = Moving::of(&plan.grants, |member| {
            assessment.members.get(&member).map(|account| account.granted.clone()).unwrap_or_default()
        });
        let metrics = &self.context.metrics;
        let mut writes = Vec::new();
        for (uid, account) in &assessment.groups {
            let disk = ledger.in_force.get(account.space);
            let facts = GroupFacts {
                account,
                entry: entries.get(uid).copied(),
                disk,
                settled: disk.is_some() && !unsettled.contains(&account.space),
                trouble: ledger.trouble.of(account.space, Instant::now()),
                published,
                moving: moving.groups.contains(uid),
            };
            if let Some(status) = group_status(&facts, now) {
                writes.extend(StatusWrite::of(metrics, &account.object, status, None));
            }
        }
        for (object, why) in &assessment.refused_groups {
            let finding = Finding::is_not(ConditionType::Ready, Reason::InvalidSpec, why.clone());
            let status = saying(&**object, finding, now);
            writes.extend(StatusWrite::of(metrics, object, status, None));
        }
        writes
    }

    /// Lets those go of whom nothing is in force any more.
    async fn let_go(&self, ledger: &mut Ledger, assessment: &Assessment, plan: &Plan) -> Rest {
        // When all of it goes, nobody is left who could close a disk, and nobody who could use one.
        let served = self.prepared.disk_pods.iter().any(|pod| pod.ready);
        let abandoned = self.cluster.metadata.deletion_timestamp.is_some() && !served;
        let members = assessment.members.iter().filter(|(uid, account)| {
            plan.members_gone.contains(uid) || (abandoned && is_deleted(&*account.object))
        });
        let refused = assessment.refused_members.iter().map(|(object, _)| object);
        let refused = refused.filter(|object| is_deleted(&***object));
        let members: Vec<_> = members.map(|(_, account)| &account.object).chain(refused).cloned().collect();
        let groups = assessment.groups.iter().filter(|(uid, account)| {
            plan.groups_gone.contains(uid) || (abandoned && is_deleted(&*account.object))
        });
        let refused = assessment.refused_groups.iter().map(|(object, _)| object);
        let refused = refused.filter(|object| is_deleted(&***object));
        let groups: Vec<_> = groups.map(|(_, account)| &account.object).chain(refused).cloned().collect();
        for uid in &plan.members_gone {
            let Some(account) = assessment.members.get(uid) else { continue };
            let (known, policy) = (ledger.in_force.get(account.space), account.object.spec.deletion_policy);
            if let Some(told) = farewell(account.space, &account.volume, known, policy) {
                self.context.events.tell(&*account.object, told).await;
            }
        }
        for uid in &plan.groups_gone {
            let Some(account) = assessment.groups.get(uid) else { continue };
            let (known, policy) = (ledger.in_force.get(account.space), account.object.spec.deletion_policy);
            if let Some(told) = farewell(account.space, &account.volume, known, policy) {
                self.context.events.tell(&*account.object, told).await;
            }
        }
        let client = &self.context.client;
        let members = finalizers::let_go(client, members, &mut ledger.members).await;
        let groups = finalizers::let_go(client, groups, &mut ledger.groups).await;
        members.max(groups)
    }

    fn next(&self, ledger: &Ledger, plan: &Plan, waiting: Option<Instant>, rest: Rest) -> Next {
        let now = Instant::now();
        if rest == Rest::Failed {
            return Next::After(AGAIN);
        }
        // Grants that were written let more limits be committed, and the other way round.
        let went_on = !plan.grants.is_empty()
            || plan.limits.iter().any(|step| {
                step.purpose != Purpose::Move
                    && ledger.in_force.due(step.space, step.target, step.ceiling).is_none_or(|due| due <= now)
            });
        if went_on || rest == Rest::Left {
            return Next::After(AT_ONCE);
        }
        let moves =
            plan.limits.iter().filter_map(|step| ledger.in_force.due(step.space, step.target, step.ceiling));
        let at = moves.chain(waiting).chain(ledger.passwords.next()).chain(ledger.trouble.next(now)).min();
        let pause = at.map_or(REFRESHED_EVERY, |at| at.saturating_duration_since(now));
        Next::After(pause.clamp(DEBOUNCE, REFRESHED_EVERY))
    }
}

fn is_deleted<K: Resource>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
}

/// What there is to sign in with, of those who do not leave.
fn stored(ledger: &Ledger, assessment: &Assessment, credentials: &HashMap<MemberUid, Credential>) -> Wanted {
    let theirs = assessment
        .members
        .values()
        .filter(|account| credentials.contains_key(&account.uid))
        .filter_map(|account| ledger.passwords.stored(account.uid, &account.name))
        .collect();
    let apps = ledger.app_passwords.of(|uid| credentials.contains_key(&uid));
    Wanted { credentials: theirs, apps }
}
