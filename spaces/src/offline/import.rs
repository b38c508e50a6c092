//! Takes a plain tree into a space, as a pod would: staged, committed in bounded entries, against the quota.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use api::bytes::Bytes as Amount;
use api::ids::{ClusterUid, SpaceId, VolumeName};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use serde::Serialize;
use uuid::Uuid;

use super::OfflineError;
use super::export::{FILES, MANIFEST, Manifest, names_of};
use crate::engine::{Engine, LocalConfig};
use crate::error::Error;
use crate::name::Name;
use crate::node::{Kind, Node};
use crate::operation::{Condition, Operation, OperationId, Request};
use crate::path::NodePath;
use crate::settings::Settings;
use crate::snapshot::Freshness;
use crate::space::Space;

/// So many files are on their way at once; small ones of these share entries and data files.
const AT_ONCE: usize = 64;
/// What is read at once of a file.
const PIECE: usize = 1 << 20;
/// So often a file is tried whose outcome is not known, or for which the volume had no answer.
const TRIES: u32 = 8;
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// What is to be taken in.
#[derive(Clone, Debug)]
pub struct ImportConfig {
    /// The plain tree, or what an export has written.
    pub tree: PathBuf,
    /// The volume.
    pub volume: PathBuf,
    /// Whose volume it is; one that is new becomes this DiskCluster's.
    pub cluster: ClusterUid,
    /// Another DiskCluster whose volume is written to.
    pub adopt: Option<ClusterUid>,
    /// The space.
    pub space: SpaceId,
    /// Where in it.
    pub into: NodePath,
    /// A new limit for the space, before anything is taken in.
    pub limit: Option<Amount>,
    /// Whether a file that has another content is replaced.
    pub overwrite: bool,
}

/// What was taken in, and what not.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// Files that were taken in.
    pub files: u64,
    /// Their bytes.
    pub bytes: Amount,
    /// Directories that are there now.
    pub directories: u64,
    /// Files that were there already with the same content.
    pub already: u64,
    /// What was left out, and why.
    pub skipped: Vec<String>,
}

/// A file of the tree, and where it goes.
struct Wanted {
    source: PathBuf,
    path: NodePath,
    length: u64,
}

enum Taken {
    New(u64),
    Already,
    Skipped(String),
}

/// Takes a tree in. It can be done again: what is there already is left as it is.
///
/// # Errors
/// When the volume belongs to somebody else, the tree can not be read, or the space is full; what was taken in until
/// then stays.
pub async fn import(config: ImportConfig) -> Result<ImportReport, OfflineError> {
    let ImportConfig { tree, volume, cluster, adopt, space, into, limit, overwrite } = config;
    let name: VolumeName = "volume".parse().map_err(|_| OfflineError::Volume("no name".to_owned()))?;
    let settings = Settings::default();
    let local = LocalConfig { volumes: vec![(name.clone(), volume)], cluster, adopt, faults: None, settings };
    let engine = Engine::open_local(local).await.map_err(|error| OfflineError::Volume(error.to_string()))?;
    let space = engine.space(space, name);
    let (root, renamed) = root_of(&tree)?;
    set_limit(&space, limit).await?;
    let mut report = ImportReport::default();
    let mut ahead = vec![(root.clone(), into)];
    while let Some((directory, path)) = ahead.pop() {
        if !path.is_root()
            && let Err(error) = make(&space, &path).await
        {
            match error {
                Error::Exists | Error::NotADirectory | Error::TooDeep => {
                    report.skipped.push(format!("{} and all in it: {error}", directory.display()));
                    continue;
                }
                error => return Err(stopped(error)),
            }
        }
        report.directories += 1;
        let (files, below) = contents(&root, &directory, &path, &renamed, &mut report.skipped)?;
        ahead.extend(below);
        let mut taken = stream::iter(files.into_iter().map(|wanted| take(&space, wanted, overwrite)))
            .buffer_unordered(AT_ONCE);
        while let Some(taken) = taken.next().await {
            match taken? {
                Taken::New(length) => {
                    report.files += 1;
                    report.bytes = report.bytes.saturating_add(Amount(length));
                }
                Taken::Already => report.already += 1,
                Taken::Skipped(why) => report.skipped.push(why),
            }
        }
    }
    Ok(report)
}

