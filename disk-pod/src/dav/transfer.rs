//! `COPY` and `MOVE`.

use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use spaces::{
    Committed, Condition, Freshness, Named, NodePath, Operation, PropertyChanges, Source, Transfer,
    Transferred,
};

use super::file::seconds;
use super::headers::{Depth, destination, no_body, overwrite};
use super::place::{Place, Spot};
use super::refusal::Refused;
use super::tree;
use super::visit::Visit;
use crate::app::App;
use crate::auth::{Identity, Need};
use crate::error::Error;
use crate::http::{generation, request};

/// So many entries are looked up at once.
const PAGE: usize = 500;

/// What is done with the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Copy,
    Move,
}

/// Gives what is at one place another place, or makes a copy of it there.
pub(super) async fn transfer(
    app: &App,
    head: &Parts,
    identity: &Identity,
    place: Place,
    way: Way,
) -> Result<Response, Refused> {
    no_body(&head.headers)?;
    let depth = Depth::of(&head.headers)?;
    let overwrite = overwrite(&head.headers)?;
    let whole = || Refused::Status(StatusCode::FORBIDDEN, "a whole disk can be neither copied nor moved");
    let to = destination(app, head)?;
    if matches!(to, Place::Hall(_)) {
        return Err(Refused::Status(StatusCode::FORBIDDEN, "nothing can be put here: choose a disk"));
    }
    let need = if way == Way::Move { Need::Write } else { Need::Read };
    let source = place.clone().spot(app, identity, need)?;
    let to = to.spot(app, identity, Need::Write)?;
    let between = source.grant.space != to.grant.space;
    let (here, there);
    let (visit, target) = if between {
        (here, there) = Visit::begin_between(app, head, identity, source, to.clone()).await?;
        (&here, &there)
    } else {
        here = Visit::begin(app, head, identity, place, need).await?;
        (&here, &here)
    };
    let (from, path) = (visit.spot.path.clone(), to.path.clone());
    if from.is_root() {
        return Err(whole());
    }
    if !between && from == path {
        return Err(Refused::Status(
            StatusCode::FORBIDDEN,
            "it is there already: source and destination are one",
        ));
    }
    let is_directory = visit.snapshot.lookup(&from).is_some_and(|node| node.is_directory());
    let shallow = match (way, depth) {
        (Way::Copy, Depth::Zero) => is_directory,
        (_, Depth::Infinity) => false,
        (Way::Move, Depth::Zero) if !is_directory => false,
        _ => return Err(Error::BadRequest("Depth must be infinity here, or 0 for a COPY".to_owned()).into()),
    };
    let journey = Journey { way, visit, target, to: &to, from: &from, overwrite, between };
    let committed = match way {
        Way::Move if between => journey.moved_between().await?,
        Way::Move => journey.moved().await.map_err(|error| journey.refused(error))?,
        Way::Copy if shallow => journey.copied_shallow().await.map_err(|error| journey.refused(error))?,
        Way::Copy => journey.copied().await.map_err(|error| journey.refused(error))?,
    };
    let replaced = target.was_there(&path).await;
    if let Some(seconds) = seconds(&head.headers) {
        let modified = Some(seconds.saturating_mul(1000));
        let changes = PropertyChanges { modified, ..PropertyChanges::default() };
        let operation = Operation::SetProperties { path, condition: Condition::None, changes };
        // It is there; that it is of another time than was said is no reason to say that it is not.
        let _ = target.space.commit(target.step(operation)).await;
    }
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    let status = if replaced { StatusCode::NO_CONTENT } else { StatusCode::CREATED };
    Ok((status, headers).into_response())
}

/// From one place to another.
struct Journey<'a> {
    way: Way,
    /// Where it begins.
    visit: &'a Visit<'a>,
    /// The disk where it ends: another one, or the same visit.
    target: &'a Visit<'a>,
    to: &'a Spot,
    from: &'a NodePath,
    overwrite: bool,
    /// Whether the disks are two.
    between: bool,
}

type Done = Result<Committed, spaces::Error>;

