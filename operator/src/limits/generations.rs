//! Roster generations to give out: each request for limits and each publication has one above all before it.
//!
//! They are reserved in blocks, and the end of the block is written down before any of it is used. So whoever works next
//! goes on above every one that may be on its way somewhere, and what is late is refused by the space it is for.

use api::generation::RosterGeneration;

/// How many are reserved at once: a write now and then.
const BLOCK: u64 = 1 << 16;
/// With fewer left, more are reserved before anything else is done: a round asks for limits in batches, and again.
const ENOUGH: u64 = 1 << 10;

/// The generations of one DiskCluster.
#[derive(Debug, Default)]
pub struct Generations {
    last: u64,
    end: u64,
}

impl Generations {
    /// All up to this one may have been used.
    pub fn above(reserved: RosterGeneration) -> Self {
        Self { last: reserved.0, end: reserved.0 }
    }

    /// The next one; none when more have to be reserved first.
    pub fn take(&mut self) -> Option<RosterGeneration> {
        if self.last >= self.end {
            return None;
        }
        self.last += 1;
        Some(RosterGeneration(self.last))
    }

    /// The last one that may have been used.
    pub fn last(&self) -> RosterGeneration {
        RosterGeneration(self.last)
    }

    /// The last one that is reserved.
    pub fn end(&self) -> RosterGeneration {
        RosterGeneration(self.end)
    }

    /// A space has seen this one. If it was not one of ours, it is of a block that is written down nowhere any more:
    /// go on above that.
    pub fn saw(&mut self, seen: RosterGeneration) {
        if seen.0 > self.last {
            self.last = seen.0.saturating_add(BLOCK);
        }
    }

    /// This one was used outside of what is given out here.
    pub fn used(&mut self, generation: RosterGeneration) {
        self.last = self.last.max(generation.0);
    }

    /// The end of a new block to be written down, if one is needed.
    pub fn wanted(&self) -> Option<RosterGeneration> {
        let left = self.end.saturating_sub(self.last);
        (left < ENOUGH).then(|| RosterGeneration(self.last.saturating_add(BLOCK)))
    }

    /// The end of a new block was written down.
    pub fn reserved(&mut self, end: RosterGeneration) {
        self.end = self.end.max(end.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_given_out_that_was_not_reserved() {
        let mut generations = Generations::above(RosterGeneration(7));
        assert_eq!(generations.take(), None);
        let end = generations.wanted().unwrap();
        generations.reserved(end);
        assert_eq!(generations.take(), Some(RosterGeneration(8)));
        assert_eq!(generations.wanted(), None);
        // A volume from before the API server was restored from a copy.
        generations.saw(RosterGeneration(1 << 40));
        assert_eq!(generations.take(), None);
        generations.reserved(generations.wanted().unwrap());
        assert_eq!(generations.take(), Some(RosterGeneration((1 << 40) + BLOCK + 1)));
        generations.saw(RosterGeneration(9));
        assert_eq!(generations.take(), Some(RosterGeneration((1 << 40) + BLOCK + 2)), "it never goes back");
    }
}
