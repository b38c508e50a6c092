//! What a check has found.

use serde::Serialize;

/// How grave something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Members will wait.
    Slow,
    /// It may be well, and cannot be tried out here.
    Doubtful,
    /// The volume must not be used.
    Unsuitable,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave it is.
    pub level: Level,
    /// Which part of the check found it.
    pub check: &'static str,
    /// Why, and what to do.
    pub says: String,
}

/// What comes of it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// It does what is needed.
    Suitable,
    /// It does, slowly.
    Slow,
    /// It does not.
    Unsuitable,
}

/// What was measured. Nothing where the check did not come so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The kind of the file system.
    pub file_system: Option<String>,
    /// How it is mounted.
    pub mount_options: Option<String>,
    /// Bytes that are free.
    pub free: Option<u64>,
    /// Files that can still be made, where the file system counts them.
    pub free_files: Option<u64>,
    /// One commit: create, write, sync, link, and sync of the directory. Median, in milliseconds.
    pub commit_ms: Option<f64>,
    /// The slowest of them.
    pub slowest_commit_ms: Option<f64>,
    /// The sync of a file of 4 KiB alone. Median, in milliseconds.
    pub sync_ms: Option<f64>,
    /// To open such a file and read it.
    pub read_ms: Option<f64>,
    /// To list a directory of 64 names.
    pub list_ms: Option<f64>,
    /// How many names one file was given; no more were tried.
    pub links: Option<u32>,
    /// How many names were raced for.
    pub races: Option<u32>,
    /// How many pods took part, this one included.
    pub pods: u32,
    /// How long until another pod saw a new name. Median, in milliseconds.
    pub seen_ms: Option<f64>,
    /// How long until another pod saw that a name is gone.
    pub unseen_ms: Option<f64>,
}

/// What a check says in the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// Whether to use the volume.
    pub verdict: Verdict,
    /// Why; the gravest first.
    pub findings: Vec<Finding>,
    /// What was measured.
    pub facts: Facts,
}

#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn push(&mut self, level: Level, check: &'static str, says: impl Into<String>) {
        self.0.push(Finding { level, check, says: says.into() });
    }

    pub(super) fn unsuitable(&mut self, check: &'static str, says: impl Into<String>) {
        self.push(Level::Unsuitable, check, says);
    }

    pub(super) fn slow(&mut self, check: &'static str, says: impl Into<String>) {
        self.push(Level::Slow, check, says);
    }

    pub(super) fn doubtful(&mut self, check: &'static str, says: impl Into<String>) {
        self.push(Level::Doubtful, check, says);
    }

    pub(super) fn note(&mut self, check: &'static str, says: impl Into<String>) {
        self.push(Level::Note, check, says);
    }

    /// Whether there is no sense in going on.
    pub(super) fn are_bad(&self) -> bool {
        self.0.iter().any(|finding| finding.level == Level::Unsuitable)
    }

    pub(super) fn report(self, mut facts: Facts) -> CheckReport {
        let Self(mut findings) = self;
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        facts.pods = facts.pods.max(1);
        let worst = |level| findings.iter().any(|finding| finding.level == level);
        let verdict = match (worst(Level::Unsuitable), worst(Level::Slow)) {
            (true, _) => Verdict::Unsuitable,
            (false, true) => Verdict::Slow,
            (false, false) => Verdict::Suitable,
        };
        CheckReport { verdict, findings, facts }
    }
}
