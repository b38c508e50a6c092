//! Members who copy and move files and directories from one space to the other.

use std::sync::atomic::Ordering;

use api::generation::Generation;
use uuid::Uuid;

use super::coverage::Met;
use super::history::{Answer, Call};
use super::member::{ATTEMPTS, Member};
use super::oracle::{Demand, Wish};
use crate::between::{Source, Transfer};
use crate::operation::OperationId;
use crate::space::Space;

impl Member {
    /// Brings something from the space that this member is busy with into the other one.
    pub(super) async fn exchange(&mut self) {
        let (from, to) = (self.place(), self.place());
        let (overwrite, removes) = (self.world.chance(700), self.world.chance(600));
        let id = OperationId(Uuid::from_u64_pair(self.world.random(), self.world.random()));
        let (here, there) = (self.history.clone(), self.elsewhere.history.clone());
        let mut tokens = self.tokens();
        self.turn();
        tokens.extend(self.tokens());
        self.turn();
        let note = |history: &super::history::History, wish| {
            let mut told = history.told();
            let tokens = tokens.clone();
            told.calls.push(Call { id, wish, tokens, asked: 0, answers: Vec::new() });
            told.calls.len() - 1
        };
        let import = Wish::Import { to: to.clone(), overwrite, removes };
        let at = note(&there, import);
        // The second half of a move.
        let source = removes.then(|| {
            let (path, demand) = (from.clone(), Demand::Anything);
            note(&here, Wish::Delete { path, demand, permanently: true })
        });
        let mut attempts = 0;
        while attempts < ATTEMPTS {
            attempts += usize::from(self.well.load(Ordering::Relaxed));
            let pod = self.pod();
            there.told().calls[at].asked += 1;
            if let Some(source) = source {
                here.told().calls[source].asked += 1;
            }
            let number = self.number;
            self.world.note(|| {
                let does = if removes { "move" } else { "copy" };
                format!("member {number} asks pod {pod} to {does} {from} to {to} of the other space")
            });
            let born = Some(Generation(self.elsewhere.token));
            let what = Transfer {
                from: from.parse().unwrap(),
                to: to.parse().unwrap(),
                overwrite,
                locks: tokens.clone(),
                id,
                born,
            };
            let (target, world) = (there.clone(), self.world.clone());
            let asked = move |from: Space, to: Space| async move {
                let after = target.known();
                let done =
                    if removes { from.move_to(&to, what).await } else { from.copy_to(&to, what).await };
                let answer = match done {
                    Ok(done) => {
                        world.meet(Met::Exchanged);
                        if done.source == Source::Removed {
                            world.meet(Met::MovedAway);
                        }
                        Answer::Done(done.committed.generation.0)
                    }
                    // What either space says is not said of one moment of both.
                    Err(error) => match target.answer(&error) {
                        Answer::Refused(_) => return None,
                        _ => Answer::Unknown,
                    },
                };
                world.note(|| format!("pod {pod} answers member {number}: {answer:?}"));
                let window = target.window(after);
                if let Answer::Done(generation) = answer {
                    target.knows(generation);
                }
                target.told().calls[at].answers.push((window, answer));
                Some(answer)
            };
            let spaces = [here.space, there.space];
            match self.fleet.ask_both(pod, spaces, self.patience(), asked).await {
                Some(Some(Answer::Done(generation))) => {
                    self.elsewhere.token = self.elsewhere.token.max(generation);
                    return;
                }
                Some(None) => return,
                // It may be that the outcome is remembered no more.
                Some(Some(_)) | None if self.world.chance(100) => return,
                Some(Some(_)) | None => {}
            }
            self.world.sleep(self.world.below(200_000)).await;
        }
    }
}
