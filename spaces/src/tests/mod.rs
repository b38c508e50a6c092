//! The engine over real directories: one or several engines over one, as one or several pods.

mod damage;
mod eviction;
mod expiry;
mod failing;
mod files;
mod formats;
mod full;
mod gate;
mod hung;
mod identity;
mod lies;
mod memory;
mod offline;
mod past;
mod plain_trees;
mod pool;
mod processes;
mod races;
mod removal;
mod sweep;
mod truncated;
mod truncation;
mod uploads;
mod visits;
mod volumes;
mod world;
