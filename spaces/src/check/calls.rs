//! The calls that the engine makes, each tried out by this pod alone.

use std::time::{Duration, Instant};

use super::Step;
use super::report::{Facts, Findings};
use super::yard::Yard;
use crate::file_system::FsError;
use crate::local::file;

/// So often each is measured.
const ROUNDS: u32 = 12;
/// So many names are given to one file. The engine needs two; what is copied between spaces takes more.
const LINKS: u32 = 64;
/// Longer than any name that the engine gives.
const LONG_NAME: usize = 64;
/// Beyond what a 32-bit length can say.
const FAR: u64 = (4 << 30) + 4096;
/// No storage makes anything durable sooner than this.
const IMPLAUSIBLE: Duration = Duration::from_micros(10);
/// Above these, members notice.
const SLOW_COMMIT: f64 = 50.0;
const SLOWEST_COMMIT: f64 = 1_000.0;
const SLOW_LOOK: f64 = 50.0;
/// Below this there is hardly room to work.
const LITTLE: u64 = 1 << 30;

pub(super) fn all(
    yard: &Yard<'_>,
    step: &Step,
    findings: &mut Findings,
    facts: &mut Facts,
) -> Result<(), FsError> {
    room(yard, findings, facts);
    if !hard_links(yard, findings, facts)? {
        return Ok(());
    }
    step.is("syncs and links, and measures how long that takes");
    commits(yard, findings, facts)?;
    looks(yard, findings, facts)?;
    step.is("makes long names and a large file");
    long_names(yard, findings);
    large_file(yard, findings);
    Ok(())
}

fn room(yard: &Yard<'_>, findings: &mut Findings, facts: &mut Facts) {
    let (free, files) = match yard.directory.room() {
        Ok(room) => room,
        Err(error) => return findings.doubtful("room", format!("how much is free can not be seen: {error}")),
    };
    facts.free = Some(free);
    facts.free_files = files;
    if free < LITTLE {
        let mib = free >> 20;
        findings
            .doubtful("room", format!("only {mib} MiB are free, or it does not say how much: enlarge it"));
    }
    if files.is_some_and(|files| files < 10_000) {
        findings.doubtful("room", "it can hold fewer than 10,000 more files: give it more inodes");
    }
}

/// Whether names can be given to files, so that the second of two fails.
fn hard_links(yard: &Yard<'_>, findings: &mut Findings, facts: &mut Facts) -> Result<bool, FsError> {
    yard.write("source", b"source")?;
    yard.write("other", b"other")?;
    if let Err(error) = yard.link("source", "linked-0") {
        // As in the engine, what is there decides, not what was answered.
        if yard.read("linked-0")?.as_deref() != Some(b"source") {
            findings.unsuitable(
                "links",
                format!(
                    "it does not make hard links ({error}), and they alone decide which of two changes comes first: \
                     use a file system that does"
                ),
            );
            return Ok(false);
        }
    }
    match yard.link("other", "linked-0") {
        Err(FsError::Exists) => {}
        answer => {
            let said = answer.map_or_else(|error| error.to_string(), |()| "done".to_owned());
            findings.unsuitable(
                "links",
                format!(
                    "a hard link to a name that exists must fail because of that, and the answer was: {said}"
                ),
            );
        }
    }
    if yard.read("linked-0")?.as_deref() != Some(b"source") {
        findings
            .unsuitable("links", "a hard link replaced the file that had the name: two changes would be one");
        return Ok(false);
    }
    let mut links = 1;
    while links < LINKS {
        if let Err(error) = yard.link("source", &format!("linked-{links}")) {
            findings.note(
                "links",
                format!(
                    "a file can have {links} names beside its own and no more ({error}): the engine needs one"
                ),
            );
            break;
        }
        links += 1;
    }
    facts.links = Some(links);
    Ok(true)
}

