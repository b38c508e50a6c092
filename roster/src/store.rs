//! The newest roster of a pod, and the rules by which a newer one takes its place.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use api::generation::RosterGeneration;
use api::ids::ClusterUid;
use api::keys::Trust;
use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::FORMAT;
use crate::fold::{Held, Roster};
use crate::index::{Index, ShardRef};
use crate::seal::{Part, Refused, Sealed, digest, open};
use crate::shard::{SHARDS, Shard};

/// A handle to the newest roster; clones share it. Sources feed it, and it decides what to believe: what the
/// operator signed, of this cluster, and never anything older than what it has.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    cluster: ClusterUid,
    trust: Trust,
    current: ArcSwap<Roster>,
    changed: watch::Sender<RosterGeneration>,
    adopting: Mutex<()>,
}

/// A newer roster that a source is putting together.
#[derive(Debug)]
pub(crate) struct Draft {
    index: Index,
    shards: Vec<Option<Held>>,
    wanted: Vec<u8>,
}

impl Store {
    /// A store of the cluster's roster, with nobody in it until a source has read one.
    pub fn empty(cluster: ClusterUid, trust: Trust) -> Self {
        let inner = Inner {
            cluster,
            trust,
            current: ArcSwap::from_pointee(Roster::empty(cluster)),
            changed: watch::Sender::new(RosterGeneration(0)),
            adopting: Mutex::new(()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The newest roster. Keep it for one request, not longer.
    pub fn current(&self) -> Arc<Roster> {
        self.inner.current.load_full()
    }

    /// Tells of every newer roster.
    pub fn changed(&self) -> watch::Receiver<RosterGeneration> {
        self.inner.changed.subscribe()
    }

    /// Whether a whole roster was read.
    pub fn is_loaded(&self) -> bool {
        let roster = self.current();
        roster.index().is_some() && roster.missing().next().is_none()
    }

    /// Returns once a whole roster was read.
    pub async fn loaded(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.changed().wait_for(|_| self.is_loaded()).await;
    }

    /// Takes a roster that is at hand in one piece. Says which shards are still wanted: those that were not
    /// given, or not believed.
    ///
    /// # Errors
    /// When the index is not believed; nothing has changed then.
    pub fn take<'a>(
        &self,
        index: &Sealed,
        shards: impl IntoIterator<Item = (u8, &'a Sealed)>,
    ) -> Result<Vec<u8>, Refused> {
        let Some(mut draft) = self.examine(&index.body, &index.signature)? else { return Ok(Vec::new()) };
        for (shard, sealed) in shards {
            if let Err(refused) = self.add(&mut draft, shard, &sealed.body, &sealed.signature) {
                tracing::warn!(shard, reason = %refused, "A shard is not taken; the one before stays in force.");
            }
        }
        Ok(self.adopt(draft))
    }

    /// Looks at an index; nothing when it brings nothing new.
    ///
    /// # Errors
    /// When it is not to be believed.
    pub(crate) fn examine(&self, body: &str, signature: &str) -> Result<Option<Draft>, Refused> {
        let (index, generation) = open::<Index>(&self.inner.trust, Part::Index, body, signature)?;
        if index.format != FORMAT {
            return Err(Refused::Format { format: index.format });
        }
        if index.cluster != self.inner.cluster {
            return Err(Refused::OtherCluster { cluster: index.cluster });
        }
        if index.generation != generation || index.shards.len() != usize::from(SHARDS) {
            return Err(Refused::Inconsistent);
        }
        let current = self.current();
        if index.generation < current.generation() {
            return Ok(None);
        }
        let wanted: Vec<u8> = (0u8..)
            .zip(&index.shards)
            .filter(|(shard, named)| is_wanted(&current, *shard, named))
            .map(|(shard, _)| shard)
            .collect();
        if index.generation == current.generation() && wanted.is_empty() {
            return Ok(None);
        }
        Ok(Some(Draft { index, shards: (0..SHARDS).map(|_| None).collect(), wanted }))
    }

    /// Takes a shard into a draft.
    ///
    /// # Errors
    /// When it is not to be believed, or older than the one that the index names. The draft can be adopted
    /// all the same: the shard that is held stays.
    pub(crate) fn add(
        &self,
        draft: &mut Draft,
        shard: u8,
        body: &str,
        signature: &str,
    ) -> Result<(), Refused> {
        let place = usize::from(shard);
        let (Some(named), Some(slot)) = (draft.index.shards.get(place), draft.shards.get_mut(place)) else {
            return Err(Refused::Inconsistent);
        };
        let (content, generation) = open::<Shard>(&self.inner.trust, Part::Shard(shard), body, signature)?;
        if content.format != FORMAT {
            return Err(Refused::Format { format: content.format });
        }
        if content.cluster != self.inner.cluster {
            return Err(Refused::OtherCluster { cluster: content.cluster });
        }
        if content.index != shard || content.generation != generation {
            return Err(Refused::Inconsistent);
        }
        let digest = digest(body.as_bytes());
        // One that is newer than the index is as genuine: shards are written first, and read one by one.
        if digest != named.blake3 && generation <= named.generation {
            return Err(Refused::Outdated { generation, named: named.generation });
        }
        *slot = Some(Held::new(generation, digest, content));
        Ok(())
    }

    /// Makes a draft the newest roster, unless a newer one came meanwhile. Says which shards are still wanted.
    pub(crate) fn adopt(&self, draft: Draft) -> Vec<u8> {
        let Draft { index, shards, wanted: _ } = draft;
        let _one_at_a_time = self.inner.adopting.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let mut names: HashSet<_> = current.members().map(|member| member.name.clone()).collect();
        let shards = (0u8..)
            .zip(shards)
            .map(|(shard, new)| match (new, current.held(shard)) {
                (Some(new), Some(held)) if new.generation < held.generation => Some(Arc::clone(held)),
                (Some(mut new), _) => {
                    new.intern(&mut names);
                    Some(Arc::new(new))
                }
                (None, held) => held.cloned(),
            })
            .collect();
        drop(names);
        let index = match current.index() {
            Some(newer) if newer.generation > index.generation => newer.clone(),
            _ => index,
        };
        let roster = Roster::fold(self.inner.cluster, Some(index), shards);
        let generation = roster.generation();
        let wanted = roster
            .index()
            .map(|index| index.shards.as_slice())
            .unwrap_or_default()
            .iter()
            .zip(0u8..)
            .filter(|(named, shard)| is_wanted(&roster, *shard, named))
            .map(|(_, shard)| shard)
            .collect();
        self.inner.current.store(Arc::new(roster));
        self.inner.changed.send_replace(generation);
        wanted
    }
}

impl Draft {
    /// The shards that the index names and the store does not have.
    pub(crate) fn wanted(&self) -> &[u8] {
        &self.wanted
    }

    pub(crate) fn generation(&self) -> RosterGeneration {
        self.index.generation
    }
}

/// Whether a shard should be read: the index names one, and what is held is neither it nor newer.
fn is_wanted(roster: &Roster, shard: u8, named: &ShardRef) -> bool {
    match roster.held(shard) {
        None => named.generation > RosterGeneration(0),
        Some(held) => held.digest != named.blake3 && held.generation <= named.generation,
    }
}
