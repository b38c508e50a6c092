//! The controller of Groups.
