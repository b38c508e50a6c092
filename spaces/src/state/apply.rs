//! Applies the steps of an entry. What an entry says was decided by its committer; here it is only asked whether it
//! fits, for if it does not, this is not the state that the entry was written for.

use std::sync::Arc;

use api::bytes::Bytes;
use api::generation::Generation;
use imbl::OrdMap;

use super::State;
use super::inode::{Content, Directory, File, Inode, length};
use super::limit::Limit;
use super::upload::{Complete, HOME, Open, Upload};
use crate::extent::{Extent, ObjectId, VolumeIndex};
use crate::format::FORMAT;
use crate::format::entry::{Committer, Entry};
use crate::format::frame::Hash;
use crate::format::record::{self, Action, Record};
use crate::name::Name;
use crate::node::NodeId;
use crate::operation::UploadId;
use crate::rule::{Rule, kept};

/// How an entry does not fit its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not fit what came before it: {0}")]
pub(crate) struct Misfit(pub(crate) &'static str);

/// When and where a step happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) generation: Generation,
    pub(crate) clock: i64,
}

type Applied<T = ()> = Result<T, Misfit>;

impl State {
    /// The state after one more entry.
    pub(crate) fn fold(&self, entry: &Entry, hash: Hash) -> Applied<Self> {
        let Entry { format, space, generation, id: _, previous, clock, committer, records } = entry;
        let mut next = self.clone();
        if *space != self.space {
            return Err(Misfit("it is of another space"));
        }
        if *generation != self.generation.next() {
            return Err(Misfit("it is of another generation"));
        }
        if *previous != self.head {
            return Err(Misfit("its predecessor is another entry"));
        }
        if *format > self.format {
            return Err(Misfit("its format was not announced"));
        }
        let moment = Moment { generation: *generation, clock: *clock };
        for record in records {
            next.apply(record, moment)?;
        }
        if next.format > FORMAT {
            return Err(Misfit("from here on the log has a newer format; use a newer version"));
        }
        next.close(moment, *committer, hash);
        Ok(next)
    }

    /// Ends an entry.
    pub(crate) fn close(&mut self, at: Moment, committer: Committer, hash: Hash) {
        self.clocks.note(committer, at.clock);
        self.generation = at.generation;
        self.head = hash;
    }

    /// Does one step. When it does not fit, the state is of no more use.
    pub(crate) fn apply(&mut self, record: &Record, at: Moment) -> Applied {
        let Record { operation, action } = record;
        let node = self.act(action, at)?;
        match operation {
            Some(operation) if operation.born < self.low => {
                Err(Misfit("an operation is older than the watermark"))
            }
            Some(operation) if operation.born >= at.generation => {
                Err(Misfit("an operation is of the future"))
            }
            Some(operation)
                if !self.outcomes.remember(*operation, at.generation, node) && kept(Rule::OnceByItsId) =>
            {
                Err(Misfit("an operation was done before"))
            }
            _ => Ok(()),
        }
    }

