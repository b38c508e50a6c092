//! `disk-pod check-volume`: what `spaces` finds out about a volume, for people and for the operator.

use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use api::ids::ClusterUid;
use api::volume_check::{self, VolumeCheck};
use clap::Args;
use spaces::check::{CheckConfig, CheckReport, Facts, Finding, Level, Peer, Verdict, check};

/// `disk-pod check-volume`.
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// Where the volume is mounted.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// The DiskCluster that is to use it. Without it, whose volume it is does not matter.
    #[arg(long, env = "INTERNET_DISK_CLUSTER_UID", value_name = "UID")]
    pub cluster_uid: Option<ClusterUid>,
    /// Another DiskCluster whose volumes are taken over.
    #[arg(long, env = "INTERNET_DISK_ADOPT_CLUSTER_UID", value_name = "UID")]
    pub adopt_cluster_uid: Option<ClusterUid>,
    /// Which of how many checks this is, such as 1/2: the others run on other machines at the same time.
    #[arg(long, value_name = "NUMBER/OF", requires = "rendezvous")]
    pub peer: Option<PeerNumber>,
    /// A word that the checks have in common, and no others: a-z, 0-9 and -.
    #[arg(long, value_name = "WORD", requires = "peer")]
    pub rendezvous: Option<String>,
    /// So many seconds they wait for each other.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub patience: u64,
    /// After so many seconds the volume counts as one that does not answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub limit: u64,
    /// Tell it as one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Write the outcome here too, in short: for the operator, which reads it as the last word of the pod.
    #[arg(long, value_name = "FILE")]
    pub result: Option<PathBuf>,
}

/// One of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerNumber {
    number: u32,
    of: u32,
}

impl FromStr for PeerNumber {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text
            .split_once('/')
            .and_then(|(number, of)| Some(Self { number: number.parse().ok()?, of: of.parse().ok()? }));
        parsed.ok_or("write NUMBER/OF, such as 1/2")
    }
}

/// Does what the command line says.
///
/// # Errors
/// When the volume is unsuitable, or the outcome can not be told.
pub async fn run(arguments: CheckArguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let CheckArguments {
        directory,
        cluster_uid: cluster,
        adopt_cluster_uid: adopt,
        peer,
        rendezvous,
        patience,
        limit,
        json,
        result,
    } = arguments;
    let patience = Duration::from_secs(patience);
    let peer = peer.zip(rendezvous).map(|(PeerNumber { number, of }, rendezvous)| Peer {
        rendezvous,
        number,
        of,
        patience,
    });
    if peer.as_ref().is_some_and(|peer| !peer.is_possible()) {
        bail!("--peer counts from 1, to 8 at most, and --rendezvous is a word of a-z, 0-9 and -");
    }
    let config = CheckConfig { directory, cluster, adopt, peer, limit: Duration::from_secs(limit) };
    let report = tokio::task::spawn_blocking(move || check(config)).await?;
    if let Some(result) = result {
        let text = serde_json::to_string(&outcome(&report))?;
        std::fs::write(&result, text).with_context(|| format!("cannot write {}", result.display()))?;
    }
    if json {
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        tell(&report, out)?;
    }
    match report.verdict {
        Verdict::Suitable | Verdict::Slow => Ok(()),
        Verdict::Unsuitable => bail!("the volume must not be used"),
    }
}

/// The outcome in short.
fn outcome(report: &CheckReport) -> VolumeCheck {
    let CheckReport { verdict, findings, facts } = report;
    let grave = |finding: &&Finding| finding.level > Level::Note;
    let told: Vec<&str> = findings.iter().filter(grave).map(|finding| finding.says.as_str()).collect();
    let unsuitable = findings.iter().filter(|finding| finding.level == Level::Unsuitable);
    let verdict = match verdict {
        Verdict::Suitable => volume_check::Verdict::Suitable,
        Verdict::Slow => volume_check::Verdict::Slow,
        Verdict::Unsuitable if unsuitable.clone().all(|finding| finding.check == "shared") => {
            volume_check::Verdict::Alone
        }
        Verdict::Unsuitable => volume_check::Verdict::Unsuitable,
    };
    VolumeCheck::new(verdict, facts.pods, &told.join("; "))
}

fn tell(report: &CheckReport, out: &mut dyn Write) -> anyhow::Result<()> {
    let CheckReport { verdict, findings, facts } = report;
    writeln!(
        out,
        "{}",
        match verdict {
            Verdict::Suitable => "suitable: the volume does what is needed",
            Verdict::Slow => "slow: the volume does what is needed, and members will wait for it",
            Verdict::Unsuitable => "UNSUITABLE: the volume must not be used",
        }
    )?;
    for Finding { level, check, says } in findings {
        let level = match level {
            Level::Unsuitable => "UNSUITABLE",
            Level::Doubtful => "doubtful",
            Level::Slow => "slow",
            Level::Note => "note",
        };
        writeln!(out, "  {level} ({check}): {says}")?;
    }
    let Facts {
        file_system,
        mount_options,
        free,
        free_files,
        commit_ms,
        slowest_commit_ms,
        sync_ms,
        read_ms,
        list_ms,
        links,
        races,
        pods,
        seen_ms,
        unseen_ms,
    } = facts;
    for (what, value) in [
        ("file system", file_system.clone()),
        ("mounted with", mount_options.clone()),
        ("free", free.map(|free| format!("{} MiB", free >> 20))),
        ("files that can still be made", free_files.map(|files| files.to_string())),
        ("a change (median)", commit_ms.map(millis)),
        ("a change (slowest)", slowest_commit_ms.map(millis)),
        ("a sync of 4 KiB", sync_ms.map(millis)),
        ("open and read 4 KiB", read_ms.map(millis)),
        ("list 100 names", list_ms.map(millis)),
        ("names given to one file", links.map(|links| links.to_string())),
        ("names raced for", races.map(|races| races.to_string())),
        ("pods", Some(pods.to_string())),
        ("until another pod sees a name", seen_ms.map(millis)),
        ("until another pod sees it gone", unseen_ms.map(millis)),
    ] {
        if let Some(value) = value {
            writeln!(out, "  {what}: {value}")?;
        }
    }
    Ok(())
}

fn millis(milliseconds: f64) -> String {
    format!("{milliseconds} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several() {
        assert_eq!("1/2".parse(), Ok(PeerNumber { number: 1, of: 2 }));
        for wrong in ["", "1", "a/b", "1/2/3"] {
            assert!(wrong.parse::<PeerNumber>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_outcome_says_what_is_grave_and_who_was_missing() {
        let finding = |level, check, says: &str| Finding { level, check, says: says.to_owned() };
        let report = |verdict, findings| CheckReport {
            verdict,
            findings,
            facts: Facts { pods: 2, ..Facts::default() },
        };
        let told = outcome(&report(
            Verdict::Slow,
            vec![finding(Level::Slow, "speed", "slow"), finding(Level::Note, "mount", "note")],
        ));
        assert_eq!(told, VolumeCheck::new(volume_check::Verdict::Slow, 2, "slow"));
        let alone =
            outcome(&report(Verdict::Unsuitable, vec![finding(Level::Unsuitable, "shared", "alone")]));
        assert_eq!(alone.verdict, volume_check::Verdict::Alone);
        let both =
            vec![finding(Level::Unsuitable, "links", "none"), finding(Level::Unsuitable, "shared", "alone")];
        assert_eq!(outcome(&report(Verdict::Unsuitable, both)).message, "none; alone");
    }
}
