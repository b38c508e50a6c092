//! The disk pod through its real routers, over a real directory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test: all of it

mod access;
mod binary;
mod files;
mod internal;
mod names;
mod sockets;
mod stalls;
mod takeover;
mod uploads;
mod volume_tools;
mod world;
