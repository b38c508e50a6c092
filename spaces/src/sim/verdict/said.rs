//! Whether what was shown and what was refused was so at some moment after it was asked.

use super::super::coverage::Met;
use super::super::history::{Answer, Claim, Read, Window};
use super::super::oracle::{Did, Item, Oracle, Refusal, Wish, With};
use super::Judge;
use super::steps::met;
use crate::lock::LockToken;
use crate::stage::{LARGEST_STEP, UNRESERVED};

/// Something that was said and has to be true of some moment in a window.
pub(super) struct Said {
    wish: Wish,
    tokens: Vec<LockToken>,
    place_only: bool,
    /// `None`: that there was nothing to do.
    refusal: Option<Refusal>,
    window: Window,
}

impl Judge<'_> {
    /// What has to have been true though it is not in the log.
    pub(super) fn gather_said(&mut self) {
        let blind = self.history.blind;
        let widened = |window: Window| if blind { Window { after: 0, ..window } } else { window };
        for call in &self.told.calls {
            if call.asked > 1 {
                self.world.meet(Met::Retried);
            }
            for (window, answer) in &call.answers {
                let refusal = match answer {
                    Answer::Refused(refusal) => {
                        self.world.meet(met(*refusal));
                        Some(*refusal)
                    }
                    // What was so already is not in the log; another attempt may have to do it later.
                    Answer::Done(told) if self.done.get(&call.id) != Some(told) => None,
                    _ => continue,
                };
                let (wish, tokens, window) = (call.wish.clone(), call.tokens.clone(), widened(*window));
                self.ahead.push(Said { wish, tokens, place_only: false, refusal, window });
            }
        }
        for Claim { wish, place_only, refusal, window } in self.told.claims.clone() {
            let (tokens, refusal, window) = (Vec::new(), Some(refusal), widened(window));
            self.ahead.push(Said { wish, tokens, place_only, refusal, window });
        }
        self.ahead.sort_by_key(|said| std::cmp::Reverse(said.window.after));
    }

    /// A moment of the oracle: the end of a generation, or in the midst of its entry.
    pub(super) fn moment(&mut self, generation: u64, whole: bool) {
        if whole {
            for read in self.reads.remove(&generation).unwrap_or_default() {
                self.hold_read(read);
            }
            self.hold_contents(generation);
            while let Some(said) = self.ahead.pop_if(|said| said.window.after <= generation) {
                self.said.push(said);
            }
        }
        let oracle = &mut self.oracle;
        self.said.retain(|said| !said.is_true(oracle));
        if whole {
            let over = self.said.extract_if(.., |said| said.window.until <= generation).collect::<Vec<_>>();
            over.iter().for_each(|said| self.untrue(said));
        }
    }

    /// What was said of generations that are not there is not true either.
    pub(super) fn hold_said(&mut self) {
        let left = [std::mem::take(&mut self.said), std::mem::take(&mut self.ahead)];
        left.iter().flatten().for_each(|said| self.untrue(said));
    }

    fn untrue(&self, Said { wish, refusal, window: Window { after, until }, .. }: &Said) {
        let what = refusal.map_or("there was nothing to do".to_owned(), |refusal| format!("{refusal:?}"));
        self.wrong(format!("6: to {wish:?} it was said: {what}; not so from generation {after} to {until}"));
    }

    fn hold_contents(&self, generation: u64) {
        for (_, path, bytes) in self.told.contents.iter().filter(|(of, ..)| *of == generation) {
            self.world.meet(Met::ReadBytes);
            let content = self.oracle.lookup(path).and_then(Item::content);
            if content.is_none_or(|content| content.bytes(0, content.length) != *bytes) {
                self.wrong(format!("3: at generation {generation} {path} was read as something else"));
            }
        }
    }

    fn hold_read(&mut self, read: &Read) {
        let Read { generation, window: _, lines, tags, sums } = read;
        let expected = self.oracle.root.lines();
        let mut expected: Vec<_> = expected
            .into_iter()
            .map(|(path, content)| (path, content.map(|content| content.length)))
            .collect();
        expected.sort();
        if *lines != expected {
            self.wrong(format!("6: generation {generation} was shown as {lines:?}, and is {expected:?}"));
            return;
        }
        let counted = self.sums();
        if *sums != counted {
            self.wrong(format!("6: generation {generation} was shown with {sums:?}, and has {counted:?}"));
        }
        for (path, tag) in tags {
            let Some(tagged) = self.oracle.lookup(path).map(Item::tagged) else { continue };
            if self.oracle.tags.insert(tag.clone(), tagged).is_some_and(|before| before != tagged) {
                self.wrong(format!("6: the tag {tag} of {path} is of two contents"));
            }
        }
    }
}

impl Said {
    fn is_true(&self, oracle: &mut Oracle) -> bool {
        if self.is_true_of(oracle) {
            return true;
        }
        // A pod that sees an old state may be asked with a tag of it that the log, up to there, has shown to nobody.
        // Then it may be the tag of what is there.
        let Some((path, tag)) = self.wish.tag() else { return false };
        let Some(tagged) = oracle.lookup(path).map(Item::tagged) else { return false };
        if oracle.tags.contains_key(tag) {
            return false;
        }
        oracle.supposed = Some((tag.to_owned(), tagged));
        let is_true = self.is_true_of(oracle);
        oracle.supposed = None;
        is_true
    }

    fn is_true_of(&self, oracle: &Oracle) -> bool {
        let Self { wish, tokens, place_only, refusal, .. } = self;
        if let (Some(Refusal::Quota { limit, used, reserved }), Wish::Put { content, .. }) = (refusal, wish) {
            // Content that is long, or whose length is not known, is refused before its place is looked at; and more
            // may be reserved for it than it has.
            let spare = if content.length < UNRESERVED { 0 } else { LARGEST_STEP };
            let sums = (oracle.limit, oracle.used(), oracle.reserved());
            let least = oracle.root.used() + reserved;
            return sums == (*limit, *used, *reserved) && least + content.length + spare > *limit;
        }
        let outcome = match wish {
            Wish::CreateUpload { path, demand, parents, .. } if *place_only => {
                oracle.target(path, demand, *parents).map(|()| Did::Something)
            }
            wish => {
                // For long content there was room before its place was looked at.
                let held = match wish {
                    Wish::Put { content, .. } if content.length >= UNRESERVED => content.length,
                    _ => 0,
                };
                oracle.check(wish, With { held, tokens, keep: false })
            }
        };
        match refusal {
            Some(refusal) => outcome == Err(*refusal),
            None => outcome == Ok(Did::Nothing),
        }
    }
}
