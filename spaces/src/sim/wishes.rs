//! What members want, and how they ask for it.

use std::sync::Arc;
use std::time::Duration;

use api::bytes::Bytes as Size;
use api::generation::{Generation, RosterGeneration};
use bytes::Bytes;
use uuid::Uuid;

use super::coverage::Met;
use super::member::{Member, condition, path};
use super::oracle::{Content, Demand, Wish};
use super::world::{EPOCH, World};
use crate::error::Error;
use crate::lock::{LockDepth, LockScope, LockToken, NewLock};
use crate::node::NodeId;
use crate::operation::{Committed, Operation, OperationId, Purge, Request};
use crate::property::{Property, PropertyChanges, PropertyName};
use crate::share::{NewShare, ShareAccess, ShareId, ShareTokenHash};
use crate::space::Space;
use crate::stage::{SMALL, UNRESERVED};

impl Member {
    pub(super) fn place(&self) -> String {
        let depth = *self.world.pick(&[1, 1, 1, 2, 2, 3]);
        let names: Vec<&str> = (0..depth).map(|_| *self.world.pick(&["a", "b", "c"])).collect();
        names.join("/")
    }

    pub(super) fn content(&self) -> Content {
        let length = match self.world.below(100) {
            0..60 => self.world.below(200),
            60..75 => 200 + self.world.below(SMALL - 200),
            75..92 => SMALL + self.world.below(UNRESERVED - SMALL),
            _ => UNRESERVED + self.world.below(2 * UNRESERVED),
        };
        Content { seed: self.world.random(), length }
    }

    pub(super) fn demand(&self) -> (String, Demand) {
        match (self.world.below(10), &self.seen) {
            (0, Some((path, tag))) => (path.clone(), Demand::Tag(tag.clone())),
            (1 | 2, _) => (self.place(), Demand::Nothing),
            _ => (self.place(), Demand::Anything),
        }
    }

    pub(super) fn wish(&self) -> Wish {
        let world = &self.world;
        if self.plan.more
            && world.chance(450)
            && let Some(wish) = self.more()
        {
            return wish;
        }
        let (parents, overwrite) = (world.chance(700), world.chance(700));
        match world.below(20) {
            0..2 => Wish::MakeDirectory { path: self.place(), parents: world.chance(500) },
            2..11 => {
                let (path, demand) = self.demand();
                Wish::Put { path, content: self.content(), demand, parents }
            }
            11..14 => Wish::Move { from: self.place(), to: self.place(), overwrite },
            14..17 => Wish::Copy { from: self.place(), to: self.place(), overwrite },
            _ => {
                let (path, demand) = self.demand();
                let demand = if demand == Demand::Nothing { Demand::Anything } else { demand };
                Wish::Delete { path, demand, permanently: !self.plan.more || world.chance(300) }
            }
        }
    }

    fn id(&self) -> Uuid {
        Uuid::from_u64_pair(self.world.random(), self.world.random())
    }

