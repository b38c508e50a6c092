//! Share links: members make them here, web pods ask about them, and their visitors come with tickets.

mod ask;
mod manage;
mod visit;

pub(crate) use ask::ask;
pub(crate) use manage::{Listed, Made, Wanted, create, list, remove};
pub(crate) use visit::{still, visit};

use api::link::LinkAccess;
use spaces::ShareAccess;

/// As the engine writes it, in words of the API. What no link of this version is made with, reads.
fn access(access: ShareAccess) -> LinkAccess {
    match access {
        ShareAccess::Read => LinkAccess::Read,
        ShareAccess::Upload => LinkAccess::Upload,
        ShareAccess::ReadAndUpload | ShareAccess::Write => LinkAccess::ReadAndUpload,
    }
}
