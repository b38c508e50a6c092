//! Share links: bound to a node, found by the hash of their secret, and counted exactly.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use super::State;
use super::apply::{Applied, Misfit, Moment};
use super::plan::{Plan, Planned};
use super::weight::tree;
use crate::error::Error;
use crate::format::record::{self, Action};
use crate::format::start::StartShare;
use crate::node::NodeId;
use crate::path::NodePath;
use crate::rule::{Rule, kept};
use crate::share::{LONGEST_SHARE_TEXT, NewShare, Share, ShareId, ShareTokenHash};

/// The most shares of one space. They are part of the state, which every pod holds in memory.
pub(crate) const MOST_SHARES: usize = 10_000;

/// What is said of a creator and a password takes about so many bytes.
const TEXTS: usize = 160;

/// All shares of a space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shares {
    by_id: OrdMap<ShareId, Made>,
    by_token: OrdMap<ShareTokenHash, ShareId>,
    by_node: OrdSet<(NodeId, ShareId)>,
    by_expiry: OrdSet<(i64, ShareId)>,
}

/// A share as it is recorded, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Made {
    share: Arc<record::CreateShare>,
    created: i64,
    uses: u64,
}

impl Shares {
    /// Those that have ended by a time.
    pub(crate) fn expired(&self, now: i64) -> impl Iterator<Item = ShareId> {
        self.by_expiry.iter().take_while(move |(expires, _)| *expires < now).map(|(_, id)| *id)
    }

    /// What they take in memory.
    pub(super) fn weight(&self) -> usize {
        let all = self.by_id.len();
        tree(all, size_of::<(ShareId, Made)>())
            + tree(all, size_of::<(ShareTokenHash, ShareId)>())
            + tree(all, size_of::<(NodeId, ShareId)>())
            + tree(self.by_expiry.len(), size_of::<(i64, ShareId)>())
            + all * (size_of::<record::CreateShare>() + TEXTS)
    }

    fn add(&mut self, made: Made) -> Applied {
        let (id, token) = (made.share.id, made.share.token_hash);
        if self.by_id.contains_key(&id) || self.by_token.contains_key(&token) {
            return Err(Misfit("a share was made before"));
        }
        if made.share.most_uses.is_some_and(|most| made.uses > most) && kept(Rule::SharesBounded) {
            return Err(Misfit("a share was used more often than it can be"));
        }
        self.by_token.insert(token, id);
        self.by_node.insert((made.share.node, id));
        if let Some(expires) = made.share.expires {
            self.by_expiry.insert((expires, id));
        }
        self.by_id.insert(id, made);
        Ok(())
    }

    fn remove(&mut self, id: ShareId) -> bool {
        let Some(Made { share, .. }) = self.by_id.remove(&id) else { return false };
        self.by_token.remove(&share.token_hash);
        self.by_node.remove(&(share.node, id));
        if let Some(expires) = share.expires {
            self.by_expiry.remove(&(expires, id));
        }
        true
    }

    fn of(&self, node: NodeId) -> impl Iterator<Item = ShareId> {
        let from = (node, ShareId(uuid::Uuid::nil()));
        self.by_node.range(from..).take_while(move |(of, _)| *of == node).map(|(_, id)| *id)
    }

    /// They end with their node.
    pub(super) fn forget(&mut self, node: NodeId) {
        let dead: Vec<ShareId> = self.of(node).collect();
        for id in dead {
            self.remove(id);
        }
    }

    pub(crate) fn restore(start: Vec<StartShare>) -> Result<Self, Misfit> {
        let mut restored = Self::default();
        for StartShare { share, created, uses } in start {
            restored.add(Made { share: Arc::new(share), created, uses })?;
        }
        Ok(restored)
    }

    pub(crate) fn to_start(&self) -> Vec<StartShare> {
        let start = |made: &Made| {
            let Made { share, created, uses } = made;
            StartShare { share: share.as_ref().clone(), created: *created, uses: *uses }
        };
        self.by_id.values().map(start).collect()
    }

    /// What does not add up.
    pub(crate) fn audit(&self, state: &State, wrong: &mut Vec<String>) {
        let expiring = self.by_id.values().filter(|made| made.share.expires.is_some()).count();
        if self.by_token.len() != self.by_id.len()
            || self.by_node.len() != self.by_id.len()
            || self.by_expiry.len() != expiring
        {
            wrong.push("shares were counted wrongly".to_owned());
        }
        for (id, Made { share, created: _, uses }) in &self.by_id {
            let found =
                self.by_token.get(&share.token_hash) == Some(id) && self.by_node.contains(&(share.node, *id));
            if *id != share.id || !found || !state.nodes.contains_key(&share.node) {
                wrong.push(format!("the share {id} is not where it should be"));
            }
            if share.most_uses.is_some_and(|most| *uses > most) && kept(Rule::SharesBounded) {
                wrong.push(format!("the share {id} was used more often than it can be"));
            }
        }
    }
}

