//! Publishes the roster and the credentials: writes what changed, the index last.

mod credentials;
mod index;
mod publisher;

pub(crate) use credentials::Wanted;
pub(crate) use publisher::{PublishError, Published, Publisher};
