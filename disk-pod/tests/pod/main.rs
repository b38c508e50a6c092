//! The disk pod through its real routers, over a real directory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test: all of it

mod access;
mod bad_input;
mod binary;
mod crowd;
mod dav;
mod files;
mod fuzz;
mod internal;
mod links;
mod listings;
mod moments;
mod names;
mod observed;
mod openapi;
mod passwords;
mod sockets;
mod stalls;
mod standalone;
mod strict;
mod takeaway;
mod takeover;
mod trash;
mod uploads;
mod versions;
mod volume_tools;
mod web_pod;
mod world;
mod zip;
