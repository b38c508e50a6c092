//! The audit log: who did what to which file. Names of files are its purpose, so it is a stream of its own, and off unless
//! somebody wants it (decision 0022).

use std::time::Instant;

use api::generation::Generation;
use api::ids::{MemberUid, SpaceId};
use jiff::Timestamp;
use serde::Serialize;
use spaces::{
    Committed, Error, Freshness, Node, NodePath, Operation, OperationId, Purge, Request, Space, Transfer,
    Transferred,
};
use uuid::Uuid;

use super::Observed;
use super::outcome::Outcome;
use crate::auth::{Grant, Via};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    member: MemberUid,
    via: Via,
    space: SpaceId,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_space: Option<SpaceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Uuid>,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<Generation>,
}

/// What is done, and to what.
#[derive(Debug, Default, PartialEq, Eq)]
struct Deed {
    action: &'static str,
    path: Option<String>,
    to: Option<String>,
    node: Option<u64>,
}

impl Deed {
    fn new(action: &'static str, path: &NodePath) -> Self {
        Self { action, path: Some(path.to_string()), ..Self::default() }
    }

    fn of(operation: &Operation) -> Self {
        let onto = |deed: Self, to: &NodePath| Self { to: Some(to.to_string()), ..deed };
        let only = |action| Self { action, ..Self::default() };
        match operation {
            Operation::MakeDirectory { path, .. } => Self::new("make-directory", path),
            Operation::Put { path, .. } => Self::new("write", path),
            Operation::Move { from, to, .. } => onto(Self::new("move", from), to),
            Operation::Copy { from, to, .. } => onto(Self::new("copy", from), to),
            Operation::Delete { path, permanently: false, .. } => Self::new("delete", path),
            Operation::Delete { path, permanently: true, .. } => Self::new("delete-for-good", path),
            Operation::Restore { item, to, .. } => {
                Self { to: to.as_ref().map(ToString::to_string), node: Some(item.0), ..only("restore") }
            }
            Operation::Purge(Purge::Everything) => only("empty-trash"),
            Operation::Purge(Purge::Item(item)) => Self { node: Some(item.0), ..only("purge") },
            Operation::Purge(Purge::Version { path, .. } | Purge::Versions { path }) => {
                Self::new("purge-versions", path)
            }
            Operation::BringBack { path, to, .. } => onto(Self::new("bring-back", path), to),
            Operation::RestoreVersion { path, .. } => Self::new("restore-version", path),
            Operation::Lock { path, .. } => Self::new("lock", path),
            Operation::RefreshLock { path, .. } => Self::new("refresh-lock", path),
            Operation::Unlock { path, .. } => Self::new("unlock", path),
            Operation::CreateShare { path, .. } => Self::new("share", path),
            Operation::RemoveShare { .. } => only("remove-share"),
            Operation::UseShare { .. } => only("use-share"),
            Operation::SetProperties { path, .. } => Self::new("set-properties", path),
            Operation::Close { .. } => only("close"),
            Operation::Limit { .. } => only("limit"),
        }
    }
}

/// A space as a grant opens it: what is changed in it is seen from outside.
pub(crate) struct Opened {
    space: Space,
    grant: Grant,
    observed: Observed,
}

impl std::ops::Deref for Opened {
    type Target = Space;

    fn deref(&self) -> &Space {
        &self.space
    }
}

impl Opened {
    pub(crate) fn new(space: Space, grant: Grant, observed: Observed) -> Self {
        Self { space, grant, observed }
    }

    /// As [`Space::commit`].
    ///
    /// # Errors
    /// Those.
    pub(crate) async fn commit(&self, request: Request) -> Result<Committed, Error> {
        let deed =
            if self.observed.audit().is_on() { Some(self.deed(&request.operation).await) } else { None };
        let (id, begun) = (request.id, Instant::now());
        let result = self.space.commit(request).await;
        self.observed.committed(&self.grant.volume, Outcome::of(&result), begun.elapsed());
        if let Some(deed) = deed {
            self.tell(deed, Some(id), None, &result);
        }
        result
    }

    /// As [`Space::copy_to`].
    ///
    /// # Errors
    /// Those.
    pub(crate) async fn copy_to(&self, to: &Self, what: Transfer) -> Result<Transferred, Error> {
        let (deed, id) = self.transfer("copy", &what);
        let result = self.space.copy_to(&to.space, what).await;
        self.transferred(deed, id, to, &result);
        result
    }

    /// As [`Space::move_to`].
    ///
    /// # Errors
    /// Those.
    pub(crate) async fn move_to(&self, to: &Self, what: Transfer) -> Result<Transferred, Error> {
        let (deed, id) = self.transfer("move", &what);
        let result = self.space.move_to(&to.space, what).await;
        self.transferred(deed, id, to, &result);
        result
    }

    /// An upload is complete: its last bytes made it a file.
    pub(crate) async fn uploaded(&self, result: &Result<Committed, Error>) {
        if !self.observed.audit().is_on() {
            return;
        }
        let path = match result {
            Ok(Committed { generation, node: Some(node) }) => {
                let after = self.space.snapshot(Freshness::AtLeast(*generation)).await.ok();
                after.and_then(|after| after.path_of(node.id))
            }
            _ => None,
        };
        let path = path.map(|path| path.to_string());
        self.tell(Deed { action: "upload", path, ..Deed::default() }, None, None, result);
    }

    /// A file was read, or begun to be.
    pub(crate) fn was_read(&self, node: &Node, name: &str, generation: Generation) {
        if !self.observed.audit().is_on() {
            return;
        }
        let path = Some(name.to_owned());
        let deed = Deed { action: "read", path, node: Some(node.id.0), to: None };
        self.tell(deed, None, None, &Ok(Committed { generation, node: None }));
    }

    async fn deed(&self, operation: &Operation) -> Deed {
        let mut deed = Deed::of(operation);
        // Afterwards it has no path any more.
        if let Operation::Delete { path, .. } = operation {
            let before = self.space.snapshot(Freshness::Now).await.ok();
            deed.node = before.and_then(|before| before.lookup(path)).map(|node| node.id.0);
        }
        deed
    }

    fn transfer(&self, action: &'static str, what: &Transfer) -> (Deed, OperationId) {
        (Deed { to: Some(what.to.to_string()), ..Deed::new(action, &what.from) }, what.id)
    }

    fn transferred(&self, deed: Deed, id: OperationId, to: &Self, result: &Result<Transferred, Error>) {
        self.observed.moved_between(Outcome::of(result), &to.grant.volume);
        if self.observed.audit().is_on() {
            let result = match result {
                Ok(done) => Ok(done.committed.clone()),
                Err(error) => Err(error.clone()),
            };
            self.tell(deed, Some(id), Some(to.grant.space), &result);
        }
    }

    fn tell(
        &self,
        deed: Deed,
        id: Option<OperationId>,
        to_space: Option<SpaceId>,
        result: &Result<Committed, Error>,
    ) {
        let Deed { action, path, to, node } = deed;
        let made = result.as_ref().ok().and_then(|committed| committed.node.as_ref()).map(|node| node.id.0);
        let reason = result.as_ref().err().map(ToString::to_string);
        self.observed.audit().write(&Line {
            time: Timestamp::now(),
            request_id: serve::current_request_id(),
            member: self.grant.member,
            via: self.grant.via,
            space: self.grant.space,
            action,
            path,
            to,
            to_space,
            node: node.or(made),
            operation: id.map(|id| id.0),
            outcome: Outcome::of(result),
            reason: reason.as_deref(),
            generation: result.as_ref().ok().map(|committed| committed.generation),
        });
    }
}
