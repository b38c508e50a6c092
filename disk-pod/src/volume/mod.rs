//! Tools for a volume that need no cluster, only the directory it is mounted at or a copy of it.

mod export;
mod import;
mod log;
mod verify;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use spaces::offline::OfflineVolume;

pub(crate) use self::verify::human;

/// `disk-pod volume`: look at a volume, or at a copy of one, without a cluster.
#[derive(Args, Debug)]
pub struct VolumeArguments {
    /// What to do.
    #[command(subcommand)]
    pub tool: Tool,
}

/// What can be done with a volume that nobody serves.
#[derive(Debug, Subcommand)]
pub enum Tool {
    /// Read every log from its oldest entry, count everything again, and look whether all bytes are there. Changes
    /// nothing. Exit code 1 when something is wrong.
    Verify(verify::VerifyArguments),
    /// Tell what was done in a space, entry by entry.
    Log(log::LogArguments),
    /// Write a space as a plain tree of files, as it is or as it was at a generation.
    Export(export::ExportArguments),
    /// Take a plain tree, or what an export has written, into a space. This alone writes to the volume.
    Import(import::ImportArguments),
}

/// Does what the command line says.
///
/// # Errors
/// When it can not be done, or something is wrong with the volume.
pub async fn run(VolumeArguments { tool }: VolumeArguments) -> anyhow::Result<()> {
    match tool {
        Tool::Verify(arguments) => verify::verify(arguments, &mut io::stdout()).await,
        Tool::Log(arguments) => log::log(arguments, &mut io::stdout()).await,
        Tool::Export(arguments) => export::export(arguments, &mut io::stdout()).await,
        Tool::Import(arguments) => import::import(arguments, &mut io::stdout()).await,
    }
}

/// The directory of a volume.
#[derive(Args, Debug)]
pub struct Place {
    /// Where the volume is mounted, or a copy of it is.
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Another volume of the pool, on which data files of its spaces may lie; once for each.
    #[arg(long = "pool", value_name = "DIR")]
    pub pool: Vec<PathBuf>,
}

impl Place {
    /// The volume, with those beside it.
    async fn open(&self) -> anyhow::Result<OfflineVolume> {
        let mut volume = OfflineVolume::open(&self.directory).await?;
        for other in &self.pool {
            volume = volume.beside(other).await?;
        }
        Ok(volume)
    }
}

/// Writes something as JSON, on a line of its own.
pub(crate) fn json(out: &mut dyn Write, value: &impl serde::Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    Ok(writeln!(out)?)
}
