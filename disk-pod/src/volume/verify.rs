//! `disk-pod volume verify`.

use std::io::Write;

use anyhow::bail;
use api::bytes::Bytes;
use api::ids::SpaceId;
use clap::Args;
use serde_json::json;
use spaces::offline::{Leftovers, Objects, OfflineVolume, SpaceReport};

use super::{Place, json};

/// `disk-pod volume verify`.
#[derive(Args, Debug)]
pub struct VerifyArguments {
    #[command(flatten)]
    place: Place,
    /// This space alone; once for each. Without it, all that are there.
    #[arg(long = "space", value_name = "UUID")]
    spaces: Vec<SpaceId>,
    /// Read the bytes of all files too.
    #[arg(long)]
    read: bool,
    /// Tell it as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn verify(arguments: VerifyArguments, out: &mut dyn Write) -> anyhow::Result<()> {
    let VerifyArguments { place, spaces, read, json } = arguments;
    let volume = place.open().await?;
    let spaces = if spaces.is_empty() { volume.spaces().await? } else { spaces };
    let guests = volume.guests().await?.len();
    if !json {
        owner(&volume, spaces.len(), guests, out)?;
    }
    let mut reports = Vec::with_capacity(spaces.len());
    for space in spaces {
        let report = volume.verify(space, read).await?;
        if !json {
            tell(&report, out)?;
        }
        reports.push(report);
    }
    let unsound = reports.iter().filter(|report| !report.is_sound()).count();
    let nameless = volume.owner().err();
    if json {
        let told = json!({
            "owner": volume.owner().ok(),
            "ownerUnknown": nameless,
            "sound": unsound == 0 && nameless.is_none(),
            "spaces": reports,
            "guests": guests,
        });
        self::json(out, &told)?;
    }
    match (unsound, nameless) {
        (0, None) => Ok(()),
        (0, Some(reason)) => bail!("the spaces are sound, but {reason}"),
        (unsound, _) => bail!("{unsound} of {} spaces are not sound", reports.len()),
    }
}

fn owner(volume: &OfflineVolume, spaces: usize, guests: usize, out: &mut dyn Write) -> anyhow::Result<()> {
    match volume.owner() {
        Ok(owner) => writeln!(
            out,
            "The volume {} belongs to the DiskCluster with uid {} (format {}). It has {spaces} spaces.",
            owner.volume, owner.cluster, owner.format
        )?,
        Err(reason) => writeln!(out, "WRONG: {reason}. It has {spaces} spaces.")?,
    }
    if guests > 0 {
        writeln!(
            out,
            "It has data files of {guests} spaces whose log is on another volume; name this one there with --pool."
        )?;
    }
    Ok(())
}

fn tell(report: &SpaceReport, out: &mut dyn Write) -> anyhow::Result<()> {
    let SpaceReport {
        space,
        from,
        generation,
        entries,
        starts,
        directories,
        files,
        used,
        reserved,
        limit,
        objects,
        leftovers,
        findings,
    } = report;
    let Objects { referenced, checked, unchecked, bytes, kept, unreferenced, unreferenced_bytes, elsewhere } =
        objects;
    let Leftovers { temporary, truncated, strange } = leftovers;
    let verdict = if report.is_sound() { "sound" } else { "NOT SOUND" };
    writeln!(out, "\nspace {space}: {verdict}")?;
    writeln!(
        out,
        "  log: generations {from} to {generation}, {entries} entries read; {starts} written states are what the \
         entries lead to"
    )?;
    writeln!(
        out,
        "  content: {files} files in {directories} directories, {} of {}{}",
        human(*used),
        human(*limit),
        some(reserved.0, &format!(", {} reserved by uploads", human(*reserved)))
    )?;
    writeln!(
        out,
        "  data files: {referenced} in use ({}){}{}{}{}{}",
        human(*bytes),
        some(*checked, &format!(", {checked} as their checksums say")),
        some(*unchecked, &format!(", {unchecked} without checksums")),
        some(*kept, &format!(", {kept} kept for older generations")),
        some(
            *unreferenced,
            &format!(", {unreferenced} that nothing refers to ({})", human(*unreferenced_bytes))
        ),
        some(*elsewhere, &format!(", {elsewhere} on volumes that were not named (--pool)")),
    )?;
    if *leftovers != Leftovers::default() {
        writeln!(
            out,
            "  left over, harmless: {temporary} files in tmp/, {truncated} of truncated blocks, {} that have no meaning{}",
            strange.len(),
            strange.first().map(|first| format!(" (such as {first:?})")).unwrap_or_default()
        )?;
    }
    for finding in findings {
        writeln!(out, "  WRONG: {finding}")?;
    }
    Ok(())
}

/// What is only worth telling when there is some.
fn some(number: u64, text: &str) -> &str {
    if number == 0 { "" } else { text }
}

/// An amount as people read it.
pub(crate) fn human(Bytes(bytes): Bytes) -> String {
    let mut unit = "B";
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut amount = bytes as f64;
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if amount < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = larger;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{amount:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (bytes, text) in [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 << 30, "3.0 GiB")] {
            assert_eq!(human(Bytes(bytes)), text);
        }
    }
}
