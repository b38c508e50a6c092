//! The words that all programs of Internet Disk share: quantities, ids, keys, tickets, the load report, limits,
//! problems; and, behind the feature `kubernetes`, the custom resources with their rules.
//!
//! Invariant: nothing here does I/O.

pub mod bytes;
pub mod call;
pub mod credential_check;
pub mod generation;
pub mod ids;
pub mod keys;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
pub mod limits;
pub mod link;
pub mod load;
pub mod problem;
pub mod role;
pub mod ticket;
pub mod volume_check;
