//! The web pod through its real router, with a roster on disk, disk pods and a Kubernetes API that the tests play.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test: all of it

mod app_passwords;
mod bad_input;
mod check;
mod disk;
mod kubernetes;
mod links;
mod openid;
mod page;
mod program;
mod self_service;
mod servers;
mod sign_in;
mod spaces;
mod world;