/// Where the files are, and how those are called that an export had to call otherwise.
fn root_of(tree: &Path) -> Result<(PathBuf, BTreeMap<PathBuf, String>), OfflineError> {
    let manifest = std::fs::read(tree.join(MANIFEST)).ok();
    let manifest = manifest.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
    let (root, renamed) = match manifest {
        Some(manifest) if tree.join(FILES).is_dir() => (tree.join(FILES), names_of(&manifest)),
        _ => (tree.to_owned(), BTreeMap::new()),
    };
    if !root.is_dir() {
        return Err(OfflineError::Target(format!("{} is no directory", root.display())));
    }
    Ok((root, renamed))
}

async fn set_limit(space: &Space, limit: Option<Amount>) -> Result<(), OfflineError> {
    let usage = space.snapshot(Freshness::Now).await.map_err(stopped)?.usage();
    let Some(limit) = limit else {
        if usage.limit == Amount::ZERO {
            let what = "the space may hold nothing yet: say how much with --limit, such as --limit 10Gi";
            return Err(OfflineError::Volume(what.to_owned()));
        }
        return Ok(());
    };
    let mut roster_generation = usage.roster_generation;
    roster_generation.0 += 1;
    let operation = Operation::Limit { roster_generation, target: limit, ceiling: limit };
    commit(space, operation).await.map_err(stopped)
}

async fn commit(space: &Space, operation: Operation) -> Result<(), Error> {
    space
        .commit(Request { id: OperationId(Uuid::new_v4()), born: None, operation, locks: Vec::new() })
        .await
        .map(|_| ())
}

async fn make(space: &Space, path: &NodePath) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let made = commit(space, Operation::MakeDirectory { path: path.clone(), parents: true }).await;
        tries += 1;
        match made {
            Err(Error::Stalled(_) | Error::OutcomeUnknown) if tries < TRIES => {
                tokio::time::sleep(TRY_AGAIN).await;
            }
            made => return made,
        }
    }
}

type Below = Vec<(PathBuf, NodePath)>;

/// What is in a directory of the tree, sorted by name.
fn contents(
    root: &Path,
    directory: &Path,
    path: &NodePath,
    renamed: &BTreeMap<PathBuf, String>,
    skipped: &mut Vec<String>,
) -> Result<(Vec<Wanted>, Below), OfflineError> {
    let failed = |error: std::io::Error| OfflineError::Target(format!("{}: {error}", directory.display()));
    let (mut files, mut below, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut entries: Vec<_> =
        std::fs::read_dir(directory).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let source = entry.path();
        let mut skip = |why: &str| skipped.push(format!("{}: {why}", source.display()));
        let relative = source.strip_prefix(root).unwrap_or(&source);
        let text = match renamed.get(relative) {
            Some(name) => name.clone(),
            None => match entry.file_name().into_string() {
                Ok(text) => text,
                Err(_) => {
                    skip("its name is not UTF-8");
                    continue;
                }
            },
        };
        let name: Name = match text.parse() {
            Ok(name) => name,
            Err(error) => {
                skip(&format!("{error}"));
                continue;
            }
        };
        if !names.insert(name.clone()) {
            skip("another one has the same name, written with other characters");
            continue;
        }
        let metadata = entry.metadata().map_err(failed)?;
        let path = path.join(name);
        if metadata.is_dir() {
            below.push((source, path));
        } else if metadata.is_file() {
            files.push(Wanted { source, path, length: metadata.len() });
        } else {
            skip("it is neither a file nor a directory");
        }
    }
    Ok((files, below))
}

