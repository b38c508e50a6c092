//! Who the members are, which groups there are, and what limits hold: compiled, signed, folded small.
//!
//! The operator compiles Members and Groups into an [`Index`] and [`SHARDS`] [`Shard`]s, signs each, and puts
//! them where pods read them. A pod verifies and folds them into a [`Roster`], kept in a [`Store`] that a
//! source in [`source`] feeds: a mounted copy, or the Kubernetes API. Nothing here decides who may do what:
//! it says who is who.

pub mod compile;
pub mod credentials;
#[cfg(test)]
mod fixture;
mod fold;
mod index;
mod publish;
mod seal;
mod settings;
mod shard;
mod sign_in;
pub mod source;
mod store;
pub mod web_keys;

pub use fold::{Owner, Roster};
pub use index::{Index, ShardRef};
pub use publish::{Head, Publication, publish};
pub use seal::{Part, Refused, Sealed, digest, open, seal};
pub use settings::{
    AppPasswordSettings, DiskPodAddress, GroupCreation, GroupSettings, HistorySettings, LinkPolicy, Mode,
    SessionSettings, Settings, ShareSettings, TicketKey, TrashSettings, UploadSettings, VersionSettings,
};
pub use shard::{
    AllocationEntry, AllocationState, GroupAccess, GroupEntry, Invitation, JoinPolicy, Joining, MemberEntry,
    MemberState, Participant, Request, SHARDS, Shard, shard_of,
};
pub use sign_in::{ClaimRule, Identity, Newcomers, Provider, SignInSettings, identity_version};
pub use store::Store;

/// The version of the form of index, shards and credentials; a pod refuses one that it does not know.
pub const FORMAT: u32 = 1;