/// What a commit does, and how long that takes.
fn commits(yard: &Yard<'_>, findings: &mut Findings, facts: &mut Facts) -> Result<(), FsError> {
    let content = [7; 4096];
    let (mut commits, mut syncs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (name, linked) = (format!("c-{round}"), format!("d-{round}"));
        let begun = Instant::now();
        let path = yard.path(&name);
        let created = yard.create(&name)?;
        file::write_at(&created, &content, 0, &path)?;
        let before = Instant::now();
        if let Err(error) = file::sync(&created, &path) {
            findings.unsuitable(
                "sync",
                format!("a file can not be synced ({error}): nothing would ever be safe"),
            );
            return Ok(());
        }
        syncs.push(before.elapsed());
        yard.link(&name, &linked)?;
        if let Err(error) = yard.sync() {
            findings.unsuitable(
                "sync",
                format!("a directory can not be synced ({error}): what was acknowledged could be lost"),
            );
            return Ok(());
        }
        commits.push(begun.elapsed());
        yard.unlink(&name)?;
    }
    let sync = median(&mut syncs);
    let commit = milliseconds(median(&mut commits));
    let slowest = milliseconds(commits.last().copied().unwrap_or_default());
    facts.sync_ms = Some(milliseconds(sync));
    facts.commit_ms = Some(commit);
    facts.slowest_commit_ms = Some(slowest);
    if sync < IMPLAUSIBLE {
        let took = sync.as_nanos();
        findings.doubtful(
            "sync",
            format!(
                "a sync takes {took} ns: no storage is so fast, so it is not believed that anything is durable then; \
                 see whether the file system or its server ignores syncs"
            ),
        );
    }
    if commit > SLOW_COMMIT {
        findings
            .slow("speed", format!("a change takes {commit:.0} ms: members wait that long for every one"));
    } else if slowest > SLOWEST_COMMIT {
        findings.slow(
            "speed",
            format!("one of {ROUNDS} changes took {slowest:.0} ms: members stand still meanwhile"),
        );
    }
    Ok(())
}

/// How long reading and listing take.
fn looks(yard: &Yard<'_>, findings: &mut Findings, facts: &mut Facts) -> Result<(), FsError> {
    let (mut reads, mut lists) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let begun = Instant::now();
        let content = yard.read(&format!("d-{round}"))?;
        reads.push(begun.elapsed());
        if content.is_none_or(|content| content != [7; 4096]) {
            findings.unsuitable(
                "reading",
                "a file that was written and synced does not have the bytes it was given",
            );
        }
        let begun = Instant::now();
        let names = yard.list()?;
        lists.push(begun.elapsed());
        if (0..ROUNDS).any(|round| !names.contains(&format!("d-{round}"))) {
            findings.unsuitable("listing", "a name that was made is not in the list of its directory");
            break;
        }
    }
    let (read, list) = (milliseconds(median(&mut reads)), milliseconds(median(&mut lists)));
    (facts.read_ms, facts.list_ms) = (Some(read), Some(list));
    for (what, took) in [("to open and read a small file", read), ("to list a directory", list)] {
        if took > SLOW_LOOK {
            findings.slow("speed", format!("it takes {took:.0} ms {what}"));
        }
    }
    Ok(())
}

/// Names as long, and paths as deep, as the engine makes them, and links from one directory to another.
fn long_names(yard: &Yard<'_>, findings: &mut Findings) {
    let long = "n".repeat(LONG_NAME);
    let mut path = String::new();
    let made = ["spaces", "00", "0123456789abcdef0123456789abcdef0123", "objects", "00"].iter().try_for_each(
        |part| {
            path = if path.is_empty() { (*part).to_owned() } else { format!("{path}/{part}") };
            yard.directory.make(&yard.path(&path))
        },
    );
    let place = format!("{path}/{long}");
    if let Err(error) = made.and_then(|()| yard.write(&place, b"deep")) {
        findings.unsuitable(
            "names",
            format!("a name of {LONG_NAME} letters, six directories deep, can not be made: {error}"),
        );
    } else if let Err(error) = yard.link(&place, "from-elsewhere") {
        findings.unsuitable(
            "links",
            format!(
                "a file can not be linked from one directory to another ({error}), and that is how every change gets \
                 its place: use a file system, or a setting of it, that does"
            ),
        );
    }
}

/// A file of more than 4 GiB, most of which is not there.
fn large_file(yard: &Yard<'_>, findings: &mut Findings) {
    let path = yard.path("large");
    let made = || -> Result<bool, FsError> {
        let created = yard.create("large")?;
        file::write_at(&created, b"end", FAR, &path)?;
        file::sync(&created, &path)?;
        let opened = yard.directory.open(&path)?;
        let right = yard.directory.length(&path)? == FAR + 3
            && file::read_at(&opened, FAR, 8, &path)?.as_ref() == b"end";
        yard.unlink("large")?;
        Ok(right)
    };
    match made() {
        Ok(true) => {}
        Ok(false) => findings
            .unsuitable("large files", "a file of more than 4 GiB has another length than it was given"),
        Err(FsError::Full) => {
            findings.note("large files", "there was no room to try a file of more than 4 GiB")
        }
        Err(error) => {
            findings.unsuitable("large files", format!("files of more than 4 GiB can not be made: {error}"))
        }
    }
}

/// The middle one; sorts them.
pub(super) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
