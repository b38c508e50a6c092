//! `disk-pod volume export`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use api::generation::Generation;
use api::ids::SpaceId;
use clap::Args;
use spaces::offline::{Manifest, Renamed};

use super::verify::human;
use super::{Place, json};

/// `disk-pod volume export`.
#[derive(Args, Debug)]
pub struct ExportArguments {
    #[command(flatten)]
    place: Place,
    /// Which space.
    #[arg(long, value_name = "UUID")]
    space: SpaceId,
    /// As it was at this generation, where the log still reaches back to it. Without it, as it is.
    #[arg(long, value_name = "GENERATION")]
    at: Option<u64>,
    /// A directory that is new or empty: the files come into files/, what became of them into export.json.
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// Tell it as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn export(arguments: ExportArguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let ExportArguments { place, space, at, target, json } = arguments;
    let volume = place.open().await?;
    let manifest = volume.export(space, at.map(Generation), &target).await?;
    if json {
        self::json(out, &manifest)?;
    } else {
        tell(&manifest, out)?;
    }
    match manifest.missing.len() {
        0 => Ok(()),
        missing => bail!("{missing} files or directories are missing from what was written"),
    }
}

fn tell(manifest: &Manifest, out: &mut dyn Write) -> anyhow::Result<()> {
    let Manifest { owner: _, space, generation, files, directories, bytes, renamed, missing } = manifest;
    writeln!(
        out,
        "Wrote the space {space} of generation {generation}: {files} files ({}) in {directories} directories.",
        human(*bytes)
    )?;
    for Renamed { path, written_as } in renamed {
        writeln!(out, "  renamed: {path:?} is {written_as:?}")?;
    }
    for missing in missing {
        writeln!(out, "  MISSING: {missing}")?;
    }
    Ok(())
}
