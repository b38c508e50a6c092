//! Whether a volume does what the protocol needs, tried out before anybody trusts it with a file. It works in a
//! directory of its own, which it takes away again, and never touches `spaces/`.

mod calls;
mod mount;
mod peers;
mod race;
mod report;
#[cfg(test)]
mod tests;
mod whose;
mod yard;

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::ids::ClusterUid;

use self::peers::Meeting;
use self::report::Findings;
use self::yard::Yard;
use crate::file_system::FsError;
use crate::local::directory::Directory;

pub use self::report::{CheckReport, Facts, Finding, Level, Verdict};

/// What is to be checked, and with whom.
#[derive(Clone, Debug)]
pub struct CheckConfig {
    /// Where the volume is mounted.
    pub directory: PathBuf,
    /// The DiskCluster that is to use it. Without it the check does not ask whose the volume is.
    pub cluster: Option<ClusterUid>,
    /// Another DiskCluster whose volumes are taken over.
    pub adopt: Option<ClusterUid>,
    /// Other pods that check it at the same time.
    pub peer: Option<Peer>,
    /// A volume that has not stood the check by then is unsuitable.
    pub limit: Duration,
}

/// One of several pods that check a volume together, through nothing but the volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The same for all of them and for no other check.
    pub rendezvous: String,
    /// Which of them this is, from 1 on.
    pub number: u32,
    /// How many they are.
    pub of: u32,
    /// How long they wait for each other.
    pub patience: Duration,
}

impl Peer {
    /// Whether this can be: a rendezvous is a plain name, and there are not too many.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=64).contains(&self.rendezvous.len())
            && self.rendezvous.chars().all(plain)
            && (2..=8).contains(&self.of)
            && (1..=self.of).contains(&self.number)
    }
}

/// What the check is doing, for when it never comes back.
#[derive(Clone, Default)]
struct Step(Arc<Mutex<&'static str>>);

impl Step {
    fn is(&self, step: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }

    fn now(&self) -> &'static str {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks a volume. A call that hangs keeps a thread, and the report says so.
#[must_use]
pub fn check(config: CheckConfig) -> CheckReport {
    let step = Step::default();
    let (reply, answer) = channel();
    let (limit, doing) = (config.limit, step.clone());
    let started = std::thread::Builder::new().name("check".to_owned()).spawn(move || {
        // Nobody may wait for it any more.
        let _ = reply.send(work(&config, &doing));
    });
    let mut findings = Findings::default();
    if let Err(error) = started {
        findings.unsuitable("time", format!("no thread can be started to check it: {error}"));
        return findings.report(Facts::default());
    }
    match answer.recv_timeout(limit) {
        Ok(report) => report,
        Err(RecvTimeoutError::Timeout) => {
            let (limit, step) = (limit.as_secs(), step.now());
            findings.unsuitable(
                "time",
                format!(
                    "the check did not come to its end within {limit} s, for it still {step}: see whether the \
                     server of the volume answers"
                ),
            );
            findings.report(Facts::default())
        }
        Err(RecvTimeoutError::Disconnected) => {
            findings
                .unsuitable("time", "the check itself failed; this is a mistake in the program".to_owned());
            findings.report(Facts::default())
        }
    }
}

fn work(config: &CheckConfig, step: &Step) -> CheckReport {
    let mut findings = Findings::default();
    let mut facts = Facts::default();
    if let Err(Stopped(error)) = steps(config, step, &mut findings, &mut facts) {
        findings.unsuitable("volume", error);
    }
    findings.report(facts)
}

/// Why there is no sense in going on.
struct Stopped(String);

fn steps(
    config: &CheckConfig,
    step: &Step,
    findings: &mut Findings,
    facts: &mut Facts,
) -> Result<(), Stopped> {
    let CheckConfig { directory: place, cluster, adopt, peer, limit: _ } = config;
    step.is("opens the directory");
    let directory = Directory::new(place.clone());
    directory.reopen().map_err(|error| Stopped(format!("{}: {error}", place.display())))?;
    step.is("looks how it is mounted");
    mount::look(place, findings, facts);
    step.is("looks whose it is");
    whose::look(&directory, *cluster, *adopt, findings);
    if findings.are_bad() {
        // Somebody else's, or it cannot be written: not a file is made there.
        return Ok(());
    }
    step.is("makes a directory for itself");
    let name = peer.as_ref().map(|peer| peer.rendezvous.as_str());
    let yard = match Yard::make(&directory, name) {
        Ok(yard) => yard,
        Err(error) => return Err(Stopped(not_writable(&error))),
    };
    whose::may_write(&directory, findings);
    step.is("makes names, links and syncs");
    let meeting = peer.as_ref().map(|peer| Meeting::new(&yard, peer));
    let own = peer.as_ref().map_or_else(|| "own".to_owned(), |peer| format!("own-{}", peer.number));
    let tried =
        yard.own(&own).and_then(|own| calls::all(&own, step, findings, facts)).and_then(|()| match findings
            .are_bad()
        {
            true => Ok(()),
            false => together(&yard, meeting.as_ref(), step, findings, facts),
        });
    step.is("takes away what it made");
    if meeting.is_none_or(Meeting::part) {
        yard.clear();
    } else {
        yard.leave();
    }
    tried.map_err(|error| Stopped(error.to_string()))
}

/// What takes several: threads of this process, and other pods.
fn together(
    yard: &Yard<'_>,
    meeting: Option<&Meeting<'_>>,
    step: &Step,
    findings: &mut Findings,
    facts: &mut Facts,
) -> Result<(), FsError> {
    if let Some(meeting) = meeting {
        step.is("waits for the other pods");
        if !meeting.all_here(findings, facts)? {
            return Ok(());
        }
        step.is("looks how soon others see what is done");
        meeting.see(findings, facts)?;
    }
    step.is("races for names");
    race::run(yard, meeting, findings, facts)
}

fn not_writable(error: &FsError) -> String {
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    format!(
        "user {user} of group {group} can not make a directory on it ({error}): let that user write, by fsGroup \
         or the owner of the volume's root"
    )
}
