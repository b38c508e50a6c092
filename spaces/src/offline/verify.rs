//! Whether a space is sound: its log leads to one state without a gap, that state adds up, and all bytes it refers to
//! are there.

use api::bytes::Bytes;
use api::generation::Generation;
use api::ids::SpaceId;
use serde::Serialize;

use super::chain::{Chain, Link};
use super::pool::Volumes;
use super::{OfflineError, OfflineVolume, files, list};
use crate::state::State;
use crate::state::inode::Content;

/// More findings than this of one space are counted, and not told.
const MOST: usize = 1_000;

/// What was found of a space.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpaceReport {
    /// Which.
    pub space: SpaceId,
    /// The generation before the oldest entry that is left.
    pub from: Generation,
    /// The newest generation that could be read.
    pub generation: Generation,
    /// How many entries were read and fit.
    pub entries: u64,
    /// How many states that were written down are what the entries before them lead to.
    pub starts: u64,
    /// How many directories there are, the root among them.
    pub directories: u64,
    /// How many files.
    pub files: u64,
    /// What they have, counted again.
    pub used: Bytes,
    /// What uploads under way have reserved.
    pub reserved: Bytes,
    /// What the space may hold.
    pub limit: Bytes,
    /// Its data files.
    pub objects: Objects,
    /// What is there and belongs to nothing.
    pub leftovers: Leftovers,
    /// What is wrong, a sentence each.
    pub findings: Vec<String>,
}

/// The data files of a space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Objects {
    /// Those that are referred to, there, and long enough.
    pub referenced: u64,
    /// Those of them that were read and are as their checksums say.
    pub checked: u64,
    /// Those that were read and have no checksums: their writer did not come to its end, or was of an older version.
    pub unchecked: u64,
    /// Their length.
    pub bytes: Bytes,
    /// Those that an older generation refers to.
    pub kept: u64,
    /// Those that nothing refers to: a pod that goes on takes them away in time.
    pub unreferenced: u64,
    /// The length of these.
    pub unreferenced_bytes: Bytes,
    /// Those that are referred to and lie on volumes that were not looked at.
    pub elsewhere: u64,
}

/// What is there and belongs to nothing. None of it does harm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leftovers {
    /// Files in `tmp/`.
    pub temporary: u64,
    /// Entries and states of blocks that were truncated.
    pub truncated: u64,
    /// Names that have no meaning.
    pub strange: Vec<String>,
}

impl SpaceReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// What is wrong, up to a number.
#[derive(Debug, Default)]
pub(super) struct Findings {
    told: Vec<String>,
    more: u64,
}

impl Findings {
    pub(super) fn push(&mut self, what: String) {
        if self.told.len() < MOST {
            self.told.push(what);
        } else {
            self.more += 1;
        }
    }

    fn into_sentences(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("{} more are not listed", self.more));
        }
        self.told
    }
}

impl OfflineVolume {
    /// Reads a space from its oldest entry to its newest, counts everything again, and looks for the bytes of all
    /// files; with `read` it reads them, too.
    ///
    /// # Errors
    /// When there is no such space, or the volume can not be read. What is wrong with the space is no error: it is
    /// told in the report.
    pub async fn verify(&self, space: SpaceId, read: bool) -> Result<SpaceReport, OfflineError> {
        let log = self.space(space).await?;
        let mut findings = Findings::default();
        let mut chain = match Chain::open(&log).await {
            Ok(chain) => chain,
            Err(OfflineError::Broken(what)) => {
                findings.push(what);
                return Ok(report(space, &State::genesis(space), Folded::default(), findings));
            }
            Err(error) => return Err(error),
        };
        let mut folded = Folded { from: chain.state().generation, ..Folded::default() };
        while let Some(link) = chain.next().await? {
            match link {
                Link::Entry { .. } => folded.entries += 1,
                Link::Start { differs: None } => folded.starts += 1,
                Link::Start { differs: Some(what) } => findings.push(what),
                Link::Resumed(_) => {}
                Link::Broken(what) => {
                    findings.push(what);
                    if let Some(Link::Resumed(state)) = chain.resume().await? {
                        let from = state.generation;
                        findings
                            .push(format!("read on from the state that was written down after entry {from}"));
                    }
                }
            }
        }
        for block in &chain.blocks {
            let place = log.layout.numbered_block(block.number);
            let strange = block.strange.iter().map(|name| format!("{place}/{name}"));
            folded.leftovers.strange.extend(strange);
            if block.gone {
                folded.leftovers.truncated += block.entries.len() as u64 + u64::from(block.start);
            }
        }
        let state = chain.state().clone();
        for what in state.audit() {
            findings.push(format!("the state of generation {} does not add up: {what}", state.generation));
        }
        let volumes = Volumes { home: &self.volume, others: &self.others, state: &state };
        let (objects, strange) = files::look(&log, volumes, read, &mut findings).await?;
        folded.objects = objects;
        folded.leftovers.strange.extend(strange);
        folded.leftovers.temporary =
            list(&log.volume, &format!("{}/tmp", log.layout.root())).await?.len() as u64;
        Ok(report(space, &state, folded, findings))
    }
}

/// What was counted on the way.
#[derive(Default)]
struct Folded {
    from: Generation,
    entries: u64,
    starts: u64,
    objects: Objects,
    leftovers: Leftovers,
}

fn report(space: SpaceId, state: &State, folded: Folded, findings: Findings) -> SpaceReport {
    let Folded { from, entries, starts, objects, leftovers } = folded;
    let files = state.nodes.values().filter(|inode| matches!(inode.content, Content::File(_))).count() as u64;
    SpaceReport {
        space,
        from,
        generation: state.generation,
        entries,
        starts,
        directories: state.nodes.len() as u64 - files,
        files,
        used: state.used,
        reserved: state.reserved,
        limit: state.limit.bytes,
        objects,
        leftovers,
        findings: findings.into_sentences(),
    }
}
