//! Tells disk pods what limits hold.