async fn take(space: &Space, wanted: Wanted, overwrite: bool) -> Result<Taken, OfflineError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match try_take(space, &wanted, overwrite).await {
            // What became of it is seen when it is looked at again.
            Err(Failed::Space(Error::Stalled(_) | Error::OutcomeUnknown | Error::Precondition))
                if tries < TRIES =>
            {
                tokio::time::sleep(TRY_AGAIN).await;
            }
            Err(Failed::Space(error @ (Error::TooDeep | Error::IsADirectory | Error::NotADirectory))) => {
                return Ok(Taken::Skipped(format!("{}: {error}", wanted.source.display())));
            }
            Err(Failed::Space(error)) => return Err(stopped(error)),
            Err(Failed::Tree(why)) => {
                return Ok(Taken::Skipped(format!("{}: {why}", wanted.source.display())));
            }
            Ok(taken) => return Ok(taken),
        }
    }
}

enum Failed {
    Space(Error),
    Tree(String),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Space(error)
    }
}

async fn try_take(space: &Space, wanted: &Wanted, overwrite: bool) -> Result<Taken, Failed> {
    let Wanted { source, path, length } = wanted;
    let there = space.snapshot(Freshness::Now).await?.lookup(path);
    let condition = match &there {
        None => Condition::Absent,
        Some(node) if node.is_directory() => return Err(Error::IsADirectory.into()),
        Some(node) if is_same(space, node, source, *length).await? => return Ok(Taken::Already),
        Some(_) if !overwrite => {
            let what = "a file with another content is there; --overwrite replaces it";
            return Ok(Taken::Skipped(format!("{}: {what}", source.display())));
        }
        Some(node) => Condition::Matches(node.etag()),
    };
    let mut stage = space.stage(Some(Amount(*length))).await?;
    let mut reader = Pieces::open(source.clone()).await?;
    while let Some(piece) = reader.next().await? {
        stage.write(piece).await?;
    }
    let content = stage.finish().await?;
    if content.length() != *length {
        return Err(Failed::Tree("it changed while it was read".to_owned()));
    }
    commit(space, Operation::Put { path: path.clone(), content, condition, parents: false }).await?;
    Ok(Taken::New(*length))
}

async fn is_same(space: &Space, node: &Node, source: &Path, length: u64) -> Result<bool, Failed> {
    match &node.kind {
        Kind::File { size, .. } if size.0 == length => {}
        Kind::File { .. } | Kind::Directory { .. } => return Ok(false),
    }
    let mut stored = space.read(node, 0..u64::MAX).await?;
    let mut reader = Pieces::open(source.to_owned()).await?;
    let (mut left, mut right) = (Bytes::new(), Bytes::new());
    loop {
        if left.is_empty() {
            left = stored.next().await?.unwrap_or_default();
        }
        if right.is_empty() {
            right = reader.next().await?.unwrap_or_default();
        }
        let both = left.len().min(right.len());
        if both == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        if left.split_to(both) != right.split_to(both) {
            return Ok(false);
        }
    }
}

/// A file of the tree, piece by piece, read by threads that may wait.
struct Pieces(Option<File>);

impl Pieces {
    async fn open(path: PathBuf) -> Result<Self, Failed> {
        let opened = tokio::task::spawn_blocking(move || File::open(path)).await;
        match opened {
            Ok(Ok(file)) => Ok(Self(Some(file))),
            Ok(Err(error)) => Err(Failed::Tree(error.to_string())),
            Err(error) => Err(Failed::Tree(error.to_string())),
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Failed> {
        let Some(mut file) = self.0.take() else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = Vec::with_capacity(PIECE);
            let read = (&mut file).take(PIECE as u64).read_to_end(&mut piece);
            read.map(|_| (file, piece))
        });
        match read.await {
            Ok(Ok((_, piece))) if piece.is_empty() => Ok(None),
            Ok(Ok((file, piece))) => {
                self.0 = Some(file);
                Ok(Some(piece.into()))
            }
            Ok(Err(error)) => Err(Failed::Tree(error.to_string())),
            Err(error) => Err(Failed::Tree(error.to_string())),
        }
    }
}

/// Why the whole comes to an end.
fn stopped(error: Error) -> OfflineError {
    OfflineError::Volume(match error {
        error @ Error::QuotaExceeded { .. } => {
            format!("{error}; raise it with --limit and run the same again: what is there already stays")
        }
        error => error.to_string(),
    })
}
