//! What every request about something on a disk begins with: who asks, which disk, how it is now, and whether the
//! `If` header holds.

use std::collections::BTreeMap;

use api::generation::Generation;
use http::StatusCode;
use http::request::Parts;
use spaces::{Freshness, Lock, LockDepth, LockToken, Named, Node, NodePath, Operation, Request, Snapshot};

use super::condition::{If, Known};
use super::headers;
use super::place::{Place, Spot};
use super::refusal::Refused;
use crate::app::App;
use crate::auth::{Identity, Need};
use crate::error::Error;
use crate::http::request;
use crate::observe::audit::Opened;

/// A request about something on a disk, past all that could refuse it without a look at what it wants.
pub(crate) struct Visit<'a> {
    pub(crate) app: &'a App,
    pub(crate) head: &'a Parts,
    pub(crate) identity: &'a Identity,
    /// What its URL names.
    pub(crate) spot: Spot,
    pub(crate) space: Opened,
    /// The disk as it is. No client of WebDAV can say what it has seen already, so it is always asked for anew.
    pub(crate) snapshot: Snapshot,
    /// The header, which holds.
    pub(crate) conditions: If,
    /// The generation that has the operation already, when the request repeats one: then nothing is asked of how things
    /// are now, and the commit answers as it did.
    pub(crate) repeats: Option<Generation>,
}

impl<'a> Visit<'a> {
    /// Looks at the place of a request.
    ///
    /// # Errors
    /// When it may not be done, or the `If` header does not hold: then it is 412.
    pub(crate) async fn begin(
        app: &'a App,
        head: &'a Parts,
        identity: &'a Identity,
        place: Place,
        need: Need,
    ) -> Result<Self, Refused> {
        let conditions = If::of(&head.headers)?;
        let spot = place.spot(app, identity, need)?;
        let visit = Self::at(app, head, identity, spot, conditions, request::named(&head.headers)?).await?;
        if visit.repeats.is_none() {
            visit.conditions_hold().await?;
        }
        Ok(visit)
    }

    /// Looks at the two places of a request that has one on each of two disks. Where it leads to is what remembers that
    /// it was done.
    ///
    /// # Errors
    /// As of [`Visit::begin`].
    pub(crate) async fn begin_between(
        app: &'a App,
        head: &'a Parts,
        identity: &'a Identity,
        from: Spot,
        to: Spot,
    ) -> Result<(Self, Self), Refused> {
        let conditions = If::of(&head.headers)?;
        let named = request::named(&head.headers)?;
        let there = Self::at(app, head, identity, to, conditions.clone(), named).await?;
        let here = Self::at(app, head, identity, from, conditions, None).await?;
        if there.repeats.is_none() {
            here.conditions_hold().await?;
        }
        Ok((here, there))
    }

    async fn at(
        app: &'a App,
        head: &'a Parts,
        identity: &'a Identity,
        spot: Spot,
        conditions: If,
        named: Option<Named>,
    ) -> Result<Self, Refused> {
        let space = app.space(&spot.grant);
        let snapshot = space.snapshot(Freshness::Now).await?;
        let repeats = match named {
            Some(Named { id, born }) => snapshot.outcome(id, born.unwrap_or(snapshot.generation()))?,
            None => None,
        };
        let repeats = repeats.map(|done| done.generation);
        Ok(Self { app, head, identity, spot, space, snapshot, conditions, repeats })
    }

    /// Whether the `If` header holds of the resource of the request, and of those that it names.
    async fn conditions_hold(&self) -> Result<(), Refused> {
        if self.conditions.is_absent() {
            return Ok(());
        }
        let own = known(&self.snapshot, &self.spot.path);
        let mut others = BTreeMap::new();
        for resource in self.conditions.resources() {
            if !others.contains_key(resource) {
                others.insert(resource.to_owned(), self.look(resource).await?);
            }
        }
        if !self.conditions.holds(&own, &others) {
            return Err(Refused::Status(StatusCode::PRECONDITION_FAILED, "the If header does not hold"));
        }
        Ok(())
    }

