//! Tells disk pods what limits hold.

mod client;
mod commit;
mod generations;

pub use client::{LimitsClient, LimitsError};
pub use commit::{Commits, commit};
pub use generations::Generations;
