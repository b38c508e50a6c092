//! Uploads that go on at another pod, while the pod before does not know of it.

use std::sync::atomic::Ordering;

use api::bytes::Bytes as Size;
use bytes::Bytes;
use futures::future::BoxFuture;

use super::history::{Answer, Claim, Transfer};
use super::member::{Member, condition};
use super::oracle::{Refusal, Wish};
use crate::error::Error;
use crate::operation::NewUpload;
use crate::space::Space;

/// Once all is well, so many sessions are enough, though each may end early.
const SESSIONS: usize = 100;

/// How a session ends in which this was answered: a closed space takes nothing, whoever asks.
fn end(answer: Answer) -> End {
    match answer {
        Answer::Refused(Refusal::Closed) => End::Refused,
        _ => End::Elsewhere,
    }
}

/// How a session with one pod ended.
enum End {
    Finished,
    /// It can not become a file where it was to be.
    Refused,
    /// Somebody else is to go on.
    Elsewhere,
}

impl Member {
    /// Uploads a file in parts.
    pub(super) async fn upload(&mut self) {
        let Some(place) = self.begin().await else { return };
        let mut sessions = 0;
        while sessions < SESSIONS {
            sessions += usize::from(self.well.load(Ordering::Relaxed));
            let (give_up, pod) = (self.world.chance(40), self.pod());
            if give_up {
                self.history.told().transfers[place].giving_up = true;
                let id = self.history.told().transfers[place].id;
                let gone =
                    self.fleet.ask(pod, self.history.space, self.patience(), move |space| async move {
                        matches!(space.abort_upload(id).await, Ok(()) | Err(Error::UploadGone))
                    });
                if gone.await == Some(true) {
                    return;
                }
            }
            match self.fleet.ask(pod, self.history.space, self.patience(), self.session(place, pod)).await {
                Some(End::Finished | End::Refused) => return,
                Some(End::Elsewhere) | None => {}
            }
            self.world.sleep(self.world.below(200_000)).await;
        }
        self.world.wrong(format!("7: no progress: an upload was not done in {SESSIONS} sessions"));
    }

    async fn begin(&mut self) -> Option<usize> {
        let (path, demand) = self.demand();
        let (content, parents) = (self.content(), self.world.chance(700));
        let length = content.length;
        let wish = Wish::CreateUpload { path: path.clone(), length, demand: demand.clone(), parents };
        for _ in 0..10 {
            let (pod, history, number) = (self.pod(), self.history.clone(), self.number);
            let upload = NewUpload {
                path: path.parse().unwrap(),
                length: Size(length),
                condition: condition(&demand),
                parents,
                ..NewUpload::default()
            };
            self.world.note(|| format!("member {number} asks pod {pod}: {wish:?}"));
            let (claimed, demand, path) = (wish.clone(), demand.clone(), path.clone());
            let asked = move |space: Space| async move {
                let after = history.known();
                match space.create_upload(upload).await {
                    Ok(id) => {
                        history.world.note(|| format!("pod {pod} makes member {number} the upload {id}"));
                        let mut told = history.told();
                        told.transfers.push(Transfer {
                            id,
                            path,
                            content,
                            demand,
                            parents,
                            acknowledged: 0,
                            finished: None,
                            giving_up: false,
                        });
                        Ok(Some(told.transfers.len() - 1))
                    }
                    Err(error) => match history.answer(&error) {
                        Answer::Refused(refusal) => {
                            let window = history.window(after);
                            let claim = Claim { wish: claimed, place_only: false, refusal, window };
                            history.told().claims.push(claim);
                            Err(())
                        }
                        _ => Ok(None),
                    },
                }
            };
            match self.fleet.ask(pod, self.history.space, self.patience(), asked).await {
                Some(Ok(Some(place))) => return Some(place),
                Some(Err(())) => return None,
                Some(Ok(None)) | None => {}
            }
        }
        None
    }

    /// Goes on at a pod from where it is durable, maybe to the end. The pod goes on with it even when the member has
    /// left: it does not know.
    fn session(&self, place: usize, pod: usize) -> impl FnOnce(Space) -> BoxFuture<'static, End> + use<> {
        let (history, world, number) = (self.history.clone(), self.world.clone(), self.number);
        let all_at_once = self.world.chance(400);
        move |space| {
            Box::pin(async move {
                let Transfer { id, content, acknowledged: before, path, demand, parents, .. } =
                    history.told().transfers[place].clone();
                let offset = match space.upload_status(id).await {
                    Ok(status) if status.complete => return End::Finished,
                    Ok(status) => status.offset.0,
                    // Given up or expired; the verdict looks whether it was.
                    Err(Error::UploadGone) => return End::Finished,
                    Err(error) => return end(history.answer(&error)),
                };
                if offset < before && !history.blind {
                    world.wrong(format!(
                        "3: pod {pod} says {offset} of the upload {id}; {before} were acknowledged"
                    ));
                }
                let mut writer = match space.continue_upload(id, offset).await {
                    Ok(writer) => writer,
                    Err(error) => return end(history.answer(&error)),
                };
                world.note(|| {
                    format!("pod {pod} goes on with the upload {id} of member {number} at {offset}")
                });
                while writer.position() < content.length {
                    let from = writer.position();
                    let most = content.length - from;
                    let step = if all_at_once { most } else { 1 + world.below(most) };
                    if writer.write(Bytes::from(content.bytes(from, from + step))).await.is_err() {
                        return End::Elsewhere;
                    }
                    if world.chance(500) {
                        match writer.acknowledge().await {
                            Ok(durable) => {
                                world.note(|| format!("pod {pod} acknowledges {durable} of the upload {id}"));
                                let until = history.newest();
                                let mut told = history.told();
                                told.acknowledged.push((id, durable, until));
                                let transfer = &mut told.transfers[place];
                                transfer.acknowledged = transfer.acknowledged.max(durable);
                            }
                            Err(error) => return end(history.answer(&error)),
                        }
                    }
                    // The member is as slow as its line.
                    world.sleep(world.below(30_000)).await;
                    if world.chance(50) {
                        return End::Elsewhere;
                    }
                }
                let after = history.known();
                match writer.finish().await {
                    Ok(committed) => {
                        let generation = committed.generation.0;
                        world.note(|| format!("pod {pod} has made the upload {id} a file in {generation}"));
                        history.knows(generation);
                        history.told().transfers[place].finished = Some(generation);
                        End::Finished
                    }
                    Err(error) => match history.answer(&error) {
                        Answer::Refused(refusal) => {
                            let (window, length) = (history.window(after), content.length);
                            let wish = Wish::CreateUpload { path, length, demand, parents };
                            let claim = Claim { wish, place_only: true, refusal, window };
                            history.told().claims.push(claim);
                            End::Refused
                        }
                        _ => End::Elsewhere,
                    },
                }
            })
        }
    }
}
