//! `disk-pod backup take`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use spaces::offline::{BackupReport, prune_backups, take_backup};

use super::summary;
use crate::volume::{human, json};

/// `disk-pod backup take`.
#[derive(Args, Debug)]
pub struct TakeArguments {
    /// Where a volume of the pool is mounted; all of them, in any order. Read-only is enough.
    #[arg(value_name = "DIR", required = true)]
    volumes: Vec<PathBuf>,
    /// A directory for backups, on other storage than the volumes.
    #[arg(long = "to", value_name = "TARGET")]
    target: PathBuf,
    /// Afterwards take the oldest backups away until so many are left.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Tell it as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn take(arguments: TakeArguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let TakeArguments { volumes, target, keep, json } = arguments;
    let now = Timestamp::now();
    let name = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    let report = take_backup(&volumes, &target, &name, now.as_millisecond()).await?;
    let BackupReport { manifest, copied_files, copied_bytes } = &report;
    if json {
        self::json(out, &report)?;
    } else {
        for missing in &manifest.missing {
            writeln!(out, "MISSING: {missing}")?;
        }
        let at = target.join(&name);
        writeln!(out, "Took the backup {}: {}.", at.display(), summary(manifest))?;
        writeln!(out, "{copied_files} files ({}) were copied; all others were there.", human(*copied_bytes))?;
    }
    if !manifest.missing.is_empty() {
        // An older one may be whole: none goes.
        bail!("{} spaces are missing from this backup", manifest.missing.len());
    }
    if let Some(keep) = keep {
        let keep = usize::try_from(keep).context("that is too many to keep")?;
        for gone in prune_backups(&target, keep)? {
            tracing::info!(backup = gone, "An old backup was taken away.");
        }
    }
    Ok(())
}
