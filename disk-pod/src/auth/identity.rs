//! Who asks, before it is known for which space: whoever mounts a disk shows one name and password for all of his
//! spaces, and a ticket is for one.

use api::ids::{MemberUid, SpaceId};
use api::ticket::{Access, Link, Ticket};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use jiff::Timestamp;
use serde::Serialize;

use super::{Grant, Need, basic, holds, token};
use crate::app::App;
use crate::error::Error;
use crate::links;

/// Who asks, and the most that may be done. What really may be done, the roster says for each space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub(super) member: MemberUid,
    pub(super) via: Via,
    pub(super) access: Access,
    pub(super) scope: Option<Scope>,
    /// Of a visitor: what the link allows.
    pub(super) link: Option<Link>,
}

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// With a ticket of a web pod.
    Ticket,
    /// With the ticket that came by a share link: the member is the one who made the link.
    Link,
    /// With name and password.
    Password,
    /// With the name and a password for programs.
    AppPassword,
}

/// The one space, and perhaps directory, that something is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The space.
    pub space: SpaceId,
    /// The path at or below which everything must lie; `None`: the whole space.
    pub path: Option<String>,
}

impl Identity {
    pub(super) fn of_ticket(ticket: &Ticket) -> Self {
        let Ticket { member, space, access, path, link, .. } = ticket;
        let scope = Scope { space: *space, path: path.clone() };
        let via = if link.is_some() { Via::Link } else { Via::Ticket };
        Self { member: *member, via, access: *access, scope: Some(scope), link: *link }
    }

    #[cfg(test)]
    pub(super) fn of_member(member: MemberUid) -> Self {
        Self { member, via: Via::Password, access: Access::ReadWrite, scope: None, link: None }
    }

    /// How the member signed in.
    pub fn via(&self) -> Via {
        self.via
    }

    /// The member who asks.
    pub fn member(&self) -> MemberUid {
        self.member
    }

    /// The one space that this is good for; `None`: every space in which the member has a part.
    pub fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Whether anything may be changed by it at all.
    pub fn may_write(&self) -> bool {
        self.access == Access::ReadWrite
    }

    /// What may be done in a space, by this and by what the roster says now.
    ///
    /// # Errors
    /// Says which check failed; nothing about the space is told before all have passed.
    pub fn grant(&self, app: &App, space: SpaceId, need: Need) -> Result<Grant, Error> {
        let subtree = match &self.scope {
            None => None,
            Some(scope) if scope.space == space => scope.path.clone(),
            Some(_) => {
                return Err(Error::Forbidden(
                    "the ticket is for another space; ask the web server for one for this space",
                ));
            }
        };
        let Self { member, via, access, scope: _, link: _ } = *self;
        let roster = app.roster.current();
        let volume = holds(&roster, member, space, access, need)?.volume().clone();
        app.answers(&volume)?;
        Ok(Grant { member, via, access, need, space, volume, subtree })
    }
}

/// Who makes a request.
///
/// # Errors
/// When nobody is named, or it cannot be believed.
pub async fn identify(app: &App, head: &Parts) -> Result<Identity, Error> {
    if let Some(known) = head.extensions.get::<Identity>() {
        return Ok(known.clone());
    }
    if basic::is_shown(head) { basic::by_password(app, head).await } else { member_by_ticket(app, head) }
}

/// Whose ticket a request shows, unless it is a visitor's: what he may do depends on more than the ticket.
pub(super) fn member_by_ticket(app: &App, head: &Parts) -> Result<Identity, Error> {
    let identity = by_ticket(app, head)?;
    match identity.link {
        None => Ok(identity),
        Some(_) => Err(Error::Forbidden("the link does not allow this")),
    }
}

/// Finds out who makes a request, before a handler asks what may be done. What is wrong with a ticket the handler says.
pub(crate) async fn know(State(app): State<App>, request: Request, next: Next) -> Result<Response, Error> {
    let (mut head, body) = request.into_parts();
    let known = if basic::is_shown(&head) {
        Some(basic::by_password(&app, &head).await?)
    } else {
        by_ticket(&app, &head).ok()
    };
    let Some(mut identity) = known else { return Ok(next.run(Request::from_parts(head, body)).await) };
    let Some(link) = identity.link else {
        head.extensions.insert(identity);
        return Ok(next.run(Request::from_parts(head, body)).await);
    };
    let path = links::visit(&app, &mut head, &identity, &link).await?;
    if let Some(scope) = &mut identity.scope {
        scope.path = Some(path.to_string());
    }
    head.extensions.insert(identity.clone());
    let asked = head.clone();
    let response = next.run(Request::from_parts(head, body)).await;
    if response.status().is_success() && link.access.reads() {
        links::still(&app, &asked, &identity, &link, &path).await?;
    }
    Ok(response)
}

/// Who shows the ticket of a request.
pub(super) fn by_ticket(app: &App, head: &Parts) -> Result<Identity, Error> {
    let token = token(head)?;
    let roster = app.roster.current();
    if !app.roster.is_loaded() {
        return Err(Error::RosterMissing);
    }
    let ticket = app.tickets.verify(&token, &roster, app.cluster, Timestamp::now())?;
    Ok(Identity::of_ticket(&ticket))
}
