//! How quota moves from members to groups and back.
