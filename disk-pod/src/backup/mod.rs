//! `disk-pod backup`: a copy of all volumes, taken while they are in use, and back.

mod restore;
mod take;

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use spaces::offline::{BackupManifest, BackupPoint, backups};

use crate::volume::{human, json};

/// `disk-pod backup`: copy volumes while they are in use, and bring a copy back.
#[derive(Args, Debug)]
pub struct BackupArguments {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What can be done with backups.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Copy all volumes of a pool, each space at one generation. Writes to the target alone; what has not changed since
    /// the backup before is linked. One that was broken off is gone on with. Exit code 1 when something is missing.
    Take(take::TakeArguments),
    /// Tell which backups there are.
    List(ListArguments),
    /// Read a whole backup and look whether it is as it was taken. Exit code 1 when it is not.
    Verify(VerifyArguments),
    /// Bring a backup back onto new volumes, which a DiskCluster can then adopt.
    Restore(restore::RestoreArguments),
}

/// `disk-pod backup list`.
#[derive(Args, Debug)]
pub struct ListArguments {
    /// Where the backups are.
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// Tell each as a JSON object on a line of its own.
    #[arg(long)]
    json: bool,
}

/// `disk-pod backup verify`.
#[derive(Args, Debug)]
pub struct VerifyArguments {
    /// One backup: TARGET/TIME.
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
}

/// Does what the command line says.
///
/// # Errors
/// When it can not be done, or a backup is not whole.
pub async fn run(BackupArguments { action }: BackupArguments) -> anyhow::Result<()> {
    let out = &mut io::stdout();
    match action {
        Action::Take(arguments) => take::take(arguments, out).await,
        Action::List(arguments) => list(&arguments, out),
        Action::Verify(arguments) => verify(arguments, out).await,
        Action::Restore(arguments) => restore::restore(arguments, out).await,
    }
}

fn list(ListArguments { target, json }: &ListArguments, out: &mut dyn Write) -> anyhow::Result<()> {
    for name in backups(target)? {
        match BackupPoint::open(&target.join(&name)) {
            Ok(point) if *json => self::json(out, &point.manifest)?,
            Ok(point) => writeln!(out, "{name}  {}", summary(&point.manifest))?,
            Err(error) if *json => writeln!(out, "{}", serde_json::json!({ "damaged": error.to_string() }))?,
            Err(error) => writeln!(out, "{name}  DAMAGED: {error}")?,
        }
    }
    Ok(())
}

async fn verify(VerifyArguments { backup }: VerifyArguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let point = BackupPoint::open(&backup)?;
    let findings = point.verify().await?;
    for finding in &findings {
        writeln!(out, "WRONG: {finding}")?;
    }
    if !findings.is_empty() {
        bail!("{} things are wrong with this backup", findings.len());
    }
    writeln!(
        out,
        "The backup is as it was taken, and every space in it is sound: {}",
        summary(&point.manifest)
    )?;
    Ok(())
}

/// A backup in a sentence.
fn summary(manifest: &BackupManifest) -> String {
    let BackupManifest { format: _, taken, cluster, volumes, spaces, missing, list: _ } = manifest;
    let bytes = volumes.iter().fold(api::bytes::Bytes::ZERO, |sum, image| sum.saturating_add(image.bytes));
    let when = Timestamp::from_millisecond(*taken)
        .map(|taken| taken.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
        .unwrap_or_default();
    let incomplete = match missing.len() {
        0 => String::new(),
        number => format!("; INCOMPLETE: {number} spaces are missing"),
    };
    format!(
        "{} spaces on {} volumes, {}, of {when}, DiskCluster {cluster}{incomplete}",
        spaces.len(),
        volumes.len(),
        human(bytes)
    )
}
