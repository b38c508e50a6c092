//! A web server: the page, sign-in, finding a disk server, self-service.
//!
//! It keeps nothing that another web pod could need: sessions are signed and checked against the roster, so any
//! web pod goes on where another one ended.

mod address;
mod app;
mod app_passwords;
mod body;
pub mod config;
mod csrf;
pub mod disks;
mod headers;
mod internal;
mod keys;
mod links;
mod metrics;
mod oidc;
mod page;
mod router;
mod self_service;
mod servers;
mod session;
mod sign_in;
mod spaces;
mod start;

pub use app::{App, Parts};
pub use app_passwords::AppPasswordSecrets;
pub use internal::internal;
pub use keys::Keys;
pub use links::Links;
pub use metrics::WebMetrics;
pub use oidc::{NewMembers, Oidc};
pub use router::router;
pub use self_service::SelfService;
pub use sign_in::{Attempts, Passwords, SignIn};
pub use start::start;