    fn act(&mut self, action: &Action, at: Moment) -> Applied<Option<NodeId>> {
        match action {
            Action::MakeDirectory(record::MakeDirectory { parent, name }) => {
                let version = self.next;
                let content = Directory { version, modified: at.clock, children: OrdMap::new() };
                self.make(*parent, name, Content::Directory(content)).map(Some)
            }
            Action::Put(put) => self.put(put, at).map(Some),
            Action::Move(to) => self.relocate(to, at).map(Some),
            Action::Copy(copy) => self.copy(copy, at).map(Some),
            Action::Delete(record::Delete { node }) => self.delete(*node, at).map(|()| None),
            Action::Limit(wish) => {
                if wish.roster_generation <= self.limit.roster_generation && kept(Rule::NewerRoster) {
                    return Err(Misfit("a limit is older than the one before"));
                }
                let taken = self.used.checked_add(self.reserved).ok_or(Misfit("sizes overflow"))?;
                self.limit = Limit::clamped(wish, taken);
                Ok(None)
            }
            Action::CreateUpload(create) => self.create_upload(create, at).map(|()| None),
            Action::TakeOver(take) => self.take_over(take, at).map(|()| None),
            Action::Extend(extend) => self.extend(extend, at).map(|()| None),
            Action::Complete(complete) => self.complete(complete, at).map(Some),
            Action::Abort(record::Abort { upload }) => self.end_upload(*upload, at).map(|_| None),
            Action::Sweep(record::Sweep { low, truncated }) => {
                if *low < self.low || *low > self.generation || *truncated > self.generation {
                    return Err(Misfit("a watermark goes back or is of the future"));
                }
                self.sweep(*low, *truncated);
                Ok(None)
            }
            Action::Format(record::Format { format }) => {
                if *format <= self.format {
                    return Err(Misfit("a format goes back"));
                }
                self.format = *format;
                Ok(None)
            }
        }
    }

    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// A new node; its number is its id, and the version of its content.
    fn make(&mut self, parent: NodeId, name: &Name, content: Content) -> Applied<NodeId> {
        let id = NodeId(self.number());
        self.attach(id, parent, name)?;
        self.nodes.insert(id, Inode { parent, name: Some(name.clone()), content });
        Ok(id)
    }

    pub(super) fn attach(&mut self, id: NodeId, parent: NodeId, name: &Name) -> Applied {
        let directory = self.children_mut(parent)?;
        match directory.insert(name.clone(), id) {
            None => Ok(()),
            Some(_) => Err(Misfit("a name is taken")),
        }
    }

    fn detach(&mut self, id: NodeId) -> Applied {
        let inode = self.nodes.get(&id).ok_or(Misfit("a node is missing"))?;
        let (parent, name) = (inode.parent, inode.name.clone().ok_or(Misfit("the root is to go"))?);
        match self.children_mut(parent)?.remove(&name) {
            Some(found) if found == id => Ok(()),
            _ => Err(Misfit("a node is not where it should be")),
        }
    }

    fn children_mut(&mut self, id: NodeId) -> Applied<&mut OrdMap<Name, NodeId>> {
        match self.nodes.get_mut(&id).map(|inode| &mut inode.content) {
            Some(Content::Directory(directory)) => Ok(&mut directory.children),
            Some(Content::File(_)) => Err(Misfit("a file is where a directory should be")),
            None => Err(Misfit("a directory is missing")),
        }
    }

    fn put(&mut self, put: &record::Put, at: Moment) -> Applied<NodeId> {
        let record::Put { parent, name, extents, reservation } = put;
        for extent in extents {
            self.introducible(extent.volume, extent.object)?;
        }
        // First the new references, so that an object which the reservation or the old content names stays in use.
        self.objects.refer_all(extents);
        if let Some(reservation) = reservation
            && self.end_upload(*reservation, at)?.target.is_some()
        {
            return Err(Misfit("a reservation is an upload"));
        }
        self.write(*parent, name, extents.as_slice().into(), at)
    }

    /// Makes a file or gives one new content, whose objects are referred to already.
    fn write(&mut self, parent: NodeId, name: &Name, extents: Arc<[Extent]>, at: Moment) -> Applied<NodeId> {
        if extents.iter().any(|extent| extent.length == 0) {
            return Err(Misfit("an extent is empty"));
        }
        let file = File { size: length(&extents), version: self.next, modified: at.clock, extents };
        self.used = self.used.checked_add(file.size).ok_or(Misfit("sizes overflow"))?;
        let Some(id) = self.child(parent, name) else { return self.make(parent, name, Content::File(file)) };
        self.number();
        match self.nodes.get_mut(&id).map(|inode| &mut inode.content) {
            Some(Content::File(old)) => {
                let old = std::mem::replace(old, file);
                self.release(&old, at)?;
                Ok(id)
            }
            _ => Err(Misfit("a directory is where a file should be")),
        }
    }

