//! A step of an entry in words. Names are shown as they are, in quotes: this is for whoever has the volume in hand.

use crate::format::pool::{Close, Import, NameVolume, Relocate};
use crate::format::record::{self, Action, Expected, Target};
use crate::name::Name;
use crate::node::NodeId;
use crate::operation::UploadId;
use crate::path::NodePath;
use crate::state::State;
use crate::state::upload::Upload;

/// What a step does to the state before it.
pub(super) fn sentence(state: &State, action: &Action) -> String {
    match action {
        Action::MakeDirectory(record::MakeDirectory { parent, name }) => {
            format!("makes the directory {}", inside(state, *parent, name))
        }
        Action::Put(record::Put { parent, name, extents, reservation, keep }) => {
            let bytes: u64 = extents.iter().map(|extent| extent.length).sum();
            let how =
                if state.child(*parent, name).is_some() { "gives new content to" } else { "makes the file" };
            let reserved = reservation.map(|id| format!(", reserved as {id}")).unwrap_or_default();
            format!("{how} {} ({bytes} bytes{reserved}){}", inside(state, *parent, name), kept(*keep))
        }
        Action::Move(record::Move { node, parent, name, replaced, keep }) => {
            let replaced = over(state, *replaced);
            let kept = kept(*keep);
            format!("moves {} to {}{replaced}{kept}", path(state, *node), inside(state, *parent, name))
        }
        Action::Copy(record::Copy { node, parent, name, replaced, keep }) => {
            let replaced = over(state, *replaced);
            let kept = kept(*keep);
            format!("copies {} to {}{replaced}{kept}", path(state, *node), inside(state, *parent, name))
        }
        Action::Delete(record::Delete { node }) => {
            format!("deletes {}{}", path(state, *node), below(state, *node))
        }
        Action::Limit(record::Limit { roster_generation, target, ceiling }) => format!(
            "sets the limit to what is used, at least {target} and at most {ceiling} (roster generation \
             {roster_generation})"
        ),
        Action::CreateUpload(record::CreateUpload { upload, length, object: _, target, volume: _ }) => {
            match target {
                Some(target) => format!("begins the upload {upload} of {length} to {}", planned(target)),
                None => format!("reserves {length} as {upload}"),
            }
        }
        Action::TakeOver(record::TakeOver { upload, epoch, object: _, volume: _ }) => {
            format!("another writer goes on with the upload {}: its epoch is {epoch}", known(state, *upload))
        }
        Action::Extend(record::Extend { upload, epoch, durable, length }) => match length {
            Some(length) => format!("raises what is reserved as {upload} to {length} bytes"),
            None => format!("has {durable} of the upload {} (epoch {epoch})", known(state, *upload)),
        },
        Action::Complete(record::Complete { upload, epoch: _, parent, name, keep }) => {
            format!("makes the upload {upload} the file {}{}", inside(state, *parent, name), kept(*keep))
        }
        Action::Abort(record::Abort { upload }) => format!("gives up {}", known(state, *upload)),
        Action::Sweep(record::Sweep { low, truncated }) => {
            format!("forgets operations born before {low}, and data files dropped up to {truncated}")
        }
        Action::Lock(record::Lock { token, node, exclusive, infinite, owner: _, creator, timeout_ms }) => {
            let how = if *exclusive { "for one alone" } else { "for several" };
            let depth = if *infinite { " with all in it" } else { "" };
            let node = path(state, *node);
            format!("locks {node}{depth} {how} for {timeout_ms} ms, as {token}, by {creator:?}")
        }
        Action::Unlock(record::Unlock { token }) => format!("ends the lock {token}"),
        Action::CreateShare(record::CreateShare { id, node, creator, .. }) => {
            format!("shares {} as {id}, by {creator:?}", path(state, *node))
        }
        Action::RemoveShare(record::RemoveShare { id }) => format!("ends the share {id}"),
        Action::UseShare(record::UseShare { id }) => format!("counts a use of the share {id}"),
        Action::SetProperties(record::SetProperties { node, set, removed, modified }) => {
            let time = modified.map(|time| format!(", and says it is of {time}")).unwrap_or_default();
            let (set, removed) = (set.len(), removed.len());
            format!("sets {set} and removes {removed} properties of {}{time}", path(state, *node))
        }
        Action::Trash(record::Trash { node, bytes, nodes }) => {
            format!("puts {} into the trash ({nodes} nodes, {bytes})", path(state, *node))
        }
        Action::Restore(record::Restore { node, parent, name }) => {
            format!(
                "brings {} back from the trash as {}",
                trashed(state, *node),
                inside(state, *parent, name)
            )
        }
        Action::Purge(record::Purge { node, version, nodes }) => match (version, nodes) {
            (Some(version), _) => format!("purges the version {version} of {}", path(state, *node)),
            (None, Some(nodes)) => format!("purges {nodes} nodes of {}", trashed(state, *node)),
            (None, None) => format!("purges {}", trashed(state, *node)),
        },
        Action::RestoreVersion(record::RestoreVersion { node, version, keep }) => {
            format!("gives {} its version {version} back{}", path(state, *node), kept(*keep))
        }
        Action::NameVolume(NameVolume { volume, id }) => {
            format!("calls the volume {id} number {}", volume.0)
        }
        Action::Relocate(Relocate { volume, object, pieces, nodes, uploads }) => {
            let to =
                pieces.first().map(|piece| format!("{} of volume {}", piece.to.object, piece.to.volume.0));
            format!(
                "moves the bytes of object {object} of volume {} to {} for {} files and {} uploads",
                volume.0,
                to.unwrap_or_else(|| "nowhere".to_owned()),
                nodes.len(),
                uploads.len(),
            )
        }
        Action::Close(Close { roster_generation, removed }) => {
            let does = if *removed { "removes the space and all in it" } else { "closes the space" };
            format!("{does}, for roster {}", roster_generation.0)
        }
        Action::Import(Import { parent, name, replaced, nodes, source, keep }) => format!(
            "{} {} files and directories from another space as {}{}{}",
            if source.is_some() { "moves" } else { "copies" },
            nodes.len(),
            inside(state, *parent, name),
            over(state, *replaced),
            kept(*keep),
        ),
        Action::Format(record::Format { format }) => format!("raises the format of the log to {format}"),
    }
}

