//! `COPY` and `MOVE`.

use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use spaces::{Committed, Condition, Freshness, NodePath, Operation, PropertyChanges};

use super::file::seconds;
use super::headers::{Depth, destination, no_body, overwrite};
use super::place::{Place, Spot};
use super::refusal::Refused;
use super::tree;
use super::visit::Visit;
use crate::app::App;
use crate::auth::{Identity, Need};
use crate::error::Error;
use crate::http::generation;

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
    let visit = Visit::begin(app, head, identity, place, need).await?;
    let to = to.spot(app, identity, Need::Write)?;
    if to.grant.space != visit.spot.grant.space {
        return Err(Refused::Status(
            StatusCode::BAD_GATEWAY,
            "from one disk to another nothing is copied here: read it from one and write it to the other",
        ));
    }
    let (from, path) = (visit.spot.path.clone(), to.path.clone());
    if from.is_root() {
        return Err(whole());
    }
    if from == path {
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
    let journey = Journey { visit: &visit, to: &to, from: &from, overwrite };
    let committed = match way {
        Way::Move => journey.moved().await,
        Way::Copy if shallow => journey.copied_shallow().await,
        Way::Copy => journey.copied().await,
    };
    let committed = committed.map_err(|error| journey.refused(error))?;
    let replaced = visit.was_there(&path).await;
    if let Some(seconds) = seconds(&head.headers) {
        let modified = Some(seconds.saturating_mul(1000));
        let changes = PropertyChanges { modified, ..PropertyChanges::default() };
        let operation = Operation::SetProperties { path, condition: Condition::None, changes };
        // It is there; that it is of another time than was said is no reason to say that it is not.
        let _ = visit.space.commit(visit.step(operation)).await;
    }
    let mut headers = HeaderMap::new();
    generation::stamp(&mut headers, committed.generation);
    let status = if replaced { StatusCode::NO_CONTENT } else { StatusCode::CREATED };
    Ok((status, headers).into_response())
}

/// From one place of a disk to another.
struct Journey<'a> {
    visit: &'a Visit<'a>,
    to: &'a Spot,
    from: &'a NodePath,
    overwrite: bool,
}

type Done = Result<Committed, spaces::Error>;

impl Journey<'_> {
    async fn moved(&self) -> Done {
        let (from, to) = (self.from.clone(), self.to.path.clone());
        self.commit(Operation::Move { from, to, overwrite: self.overwrite }).await
    }

    async fn copied(&self) -> Done {
        let (from, to) = (self.from.clone(), self.to.path.clone());
        match self.commit(Operation::Copy { from, to, overwrite: self.overwrite }).await {
            Err(spaces::Error::TooMany { .. }) => self.copied_in_parts().await,
            done => done,
        }
    }

    /// The operation that the request is named after.
    async fn commit(&self, operation: Operation) -> Done {
        let request = self.visit.request(operation).map_err(|_| spaces::Error::Precondition)?;
        self.visit.space.commit(request).await
    }

    async fn step(&self, operation: Operation) -> Done {
        self.visit.space.commit(self.visit.step(operation)).await
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
        if self.visit.space.snapshot(Freshness::Now).await?.lookup(path).is_none() {
            return Ok(());
        }
        if !self.overwrite || self.from.starts_with(path) {
            return Err(spaces::Error::Exists);
        }
        let delete = Operation::Delete { path: path.clone(), condition: Condition::None, permanently: false };
        let request = self.visit.step(delete);
        let id = request.id;
        match self.visit.space.commit(request).await {
            Err(spaces::Error::TooMany { .. }) => tree::in_parts(self.visit, path, id).await.map(drop),
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
        if self.to.path.starts_with(self.from) {
            return Err(spaces::Error::IntoItself);
        }
        self.clear().await?;
        let mut open = vec![NodePath::root()];
        let mut last = None;
        while let Some(below) = open.pop() {
            let (from, to) = (within(self.from, &below), within(&self.to.path, &below));
            last = Some(self.directory(&from, to).await?);
            let mut after = None;
            loop {
                let entries = self.visit.snapshot.list(&from, after.as_ref(), PAGE);
                for (name, _) in &entries {
                    let path = below.join(name.clone());
                    let (from, to) = (within(self.from, &path), within(&self.to.path, &path));
                    match self.step(Operation::Copy { from, to, overwrite: false }).await {
                        Ok(committed) => last = Some(committed),
                        Err(spaces::Error::TooMany { .. }) => open.push(path),
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

    fn refused(&self, error: spaces::Error) -> Refused {
        let source_is_there = || self.visit.snapshot.lookup(self.from).is_some();
        match error {
            spaces::Error::NotFound if !source_is_there() => Error::NotFound.into(),
            spaces::Error::Exists if self.overwrite => Refused::Status(
                StatusCode::FORBIDDEN,
                "the destination holds the source: it can not be replaced by it",
            ),
            spaces::Error::Exists => {
                Refused::Status(StatusCode::PRECONDITION_FAILED, "something is at the destination already")
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
