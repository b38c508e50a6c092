//! A space at one generation as a plain tree of files, for whoever has nothing of this program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::bytes::Bytes;
use api::generation::Generation;
use api::ids::SpaceId;
use serde::{Deserialize, Serialize};

use super::chain::{Chain, Link};
use super::plain::{self, Directory};
use super::pool::Volumes;
use super::{OfflineError, OfflineVolume, Owner};
use crate::extent::{Extent, ObjectId, VolumeIndex};
use crate::file_system::{FsError, OpenFile};
use crate::log::Log;
use crate::node::NodeId;
use crate::path::NodePath;
use crate::state::State;
use crate::state::inode::{Content, File};

/// What says how a tree came to be; written last, so that a tree without it is not whole.
pub(super) const MANIFEST: &str = "export.json";
/// Where the files are.
pub(super) const FILES: &str = "files";

/// What was exported, and what of it is not as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Whose volume it came from, where that is known.
    pub owner: Option<Owner>,
    /// The space.
    pub space: SpaceId,
    /// Its generation.
    pub generation: Generation,
    /// Files that were written.
    pub files: u64,
    /// Directories, the root among them.
    pub directories: u64,
    /// Bytes of all files.
    pub bytes: Bytes,
    /// What could not have its name there.
    pub renamed: Vec<Renamed>,
    /// What could not be written, and why.
    pub missing: Vec<String>,
}

/// A file or directory that has another name in a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Renamed {
    /// Its path in the space.
    pub path: String,
    /// Its path in the tree, below `files/`.
    pub written_as: String,
}

/// A directory on the way down, and what of it is still to be written.
struct Frame {
    id: NodeId,
    directory: Directory,
    ahead: Vec<NodeId>,
    path: NodePath,
    written: PathBuf,
}

impl OfflineVolume {
    /// Writes a space as a plain tree into a directory that is new or empty.
    ///
    /// # Errors
    /// When the space can not be read, or the directory can not be written or has something in it. A file that can
    /// not be written is no error: it is told in the manifest.
    pub async fn export(
        &self,
        space: SpaceId,
        at: Option<Generation>,
        target: &Path,
    ) -> Result<Manifest, OfflineError> {
        let state = self.state_at(space, at).await?;
        let log = self.space(space).await?;
        let root = Directory::empty(target)?;
        let files = root.make(FILES, FILES)?;
        let mut export = Export {
            log: &log,
            state: &state,
            volumes: Volumes { home: &self.volume, others: &self.others, state: &state },
            opened: None,
            manifest: Manifest {
                owner: self.owner().ok().cloned(),
                space,
                generation: state.generation,
                files: 0,
                directories: 0,
                bytes: Bytes::ZERO,
                renamed: Vec::new(),
                missing: Vec::new(),
            },
        };
        export.tree(files).await?;
        let manifest = export.manifest;
        let text =
            serde_json::to_vec_pretty(&manifest).map_err(|error| OfflineError::Target(error.to_string()))?;
        root.finish(MANIFEST, &text)?;
        Ok(manifest)
    }

    /// A space at a generation that is still there; at its newest when none is named.
    async fn state_at(&self, space: SpaceId, at: Option<Generation>) -> Result<Arc<State>, OfflineError> {
        let log = self.space(space).await?;
        let mut chain = Chain::open(&log).await?;
        let oldest = chain.state().generation;
        while at != Some(chain.state().generation) {
            match chain.next().await? {
                None => break,
                Some(Link::Broken(what)) => match chain.resume().await? {
                    // What is wanted lies behind it.
                    Some(Link::Resumed(state)) if at.is_none_or(|at| at >= state.generation) => {
                        tracing::warn!(%what, "The log is broken here; it is read on from a later state.");
                    }
                    _ => return Err(OfflineError::Broken(what)),
                },
                Some(_) => {}
            }
        }
        let newest = chain.state().generation;
        match at {
            Some(at) if at != newest => Err(OfflineError::Broken(format!(
                "generation {at} is not there: the log of the space has {oldest} to {newest}"
            ))),
            _ => Ok(chain.state().clone()),
        }
    }
}

struct Export<'e> {
    log: &'e Log,
    state: &'e State,
    volumes: Volumes<'e>,
    /// The object that was read last, for the next file may be in it too.
    opened: Option<((VolumeIndex, ObjectId), Arc<dyn OpenFile>)>,
    manifest: Manifest,
}

