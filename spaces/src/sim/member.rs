//! Members: they want things, ask any pod, and ask another one when they are not answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::bytes::Bytes as Size;
use api::generation::{Generation, RosterGeneration};
use bytes::Bytes;
use uuid::Uuid;

use super::coverage::Met;
use super::fleet::Fleet;
use super::history::{Answer, Call, History, Read};
use super::oracle::{Content, Demand, Wish};
use super::world::World;
use crate::error::Error;
use crate::node::{Kind, Node};
use crate::operation::{Committed, Condition, Operation, OperationId, Request};
use crate::path::NodePath;
use crate::snapshot::{Freshness, Snapshot};
use crate::space::Space;
use crate::stage::{SMALL, UNRESERVED};

/// Once all is well, so many attempts are enough for anything.
pub(super) const ATTEMPTS: usize = 40;

#[derive(Clone)]
pub(super) struct Member {
    pub(super) number: usize,
    pub(super) world: Arc<World>,
    pub(super) fleet: Arc<Fleet>,
    /// The space that this member is busy with.
    pub(super) history: Arc<History>,
    /// The other one.
    pub(super) elsewhere: Desk,
    /// Whether the storm is over.
    pub(super) well: Arc<AtomicBool>,
    /// The newest generation this member knows.
    pub(super) token: u64,
    /// A tag seen lately, and where.
    pub(super) seen: Option<(String, String)>,
    /// Of a thousand files so many are sent very slowly.
    dawdles: u64,
}

/// What a member knows of a space.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) history: Arc<History>,
    pub(super) token: u64,
    pub(super) seen: Option<(String, String)>,
}

fn path(text: &str) -> NodePath {
    text.parse().unwrap()
}

pub(super) fn condition(demand: &Demand) -> Condition {
    match demand {
        Demand::Anything => Condition::None,
        Demand::Nothing => Condition::Absent,
        Demand::Tag(tag) => Condition::Matches(tag.clone()),
    }
}

impl Member {
    pub(super) fn new(
        number: usize,
        world: Arc<World>,
        fleet: Arc<Fleet>,
        histories: [Arc<History>; 2],
        well: Arc<AtomicBool>,
        dawdles: u64,
    ) -> Self {
        let [history, other] = histories;
        let elsewhere = Desk { history: other, token: 0, seen: None };
        Self { number, world, fleet, history, elsewhere, well, token: 0, seen: None, dawdles }
    }

    /// Turns to the other space.
    pub(super) fn turn(&mut self) {
        let Self { history, token, seen, elsewhere, .. } = self;
        std::mem::swap(history, &mut elsewhere.history);
        std::mem::swap(token, &mut elsewhere.token);
        std::mem::swap(seen, &mut elsewhere.seen);
    }

    /// Does so many things, one after another.
    pub(super) async fn run(mut self, things: u64) {
        for _ in 0..things {
            if self.world.chance(150) {
                self.turn();
            }
            match self.world.below(100) {
                0..14 => self.look().await,
                14..28 => self.upload().await,
                28..36 if self.fleet.has_pool() => self.exchange().await,
                _ => {
                    let wish = self.wish();
                    self.fulfil(wish).await;
                }
            }
            self.world.sleep(self.world.below(20_000)).await;
        }
    }

    pub(super) fn place(&self) -> String {
        let depth = *self.world.pick(&[1, 1, 1, 2, 2, 3]);
        let names: Vec<&str> = (0..depth).map(|_| *self.world.pick(&["a", "b", "c"])).collect();
        names.join("/")
    }

    pub(super) fn content(&self) -> Content {
        let length = match self.world.below(100) {
            0..60 => self.world.below(200),
            60..75 => 200 + self.world.below(SMALL - 200),
            75..92 => SMALL + self.world.below(UNRESERVED - SMALL),
            _ => UNRESERVED + self.world.below(2 * UNRESERVED),
        };
        Content { seed: self.world.random(), length }
    }

    pub(super) fn demand(&self) -> (String, Demand) {
        match (self.world.below(10), &self.seen) {
            (0, Some((path, tag))) => (path.clone(), Demand::Tag(tag.clone())),
            (1 | 2, _) => (self.place(), Demand::Nothing),
            _ => (self.place(), Demand::Anything),
        }
    }

