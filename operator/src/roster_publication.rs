//! Publishes the roster and the credentials.
