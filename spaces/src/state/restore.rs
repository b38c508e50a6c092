//! A state from the file that was written of it.

use std::sync::Arc;

use api::bytes::Bytes;
use imbl::OrdMap;

use super::State;
use super::apply::Misfit;
use super::clocks::Clocks;
use super::closed::Closed;
use super::inode::length;
use super::limit::Limit;
use super::locks::Locks;
use super::nodes::Nodes;
use super::objects::Objects;
use super::outcome::{Outcome, Outcomes};
use super::properties::Properties;
use super::shares::Shares;
use super::trash::Trashed;
use super::upload::{Complete, Open, Upload};
use super::versions::Version;
use super::volumes::Volumes;
use crate::extent::VolumeIndex;
use crate::format::start::{
    Start, StartClock, StartClosed, StartLimit, StartMark, StartMove, StartObject, StartOpen, StartOutcome,
    StartTrashed, StartUpload, StartVersion,
};
use crate::format::{FIRST_FORMAT, FORMAT};
use crate::node::NodeId;

impl State {
    /// The state that a file tells of. It must add up.
    pub(crate) fn restore(start: Start) -> Result<Self, Misfit> {
        let Start {
            format: _,
            space,
            generation,
            head,
            log_format,
            low,
            next,
            nodes,
            uploads,
            outcomes,
            dropped,
            clocks,
            limit: StartLimit { bytes, roster_generation, target, ceiling },
            locks,
            properties,
            shares,
            trash,
            versions,
            volumes,
            closed,
            marks,
            moves,
        } = start;
        let limit = Limit { bytes, roster_generation, target, ceiling };
        if !(FIRST_FORMAT..=FORMAT).contains(&log_format) {
            return Err(Misfit("the log has a format that this version does not know; use a newer one"));
        }
        let mut state = Self {
            generation,
            head,
            format: log_format,
            low,
            next,
            nodes: Nodes::default(),
            uploads: OrdMap::new(),
            outcomes: Outcomes::default(),
            objects: Objects::default(),
            clocks: Clocks::default(),
            limit,
            locks: Locks::restore(locks)?,
            properties: Properties::restore(properties)?,
            shares: Shares::restore(shares)?,
            volumes: Volumes::restore(volumes)?,
            closed: closed.map(|StartClosed { generation, clock, removed }| Closed {
                generation,
                clock,
                removed,
            }),
            moves: moves.into_iter().map(|StartMove { id, source }| (id, source)).collect(),
            ..Self::genesis(space)
        };
        let loose = state.read_list(&nodes)?;
        let trashed = trash.iter().map(|item| item.node);
        if !loose.iter().copied().eq([NodeId::ROOT].into_iter().chain(trashed))
            || state.directory(NodeId::ROOT).is_none()
        {
            return Err(Misfit("a node is in no directory"));
        }
        for StartTrashed { node, path, generation, clock } in trash {
            let (bytes, nodes) = state.weigh(node);
            let path = path.into();
            state.trash.add(node, Trashed { path, generation, clock, bytes, nodes })?;
        }
        for StartVersion { node, number, modified, extents, generation, clock } in versions {
            state.objects.refer_all(&extents);
            let size = length(&extents);
            state.used = state.used.checked_add(size).ok_or(Misfit("sizes overflow"))?;
            let extents = extents.into();
            let version = Version { number, modified, size, extents, generation, clock };
            state.versions.add(node, vec![version])?;
        }
        for StartUpload { id, length, target, open, node, generation } in uploads {
            let target = target.map(Arc::new);
            let upload = match (open, node, target) {
                (Some(open), None, target) => state.restore_open(open, length, target)?,
                (None, Some(node), Some(target)) => {
                    Upload::Complete(Complete { length, target, node, generation })
                }
                _ => return Err(Misfit("an upload is neither under way nor complete")),
            };
            if state.uploads.insert(id, upload).is_some() {
                return Err(Misfit("an upload is there twice"));
            }
        }
        let outcome = |StartOutcome { id, born, generation, node }| (id, Outcome { born, generation, node });
        let outcomes = outcomes.into_iter().map(outcome).collect();
        state.outcomes = Outcomes::of(outcomes).ok_or(Misfit("the operations do not ascend"))?;
        for StartObject { volume, object, dropped } in dropped {
            if !state.objects.was_dropped(VolumeIndex(volume), object, dropped) {
                return Err(Misfit("an object is dropped that is in use"));
            }
        }
        for StartMark { node, version, mark } in marks {
            state.marks.0.entry(node).or_default().insert(version, mark);
        }
        for StartClock { committer, clock } in clocks {
            state.clocks.note(committer, clock);
        }
        let mut wrong = Vec::new();
        state.audit_beside(&mut wrong);
        if wrong.is_empty() { Ok(state) } else { Err(Misfit("the state does not add up")) }
    }

