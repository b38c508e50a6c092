//! Backups that are there: a directory of them, each with all files of the pool at its time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use api::bytes::Bytes;
use api::generation::Generation;
use api::ids::{ClusterUid, SpaceId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::list::{self, List};
use crate::offline::OfflineError;

/// Says what a backup is. It is written last: a directory without it is none.
pub(super) const MANIFEST: &str = "backup.json";
/// The list of all files.
pub(super) const LIST: &str = "files";
/// Below it, a directory for each volume.
pub(super) const VOLUMES: &str = "volumes";
/// What this version writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupManifest {
    /// The format of the backup.
    pub format: u32,
    /// When it was begun, in milliseconds since 1970.
    pub taken: i64,
    /// The DiskCluster that the volumes say they belong to: what spec.adoptClusterUID of a new one names.
    pub cluster: ClusterUid,
    /// The volumes of the pool.
    pub volumes: Vec<VolumeImage>,
    /// The spaces, each at one generation.
    pub spaces: Vec<SpaceImage>,
    /// What could not be copied, a sentence each.
    pub missing: Vec<String>,
    /// BLAKE3 of the list of files.
    pub list: String,
}

/// One volume of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeImage {
    /// Which: what its `internet-disk.json` says.
    pub volume: Uuid,
    /// How many files there are of it.
    pub files: u64,
    /// Their length.
    pub bytes: Bytes,
}

/// One space of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpaceImage {
    /// Which.
    pub space: SpaceId,
    /// The volume with its log.
    pub volume: Uuid,
    /// The generation that it is at.
    pub generation: Generation,
    /// How many files and directories it has.
    pub nodes: u64,
    /// What is used.
    pub used: Bytes,
}

impl BackupManifest {
    pub(super) fn new(taken: i64, cluster: ClusterUid) -> Self {
        let (volumes, spaces, missing) = (Vec::new(), Vec::new(), Vec::new());
        Self { format: FORMAT, taken, cluster, volumes, spaces, missing, list: String::new() }
    }
}

/// A backup that is whole.
#[derive(Debug)]
pub struct BackupPoint {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of itself.
    pub manifest: BackupManifest,
    pub(super) list: List,
}

impl BackupPoint {
    /// Reads what a backup says of itself; not its files.
    ///
    /// # Errors
    /// When it is none, is not whole, is of a newer version, or its list is not the one it was made with.
    pub fn open(path: &Path) -> Result<Self, OfflineError> {
        let refused = |what: String| OfflineError::Target(format!("{}: {what}", path.display()));
        let text = fs::read(path.join(MANIFEST)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => refused(format!("there is no {MANIFEST}: this is no whole backup")),
            _ => refused(error.to_string()),
        })?;
        let manifest: BackupManifest = serde_json::from_slice(&text)
            .map_err(|error| refused(format!("{MANIFEST} can not be understood: {error}")))?;
        if manifest.format > FORMAT {
            let format = manifest.format;
            return Err(refused(format!("it has format {format}, and this version reads up to {FORMAT}")));
        }
        let listed = fs::read(path.join(LIST)).map_err(|error| refused(format!("{LIST}: {error}")))?;
        if blake3::hash(&listed).to_hex().as_str() != manifest.list {
            return Err(refused(format!("{LIST} is not the list that the backup was made with")));
        }
        let list = list::read(&listed).map_err(|what| refused(format!("{LIST}: {what}")))?;
        Ok(Self { path: path.to_owned(), manifest, list })
    }

    /// The directory of a volume in it: a volume as any other to the tools that read one.
    #[must_use]
    pub fn volume(&self, volume: Uuid) -> PathBuf {
        self.path.join(VOLUMES).join(volume.to_string())
    }
}

/// The names of all whole backups in a directory, the oldest first.
///
/// # Errors
/// When the directory can not be read.
pub fn backups(target: &Path) -> Result<Vec<String>, OfflineError> {
    let failed = |error: io::Error| OfflineError::Target(format!("{}: {error}", target.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(target).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Some(name) = entry.file_name().to_str()
            && is_name(name)
            && entry.path().join(MANIFEST).exists()
        {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Takes the oldest backups away until so many are left; their names.
///
/// # Errors
/// When one can not be taken away.
pub fn prune_backups(target: &Path, keep: usize) -> Result<Vec<String>, OfflineError> {
    let mut names = backups(target)?;
    names.truncate(names.len().saturating_sub(keep));
    for name in &names {
        let path = target.join(name);
        let failed = |error: io::Error| OfflineError::Target(format!("{}: {error}", path.display()));
        // Without this it is none any more, whatever becomes of the rest.
        fs::remove_file(path.join(MANIFEST)).map_err(failed)?;
        fs::remove_dir_all(&path).map_err(failed)?;
    }
    Ok(names)
}

/// Whether a directory of this name can be a backup: as `date -u +%Y%m%dT%H%M%SZ` writes it, which sorts by time.
pub(super) fn is_name(name: &str) -> bool {
    let pattern = "00000000T000000Z";
    name.len() == pattern.len()
        && name.chars().zip(pattern.chars()).all(|(c, p)| if p == '0' { c.is_ascii_digit() } else { c == p })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_times() {
        for (name, is) in [
            ("20261125T213000Z", true),
            ("20261125T21300Z", false),
            (".partial", false),
            ("2026-11-25", false),
        ] {
            assert_eq!(is_name(name), is, "{name}");
        }
    }

    #[test]
    fn what_is_no_backup_says_so() {
        let place = tempfile::tempdir().unwrap();
        let told = |place: &Path| BackupPoint::open(place).unwrap_err().to_string();
        assert!(told(place.path()).contains("no whole backup"));
        fs::write(place.path().join(MANIFEST), "{").unwrap();
        assert!(told(place.path()).contains("can not be understood"));
        let mut manifest = BackupManifest::new(0, ClusterUid(Uuid::nil()));
        manifest.format = 9;
        fs::write(place.path().join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
        assert!(told(place.path()).contains("format 9"));
        manifest.format = 1;
        fs::write(place.path().join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
        fs::write(place.path().join(LIST), "").unwrap();
        assert!(told(place.path()).contains("not the list"));
    }
}