impl Journey<'_> {
    async fn moved(&self) -> Done {
        let (from, to) = (self.from.clone(), self.to.path.clone());
        self.commit(Operation::Move { from, to, overwrite: self.overwrite }).await
    }

    /// Two logs have no one moment: it is copied, and then the source goes if it is as it was.
    async fn moved_between(&self) -> Result<Committed, Refused> {
        let transfer = self.named(self.copy(self.from.clone(), self.to.path.clone(), self.overwrite))?;
        let moved = self.visit.space.move_to(&self.target.space, transfer).await;
        let Transferred { committed, source } = moved.map_err(|error| self.refused(error))?;
        if source == Source::Changed
            && self.visit.space.snapshot(Freshness::Now).await?.lookup(self.from).is_some()
        {
            return Err(Refused::Status(
                StatusCode::CONFLICT,
                "it was changed while it was moved: it is at the destination as it was, and here as it is now",
            ));
        }
        Ok(committed)
    }

    async fn copied(&self) -> Done {
        let (from, to) = (self.from.clone(), self.to.path.clone());
        let copied = if self.between {
            let transfer = self.named(self.copy(from, to, self.overwrite));
            self.carry(transfer.map_err(|_| spaces::Error::Precondition)?).await
        } else {
            self.commit(Operation::Copy { from, to, overwrite: self.overwrite }).await
        };
        match copied {
            Err(spaces::Error::TooMany { .. }) => self.copied_in_parts().await,
            done => done,
        }
    }

    /// The operation that the request is named after.
    async fn commit(&self, operation: Operation) -> Done {
        let request = self.target.request(operation).map_err(|_| spaces::Error::Precondition)?;
        self.target.space.commit(request).await
    }

    async fn step(&self, operation: Operation) -> Done {
        self.target.space.commit(self.target.step(operation)).await
    }

    /// Between two disks, as one step of several.
    fn copy(&self, from: NodePath, to: NodePath, overwrite: bool) -> Transfer {
        let id = spaces::OperationId(uuid::Uuid::new_v4());
        let locks = [self.visit.held(), self.target.held()].concat();
        Transfer { from, to, overwrite, locks, id, born: None }
    }

    /// The same, as what the request is named after.
    fn named(&self, transfer: Transfer) -> Result<Transfer, Error> {
        Ok(match request::named(&self.visit.head.headers)? {
            Some(Named { id, born }) => Transfer { id, born, ..transfer },
            None => transfer,
        })
    }

    async fn carry(&self, transfer: Transfer) -> Done {
        Ok(self.visit.space.copy_to(&self.target.space, transfer).await?.committed)
    }

    /// Whether what is at a path of the destination holds the source.
    fn is_from_within(&self, path: &NodePath) -> bool {
        !self.between && self.from.starts_with(path)
    }

    /// A directory without what is in it, but with its properties.
    async fn copied_shallow(&self) -> Done {
        let make = || Operation::MakeDirectory { path: self.to.path.clone(), parents: false };
        let made = match self.commit(make()).await {
            Err(spaces::Error::Exists) => {
                self.clear().await?;
                self.commit(make()).await?
            }
            made => made?,
        };
        self.properties(self.from, self.to.path.clone(), made).await
    }

    /// What is in the way goes, if it may.
    async fn clear(&self) -> Result<(), spaces::Error> {
        let path = &self.to.path;
        if self.target.space.snapshot(Freshness::Now).await?.lookup(path).is_none() {
            return Ok(());
        }
        if !self.overwrite || self.is_from_within(path) {
            return Err(spaces::Error::Exists);
        }
        let delete = Operation::Delete { path: path.clone(), condition: Condition::None, permanently: false };
        let request = self.target.step(delete);
        let id = request.id;
        match self.target.space.commit(request).await {
            Err(spaces::Error::TooMany { .. }) => tree::in_parts(self.target, path, id).await.map(drop),
            Ok(_) | Err(spaces::Error::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn directory(&self, from: &NodePath, to: NodePath) -> Done {
        let made = self.step(Operation::MakeDirectory { path: to.clone(), parents: false }).await?;
        self.properties(from, to, made).await
    }

    /// Gives a directory that was just made the properties of another.
    async fn properties(&self, from: &NodePath, to: NodePath, made: Committed) -> Done {
        let source = self.visit.snapshot.lookup(from).ok_or(spaces::Error::NotFound)?;
        let set = self.visit.snapshot.properties(source.id);
        if set.is_empty() {
            return Ok(made);
        }
        let changes = PropertyChanges { set, ..PropertyChanges::default() };
        self.step(Operation::SetProperties { path: to, condition: Condition::None, changes }).await
    }

    /// A tree that is too large for one step: what fits into one is copied at once, the rest directory by directory.
    async fn copied_in_parts(&self) -> Done {
        if !self.between && self.to.path.starts_with(self.from) {
            return Err(spaces::Error::IntoItself);
        }
        self.clear().await?;
        // With nothing in its way it may fit.
        let mut last = match self.part(self.from.clone(), self.to.path.clone()).await {
            Err(spaces::Error::TooMany { .. }) if self.is_directory(self.from) => None,
            done => return done,
        };
        let mut open = vec![NodePath::root()];
        while let Some(below) = open.pop() {
            let (from, to) = (within(self.from, &below), within(&self.to.path, &below));
            last = Some(self.directory(&from, to).await?);
            let mut after = None;
            loop {
                let entries = self.visit.snapshot.list(&from, after.as_ref(), PAGE);
                for (name, node) in &entries {
                    let path = below.join(name.clone());
                    match self.part(within(self.from, &path), within(&self.to.path, &path)).await {
                        Ok(committed) => last = Some(committed),
                        Err(spaces::Error::TooMany { .. }) if node.is_directory() => open.push(path),
                        // Somebody took it away meanwhile.
                        Err(spaces::Error::NotFound) => {}
                        Err(error) => return Err(error),
                    }
                }
                match entries.last() {
                    Some((name, _)) if entries.len() == PAGE => after = Some(name.clone()),
                    _ => break,
                }
            }
        }
        last.ok_or(spaces::Error::NotFound)
    }

    async fn part(&self, from: NodePath, to: NodePath) -> Done {
        if self.between {
            self.carry(self.copy(from, to, false)).await
        } else {
            self.step(Operation::Copy { from, to, overwrite: false }).await
        }
    }

    fn is_directory(&self, path: &NodePath) -> bool {
        self.visit.snapshot.lookup(path).is_some_and(|node| node.is_directory())
    }

    /// Whether a lock that nobody who asks holds is the one of the source that is in the way of a move.
    fn is_of_source(&self, root: &NodePath) -> bool {
        let held = self.visit.held();
        let mut locks = self.visit.snapshot.locks(root).into_iter();
        locks.any(|lock| lock.root == *root && !held.contains(&lock.lock.token))
    }

    fn refused(&self, error: spaces::Error) -> Refused {
        let source_is_there = || self.visit.snapshot.lookup(self.from).is_some();
        match error {
            spaces::Error::NotFound if !source_is_there() => Error::NotFound.into(),
            spaces::Error::TooMany { .. } if self.between => Refused::Status(
                StatusCode::FORBIDDEN,
                "no more than 10,000 files and directories go from one disk to another at once: take them in parts",
            ),
            spaces::Error::Exists if self.overwrite => Refused::Status(
                StatusCode::FORBIDDEN,
                "the destination holds the source: it can not be replaced by it",
            ),
            spaces::Error::Exists => {
                Refused::Status(StatusCode::PRECONDITION_FAILED, "something is at the destination already")
            }
            spaces::Error::Locked { ref root } if self.between => {
                let is_of_source = self.way == Way::Move && self.is_of_source(root);
                let spot = if is_of_source { &self.visit.spot } else { self.to };
                Refused::change(error, spot, StatusCode::CONFLICT)
            }
            // A lock below the source or below the destination.
            spaces::Error::Locked { ref root } if root.starts_with(&self.to.path) => {
                Refused::change(error, self.to, StatusCode::CONFLICT)
            }
            error => Refused::change(error, &self.visit.spot, StatusCode::CONFLICT),
        }
    }
}

fn within(directory: &NodePath, below: &NodePath) -> NodePath {
    NodePath::from(directory.names().iter().chain(below.names()).cloned().collect::<Vec<_>>())
}