    /// Something else than files, if it knows of what there is.
    fn more(&self) -> Option<Wish> {
        let world = &self.world;
        let any = |count: usize| (count > 0).then(|| usize::try_from(world.below(count as u64)).unwrap());
        let timeout = *world.pick(&[2_000, 60_000, 3_600_000]);
        let share = || {
            let told = self.history.told();
            any(told.shares.len()).map(|place| told.shares[place])
        };
        let lock = || any(self.notes.locks.len()).map(|place| self.notes.locks[place].clone());
        let item = || any(self.notes.trash.len()).map(|place| self.notes.trash[place]);
        let version = || any(self.notes.versions.len()).map(|place| self.notes.versions[place].clone());
        Some(match world.below(26) {
            0..4 => Wish::Lock {
                path: self.place(),
                token: LockToken(self.id()),
                exclusive: world.chance(600),
                infinite: world.chance(400),
                timeout,
            },
            4..6 => lock().map(|(path, token)| Wish::RefreshLock { path, token, timeout })?,
            6..9 => lock().map(|(path, token)| Wish::Unlock { path, token })?,
            9..11 => {
                let id = ShareId(self.id());
                self.history.told().shares.push(id);
                let most = *world.pick(&[None, Some(1), Some(3)]);
                let hour = EPOCH + i64::try_from(world.now() / 1000).unwrap() + 3_600_000;
                Wish::Share { path: self.place(), id, most, expires: world.chance(500).then_some(hour) }
            }
            11..15 => Wish::UseShare { id: share()? },
            15 => Wish::RemoveShare { id: share()? },
            16..18 => {
                let (path, demand) = self.demand();
                let demand = if demand == Demand::Nothing { Demand::Anything } else { demand };
                let name = || (*world.pick(&["x", "y"])).to_owned();
                let set = (0..world.below(3)).map(|_| (name(), world.below(3).to_string())).collect();
                let remove = (0..world.below(2)).map(|_| name()).collect();
                let modified = world.chance(400).then(|| i64::try_from(world.below(3)).unwrap());
                Wish::SetProperties { path, demand, set, remove, modified }
            }
            18..21 => Wish::Restore {
                item: item()?,
                to: world.chance(300).then(|| self.place()),
                overwrite: world.chance(500),
            },
            21 => match world.below(4) {
                0 => Wish::PurgeAll,
                1 => Wish::PurgeItem { item: item()? },
                2 => version().map(|(path, number)| Wish::PurgeVersion { path, number })?,
                _ => Wish::PurgeVersions { path: self.place() },
            },
            22..24 => {
                let then = self.token.saturating_sub(world.below(24));
                let (path, to, overwrite) = (self.place(), self.place(), world.chance(600));
                Wish::BringBack { then, path, to, overwrite }
            }
            _ => {
                let (path, number) = version()?;
                let demand = match &self.seen {
                    Some((at, tag)) if *at == path => Demand::Tag(tag.clone()),
                    _ => Demand::Anything,
                };
                Wish::RestoreVersion { path, number, demand }
            }
        })
    }

    /// The locks that it says it holds: sometimes it has forgotten them.
    pub(super) fn tokens(&self) -> Vec<LockToken> {
        if self.notes.locks.is_empty() || self.world.chance(200) {
            return Vec::new();
        }
        self.notes.locks.iter().map(|(_, token)| *token).collect()
    }

    /// What was done may be of use later.
    pub(super) fn remember(&mut self, wish: &Wish) {
        if let Wish::Lock { path, token, .. } = wish {
            self.notes.locks.push((path.clone(), *token));
            let old = self.notes.locks.len().saturating_sub(4);
            self.notes.locks.drain(..old);
        }
    }
}

/// What goes with a wish when it is asked for.
pub(super) struct Asked {
    pub(super) id: OperationId,
    pub(super) born: Option<Generation>,
    pub(super) tokens: Vec<LockToken>,
    pub(super) slowly: bool,
}

/// Asks for what is wished.
pub(super) async fn commit(
    space: &Space,
    world: &Arc<World>,
    asked: Asked,
    wish: &Wish,
) -> Result<Committed, Error> {
    let Asked { id, born, tokens, slowly } = asked;
    let operation = match wish {
        Wish::Put { path: at, content, demand, parents } => {
            let content = staged(space, world, *content, slowly).await?;
            Operation::Put { path: path(at), content, condition: condition(demand), parents: *parents }
        }
        Wish::BringBack { then, path: at, to, overwrite } => {
            let (from, overwrite) = (space.at(Generation(*then)).await?, *overwrite);
            Operation::BringBack { from, path: path(at), to: path(to), overwrite }
        }
        Wish::CreateUpload { .. } | Wish::Import { .. } => return Err(Error::OutcomeUnknown),
        wish => operation(wish),
    };
    space.commit(Request { id, born, locks: tokens, operation }).await
}