impl State {
    fn seen(&self, made: &Made) -> Share {
        let Made { share, created, uses } = made;
        let record::CreateShare { id, node, token_hash, access, password, expires, most_uses, creator } =
            share.as_ref();
        let new = NewShare {
            id: *id,
            token_hash: *token_hash,
            access: *access,
            password: password.as_ref().map(|bytes| bytes.to_vec()),
            expires: *expires,
            most_uses: *most_uses,
            creator: creator.clone(),
        };
        let inert = !self.is_within(*node, NodeId::ROOT);
        Share { share: new, node: *node, created: *created, uses: *uses, inert }
    }

    /// The share that a secret belongs to.
    pub(crate) fn share_by_token(&self, token: ShareTokenHash) -> Option<Share> {
        self.shares.by_id.get(self.shares.by_token.get(&token)?).map(|made| self.seen(made))
    }

    pub(crate) fn share(&self, id: ShareId) -> Option<Share> {
        self.shares.by_id.get(&id).map(|made| self.seen(made))
    }

    /// Shares in the order of their ids, behind one of them.
    pub(crate) fn shares_after(&self, after: Option<ShareId>, limit: usize) -> Vec<Share> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let range = self.shares.by_id.range((from, std::ops::Bound::Unbounded));
        range.take(limit).map(|(_, made)| self.seen(made)).collect()
    }

    pub(crate) fn shares_of(&self, node: NodeId) -> Vec<Share> {
        self.shares.of(node).filter_map(|id| self.share(id)).collect()
    }

    pub(super) fn plan_share(&self, path: &NodePath, new: &NewShare) -> Plan {
        let NewShare { id, token_hash, access, password, expires, most_uses, creator } = new;
        let node = self.find(path).ok_or(Error::NotFound)?;
        let longest = creator.len().max(password.as_ref().map_or(0, Vec::len));
        if longest > LONGEST_SHARE_TEXT {
            let what = "bytes in the verifier of a password, or in the id of who made a share";
            return Err(Error::TooMuch { what, most: LONGEST_SHARE_TEXT });
        }
        if self.shares.by_id.contains_key(id) || self.shares.by_token.contains_key(token_hash) {
            return Err(Error::Exists);
        }
        if self.shares.by_id.len() >= MOST_SHARES {
            return Err(Error::TooMuch { what: "shares in one space", most: MOST_SHARES });
        }
        Ok(Planned::one(Action::CreateShare(record::CreateShare {
            id: *id,
            node,
            token_hash: *token_hash,
            access: *access,
            password: password.clone().map(Into::into),
            expires: *expires,
            most_uses: *most_uses,
            creator: creator.clone(),
        })))
    }

    pub(super) fn plan_unshare(&self, id: ShareId) -> Plan {
        if !self.shares.by_id.contains_key(&id) {
            return Err(Error::ShareGone);
        }
        Ok(Planned::one(Action::RemoveShare(record::RemoveShare { id })))
    }

    pub(super) fn plan_use(&self, id: ShareId) -> Plan {
        let made = self.shares.by_id.get(&id).ok_or(Error::ShareGone)?;
        // What is in the trash is in no directory.
        if !self.is_within(made.share.node, NodeId::ROOT) {
            return Err(Error::ShareGone);
        }
        match made.share.most_uses {
            Some(most) if made.uses >= most && kept(Rule::SharesBounded) => Err(Error::ShareUsedUp { most }),
            _ => Ok(Planned::one(Action::UseShare(record::UseShare { id }))),
        }
    }

    pub(super) fn create_share(&mut self, share: &record::CreateShare, at: Moment) -> Applied<NodeId> {
        if !self.nodes.contains_key(&share.node) {
            return Err(Misfit("a node is missing"));
        }
        self.shares.add(Made { share: Arc::new(share.clone()), created: at.clock, uses: 0 })?;
        Ok(share.node)
    }

    pub(super) fn remove_share(&mut self, share: &record::RemoveShare) -> Applied {
        if self.shares.remove(share.id) { Ok(()) } else { Err(Misfit("a share is missing")) }
    }

    pub(super) fn use_share(&mut self, share: &record::UseShare) -> Applied<NodeId> {
        let made = self.shares.by_id.get_mut(&share.id).ok_or(Misfit("a share is missing"))?;
        if made.share.most_uses.is_some_and(|most| made.uses >= most) && kept(Rule::SharesBounded) {
            return Err(Misfit("a share was used more often than it can be"));
        }
        made.uses = made.uses.checked_add(1).ok_or(Misfit("sizes overflow"))?;
        Ok(made.share.node)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::operation::Condition;
    use crate::share::ShareAccess;
    use crate::state::intent::{Content, Intent};
    use crate::state::tests::World;

    fn id(number: u128) -> ShareId {
        ShareId(Uuid::from_u128(number))
    }

    fn share(path: &str, number: u128, most_uses: Option<u64>) -> Intent {
        let share = NewShare {
            id: id(number),
            token_hash: ShareTokenHash([u8::try_from(number).unwrap(); 32]),
            access: ShareAccess::Read,
            password: Some(vec![1, 2, 3]),
            expires: Some(5_000),
            most_uses,
            creator: "member".to_owned(),
        };
        Intent::CreateShare { path: path.parse().unwrap(), share: share.into() }
    }

    fn put(path: &str) -> Intent {
        let (path, content, condition) = (path.parse().unwrap(), Content::default(), Condition::None);
        Intent::Put { path, content, condition, parents: true }
    }

    fn delete(path: &str) -> Intent {
        Intent::Delete { path: path.parse().unwrap(), condition: Condition::None, permanently: true }
    }

    fn rename(from: &str, to: &str) -> Intent {
        Intent::Move { from: from.parse().unwrap(), to: to.parse().unwrap(), overwrite: true }
    }

    fn used(world: &World, number: u128) -> Option<u64> {
        world.state.share(id(number)).map(|share| share.uses)
    }

    #[test]
    fn a_share_is_of_a_node_and_not_of_a_name() {
        let mut world = World::new();
        for intent in [put("d/a"), put("b"), share("d/a", 1, None), share("d", 2, None), share("b", 3, None)]
        {
            world.commit(&intent).unwrap();
        }
        let node = world.state.find(&"d/a".parse().unwrap()).unwrap();
        // New content and another place are the same file.
        world.commit(&put("d/a")).unwrap();
        world.commit(&rename("d/a", "c")).unwrap();
        let found = world.state.share_by_token(ShareTokenHash([1; 32])).unwrap();
        assert_eq!((found.node, found.inert), (node, false));
        world.commit(&Intent::UseShare { id: id(1) }).unwrap();
        assert_eq!(used(&world, 1), Some(1));
        // Another file of that name is another one, and so is a copy.
        let (from, to) = ("c".parse().unwrap(), "copy".parse().unwrap());
        world.commit(&Intent::Copy { from, to, overwrite: false }).unwrap();
        let copied = world.state.find(&"copy".parse().unwrap()).unwrap();
        assert_eq!(world.state.shares_of(copied), []);
        world.commit(&rename("b", "c")).unwrap();
        assert_eq!(used(&world, 1), None);
        assert!(matches!(world.commit(&Intent::UseShare { id: id(1) }), Err(Error::ShareGone)));
        world.commit(&delete("d")).unwrap();
        let left: Vec<_> =
            world.state.shares_after(None, 9).into_iter().map(|share| share.share.id).collect();
        assert_eq!(left, [id(3)]);
        assert_eq!(world.state.shares_after(Some(id(3)), 9), []);
        assert_eq!(world.state.audit(), Vec::<String>::new());
    }

    #[test]
    fn uses_are_counted_up_to_the_last() {
        let mut world = World::new();
        world.commit(&share("", 1, Some(2))).unwrap();
        for _ in 0..2 {
            world.commit(&Intent::UseShare { id: id(1) }).unwrap();
        }
        let refused = world.commit(&Intent::UseShare { id: id(1) }).unwrap_err();
        assert!(matches!(refused, Error::ShareUsedUp { most: 2 }), "{refused}");
        assert_eq!(used(&world, 1), Some(2));
        assert!(matches!(world.commit(&share("", 1, None)), Err(Error::Exists)));
        world.commit(&Intent::RemoveShare { id: id(1) }).unwrap();
        assert!(matches!(world.commit(&Intent::RemoveShare { id: id(1) }), Err(Error::ShareGone)));
        world.commit(&share("", 1, None)).unwrap();
    }

    #[test]
    fn shares_are_bounded() {
        let mut world = World::new();
        world.commit(&share("", 1, None)).unwrap();
        let made = world.state.shares.by_id.get(&id(1)).unwrap().clone();
        let mut state = world.state.clone();
        for number in 2..=MOST_SHARES as u128 {
            let token_hash = ShareTokenHash(*blake3::hash(&number.to_be_bytes()).as_bytes());
            let share = record::CreateShare { id: id(number), token_hash, ..made.share.as_ref().clone() };
            state.shares.add(Made { share: share.into(), ..made.clone() }).unwrap();
        }
        let Intent::CreateShare { path, share: new } = share("", 3, None) else { panic!("no share") };
        let fresh = NewShare { id: id(1 << 100), token_hash: ShareTokenHash([9; 32]), ..*new };
        let refused = state.plan_share(&path, &fresh).unwrap_err();
        assert!(matches!(refused, Error::TooMuch { most: MOST_SHARES, .. }), "{refused}");
        let creator = "x".repeat(LONGEST_SHARE_TEXT + 1);
        let refused = world.state.plan_share(&path, &NewShare { creator, ..fresh }).unwrap_err();
        assert!(matches!(refused, Error::TooMuch { most: LONGEST_SHARE_TEXT, .. }), "{refused}");
        assert!(!format!("{:?}", world.state.share(id(1))).contains("1, 1, 1"), "no hash in a log");
    }
}
