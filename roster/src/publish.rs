//! What of a roster has to be written anew: pure, so the operator only has to write it.

#[cfg(test)]
mod tests;

use api::generation::RosterGeneration;
use api::ids::ClusterUid;
use api::keys::{KeyError, SigningKey};

use crate::FORMAT;
use crate::compile::{Compiled, shards};
use crate::index::{Index, ShardRef};
use crate::seal::{Part, Sealed, digest, seal};
use crate::settings::Settings;

/// What an index holds besides its shards.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The DiskCluster.
    pub cluster: ClusterUid,
    /// Its name.
    pub cluster_name: String,
    /// Its namespace.
    pub namespace: String,
    /// The generation of each shard's credentials.
    pub credentials: Vec<RosterGeneration>,
    /// What holds for the whole cluster.
    pub settings: Settings,
}

/// What to write: the shards first, then the index, so that no index names what is not there.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// The shards that changed.
    pub shards: Vec<(u8, Sealed)>,
    /// The index, as it is stored.
    pub sealed: Sealed,
    /// The index.
    pub index: Index,
}

/// Compares what was compiled with the index that was published last, if any; nothing when they are equal.
/// `generation` is the one that a change gets, and is to be above every one before it.
///
/// # Errors
/// When something cannot be signed.
pub fn publish(
    key: &SigningKey,
    generation: RosterGeneration,
    head: Head,
    compiled: Compiled,
    previous: Option<&Index>,
) -> Result<Option<Publication>, KeyError> {
    let Head { cluster, cluster_name, namespace, credentials, settings } = head;
    let mut refs = Vec::new();
    let mut changed = Vec::new();
    for mut shard in shards(cluster, compiled) {
        let named = previous.and_then(|index| index.shards.get(usize::from(shard.index)));
        if let Some(named) = named {
            // A digest covers the generation too: with the old one it is equal exactly if all else is.
            shard.generation = named.generation;
            let body = serde_json::to_vec(&shard).map_err(|_| KeyError::Signing)?;
            if digest(&body) == named.blake3 {
                refs.push(named.clone());
                continue;
            }
        }
        shard.generation = generation;
        let sealed = seal(key, Part::Shard(shard.index), generation, &shard)?;
        refs.push(ShardRef { generation, blake3: digest(sealed.body.as_bytes()) });
        changed.push((shard.index, sealed));
    }
    let mut index = Index {
        format: FORMAT,
        cluster,
        cluster_name,
        namespace,
        generation: previous.map_or(generation, |index| index.generation),
        shards: refs,
        credentials,
        settings,
    };
    if previous == Some(&index) {
        return Ok(None);
    }
    index.generation = generation;
    let sealed = seal(key, Part::Index, generation, &index)?;
    Ok(Some(Publication { shards: changed, sealed, index }))
}
