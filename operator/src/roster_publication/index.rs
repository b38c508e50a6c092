//! The index as it is stored, and beside it the end of the roster generations that are reserved.

use std::collections::BTreeMap;

use api::generation::RosterGeneration;
use api::keys::Trust;
use k8s_openapi::api::core::v1::ConfigMap;
use roster::{Index, Part, Sealed, open};

/// On the ConfigMap of the index: roster generations up to this one may have been used.
pub(crate) const RESERVED: &str = "internetdisk.dev/reserved-generations";

pub(crate) const INDEX: &str = "index.json";
pub(crate) const SHARD: &str = "shard.json";
pub(crate) const SIGNATURE: &str = "signature";

/// What is stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoredIndex {
    /// The index, if it is ours.
    pub(crate) index: Option<Index>,
    /// As it is stored; also when it is not ours.
    pub(crate) sealed: Option<Sealed>,
    /// All up to this one may have been used.
    pub(crate) reserved: RosterGeneration,
    /// The version of the ConfigMap; none if there is none.
    pub(crate) version: Option<String>,
}

impl StoredIndex {
    /// Reads the ConfigMap. An index that is not signed by the key that signs now is not built upon, but its
    /// generations are not used again.
    pub(crate) fn read(map: &ConfigMap, trust: &Trust) -> Self {
        let data = |key: &str| map.data.as_ref().and_then(|data| data.get(key)).cloned();
        let sealed = data(INDEX).zip(data(SIGNATURE)).map(|(body, signature)| Sealed { body, signature });
        let index = sealed
            .as_ref()
            .and_then(|sealed| open::<Index>(trust, Part::Index, &sealed.body, &sealed.signature).ok())
            .map(|(index, _)| index);
        let unverified = sealed.as_ref().and_then(|sealed| serde_json::from_str::<Index>(&sealed.body).ok());
        let annotated = map.metadata.annotations.as_ref().and_then(|annotations| annotations.get(RESERVED));
        let annotated = annotated.and_then(|text| text.parse().ok()).unwrap_or(RosterGeneration::ZERO);
        let published = unverified.map_or(RosterGeneration::ZERO, |index| index.generation);
        Self {
            index,
            sealed,
            reserved: annotated.max(published),
            version: map.metadata.resource_version.clone(),
        }
    }
}

/// The data of a part of a roster.
pub(crate) fn data(key: &str, sealed: &Sealed) -> BTreeMap<String, String> {
    BTreeMap::from([(key.to_owned(), sealed.body.clone()), (SIGNATURE.to_owned(), sealed.signature.clone())])
}

#[cfg(test)]
mod tests {
    use api::keys::SigningKey;
    use kube::api::ObjectMeta;

    use super::*;

    #[test]
    fn generations_are_never_used_again_whoever_signed() {
        let key = SigningKey::generate().unwrap();
        let trust = Trust::new([key.verifying_key().clone()]);
        let index = Index {
            format: roster::FORMAT,
            cluster: api::ids::ClusterUid(uuid::Uuid::nil()),
            cluster_name: "demo".to_owned(),
            namespace: "disk".to_owned(),
            generation: RosterGeneration(41),
            shards: Vec::new(),
            credentials: Vec::new(),
            settings: roster::Settings::default(),
        };
        let sealed = roster::seal(&key, Part::Index, index.generation, &index).unwrap();
        let map = |sealed: &Sealed, reserved: &str| ConfigMap {
            metadata: ObjectMeta {
                annotations: Some(BTreeMap::from([(RESERVED.to_owned(), reserved.to_owned())])),
                ..ObjectMeta::default()
            },
            data: Some(data(INDEX, sealed)),
            ..ConfigMap::default()
        };
        let stored = StoredIndex::read(&map(&sealed, "100"), &trust);
        assert_eq!((stored.index, stored.reserved), (Some(index), RosterGeneration(100)));
        let stored = StoredIndex::read(&map(&sealed, "no number"), &Trust::default());
        assert_eq!((stored.index, stored.reserved), (None, RosterGeneration(41)));
        assert_eq!(StoredIndex::read(&ConfigMap::default(), &trust).reserved, RosterGeneration::ZERO);
    }
}