    /// What is known of a resource that the `If` header names. What is elsewhere or not for this member has no state.
    async fn look(&self, resource: &str) -> Result<Known, Refused> {
        let place = headers::place(self.app, self.head, resource).ok().flatten();
        let Some(place @ Place::On(..)) = place else { return Ok(Known::default()) };
        let Ok(spot) = place.spot(self.app, self.identity, Need::Read) else { return Ok(Known::default()) };
        if spot.grant.space == self.spot.grant.space {
            return Ok(known(&self.snapshot, &spot.path));
        }
        let snapshot = self.app.space(&spot.grant).snapshot(Freshness::Now).await?;
        Ok(known(&snapshot, &spot.path))
    }

    /// What is at the place.
    ///
    /// # Errors
    /// 404 when nothing is.
    pub(crate) fn node(&self) -> Result<Node, Refused> {
        self.snapshot.lookup(&self.spot.path).ok_or_else(|| Error::NotFound.into())
    }

    /// Whether something was at a path before the request, or before the one that it repeats.
    pub(crate) async fn was_there(&self, path: &NodePath) -> bool {
        if let Some(Generation(done)) = self.repeats
            && let Ok(before) = self.space.at(Generation(done.saturating_sub(1))).await
        {
            return before.lookup(path).is_some();
        }
        self.snapshot.lookup(path).is_some()
    }

    /// A lock that nobody who asks holds stands in the way, also of what changes nothing.
    ///
    /// # Errors
    /// 423 when one does.
    pub(crate) fn unlocked(&self) -> Result<(), Refused> {
        let now = jiff::Timestamp::now().as_millisecond();
        let locks = self.snapshot.locks(&self.spot.path).into_iter().filter(|lock| lock.expires >= now);
        let (locks, held): (Vec<_>, _) = (locks.collect(), self.held());
        match locks.first() {
            Some(nearest) if !locks.iter().any(|lock| held.contains(&lock.lock.token)) => {
                let error = spaces::Error::Locked { root: nearest.root.clone() };
                Err(Refused::change(error, &self.spot, StatusCode::CONFLICT))
            }
            _ => Ok(()),
        }
    }

    /// The locks that this member holds and named. The token of another's lock opens nothing (RFC 4918, section 6.4).
    pub(crate) fn held(&self) -> Vec<LockToken> {
        let mut tokens: Vec<LockToken> = self.conditions.tokens().collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens.retain(|token| self.snapshot.lock(*token).is_some_and(|lock| self.made(&lock)));
        tokens
    }

    /// Whether the member who asks made a lock.
    pub(crate) fn made(&self, lock: &Lock) -> bool {
        lock.lock.creator == self.creator()
    }

    /// What the locks of this member are marked with.
    pub(crate) fn creator(&self) -> String {
        self.identity.member().to_string()
    }

    /// An operation with the id that the client gave it, if it did, and the locks it holds.
    ///
    /// # Errors
    /// When the id is none.
    pub(crate) fn request(&self, operation: Operation) -> Result<Request, Refused> {
        let request = request::of(&self.head.headers, operation)?;
        Ok(Request { locks: self.held(), ..request })
    }

    /// One of several operations that a request is done in. It is not the one that a repetition asks for.
    pub(crate) fn step(&self, operation: Operation) -> Request {
        let id = spaces::OperationId(uuid::Uuid::new_v4());
        Request { id, born: None, locks: self.held(), operation }
    }
}

/// What is known of a place. Where nothing is, a lock that reaches down from above counts: it will protect what gets
/// this name.
fn known(snapshot: &Snapshot, path: &NodePath) -> Known {
    if let Some(node) = snapshot.lookup(path) {
        let locks = snapshot.locks(path).into_iter().map(|lock| lock.lock.token).collect();
        return Known { tag: Some(node.etag()), locks };
    }
    let mut above = path.clone();
    while let Some((directory, _)) = above.split_last() {
        above = NodePath::from(directory.to_vec());
        if snapshot.lookup(&above).is_some() {
            let reaching = snapshot.locks(&above).into_iter();
            let reaching = reaching.filter(|lock| lock.lock.depth == LockDepth::Infinity);
            return Known { tag: None, locks: reaching.map(|lock| lock.lock.token).collect() };
        }
    }
    Known::default()
}
