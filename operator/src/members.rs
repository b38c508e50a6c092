//! The controller of Members.