    fn release(&mut self, file: &File, at: Moment) -> Applied {
        self.used = Bytes(self.used.0.checked_sub(file.size.0).ok_or(Misfit("more is freed than is used"))?);
        self.objects.drop_all(&file.extents, at.generation);
        Ok(())
    }

    fn introducible(&self, volume: VolumeIndex, object: ObjectId) -> Applied {
        if volume != HOME {
            return Err(Misfit("an object lies on a volume that the space does not name"));
        }
        if object.born < self.low && !self.objects.knows(volume, object) {
            return Err(Misfit("an object is older than the watermark"));
        }
        Ok(())
    }

    /// Clears a place for a node that is about to get it.
    fn clear(
        &mut self,
        node: NodeId,
        parent: NodeId,
        name: &Name,
        replaced: Option<NodeId>,
        at: Moment,
    ) -> Applied {
        if self.is_within(parent, node) {
            return Err(Misfit("a directory would go into itself"));
        }
        if self.child(parent, name) != replaced {
            return Err(Misfit("something else is replaced"));
        }
        match replaced {
            Some(replaced) if self.is_within(node, replaced) => {
                Err(Misfit("what is replaced holds what replaces it"))
            }
            Some(replaced) => self.delete(replaced, at),
            None => Ok(()),
        }
    }

    fn relocate(&mut self, to: &record::Move, at: Moment) -> Applied<NodeId> {
        let record::Move { node, parent, name, replaced } = to;
        self.clear(*node, *parent, name, *replaced, at)?;
        self.detach(*node)?;
        self.attach(*node, *parent, name)?;
        let inode = self.nodes.get_mut(node).ok_or(Misfit("a node is missing"))?;
        inode.parent = *parent;
        inode.name = Some(name.clone());
        Ok(*node)
    }

    fn copy(&mut self, copy: &record::Copy, at: Moment) -> Applied<NodeId> {
        let record::Copy { node, parent, name, replaced } = copy;
        self.clear(*node, *parent, name, *replaced, at)?;
        let mut copies = OrdMap::new();
        let mut root = None;
        let sources: Vec<NodeId> = self.walk(*node).map(|step| step.id).collect();
        for id in sources {
            let source = self.nodes.get(&id).ok_or(Misfit("a node is missing"))?.clone();
            // The parent of what was copied before it, except for the first.
            let (parent, name) = match (copies.get(&source.parent), source.name) {
                (Some(parent), Some(name)) if root.is_some() => (*parent, name),
                _ => (*parent, name.clone()),
            };
            let version = self.next;
            let content = match source.content {
                Content::Directory(_) => {
                    Content::Directory(Directory { version, modified: at.clock, children: OrdMap::new() })
                }
                Content::File(file) => {
                    self.used = self.used.checked_add(file.size).ok_or(Misfit("sizes overflow"))?;
                    self.objects.refer_all(&file.extents);
                    Content::File(File { version, ..file })
                }
            };
            let made = self.make(parent, &name, content)?;
            copies.insert(id, made);
            root = root.or(Some(made));
        }
        root.ok_or(Misfit("a node is missing"))
    }

    fn delete(&mut self, node: NodeId, at: Moment) -> Applied {
        self.detach(node)?;
        let dead: Vec<NodeId> = self.walk(node).map(|step| step.id).collect();
        for id in dead {
            if let Content::File(file) = self.nodes.remove(&id).ok_or(Misfit("a node is missing"))?.content {
                self.release(&file, at)?;
            }
        }
        Ok(())
    }

    fn create_upload(&mut self, create: &record::CreateUpload, at: Moment) -> Applied {
        let record::CreateUpload { upload, length, object, target } = create;
        self.introducible(HOME, *object)?;
        self.reserved = self.reserved.checked_add(*length).ok_or(Misfit("sizes overflow"))?;
        self.objects.refer(HOME, *object);
        let open = Open {
            length: *length,
            target: target.clone().map(Arc::new),
            epoch: 1,
            object: *object,
            extents: Arc::new([]),
            base: Bytes::ZERO,
            durable: Bytes::ZERO,
            heard: at.clock,
        };
        match self.uploads.insert(*upload, Upload::Open(open)) {
            None => Ok(()),
            Some(_) => Err(Misfit("an upload was created before")),
        }
    }