/// Whether what was there is kept.
fn kept(keep: bool) -> &'static str {
    if keep { ", and keeps what it held as a version" } else { "" }
}

/// Something in the trash, by where it was.
fn trashed(state: &State, node: NodeId) -> String {
    match state.trash.items.get(&node) {
        Some(item) => format!("what was {}", quoted(&item.path)),
        None => format!("node {node}"),
    }
}

/// A path in quotes; characters that would not be seen are written out.
fn quoted(names: &[Name]) -> String {
    format!("{:?}", format!("/{}", NodePath::from(names.to_vec())))
}

/// The path of a node.
fn names(state: &State, node: NodeId) -> Option<Vec<Name>> {
    let mut names = Vec::new();
    let mut node = node;
    while node != NodeId::ROOT {
        let inode = state.nodes.get(&node)?;
        names.push(inode.name.clone()?);
        node = inode.parent;
    }
    names.reverse();
    Some(names)
}

fn path(state: &State, node: NodeId) -> String {
    names(state, node).map_or_else(|| format!("node {node}"), |names| quoted(&names))
}

fn inside(state: &State, parent: NodeId, name: &Name) -> String {
    match names(state, parent) {
        Some(mut names) => {
            names.push(name.clone());
            quoted(&names)
        }
        None => format!("{:?} in node {parent}", name.as_str()),
    }
}

fn over(state: &State, replaced: Option<NodeId>) -> String {
    match replaced {
        Some(node) => format!(", in place of what is there{}", below(state, node)),
        None => String::new(),
    }
}

/// How much is in a directory.
fn below(state: &State, node: NodeId) -> String {
    match state.walk(node).count().saturating_sub(1) {
        0 => String::new(),
        inside => format!(" with {inside} in it"),
    }
}

fn known(state: &State, upload: UploadId) -> String {
    match state.uploads.get(&upload) {
        Some(Upload::Open(open)) => match &open.target {
            Some(target) => format!("{upload} to {}", planned(target)),
            None => format!("{upload}, a reservation"),
        },
        _ => upload.to_string(),
    }
}

fn planned(target: &Target) -> String {
    let Target { path, expected, parents: _, locks: _, modified: _ } = target;
    let condition = match expected {
        Expected::Anything => String::new(),
        Expected::Nothing => ", if nothing is there".to_owned(),
        Expected::Tag(tag) => format!(", if {tag} is there"),
    };
    format!("{}{condition}", quoted(path))
}
