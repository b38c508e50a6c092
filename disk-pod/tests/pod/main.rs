//! The disk pod through its real routers, over a real directory.

mod access;
mod binary;
mod files;
mod internal;
mod names;
mod sockets;
mod takeover;
mod uploads;
mod world;
