//! The engine: a log per space on a shared volume, extended by compare-and-swap.
