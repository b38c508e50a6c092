//! Members: they want things, ask any pod, and ask another one when they are not answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::generation::Generation;
use uuid::Uuid;

use super::chaos::Plan;
use super::coverage::Met;
use super::fleet::Fleet;
use super::history::{Answer, Call, History, Read};
use super::oracle::{Demand, Wish};
use super::wishes::{Asked, commit};
use super::world::World;
use crate::error::Error;
use crate::lock::LockToken;
use crate::node::{Kind, Node};
use crate::operation::{Committed, Condition, OperationId};
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
    /// What it might ask for later.
    pub(super) notes: Notes,
    pub(super) plan: Plan,
}

/// What a member knows of a space.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) history: Arc<History>,
    pub(super) token: u64,
    pub(super) seen: Option<(String, String)>,
    notes: Notes,
}

/// What a member remembers of a space to ask for later.
#[derive(Clone, Default)]
pub(super) struct Notes {
    /// Its locks.
    pub(super) locks: Vec<(String, LockToken)>,
    /// What was in the trash.
    pub(super) trash: Vec<u64>,
    /// Old contents of files.
    pub(super) versions: Vec<(String, u64)>,
}

pub(super) fn path(text: &str) -> NodePath {
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
        plan: Plan,
    ) -> Self {
        let [history, other] = histories;
        let elsewhere = Desk { history: other, token: 0, seen: None, notes: Notes::default() };
        let (token, seen, notes) = (0, None, Notes::default());
        Self { number, world, fleet, history, elsewhere, well, token, seen, notes, plan }
    }

    /// Turns to the other space.
    pub(super) fn turn(&mut self) {
        let Self { history, token, seen, notes, elsewhere, .. } = self;
        std::mem::swap(history, &mut elsewhere.history);
        std::mem::swap(token, &mut elsewhere.token);
        std::mem::swap(seen, &mut elsewhere.seen);
        std::mem::swap(notes, &mut elsewhere.notes);
    }

    /// Does so many things, one after another.
    pub(super) async fn run(mut self, things: u64) {
        for _ in 0..things {
            if self.world.chance(150) {
                self.turn();
            }
            match self.world.below(100) {
                0..3 if self.plan.more => self.look_back().await,
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
            && self.world.chance(self.plan.dawdlers);
        let born = (!once).then_some(Generation(self.token));
        let tokens = self.tokens();
        let place = {
            let mut told = self.history.told();
            let (wish, tokens) = (wish.clone(), tokens.clone());
            told.calls.push(Call { id, wish, tokens, asked: 0, answers: Vec::new() });
            told.calls.len() - 1
        };
        let mut attempts = 0;
        while attempts < ATTEMPTS {
            attempts += usize::from(self.well.load(Ordering::Relaxed));
            let (pod, history, wanted, number) =
                (self.pod(), self.history.clone(), wish.clone(), self.number);
            let tokens = tokens.clone();
            self.history.told().calls[place].asked += 1;
            let short = id.0.as_fields().0;
            self.world.note(|| format!("member {number} asks pod {pod} ({short:08x}): {wish:?}"));
            let world = self.world.clone();
            let asked = move |space: Space| async move {
                let after = history.known();
                let result = commit(&space, &world, Asked { id, born, tokens, slowly: once }, &wanted).await;
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
                    self.remember(&wish);
                    return Some(answer);
                }
                Some(answer @ (Answer::Refused(_) | Answer::Moot)) => return Some(answer),
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
            let (trash, versions) = left(&snapshot);
            if let (true, Some((path, node))) = (bytes_too, files(&snapshot).first()) {
                // What was deleted since may be gone.
                if let Ok(content) = contents(&space, node).await {
                    history.told().contents.push((generation, path.clone(), content));
                }
            }
            history.knows(generation);
            history.told().reads.push(read);
            Some((generation, seen, trash, versions))
        };
        if let Some(Some((generation, seen, trash, versions))) =
            self.fleet.ask(pod, self.history.space, 5_000_000, asked).await
        {
            self.token = self.token.max(generation);
            self.seen = seen;
            (self.notes.trash, self.notes.versions) = (trash, versions);
        }
    }

    /// Looks at how it was.
    async fn look_back(&mut self) {
        let (history, world) = (self.history.clone(), self.world.clone());
        let (then, pod, number) = (self.world.below(self.token + 1), self.pod(), self.number);
        self.world.note(|| format!("member {number} looks at generation {then} at pod {pod}"));
        let asked = move |space: Space| async move {
            let snapshot = match space.at(Generation(then)).await {
                Ok(snapshot) => snapshot,
                Err(Error::HistoryGone { oldest }) => {
                    world.meet(Met::PastGone);
                    if oldest.0 <= then || oldest.0 > history.newest() {
                        world.wrong(format!("6: {oldest} is said to be the oldest, and {then} to be gone"));
                    }
                    return;
                }
                // What a volume hides for a while is not there yet.
                Err(Error::NotYet { .. }) if history.blind => return,
                Err(error) => {
                    history.answer(&error);
                    return;
                }
            };
            world.meet(Met::PastRead);
            history.told().reads.push(describe(&snapshot, then, history.window(0)));
            for (path, node) in files(&snapshot).into_iter().take(2) {
                // What was deleted since may be gone.
                if let Ok(content) = contents(&space, &node).await {
                    history.told().contents.push((then, path, content));
                }
            }
        };
        self.fleet.ask(pod, self.history.space, 5_000_000, asked).await;
    }
}

/// What is in the trash, and the old contents of files.
fn left(snapshot: &Snapshot) -> (Vec<u64>, Vec<(String, u64)>) {
    let trash = snapshot.trash(None, 9).into_iter().map(|item| item.node.id.0).collect();
    let mut versions = Vec::new();
    for (at, _) in files(snapshot) {
        for old in snapshot.versions(&path(&at)) {
            if let Kind::File { version, .. } = old.node.kind {
                versions.push((at.clone(), version));
            }
        }
    }
    (trash, versions)
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
    let sums = [usage.used, usage.reserved, usage.limit, usage.trash, usage.versions].map(|bytes| bytes.0);
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
