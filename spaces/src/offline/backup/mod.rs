//! A copy of all volumes of a pool, taken while they are in use: each space at one generation, with the log that leads
//! to it and all bytes that it refers to. What did not change since the backup before is a link to it, so each is whole
//! on its own, and any of them can be taken away.

mod list;
mod point;
mod restore;
mod space;
mod store;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::bytes::Bytes;
use uuid::Uuid;

use self::point::VOLUMES;
use self::store::{Copied, Store};
use super::{OfflineError, OfflineVolume};
use crate::format::identity::FILE;

pub use self::point::{BackupManifest, BackupPoint, SpaceImage, VolumeImage, backups, prune_backups};
pub use self::restore::{RestoreReport, restore_backup};

/// What came of a backup.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupReport {
    /// What it says of itself.
    #[serde(flatten)]
    pub manifest: BackupManifest,
    /// Files that were copied; all others were there.
    pub copied_files: u64,
    /// Their length.
    pub copied_bytes: Bytes,
}

/// Copies the volumes of a pool to a new backup in a directory. One that was broken off is gone on with. `name` says
/// when it is taken, `taken` too, in milliseconds since 1970.
///
/// # Errors
/// When a volume can not be read at all or is of another DiskCluster than the first, or the target can not be written.
/// A space that can not be copied is no error: it is told in the manifest.
pub async fn take_backup(
    volumes: &[PathBuf],
    target: &Path,
    name: &str,
    taken: i64,
) -> Result<BackupReport, OfflineError> {
    let pool = open(volumes).await?;
    let Some((first, _)) = pool.first() else {
        return Err(OfflineError::Volume("no volume was named".to_owned()));
    };
    let cluster = owner(first)?.cluster;
    let store = Arc::new(Store::open(target, name)?);
    let mut manifest = BackupManifest::new(taken, cluster);
    for (volume, place) in &pool {
        let owner = owner(volume)?;
        if owner.cluster != cluster {
            let what = format!("it belongs to the DiskCluster {}, and the first to {cluster}", owner.cluster);
            return Err(OfflineError::Volume(format!("{}: {what}", place.display())));
        }
        // What the spaces are copied to must be there even when there are none.
        let identity = volume.volume.fs.read(FILE, crate::format::identity::LONGEST).await?;
        store.keep(&space::at(owner.volume, FILE), &identity)?;
    }
    for (volume, _) in &pool {
        let image = owner(volume)?.volume;
        for space in volume.spaces().await? {
            match space::copy(&store, volume, image, space).await {
                Ok(copied) => manifest.spaces.push(copied),
                Err(error @ (OfflineError::Broken(_) | OfflineError::Volume(_))) => {
                    manifest.missing.push(format!("space {space}: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
    }
    for (volume, _) in &pool {
        let volume = owner(volume)?.volume;
        let (files, bytes) = store.measure(&format!("{VOLUMES}/{volume}"));
        manifest.volumes.push(VolumeImage { volume, files, bytes });
    }
    let (manifest, Copied { files, bytes }) = store.finish(manifest)?;
    Ok(BackupReport { manifest, copied_files: files, copied_bytes: bytes })
}

impl BackupPoint {
    /// Reads every file and looks whether it is the one that was copied, and then whether each space is sound: what is
    /// wrong, a sentence each.
    ///
    /// # Errors
    /// When a volume in it can not be read at all.
    pub async fn verify(&self) -> Result<Vec<String>, OfflineError> {
        let mut findings = restore::differences(&self.path, &self.list).await;
        let places: Vec<PathBuf> =
            self.manifest.volumes.iter().map(|image| self.volume(image.volume)).collect();
        let pool = open(&places).await?;
        for (volume, _) in &pool {
            for space in volume.spaces().await? {
                let report = volume.verify(space, false).await?;
                findings.extend(report.findings.into_iter().map(|what| format!("space {space}: {what}")));
            }
        }
        findings.extend(self.manifest.missing.iter().map(|what| format!("not in this backup: {what}")));
        Ok(findings)
    }
}

/// Volumes of one pool, each with the others beside it.
async fn open(places: &[PathBuf]) -> Result<Vec<(OfflineVolume, PathBuf)>, OfflineError> {
    let mut pool = Vec::with_capacity(places.len());
    for place in places {
        let mut volume = OfflineVolume::open(place).await?;
        for other in places.iter().filter(|other| *other != place) {
            volume = volume.beside(other).await?;
        }
        pool.push((volume, place.clone()));
    }
    let mut seen: Vec<Uuid> = Vec::new();
    for (volume, place) in &pool {
        let uid = owner(volume)?.volume;
        if seen.contains(&uid) {
            return Err(OfflineError::Volume(format!("{}: this volume was named twice", place.display())));
        }
        seen.push(uid);
    }
    Ok(pool)
}

fn owner(volume: &OfflineVolume) -> Result<&super::Owner, OfflineError> {
    volume.owner().map_err(|reason| OfflineError::Volume(reason.to_owned()))
}
