//! Reads the bodies that are XML, up to a length.

pub(super) use crate::http::body::whole as read;
