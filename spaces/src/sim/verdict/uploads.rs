//! What the log says of uploads.

use std::collections::BTreeMap;

use super::super::history::{Told, Transfer};
use super::super::world::EPOCH;
use crate::operation::UploadId;

pub(super) struct Uploads<'a> {
    pub(super) transfers: BTreeMap<UploadId, &'a Transfer>,
    pub(super) completed: BTreeMap<UploadId, u64>,
    /// Those that were given up, and by how many clocks' testimony.
    pub(super) ended: BTreeMap<UploadId, (u64, usize)>,
    /// How much is durable, since which generations.
    pub(super) durable: BTreeMap<UploadId, Vec<(u64, u64)>>,
    /// By the clock of the log, when they were last heard of, in milliseconds.
    pub(super) heard: BTreeMap<UploadId, i64>,
}

impl<'a> Uploads<'a> {
    pub(super) fn new(told: &'a Told) -> Self {
        Self {
            transfers: told.transfers.iter().map(|transfer| (transfer.id, transfer)).collect(),
            completed: BTreeMap::new(),
            ended: BTreeMap::new(),
            durable: BTreeMap::new(),
            heard: BTreeMap::new(),
        }
    }

    /// How long an upload had not been heard of, in milliseconds, at a true time in microseconds.
    pub(super) fn age(&self, id: UploadId, at: u64) -> i64 {
        let heard = self.heard.get(&id).copied().unwrap_or(i64::MAX);
        (EPOCH + i64::try_from(at / 1000).unwrap()).saturating_sub(heard)
    }
}
