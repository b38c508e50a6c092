//! Tools for a volume, or for any copy of one, without a cluster: what is on it, whether it is sound, and how it came
//! to be; a space as a plain tree, and a plain tree as a space. All but the last read alone.

mod backup;
mod chain;
mod export;
mod files;
mod import;
mod plain;
mod pool;
mod sentence;
mod story;
mod verify;

use std::path::Path;
use std::sync::Arc;

use api::ids::{ClusterUid, SpaceId, VolumeName};
use uuid::Uuid;

use crate::error::OpenError;
use crate::file_system::FsError;
use crate::format::FORMAT;
use crate::format::identity::Identity;
use crate::host::{Host, TokioHost};
use crate::local::read_only::ReadOnly;
use crate::log::Log;
use crate::volume::{NotReady, Volume};

pub use self::backup::{
    BackupManifest, BackupPoint, BackupReport, RestoreReport, SpaceImage, VolumeImage, backups,
    prune_backups, restore_backup, take_backup,
};
pub use self::export::{Manifest, Renamed};
pub use self::import::{ImportConfig, ImportReport, import};
pub use self::story::{LoggedEntry, LoggedOperation};
pub use self::verify::{Leftovers, Objects, SpaceReport};

/// Why a tool could not do its work.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OfflineError {
    /// The directory can not be read.
    #[error("the volume can not be read: {0}")]
    Volume(String),
    /// There is no such space.
    #[error("there is no space {0} on this volume; without --space all that there are, are listed")]
    NoSpace(SpaceId),
    /// A directory outside of the volume can not be read or written.
    #[error("{0}")]
    Target(String),
    /// What is on the volume does not fit together.
    #[error("{0}")]
    Broken(String),
}

impl From<FsError> for OfflineError {
    fn from(error: FsError) -> Self {
        Self::Volume(error.to_string())
    }
}

/// Whose a volume is, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Owner {
    /// The volume.
    pub volume: Uuid,
    /// The DiskCluster that it was first used by.
    pub cluster: ClusterUid,
    /// The format of its layout.
    pub format: u32,
}

/// A volume that is read, whoever it belongs to.
pub struct OfflineVolume {
    volume: Arc<Volume>,
    host: Arc<dyn Host>,
    owner: Result<Owner, String>,
    others: Vec<pool::Other>,
}

impl OfflineVolume {
    /// The volume at a directory, or a copy of one. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the directory can not be read, or is no volume at all.
    pub async fn open(path: &Path) -> Result<Self, OfflineError> {
        let name: VolumeName = "volume".parse().map_err(|_| OfflineError::Volume("no name".to_owned()))?;
        let fs = ReadOnly::open(path)?;
        let host: Arc<dyn Host> = Arc::new(TokioHost::current());
        let nobody = ClusterUid(Uuid::nil());
        let volume = Arc::new(Volume::new(name, fs, host.clone(), nobody, None));
        let owner = match volume.read_identity().await {
            Ok(Some(Identity { format, volume, cluster })) => Ok(Owner { volume, cluster, format }),
            Ok(None) => Err("internet-disk.json is missing: nothing says whose volume this is".to_owned()),
            Err(NotReady::Fs(error)) => return Err(error.into()),
            Err(NotReady::Refused(error)) => Err(because(error)),
        };
        let spaces = volume.fs.list("spaces").await;
        match (&owner, spaces) {
            (_, Ok(_)) | (Ok(_), Err(FsError::NotFound)) => {
                Ok(Self { volume, host, owner, others: Vec::new() })
            }
            (Err(reason), Err(FsError::NotFound)) => {
                let what = "there is neither internet-disk.json nor spaces/ in it";
                Err(OfflineError::Volume(format!("{}: {what} ({reason})", path.display())))
            }
            (_, Err(error)) => Err(error.into()),
        }
    }

    /// Whose it is, or why that is not known.
    ///
    /// # Errors
    /// In words.
    pub fn owner(&self) -> Result<&Owner, &str> {
        self.owner.as_ref().map_err(String::as_str)
    }

    /// All spaces whose log is on this volume, in order.
    ///
    /// # Errors
    /// When the volume can not be read.
    pub async fn spaces(&self) -> Result<Vec<SpaceId>, OfflineError> {
        Ok(self.all_spaces().await?.0)
    }

    /// All spaces that have data files on this volume, and their log on another one.
    ///
    /// # Errors
    /// When the volume can not be read.
    pub async fn guests(&self) -> Result<Vec<SpaceId>, OfflineError> {
        Ok(self.all_spaces().await?.1)
    }

    async fn all_spaces(&self) -> Result<(Vec<SpaceId>, Vec<SpaceId>), OfflineError> {
        let (mut spaces, mut guests) = (Vec::new(), Vec::new());
        for above in self.list("spaces").await? {
            let names = self.list(&format!("spaces/{above}")).await?;
            let found = names.iter().filter_map(|name| name.parse::<SpaceId>().ok());
            for space in found.filter(|space| format!("{:02x}", space.0.as_bytes()[0]) == above) {
                // At home a space has a log, whatever else.
                let has = self.list(&format!("spaces/{above}/{space}")).await?;
                if has == ["objects"] { guests.push(space) } else { spaces.push(space) }
            }
        }
        spaces.sort_unstable();
        guests.sort_unstable();
        Ok((spaces, guests))
    }

    /// The files of a space that there is.
    async fn space(&self, space: SpaceId) -> Result<Log, OfflineError> {
        let log = Log::new(space, self.volume.clone(), self.host.clone(), FORMAT);
        match self.volume.fs.list(log.layout.root()).await {
            Ok(_) => Ok(log),
            Err(FsError::NotFound) => Err(OfflineError::NoSpace(space)),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in a directory; none when it is not there.
    async fn list(&self, path: &str) -> Result<Vec<String>, FsError> {
        list(&self.volume, path).await
    }
}

async fn list(volume: &Volume, path: &str) -> Result<Vec<String>, FsError> {
    match volume.fs.list(path).await {
        Ok(mut names) => {
            names.sort_unstable();
            Ok(names)
        }
        Err(FsError::NotFound) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The reason without the name of the volume, which a copy has none of.
fn because(error: OpenError) -> String {
    match error {
        OpenError::Newer { found, known, volume: _ } => {
            format!(
                "the volume has format {found}, and this version reads up to {known}; use a newer version"
            )
        }
        OpenError::Unreadable { reason, volume: _ } => {
            format!("internet-disk.json can not be understood: {reason}")
        }
        error => error.to_string(),
    }
}
