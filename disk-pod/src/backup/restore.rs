//! `disk-pod backup restore`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use spaces::offline::{BackupPoint, RestoreReport, restore_backup};

use crate::volume::{human, json};

/// `disk-pod backup restore`.
#[derive(Args, Debug)]
pub struct RestoreArguments {
    /// One backup: TARGET/TIME.
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// Where a new volume is mounted; as many as the backup has.
    #[arg(value_name = "DIR", required = true)]
    volumes: Vec<PathBuf>,
    /// Make the volumes usable though files of the backup are damaged. Members find those missing.
    #[arg(long)]
    despite_damage: bool,
    /// Tell it as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn restore(arguments: RestoreArguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let RestoreArguments { backup, volumes, despite_damage, json } = arguments;
    let point = BackupPoint::open(&backup)?;
    let report = restore_backup(&point, &volumes, despite_damage).await?;
    let RestoreReport { files, bytes, already, damaged } = &report;
    if json {
        self::json(out, &report)?;
    } else {
        for damaged in damaged {
            writeln!(out, "DAMAGED: {damaged}")?;
        }
        writeln!(out, "{files} files ({}) are there, {already} of them were before.", human(*bytes))?;
    }
    if damaged.is_empty() || despite_damage {
        let cluster = point.manifest.cluster;
        if !json {
            writeln!(
                out,
                "The volumes can be used: set spec.adoptClusterUID: {cluster} in the DiskCluster, and apply the \
                 Members and Groups with their spec.spaceID."
            )?;
        }
        return Ok(());
    }
    bail!(
        "{} files of the backup are damaged; no pod uses the volumes as they are. Restore another backup onto new \
         volumes, or do this again with --despite-damage",
        damaged.len()
    )
}
