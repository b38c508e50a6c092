//! A disk server: transfers and file management over HTTP for any member.
//!
//! It holds no state that another disk server could need, and SIGKILL is a normal way to stop it. The engine
//! `spaces` touches the volume; here are HTTP ([`router`], [`http`], [`tus`]) and WebDAV (`dav`), who may do what ([`auth`]), and
//! what the other programs ask ([`internal`]).

mod admission;
pub mod app;
pub mod auth;
pub mod backup;
pub mod check;
pub mod config;
mod dav;
pub mod error;
pub mod fault;
mod heap;
pub mod http;
pub mod internal;
mod limits;
mod links;
pub mod load;
mod memory;
mod metrics;
mod observe;
pub mod peers;
mod router;
pub mod settings;
mod standalone;
mod start;
pub mod tus;
pub mod volume;
mod walk;

pub use admission::Admission;
pub use observe::Observed;
pub use router::router;
pub use start::run;
