//! `disk-pod volume import`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use api::bytes::Bytes;
use api::ids::{ClusterUid, SpaceId};
use clap::Args;
use spaces::NodePath;
use spaces::offline::{self, ImportConfig, ImportReport};

use super::json;
use super::verify::human;

/// `disk-pod volume import`.
#[derive(Args, Debug)]
pub struct ImportArguments {
    /// The tree.
    #[arg(value_name = "TREE")]
    tree: PathBuf,
    /// Where the volume is mounted. Disk pods may use it at the same time.
    #[arg(value_name = "DIR")]
    volume: PathBuf,
    /// Which space; one that is not there yet is made.
    #[arg(long, value_name = "UUID")]
    space: SpaceId,
    /// The DiskCluster that the volume belongs to; a new volume becomes its own.
    #[arg(long, value_name = "UID")]
    cluster_uid: ClusterUid,
    /// Write to a volume that belongs to this other DiskCluster.
    #[arg(long, value_name = "UID")]
    adopt_cluster_uid: Option<ClusterUid>,
    /// A directory of the space, made if need be. Without it, its root.
    #[arg(long, value_name = "PATH", default_value = "")]
    path: NodePath,
    /// Set the limit of the space first, such as 10Gi. Without it, the limit it has holds.
    #[arg(long, value_name = "QUANTITY", value_parser = Bytes::parse_quantity)]
    limit: Option<Bytes>,
    /// Replace files of the same path that have another content.
    #[arg(long)]
    overwrite: bool,
    /// Tell it as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn import(arguments: ImportArguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let ImportArguments {
        tree,
        volume,
        space,
        cluster_uid: cluster,
        adopt_cluster_uid: adopt,
        path: into,
        limit,
        overwrite,
        json,
    } = arguments;
    let config = ImportConfig { tree, volume, cluster, adopt, space, into, limit, overwrite };
    let report = offline::import(config).await?;
    if json {
        self::json(out, &report)?;
    } else {
        tell(&report, out)?;
    }
    match report.skipped.len() {
        0 => Ok(()),
        skipped => bail!("{skipped} files or directories were left out"),
    }
}

fn tell(report: &ImportReport, out: &mut dyn Write) -> anyhow::Result<()> {
    let ImportReport { files, bytes, directories, already, skipped } = report;
    writeln!(
        out,
        "Took in {files} files ({}) in {directories} directories; {already} files were there already.",
        human(*bytes)
    )?;
    for skipped in skipped {
        writeln!(out, "  LEFT OUT: {skipped}")?;
    }
    Ok(())
}
