//! A space that is closed for good in the end: it is removed, by pods that die and on a volume that loses its power.

use std::sync::Arc;
use std::time::Duration;

use api::generation::RosterGeneration;
use uuid::Uuid;

use super::coverage::Met;
use super::fleet::Fleet;
use super::history::{Answer, Call, History};
use super::mount::Server;
use super::oracle::Wish;
use crate::error::Error;
use crate::operation::{Condition, Operation, OperationId, Request};
use crate::snapshot::Freshness;
use crate::space::Space;

/// Later than all that the operator has used.
const ROSTER: u64 = 1 << 40;

/// So often a pod may die over it, or the power be lost.
const STORMY: usize = 4;

/// So often it is tried.
const ATTEMPTS: usize = 20;

/// However wrong the clock was that closed the space, it is closed for long enough then.
const DAYS: u64 = 2 * 86_400_000_000;

/// Closes a space and removes it.
pub(super) async fn remove(fleet: &Arc<Fleet>, server: &Arc<Server>, history: &Arc<History>) {
    let world = &history.world;
    // Most of these calls find that a directory is not there: they do not count.
    let calls = fleet.calls();
    world.note(|| format!("the space {} is to go", history.space));
    if !close(fleet, history).await {
        return world.wrong("7: a space can not be closed in the end".to_owned());
    }
    world.jump(DAYS);
    let mut done = false;
    for attempt in 0..ATTEMPTS {
        let pod = usize::try_from(world.below(fleet.size() as u64)).unwrap();
        fleet.start(pod);
        while !fleet.is_up(pod) {
            world.sleep(100_000).await;
        }
        if attempt < STORMY && world.chance(700) {
            let (fleet, server, power) = (fleet.clone(), server.clone(), world.chance(400));
            world.after(world.below(*world.pick(&[20_000, 100_000, 900_000])), move || {
                if power {
                    (0..fleet.size()).for_each(|pod| fleet.crash(pod));
                    server.lose_power(&[]);
                }
                fleet.crash(pod);
                (0..fleet.size()).for_each(|pod| fleet.start(pod));
            });
        }
        let answered = fleet.remove(pod, history.space).await;
        world.note(|| format!("pod {pod} was to remove the space: {answered:?}"));
        world.sleep(1_000_000).await;
        done = matches!(answered, Ok(Ok(_)));
        if done && attempt >= STORMY {
            break;
        }
    }
    if !done {
        return world.wrong("7: a closed space is not removed in the end".to_owned());
    }
    for pod in 0..fleet.size() {
        while !fleet.is_up(pod) {
            world.sleep(100_000).await;
        }
        let asked = |space: Space| async move {
            let shown = space.snapshot(Freshness::Now).await.err();
            let (id, locks) = (OperationId(Uuid::from_u64_pair(7, 7)), Vec::new());
            let path = "late".parse().unwrap();
            let operation = Operation::Delete { path, condition: Condition::None, permanently: true };
            [shown, space.commit(Request { id, born: None, locks, operation }).await.err()]
        };
        match fleet.ask(pod, history.space, 60_000_000, asked).await {
            Some([Some(Error::SpaceRemoved), Some(Error::SpaceRemoved)]) => {}
            answers => world.wrong(format!("1: pod {pod} says of a space that was removed: {answers:?}")),
        }
    }
    world.meet(Met::SpaceRemoved);
    history.told().removed = true;
    fleet.set_calls(calls);
}

async fn close(fleet: &Arc<Fleet>, history: &Arc<History>) -> bool {
    let world = &history.world;
    let id = OperationId(Uuid::from_u64_pair(world.random(), world.random()));
    let place = {
        let mut told = history.told();
        let wish = Wish::Close { roster: ROSTER };
        told.calls.push(Call { id, wish, tokens: Vec::new(), asked: 1, answers: Vec::new() });
        told.calls.len() - 1
    };
    for attempt in 0..ATTEMPTS {
        let teller = history.clone();
        teller.told().calls[place].asked = attempt + 1;
        let asked = move |space: Space| async move {
            let after = teller.known();
            let operation = Operation::Close { roster_generation: RosterGeneration(ROSTER) };
            let committed = space.commit(Request { id, born: None, locks: Vec::new(), operation }).await;
            let answer = match &committed {
                Ok(committed) => Answer::Done(committed.generation.0),
                Err(error) => teller.answer(error),
            };
            let window = teller.window(after);
            teller.told().calls[place].answers.push((window, answer));
            answer
        };
        let pod = attempt % fleet.size();
        if let Some(Answer::Done(generation)) = fleet.ask(pod, history.space, 60_000_000, asked).await {
            history.knows(generation);
            return true;
        }
        world.sleep(1_000_000).await;
    }
    false
}

/// How long a space has to be closed for that.
pub(super) const CLOSED_FOR: Duration = Duration::from_secs(3600);
