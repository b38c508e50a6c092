//! Groups: what one wants, and what the status says.

mod account;
pub(crate) mod status;

pub(crate) use account::GroupAccount;
