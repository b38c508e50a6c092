//! What every HTTP program here needs: listener, probes, metrics, logs, drain, problems, and a client.
//!
//! A program binds its [`Endpoint`]s and hands them to [`run`], which serves them, and the admin port, until
//! its [`Shutdown`] has run its course.

pub mod admin;
pub mod client;
mod conversation;
mod exchange;
mod fragment;
mod held;
pub mod lines;
mod linger;
mod listener;
pub mod metrics;
mod observe;
pub mod open_files;
pub mod problem;
mod readiness;
mod run;
mod shutdown;
mod stall;
pub mod telemetry;

pub use admin::Admin;
pub use client::Client;
pub use held::hold;
pub use listener::{Endpoint, Limits, Peer};
pub use metrics::Metrics;
pub use observe::{REQUEST_ID, current_request_id};
pub use problem::Refusal;
pub use readiness::{Condition, Readiness, Switch};
pub use run::{Config, Probes, run, serve_until_drained};
pub use shutdown::{Phase, Shutdown};