impl Export<'_> {
    async fn tree(&mut self, root: Directory) -> Result<(), OfflineError> {
        let mut stack = vec![self.frame(NodeId::ROOT, root, NodePath::root(), PathBuf::new())];
        while let Some(frame) = stack.last_mut() {
            let Some(id) = frame.ahead.pop() else {
                let modified = self.state.directory(frame.id).map_or(0, |directory| directory.modified);
                // The times of directories are for show; what matters is in them.
                let _ = frame.directory.set_modified(modified);
                self.manifest.directories += 1;
                stack.pop();
                continue;
            };
            let Some(inode) = self.state.nodes.get(&id) else { continue };
            let Some(name) = inode.name.clone() else { continue };
            let path = frame.path.join(name.clone());
            match &inode.content {
                Content::File(file) => match self.file(&frame.directory, name.as_str(), file).await {
                    Ok(written) => self.note(&path, &frame.written, name.as_str(), &written),
                    Err(what) => self.manifest.missing.push(format!("/{path}: {what}")),
                },
                Content::Directory(_) => match frame.directory.make_directory(name.as_str()) {
                    Ok((written, directory)) => {
                        self.note(&path, &frame.written, name.as_str(), &written);
                        let below = frame.written.join(&written);
                        let next = self.frame(id, directory, path, below);
                        stack.push(next);
                    }
                    Err(what) => self.manifest.missing.push(format!("/{path} and all in it: {what}")),
                },
            }
        }
        Ok(())
    }

    fn frame(&self, id: NodeId, directory: Directory, path: NodePath, written: PathBuf) -> Frame {
        let children = self.state.directory(id).map(|directory| &directory.children);
        let mut ahead: Vec<NodeId> =
            children.into_iter().flat_map(|children| children.values().copied()).collect();
        // The first is taken first.
        ahead.reverse();
        Frame { id, directory, ahead, path, written }
    }

    fn note(&mut self, path: &NodePath, above: &Path, name: &str, written: &str) {
        if name != written {
            let written_as = above.join(written).display().to_string();
            self.manifest.renamed.push(Renamed { path: format!("/{path}"), written_as });
        }
    }

    /// Writes a file, or leaves nothing of it. Returns the name it has got.
    async fn file(&mut self, directory: &Directory, name: &str, file: &File) -> Result<String, String> {
        let (written, out) = directory.create(name).map_err(|error| error.to_string())?;
        let out = Arc::new(out);
        let copied = self.content(&out, file).await;
        let done = copied.and_then(|()| {
            let length = plain::length(&out)?;
            if length != file.size.0 {
                return Err(format!("{length} bytes were written of {}", file.size.0));
            }
            plain::set_modified(&out, file.modified)
        });
        match done {
            Ok(()) => {
                self.manifest.files += 1;
                self.manifest.bytes = self.manifest.bytes.saturating_add(file.size);
                Ok(written)
            }
            Err(what) => {
                directory.remove(&written);
                Err(what)
            }
        }
    }

    async fn content(&mut self, out: &Arc<std::os::fd::OwnedFd>, file: &File) -> Result<(), String> {
        let mut to = 0;
        for extent in file.extents.iter() {
            let object = self.open(extent).await?;
            let (out, extent) = (out.clone(), *extent);
            let copied = tokio::task::spawn_blocking(move || plain::copy(&*object, extent, &out, to)).await;
            copied.map_err(|error| error.to_string())??;
            to += extent.length;
        }
        Ok(())
    }

    async fn open(&mut self, extent: &Extent) -> Result<Arc<dyn OpenFile>, String> {
        let place = (extent.volume, extent.object);
        if let Some((_, file)) = self.opened.as_ref().filter(|(opened, _)| *opened == place) {
            return Ok(file.clone());
        }
        let missing = || "its bytes are on another volume of the pool, which was not named".to_owned();
        let volume = self.volumes.of(extent.volume).ok_or_else(missing)?;
        let path = self.log.layout.object(extent.object);
        let file = match volume.fs.open(&path).await {
            Ok(file) => file,
            Err(FsError::NotFound) => {
                return Err(format!("{} is missing", self.volumes.told(extent.volume, &path)));
            }
            Err(error) => return Err(error.to_string()),
        };
        self.opened = Some((place, file.clone()));
        Ok(file)
    }
}

/// What an exported tree calls otherwise: names by the path in the tree.
pub(super) fn names_of(manifest: &Manifest) -> BTreeMap<PathBuf, String> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    manifest.renamed.iter().map(|one| (PathBuf::from(&one.written_as), last(&one.path))).collect()
}