    fn wish(&self) -> Wish {
        let world = &self.world;
        let (parents, overwrite) = (world.chance(700), world.chance(700));
        match world.below(20) {
            0..2 => Wish::MakeDirectory { path: self.place(), parents: world.chance(500) },
            2..11 => {
                let (path, demand) = self.demand();
                Wish::Put { path, content: self.content(), demand, parents }
            }
            11..14 => Wish::Move { from: self.place(), to: self.place(), overwrite },
            14..17 => Wish::Copy { from: self.place(), to: self.place(), overwrite },
            _ => {
                let (path, demand) = self.demand();
                let demand = if demand == Demand::Nothing { Demand::Anything } else { demand };
                Wish::Delete { path, demand }
            }
        }
    }

    pub(super) fn patience(&self) -> u64 {
        *self.world.pick(&[20_000, 300_000, 1_000_000, 5_000_000])
    }

    pub(super) fn pod(&self) -> usize {
        usize::try_from(self.world.below(self.fleet.size() as u64)).unwrap()
    }

    /// Asks until there is an answer, or the member has lost interest.
    pub(super) async fn fulfil(&mut self, wish: Wish) -> Option<Answer> {
        let id = OperationId(Uuid::from_u64_pair(self.world.random(), self.world.random()));
        // Whoever asks once need not say what was known before.
        let once = matches!(&wish, Wish::Put { content, .. } if (SMALL..UNRESERVED).contains(&content.length))
            && self.world.chance(self.dawdles);
        let born = (!once).then_some(Generation(self.token));
        let place = {
            let mut told = self.history.told();
            told.calls.push(Call { id, wish: wish.clone(), asked: 0, answers: Vec::new() });
            told.calls.len() - 1
        };
        let mut attempts = 0;
        while attempts < ATTEMPTS {
            attempts += usize::from(self.well.load(Ordering::Relaxed));
            let (pod, history, wish, number) = (self.pod(), self.history.clone(), wish.clone(), self.number);
            self.history.told().calls[place].asked += 1;
            let short = id.0.as_fields().0;
            self.world.note(|| format!("member {number} asks pod {pod} ({short:08x}): {wish:?}"));
            let world = self.world.clone();
            let asked = move |space: Space| async move {
                let after = history.known();
                let result = commit(&space, &world, id, born, &wish, once).await;
                let answer = match &result {
                    Ok(Committed { generation, .. }) => Answer::Done(generation.0),
                    Err(error) => history.answer(error),
                };
                world.note(|| format!("pod {pod} answers member {number} ({short:08x}): {answer:?}"));
                let window = history.window(after);
                if let Answer::Done(generation) = answer {
                    history.knows(generation);
                }
                history.told().calls[place].answers.push((window, answer));
                let known = space.snapshot(Freshness::AtLeast(Generation::ZERO)).await;
                (answer, known.map_or(Generation::ZERO, |snapshot| snapshot.state().low))
            };
            let answered = self.fleet.ask(pod, self.history.space, self.patience(), asked).await;
            let (answer, low) =
                answered.map_or((None, Generation::ZERO), |(answer, low)| (Some(answer), low));
            match answer {
                Some(answer @ Answer::Done(generation)) => {
                    self.token = self.token.max(generation);
                    return Some(answer);
                }
                Some(answer @ Answer::Refused(_)) => return Some(answer),
                _ if once => return None,
                // It took so long that its outcome is not remembered any more, and never will be.
                Some(Answer::Unknown) if low.0 > self.token => {
                    self.token = low.0;
                    return None;
                }
                Some(Answer::Unchanged | Answer::Unknown) | None if self.world.chance(30) => return None,
                Some(Answer::Unchanged | Answer::Unknown) | None => {}
            }
            let longest = *self.world.pick(&[200_000, 200_000, 200_000, 5_000_000]);
            self.world.sleep(self.world.below(longest)).await;
        }
        self.world.wrong(format!("7: no progress: {wish:?} had no answer in {ATTEMPTS} attempts"));
        None
    }

