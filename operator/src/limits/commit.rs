//! Commits the limits of a plan: in batches, with whichever disk pods are ready, another one when one does not answer.

use std::collections::HashMap;
use std::time::Instant;

use api::generation::RosterGeneration;
use api::ids::{PodName, SpaceId};
use api::limits::LimitOutcome;
use futures::{StreamExt, stream};

use super::client::LimitsClient;
use super::generations::Generations;
use crate::lending::{Committed, InForce, LimitStep};
use crate::prepared::{DiskPod, Prepared};

/// A batch takes a fraction of a second, so that nobody waits long behind a thousand others.
const BATCH: usize = 256;
const BATCHES_AT_ONCE: usize = 3;
/// Another pod, or another generation, is tried so often at once; then a pause is better.
const ATTEMPTS: usize = 3;

/// What became of the limits of a plan.
#[derive(Debug, Default)]
pub struct Commits {
    /// How many were committed.
    pub committed: usize,
    /// Why spaces could not be committed.
    pub failed: HashMap<SpaceId, String>,
    /// Pods that did not answer, and why.
    pub silent: HashMap<PodName, String>,
}

struct Batch {
    pod: DiskPod,
    generation: RosterGeneration,
    steps: Vec<LimitStep>,
}

/// Commits limits, and keeps account of what is in force. Afterwards no request is under way: each was answered, or
/// given up, and is then held for unknown until a later one is answered.
pub async fn commit(
    client: &LimitsClient,
    cluster: &Prepared,
    steps: Vec<LimitStep>,
    in_force: &mut InForce,
    generations: &mut Generations,
) -> Commits {
    let mut commits = Commits::default();
    let mut left = steps;
    for _ in 0..ATTEMPTS {
        if left.is_empty() {
            break;
        }
        let batches = batches(cluster, &commits, left, generations);
        let now = Instant::now();
        for step in batches.iter().flat_map(|batch| &batch.steps) {
            in_force.sent(step.space, step.target, step.ceiling, now);
        }
        let answers: Vec<_> = stream::iter(batches)
            .map(|batch| async move {
                let answer = client.commit(cluster, &batch.pod, batch.generation, &batch.steps).await;
                (batch, answer)
            })
            .buffer_unordered(BATCHES_AT_ONCE)
            .collect()
            .await;
        left = Vec::new();
        for (batch, answer) in answers {
            match answer {
                Ok(outcomes) => {
                    for (step, outcome) in batch.steps.into_iter().zip(outcomes) {
                        take(step, outcome, in_force, generations, &mut commits, &mut left);
                    }
                }
                Err(error) => {
                    commits.silent.insert(batch.pod.name, error.to_string());
                    for step in batch.steps {
                        in_force.lost(step.space);
                        commits.failed.insert(step.space, error.to_string());
                        left.push(step);
                    }
                }
            }
        }
    }
    commits
}

fn take(
    step: LimitStep,
    outcome: LimitOutcome,
    in_force: &mut InForce,
    generations: &mut Generations,
    commits: &mut Commits,
    left: &mut Vec<LimitStep>,
) {
    match outcome {
        LimitOutcome::Committed { limit, used, reserved: _, generation: _ } => {
            in_force.committed(step.space, Committed { limit, used });
            commits.failed.remove(&step.space);
            commits.committed += 1;
        }
        LimitOutcome::Superseded { roster_generation } => {
            in_force.lost(step.space);
            generations.saw(roster_generation);
            let reason =
                format!("the volume has seen the limits of roster {roster_generation}; going on above it");
            commits.failed.insert(step.space, reason);
            left.push(step);
        }
        LimitOutcome::Failed { reason } => {
            in_force.lost(step.space);
            commits.failed.insert(step.space, reason);
        }
    }
}

/// Spreads the steps over the pods that are ready and were not silent. Those for which there is no pod or no generation
/// are left for another time.
fn batches(
    cluster: &Prepared,
    commits: &Commits,
    mut steps: Vec<LimitStep>,
    generations: &mut Generations,
) -> Vec<Batch> {
    let pods: Vec<&DiskPod> =
        cluster.disk_pods.iter().filter(|pod| pod.ready && !commits.silent.contains_key(&pod.name)).collect();
    let mut batches = Vec::new();
    for pod in pods.iter().cycle() {
        if steps.is_empty() {
            break;
        }
        let Some(generation) = generations.take() else { break };
        let rest = steps.split_off(steps.len().min(BATCH));
        batches.push(Batch { pod: (*pod).clone(), generation, steps: std::mem::replace(&mut steps, rest) });
    }
    batches
}