    fn restore_open(
        &mut self,
        open: StartOpen,
        reserved: Bytes,
        target: Option<Arc<crate::format::record::Target>>,
    ) -> Result<Upload, Misfit> {
        let StartOpen { epoch, object, extents, durable, heard, volume } = open;
        self.reserved = self.reserved.checked_add(reserved).ok_or(Misfit("sizes overflow"))?;
        self.objects.refer(volume, object);
        self.objects.refer_all(&extents);
        let base = length(&extents);
        let extents = extents.into();
        Ok(Upload::Open(Open {
            length: reserved,
            target,
            epoch,
            object,
            volume,
            extents,
            base,
            durable,
            heard,
        }))
    }

    /// What is written of a state.
    pub(crate) fn to_start(&self) -> Start {
        let uploads = self.uploads.iter().map(|(id, upload)| match upload {
            Upload::Open(Open {
                length,
                target,
                epoch,
                object,
                volume,
                extents,
                base: _,
                durable,
                heard,
            }) => StartUpload {
                id: *id,
                length: *length,
                target: target.as_deref().cloned(),
                open: Some(StartOpen {
                    epoch: *epoch,
                    object: *object,
                    extents: extents.to_vec(),
                    durable: *durable,
                    heard: *heard,
                    volume: *volume,
                }),
                node: None,
                generation: api::generation::Generation::ZERO,
            },
            Upload::Complete(Complete { length, target, node, generation }) => StartUpload {
                id: *id,
                length: *length,
                target: Some(target.as_ref().clone()),
                open: None,
                node: Some(*node),
                generation: *generation,
            },
        });
        let outcomes = self.outcomes.by_id.iter().map(|(id, outcome)| {
            let Outcome { born, generation, node } = *outcome;
            StartOutcome { id: *id, born, generation, node }
        });
        let trash = self.trash.items.iter().map(|(node, item)| {
            let Trashed { path, generation, clock, bytes: _, nodes: _ } = item;
            StartTrashed { node: *node, path: path.to_vec(), generation: *generation, clock: *clock }
        });
        let versions = self.versions.of.iter().flat_map(|(node, versions)| {
            versions.iter().map(|version| {
                let Version { number, modified, size: _, extents, generation, clock } = version.clone();
                let extents = extents.to_vec();
                StartVersion { node: *node, number, modified, extents, generation, clock }
            })
        });
        let dropped = self.objects.0.iter().filter(|(_, known)| known.references == 0);
        let marks = self.marks.0.iter().flat_map(|(node, marks)| {
            let of =
                |(version, mark): (&u64, &u32)| StartMark { node: *node, version: *version, mark: *mark };
            marks.iter().map(of)
        });
        let moves = self.moves.iter();
        let Clocks { newest, other } = self.clocks;
        let Limit { bytes, roster_generation, target, ceiling } = self.limit;
        Start {
            format: FORMAT,
            space: self.space,
            generation: self.generation,
            head: self.head,
            log_format: self.format,
            low: self.low,
            next: self.next,
            nodes: self.list(),
            uploads: uploads.collect(),
            outcomes: outcomes.collect(),
            dropped: dropped
                .map(|((volume, object), known)| StartObject {
                    volume: volume.0,
                    object: *object,
                    dropped: known.dropped,
                })
                .collect(),
            clocks: newest
                .into_iter()
                .chain(other)
                .map(|(committer, clock)| StartClock { committer, clock })
                .collect(),
            limit: StartLimit { bytes, roster_generation, target, ceiling },
            locks: self.locks.to_start(),
            properties: self.properties.to_start(),
            shares: self.shares.to_start(),
            trash: trash.collect(),
            versions: versions.collect(),
            volumes: self.volumes.to_start(),
            closed: self.closed.map(|Closed { generation, clock, removed }| StartClosed {
                generation,
                clock,
                removed,
            }),
            marks: marks.collect(),
            moves: moves.map(|(id, source)| StartMove { id: *id, source: *source }).collect(),
        }
    }
}
