//! What a disk pod says of itself when a web pod asks, many times a second.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bytes::Bytes;
use crate::ids::{PodName, VolumeName};

/// The load report. It is made from memory, without touching storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadReport {
    /// Which pod this is.
    pub pod: PodName,
    /// Its version.
    pub version: String,
    /// When it started; a new pod is given work slowly.
    pub started: Timestamp,
    /// Whether it is on its way out and takes no new work.
    pub draining: bool,
    /// Requests under way.
    pub in_flight: u32,
    /// Bytes that requests under way have announced and not yet moved.
    pub bytes_in_flight: u64,
    /// How many requests it thinks it can serve at once.
    pub capacity_hint: u32,
    /// How long requests took lately.
    pub latency: Latency,
    /// The volumes it serves from.
    pub volumes: Vec<VolumeHealth>,
    /// How many spaces it has in memory.
    pub spaces_loaded: u32,
}

/// Recent medians in microseconds; none where nothing happened lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Listings, directories, moves.
    pub metadata_us: Option<u32>,
    /// Transfers of at most 64 KiB.
    pub small_us: Option<u32>,
    /// Larger transfers, until the first byte.
    pub bulk_us: Option<u32>,
}

/// How a volume does, as seen from one pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeHealth {
    /// Which volume.
    pub name: VolumeName,
    /// Milliseconds since a file was last created, synced, linked and removed there; none if it never was.
    pub canary_age_ms: Option<u64>,
    /// Free space.
    pub free: Bytes,
}
