//! Backups back onto new volumes. Until all is there no pod uses such a volume.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use api::bytes::Bytes;
use blake3::Hasher;
use rustix::fs::syncfs;
use serde::Serialize;

use super::list::{List, Sum};
use super::point::{BackupPoint, SpaceImage, VOLUMES};
use crate::format::identity::{FILE, Identity, unfinished};
use crate::log::layout::Layout;
use crate::offline::OfflineError;

const PIECE: usize = 1 << 20;

/// What came of bringing a backup back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreReport {
    /// Files that are there now.
    pub files: u64,
    /// Their length.
    pub bytes: Bytes,
    /// Those of them that were there before, of a restore that was broken off.
    pub already: u64,
    /// Files that are not in the backup as they were copied: they were left out.
    pub damaged: Vec<String>,
}

/// Brings a backup back onto volumes that are new, as many as it has. One that was broken off is gone on with. When
/// files are damaged the volumes stay unusable, unless the rest is wanted `despite_damage`.
///
/// # Errors
/// When a volume is in use or has something on it, or can not be written.
pub async fn restore_backup(
    point: &BackupPoint,
    volumes: &[PathBuf],
    despite_damage: bool,
) -> Result<RestoreReport, OfflineError> {
    let images = &point.manifest.volumes;
    if images.len() != volumes.len() {
        let what = format!("the backup has {} volumes, and {} were named", images.len(), volumes.len());
        return Err(OfflineError::Target(what));
    }
    let name = point.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // All are looked at before the first is touched.
    let mut marks = Vec::new();
    for (image, place) in images.iter().zip(volumes) {
        let mark = unfinished(&name, image.volume);
        if volumes.iter().filter(|other| *other == place).count() > 1 {
            return Err(OfflineError::Target(format!("{}: it was named twice", place.display())));
        }
        is_free(place, &mark)?;
        marks.push(mark);
    }
    for (place, mark) in volumes.iter().zip(&marks) {
        put(&place.join(FILE), mark)?;
    }
    let mut report = RestoreReport::default();
    for (path, sum) in &point.list {
        let image = images.iter().zip(volumes).find_map(|(image, place)| {
            let inside = path.strip_prefix(VOLUMES)?.strip_prefix('/')?;
            Some((inside.strip_prefix(&image.volume.to_string())?.strip_prefix('/')?, place))
        });
        // The identity makes a volume one that can be used: it comes last.
        let Some((inside, place)) = image.filter(|(inside, _)| *inside != FILE) else { continue };
        one(&point.path.join(path), &place.join(inside), path, *sum, &mut report)?;
    }
    if !report.damaged.is_empty() && !despite_damage {
        return Ok(report);
    }
    directories(point, volumes)?;
    for (image, place) in images.iter().zip(volumes) {
        sync(place)?;
        let identity = fs::read(point.volume(image.volume).join(FILE));
        let identity = identity.map_err(failed(&point.volume(image.volume).join(FILE)))?;
        let known = Identity::read(&identity);
        if known.as_ref().is_ok_and(|known| known.volume == image.volume) {
            put(&place.join(FILE), &identity)?;
        } else {
            let identity = Identity::new(image.volume, point.manifest.cluster);
            put(&place.join(FILE), &identity.write())?;
        }
    }
    Ok(report)
}

/// Makes the directories that pods expect of a space, for an empty one has no file that could be in a backup.
fn directories(point: &BackupPoint, volumes: &[PathBuf]) -> Result<(), OfflineError> {
    for SpaceImage { space, volume, generation, nodes: _, used: _ } in &point.manifest.spaces {
        let images = point.manifest.volumes.iter().zip(volumes);
        let Some((_, home)) = images.into_iter().find(|(image, _)| image.volume == *volume) else { continue };
        let layout = Layout::of(*space);
        for directory in layout.directories().into_iter().chain([layout.block(generation.next())]) {
            let place = home.join(directory);
            fs::create_dir_all(&place).map_err(failed(&place))?;
        }
    }
    Ok(())
}

