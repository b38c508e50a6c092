//! The index: which shards make up a roster, and what holds for the whole cluster.

use api::generation::RosterGeneration;
use api::ids::ClusterUid;
use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// The head of a roster. Its body is `index.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// [`crate::FORMAT`].
    pub format: u32,
    /// The DiskCluster; a roster of another one is refused.
    pub cluster: ClusterUid,
    /// Name of the DiskCluster.
    pub cluster_name: String,
    /// Namespace of the DiskCluster.
    pub namespace: String,
    /// Rises with every change of anything; the highest of all shards.
    pub generation: RosterGeneration,
    /// One for each shard, in order.
    pub shards: Vec<ShardRef>,
    /// The generation of each shard's credentials, which web pods alone read.
    pub credentials: Vec<RosterGeneration>,
    /// What holds for the whole cluster.
    pub settings: Settings,
}

/// Which content a shard has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardRef {
    /// The roster generation of its last change; 0 for one that was always empty and is not stored.
    pub generation: RosterGeneration,
    /// BLAKE3 of its body, in hexadecimal.
    pub blake3: String,
}