    /// Looks at everything there is.
    async fn look(&mut self) {
        let (history, world, token) = (self.history.clone(), self.world.clone(), self.token);
        let bytes_too = self.world.chance(300);
        let freshness = match self.world.below(3) {
            0 => Freshness::AtLeast(Generation(token)),
            _ => Freshness::Now,
        };
        let (pod, number) = (self.pod(), self.number);
        self.world.note(|| format!("member {number} looks at pod {pod}: {freshness:?}"));
        let asked = move |space: Space| async move {
            let after = if freshness == Freshness::Now { history.known() } else { token };
            let snapshot = match space.snapshot(freshness).await {
                Ok(snapshot) => snapshot,
                Err(error) => {
                    history.answer(&error);
                    return None;
                }
            };
            let generation = snapshot.generation().0;
            world.note(|| format!("pod {pod} shows member {number} generation {generation}"));
            let read = describe(&snapshot, generation, history.window(after));
            let seen = (!read.tags.is_empty()).then(|| world.pick(&read.tags).clone());
            if let (true, Some((path, node))) = (bytes_too, files(&snapshot).first()) {
                // What was deleted since may be gone.
                if let Ok(content) = contents(&space, node).await {
                    history.told().contents.push((generation, path.clone(), content));
                }
            }
            history.knows(generation);
            history.told().reads.push(read);
            Some((generation, seen))
        };
        if let Some(Some((generation, seen))) =
            self.fleet.ask(pod, self.history.space, 5_000_000, asked).await
        {
            self.token = self.token.max(generation);
            self.seen = seen;
        }
    }
}

/// What a snapshot shows.
pub(super) fn describe(snapshot: &Snapshot, generation: u64, window: super::history::Window) -> Read {
    let (mut lines, mut tags) = (Vec::new(), Vec::new());
    let mut ahead = vec![NodePath::root()];
    while let Some(directory) = ahead.pop() {
        for (name, node) in snapshot.list(&directory, None, usize::MAX) {
            let path = directory.join(name);
            tags.push((path.to_string(), node.etag()));
            match &node.kind {
                Kind::File { size, .. } => lines.push((path.to_string(), Some(size.0))),
                Kind::Directory { .. } => {
                    lines.push((path.to_string(), None));
                    ahead.push(path);
                }
            }
        }
    }
    lines.sort();
    let usage = snapshot.usage();
    let sums = (usage.used.0, usage.reserved.0, usage.limit.0);
    Read { generation, window, lines, tags, sums }
}

pub(super) fn files(snapshot: &Snapshot) -> Vec<(String, Node)> {
    let window = super::history::Window { after: 0, until: 0 };
    let lines = describe(snapshot, 0, window).lines;
    let found = lines.into_iter().filter(|(_, size)| size.is_some());
    found.filter_map(|(text, _)| snapshot.lookup(&path(&text)).map(|node| (text, node))).collect()
}

pub(super) async fn contents(space: &Space, node: &Node) -> Result<Vec<u8>, Error> {
    let mut reader = space.read(node, 0..u64::MAX).await?;
    let mut content = Vec::new();
    while let Some(part) = reader.next().await? {
        content.extend_from_slice(&part);
    }
    Ok(content)
}

async fn commit(
    space: &Space,
    world: &Arc<World>,
    id: OperationId,
    born: Option<Generation>,
    wish: &Wish,
    slowly: bool,
) -> Result<Committed, Error> {
    let operation = match wish {
        Wish::MakeDirectory { path: at, parents } => {
            Operation::MakeDirectory { path: path(at), parents: *parents }
        }
        Wish::Put { path: at, content, demand, parents } => {
            let announced =
                (content.length < UNRESERVED || world.chance(500)).then_some(Size(content.length));
            let mut stage = space.stage(announced).await?;
            let bytes = Bytes::from(content.bytes(0, content.length));
            let step = 1 + usize::try_from(world.below(content.length + 1)).unwrap();
            let step = step.max(200);
            for from in (0..bytes.len()).step_by(step) {
                stage.write(bytes.slice(from..bytes.len().min(from + step))).await?;
            }
            if slowly {
                world.meet(Met::Dawdled);
                world.sleep(world.below(30_000_000)).await;
            }
            if world.chance(20) {
                // The client goes away before the end of its body.
                return Err(Error::OutcomeUnknown);
            }
            let content = stage.finish().await?;
            Operation::Put { path: path(at), content, condition: condition(demand), parents: *parents }
        }
        Wish::Move { from, to, overwrite } => {
            Operation::Move { from: path(from), to: path(to), overwrite: *overwrite }
        }
        Wish::Copy { from, to, overwrite } => {
            Operation::Copy { from: path(from), to: path(to), overwrite: *overwrite }
        }
        Wish::Delete { path: at, demand } => {
            Operation::Delete { path: path(at), condition: condition(demand), permanently: true }
        }
        Wish::Limit { roster, target, ceiling } => Operation::Limit {
            roster_generation: RosterGeneration(*roster),
            target: Size(*target),
            ceiling: Size(*ceiling),
        },
        Wish::CreateUpload { .. } | Wish::Import { .. } => return Err(Error::OutcomeUnknown),
    };
    space.commit(Request { id, born, locks: Vec::new(), operation }).await
}
