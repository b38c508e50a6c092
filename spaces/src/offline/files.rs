//! The data files of a space: whether all that its state refers to are there, and what else lies about.

use std::collections::{BTreeMap, BTreeSet};

use api::generation::Generation;
use futures::stream::{self, StreamExt};

use super::list;
use super::pool::Volumes;
use super::verify::{Findings, Objects};
use crate::extent::{Extent, ObjectId, VolumeIndex};
use crate::file_system::FsError;
use crate::format::sums::{self, FOOT, Sums};
use crate::log::Log;
use crate::state::State;
use crate::volume::Volume;

/// So many files are looked at at once.
const AT_ONCE: usize = 16;
/// What is read at once of a data file.
const PIECE: usize = 1 << 20;

/// How much of each object a state refers to: up to which byte.
pub(super) fn ends(state: &State) -> BTreeMap<(VolumeIndex, ObjectId), u64> {
    let mut ends = BTreeMap::new();
    for Extent { volume, object, offset, length } in state.extents() {
        let end = ends.entry((volume, object)).or_insert(0_u64);
        *end = (*end).max(offset.saturating_add(length));
    }
    ends
}

/// Looks at all data files of a space, on all volumes that are there.
pub(super) async fn look(
    log: &Log,
    volumes: Volumes<'_>,
    read: bool,
    findings: &mut Findings,
) -> Result<(Objects, Vec<String>), FsError> {
    let mut objects = Objects::default();
    let needed = ends(volumes.state);
    let here = needed.iter().filter_map(|((index, object), end)| {
        let (volume, path) = (volumes.of(*index)?, log.layout.object(*object));
        Some(async move { one(volume, &path, volumes.told(*index, &path), *end, read).await })
    });
    let here: Vec<_> = here.collect();
    objects.elsewhere = (needed.len() - here.len()) as u64;
    let mut looks = stream::iter(here).buffered(AT_ONCE);
    while let Some(look) = looks.next().await {
        match look? {
            Ok((bytes, checked)) => {
                objects.referenced += 1;
                objects.checked += u64::from(checked);
                objects.unchecked += u64::from(read && !checked);
                objects.bytes.0 = objects.bytes.0.saturating_add(bytes);
            }
            Err(what) => findings.push(what),
        }
    }
    drop(looks);
    let mut all_strange = Vec::new();
    for (index, volume) in volumes.all() {
        let (found, strange) = found(log, volume).await?;
        all_strange.extend(strange);
        for object in found {
            if index.is_some_and(|index| needed.contains_key(&(index, object))) {
                continue;
            }
            if index.is_some_and(|index| volumes.state.objects.knows(index, object)) {
                objects.kept += 1;
            } else {
                objects.unreferenced += 1;
                let length = volume.fs.stat(&log.layout.object(object)).await.unwrap_or_default();
                objects.unreferenced_bytes.0 = objects.unreferenced_bytes.0.saturating_add(length);
            }
        }
    }
    Ok((objects, all_strange))
}

/// All objects that there are on a volume, and names that are none.
async fn found(log: &Log, volume: &Volume) -> Result<(BTreeSet<ObjectId>, Vec<String>), FsError> {
    let (mut found, mut strange) = (BTreeSet::new(), Vec::new());
    let root = format!("{}/objects", log.layout.root());
    for shard in list(volume, &root).await? {
        let directory = format!("{root}/{shard}");
        for name in list(volume, &directory).await? {
            match object_of(&name) {
                Some(object) if log.layout.objects(object) == directory => {
                    found.insert(object);
                }
                _ => strange.push(format!("{directory}/{name}")),
            }
        }
    }
    Ok((found, strange))
}

/// The object whose file has this name.
fn object_of(name: &str) -> Option<ObjectId> {
    let (born, random) = name.split_once('-')?;
    let object =
        ObjectId { born: Generation(born.parse().ok()?), random: u64::from_str_radix(random, 16).ok()? };
    (object.to_string() == name).then_some(object)
}

