//! `disk-pod volume log`.

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Context;
use api::generation::Generation;
use api::ids::SpaceId;
use clap::Args;
use jiff::Timestamp;
use spaces::offline::LoggedEntry;

use super::{Place, json};

/// `disk-pod volume log`.
#[derive(Args, Debug)]
pub struct LogArguments {
    #[command(flatten)]
    place: Place,
    /// Which space. Without it, the spaces are listed.
    #[arg(long, value_name = "UUID")]
    space: Option<SpaceId>,
    /// The first generation to tell.
    #[arg(long, value_name = "GENERATION")]
    from: Option<u64>,
    /// The last one.
    #[arg(long, value_name = "GENERATION")]
    to: Option<u64>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn log(arguments: LogArguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let LogArguments { place, space, from, to, json } = arguments;
    let volume = place.open().await?;
    let Some(space) = space else {
        for space in volume.spaces().await? {
            if json {
                self::json(out, &serde_json::json!({ "space": space }))?;
            } else {
                writeln!(out, "{space}")?;
            }
        }
        return Ok(());
    };
    let mut written = Ok(());
    volume
        .log(space, from.map(Generation), to.map(Generation), |entry| {
            written = if json { self::json(out, &entry) } else { tell(&entry, out) };
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .await
        .context("the log goes no further")?;
    written
}

fn tell(entry: &LoggedEntry, out: &mut dyn Write) -> anyhow::Result<()> {
    let LoggedEntry { generation, clock, committer, id: _, length, operations } = entry;
    let when =
        Timestamp::from_millisecond(*clock).map_or_else(|_| clock.to_string(), |when| when.to_string());
    writeln!(out, "{generation}  {when}  machine {committer}, {length} bytes")?;
    for operation in operations {
        writeln!(out, "    {}", operation.what)?;
    }
    Ok(())
}
