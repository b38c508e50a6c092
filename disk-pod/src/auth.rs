//! Who asks, and whether they may: the ticket says what was granted, the roster what still holds.
//!
//! A ticket lives for minutes; a member suspended, a role lowered, a group made an archive must count at once.
//! So the roster is asked at each request, and the lesser of both holds.

mod basic;
mod identity;
mod memory;
mod tickets;
mod web_pods;

use api::ids::{MemberUid, SpaceId, VolumeName};
use api::role::Role;
use api::ticket::Access;
use http::request::Parts;
use http::{Method, header};
use roster::{GroupAccess, MemberState, Mode, Owner, Roster};
use serde::Deserialize;
use spaces::NodePath;

pub use crate::standalone::PasswordFile;
pub use basic::{CHALLENGE, Checker, Passwords};
pub(crate) use identity::know;
pub use identity::{Identity, Scope, Via, identify};
pub use tickets::Tickets;
pub use web_pods::WebPods;

use crate::app::App;
use crate::error::Error;

/// What a request is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Look, change nothing.
    Read,
    /// Change something.
    Write,
}

/// What a request may do: in which space, and under which directory of it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who asks.
    pub member: MemberUid,
    /// How he signed in.
    pub via: Via,
    /// What the ticket allows.
    pub access: Access,
    /// What is done with it.
    pub need: Need,
    /// The space that the ticket is for.
    pub space: SpaceId,
    /// Its home volume.
    pub volume: VolumeName,
    /// The directory outside of which nothing is shown; `None`: the whole space.
    pub subtree: Option<String>,
}

/// Checks what a request may do in a space, as written in its URL.
///
/// # Errors
/// Says which check failed; nothing about the space is told before all have passed.
pub fn authorise(app: &App, head: &Parts, space: &str, need: Need) -> Result<Grant, Error> {
    let identity = match head.extensions.get::<Identity>() {
        Some(known) => known.clone(),
        None => identity::member_by_ticket(app, head)?,
    };
    identity.grant(app, space.parse().map_err(|_| Error::UnknownSpace)?, need)
}

/// Whether a ticket of this kind counts by this roster, and whose the space is.
fn holds(
    roster: &Roster,
    member: MemberUid,
    space: SpaceId,
    access: Access,
    need: Need,
) -> Result<Owner<'_>, Error> {
    let settings = roster.settings();
    if settings.mode == Mode::Offline {
        return Err(Error::Offline(settings.notice.clone()));
    }
    let known = roster.member_by_uid(member).ok_or(Error::Forbidden(NO_MEMBER))?;
    match known.state {
        MemberState::Active => {}
        MemberState::Suspended | MemberState::Pending => return Err(Error::Suspended),
    }
    let owner = roster.space_owner(space).ok_or(Error::UnknownSpace)?;
    let role = roster.role_in(member, space).ok_or(Error::Forbidden(NO_PART))?;
    if need == Need::Write {
        may_write(settings.mode, access, role, &owner)?;
    }
    Ok(owner)
}

const NO_MEMBER: &str = "the member of this ticket is no longer a member here";
const NO_PART: &str = "you have no part in this space any more";

fn may_write(mode: Mode, access: Access, role: Role, owner: &Owner<'_>) -> Result<(), Error> {
    if mode != Mode::ReadWrite {
        return Err(Error::ReadOnly("the service is read-only at the moment"));
    }
    if access != Access::ReadWrite {
        return Err(Error::Forbidden("the ticket is for reading; ask the web server for one that writes"));
    }
    if !role.can_write() {
        return Err(Error::Forbidden(
            "your role in this group is viewer; an owner of it can make you an editor",
        ));
    }
    match owner {
        Owner::Group(group) if group.access == GroupAccess::ReadOnly => {
            Err(Error::ReadOnly("this group is an archive: its files can be read, not changed"))
        }
        Owner::Group(_) | Owner::Own(_) => Ok(()),
    }
}

#[derive(Deserialize)]
struct TicketParameter {
    ticket: Option<String>,
}

/// The ticket of a request: in its header, or, where a browser navigates to a download, in its URL.
fn token(head: &Parts) -> Result<String, Error> {
    if let Some(value) = head.headers.get(header::AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Error::Unauthenticated)?;
        return match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim().to_owned()),
            _ => Err(Error::Unauthenticated),
        };
    }
    if matches!(head.method, Method::GET | Method::HEAD) {
        let query = axum::extract::Query::<TicketParameter>::try_from_uri(&head.uri);
        if let Some(ticket) = query.ok().and_then(|query| query.0.ticket) {
            return Ok(ticket);
        }
    }
    Err(Error::Unauthenticated)
}

impl Grant {
    /// Whether it would be given again now: a transfer can take longer than a right lasts.
    ///
    /// # Errors
    /// Why it would not.
    pub fn still_holds(&self, app: &App) -> Result<(), Error> {
        holds(&app.roster.current(), self.member, self.space, self.access, self.need).map(drop)
    }

    /// A path in the space, if the grant reaches so far.
    ///
    /// # Errors
    /// When a name in it is none, or it lies outside of the directory that the ticket is for.
    pub fn node_path(&self, text: &str) -> Result<NodePath, Error> {
        let path: NodePath = text.parse().map_err(spaces::Error::from)?;
        self.covers(&path)?;
        Ok(path)
    }

    /// Whether the grant reaches this path.
    ///
    /// # Errors
    /// When it does not.
    pub fn covers(&self, path: &NodePath) -> Result<(), Error> {
        let Some(subtree) = &self.subtree else { return Ok(()) };
        let subtree: NodePath = subtree.trim_matches('/').parse().map_err(spaces::Error::from)?;
        if path.starts_with(&subtree) {
            Ok(())
        } else {
            Err(Error::Forbidden("the ticket is for another directory of this space"))
        }
    }
}