/// Whether one is there up to the byte that is needed; how long it is, and whether its bytes are as its checksums say.
async fn one(
    volume: &Volume,
    path: &str,
    told: String,
    end: u64,
    read: bool,
) -> Result<Result<(u64, bool), String>, FsError> {
    let length = match volume.fs.stat(path).await {
        Ok(length) => length,
        Err(FsError::NotFound) => return Ok(Err(format!("{told}: it is missing, and a file refers to it"))),
        Err(error) => return Err(error),
    };
    if length < end {
        return Ok(Err(format!("{told}: it is {length} bytes long, and files refer to its first {end}")));
    }
    if !read {
        return Ok(Ok((length, false)));
    }
    let checked = match checksums(volume, path, length).await? {
        Behind::Nothing => read_through(volume, path, end).await.map(|()| false),
        // The content of a member ends as an object does, and whoever wrote it did not come to its end.
        Behind::Sums(sums) if sums.length < end => read_through(volume, path, end).await.map(|()| false),
        Behind::Damaged => Err("its checksums are damaged; its bytes may be right or wrong".to_owned()),
        Behind::Sums(sums) => check(volume, path, &sums).await.map(|()| true),
    };
    Ok(checked.map(|checked| (length, checked)).map_err(|what| format!("{told}: {what}")))
}

/// What stands behind the content of a file.
enum Behind {
    Nothing,
    Damaged,
    Sums(Sums),
}

async fn checksums(volume: &Volume, path: &str, length: u64) -> Result<Behind, FsError> {
    let file = volume.fs.open(path).await?;
    let Some(foot) = length.checked_sub(FOOT as u64) else { return Ok(Behind::Nothing) };
    let Some(content) = Sums::content_length(&file.read(foot, FOOT).await?, length) else {
        return Ok(Behind::Nothing);
    };
    let mut behind = Vec::new();
    let mut at = content;
    while at < length {
        let wanted = usize::try_from(length - at).unwrap_or(PIECE).min(PIECE);
        let piece = file.read(at, wanted).await?;
        if piece.is_empty() {
            break;
        }
        at += piece.len() as u64;
        behind.extend_from_slice(&piece);
    }
    Ok(Sums::read(&behind, content).map_or(Behind::Damaged, Behind::Sums))
}

/// Whether the content of a file is what was written.
async fn check(volume: &Volume, path: &str, sums: &Sums) -> Result<(), String> {
    let file = volume.fs.open(path).await.map_err(|error| error.to_string())?;
    let mut offset = 0;
    for number in 0.. {
        let wanted = (sums.length - offset).min(sums::PIECE);
        if wanted == 0 {
            break;
        }
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let piece = file.read(offset, wanted).await.map_err(|error| format!("at byte {offset}: {error}"))?;
        if !sums.fits(number, &piece) {
            let end = offset + piece.len() as u64;
            return Err(format!(
                "its bytes from {offset} to {end} are not those that were written; restore it from a backup"
            ));
        }
        offset += piece.len() as u64;
    }
    Ok(())
}

async fn read_through(volume: &Volume, path: &str, end: u64) -> Result<(), String> {
    let file = volume.fs.open(path).await.map_err(|error| error.to_string())?;
    let mut offset = 0;
    while offset < end {
        let wanted = usize::try_from(end - offset).unwrap_or(PIECE).min(PIECE);
        let piece = file.read(offset, wanted).await.map_err(|error| format!("at byte {offset}: {error}"))?;
        if piece.len() != wanted {
            return Err(format!("it ends at byte {}", offset + piece.len() as u64));
        }
        offset += wanted as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_one_object() {
        let object = ObjectId { born: Generation(12), random: 0xab };
        assert_eq!(object_of(&object.to_string()), Some(object));
        for strange in
            ["", "12", "12-ab", "012-00000000000000ab", "12-00000000000000AB", "12-00000000000000ab.tmp"]
        {
            assert_eq!(object_of(strange), None, "{strange:?}");
        }
    }
}
