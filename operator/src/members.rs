//! Members: what one wants, what a password is checked against, and what the status says.

mod account;
pub(crate) mod passwords;
pub(crate) mod status;

pub(crate) use account::{MemberAccount, Presence, is_confirmed, space, volume};