/// Refuses a place that has something on it which is not of this restore.
fn is_free(place: &Path, mark: &[u8]) -> Result<(), OfflineError> {
    let told = |what: &str| Err(OfflineError::Target(format!("{}: {what}", place.display())));
    match fs::read(place.join(FILE)) {
        Ok(found) if found == mark => return Ok(()),
        Ok(_) => {
            return told(
                "this volume is in use: it has an internet-disk.json. Restore onto a new volume, before pods have it, \
                 and let a DiskCluster adopt it",
            );
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(place)(error)),
    }
    match place.join("spaces").try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => told("it has spaces on it; restore onto a new volume"),
        Err(error) => Err(failed(place)(error)),
    }
}

/// Copies a file that is as it was when it was backed up, or says that it is not.
fn one(from: &Path, to: &Path, path: &str, sum: Sum, report: &mut RestoreReport) -> Result<(), OfflineError> {
    let have = || {
        let length = fs::metadata(to).ok()?.len();
        if length != sum.length { None } else { hash(to).ok() }
    };
    if have() == Some(sum.hash) {
        report.already += 1;
    } else {
        if let Some(above) = to.parent() {
            fs::create_dir_all(above).map_err(failed(above))?;
        }
        let mut source = match File::open(from) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                report.damaged.push(format!("{path}: it is missing"));
                return Ok(());
            }
            Err(error) => return Err(failed(from)(error)),
        };
        let mut target = File::create(to).map_err(failed(to))?;
        let copied = pour(&mut source, |piece| target.write_all(piece)).map_err(failed(to))?;
        if copied != sum {
            fs::remove_file(to).map_err(failed(to))?;
            report.damaged.push(format!("{path}: {}", difference(copied, sum)));
            return Ok(());
        }
    }
    report.files += 1;
    report.bytes.0 += sum.length;
    Ok(())
}

/// What is not as it was when it was backed up, a sentence each.
pub(super) async fn differences(point: &Path, list: &List) -> Vec<String> {
    let (point, list) = (point.to_owned(), list.clone());
    let read = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        for (path, sum) in list {
            let read = File::open(point.join(&path)).and_then(|mut file| pour(&mut file, |_| Ok(())));
            match read {
                Ok(read) if read == sum => {}
                Ok(read) => found.push(format!("{path}: {}", difference(read, sum))),
                Err(error) => found.push(format!("{path}: {error}")),
            }
        }
        found
    });
    read.await.unwrap_or_else(|error| vec![error.to_string()])
}

fn difference(found: Sum, wanted: Sum) -> String {
    if found.length == wanted.length {
        "its content is not what was backed up".to_owned()
    } else {
        format!("it is {} bytes long, and was {}", found.length, wanted.length)
    }
}

fn hash(path: &Path) -> io::Result<blake3::Hash> {
    Ok(pour(&mut File::open(path)?, |_| Ok(()))?.hash)
}

fn pour(source: &mut File, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Sum> {
    let (mut hasher, mut length) = (Hasher::new(), 0);
    let mut buffer = vec![0; PIECE];
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = buffer.get(..read).unwrap_or_default();
        hasher.update(piece);
        take(piece)?;
        length += read as u64;
    }
    Ok(Sum { hash: hasher.finalize(), length })
}

/// Gives a small file its content, at once and durably.
fn put(path: &Path, content: &[u8]) -> Result<(), OfflineError> {
    let temporary = path.with_extension("restoring");
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(failed(&temporary))?;
    fs::rename(&temporary, path).map_err(failed(path))?;
    path.parent().map_or(Ok(()), sync)
}

fn sync(place: &Path) -> Result<(), OfflineError> {
    let directory = File::open(place).map_err(failed(place))?;
    syncfs(directory.as_fd()).map_err(|errno| failed(place)(errno.into()))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> OfflineError + use<> {
    let path = path.display().to_string();
    move |error| OfflineError::Target(format!("{path}: {error}"))
}
