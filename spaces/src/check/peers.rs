//! Several pods that check a volume together. They meet through files on the volume alone, and no clock of one is
//! compared with that of another: what takes time is a signal there and the answer back.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::Peer;
use super::calls::{median, milliseconds};
use super::report::{Facts, Findings};
use super::yard::Yard;
use crate::file_system::FsError;

/// So often is looked how soon something is seen.
const ROUNDS: u32 = 10;
/// Between two looks for something.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// What is not seen by then is not seen.
const BLIND: Duration = Duration::from_secs(10);
/// Beyond this, members notice.
const SLOW_SIGHT: f64 = 250.0;
/// The one who clears up waits so long for the others to go.
const FAREWELL: Duration = Duration::from_secs(5);

/// This pod among those that check together.
pub(super) struct Meeting<'y> {
    yard: &'y Yard<'y>,
    peer: &'y Peer,
    /// Whether all have come.
    met: Cell<bool>,
}

impl<'y> Meeting<'y> {
    pub(super) fn new(yard: &'y Yard<'y>, peer: &'y Peer) -> Self {
        Self { yard, peer, met: Cell::new(false) }
    }

    /// Whether all have come.
    pub(super) fn all_here(&self, findings: &mut Findings, facts: &mut Facts) -> Result<bool, FsError> {
        if self.all_at("here")? {
            facts.pods = self.peer.of;
            self.met.set(true);
            return Ok(true);
        }
        let (of, patience) = (self.peer.of, self.peer.patience.as_secs());
        findings.unsuitable(
            "shared",
            format!(
                "the {of} pods that check it do not find each other on it within {patience} s: either one did not \
                 start, or what one writes the other does not see, as on a volume of one node alone; use a volume \
                 that is shared (ReadWriteMany) by all nodes"
            ),
        );
        Ok(false)
    }

    /// Says that this pod has come to a point, and waits until all have.
    pub(super) fn all_at(&self, point: &str) -> Result<bool, FsError> {
        Ok(self.exchange(point, b"")?.is_some())
    }

    /// Tells the others something, and hears what they tell; `None` when not all do.
    pub(super) fn exchange(&self, point: &str, told: &[u8]) -> Result<Option<Vec<Vec<u8>>>, FsError> {
        self.yard.publish(&sign(point, self.peer.number), told)?;
        let until = Instant::now() + self.peer.patience;
        let mut heard = Vec::new();
        for other in (1..=self.peer.of).filter(|other| *other != self.peer.number) {
            match self.await_sign(&sign(point, other), until)? {
                Some(content) => heard.push(content),
                None => return Ok(None),
            }
        }
        Ok(Some(heard))
    }

    /// How soon the second pod sees what the first does, and the other way round. Others look on.
    pub(super) fn see(&self, findings: &mut Findings, facts: &mut Facts) -> Result<(), FsError> {
        if self.peer.number > 2 {
            return Ok(());
        }
        let first = self.peer.number == 1;
        let (mut seen, mut unseen) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let (ping, pong) = (format!("ping-{round}"), format!("pong-{round}"));
            let content = signal(round);
            let begun = Instant::now();
            let until = begun + BLIND;
            let (own, other) = if first { (&ping, &pong) } else { (&pong, &ping) };
            if first {
                self.yard.publish(own, &content)?;
            }
            match self.await_sign(other, until)? {
                Some(found) if found == content => {}
                Some(found) => findings.unsuitable(
                    "seeing",
                    format!(
                        "a file that another pod wrote and synced, and then gave its name, was seen with {} of its {} \
                         bytes right: names must not be seen before what is in the file",
                        found.iter().zip(&content).filter(|(found, right)| found == right).count(),
                        content.len()
                    ),
                ),
                None => {
                    blind(findings, "a new name");
                    return Ok(());
                }
            }
            if first {
                seen.push(begun.elapsed() / 2);
            } else {
                self.yard.publish(own, &content)?;
            }
            let begun = Instant::now();
            let until = begun + BLIND;
            if first {
                self.yard.unlink(own)?;
            }
            if !self.await_absence(other, until)? {
                blind(findings, "that a name is gone");
                return Ok(());
            }
            if first {
                unseen.push(begun.elapsed() / 2);
            } else {
                self.yard.unlink(own)?;
            }
        }
        if first {
            let (seen, unseen) = (milliseconds(median(&mut seen)), milliseconds(median(&mut unseen)));
            (facts.seen_ms, facts.unseen_ms) = (Some(seen), Some(unseen));
            for (what, took) in [("a new name", seen), ("that a name is gone", unseen)] {
                if took > SLOW_SIGHT {
                    findings.slow("seeing", format!("it takes {took:.0} ms until another pod sees {what}"));
                }
            }
        }
        Ok(())
    }

    /// Says that this pod is done; true for the one that clears up, when all others are done or it waited enough.
    pub(super) fn part(self) -> bool {
        let Self { yard, peer, met } = &self;
        // Also where there are no hard links.
        let said = yard.create(&sign("done", peer.number));
        if peer.number != 1 {
            return false;
        }
        let until = Instant::now() + FAREWELL;
        for other in (2..=peer.of).filter(|_| met.get()) {
            // Who does not come any more left nothing that is needed.
            let _ = self.await_sign(&sign("done", other), until);
        }
        drop(said);
        true
    }

    /// What is in a file as soon as it is there.
    fn await_sign(&self, name: &str, until: Instant) -> Result<Option<Vec<u8>>, FsError> {
        loop {
            if let Some(content) = self.yard.read(name)? {
                return Ok(Some(content));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn await_absence(&self, name: &str, until: Instant) -> Result<bool, FsError> {
        while self.yard.read(name)?.is_some() {
            if Instant::now() >= until {
                return Ok(false);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(true)
    }
}

fn blind(findings: &mut Findings, what: &str) {
    let seconds = BLIND.as_secs();
    findings.unsuitable(
        "seeing",
        format!(
            "another pod did not see {what} within {seconds} s: see how the volume is mounted (NFS needs \
             lookupcache=positive) and whether the other pod still runs"
        ),
    );
}

/// The file by which a pod says something.
fn sign(point: &str, number: u32) -> String {
    format!("{point}.{number}")
}

/// 4 KiB that no other round has.
fn signal(round: u32) -> Vec<u8> {
    let letter = b'a' + u8::try_from(round % 26).unwrap_or_default();
    vec![letter; 4096]
}