    fn open_mut(&mut self, upload: UploadId) -> Applied<&mut Open> {
        match self.uploads.get_mut(&upload) {
            Some(Upload::Open(open)) => Ok(open),
            _ => Err(Misfit("an upload is not under way")),
        }
    }

    fn take_over(&mut self, take: &record::TakeOver, at: Moment) -> Applied {
        let record::TakeOver { upload, epoch, object } = take;
        self.introducible(HOME, *object)?;
        let open = self.open_mut(*upload)?;
        if *epoch != open.epoch + 1 {
            return Err(Misfit("an upload is taken over from somebody else"));
        }
        let kept = open.durable > open.base;
        let old = open.object;
        open.extents = open.closed();
        open.base = open.durable;
        open.epoch = *epoch;
        open.object = *object;
        open.heard = at.clock;
        self.objects.refer(HOME, *object);
        // What the old owner wrote durably is an extent now, which keeps its reference.
        if !kept {
            self.objects.drop_reference(HOME, old, at.generation);
        }
        Ok(())
    }

    fn extend(&mut self, extend: &record::Extend, at: Moment) -> Applied {
        let record::Extend { upload, epoch, durable, length } = extend;
        let open = self.open_mut(*upload)?;
        if length.is_some() && open.target.is_some() {
            return Err(Misfit("the length of an upload changes"));
        }
        let before = open.length;
        open.length = length.map_or(before, Bytes);
        let another = *epoch != open.epoch && kept(Rule::OwnerExtends);
        if another || *durable < open.durable || *durable > open.length {
            return Err(Misfit("an upload is extended by somebody else"));
        }
        open.durable = *durable;
        open.heard = at.clock;
        let after = open.length;
        let without =
            self.reserved.0.checked_sub(before.0).ok_or(Misfit("more is freed than is reserved"))?;
        self.reserved = Bytes(without).checked_add(after).ok_or(Misfit("sizes overflow"))?;
        Ok(())
    }

    fn complete(&mut self, complete: &record::Complete, at: Moment) -> Applied<NodeId> {
        let record::Complete { upload, epoch, parent, name } = complete;
        let open = self.open_mut(*upload)?.clone();
        if open.epoch != *epoch || open.durable != open.length {
            return Err(Misfit("an upload is not complete"));
        }
        let target = open.target.clone().ok_or(Misfit("a reservation is no upload"))?;
        let extents = open.closed();
        self.objects.refer_all(&extents);
        self.end_upload(*upload, at)?;
        let node = self.write(*parent, name, extents, at)?;
        let complete = Complete { length: open.length, target, node, generation: at.generation };
        self.uploads.insert(*upload, Upload::Complete(complete));
        Ok(node)
    }

    /// Ends an upload or a reservation, and drops what it refers to.
    fn end_upload(&mut self, upload: UploadId, at: Moment) -> Applied<Open> {
        let open = self.open_mut(upload)?.clone();
        self.uploads.remove(&upload);
        let left =
            self.reserved.0.checked_sub(open.length.0).ok_or(Misfit("more is freed than is reserved"))?;
        self.reserved = Bytes(left);
        self.objects.drop_all(&open.extents, at.generation);
        self.objects.drop_reference(HOME, open.object, at.generation);
        Ok(open)
    }

    fn sweep(&mut self, low: Generation, truncated: Generation) {
        self.low = low;
        self.outcomes.forget(low);
        self.objects.forget(truncated);
        let passed = |upload: &Upload| matches!(upload, Upload::Complete(done) if done.generation < low);
        let dead: Vec<_> =
            self.uploads.iter().filter(|(_, upload)| passed(upload)).map(|(id, _)| *id).collect();
        for id in dead {
            self.uploads.remove(&id);
        }
    }
}
