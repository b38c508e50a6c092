//! The file at the root of a volume that says whose it is.

use api::ids::ClusterUid;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::LAYOUT;

/// The name of the file.
pub(crate) const FILE: &str = "internet-disk.json";

/// The longest that is read of it.
pub(crate) const LONGEST: usize = 64 * 1024;

/// Whose volume it is. Readable by people, for it is the first thing they find on a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The format of the layout. A newer one may have any other fields.
    pub(crate) format: u32,
    /// The volume, for ever.
    pub(crate) volume: Uuid,
    /// The DiskCluster that it was first used by.
    pub(crate) cluster: ClusterUid,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    /// The backup that is being brought back onto this volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restoring: Option<String>,
}

/// What a volume says of itself until a backup has been brought back onto it whole. Its format is one that no version
/// reads, so that none uses it.
pub(crate) fn unfinished(backup: &str, volume: Uuid) -> Vec<u8> {
    let restoring = Some(format!("{backup}/{volume}"));
    let mut text = serde_json::to_vec_pretty(&Head { format: u32::MAX, restoring }).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Why a file says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IdentityError {
    /// Of a newer version.
    Newer(u32),
    /// Not understood.
    Unreadable(String),
}

impl Identity {
    pub(crate) fn new(volume: Uuid, cluster: ClusterUid) -> Self {
        Self { format: LAYOUT, volume, cluster }
    }

    /// The content of the file.
    pub(crate) fn write(&self) -> Vec<u8> {
        // A map with text keys and plain values is always JSON.
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// Reads the content of the file.
    pub(crate) fn read(file: &[u8]) -> Result<Self, IdentityError> {
        let unreadable = |error: serde_json::Error| IdentityError::Unreadable(error.to_string());
        let Head { format, restoring } = serde_json::from_slice(file).map_err(unreadable)?;
        if let Some(backup) = restoring {
            let what =
                "is being brought back onto this volume, or that was broken off: let it come to its end";
            return Err(IdentityError::Unreadable(format!("the backup {backup} {what}")));
        }
        if format > LAYOUT {
            return Err(IdentityError::Newer(format));
        }
        serde_json::from_slice(file).map_err(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_comes_back() {
        let identity = Identity::new(Uuid::from_u128(1), ClusterUid(Uuid::from_u128(2)));
        assert_eq!(Identity::read(&identity.write()), Ok(identity));
    }

    #[test]
    fn a_volume_that_is_not_whole_is_not_read() {
        let mark = unfinished("20261125T213000Z", Uuid::from_u128(1));
        let Err(IdentityError::Unreadable(reason)) = Identity::read(&mark) else { panic!("it was read") };
        assert!(reason.contains("20261125T213000Z"), "{reason}");
    }

    #[test]
    fn what_is_none() {
        assert_eq!(Identity::read(br#"{"format": 99, "shape": "new"}"#), Err(IdentityError::Newer(99)));
        for text in ["", "{}", "{\"format\": 1}", "[1]", "\0\0\0", "{\"format\": \"1\"}"] {
            assert!(matches!(Identity::read(text.as_bytes()), Err(IdentityError::Unreadable(_))), "{text:?}");
        }
    }
}