async fn staged(
    space: &Space,
    world: &Arc<World>,
    content: Content,
    slowly: bool,
) -> Result<crate::stage::Staged, Error> {
    let announced = (content.length < UNRESERVED || world.chance(500)).then_some(Size(content.length));
    let mut stage = space.stage(announced).await?;
    let bytes = Bytes::from(content.bytes(0, content.length));
    let step = 1 + usize::try_from(world.below(content.length + 1)).unwrap();
    let step = step.max(200);
    for from in (0..bytes.len()).step_by(step) {
        stage.write(bytes.slice(from..bytes.len().min(from + step))).await?;
    }
    if slowly {
        world.meet(Met::Dawdled);
        world.sleep(world.below(30_000_000)).await;
    }
    if world.chance(20) {
        // The client goes away before the end of its body.
        return Err(Error::OutcomeUnknown);
    }
    stage.finish().await
}

/// The operation of a wish that moves no bytes.
fn operation(wish: &Wish) -> Operation {
    match wish.clone() {
        Wish::MakeDirectory { path: at, parents } => Operation::MakeDirectory { path: path(&at), parents },
        Wish::Move { from, to, overwrite } => Operation::Move { from: path(&from), to: path(&to), overwrite },
        Wish::Copy { from, to, overwrite } => Operation::Copy { from: path(&from), to: path(&to), overwrite },
        Wish::Delete { path: at, demand, permanently } => {
            Operation::Delete { path: path(&at), condition: condition(&demand), permanently }
        }
        Wish::Limit { roster, target, ceiling } => Operation::Limit {
            roster_generation: RosterGeneration(roster),
            target: Size(target),
            ceiling: Size(ceiling),
        },
        Wish::Close { roster } => Operation::Close { roster_generation: RosterGeneration(roster) },
        Wish::Restore { item, to, overwrite } => {
            Operation::Restore { item: NodeId(item), to: to.map(|to| path(&to)), overwrite }
        }
        Wish::PurgeAll => Operation::Purge(Purge::Everything),
        Wish::PurgeItem { item } => Operation::Purge(Purge::Item(NodeId(item))),
        Wish::PurgeVersion { path: at, number } => {
            Operation::Purge(Purge::Version { path: path(&at), version: number })
        }
        Wish::PurgeVersions { path: at } => Operation::Purge(Purge::Versions { path: path(&at) }),
        Wish::RestoreVersion { path: at, number, demand } => {
            Operation::RestoreVersion { path: path(&at), version: number, condition: condition(&demand) }
        }
        Wish::SetProperties { path: at, demand, set, remove, modified } => {
            let name = |name: &str| PropertyName::new("urn:x", name);
            let set =
                set.iter().map(|(text, value)| Property { name: name(text), value: value.as_str().into() });
            let remove = remove.iter().map(|text| name(text)).collect();
            let changes = PropertyChanges { set: set.collect(), remove, modified };
            Operation::SetProperties { path: path(&at), condition: condition(&demand), changes }
        }
        Wish::Lock { path: at, token, exclusive, infinite, timeout } => {
            let lock = NewLock {
                token,
                scope: if exclusive { LockScope::Exclusive } else { LockScope::Shared },
                depth: if infinite { LockDepth::Infinity } else { LockDepth::Zero },
                owner: String::new(),
                creator: String::new(),
                timeout: Duration::from_millis(timeout),
            };
            Operation::Lock { path: path(&at), lock }
        }
        Wish::RefreshLock { path: at, token, timeout } => {
            Operation::RefreshLock { path: path(&at), token, timeout: Duration::from_millis(timeout) }
        }
        Wish::Unlock { path: at, token } => Operation::Unlock { path: path(&at), token },
        Wish::Share { path: at, id, most, expires } => {
            let mut token_hash = [0; 32];
            token_hash[..16].copy_from_slice(id.0.as_bytes());
            let share = NewShare {
                id,
                token_hash: ShareTokenHash(token_hash),
                access: ShareAccess::Read,
                password: None,
                expires,
                most_uses: most,
                creator: String::new(),
            };
            Operation::CreateShare { path: path(&at), share }
        }
        Wish::UseShare { id } => Operation::UseShare { id },
        Wish::RemoveShare { id } => Operation::RemoveShare { id },
        Wish::Put { .. } | Wish::CreateUpload { .. } | Wish::Import { .. } | Wish::BringBack { .. } => {
            unreachable!("they bring bytes")
        }
    }
}
