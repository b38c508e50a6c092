//! Links to files and directories, and how often each was used.

use super::{Did, Oracle, Outcome, Refusal};
use crate::share::ShareId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Share {
    pub(in crate::sim) item: u64,
    pub(in crate::sim) most: Option<u64>,
    pub(in crate::sim) expires: Option<i64>,
    pub(in crate::sim) uses: u64,
}

impl Oracle {
    /// Whether a share can be used once more.
    pub(super) fn usable(&self, id: ShareId) -> Outcome {
        let share = self.shares.get(&id).ok_or(Refusal::ShareGone)?;
        // What is in the trash can not be used.
        self.path_of(share.item).ok_or(Refusal::ShareGone)?;
        match share.most {
            Some(most) if share.uses >= most => Err(Refusal::ShareUsedUp),
            _ => Ok(Did::Something),
        }
    }
}
