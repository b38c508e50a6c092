//! What is left in the end, when days have passed and pods have looked after their spaces: nothing that nothing refers to.

use std::sync::Arc;

use uuid::Uuid;

use super::fleet::Fleet;
use super::history::{Answer, Call, History};
use super::oracle::Wish;
use crate::operation::{Operation, OperationId, Request};
use crate::space::Space;

/// Longer than anything expires.
const DAYS: u64 = 3 * 86_400_000_000;

/// So often it is written and looked after. The watermark passes only what is older, by the clocks of two machines, than
/// what is remembered: in a space where nothing happens it stands still.
const ROUNDS: usize = 5;

/// What a pod did not know of may have been truncated meanwhile; then it has to ask again.
const ATTEMPTS: usize = 3;

/// Lets days pass, and has everything collected that can be.
pub(super) async fn collect(fleet: &Arc<Fleet>, histories: &[Arc<History>; 2]) {
    let world = histories[0].world.clone();
    // Most of these calls find that a directory is not there: they do not count.
    let calls = fleet.calls();
    world.note(|| "days pass".to_owned());
    world.jump(DAYS);
    // Somebody may write then, or nobody.
    let abandoned = world.chance(500);
    for history in histories {
        for round in 0..ROUNDS {
            for pod in 0..fleet.size() {
                if abandoned {
                    if let Ok(Err(error)) = fleet.visit(pod, history.space).await {
                        world.wrong(format!("7: pod {pod} can not visit a space in the end: {error}"));
                    }
                    continue;
                }
                let path = format!("end-{pod}-{round}");
                let mut done = false;
                for _ in 0..ATTEMPTS {
                    if done {
                        break;
                    }
                    done = touch(fleet, history, pod, &path).await;
                    // A name that is not seen yet is seen by then.
                    world.sleep(if done { 0 } else { 4_000_000 }).await;
                }
                if !done {
                    world.wrong(format!("7: pod {pod} makes no directory in the end"));
                }
            }
            world.sleep(20_000_000).await;
            if abandoned {
                world.jump(DAYS);
            }
            fleet.upkeep(round % fleet.size(), history.space).await;
        }
        history.told().collected = true;
    }
    fleet.set_calls(calls);
}

/// Has a pod make a directory. That it was done, when it was.
async fn touch(fleet: &Arc<Fleet>, history: &Arc<History>, pod: usize, path: &str) -> bool {
    let world = &history.world;
    let id = OperationId(Uuid::from_u64_pair(world.random(), world.random()));
    let wish = Wish::MakeDirectory { path: path.to_owned(), parents: true };
    let operation = Operation::MakeDirectory { path: path.parse().unwrap(), parents: true };
    let place = {
        let mut told = history.told();
        told.calls.push(Call { id, wish, tokens: Vec::new(), asked: 1, answers: Vec::new() });
        told.calls.len() - 1
    };
    let teller = history.clone();
    let asked = move |space: Space| async move {
        let after = teller.known();
        let committed = space.commit(Request { id, born: None, locks: Vec::new(), operation }).await;
        let answer = match &committed {
            Ok(committed) => Answer::Done(committed.generation.0),
            Err(error) => teller.answer(error),
        };
        if let Answer::Done(generation) = answer {
            teller.knows(generation);
        }
        let window = teller.window(after);
        teller.told().calls[place].answers.push((window, answer));
        matches!(answer, Answer::Done(_))
    };
    fleet.ask(pod, history.space, 60_000_000, asked).await == Some(true)
}
