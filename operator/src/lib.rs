//! Reconciles DiskClusters, Members and Groups.
//!
//! Each controller goes five steps: observe, validate (pure), build (pure, without a client), apply, status. A
//! controller is a [`controller::Reconciler`] with a [`controller::Queue`]; what it watches are the
//! [`mirror::Mirror`]s of the [`context::Context`], which every controller shares.

pub mod accounts;
pub mod apply;
pub mod cluster;
pub mod config;
pub mod context;
pub mod controller;
pub mod events;
pub mod finalizer;
pub mod groups;
pub mod leadership;
pub mod lending;
pub mod limits;
pub mod members;
pub mod metrics;
pub mod mirror;
pub mod prepared;
pub mod roster_publication;
mod run;
pub mod status;

pub use run::run;
